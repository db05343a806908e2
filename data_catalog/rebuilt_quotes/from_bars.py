"""
Best bid and ask rebuilt from bars, where nothing finer was kept; docs/data.md states how far they are off.

Each bar becomes four prices: its open, the extreme nearer to the open, the other extreme, its close. Bid and ask are
one spread apart and move no further than these prices push them: a price above the ask lifts both, one below the bid
lowers both, one in between moves nothing. So the bounce of trades between bid and ask is not taken for a move.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bad_input import BadInput
from data_catalog.columns import Bars, Int64, Quotes

POINTS = 4
BATCH = 50_000
SIDES = 2
MIN_PAIRS = 100
STANDARD_ERRORS = 3


def quotes_from_bars(bars: Bars, interval_ns: int, tick: int, spread_ticks: int) -> Iterator[Quotes]:
    """
    Yield the quotes that bars stand for, in the order of time.

    The four prices of a bar stand in the middle of its four quarters, all after its opening time and before its close.
    Both sides of each quote carry an eighth of the bar's volume, and at least one step: half of it was bought and half
    of it sold, in four places. A bar without volume gives no quote.

    Parameters
    ----------
    bars : Bars
        In the order of time, stamped with their close.
    interval_ns : int
        The length of a bar in nanoseconds.
    tick : int
        The tick as a count of the price unit.
    spread_ticks : int
        The distance of the ask from the bid, at least 1.

    Raises
    ------
    BadInput
        If no bar has a volume, or so wide a spread leaves no bid above zero at the first price.

    """
    traded = bars.take(bars.volume > 0)
    if not len(traded):
        raise BadInput("no bar has a volume: there is nothing to rebuild quotes from", key="--quotes-from-bars")
    spread = spread_ticks * tick
    bid = int(traded.open[0]) - spread_ticks // 2 * tick
    if bid <= 0:
        problem = f"was {spread_ticks}, but the first price is only {int(traded.open[0]) // tick} ticks"
        raise BadInput(problem, key="--spread-ticks")
    offsets = np.arange(1, SIDES * POINTS, 2) * interval_ns // (SIDES * POINTS)
    for start in range(0, len(traded), BATCH):
        part = traded.slice(start, start + BATCH)
        bids = _pushed(bar_path(part).ravel(), bid, spread)
        bid = int(bids[-1])
        ts = (part.ts_init[:, None] - interval_ns + offsets).ravel()
        size = np.repeat(np.maximum(part.volume // (SIDES * POINTS), 1), POINTS)
        yield Quotes(bids, bids + spread, size, size, ts, ts)


def bar_path(bars: Bars) -> Int64:
    """
    Return the prices a bar goes through, shape (n, 4): open, the extreme nearer to the open, the other one, close.

    At equal distance the extreme away from the close comes first, and the low where open and close are equal: then the
    way is the shortest.
    """
    above, below = bars.high - bars.open, bars.open - bars.low
    low_first = (below < above) | ((below == above) & (bars.close >= bars.open))
    first, second = np.where(low_first, bars.low, bars.high), np.where(low_first, bars.high, bars.low)
    return np.stack([bars.open, first, second, bars.close], axis=1)


def _pushed(prices: Int64, bid: int, spread: int) -> Int64:
    """Return the bid after each price, when bid and ask move only as far as prices push them."""
    bids = []
    for price in prices.tolist():
        bid = min(max(bid, price - spread), price)
        bids.append(bid)
    return np.array(bids, np.int64)


def usual_spread_ticks(bars: Bars, interval_ns: int, tick: int) -> int:
    """
    Return the bid-ask spread that bars let through, in ticks and at least 1.

    A close is a trade at the bid or the ask, the middle of a bar's range is near the mid: s^2 = 4 E[(c_t - m_t)
    (c_t - m_(t+1))], with c the close and m the middle of high and low (Abdi and Ranaldo 2017, "A simple estimation of
    bid-ask spreads from daily close, high, and low prices", Review of Financial Studies 30). Where the mean is not
    three standard errors above zero, prices move too much to tell and 1 is returned.

    Parameters
    ----------
    bars : Bars
        In the order of time.
    interval_ns : int
        The length of a bar in nanoseconds: only bars that follow each other without a gap are compared.
    tick : int
        The tick as a count of the price unit.

    """
    traded = bars.take(bars.volume > 0)
    middle = (traded.high + traded.low) / (2 * tick)
    close = traded.close / tick
    next_to = np.diff(traded.ts_init) == interval_ns
    squares: NDArray[np.float64] = (4 * (close[:-1] - middle[:-1]) * (close[:-1] - middle[1:]))[next_to]
    if len(squares) < MIN_PAIRS:
        return 1
    mean, error = float(squares.mean()), float(squares.std(ddof=1)) / len(squares) ** 0.5
    return max(1, round(mean**0.5)) if mean > STANDARD_ERRORS * error else 1

"""
From real-valued quotes to whole ticks, outward, and never through the market.

Floats miss decimal prices by a little: 100.03 / 0.01 is 10002.999999999998, and flooring it would move a bid a whole
tick. So a price within one billionth of itself, and never more than a thousandth of a tick, of a tick IS that tick;
only what lies between ticks is rounded.
"""

import math

RELATIVE_TOLERANCE = 1e-9
MAX_TOLERANCE_TICKS = 1e-3


def bid_to_ticks(price: float, tick: float) -> int:
    """
    Return the highest tick at or below `price`.

    Parameters
    ----------
    price : float
        In the quote currency.
    tick : float
        The price increment, above 0.

    Returns
    -------
    int
        A count of ticks.

    Raises
    ------
    ValueError
        If `price` is infinite or not a number (a side without a quote has no ticks), or `tick` is not positive.

    """
    exact = _in_ticks(price, tick)
    nearest = round(exact)
    return nearest if abs(exact - nearest) <= _tolerance(exact) else math.floor(exact)


def ask_to_ticks(price: float, tick: float) -> int:
    """
    Return the lowest tick at or above `price`.

    Parameters
    ----------
    price : float
        In the quote currency.
    tick : float
        The price increment, above 0.

    Returns
    -------
    int
        A count of ticks.

    Raises
    ------
    ValueError
        If `price` is infinite or not a number (a side without a quote has no ticks), or `tick` is not positive.

    """
    exact = _in_ticks(price, tick)
    nearest = round(exact)
    return nearest if abs(exact - nearest) <= _tolerance(exact) else math.ceil(exact)


def keep_post_only(
    bid_ticks: int | None, ask_ticks: int | None, best_bid_ticks: int | None, best_ask_ticks: int | None
) -> tuple[int | None, int | None]:
    """
    Return the quotes moved outward until neither takes liquidity nor meets the other.

    The bid is held one tick below the best ask and the ask one tick above the best bid. When the bid still is at or
    above the ask (the desired quotes were locked or crossed), both move apart by the same number of ticks.

    Parameters
    ----------
    bid_ticks, ask_ticks : int or None
        The desired quotes; None for a side that is not quoted.
    best_bid_ticks, best_ask_ticks : int or None
        The market's best prices; None for an empty side, which limits nothing.

    Returns
    -------
    tuple[int or None, int or None]
        Bid and ask. Never above the desired bid, never below the desired ask, and bid < ask.

    """
    if bid_ticks is not None and best_ask_ticks is not None and bid_ticks >= best_ask_ticks:
        bid_ticks = best_ask_ticks - 1
    if ask_ticks is not None and best_bid_ticks is not None and ask_ticks <= best_bid_ticks:
        ask_ticks = best_bid_ticks + 1
    if bid_ticks is not None and ask_ticks is not None and bid_ticks >= ask_ticks:
        apart = (bid_ticks - ask_ticks) // 2 + 1
        bid_ticks, ask_ticks = bid_ticks - apart, ask_ticks + apart
    return bid_ticks, ask_ticks


def _in_ticks(price: float, tick: float) -> float:
    if not tick > 0.0:
        raise ValueError(f"tick was {tick}, expected above 0")
    if not math.isfinite(price):
        raise ValueError(f"price was {price}, expected a finite number")
    return price / tick


def _tolerance(ticks: float) -> float:
    return min(RELATIVE_TOLERANCE * abs(ticks), MAX_TOLERANCE_TICKS)

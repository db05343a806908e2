"""
Where the price is, from supply and demand at the best bid and ask.

The weighted mid leans towards the side with less size. The order-flow imbalance of Cont, Kukanov and Stoikov, "The
price impact of order book events" (Journal of Financial Econometrics 12(1), 2014, section 2, equations (2) to (4)),
sums what was added to the demand and taken from the supply; price changes are close to linear in it.

Prices may be in the quote currency or in ticks, sizes in units or in lots: a function uses the unit it is given.
Order flow counts in lots, as whole numbers: then sums are exact, and the online and the batch version agree to the bit.
"""

import math
from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


def imbalance(bid_size: float, ask_size: float) -> float:
    """
    Return the share of the bid in the size at the best prices: Qb/(Qb + Qa).

    Parameters
    ----------
    bid_size, ask_size : float
        Sizes at the best bid and ask, at least 0.

    Returns
    -------
    float
        0 to 1; 0.5 when both are empty.

    """
    total = bid_size + ask_size
    return bid_size / total if total > 0.0 else 0.5


def weighted_mid(bid: float, ask: float, bid_size: float, ask_size: float) -> float:
    """
    Return the mid weighted by the opposite sizes: I Pa + (1 - I) Pb, with I the imbalance.

    Gatheral and Oomen, "Zero-intelligence realized variance estimation" (Finance and Stochastics 14, 2010); it equals
    mid + (spread/2)(2I - 1), the starting point of Stoikov's micro-price.

    Parameters
    ----------
    bid, ask : float
        The best prices.
    bid_size, ask_size : float
        Their sizes, at least 0.

    Returns
    -------
    float
        Between bid and ask, near the ask when the bid is large; the mid when both sizes are 0.

    """
    share = imbalance(bid_size, ask_size)
    return share * ask + (1.0 - share) * bid


class Quote(NamedTuple):
    """The best prices, in ticks, and their sizes, in lots."""

    bid: int
    ask: int
    bid_size: int
    ask_size: int


def flow_event(before: Quote, after: Quote) -> int:
    """
    Return what one update of the best prices adds to demand less supply, in lots.

    e_n of Cont, Kukanov and Stoikov: the new bid size if the bid did not fall, less the old one if it did not rise;
    less the new ask size if the ask did not rise, plus the old one if it did not fall.

    Parameters
    ----------
    before, after : Quote
        Two consecutive states of the best prices.

    Returns
    -------
    int
        Positive when buyers came or sellers left.

    """
    event = 0
    if after.bid >= before.bid:
        event += after.bid_size
    if after.bid <= before.bid:
        event -= before.bid_size
    if after.ask <= before.ask:
        event -= after.ask_size
    if after.ask >= before.ask:
        event += before.ask_size
    return event


class OrderFlowImbalance:
    """
    Order-flow imbalance of the last seconds, updated with every change of the best prices.

    The sum of `flow_event` over the updates in (t - window, t]: OFI of Cont, Kukanov and Stoikov for a window that
    slides.

    Parameters
    ----------
    window_secs : float
        The length of the window, above 0.

    Raises
    ------
    ValueError
        If `window_secs` is not positive.

    """

    __slots__ = ("_events", "_last", "_sum", "_window")

    def __init__(self, window_secs: float) -> None:
        if not window_secs > 0.0:
            raise ValueError(f"window_secs was {window_secs}, expected above 0")
        self._window = window_secs
        self.reset()

    def reset(self) -> None:
        """Forget every update."""
        self._events: deque[tuple[float, int]] = deque()
        self._last: Quote | None = None
        self._sum = 0

    def update(self, quote: Quote, time_secs: float) -> int:
        """
        Take in the best prices after an update.

        Parameters
        ----------
        quote : Quote
            The best prices and sizes.
        time_secs : float
            Its time in seconds from any fixed origin, not before the last one.

        Returns
        -------
        int
            The imbalance in lots; 0 at the first update.

        """
        if self._last is not None:
            event = flow_event(self._last, quote)
            if event:
                self._events.append((time_secs, event))
                self._sum += event
        self._last = quote
        return self.at(time_secs)

    def at(self, time_secs: float) -> int:
        """
        Return the imbalance of the window that ends at a time.

        Parameters
        ----------
        time_secs : float
            Not before the last update.

        Returns
        -------
        int
            In lots.

        """
        start = time_secs - self._window
        while self._events and self._events[0][0] <= start:
            self._sum -= self._events.popleft()[1]
        return self._sum


def flow_events(bid: ArrayLike, ask: ArrayLike, bid_size: ArrayLike, ask_size: ArrayLike) -> NDArray[np.int64]:
    """
    Return `flow_event` of every two consecutive rows.

    Parameters
    ----------
    bid, ask : array_like of int, shape (n,)
        The best prices in ticks, in order of time.
    bid_size, ask_size : array_like of int, shape (n,)
        Their sizes in lots.

    Returns
    -------
    ndarray of int, shape (max(n - 1, 0),)
        In lots; entry i is the change from row i to row i + 1.

    Raises
    ------
    ValueError
        If the lengths differ.

    """
    columns = [np.asarray(column, dtype=np.int64) for column in (bid, ask, bid_size, ask_size)]
    if any(column.shape != (len(columns[0]),) for column in columns):
        raise ValueError(f"columns of shapes {[column.shape for column in columns]} were not of one length")
    bids, asks, bid_sizes, ask_sizes = columns
    up, down = bids[1:] >= bids[:-1], bids[1:] <= bids[:-1]
    lower, higher = asks[1:] <= asks[:-1], asks[1:] >= asks[:-1]
    demand = up * bid_sizes[1:] - down * bid_sizes[:-1]
    supply = lower * ask_sizes[1:] - higher * ask_sizes[:-1]
    return np.asarray(demand - supply)


def order_flow_imbalance(events: NDArray[np.int64], times_secs: ArrayLike, window_secs: float) -> NDArray[np.int64]:
    """
    Return what `OrderFlowImbalance.update` returns at every row.

    Parameters
    ----------
    events : ndarray of int, shape (n - 1,)
        From `flow_events`.
    times_secs : array_like, shape (n,)
        The times of the rows in seconds, non-decreasing.
    window_secs : float
        The length of the window, above 0.

    Returns
    -------
    ndarray of int, shape (n,)
        In lots; the sum over the window (t - window, t] up to and including the row.

    Raises
    ------
    ValueError
        If the lengths do not fit, times decrease or `window_secs` is not positive.

    """
    times: NDArray[np.float64] = np.asarray(times_secs, dtype=np.float64)
    if not window_secs > 0.0:
        raise ValueError(f"window_secs was {window_secs}, expected above 0")
    if len(times) != len(events) + 1:
        raise ValueError(f"{len(times)} times did not fit {len(events)} events, expected one more")
    if np.any(np.diff(times) < 0):
        raise ValueError("times were not in order")
    total = np.concatenate(([0, 0], np.cumsum(events)))
    # total[i + 1] is the sum up to row i; the window starts after the last row at or before its start.
    first = np.searchsorted(times, times - window_secs, side="right")
    return np.asarray(total[1:] - total[first])


class FlowImpact(NamedTuple):
    """
    A regression of price changes on order-flow imbalance.

    `per_lot` and its standard error in price per lot, `r_squared` as a fraction, `windows` the number of pairs.
    """

    per_lot: float
    standard_error: float
    intercept: float
    r_squared: float
    windows: int


def fit_flow_impact(price_changes: ArrayLike, flow: ArrayLike) -> FlowImpact:
    """
    Fit price change = intercept + per_lot * imbalance by least squares.

    The linear model of Cont, Kukanov and Stoikov. With the changes of the SAME windows it says how far flow explains
    the price; with those of the FOLLOWING windows, whether flow forecasts it: a maker needs the latter. The standard
    error is White's (HC1): large imbalances come with large errors.

    Parameters
    ----------
    price_changes : array_like, shape (n,)
        Change of the mid in each window.
    flow : array_like, shape (n,)
        Order-flow imbalance of each window, in lots.

    Returns
    -------
    FlowImpact
        The fit.

    Raises
    ------
    ValueError
        If the lengths differ, there are fewer than 3 windows or the imbalance never changes.

    """
    change: NDArray[np.float64] = np.asarray(price_changes, dtype=np.float64)
    imbalances: NDArray[np.float64] = np.asarray(flow, dtype=np.float64)
    count = len(change)
    if change.shape != (count,) or imbalances.shape != (count,):
        raise ValueError(f"price changes {change.shape} and flow {imbalances.shape} were not two arrays of one length")
    if count < 3:
        raise ValueError(f"there were {count} windows, expected at least 3")
    apart = imbalances - imbalances.mean()
    squares = float(apart @ apart)
    if not squares > 0.0:
        raise ValueError("the order-flow imbalance was the same in every window")
    moved = change - change.mean()
    slope = float(apart @ moved) / squares
    error = moved - slope * apart
    variance = float(apart**2 @ error**2) * count / (count - 2) / squares**2
    total = float(moved @ moved)
    explained = 1.0 - float(error @ error) / total if total > 0.0 else 0.0
    intercept = float(change.mean() - slope * imbalances.mean())
    return FlowImpact(slope, math.sqrt(variance), intercept, explained, count)


def flow_adjusted_mid(mid: float, flow: float, impact_per_lot: float, max_shift: float) -> float:
    """
    Return the mid moved to where the recent order flow points.

    Parameters
    ----------
    mid : float
        The mid price.
    flow : float
        Order-flow imbalance in lots.
    impact_per_lot : float
        Price per lot, from `fit_flow_impact`.
    max_shift : float
        The largest shift, in price, at least 0. Half a spread keeps the result between bid and ask.

    Returns
    -------
    float
        mid + impact_per_lot * flow, at most `max_shift` from the mid.

    Raises
    ------
    ValueError
        If `max_shift` is negative.

    """
    if not max_shift >= 0.0:
        raise ValueError("max_shift was negative")
    return mid + min(max(impact_per_lot * flow, -max_shift), max_shift)

"""Trades put together into market orders, each with the touch that stood before it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_catalog.calibration.market_window import Floats, MarketWindow
from data_catalog.columns import Int64
from models.market_statistics import sweep_starts

LAGS_NS = tuple(ms * 1_000_000 for ms in (0, 1, 2, 5, 10))
"""How much earlier than a trade the touch is looked up, from the least."""

_SAME_PRICE = 0.25  # of a tick: a mid lies on a tick or between two
_CLEARLY_BETTER = 0.005  # of all market orders; a difference below this is chance


@dataclass(frozen=True)
class MarketOrders:
    """
    Market orders in order of time; prices and distances in ticks.

    Parameters
    ----------
    lag_ns : int
        The touch is that which stood this long before the first trade.
    time_ns : ndarray of int64, shape (n,)
        Time of the first trade.
    side : ndarray of float64, shape (n,)
        +1 for a purchase, -1 for a sale.
    mid, half_spread : ndarray of float64, shape (n,)
        The touch before it.
    depth : ndarray of float64, shape (n,)
        From the mid to the deepest price it reached; negative where a trade met prices that had moved already.
    paid : ndarray of float64, shape (n,)
        From the mid to its average price: the effective half-spread.
    qty : ndarray of float64, shape (n,)
        In the base asset.
    trades : ndarray of int64, shape (n,)
        How many trades it made.

    """

    lag_ns: int
    time_ns: Int64
    side: Floats
    mid: Floats
    half_spread: Floats
    depth: Floats
    paid: Floats
    qty: Floats
    trades: Int64

    def __len__(self) -> int:
        return len(self.time_ns)

    @property
    def half_ticks(self) -> Int64:
        """The depth in half ticks: a mid lies on a tick or between two."""
        return np.rint(2 * self.depth).astype(np.int64)

    @property
    def beyond_touch(self) -> NDArray[np.bool_]:
        """Whether it went deeper than the touch."""
        return np.asarray(self.depth > self.half_spread + _SAME_PRICE)


def market_orders(window: MarketWindow) -> MarketOrders:
    """
    Put trades together into market orders and find the touch before each.

    Quotes and trades come over separate streams, and the quote that a trade has moved is often received before the
    trade. So the touch is looked up a little earlier, by the lag (0 to 10 ms) at which the most market orders begin at
    the touch; the least of those that do about as well.
    """
    starts = np.flatnonzero(sweep_starts(window.trade_ns, window.price, window.buyer))
    shares = [float(_at_touch(window, starts, lag).mean()) for lag in LAGS_NS]
    enough = max(shares) - _CLEARLY_BETTER
    return _with_lag(window, starts, next(lag for lag, share in zip(LAGS_NS, shares, strict=True) if share >= enough))


def _touch_before(window: MarketWindow, starts: NDArray[np.intp], lag_ns: int) -> tuple[Floats, Floats, Floats]:
    """Return side, mid and half-spread of each market order; before the first quote, those of the first quote."""
    place = np.searchsorted(window.quote_ns, window.trade_ns[starts] - lag_ns, side="left") - 1
    bid, ask = window.bid[np.maximum(place, 0)], window.ask[np.maximum(place, 0)]
    return np.where(window.buyer[starts], 1.0, -1.0), (bid + ask) / 2, (ask - bid) / 2


def _at_touch(window: MarketWindow, starts: NDArray[np.intp], lag_ns: int) -> NDArray[np.bool_]:
    side, mid, half = _touch_before(window, starts, lag_ns)
    return np.asarray(np.abs(side * (window.price[starts] - mid) - half) < _SAME_PRICE)


def _with_lag(window: MarketWindow, starts: NDArray[np.intp], lag_ns: int) -> MarketOrders:
    side, mid, half = _touch_before(window, starts, lag_ns)
    lengths = np.diff(np.append(starts, len(window.trade_ns)))
    qty = np.add.reduceat(window.qty, starts)
    average = np.add.reduceat(window.qty * (window.price - window.price[0]), starts) / qty + window.price[0]
    return MarketOrders(
        lag_ns=lag_ns,
        time_ns=window.trade_ns[starts],
        side=side,
        mid=mid,
        half_spread=half,
        # An order only goes outwards, so its last trade is its deepest.
        depth=side * (window.price[starts + lengths - 1] - mid),
        paid=side * (average - mid),
        qty=qty,
        trades=lengths,
    )

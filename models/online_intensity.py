"""
A and k of the flow of market orders, lambda(delta) = A exp(-k delta), estimated while the market runs.

For use inside a maker: see `models.intensity` for what the two mean, and for estimates from recorded data with their
errors.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from models.intensity import ON_GRID, tail_excess, tail_kappa

MIN_WEIGHT = 20.0
"""Market orders that must weigh in before `OnlineIntensity` is ready: k is then known to about 22 %."""


class OnlineIntensity:
    """
    A and k of the recent market orders, kept up to date trade by trade in constant time.

    The estimate of `tail_fit` with weights that fall to 1/e after `window_secs`: what happened at a time t weighs
    exp(-(now - t)/window), market orders and watched time alike. Depth counts from where quotes stood: the threshold of
    an order is the larger of `min_depth` and the half-spread before it, in whole steps from the price it reached.
    Trades of one side that follow within `sweep_secs` and do not turn back are one market order, whose depth is
    measured from the mid before its first trade.

    Prices may be in any unit; k is per that unit. In ticks, `step` is 1.

    Parameters
    ----------
    window_secs : float
        The memory, above 0.
    step : float
        The price increment in the unit of the prices; 0 for continuous prices.
    min_depth : float
        Orders that end nearer to the mid than this say nothing of the depths one quotes at; they are left out.
    sweep_secs : float
        Trades at most this far apart may belong to one market order.

    Raises
    ------
    ValueError
        If `window_secs` is not positive, or one of the others is negative.

    """

    __slots__ = (
        "_advanced",
        "_count",
        "_excess_sum",
        "_last",
        "_min_depth",
        "_started",
        "_step",
        "_sweep",
        "_threshold_sum",
        "_trade_time",
        "_window",
    )

    def __init__(
        self, window_secs: float, step: float = 0.0, min_depth: float = 0.0, sweep_secs: float = 0.001
    ) -> None:
        if not window_secs > 0.0:
            raise ValueError(f"window_secs was {window_secs}, expected above 0")
        if not min(step, min_depth, sweep_secs) >= 0.0:
            raise ValueError("step, min_depth or sweep_secs was negative")
        self._window = window_secs
        self._step = step
        self._min_depth = min_depth
        self._sweep = sweep_secs
        self.reset()

    def reset(self) -> None:
        """Forget every market order."""
        self._started = self._advanced = math.nan
        self._count = self._excess_sum = self._threshold_sum = 0.0
        self._trade_time = -math.inf
        self._last = _LastOrder()

    def advance(self, time_secs: float) -> None:
        """Let time pass without a trade; the first call starts the watch. A time before the last changes nothing."""
        elapsed = time_secs - self._advanced
        if elapsed > 0.0:
            decay = math.exp(-elapsed / self._window)
            self._count *= decay
            self._excess_sum *= decay
            self._threshold_sum *= decay
            self._last.weight *= decay
            self._advanced = time_secs
        elif math.isnan(elapsed):
            self._started = self._advanced = time_secs

    def update(self, price: float, bid: float, ask: float, is_buyer: bool, time_secs: float) -> None:
        """
        Take in a trade.

        Parameters
        ----------
        price : float
            Its price.
        bid, ask : float
            The best bid and ask just before it, in the same unit.
        is_buyer : bool
            True where the buyer took liquidity.
        time_secs : float
            Its time in seconds from any fixed origin. If it is the first the estimator hears of, the watch starts
            with it and its market order is not counted: a watch that starts at an order would count one too many.

        """
        watching = not math.isnan(self._advanced)
        self.advance(time_secs)
        last = self._last
        side = 1.0 if is_buyer else -1.0
        follows = (
            side == last.side and time_secs - self._trade_time <= self._sweep and side * (price - last.price) >= 0.0
        )
        if follows:
            self._add(last, -last.weight)
        else:
            last.side, last.weight = side, 1.0 if watching else 0.0
            last.mid = 0.5 * (bid + ask)
            last.floor = max(self._min_depth, 0.5 * (ask - bid))
        last.price = price
        self._trade_time = time_secs
        depth = side * (price - last.mid)
        last.counts = depth >= last.floor - ON_GRID * self._step
        if last.counts:
            beyond = max(depth - last.floor, 0.0)
            last.excess = math.floor(beyond / self._step + ON_GRID) * self._step if self._step else beyond
            last.threshold = depth - last.excess
            self._add(last, last.weight)

    def _add(self, order: "_LastOrder", weight: float) -> None:
        if order.counts:
            self._count += weight
            self._excess_sum += weight * order.excess
            self._threshold_sum += weight * order.threshold

    @property
    def kappa(self) -> float:
        """The decay k per unit of price; NaN before the first market order, infinite while none went on from there."""
        return tail_kappa(self._excess_sum / self._count, self._step) if self._count > 0.0 else math.nan

    @property
    def intensity_a(self) -> float:
        """A, market orders per second and side, carried to the mid by k; NaN before the first market order."""
        watched = -2.0 * self._window * math.expm1((self._started - self._advanced) / self._window)
        if not (self._count > 0.0 and watched > 0.0):
            return math.nan
        return self._count / watched * _exp(self.kappa * self._threshold_sum / self._count)

    @property
    def ready(self) -> bool:
        """True once it has watched for `window_secs` and 20 market orders weigh in, some beyond their threshold."""
        return self._count >= MIN_WEIGHT and self._excess_sum > 0.0 and self._advanced - self._started >= self._window


class _LastOrder:
    """The market order that the next trade may still belong to."""

    __slots__ = ("counts", "excess", "floor", "mid", "price", "side", "threshold", "weight")

    def __init__(self) -> None:
        self.side = self.price = self.mid = self.floor = self.excess = self.threshold = self.weight = 0.0
        self.counts = False


def decayed_intensity(
    depths: ArrayLike,
    half_spreads: ArrayLike,
    times_secs: ArrayLike,
    *,
    start_secs: float,
    end_secs: float,
    window_secs: float,
    step: float = 0.0,
    min_depth: float = 0.0,
) -> tuple[float, float]:
    """
    Return A and k that `OnlineIntensity` shows at `end_secs` after these market orders, from the closed sums.

    Parameters
    ----------
    depths : array_like, shape (n,)
        Depth that each market order reached, from the mid before its first trade.
    half_spreads : array_like, shape (n,)
        Half the spread before it, in the same unit.
    times_secs : array_like, shape (n,)
        Time of its first trade, in seconds.
    start_secs, end_secs : float
        The watch; `end_secs` is the later one. Orders outside it are left out, and so is one at its very start.
    window_secs : float
        The memory, above 0.
    step, min_depth : float
        As in `OnlineIntensity`.

    Returns
    -------
    tuple[float, float]
        A per second and side, and k per unit of depth; NaN where no order counts.

    Raises
    ------
    ValueError
        If `window_secs` is not positive or the watch has no length.

    """
    if not window_secs > 0.0 or not end_secs > start_secs:
        raise ValueError("window_secs was not positive, or the watch did not end after its start")
    depth, half, time = (np.asarray(column, dtype=np.float64) for column in (depths, half_spreads, times_secs))
    floor = np.maximum(half, min_depth)
    counts = (depth >= floor - ON_GRID * step) & (time > start_secs) & (time <= end_secs)
    depth, floor = depth[counts], floor[counts]
    weight = np.exp((time[counts] - end_secs) / window_secs)
    total = float(weight.sum())
    if not total > 0.0:
        return math.nan, math.nan
    excess = tail_excess(depth, floor, step)
    kappa = tail_kappa(float(np.dot(weight, excess)) / total, step)
    watched = -2.0 * window_secs * math.expm1((start_secs - end_secs) / window_secs)
    return total / watched * _exp(kappa * float(np.dot(weight, depth - excess)) / total), kappa


def _exp(exponent: float) -> float:
    """Return e^exponent, infinite where it leaves the floats: a maker must not stop over it."""
    return math.exp(exponent) if not exponent > 700.0 else math.inf

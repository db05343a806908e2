"""A and k of a market's orders, from the depth at which their flow begins to thin exponentially."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bad_input import BadInput
from data_catalog.calibration.market_orders import MarketOrders
from data_catalog.calibration.market_window import Floats, MarketWindow
from models.intensity import (
    IntensityFit,
    exceedance_counts,
    exponential_distance,
    poisson_fit,
    regression_fit,
    tail_excess,
    tail_fit,
    tail_kappa,
)
from models.market_statistics import Interval, bootstrap_means, percentile_interval

MIN_TAIL = 50
"""Market orders that must reach the depth from which k is fitted."""

MIN_BEYOND = 25
"""How many of them must go deeper."""

EXPONENTIAL = 1.094
"""Stephens's statistic that a true exponential exceeds in 5 of 100 samples."""

CLOSE = 0.05
"""A difference between the distributions that does not matter, however many orders prove it."""

MIN_AT_LEVEL = 10
_COMMON = 0.1  # of the market orders: what fewer do is an exception
_CANDIDATES = 40
_LEVELS = 25
_POISSON_LEVELS = 8
_POISSON_ROUNDS = 25
_STRETCHES = 60
_SIDES = 2.0


@dataclass(frozen=True)
class FlowCalibration:
    """
    A and k per basis point, by several estimators, with what they were fitted to.

    Parameters
    ----------
    from_bps : float
        The depth from which they hold: the first one fitted.
    to_bps : float
        The deepest level that 1 % of those market orders reached, and at least 10.
    orders : int
        Market orders that reached `from_bps`.
    distance, statistic : float
        How far their depths are from an exponential; see `exponential_distance`.
    exponential : bool
        Whether that is close enough.
    chosen : bool
        Whether the user chose `from_bps`.
    fits : dict of str to IntensityFit
        By estimator: mle, wls, ols, poisson. Where one has no answer it is left out.
    intensity_a, kappa : Interval
        The maximum-likelihood estimate with a confidence interval that allows for bursts of orders.
    levels_bps, counts : ndarray
        Depths of all levels that were reached, from the mid, and the market orders at or beyond each.
    exposure_secs : float
        Seconds watched times the two sides.

    """

    from_bps: float
    to_bps: float
    orders: int
    distance: float
    statistic: float
    exponential: bool
    chosen: bool
    fits: dict[str, IntensityFit]
    intensity_a: Interval
    kappa: Interval
    levels_bps: Floats
    counts: NDArray[np.int64]
    exposure_secs: float

    @property
    def best(self) -> IntensityFit:
        """The maximum-likelihood fit."""
        return self.fits["mle"]


@dataclass(frozen=True)
class _Tail:
    """The depths beyond a level in half ticks, and how well an exponential describes them."""

    start: int
    distance: float
    statistic: float

    @property
    def exponential(self) -> bool:
        return self.statistic <= EXPONENTIAL or self.distance <= CLOSE


def calibrate_flow(window: MarketWindow, orders: MarketOrders, from_bps: float | None = None) -> FlowCalibration:
    """
    Fit A and k.

    Depth counts in half ticks, because a mid lies on a tick or between two, and becomes basis points of the window's
    first mid. Unless `from_bps` is given, the fit begins at the least depth beyond which the flow is exponential
    (Clauset, Shalizi and Newman, SIAM Review 51(4), 2009, section 3.3, with a test instead of a minimum); where it
    never is, at the depth beyond which it comes nearest.

    Raises
    ------
    BadInput
        If too few market orders go deep enough to tell k.

    """
    depths, unit = orders.half_ticks, window.tick_bps / 2
    levels = _levels(depths)
    if from_bps is None:
        tail = _found_tail(depths, levels[levels >= _nearest_quote(orders)])
    else:
        tail = _chosen_tail(depths, levels, from_bps, unit)
    if tail is None:
        raise BadInput(_why_not(window, orders))
    exposure = _SIDES * window.seconds
    counts = exceedance_counts(depths, levels)
    reached = int(np.count_nonzero(depths >= tail.start))
    fitted = levels[(levels >= tail.start) & (counts >= max(MIN_AT_LEVEL, reached / 100))]
    fits = {"mle": tail_fit(depths * unit, exposure, tail.start * unit, 2 * unit)}
    fits |= _regressions(depths, _spread_out(fitted, _LEVELS), exposure, unit)
    intensity_a, kappa = _intervals(window, orders, tail.start, fits["mle"])
    return FlowCalibration(
        from_bps=tail.start * unit,
        to_bps=float(fitted[-1]) * unit if len(fitted) else tail.start * unit,
        orders=reached,
        distance=tail.distance,
        statistic=tail.statistic,
        exponential=tail.exponential,
        chosen=from_bps is not None,
        fits=fits | _poisson(window, orders, _spread_out(fitted, _POISSON_LEVELS), unit),
        intensity_a=intensity_a,
        kappa=kappa,
        levels_bps=np.asarray(levels * unit, dtype=np.float64),
        counts=counts,
        exposure_secs=exposure,
    )


def _levels(depths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the levels at which a quote is reached, in half ticks: those of parities that are no exception."""
    inside = depths[depths >= 0]
    parities = [p for p in (0, 1) if np.count_nonzero(inside % 2 == p) >= _COMMON * len(inside)]
    return np.unique(inside[np.isin(inside % 2, parities)])


def _tail(depths: NDArray[np.int64], start: int) -> _Tail | None:
    """Return the tail from a level on, or None where too few orders reach it or go beyond."""
    reached = depths[depths >= start]
    if len(reached) < MIN_TAIL or np.count_nonzero(reached >= start + 2) < MIN_BEYOND:
        return None
    return _Tail(start, *exponential_distance(reached, start, 2.0))


def _nearest_quote(orders: MarketOrders) -> int:
    """Return the least depth at which quotes stand, in half ticks: half the usual spread unless trades go inside it."""
    inside = (orders.depth >= 0.0) & (orders.half_ticks < np.rint(2 * orders.half_spread))
    return 0 if inside.mean() >= _COMMON else round(2 * float(np.median(orders.half_spread)))


def _found_tail(depths: NDArray[np.int64], levels: NDArray[np.int64]) -> _Tail | None:
    best: _Tail | None = None
    for start in _candidates(depths, levels):
        tail = _tail(depths, int(start))
        if tail is not None and tail.exponential:
            return tail
        if tail is not None and (best is None or tail.distance < best.distance):
            best = tail
    return best


def _chosen_tail(depths: NDArray[np.int64], levels: NDArray[np.int64], from_bps: float, unit: float) -> _Tail:
    beyond = levels[levels * unit >= from_bps * (1 - 1e-9)]
    tail = _tail(depths, int(beyond[0])) if len(beyond) else None
    if tail is None:
        reached = int(np.count_nonzero(depths * unit >= from_bps))
        raise BadInput(
            f"only {reached} market orders reached {from_bps:g} bps or too few went beyond: k is not identified there",
            key="--from-bps",
            hint=f"at least {MIN_TAIL} must reach it and {MIN_BEYOND} go beyond",
        )
    return tail


def _spread_out(levels: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most so many of the levels, evenly spaced from the first to the last."""
    if len(levels) <= most:
        return levels
    wanted = np.linspace(levels[0], levels[-1], most)
    return np.unique(levels[np.minimum(np.searchsorted(levels, wanted), len(levels) - 1)])


def _candidates(depths: NDArray[np.int64], levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return levels to begin a tail at, so that each leaves a little fewer orders than the one before."""
    counts = exceedance_counts(depths, levels)
    levels, counts = levels[counts >= MIN_TAIL], counts[counts >= MIN_TAIL]
    if len(levels) <= _CANDIDATES:
        return levels
    wanted = np.geomspace(counts[0], counts[-1], _CANDIDATES)
    places = np.unique(np.minimum(np.searchsorted(-counts, -wanted), len(levels) - 1))
    return np.asarray(levels[places], dtype=np.int64)


def _regressions(
    depths: NDArray[np.int64], levels: NDArray[np.int64], exposure: float, unit: float
) -> dict[str, IntensityFit]:
    if len(levels) < 3:
        return {}
    counts = exceedance_counts(depths, levels)
    return {
        "wls": regression_fit(levels * unit, counts, exposure, "counts"),
        "ols": regression_fit(levels * unit, counts, exposure, "equal"),
    }


def _poisson(
    window: MarketWindow, orders: MarketOrders, levels: NDArray[np.int64], unit: float
) -> dict[str, IntensityFit]:
    """Fit independent counts: one level per slot of time, in turns, so that no order is counted twice."""
    if len(levels) < 2:
        return {}
    slots = len(levels) * _POISSON_ROUNDS
    slot_secs = min(window.seconds / slots, 60.0)
    slots = int(window.seconds / slot_secs / len(levels) + 1e-9) * len(levels)
    slot = ((orders.time_ns - window.start_ns) * 1e-9 / slot_secs).astype(np.int64)
    turn = slot % len(levels)
    hit = (slot < slots) & (orders.half_ticks >= levels[turn])
    counts = np.bincount(turn[hit], minlength=len(levels))
    exposure = np.full(len(levels), _SIDES * slot_secs * slots / len(levels))
    if counts.sum() < MIN_TAIL or np.count_nonzero(counts) < 3:
        return {}
    return {"poisson": poisson_fit(levels * unit, counts, exposure)}


def _intervals(window: MarketWindow, orders: MarketOrders, start: int, fit: IntensityFit) -> tuple[Interval, Interval]:
    """Return A and k with confidence intervals from a bootstrap over stretches of time, which keeps bursts together."""
    unit = window.tick_bps / 2
    reached = orders.half_ticks >= start
    excess = tail_excess(orders.half_ticks[reached] * unit, start * unit, 2 * unit)
    place = (orders.time_ns[reached] - window.start_ns) * _STRETCHES // (window.end_ns - window.start_ns + 1)
    columns = [np.bincount(place, weights, _STRETCHES) for weights in (None, excess)]
    samples = bootstrap_means(np.column_stack(columns), block=2)
    samples = samples[samples.min(axis=1) > 0.0]
    kappas = np.array([tail_kappa(mean, 2 * unit) for mean in samples[:, 1] / samples[:, 0]])
    rates = samples[:, 0] * _STRETCHES / (_SIDES * window.seconds) * np.exp(kappas * start * unit)
    return percentile_interval(fit.intensity_a, rates), percentile_interval(fit.kappa, kappas)


def _why_not(window: MarketWindow, orders: MarketOrders) -> str:
    beyond, spread = int(orders.beyond_touch.sum()), 2 * orders.half_spread
    one_tick = float(np.mean(np.rint(spread) == 1))
    text = f"k is not identified: of {len(orders):,} market orders only {beyond:,} went deeper than the touch"
    if one_tick > 0.95:
        text += f", and the spread is one tick ({window.tick_bps:.2g} bps) before {100 * one_tick:.0f} % of them"
    return f"{text}; {MIN_BEYOND} are needed: use more data"

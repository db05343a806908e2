"""
How often market orders reach a quote: lambda(delta) = A exp(-k delta), per second and side.

delta is the distance of the quote from the mid just before the market order, A the rate of orders that reach the mid
itself and 1/k the distance over which the flow thins to 1/e. The unit of depth is the caller's: k is per that unit.
This is the flow of Avellaneda and Stoikov, "High-frequency trading in a limit order book" (2008), section 2.5.

A market order is everything one order traded at once, and its depth is that of the deepest price it reached: an order
that sweeps three levels is one order, not three. `models.market_statistics.sweep_starts` tells them apart.

Three ways to A and k, each with standard errors. They hold for Poisson arrivals; real orders come in bursts, which
makes A less certain than stated (bootstrap over stretches of time to see by how much).
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]

ON_GRID = 1e-6
"""How far a depth may fall short of a level, in steps, and still count as being there: room for rounding."""

_NEWTON_STEPS = 100


@dataclass(frozen=True, slots=True)
class IntensityFit:
    """
    A and k with what is known of their errors.

    Parameters
    ----------
    intensity_a : float
        A, market orders per second and side.
    kappa : float
        k, per unit of depth.
    intensity_a_error, kappa_error : float
        Standard errors.
    covariance : float
        Covariance of ln A and k.

    """

    intensity_a: float
    kappa: float
    intensity_a_error: float
    kappa_error: float
    covariance: float

    def rate(self, depth: float) -> float:
        """Return A exp(-k depth), per second and side."""
        return self.intensity_a * math.exp(-self.kappa * depth)

    def log_rate_error(self, depth: float) -> float:
        """Return the standard error of ln A - k depth."""
        log_a_error = self.intensity_a_error / self.intensity_a
        variance = log_a_error**2 + (depth * self.kappa_error) ** 2 - 2.0 * depth * self.covariance
        return math.sqrt(max(variance, 0.0))


def exceedance_counts(depths: ArrayLike, levels: ArrayLike) -> NDArray[np.int64]:
    """
    Return how many depths are at or beyond each level: #{j: d_j >= level}.

    Parameters
    ----------
    depths : array_like, shape (n,)
        Depth that each market order reached.
    levels : array_like, shape (m,)
        Depths of the quotes.

    Returns
    -------
    ndarray of int64, shape (m,)

    """
    reached = np.sort(np.asarray(depths, dtype=np.float64))
    beyond = len(reached) - np.searchsorted(reached, np.asarray(levels, dtype=np.float64), side="left")
    return np.asarray(beyond, dtype=np.int64)


def regression_fit(
    levels: ArrayLike, counts: ArrayLike, exposure_secs: float, weighting: Literal["equal", "counts"] = "counts"
) -> IntensityFit:
    """
    Fit ln(count/exposure) = ln A - k level by least squares, from counts of exceedances.

    The counts are nested - who reaches a level has passed the shallower ones - so the errors are not those of an
    ordinary regression. With Poisson arrivals Cov(ln N_i, ln N_j) = 1/max(N_i, N_j), and the errors stated here are
    (X'WX)^-1 X'W Cov W X (X'WX)^-1.

    Parameters
    ----------
    levels : array_like, shape (m,)
        Depths, strictly increasing; at least 2.
    counts : array_like, shape (m,)
        Market orders at or beyond each level, from `exceedance_counts`; all above 0.
    exposure_secs : float
        Seconds that were watched, times the sides that were counted.
    weighting : {"counts", "equal"}
        "counts" weighs each level by its count (weighted least squares), "equal" weighs all alike (ordinary).

    Returns
    -------
    IntensityFit
        k is per unit of the levels.

    Raises
    ------
    ValueError
        If there are fewer than 2 levels, they do not increase, a count is not above 0, counts increase, or the
        exposure is not positive.

    References
    ----------
    Avellaneda and Stoikov (2008), section 2.5, for the law that is fitted; the error is the sandwich of White,
    Econometrica 48(4), 1980, with the covariance of nested Poisson counts in the middle.

    """
    depth, count = _columns(levels, counts)
    _require_exposure(exposure_secs)
    if np.any(np.diff(depth) <= 0) or np.any(np.diff(count) > 0):
        raise ValueError("levels did not increase, or counts did: give the counts of exceedances of increasing levels")
    if count.min() <= 0:
        raise ValueError("a level was reached by nobody: leave it out")
    weights = count if weighting == "counts" else np.ones_like(count)
    design = np.column_stack([np.ones_like(depth), -depth])
    weighted = design.T * weights
    projection = np.linalg.solve(weighted @ design, weighted)
    log_a, kappa = projection @ np.log(count / exposure_secs)
    return _fit(log_a, kappa, projection @ (1.0 / np.maximum.outer(count, count)) @ projection.T)


def tail_fit(depths: ArrayLike, exposure_secs: float, threshold: float = 0.0, step: float = 0.0) -> IntensityFit:
    """
    Fit an exponential to the depths at or beyond a threshold by maximum likelihood.

    Continuous depths (`step` 0): k = 1/mean(d - d_0), A = (n/E) exp(k d_0), se(k) = k/sqrt(n). Depths on a grid of
    prices are floors of what the orders would have reached: their excess counts steps and is geometric, so that
    k = ln(1 + step/mean(d - d_0))/step and se(k) = 2 sinh(k step/2)/(step sqrt(n)). Taking grid depths for continuous
    ones overstates k: with k step = 0.3 by 17 %.

    Parameters
    ----------
    depths : array_like, shape (n,)
        Depth that each market order reached; those short of the threshold are left out.
    exposure_secs : float
        Seconds that were watched, times the sides that were counted.
    threshold : float
        d_0: with a grid, a depth at which a quote can stand.
    step : float
        The price increment in the unit of depth; 0 for continuous depths.

    Returns
    -------
    IntensityFit
        k is per unit of depth.

    Raises
    ------
    ValueError
        If no order went beyond the threshold, the exposure is not positive or `step` is negative.

    References
    ----------
    Maximum likelihood of the exponential and geometric distributions given d >= d_0 (they have no memory); the arrivals
    beyond d_0 are Poisson, independent of the depths. Errors from the Fisher information.

    """
    reached = np.asarray(depths, dtype=np.float64)
    _require_exposure(exposure_secs)
    excess = tail_excess(reached[reached >= threshold - ON_GRID * step], threshold, step)
    count, mean = len(excess), float(excess.mean()) if len(excess) else 0.0
    kappa = tail_kappa(mean, step)
    if not math.isfinite(kappa):
        raise ValueError(f"of {count} market orders that reached {threshold:g} none went beyond: k is not identified")
    error = _kappa_error(kappa, step, count)
    log_a = math.log(count / exposure_secs) + kappa * threshold
    across = threshold * error**2
    return _fit(log_a, kappa, np.array([[1.0 / count + threshold * across, across], [across, error**2]]))


def poisson_fit(levels: ArrayLike, counts: ArrayLike, exposures_secs: ArrayLike) -> IntensityFit:
    """
    Fit independent counts N_i ~ Poisson(E_i A exp(-k level_i)) by maximum likelihood (Newton's method).

    The counts must not share market orders: count each level in windows of its own, or the fills of a quote that was
    moved from level to level.

    Parameters
    ----------
    levels : array_like, shape (m,)
        Depth of the quote; at least 2 different ones.
    counts : array_like, shape (m,)
        Market orders that reached it; 0 is fine.
    exposures_secs : array_like, shape (m,)
        Seconds for which each count was taken (times the sides), above 0.

    Returns
    -------
    IntensityFit
        k is per unit of the levels.

    Raises
    ------
    ValueError
        If the arrays differ in length, an exposure is not positive, a count is negative, or the likelihood has no
        maximum because all that was counted lies at the shallowest or the deepest level.

    References
    ----------
    McCullagh and Nelder, "Generalized linear models", 2nd edition, 1989, section 2.5 and chapter 6 (log-linear Poisson
    model; Newton's method is Fisher scoring here, and the covariance is the inverse information).

    """
    depth, count = _columns(levels, counts)
    depth, exposure = _columns(depth, exposures_secs)
    if exposure.min() <= 0.0 or count.min() < 0.0:
        raise ValueError("exposures were not all above 0, or a count was negative")
    centre = float(np.dot(count, depth)) / count.sum() if count.sum() else math.nan
    if not depth.min() < centre < depth.max():
        raise ValueError("all that was counted lies at one end of the levels: k is not identified")
    design = np.column_stack([np.ones_like(depth), -depth])
    beta = np.array([math.log(count.sum() / exposure.sum()), 0.0])
    for _ in range(_NEWTON_STEPS):
        expected = exposure * np.exp(design @ beta)
        information = (design.T * expected) @ design
        change = np.linalg.solve(information, design.T @ (count - expected))
        # Far from the maximum a whole step may overshoot; a quarter of the depths' range is far enough at once.
        beta += change / max(1.0, abs(change[1]) * (depth.max() - depth.min()) / 2.0, abs(change[0]) / 2.0)
        if np.abs(change).max() <= 1e-13 * (1.0 + np.abs(beta).max()):
            break
    return _fit(beta[0], beta[1], np.linalg.inv(information))


def tail_excess(depths: ArrayLike, threshold: float | Floats, step: float) -> Floats:
    """
    Return how far depths lie beyond a threshold (one for all, or one each): in whole steps where there is a step.

    Parameters
    ----------
    depths : array_like, shape (n,)
        Those short of the threshold count as being there.
    threshold : float or ndarray, shape (n,)
        In the unit of the depths.
    step : float
        The price increment in that unit; 0 for continuous depths.

    Returns
    -------
    ndarray of float64, shape (n,)
        At least 0, in the unit of the depths.

    """
    beyond: Floats = np.maximum(np.asarray(depths, dtype=np.float64) - threshold, 0.0)
    return np.floor(beyond / step + ON_GRID) * step if step else beyond


def tail_kappa(mean_excess: float, step: float) -> float:
    """
    Return the k that makes this mean excess over a threshold most likely.

    1/mean for continuous depths, ln(1 + step/mean)/step on a grid (the geometric distribution).

    Parameters
    ----------
    mean_excess : float
        In the unit of depth, from `tail_excess`.
    step : float
        The price increment in that unit; 0 for continuous depths.

    Returns
    -------
    float
        Per unit of depth; infinite where nothing exceeded the threshold.

    """
    if not mean_excess > 0.0:
        return math.inf
    return math.log1p(step / mean_excess) / step if step else 1.0 / mean_excess


def exponential_distance(depths: ArrayLike, threshold: float = 0.0, step: float = 0.0) -> tuple[float, float]:
    """
    Measure how far the depths beyond a threshold are from the exponential that fits them best.

    Parameters
    ----------
    depths : array_like, shape (n,)
        Depth that each market order reached; those short of the threshold are left out.
    threshold : float
        d_0.
    step : float
        The price increment in the unit of depth; 0 for continuous depths.

    Returns
    -------
    tuple[float, float]
        D, the largest difference of the two distribution functions, between 0 and 1; and Stephens's modified
        statistic (D - 0.2/n)(sqrt(n) + 0.26 + 0.5/sqrt(n)), which an exponential exceeds in 5 of 100 cases at 1.094
        (in fewer on a grid).

    Raises
    ------
    ValueError
        If no order went beyond the threshold.

    References
    ----------
    Stephens, "EDF statistics for goodness of fit and some comparisons", Journal of the American Statistical Association
    69(347), 1974, case of an exponential with unknown scale.

    """
    reached = np.asarray(depths, dtype=np.float64)
    excess, repeats = np.unique(
        tail_excess(reached[reached >= threshold - ON_GRID * step], threshold, step), return_counts=True
    )
    count = int(repeats.sum())
    kappa = tail_kappa(float(np.dot(excess, repeats)) / count if count else 0.0, step)
    if not math.isfinite(kappa):
        raise ValueError(f"of {count} market orders that reached {threshold:g} none went beyond")
    below = np.cumsum(repeats) / count
    fitted = -np.expm1(-kappa * (excess + step))
    distance = float(np.abs(below - fitted).max())
    if step == 0.0:
        distance = max(distance, float(np.abs(np.append(0.0, below[:-1]) - fitted).max()))
    root = math.sqrt(count)
    return distance, (distance - 0.2 / count) * (root + 0.26 + 0.5 / root)


def _kappa_error(kappa: float, step: float, count: int) -> float:
    return (2.0 * math.sinh(kappa * step / 2.0) / step if step else kappa) / math.sqrt(count)


def _fit(log_a: float, kappa: float, covariance: Floats) -> IntensityFit:
    """Return the fit; `covariance` is that of ln A and k."""
    intensity_a = math.exp(log_a)
    log_a_error, kappa_error = np.sqrt(np.diag(covariance)).tolist()
    return IntensityFit(intensity_a, float(kappa), intensity_a * log_a_error, kappa_error, float(covariance[0, 1]))


def _columns(levels: ArrayLike, others: ArrayLike) -> tuple[Floats, Floats]:
    depth, values = np.asarray(levels, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if depth.ndim != 1 or depth.shape != values.shape or len(np.unique(depth)) < 2:
        raise ValueError("levels and what goes with them were not rows of one length with at least 2 different levels")
    return depth, values


def _require_exposure(exposure_secs: float) -> None:
    if not exposure_secs > 0.0:
        raise ValueError(f"exposure_secs was {exposure_secs}, expected above 0")

"""A pair as it is watched: from two prices to the gap, what is usual for it, and whether the pair still holds."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.pairs.engle_granger import MIN_BARS, engle_granger
from models.pairs.kalman_ratio import KalmanRatio
from models.pairs.moving_moments import MovingMoments
from models.pairs.ornstein_uhlenbeck import fit_ornstein_uhlenbeck

type RatioKind = Literal["fixed", "ols", "tls", "kalman"]


class Relation(NamedTuple):
    """
    What is usual for a pair: ln y = intercept + beta ln x + gap.

    Parameters
    ----------
    beta : float
        Value of x that hedges a value of 1 in y.
    intercept : float
        In units of ln y.
    mean, sd : float
        Of the gap.

    """

    beta: float
    intercept: float
    mean: float
    sd: float

    def gap(self, log_y: float, log_x: float) -> float:
        """Return the gap of two logarithms of prices."""
        return log_y - self.intercept - self.beta * log_x

    def z(self, gap: float) -> float:
        """Return how many standard deviations a gap is from its mean; NaN where the gap has never moved."""
        return (gap - self.mean) / self.sd if self.sd > 0.0 else math.nan


class Reading(NamedTuple):
    """
    What one pair of prices says.

    Parameters
    ----------
    relation : Relation
        What it was held against.
    gap, z : float
        The gap, as a logarithm (0.01 is 1 % of the value of y), and its distance from the mean.

    """

    relation: Relation
    gap: float
    z: float

    @property
    def away(self) -> float:
        """How far the gap is from its mean, positive when y is dear."""
        return self.gap - self.relation.mean


class Verdict(NamedTuple):
    """
    Whether a pair still holds, of all the prices in the window.

    Parameters
    ----------
    p_value : float
        Engle and Granger's, of no cointegration, y on x.
    half_life : float
        Of the gap, in samples; infinite where it does not revert.

    """

    p_value: float
    half_life: float


@dataclass(frozen=True)
class MonitorSettings:
    """
    How a pair is watched.

    Parameters
    ----------
    ratio : {"fixed", "ols", "tls", "kalman"}
        Where beta and the intercept come from: given, by regression over the window, or from a filter.
    lookback : int
        Samples in the window that mean and standard deviation of the gap come from, at least 20.
    beta, intercept : float
        Those of "fixed".
    sd : float, optional
        With "fixed": the gap's standard deviation, its mean then being 0; nothing is estimated and nothing waited for.
    kalman_drift, kalman_gap_variance : float
        Those of "kalman"; see `KalmanRatio`.

    """

    ratio: RatioKind
    lookback: int
    beta: float = 1.0
    intercept: float = 0.0
    sd: float | None = None
    kalman_drift: float = 1e-6
    kalman_gap_variance: float = 1e-4


class PairMonitor:
    """
    Watches a pair over a moving window of samples.

    Each sample is held against what was usual before it came. While `hold` is in force, the relation of that moment
    stays what samples are held against: a position is left by the rule that it was entered on.
    """

    def __init__(self, settings: MonitorSettings) -> None:
        if settings.lookback < MIN_BARS:
            raise ValueError(f"lookback was {settings.lookback}, expected at least {MIN_BARS}")
        self._settings = settings
        self._filter = KalmanRatio(settings.kalman_drift, settings.kalman_gap_variance)
        self._window = MovingMoments(settings.lookback)
        self._held: Relation | None = None
        self._usual: Relation | None = None

    @property
    def samples(self) -> int:
        """How many samples are in the window."""
        return self._window.count

    @property
    def is_full(self) -> bool:
        """Whether the window is full."""
        return self._window.is_full

    def update(self, y: float, x: float) -> Reading | None:
        """
        Return what two prices of one moment say; None while too little is known to say what is usual.

        Raises
        ------
        ValueError
            If a price is not above 0.

        """
        if not (y > 0.0 and x > 0.0):
            raise ValueError(f"prices were {y} and {x}, expected above 0")
        log_y, log_x = math.log(y), math.log(x)
        relation = self._held or self._relation()
        self._window.push(log_y, log_x)
        if self._settings.ratio == "kalman":
            self._filter.update(log_y, log_x)
        self._usual = relation
        if relation is None:
            return None
        gap = relation.gap(log_y, log_x)
        return Reading(relation, gap, relation.z(gap))

    def hold(self) -> None:
        """Keep the relation that the last sample was held against."""
        self._held = self._usual

    def release(self) -> None:
        """Follow the window again."""
        self._held = None

    def verdict(self) -> Verdict | None:
        """Return whether the pair still holds; None until the window is full."""
        if not self.is_full:
            return None
        levels = self._window.window()
        test = engle_granger(levels, np.array([[0, 1]]))
        p_value = float(test.p[0])
        return Verdict(1.0 if math.isnan(p_value) else p_value, _half_life(levels[:, 0] - test.beta[0] * levels[:, 1]))

    def _relation(self) -> Relation | None:
        settings = self._settings
        if settings.ratio == "fixed" and settings.sd is not None:
            return Relation(settings.beta, settings.intercept, 0.0, settings.sd)
        if not self.is_full:
            return None
        mean_y, mean_x, variance_y, variance_x, covariance = self._window.moments()
        if settings.ratio == "fixed":
            beta, intercept = settings.beta, settings.intercept
        elif settings.ratio == "kalman":
            beta, intercept = self._filter.beta, self._filter.intercept
        else:
            ratio = _least_squares if settings.ratio == "ols" else _total_least_squares
            beta = ratio(variance_y, variance_x, covariance)
            intercept = mean_y - beta * mean_x
        mean = mean_y - intercept - beta * mean_x
        variance = variance_y - 2.0 * beta * covariance + beta * beta * variance_x
        return Relation(beta, intercept, mean, math.sqrt(max(variance, 0.0)))


def _least_squares(variance_y: float, variance_x: float, covariance: float) -> float:
    """Return the slope of `hedge_ratio.ols_ratio`; 0 where x does not move."""
    return covariance / variance_x if variance_x > 0.0 else 0.0


def _total_least_squares(variance_y: float, variance_x: float, covariance: float) -> float:
    """Return the slope of `hedge_ratio.tls_ratio`; 0 where the two do not move together."""
    if covariance == 0.0:
        return 0.0
    difference = variance_y - variance_x
    return (difference + math.hypot(difference, 2.0 * covariance)) / (2.0 * covariance)


def _half_life(gaps: NDArray[np.float64]) -> float:
    process = fit_ornstein_uhlenbeck(gaps) if np.ptp(gaps) > 0.0 else None
    return math.inf if process is None else process.half_life

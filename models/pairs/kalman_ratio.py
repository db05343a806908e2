"""A hedge ratio that is followed as it drifts: a Kalman filter with ratio and intercept as its state."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class KalmanGap:
    """
    What a pair of prices said before the filter learnt from it.

    Parameters
    ----------
    gap : float
        y less what was expected of it, in the unit of y.
    sd : float
        The standard deviation that the gap was expected to have.

    """

    gap: float
    sd: float

    @property
    def z(self) -> float:
        """The gap in standard deviations: what is traded on."""
        return self.gap / self.sd


class KalmanRatio:
    """
    The relation y = intercept + beta x, where beta and intercept walk randomly.

    Parameters
    ----------
    drift : float
        delta, from 0 to below 1: beta and intercept each change by a variance of delta/(1 - delta) per observation. 0
        keeps them still, and the filter is then a regression that is updated.
    gap_variance : float
        V_e, the variance of y around the relation, above 0.
    initial_variance : float
        P_0, that of beta and intercept before the first observation, both around 0; above 0.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    References
    ----------
    Chan, "Algorithmic Trading", 2013, example 3.3. The state's variance grows before every observation but the first.

    """

    __slots__ = (
        "_a",
        "_b",
        "_covariance",
        "_drift_variance",
        "_gap_variance",
        "_initial_variance",
        "_seen",
        "_va",
        "_vb",
    )

    def __init__(self, drift: float = 1e-4, gap_variance: float = 1e-3, initial_variance: float = 1.0) -> None:
        if not 0.0 <= drift < 1.0:
            raise ValueError(f"drift was {drift}, expected from 0 to below 1")
        if not (gap_variance > 0.0 and initial_variance > 0.0):
            raise ValueError(f"variances were {gap_variance} and {initial_variance}, expected above 0")
        self._drift_variance = drift / (1.0 - drift)
        self._gap_variance = gap_variance
        self._initial_variance = initial_variance
        self.reset()

    def reset(self) -> None:
        """Forget every observation."""
        self._b = self._a = self._covariance = 0.0
        self._vb = self._va = self._initial_variance
        self._seen = 0

    def update(self, y: float, x: float) -> KalmanGap:
        """
        Compare prices with what was expected, then learn from them.

        Parameters
        ----------
        y, x : float
            Logarithms of prices at the same time, finite.

        """
        vb, va, cov = self._vb, self._va, self._covariance
        if self._seen:
            vb += self._drift_variance
            va += self._drift_variance
        gap = y - self._b * x - self._a
        cov_b, cov_a = vb * x + cov, cov * x + va  # of beta and of the intercept with y
        variance = cov_b * x + cov_a + self._gap_variance
        gain_b, gain_a = cov_b / variance, cov_a / variance
        self._b += gain_b * gap
        self._a += gain_a * gap
        self._vb, self._covariance, self._va = vb - gain_b * cov_b, cov - gain_b * cov_a, va - gain_a * cov_a
        self._seen += 1
        return KalmanGap(gap, math.sqrt(variance))

    @property
    def beta(self) -> float:
        """The hedge ratio; 0 before the first observation."""
        return self._b

    @property
    def intercept(self) -> float:
        """In the unit of y; 0 before the first observation."""
        return self._a

    @property
    def beta_error(self) -> float:
        """Standard error of beta, if the variances are what they were said to be and gaps are independent."""
        return math.sqrt(max(self._vb, 0.0))

    @property
    def observations(self) -> int:
        """How many it has learnt from."""
        return self._seen

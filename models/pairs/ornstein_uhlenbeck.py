"""
The Ornstein-Uhlenbeck process dX = theta (mean - X) dt + sigma dW: how fast and how far a gap reverts.

Observed every dt it is exactly an AR(1), X' = a + b X + noise with b = exp(-theta dt), so nothing is lost to a
discretisation.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

MIN_POINTS = 4


@dataclass(frozen=True)
class OrnsteinUhlenbeck:
    """
    A mean-reverting process, with standard errors of what was estimated (0 where it was not).

    Parameters
    ----------
    theta : float
        Speed of reversion per unit of time, above 0.
    mean : float
        Where it reverts to, in the unit of X.
    sigma : float
        Volatility: the unit of X per square root of the unit of time.
    theta_error, mean_error, sigma_error : float
        Their standard errors.

    """

    theta: float
    mean: float
    sigma: float
    theta_error: float = 0.0
    mean_error: float = 0.0
    sigma_error: float = 0.0

    @property
    def half_life(self) -> float:
        """The time in which half of an expected gap is gone: ln 2 / theta."""
        return math.log(2.0) / self.theta

    @property
    def half_life_error(self) -> float:
        """Its standard error, to first order; the distribution leans to long half-lives."""
        return self.half_life * self.theta_error / self.theta

    @property
    def sd(self) -> float:
        """The standard deviation of X in the long run: sigma / sqrt(2 theta)."""
        return self.sigma / math.sqrt(2.0 * self.theta)

    def z(self, x: float) -> float:
        """Return how many long-run standard deviations x stands above the mean."""
        return (x - self.mean) / self.sd

    def expected(self, x: float, time: float) -> float:
        """Return where X is expected a time after it was at x."""
        return self.mean + (x - self.mean) * math.exp(-self.theta * time)


def fit_ornstein_uhlenbeck(values: ArrayLike, dt: float = 1.0) -> OrnsteinUhlenbeck | None:
    """
    Return the most likely process, conditional on the first value.

    The estimate of theta is biased upwards by about 4 / (n dt) (Tang and Chen, "Parameter estimation and bias
    correction for diffusion processes", Journal of Econometrics 149(1), 2009): what does not revert at all seems to
    revert with a half-life of about n/6 steps.

    Parameters
    ----------
    values : array_like, shape (n,)
        X at even steps of time, at least 4.
    dt : float
        The step, in the unit of time that theta and the half-life come in.

    Returns
    -------
    OrnsteinUhlenbeck or None
        None where the values do not revert as such a process does: b outside of (0, 1).

    Raises
    ------
    ValueError
        If there are fewer than 4 values, one is not finite, all are equal, or `dt` is not positive.

    References
    ----------
    b and a by least squares; theta = -ln(b)/dt, mean = a/(1 - b), sigma^2 = 2 theta (SSR/n)/(1 - b^2); errors by the
    delta method from those of the regression.

    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or len(x) < MIN_POINTS:
        raise ValueError(f"values were of shape {x.shape}, expected at least {MIN_POINTS} in a row")
    if not np.isfinite(x).all() or np.ptp(x) == 0.0:
        raise ValueError("values were not finite or all equal")
    if not dt > 0.0:
        raise ValueError(f"dt was {dt}, expected above 0")
    return _from_regression(x, dt)


def _from_regression(x: NDArray[np.float64], dt: float) -> OrnsteinUhlenbeck | None:
    count, before = len(x) - 1, x[:-1]
    before_mean, after_mean = float(before.mean()), float(x[1:].mean())
    centred = before - before_mean
    square = float(centred @ centred)
    b = float(centred @ (x[1:] - after_mean)) / square if square > 0.0 else 1.0
    residuals = x[1:] - after_mean - b * centred
    variance = float(residuals @ residuals) / count
    if not 0.0 < b < 1.0 or variance == 0.0:
        return None
    theta, mean = -math.log(b) / dt, (after_mean - b * before_mean) / (1.0 - b)
    growth = 2.0 * theta / (1.0 - b * b)  # sigma^2 per unit of the residuals' variance
    sigma = math.sqrt(growth * variance)
    b_variance = variance / square
    # d ln(growth) / db: how the residuals' variance becomes sigma^2 depends on b as well.
    slope = 2.0 * b / (1.0 - b * b) + 1.0 / (b * math.log(b))
    return OrnsteinUhlenbeck(
        theta=theta,
        mean=mean,
        sigma=sigma,
        theta_error=math.sqrt(b_variance) / (b * dt),
        # The mean of the residuals and b are uncorrelated; the mean moves with b by (mean - mean of X) / (1 - b).
        mean_error=math.sqrt(variance / count + (mean - before_mean) ** 2 * b_variance) / (1.0 - b),
        sigma_error=0.5 * sigma * math.sqrt(2.0 / count + slope**2 * b_variance),
    )

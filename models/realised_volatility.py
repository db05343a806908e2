"""
The variance of a price over a window, from its returns at high frequency.

All functions take the returns of one window in order of time and return the variance of the WHOLE window in the square
of the returns' unit: basis points in, basis points squared out. `sigma_per_sqrt_second` makes a volatility of it.

What disturbs them: jumps (bipower is the one that leaves them out) and noise, such as a mid that flickers by a tick
(the two-scale estimate is the one that takes it out).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

SECONDS_PER_YEAR = 365.0 * 86_400.0
"""Crypto never closes."""


def realised_variance(returns: ArrayLike) -> float:
    """
    Return the realised variance: RV = sum r_i^2.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Logarithmic returns of the window, in any unit.

    Returns
    -------
    float
        Variance of the window, in the unit squared; 0 without returns. Jumps count in full; noise adds 2 n omega^2.

    Raises
    ------
    ValueError
        If the returns are not one row of finite numbers.

    References
    ----------
    Andersen, Bollerslev, Diebold and Labys, "Modeling and forecasting realized volatility", Econometrica 71(2), 2003,
    section 2.

    """
    values = _checked(returns)
    return float(np.dot(values, values))


def realised_variance_error(returns: ArrayLike) -> float:
    """
    Return the standard error of `realised_variance`: sqrt((2/3) sum r_i^4).

    It is that of a price without jumps and noise, whatever the path of its volatility.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Logarithmic returns of the window, in any unit.

    Returns
    -------
    float
        In the unit squared.

    Raises
    ------
    ValueError
        If the returns are not one row of finite numbers.

    References
    ----------
    Barndorff-Nielsen and Shephard, "Econometric analysis of realized volatility", Journal of the Royal Statistical
    Society B 64(2), 2002, section 2: realised quarticity (n/3) sum r^4 in Var(RV) = (2/n) int sigma^4.

    """
    squares = _checked(returns) ** 2
    return math.sqrt(2.0 / 3.0 * float(np.dot(squares, squares)))


def bipower_variance(returns: ArrayLike) -> float:
    """
    Return the realised bipower variation: BV = (pi/2) n/(n - 1) sum_{i>=2} |r_i| |r_(i-1)|.

    A jump counts only as far as its neighbours are large, so RV - BV estimates what jumps added. The factor n/(n - 1)
    makes up for the one product that n returns lack; the article has it as asymptotically 1.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Logarithmic returns of the window, in any unit; at least 2.

    Returns
    -------
    float
        Variance of the window without jumps, in the unit squared.

    Raises
    ------
    ValueError
        If there are fewer than 2 returns or they are not one row of finite numbers.

    References
    ----------
    Barndorff-Nielsen and Shephard, "Power and bipower variation with stochastic volatility and jumps", Journal of
    Financial Econometrics 2(1), 2004, section 2 (bipower with r = s = 1, mu_1^-2 = pi/2).

    """
    values = np.abs(_checked(returns, at_least=2))
    n = len(values)
    return float(math.pi / 2.0 * n / (n - 1) * np.dot(values[1:], values[:-1]))


def noise_variance(returns: ArrayLike) -> float:
    """
    Return the variance of the noise in each observed log price: omega^2 = RV_all / (2 n).

    Parameters
    ----------
    returns : array_like, shape (n,)
        Logarithmic returns between ALL observations, in any unit; at least 1.

    Returns
    -------
    float
        In the unit squared. It includes (true variance)/(2 n), so it is an upper bound where there is little noise.

    Raises
    ------
    ValueError
        If there is no return or they are not one row of finite numbers.

    References
    ----------
    Zhang, Mykland and Ait-Sahalia, "A tale of two time scales", Journal of the American Statistical Association
    100(472), 2005, section 2.2.

    """
    values = _checked(returns, at_least=1)
    return float(np.dot(values, values)) / (2.0 * len(values))


def two_scale_variance(returns: ArrayLike, subsamples: int, *, adjusted: bool = True) -> float:
    """
    Return the two-scale realised variance: TSRV = RV_avg - (nbar/n) RV_all.

    RV_avg = (1/K) sum_i (y_(i+K) - y_i)^2 is the mean of the realised variances of K sparse grids, with
    nbar = (n - K + 1)/K returns each. What noise adds to it is known from RV_all and taken off.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Logarithmic returns between ALL observations, in any unit.
    subsamples : int
        K, between 2 and n; see `optimal_subsamples`.
    adjusted : bool
        Divide by 1 - nbar/n, which makes it unbiased in small samples.

    Returns
    -------
    float
        Variance of the window without noise, in the unit squared. It may be negative where noise is nearly all.

    Raises
    ------
    ValueError
        If `subsamples` is below 2 or above n, or the returns are not one row of finite numbers.

    References
    ----------
    Zhang, Mykland and Ait-Sahalia, "A tale of two time scales", Journal of the American Statistical Association
    100(472), 2005, section 4.

    """
    values = _checked(returns, at_least=2)
    n = len(values)
    if not 2 <= subsamples <= n:
        raise ValueError(f"subsamples was {subsamples}, expected between 2 and the {n} returns")
    log_price = np.concatenate([[0.0], np.cumsum(values)])
    sparse = log_price[subsamples:] - log_price[:-subsamples]
    share = (n - subsamples + 1) / subsamples / n
    estimate = float(np.dot(sparse, sparse)) / subsamples - share * float(np.dot(values, values))
    return estimate / (1.0 - share) if adjusted else estimate


def optimal_subsamples(returns: ArrayLike, sparse_returns: ArrayLike) -> int:
    """
    Return the K that makes the error of `two_scale_variance` smallest: K = c n^(2/3).

    c = (12 omega^4 / (T int sigma^4 dt))^(1/3), where int sigma^4 T is estimated by (m/3) sum r^4 of m sparse returns.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Logarithmic returns between ALL observations; they tell the noise.
    sparse_returns : array_like, shape (m,)
        Returns of the same window over steps so long that noise hardly shows, in the same unit; they tell the rest.

    Returns
    -------
    int
        Between 2 and n; n^(2/3) where the sparse returns are all 0.

    Raises
    ------
    ValueError
        If there are fewer than 2 returns, no sparse one, or they are not rows of finite numbers.

    References
    ----------
    Zhang, Mykland and Ait-Sahalia (2005), section 4: the minimum of 8 c^-2 omega^4 + c (4/3) T int sigma^4 dt.

    """
    values, sparse = _checked(returns, at_least=2), _checked(sparse_returns, at_least=1)
    n = len(values)
    quarticity = len(sparse) / 3.0 * float(np.sum(sparse**4))
    ratio = 12.0 * noise_variance(values) ** 2 / quarticity if quarticity > 0.0 else 1.0
    return int(min(max(round(ratio ** (1.0 / 3.0) * n ** (2.0 / 3.0)), 2), n))


def sigma_per_sqrt_second(variance: float, seconds: float) -> float:
    """
    Return the volatility per square root of a second of a window with this variance: sqrt(variance / seconds).

    Parameters
    ----------
    variance : float
        Of the whole window; a negative estimate counts as 0.
    seconds : float
        The window's length, above 0.

    Returns
    -------
    float
        In the unit of the returns per square root of a second.

    Raises
    ------
    ValueError
        If `seconds` is not positive.

    """
    if not seconds > 0.0:
        raise ValueError(f"seconds was {seconds}, expected above 0")
    return math.sqrt(max(variance, 0.0) / seconds)


def annualised_pct(sigma_bps_per_sqrt_s: float) -> float:
    """Return a volatility in basis points per square root of a second as per cent per year of 365 days."""
    return sigma_bps_per_sqrt_s * math.sqrt(SECONDS_PER_YEAR) / 100.0


def _checked(returns: ArrayLike, at_least: int = 0) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.asarray(returns, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError("returns were not one row of finite numbers")
    if len(values) < at_least:
        raise ValueError(f"there were {len(values)} returns, expected at least {at_least}")
    return values

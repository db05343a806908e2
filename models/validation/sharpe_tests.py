"""
What a Sharpe ratio proves when it is the best of many.

Every ratio here is per interval of the grid it was measured on, NOT annualised: mean / standard deviation (ddof 1) of
the returns of one interval. The number of trials is that of all that were looked at, not of those that are kept.

Sources: Bailey and Lopez de Prado, "The Sharpe Ratio Efficient Frontier" (2012) for the probabilistic Sharpe ratio and
the minimum track record length; "The Deflated Sharpe Ratio" (2014), equations 1 and 2; Bailey, Borwein, Lopez de Prado
and Zhu, "Pseudo-Mathematics and Financial Charlatanism" (2014), theorem 1, for the minimum backtest length.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

NORMAL_KURTOSIS: Final = 3.0


class ReturnMoments(NamedTuple):
    """
    What the tests need of a row of returns.

    Parameters
    ----------
    observations : float
        How many returns there are; less where they repeat one another (`effective_observations`).
    sharpe : float
        Mean / standard deviation (ddof 1), per interval.
    skewness, kurtosis : float
        Third and fourth standardised moments of the population; the kurtosis of a normal is 3.

    """

    observations: float
    sharpe: float
    skewness: float
    kurtosis: float


def return_moments(returns: ArrayLike) -> ReturnMoments | None:
    """
    Return the moments of a row of returns, None where there are fewer than three or they do not vary.

    Parameters
    ----------
    returns : array_like, shape (n,)
        One return per interval, finite.

    Raises
    ------
    ValueError
        If the returns are not one row of finite numbers.

    """
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError("returns were not one row of finite numbers")
    if len(values) < 3:
        return None
    mean = float(values.mean())
    centred = values - mean
    deviation = math.sqrt(float(np.mean(centred**2)))
    if deviation <= 4.0 * float(np.finfo(np.float64).eps) * float(np.abs(values).max(initial=0.0)):
        return None
    standard = centred / deviation
    sharpe = mean / (deviation * math.sqrt(len(values) / (len(values) - 1)))
    return ReturnMoments(len(values), sharpe, float(np.mean(standard**3)), float(np.mean(standard**4)))


def effective_observations(returns: ArrayLike) -> float:
    """
    Return how many independent returns tell as much of the mean as these do.

    n / (1 + 2 sum of (1 - k / (L + 1)) rho_k over k = 1 … L), the variance of the mean by Newey and West (1987) with
    L = floor(4 (n / 100)^(2/9)), and never more than n: returns that swing back are not taken for more of them.

    Parameters
    ----------
    returns : array_like, shape (n,)
        One return per interval, finite.

    Returns
    -------
    float
        Between 1 and n; n for fewer than three returns and for returns that do not vary.

    """
    values = np.asarray(returns, dtype=np.float64)
    count = len(values)
    centred = values - values.mean() if count else values
    total = float(centred @ centred)
    if count < 3 or total == 0.0:
        return float(count)
    lags = min(count - 1, math.floor(4.0 * (count / 100.0) ** (2.0 / 9.0)))
    ratio = 1.0
    for lag in range(1, lags + 1):
        ratio += 2.0 * (1.0 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag]) / total
    return max(1.0, count / max(ratio, 1.0))


def expected_max_of_normals(trials: float) -> float:
    """
    Return about how high the highest of `trials` independent standard normals stands.

    (1 - g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e)) with Euler's constant g; 0 for a single one.

    Parameters
    ----------
    trials : float
        At least 1; an effective number need not be whole.

    Raises
    ------
    ValueError
        If `trials` is below 1.

    """
    if not trials >= 1:
        raise ValueError(f"trials was {trials}, expected at least 1")
    if trials == 1:
        return 0.0
    highest = _quantile(1.0 - 1.0 / trials)
    beyond = _quantile(1.0 - 1.0 / (trials * math.e))
    # The approximation falls below zero short of two trials; the mean of a maximum does not.
    return max(0.0, (1.0 - np.euler_gamma) * highest + np.euler_gamma * beyond)


def expected_max_sharpe(trials: float, variance: float) -> float:
    """
    Return the Sharpe ratio that the best of `trials` without any skill is expected to show.

    Parameters
    ----------
    trials : float
        At least 1.
    variance : float
        Of the Sharpe ratios of the trials, at least 0, in the unit of the result squared.

    """
    return math.sqrt(variance) * expected_max_of_normals(trials)


def probabilistic_sharpe(moments: ReturnMoments, benchmark: float = 0.0) -> float:
    """
    Return how sure one may be that the true Sharpe ratio is above `benchmark`.

    Phi((SR - SR0) sqrt(n - 1) / sqrt(1 - skewness SR + (kurtosis - 1) / 4 SR^2)).

    Parameters
    ----------
    moments : ReturnMoments
        Of the returns.
    benchmark : float
        SR0, per interval.

    Returns
    -------
    float
        Between 0 and 1.

    """
    spread = _spread(moments)
    return _normal((moments.sharpe - benchmark) * math.sqrt(moments.observations - 1.0) / spread)


def deflated_sharpe(moments: ReturnMoments, trials: float, variance: float) -> float:
    """
    Return how sure one may be that the best of `trials` has any skill: above what luck alone makes of so many.

    Parameters
    ----------
    moments : ReturnMoments
        Of the returns of the best.
    trials : float
        How many were tried, at least 1.
    variance : float
        Of the Sharpe ratios of the trials, per interval.

    Returns
    -------
    float
        The probabilistic Sharpe ratio against `expected_max_sharpe`: 0.95 and more is the usual standard of proof.

    """
    return probabilistic_sharpe(moments, expected_max_sharpe(trials, variance))


def min_track_record(moments: ReturnMoments, benchmark: float = 0.0, confidence: float = 0.95) -> float | None:
    """
    Return how many observations it takes to be sure that the Sharpe ratio is above `benchmark`.

    1 + (1 - skewness SR + (kurtosis - 1) / 4 SR^2) (z / (SR - SR0))^2.

    Parameters
    ----------
    moments : ReturnMoments
        Of the returns; their number does not matter.
    benchmark : float
        SR0, per interval.
    confidence : float
        How sure, between 0.5 and 1.

    Returns
    -------
    float or None
        In intervals of the grid; None where the ratio is not above the benchmark: no length would prove it.

    """
    if moments.sharpe <= benchmark:
        return None
    return 1.0 + (_spread(moments) * _quantile(confidence) / (moments.sharpe - benchmark)) ** 2


def min_backtest_years(trials: float, sharpe: float = 1.0) -> float:
    """
    Return how long a backtest must be so that the best of `trials` without skill is expected below `sharpe`.

    Parameters
    ----------
    trials : float
        At least 1.
    sharpe : float
        Annualised, above 0.

    Returns
    -------
    float
        Years; 45 trials need 5 of them for a Sharpe ratio of 1.

    """
    return (expected_max_of_normals(trials) / sharpe) ** 2


def _spread(moments: ReturnMoments) -> float:
    ratio = moments.sharpe
    return math.sqrt(1.0 - moments.skewness * ratio + (moments.kurtosis - 1.0) / 4.0 * ratio**2)


def _normal(value: float) -> float:
    return 0.5 * math.erfc(-value / math.sqrt(2.0))


def _quantile(probability: float) -> float:
    from scipy.special import ndtri  # noqa: PLC0415 (scipy where it is used)

    return float(ndtri(probability))

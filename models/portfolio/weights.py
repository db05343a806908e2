"""
Target weights: shares of the account's value, none negative, at most 1 in sum; what is missing to 1 is cash.

All covariances and means are per period of the same length; none of the rules depends on that length.
"""

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

_SWEEPS = 10_000
_PRECISION = 1e-12


def equal_weights(assets: int) -> Floats:
    """Return 1/n for each of n assets."""
    return np.full(assets, 1.0 / assets)


def naive_return_weights(means: Floats) -> Floats:
    """
    Return weights in proportion to the mean returns, those below zero left out; all cash where none is above zero.

    This is what trading scripts call "weights based on expected returns". A mean of past returns says next to nothing
    about the next one (Merton 1980, "On estimating the expected return on the market"), so these weights mostly chase
    what has risen.
    """
    positive = np.maximum(means, 0.0)
    total = float(positive.sum())
    return positive / total if total > 0.0 else np.zeros(len(means))


def bayes_stein_means(returns: Floats) -> tuple[Floats, float]:
    """
    Return the mean returns, shrunk towards that of the minimum-variance portfolio, and by how much (0 to 1).

    w = (n + 2) / (n + 2 + T (m - m0 1)' S^-1 (m - m0 1)), m0 the mean return of the unconstrained minimum-variance
    portfolio and S the covariance, divided by T - n - 2 (Jorion 1986, "Bayes-Stein estimation for portfolio analysis",
    Journal of Financial and Quantitative Analysis 21, equations 14 and 17).

    Parameters
    ----------
    returns : array
        Shape (T, n), per period; T at least n + 3.

    Raises
    ------
    ValueError
        If there are fewer returns, or the assets' returns depend on each other linearly.

    """
    periods, assets = returns.shape
    if periods < assets + 3:
        raise ValueError(f"there were {periods} returns of {assets} assets, expected at least {assets + 3}")
    means = returns.mean(axis=0)
    demeaned = returns - means
    covariance = demeaned.T @ demeaned / (periods - assets - 2)
    try:
        precision = np.linalg.inv(covariance)
    except np.linalg.LinAlgError as error:
        raise ValueError("the assets' returns were linearly dependent") from error
    ones = np.ones(assets)
    middle = float(ones @ precision @ means) / float(ones @ precision @ ones)
    apart = means - middle
    shrinkage = (assets + 2) / (assets + 2 + periods * float(apart @ precision @ apart))
    return (1.0 - shrinkage) * means + shrinkage * middle, shrinkage


def inverse_volatility(covariance: Floats) -> Floats:
    """Return weights in proportion to 1/sigma: equal risk where all correlations are the same."""
    inverse = 1.0 / np.sqrt(_variances(covariance))
    weights: Floats = inverse / inverse.sum()
    return weights


def risk_parity(covariance: Floats) -> Floats:
    """
    Return the weights at which every asset contributes the same to the portfolio's volatility.

    They minimise x'Sx/2 - sum(ln x)/n, up to scale (Maillard, Roncalli and Teiletche 2010, "The properties of equally
    weighted risk contribution portfolios"; Spinu 2013). One coordinate is solved at a time: S_ii x^2 + (S x - S_ii
    x_i) x - 1/n = 0 (Griveau-Billion, Richard and Roncalli 2013), which converges for every covariance.

    Raises
    ------
    ValueError
        If a variance is not above 0.

    """
    variances = _variances(covariance)
    scale = float(variances.mean())
    scaled = covariance / scale
    budget = 1.0 / len(variances)
    x = 1.0 / np.sqrt(scaled.diagonal() * len(variances))
    for _ in range(_SWEEPS):
        before = x.copy()
        for i, variance in enumerate(scaled.diagonal()):
            others = float(scaled[i] @ x) - variance * x[i]
            x[i] = (-others + np.sqrt(others * others + 4.0 * variance * budget)) / (2.0 * variance)
        if np.max(np.abs(x - before)) <= _PRECISION * np.max(x):
            break
    weights: Floats = x / x.sum()
    return weights


def risk_contributions(weights: Floats, covariance: Floats) -> Floats:
    """Return w_i (S w)_i / sigma_p, which sum to the portfolio's volatility sigma_p."""
    marginal = covariance @ weights
    contributions: Floats = weights * marginal / np.sqrt(float(weights @ marginal))
    return contributions


def minimum_variance(covariance: Floats) -> Floats:
    """
    Return the weights, none negative and 1 in sum, with the smallest variance (Markowitz 1952).

    They are in proportion to the x >= 0 that minimises x'Sx/2 - 1'x: the conditions for the two minima are the same up
    to scale. With S = LL' that is the non-negative least-squares problem |L'x - L^-1 1|.

    Raises
    ------
    ValueError
        If the covariance is not positive definite: shrink it.

    """
    from scipy.optimize import nnls  # noqa: PLC0415 (takes a second to import)

    scaled = covariance / float(_variances(covariance).mean())
    try:
        lower = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError as error:
        raise ValueError("the covariance was not positive definite, expected a shrunk one") from error
    x, _ = nnls(lower.T, np.linalg.solve(lower, np.ones(len(scaled))))
    weights: Floats = x / x.sum()
    return weights


def _variances(covariance: Floats) -> Floats:
    variances = covariance.diagonal()
    if not bool(np.all(variances > 0.0)):
        raise ValueError("a variance was not above 0: the price of an asset never moved")
    return variances

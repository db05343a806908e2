"""Covariance of returns, with and without shrinkage."""

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]


def simple_returns(prices: Floats) -> Floats:
    """Return p_t / p_(t-1) - 1, shape (T, n), of prices of shape (T + 1, n) in the order of time."""
    return prices[1:] / prices[:-1] - 1.0


def sample_covariance(returns: Floats) -> Floats:
    """
    Return the covariance of returns of shape (T, n), per period; divided by T, as `ledoit_wolf` needs it.

    Raises
    ------
    ValueError
        If there are fewer than two returns.

    """
    if len(returns) < 2:
        raise ValueError(f"there were {len(returns)} returns, expected at least 2")
    demeaned = returns - returns.mean(axis=0)
    covariance: Floats = demeaned.T @ demeaned / len(returns)
    return covariance


def ledoit_wolf(returns: Floats) -> tuple[Floats, float]:
    """
    Return the covariance shrunk towards the mean variance times the identity, and by how much (0 to 1).

    mu = tr S / n; d^2 = ||S - mu I||^2 / n; b^2 = min(d^2, sum_t ||x_t x_t' - S||^2 / (n T^2)); the shrinkage is
    b^2 / d^2 (Ledoit and Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices", Journal
    of Multivariate Analysis 88, lemmas 3.2 to 3.4). With many assets and few returns the sample covariance is nearly
    singular, and what is computed from its inverse is noise; this one never is.

    Parameters
    ----------
    returns : array
        Shape (T, n), per period.

    Raises
    ------
    ValueError
        If there are fewer than two returns.

    """
    sample = sample_covariance(returns)
    periods, assets = returns.shape
    demeaned = returns - returns.mean(axis=0)
    mean_variance = float(np.trace(sample)) / assets
    target = mean_variance * np.eye(assets)
    distance = float(np.sum((sample - target) ** 2)) / assets
    if distance == 0.0:
        return sample, 0.0
    # sum_t ||x_t x_t' - S||^2 = sum_t (x_t'x_t)^2 - T ||S||^2
    fourth = float(np.sum(np.sum(demeaned**2, axis=1) ** 2))
    noise = (fourth / periods - float(np.sum(sample**2))) / (periods * assets)
    shrinkage = min(noise, distance) / distance
    return (1.0 - shrinkage) * sample + shrinkage * target, shrinkage

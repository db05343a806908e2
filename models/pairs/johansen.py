"""
Johansen's test: how many relations keep several prices together, and which.

Beside Engle-Granger it needs no choice of which price explains which, and takes more than two.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL_COLUMNS = (90, 95, 99)


@dataclass(frozen=True)
class Johansen:
    """
    The test of k prices.

    Parameters
    ----------
    trace, largest : ndarray, shape (k,)
        Trace and maximum-eigenvalue statistics of the hypotheses of at most 0, 1, ..., k - 1 relations.
    trace_critical, largest_critical : ndarray, shape (k, 3)
        What they exceed in 10, 5 and 1 of 100 cases where the hypothesis is true.
    relations : ndarray, shape (k, k)
        One relation per column, the strongest first: the weights with which the logarithms of prices are added up.

    """

    trace: NDArray[np.float64]
    largest: NDArray[np.float64]
    trace_critical: NDArray[np.float64]
    largest_critical: NDArray[np.float64]
    relations: NDArray[np.float64]

    def rank(self, confidence_pct: int = 95) -> int:
        """
        Return how many relations the trace test finds at 90, 95 or 99 % confidence; all k where the prices do not
        wander at all.
        """
        passed = self.trace > self.trace_critical[:, LEVEL_COLUMNS.index(confidence_pct)]
        return len(passed) if passed.all() else int(np.argmin(passed))

    def beta(self) -> float:
        """Return the hedge ratio of the first price by the second, in the strongest relation."""
        return float(-self.relations[1, 0] / self.relations[0, 0])


def johansen(levels: ArrayLike, lagged_differences: int = 1) -> Johansen:
    """
    Test prices for common relations, with a constant in the model.

    Parameters
    ----------
    levels : array_like, shape (n, k)
        Logarithms of prices at the same times, finite, k from 2 to 12.
    lagged_differences : int
        Lags of the error-correction model, at least 0.

    Raises
    ------
    ValueError
        If `levels` is no such table.

    References
    ----------
    Johansen, "Estimation and hypothesis testing of cointegration vectors in Gaussian vector autoregressive models",
    Econometrica 59(6), 1991; reduced rank regression as in Hamilton, "Time Series Analysis", 1994, section 20.2;
    critical values of MacKinnon, as statsmodels holds them.

    """
    table = np.asarray(levels, dtype=np.float64)
    if table.ndim != 2 or not 2 <= table.shape[1] <= 12 or len(table) < 10 * table.shape[1] + lagged_differences:
        raise ValueError(f"levels were of shape {table.shape}, expected 2 to 12 columns and 10 rows of each or more")
    if not np.isfinite(table).all():
        raise ValueError("levels held a value that is not finite")
    # It takes seconds to import, and pandas comes along. Only the critical values are taken from it: its own test,
    # in version 0.15, does not expect the complex eigenvalues that numpy 2.5 gives.
    from statsmodels.tsa.coint_tables import c_sja, c_sjt  # noqa: PLC0415

    count = len(table) - 1 - lagged_differences
    shares, relations = _canonical(table, lagged_differences)
    each = -count * np.log1p(-shares)
    left = range(table.shape[1], 0, -1)
    return Johansen(
        trace=np.cumsum(each[::-1])[::-1],
        largest=each,
        trace_critical=np.array([c_sjt(n, 0) for n in left], dtype=np.float64),
        largest_critical=np.array([c_sja(n, 0) for n in left], dtype=np.float64),
        relations=relations,
    )


def _canonical(table: NDArray[np.float64], lags: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return the squared canonical correlations of steps and levels, from the largest, and the combinations of levels.

    Of both, what a constant and the steps before explain is taken away first.
    """
    steps = np.diff(table, axis=0)
    count = len(steps) - lags
    past = np.hstack([np.ones((count, 1)), *(steps[lags - lag : len(steps) - lag] for lag in range(1, lags + 1))])
    both = np.hstack([steps[lags:], table[lags:-1]])
    both = both - past @ np.linalg.lstsq(past, both)[0]
    step, level = np.hsplit(both, 2)
    factor = np.linalg.cholesky(level.T @ level)
    whitened = np.linalg.solve(factor, level.T @ step)
    shares, vectors = np.linalg.eigh(whitened @ np.linalg.solve(step.T @ step, whitened.T))
    return shares[::-1], np.linalg.solve(factor.T, vectors[:, ::-1])

"""Ranks, without the second that scipy.stats takes to import."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def average_ranks(values: ArrayLike) -> NDArray[np.float64]:
    """
    Return the rank of each value, 1 for the lowest; equal values share their mean rank.

    Parameters
    ----------
    values : array_like, shape (n,)
        Finite.

    """
    _, place, counts = np.unique(np.asarray(values, dtype=np.float64), return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2.0)[place])

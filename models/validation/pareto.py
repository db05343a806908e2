"""Which trials nothing beats when there are several objectives."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pareto_front(values: ArrayLike, maximise: ArrayLike) -> NDArray[np.bool_]:
    """
    Return which points are beaten by no other: one that is as good in everything and better in something.

    Parameters
    ----------
    values : array_like, shape (points, objectives)
        What was measured; a point with a NaN is not on the front and beats nothing.
    maximise : array_like of bool, shape (objectives,)
        Whether more is better.

    Returns
    -------
    ndarray of bool, shape (points,)
        Equal points are all on the front.

    """
    table = np.asarray(values, dtype=np.float64) * np.where(maximise, 1.0, -1.0)
    known = ~np.isnan(table).any(axis=1)
    front = np.zeros(len(table), bool)
    rows = table[known]
    as_good = (rows[None, :, :] >= rows[:, None, :]).all(axis=2)
    better = (rows[None, :, :] > rows[:, None, :]).any(axis=2)
    front[known] = ~(as_good & better).any(axis=1)
    return front

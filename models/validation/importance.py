"""Which parameters decide the result: how much of the ranking of all trials each one explains on its own."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.validation.ranks import average_ranks

type Floats = NDArray[np.float64]

MOST_GROUPS = 8
FEWEST_PER_GROUP = 5


class Importance(NamedTuple):
    """
    What one parameter explains.

    Parameters
    ----------
    share : float
        Of the variance of the ranks of all trials, from 0 to 1, less what groups of this size explain by luck.
    p_value : float
        How often luck alone explains as much (Kruskal and Wallis 1952).

    """

    share: float
    p_value: float


def importance(values: ArrayLike, groups: NDArray[np.intp]) -> Importance | None:
    """
    Return how much of the ranking of `values` the groups explain: (H - k + 1) / (n - k), not below 0.

    The size of effect that goes with the test of Kruskal and Wallis (Tomczak and Tomczak 2014). It looks at one
    parameter at a time: what two explain only together is not seen. Ranks, because one ruinous trial would otherwise
    decide everything.

    Parameters
    ----------
    values : array_like, shape (trials,)
        What was measured, finite.
    groups : ndarray of int, shape (trials,)
        The group of each trial, from `groups_of`.

    Returns
    -------
    Importance or None
        None with fewer than two groups, no more trials than groups, or when all values are equal.

    """
    from scipy.special import chdtrc  # noqa: PLC0415 (scipy where it is used)

    ranks = average_ranks(values)
    _, place = np.unique(groups, return_inverse=True)
    sizes = np.bincount(place)
    trials, count = len(ranks), len(sizes)
    total = float(((ranks - ranks.mean()) ** 2).sum())
    if count < 2 or trials <= count or total == 0.0:
        return None
    means = np.bincount(place, ranks) / sizes
    between = float((sizes * (means - ranks.mean()) ** 2).sum())
    height = (trials - 1) * between / total
    return Importance(max(0.0, (height - count + 1) / (trials - count)), float(chdtrc(count - 1, height)))


def groups_of(values: tuple[object, ...]) -> NDArray[np.intp]:
    """
    Return the group of each trial by its value of one parameter.

    Parameters
    ----------
    values : tuple, length trials
        Numbers, or anything else; None where the parameter did not apply.

    Returns
    -------
    ndarray of int, shape (trials,)
        One group per value where there are few, at most 8 groups of equal size by rank where numbers are many.

    """
    known = [value for value in values if value is not None]
    distinct = list(dict.fromkeys(known))
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
    if not numbers or len(distinct) <= MOST_GROUPS:
        places = {value: i for i, value in enumerate(distinct)}
        return np.array([places.get(value, len(distinct)) for value in values], dtype=np.intp)
    wanted = max(2, min(MOST_GROUPS, len(known) // FEWEST_PER_GROUP))
    numeric = np.array(known, dtype=np.float64)
    edges = np.quantile(numeric, np.linspace(0.0, 1.0, wanted + 1)[1:-1])
    found = np.full(len(values), wanted, dtype=np.intp)
    found[[value is not None for value in values]] = np.searchsorted(edges, numeric, side="right")
    # Where values repeat, two edges may be the same and a group between them empty: the numbers have no gaps.
    return np.unique(found, return_inverse=True)[1].astype(np.intp)

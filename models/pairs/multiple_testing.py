"""
What many tests at once leave of a p-value.

Of 4,950 pairs that have nothing to do with each other, 5 in 100 pass a test at 5 %: 248 pairs. Corrections raise the
p-values so that the level means what it says for all tests together.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Correction = Literal["none", "bonferroni", "holm", "bh", "by"]


def adjusted_p_values(p_values: ArrayLike, correction: Correction) -> NDArray[np.float64]:
    """
    Return p-values to compare with a level that holds for all of them together.

    Parameters
    ----------
    p_values : array_like, shape (n,)
        Of all tests that were tried, not only of those that looked good. NaN is no test: it stays NaN and is not
        counted.
    correction : {"none", "bonferroni", "holm", "bh", "by"}
        `bonferroni` and `holm`: the chance of one false discovery or more is at most the level, however the tests
        depend on each other; Holm's is never larger. `bh` (Benjamini-Hochberg): the expected share of false ones among
        the discoveries is at most the level, for independent or positively dependent tests. `by`
        (Benjamini-Yekutieli): the same for any dependence, at the price of a factor 1 + 1/2 + ... + 1/n.

    Returns
    -------
    ndarray, shape (n,)
        At most 1, in the order given.

    References
    ----------
    Holm, Scandinavian Journal of Statistics 6(2), 1979; Benjamini and Hochberg, Journal of the Royal Statistical
    Society B 57(1), 1995; Benjamini and Yekutieli, Annals of Statistics 29(4), 2001, theorem 1.3.

    """
    given = np.asarray(p_values, dtype=np.float64)
    adjusted = given.copy()
    tested = np.flatnonzero(~np.isnan(given))
    order = tested[np.argsort(given[tested], kind="stable")]
    adjusted[order] = _adjusted(given[order], correction)
    return adjusted


def _adjusted(ascending: NDArray[np.float64], correction: Correction) -> NDArray[np.float64]:
    count = len(ascending)
    ranks = np.arange(1, count + 1)
    if correction == "none":
        return ascending
    if correction == "bonferroni":
        raised = ascending * count
    elif correction == "holm":
        raised = np.maximum.accumulate(ascending * (count - ranks + 1))
    else:
        factor = count * (float(np.sum(1.0 / ranks)) if correction == "by" else 1.0)
        raised = np.minimum.accumulate((ascending * factor / ranks)[::-1])[::-1]
    return np.minimum(raised, 1.0)

"""
Training and test ranges that do not touch: walk-forward windows, and folds that are purged and embargoed.

A range is half open: [start, end) of row numbers, or of nanoseconds, or of anything that is counted.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Rows = NDArray[np.intp]


class Split(NamedTuple):
    """A training range and the test range after it, both half open."""

    train_start: int
    train_end: int
    test_start: int
    test_end: int


def walk_forward(
    length: int, train: int, test: int, *, gap: int = 0, step: int | None = None, anchored: bool = False
) -> list[Split]:
    """
    Return training windows, each followed by its test window.

    Parameters
    ----------
    length : int
        How much there is to split, in whatever is counted: rows, or nanoseconds.
    train, test : int
        Length of the training and of the test window, above 0. An anchored training window starts at 0 and grows.
    gap : int
        What is left out between them, at least 0: purge and embargo together.
    step : int, optional
        From one window to the next, above 0; `test` where left out. With less, test windows overlap.
    anchored : bool
        Whether every training window starts at 0.

    Returns
    -------
    list of Split
        As many as fit whole: floor((length - train - gap - test) / step) + 1; none where the first does not fit.

    Raises
    ------
    ValueError
        If a length is out of its bounds.

    """
    stride = test if step is None else step
    if min(train, test, stride) <= 0 or gap < 0:
        raise ValueError(f"train {train}, test {test}, step {stride} must be above 0 and gap {gap} not below")
    splits = []
    for offset in range(0, length - train - gap - test + 1, stride):
        train_end = offset + train
        start = train_end + gap
        splits.append(Split(0 if anchored else offset, train_end, start, start + test))
    return splits


def purged_folds(first: ArrayLike, last: ArrayLike, folds: int, embargo: int = 0) -> list[tuple[Rows, Rows]]:
    """
    Return k folds of which the training rows know nothing of the test rows.

    Lopez de Prado, "Advances in Financial Machine Learning" (2018), chapter 7.

    Parameters
    ----------
    first, last : array_like, shape (n,)
        Row i was made with what happened from first[i] to last[i], both included; `first` does not fall.
    folds : int
        From 2 to n. Test folds are contiguous, the first ones longer by one where they do not come out even.
    embargo : int
        How many rows right after a test fold are left out of its training rows as well, at least 0.

    Returns
    -------
    list of (train, test)
        Row numbers in rising order. A row whose span touches [min first, max last] of the test fold is in neither.

    Raises
    ------
    ValueError
        If the spans are not ordered, or `folds` or `embargo` are out of bounds.

    """
    begins, ends = np.asarray(first), np.asarray(last)
    count = len(begins)
    if begins.shape != ends.shape or begins.ndim != 1 or (ends < begins).any() or (np.diff(begins) < 0).any():
        raise ValueError("first and last were not spans in order of time")
    if not 2 <= folds <= count or embargo < 0:
        raise ValueError(f"folds was {folds} and embargo {embargo}, expected 2 to {count} and at least 0")
    found = []
    for test in np.array_split(np.arange(count), folds):
        kept = (ends < begins[test].min()) | (begins > ends[test].max())
        kept[test[0] : test[-1] + 1 + embargo] = False
        found.append((np.flatnonzero(kept), test))
    return found

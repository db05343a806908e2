"""
Training and test ranges that do not touch: walk-forward windows.

A range is half open: [start, end) of row numbers, or of nanoseconds, or of anything that is counted.
"""

from typing import NamedTuple


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

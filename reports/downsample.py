"""Fewer rows for a page, with every peak and trough still there."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_ROWS = 20_000
"""What a page holds of one column: 55 hours at 10 s. The browser draws at most 4,000 of them at a time, and more of
the rest the closer one looks."""


def rows_to_keep(columns: Sequence[NDArray[np.float64]], most: int = MOST_ROWS) -> NDArray[np.intp]:
    """
    Return the rows to keep of columns that share their time axis.

    Rows are cut into buckets of equal length; of each bucket the row of the lowest and of the highest value of every
    column is kept, and its first gap with the rows around it, so that the gap keeps its length.

    Parameters
    ----------
    columns : sequence of arrays, each of shape (rows,)
        The values that are drawn; NaN is a gap.
    most : int
        The most rows to keep; at least 2 × columns + 5.

    Returns
    -------
    array of shape (kept,)
        Rows in rising order, with the first and the last, `kept` ≤ `most`; all rows where there are no more than that.

    """
    count = len(columns[0])
    if count <= most:
        return np.arange(count)
    gaps = np.any([np.isnan(column) for column in columns], axis=0)
    per_bucket = 2 * len(columns) + (3 if gaps.any() else 0)
    length = -(-count // ((most - 2) // per_bucket))
    kept = [np.array([0, count - 1])]
    for column in columns:
        kept += [_lowest(column, length), _lowest(-column, length)]
    if gaps.any():
        kept.append(_gap_ends(gaps, length))
    return np.unique(np.concatenate(kept))


def _buckets(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Return `values` as one row per bucket, filled up with infinity."""
    padded = np.full(-(-len(values) // length) * length, np.inf)
    padded[: len(values)] = values
    return padded.reshape(-1, length)


def _lowest(column: NDArray[np.float64], length: int) -> NDArray[np.intp]:
    table = _buckets(np.where(np.isnan(column), np.inf, column), length)
    rows = np.arange(len(table)) * length + table.argmin(axis=1)
    return rows[np.isfinite(table.min(axis=1))]


def _gap_ends(gaps: NDArray[np.bool_], length: int) -> NDArray[np.intp]:
    """Return the first gap of each bucket, the row before it and the next row that is no gap."""
    first = _lowest(np.where(gaps, 0.0, np.inf), length)
    known = np.append(np.flatnonzero(~gaps), len(gaps) - 1)
    after = known[np.minimum(np.searchsorted(known, first), len(known) - 1)]
    return np.concatenate([np.maximum(first - 1, 0), first, after])

"""
The value of a point's neighbourhood instead of its peak.

A parameter set that is only good when every digit is right will not be good next month. The plateau score of a point is
the median of its own value and those of its nearest neighbours (Pardo, "The Evaluation and Optimization of Trading
Strategies", 2008, on robust sets; distances as in Gower 1971): one spike does not lift it, a broad hill keeps it.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]
type Scale = Literal["linear", "log", "rank", "category"]


class Axis(NamedTuple):
    """
    A parameter as the search saw it.

    Parameters
    ----------
    scale : {"linear", "log", "rank", "category"}
        How far apart two values are. `linear`, `log`: the difference (of the logarithms) as a share of the range.
        `rank`: the places of the two values in a list, as a share of its length. `category`: 0 if equal, else 1.
    values : sequence
        The value of each point; numbers but for `category`. None where the parameter did not apply: as far from every
        value as can be, and no distance from another None.

    """

    scale: Scale
    values: tuple[object, ...]


def distances(axes: list[Axis]) -> Floats:
    """
    Return how far apart the points are, from 0 (the same) to 1 (at opposite ends on every axis).

    The mean over the axes, each of which counts the same. An axis on which nothing differs adds nothing.

    Parameters
    ----------
    axes : list of Axis
        One per parameter, with as many values as there are points.

    Returns
    -------
    ndarray, shape (points, points)
        Symmetric, 0 on the diagonal.

    Raises
    ------
    ValueError
        Without an axis, or when a logarithm of a value that is not above 0 would be taken.

    """
    if not axes:
        raise ValueError("there was no axis")
    return np.asarray(np.mean([_axis_distance(axis) for axis in axes], axis=0))


def plateau_scores(values: ArrayLike, distance: Floats, neighbours: int) -> Floats:
    """
    Return the plateau score of each point: the median of its own value and those of its nearest neighbours.

    Parameters
    ----------
    values : array_like, shape (points,)
        What was measured; NaN for a point that failed counts as worse than all that did not.
    distance : ndarray, shape (points, points)
        From `distances`.
    neighbours : int
        How many, at least 1. All that are as near as the last of them count too, so that the order of points does not.

    Returns
    -------
    ndarray, shape (points,)
        NaN where more than half of the neighbourhood failed, and for every point when there are fewer than
        `neighbours` others.

    """
    measured = np.asarray(values, dtype=np.float64)
    count = len(measured)
    scores = np.full(count, np.nan)
    if count <= neighbours:
        return scores
    filled = np.where(np.isnan(measured), -np.inf, measured)
    for point in range(count):
        others = np.delete(distance[point], point)
        reach = np.partition(others, neighbours - 1)[neighbours - 1]
        near = distance[point] <= reach + 1e-12
        near[point] = True
        scores[point] = _median(filled[near])
    return scores


def default_neighbours(parameters: int) -> int:
    """Return two neighbours per parameter, one on each side, and three at least."""
    return max(3, 2 * parameters)


def _median(values: Floats) -> float:
    """Return the median; the lower middle counts as long as one of the two middle values failed."""
    ordered = np.sort(values)
    lower, upper = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    middle = (lower + upper) / 2.0
    return float(middle) if np.isfinite(middle) else float("nan")


def _axis_distance(axis: Axis) -> Floats:
    known = np.array([value is not None for value in axis.values])
    if axis.scale == "category":
        codes = {value: i for i, value in enumerate(dict.fromkeys(axis.values))}
        places = np.array([codes[value] for value in axis.values])
        return np.asarray(places[:, None] != places[None, :], dtype=np.float64)
    places = np.zeros(len(known))
    places[known] = _places(axis, known)
    width = float(np.ptp(places[known])) if known.any() else 0.0
    apart = np.abs(places[:, None] - places[None, :]) / width if width else np.zeros((len(known), len(known)))
    return np.asarray(np.where(known[:, None] != known[None, :], 1.0, np.where(known[:, None], apart, 0.0)))


def _places(axis: Axis, known: NDArray[np.bool_]) -> Floats:
    numbers = np.array([float(value) for value in np.array(axis.values, dtype=object)[known]])
    if axis.scale == "rank":
        return np.searchsorted(np.unique(numbers), numbers).astype(np.float64)
    if axis.scale == "log":
        if numbers.size and numbers.min() <= 0:
            raise ValueError(f"a value on a logarithmic axis was {numbers.min()}, expected above 0")
        return np.asarray(np.log(numbers))
    return numbers

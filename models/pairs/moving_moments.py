"""Means, variances and covariance of two series over a moving window, at the cost of one sample each time."""

import numpy as np
from numpy.typing import NDArray


class MovingMoments:
    """
    The moments of the last `size` pairs of values.

    Sums are kept around a value of the window, so that few digits cancel, and are added up anew each time the window
    has turned over, so that rounding does not gather.

    Parameters
    ----------
    size : int
        Length of the window.

    """

    __slots__ = ("_count", "_next", "_origin", "_pairs", "_since_anew", "_sums")

    def __init__(self, size: int) -> None:
        self._pairs = np.empty((size, 2))
        self._count = 0
        self._next = 0
        self._since_anew = 0
        self._origin = (0.0, 0.0)
        self._sums = [0.0] * 5

    @property
    def count(self) -> int:
        """How many pairs are in the window."""
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether the window is full."""
        return self._count == len(self._pairs)

    def push(self, y: float, x: float) -> None:
        """Take in a pair of values; the oldest leaves a window that is full."""
        if not self._count:
            self._origin = (y, x)
        if self.is_full:
            oldest_y, oldest_x = self._pairs[self._next].tolist()
            self._add(oldest_y, oldest_x, -1.0)
        else:
            self._count += 1
        self._pairs[self._next] = (y, x)
        self._add(y, x, 1.0)
        self._next = (self._next + 1) % len(self._pairs)
        self._since_anew += 1
        if self._since_anew >= len(self._pairs):
            self._add_up_anew()

    def window(self) -> NDArray[np.float64]:
        """Return the pairs in the window, oldest first, shape (n, 2)."""
        if not self.is_full:
            return self._pairs[: self._count].copy()
        return np.roll(self._pairs, -self._next, axis=0)

    def moments(self) -> tuple[float, float, float, float, float]:
        """Return mean of y, mean of x, variance of y, variance of x (divisor n) and their covariance."""
        n = self._count
        mean_y, mean_x, square_y, square_x, product = (total / n for total in self._sums)
        return (
            self._origin[0] + mean_y,
            self._origin[1] + mean_x,
            max(square_y - mean_y * mean_y, 0.0),
            max(square_x - mean_x * mean_x, 0.0),
            product - mean_y * mean_x,
        )

    def _add(self, y: float, x: float, sign: float) -> None:
        dy, dx = y - self._origin[0], x - self._origin[1]
        sums = self._sums
        sums[0] += sign * dy
        sums[1] += sign * dx
        sums[2] += sign * dy * dy
        sums[3] += sign * dx * dx
        sums[4] += sign * dy * dx

    def _add_up_anew(self) -> None:
        pairs = self._pairs[: self._count]
        self._origin = (float(pairs[:, 0].mean()), float(pairs[:, 1].mean()))
        dy, dx = pairs[:, 0] - self._origin[0], pairs[:, 1] - self._origin[1]
        self._sums = [float(dy.sum()), float(dx.sum()), float(dy @ dy), float(dx @ dx), float(dy @ dx)]
        self._since_anew = 0

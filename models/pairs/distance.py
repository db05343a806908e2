"""
The distance method: pairs whose prices, set to 1 at the start of a formation window, stayed closest to each other.

Gatev, Goetzmann and Rouwenhorst, "Pairs trading: performance of a relative-value arbitrage rule", Review of Financial
Studies 19(3), 2006, section 2.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.pairs.z_score import FLAT, LONG, SHORT, Side

OPEN_AT_SDS = 2.0


def squared_distances(prices: ArrayLike) -> NDArray[np.float64]:
    """
    Return the sums of squared differences of all pairs of prices set to 1 at their first row.

    Parameters
    ----------
    prices : array_like, shape (n, assets)
        Above 0, at the same times.

    Returns
    -------
    ndarray, shape (assets, assets)
        Symmetric, 0 on the diagonal.

    """
    table = np.asarray(prices, dtype=np.float64)
    table = table / table[0]
    # A common level, such as that of the mean asset, changes no difference and keeps the squares small.
    table = table - table.mean(axis=1, keepdims=True)
    squares = np.einsum("ij,ij->j", table, table)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2.0 * table.T @ table, 0.0)
    np.fill_diagonal(distances, 0.0)
    return np.asarray(distances)


@dataclass(frozen=True)
class DistanceRule:
    """
    One pair, as its formation window left it.

    Parameters
    ----------
    first_y, first_x : float
        The prices that count as 1.
    sd : float
        Standard deviation (ddof 1) of the difference in the formation window, above 0.
    distance : float
        Sum of its squares.

    """

    first_y: float
    first_x: float
    sd: float
    distance: float

    @classmethod
    def formed_on(cls, y: ArrayLike, x: ArrayLike) -> Self:
        """
        Return the rule for prices of a formation window.

        Raises
        ------
        ValueError
            If there are fewer than 3, they are of different lengths, or they never differ.

        """
        ys, xs = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
        if ys.ndim != 1 or ys.shape != xs.shape or len(ys) < 3:
            raise ValueError(f"y and x were of shapes {ys.shape} and {xs.shape}, expected one length of at least 3")
        gaps = ys / ys[0] - xs / xs[0]
        sd = float(gaps.std(ddof=1))
        if not sd > 0.0:
            raise ValueError("the two never differ")
        return cls(float(ys[0]), float(xs[0]), sd, float(gaps @ gaps))

    def gap(self, y: float, x: float) -> float:
        """Return the difference of the two prices, both set to 1 at the start of the formation window."""
        return y / self.first_y - x / self.first_x

    def next_side(self, side: Side, gap: float) -> Side:
        """Return what to hold: opened beyond 2 standard deviations, closed when the prices cross or touch."""
        if (side == LONG and gap < 0.0) or (side == SHORT and gap > 0.0):
            return side
        if abs(gap) <= OPEN_AT_SDS * self.sd:
            return FLAT
        return LONG if gap < 0.0 else SHORT

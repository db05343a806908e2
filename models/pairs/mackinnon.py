"""
P-values of tests for a unit root, of one series or of the gap between two prices.

MacKinnon, "Approximate asymptotic distribution functions for unit-root and cointegration tests", Journal of Business
and Economic Statistics 12(2), 1994, tables 3 and 4 (case "constant"). They are those of very many bars: with few, small
p-values come out somewhat too small.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr


@dataclass(frozen=True)
class _Surface:
    """Below `lowest` the p-value is 0, above `highest` 1; up to `tail` the polynomial of small p-values holds."""

    lowest: float
    tail: float
    highest: float
    small: tuple[float, ...]
    large: tuple[float, ...]


_ONE: Final = _Surface(-18.83, -1.61, 2.74, (2.1659, 1.4412, 0.038269), (1.7339, 0.93202, -0.12745, -0.010368))
_TWO: Final = _Surface(-18.86, -2.62, 0.92, (2.92, 1.5012, 0.039796), (2.1945, 0.64695, -0.29198, -0.042377))


def unit_root_p_values(t: ArrayLike) -> NDArray[np.float64]:
    """
    Return the p-values of t-statistics of the Dickey-Fuller test of one series, with a constant.

    Parameters
    ----------
    t : array_like
        Negative where the series reverts; NaN gives NaN.

    Returns
    -------
    ndarray
        Of the shape of `t`: the chance of such a t or a lower one for a series that wanders.

    """
    return _p_values(_ONE, t)


def cointegration_p_values(t: ArrayLike) -> NDArray[np.float64]:
    """
    Return the p-values of t-statistics of the Engle-Granger test of two variables, with a constant in the relation.

    Parameters
    ----------
    t : array_like
        Negative where the gap reverts; NaN gives NaN.

    Returns
    -------
    ndarray
        Of the shape of `t`: the chance of such a t or a lower one, if nothing held the two together.

    """
    return _p_values(_TWO, t)


def _p_values(surface: _Surface, t: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(t, dtype=np.float64)
    inside = np.clip(values, surface.lowest, surface.highest)
    polyval = np.polynomial.polynomial.polyval
    normal = np.where(inside <= surface.tail, polyval(inside, surface.small), polyval(inside, surface.large))
    p_values = np.where(values < surface.lowest, 0.0, np.where(values > surface.highest, 1.0, ndtr(normal)))
    return np.asarray(p_values, dtype=np.float64)

"""
P-values of the Engle-Granger test with two variables and a constant.

MacKinnon, "Approximate asymptotic distribution functions for unit-root and cointegration tests", Journal of Business
and Economic Statistics 12(2), 1994, tables 3 and 4 (case "constant", N = 2). The limit for many bars: with few, small
p-values come out somewhat too small.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

_LOWEST: Final = -18.86  # below it the p-value is 0
_HIGHEST: Final = 0.92  # above it 1
_TAIL: Final = -2.62  # up to it the polynomial of small p-values holds
_SMALL: Final = (2.92, 1.5012, 0.039796)
_LARGE: Final = (2.1945, 0.64695, -0.29198, -0.042377)


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
    values = np.asarray(t, dtype=np.float64)
    inside = np.clip(values, _LOWEST, _HIGHEST)
    ascending = np.where(inside <= _TAIL, _polynomial(_SMALL, inside), _polynomial(_LARGE, inside))
    p_values: NDArray[np.float64] = ndtr(ascending)
    bounded = np.where(values < _LOWEST, 0.0, np.where(values > _HIGHEST, 1.0, p_values))
    return np.asarray(bounded, dtype=np.float64)


def _polynomial(coefficients: tuple[float, ...], values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.polynomial.polynomial.polyval(values, coefficients), dtype=np.float64)

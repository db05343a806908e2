"""
How much of one asset hedges another: the ratio in the relation y = intercept + beta x.

With logarithms of prices beta is a ratio of values: a position of 1 USDT in y is hedged by beta USDT in x, and the gap
y - intercept - beta x is the part of the price of y that the hedge leaves, 0.01 for 1 %.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]

MIN_POINTS = 3


@dataclass(frozen=True)
class HedgeRatio:
    """
    The relation y = intercept + beta x.

    Parameters
    ----------
    beta : float
        The hedge ratio: units of x against one unit of y.
    intercept : float
        In the unit of y.
    beta_error : float
        Standard error of beta. It allows for gaps that persist: those of a pair that reverts in 50 bars tell as little
        as a hundredth of their number.

    """

    beta: float
    intercept: float
    beta_error: float

    def gap(self, y: float, x: float) -> float:
        """Return y - intercept - beta x, in the unit of y."""
        return y - self.intercept - self.beta * x


def ols_ratio(y: ArrayLike, x: ArrayLike) -> HedgeRatio:
    """
    Return the ratio that leaves the least squared gaps in y: the cointegrating regression.

    Parameters
    ----------
    y, x : array_like, shape (n,)
        Logarithms of prices at the same times, at least 3.

    Returns
    -------
    HedgeRatio
        Swapping y and x does not invert it: the noise of both is ascribed to y.

    Raises
    ------
    ValueError
        If the arrays are not of one length of at least 3, a value is not finite, or x does not vary.

    References
    ----------
    Engle and Granger, "Co-integration and error correction", Econometrica 55(2), 1987, section 4; standard error:
    Phillips and Park, "Asymptotic equivalence of OLS and GLS in regressions with integrated regressors", Journal of
    the American Statistical Association 83(401), 1988, with the long-run variance of an AR(1).

    """
    y, x = _checked(y, x)
    y_mean, x_mean = float(y.mean()), float(x.mean())
    dy, dx = y - y_mean, x - x_mean
    beta = float(dx @ dy) / float(dx @ dx)
    return HedgeRatio(beta, y_mean - beta * x_mean, _error(dy - beta * dx, dx))


def tls_ratio(y: ArrayLike, x: ArrayLike) -> HedgeRatio:
    """
    Return the ratio that leaves the least squared distances from the line: total least squares.

    It ascribes noise of one size to both assets, so swapping y and x inverts it.

    Parameters
    ----------
    y, x : array_like, shape (n,)
        Logarithms of prices at the same times, at least 3.

    Raises
    ------
    ValueError
        If the arrays are not of one length of at least 3, a value is not finite, x does not vary, or the two are
        uncorrelated.

    References
    ----------
    Golub and Van Loan, "An analysis of the total least squares problem", SIAM Journal on Numerical Analysis 17(6),
    1980; for two variables in closed form: Deming, "Statistical Adjustment of Data", 1943, with a variance ratio of 1.

    """
    y, x = _checked(y, x)
    y_mean, x_mean = float(y.mean()), float(x.mean())
    dy, dx = y - y_mean, x - x_mean
    yy, xx, xy = float(dy @ dy), float(dx @ dx), float(dx @ dy)
    if xy == 0.0:
        raise ValueError("the two are uncorrelated, so no line fits their distances best")
    beta = (yy - xx + math.hypot(yy - xx, 2.0 * xy)) / (2.0 * xy)
    return HedgeRatio(beta, y_mean - beta * x_mean, _error(dy - beta * dx, dx))


def _checked(y: ArrayLike, x: ArrayLike) -> tuple[Floats, Floats]:
    ys, xs = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
    if ys.ndim != 1 or ys.shape != xs.shape or len(ys) < MIN_POINTS:
        raise ValueError(f"y and x were of shapes {ys.shape} and {xs.shape}, expected one length of at least 3")
    if not (np.isfinite(ys).all() and np.isfinite(xs).all()):
        raise ValueError("y or x held a value that is not finite")
    if np.ptp(xs) == 0.0:
        raise ValueError(f"x was {xs[0]} throughout, expected it to vary")
    return ys, xs


def _error(gaps: Floats, dx: Floats) -> float:
    """Return the standard error of beta for gaps that follow an AR(1): their long-run variance over that of x."""
    gaps = gaps - gaps.mean()
    total = float(gaps @ gaps)
    if total == 0.0:
        return 0.0
    persistence = min(max(float(gaps[1:] @ gaps[:-1]) / total, 0.0), 1.0 - 1.0 / len(gaps))
    long_run = total / (len(gaps) - 2) * (1.0 + persistence) / (1.0 - persistence)
    return math.sqrt(long_run / float(dx @ dx))

"""
The variance of a price per bar, from open, high, low and close.

All four estimators return the mean variance per bar of LOGARITHMIC returns (a bar of 1 % has 1e-4). They assume a price
that is watched all the time: a high and low of few observations fall short of the true ones, and the estimates with
them. They differ in what else they assume:

- Parkinson and Garman-Klass: no drift; no gap between bars.
- Rogers-Satchell: any drift; no gap between bars.
- Yang-Zhang: any drift, and gaps.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]


def parkinson_variance(high: ArrayLike, low: ArrayLike) -> float:
    """
    Return the mean over bars of ln(H/L)^2 / (4 ln 2).

    Parameters
    ----------
    high, low : array_like, shape (n,)
        Extreme prices of each bar, above 0; at least one bar.

    Returns
    -------
    float
        Variance per bar of log returns.

    Raises
    ------
    ValueError
        If the arrays differ in length, are empty, hold a price that is not positive, or a high below its low.

    References
    ----------
    Parkinson, "The extreme value method for estimating the variance of the rate of return", Journal of Business 53(1),
    1980: D = (1/(4 ln 2)) mean(l^2) with l = ln(H/L).

    """
    highs, lows = _prices(high, low)
    _require_order(highs, lows)
    spread = np.log(highs / lows)
    return float(np.mean(spread**2)) / (4.0 * math.log(2.0))


def garman_klass_variance(open_: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> float:
    """
    Return the mean over bars of ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2.

    Parameters
    ----------
    open_, high, low, close : array_like, shape (n,)
        Prices of each bar, above 0; at least one bar.

    Returns
    -------
    float
        Variance per bar of log returns.

    Raises
    ------
    ValueError
        If the arrays differ in length, are empty, hold a price that is not positive, or open or close lie outside
        low to high.

    References
    ----------
    Garman and Klass, "On the estimation of security price volatilities from historical data", Journal of Business
    53(1), 1980: the "practical" estimator, 0.5 (u - d)^2 - (2 ln 2 - 1) c^2.

    """
    opens, highs, lows, closes = _bars(open_, high, low, close)
    spread, change = np.log(highs / lows), np.log(closes / opens)
    return float(np.mean(0.5 * spread**2 - (2.0 * math.log(2.0) - 1.0) * change**2))


def rogers_satchell_variance(open_: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> float:
    """
    Return the mean over bars of ln(H/C) ln(H/O) + ln(L/C) ln(L/O).

    Parameters
    ----------
    open_, high, low, close : array_like, shape (n,)
        Prices of each bar, above 0; at least one bar.

    Returns
    -------
    float
        Variance per bar of log returns; a drift does not add to it.

    Raises
    ------
    ValueError
        If the arrays differ in length, are empty, hold a price that is not positive, or open or close lie outside
        low to high.

    References
    ----------
    Rogers and Satchell, "Estimating variance from high, low and closing prices", Annals of Applied Probability 1(4),
    1991: S (S - X) + I (I - X), with maximum S, minimum I and end X of the log price.

    """
    return float(np.mean(_rogers_satchell(*_bars(open_, high, low, close))))


def yang_zhang_variance(open_: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> float:
    """
    Return V_on + k V_oc + (1 - k) V_RS over bars 2 to n, with k = 0.34 / (1.34 + (m + 1)/(m - 1)) and m = n - 1.

    V_on and V_oc are the sample variances (divisor m - 1) of ln(O_i/C_(i-1)) and ln(C_i/O_i), V_RS is the
    Rogers-Satchell variance. The first bar only lends its close.

    Parameters
    ----------
    open_, high, low, close : array_like, shape (n,)
        Prices of consecutive bars, above 0; at least three bars.

    Returns
    -------
    float
        Variance per bar of log returns, gaps between bars included; a drift does not add to it.

    Raises
    ------
    ValueError
        If there are fewer than three bars, the arrays differ in length, hold a price that is not positive, or open
        or close lie outside low to high.

    References
    ----------
    Yang and Zhang, "Drift-independent volatility estimation based on high, low, open, and close prices", Journal of
    Business 73(3), 2000: V = V_o + k V_c + (1 - k) V_RS with the k of smallest variance (alpha = 1.34).

    """
    opens, highs, lows, closes = _bars(open_, high, low, close)
    bars = len(opens) - 1
    if bars < 2:
        raise ValueError(f"there were {len(opens)} bars, expected at least 3")
    gap, change = np.log(opens[1:] / closes[:-1]), np.log(closes[1:] / opens[1:])
    inside = float(np.mean(_rogers_satchell(opens[1:], highs[1:], lows[1:], closes[1:])))
    weight = 0.34 / (1.34 + (bars + 1) / (bars - 1))
    return float(np.var(gap, ddof=1)) + weight * float(np.var(change, ddof=1)) + (1.0 - weight) * inside


def _rogers_satchell(opens: Floats, highs: Floats, lows: Floats, closes: Floats) -> Floats:
    upper, lower = np.log(highs / closes) * np.log(highs / opens), np.log(lows / closes) * np.log(lows / opens)
    return np.asarray(upper + lower)


def _bars(open_: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
    opens, highs, lows, closes = _prices(open_, high, low, close)
    _require_order(highs, np.maximum(opens, closes))
    _require_order(np.minimum(opens, closes), lows)
    return opens, highs, lows, closes


def _prices(*columns: ArrayLike) -> tuple[Floats, ...]:
    arrays = tuple(np.asarray(column, dtype=np.float64) for column in columns)
    if any(array.ndim != 1 or len(array) != len(arrays[0]) for array in arrays) or not len(arrays[0]):
        raise ValueError("prices were not rows of one length, with at least one bar")
    if not all(np.isfinite(array).all() and array.min() > 0.0 for array in arrays):
        raise ValueError("prices were not all finite and above 0")
    return arrays


def _require_order(upper: Floats, lower: Floats) -> None:
    wrong = np.flatnonzero(upper < lower)
    if len(wrong):
        raise ValueError(f"bar {wrong[0]}: open or close lay outside low to high, or the high below the low")

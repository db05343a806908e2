"""
Whether one series reverts: the augmented Dickey-Fuller test, for a gap whose hedge ratio was known beforehand.

A gap whose ratio was fitted to the same prices has to pass `engle_granger` instead, which allows for the fit.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.pairs.mackinnon import unit_root_p_values

MIN_BARS = 20


@dataclass(frozen=True)
class UnitRoot:
    """The statistic, MacKinnon's p-value of a series that wanders, and the number of lags that AIC chose."""

    t: float
    p: float
    lags: int


def dickey_fuller(values: ArrayLike, max_lag: int | None = None) -> UnitRoot:
    """
    Test a series for a unit root, with a constant.

    Parameters
    ----------
    values : array_like, shape (n,)
        At even steps of time, at least 20.
    max_lag : int, optional
        The most lags; 12 (n/100)^(1/4) rounded up where left out (Schwert 1989), at most n/2 - 2.

    Raises
    ------
    ValueError
        If there are fewer than 20 values, one is not finite, all are equal, or `max_lag` is out of range.

    References
    ----------
    Said and Dickey, Biometrika 71(3), 1984; lags by AIC over the same observations, then fitted on all that are left,
    as `statsmodels.tsa.stattools.adfuller` does.

    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or len(x) < MIN_BARS or not np.isfinite(x).all() or np.ptp(x) == 0.0:
        raise ValueError(f"values of shape {x.shape} were not {MIN_BARS} finite numbers or more that vary")
    most = len(x) // 2 - 2
    lags = min(most, math.ceil(12.0 * math.pow(len(x) / 100.0, 0.25))) if max_lag is None else max_lag
    if not 0 <= lags <= most:
        raise ValueError(f"max_lag was {max_lag}, expected from 0 to {most} with {len(x)} values")
    table = _regression(x, lags)
    order = [0, lags + 1, *range(1, lags + 1), lags + 2]
    # The last column of the triangle holds what each regressor explains beside those before it, then the rest.
    parts = np.linalg.qr(table[:, order], mode="r")[:, -1] ** 2
    unexplained = np.cumsum(parts[::-1])[::-1][2:]
    with np.errstate(divide="ignore"):
        criterion = len(table) * np.log(unexplained) + 2.0 * np.arange(lags + 1)
    chosen = int(np.argmin(criterion))
    t = _t_of_level(_regression(x, chosen))
    return UnitRoot(t, float(unit_root_p_values(t)), chosen)


def _regression(x: NDArray[np.float64], lags: int) -> NDArray[np.float64]:
    """Return the columns constant, step 1 ago, ..., step `lags` ago, level before the step, step."""
    steps = np.diff(x)
    earlier = [steps[lags - lag : len(steps) - lag] for lag in range(1, lags + 1)]
    now = steps[lags:]
    return np.column_stack([np.ones_like(now), *earlier, x[lags:-1] - x.mean(), now])


def _t_of_level(table: NDArray[np.float64]) -> float:
    triangle = np.linalg.qr(table, mode="r")
    freedom = len(table) - (table.shape[1] - 1)
    slope = triangle[-2, -1] * math.copysign(1.0, triangle[-2, -2])
    return float(slope / abs(triangle[-1, -1]) * math.sqrt(freedom))

"""
The Engle-Granger test of many pairs at once: whether two prices keep together, or only look as if they did.

The gap of the cointegrating regression y = intercept + beta x + gap is tested for a unit root by an augmented
Dickey-Fuller regression without a constant, d_t = rho gap_(t-1) + sum of phi_i d_(t-i), with the number of lags chosen
for each pair by an information criterion over the same observations, then fitted on all that this number leaves.

Feed logarithms of PRICES. Returns revert at once whatever the prices do, so a test of returns calls every pair
cointegrated.

References
----------
Engle and Granger, "Co-integration and error correction", Econometrica 55(2), 1987; Said and Dickey, Biometrika 71(3),
1984; MacKinnon (1994) for the p-values. The same choices as `statsmodels.tsa.stattools.coint`, but for two prices that
are the same up to a millionth: what is left of them is tested here, and called -inf there.
"""

import math
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.pairs.mackinnon import cointegration_p_values

type Floats = NDArray[np.float64]
type Criterion = Literal["aic", "bic", "none"]

MIN_BARS = 20

_BLOCK_VALUES = 1 << 17
"""Gaps worked on at a time: a megabyte, which stays in the processor's cache."""

_COLLINEAR = 1e-10
"""Share of y that a gap must have left to be more than rounding."""


@dataclass(frozen=True)
class EngleGranger:
    """
    Tests of pairs, one per row of `pairs`.

    Parameters
    ----------
    t : ndarray, shape (m,)
        The statistic; NaN where one asset does not move or the two are the same up to rounding.
    p : ndarray, shape (m,)
        MacKinnon's p-value of no cointegration.
    beta, intercept : ndarray, shape (m,)
        The cointegrating regression of the first on the second.
    lags : ndarray of int, shape (m,)
        The number of lagged differences that was chosen.

    """

    t: Floats
    p: Floats
    beta: Floats
    intercept: Floats
    lags: NDArray[np.int64]


def engle_granger(
    levels: ArrayLike, pairs: ArrayLike, *, max_lag: int | None = None, criterion: Criterion = "aic"
) -> EngleGranger:
    """
    Test pairs of assets for cointegration.

    Parameters
    ----------
    levels : array_like, shape (n, assets)
        Logarithms of prices at the same times, finite, n at least 20.
    pairs : array_like of int, shape (m, 2)
        The columns of y and x of each test. The two orders of a pair are different tests.
    max_lag : int, optional
        The most lags; 12 (n/100)^(1/4) rounded up where left out (Schwert 1989), at most n/2 - 1.
    criterion : {"aic", "bic", "none"}
        What chooses the lags; "none" takes `max_lag`.

    Returns
    -------
    EngleGranger
        Memory: a few megabytes beside the input and the result, however many pairs.

    Raises
    ------
    ValueError
        If `levels` is not a finite table of at least 20 rows, a pair names no column, or `max_lag` is not from 0 to
        n/2 - 1.

    """
    table, sides = _checked(levels, pairs)
    lags = _max_lag(len(table), max_lag)
    centred = np.ascontiguousarray((table - table.mean(axis=0)).T)
    squares = np.einsum("ij,ij->i", centred, centred)
    block = max(1, _BLOCK_VALUES // len(table))
    parts = [
        _block(centred, squares, sides[first : first + block], lags, criterion) for first in range(0, len(sides), block)
    ]
    t, beta, chosen = (np.concatenate(column) for column in zip(*parts, strict=True)) if parts else _NOTHING
    mean = table.mean(axis=0)
    intercept = mean[sides[:, 0]] - beta * mean[sides[:, 1]]
    return EngleGranger(t, cointegration_p_values(t), beta, intercept, chosen)


def both_ways(
    levels: ArrayLike, pairs: ArrayLike, *, max_lag: int | None = None, criterion: Criterion = "aic"
) -> tuple[EngleGranger, NDArray[np.bool_]]:
    """
    Test each pair with either asset as y and return the order with the lower t, but the higher of the two p-values.

    Whether a pair passes may hang on which asset is called y. A pair that has to pass both ways is never easier to
    find than one that is tested one way, so choosing the order costs no correction.

    Parameters
    ----------
    levels, pairs, max_lag, criterion
        As for `engle_granger`.

    Returns
    -------
    tuple[EngleGranger, ndarray of bool]
        The tests, and where y and x were swapped.

    """
    sides = np.asarray(pairs)
    given = engle_granger(levels, sides, max_lag=max_lag, criterion=criterion)
    turned = engle_granger(levels, sides[:, ::-1], max_lag=max_lag, criterion=criterion)
    swapped = turned.t < given.t
    best = {f.name: np.where(swapped, getattr(turned, f.name), getattr(given, f.name)) for f in fields(EngleGranger)}
    return EngleGranger(**{**best, "p": np.maximum(given.p, turned.p)}), swapped


_NOTHING = (np.empty(0), np.empty(0), np.empty(0, np.int64))


def _checked(levels: ArrayLike, pairs: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    table, sides = np.asarray(levels, dtype=np.float64), np.asarray(pairs, dtype=np.int64)
    if table.ndim != 2 or len(table) < MIN_BARS:
        raise ValueError(f"levels were of shape {table.shape}, expected a table of at least {MIN_BARS} rows")
    if not np.isfinite(table).all():
        raise ValueError("levels held a value that is not finite")
    if sides.ndim != 2 or sides.shape[1] != 2 or (sides.size and not 0 <= sides.min() <= sides.max() < table.shape[1]):
        raise ValueError(f"pairs were expected to be rows of two columns of the {table.shape[1]}")
    return table, sides


def _max_lag(count: int, given: int | None) -> int:
    most = count // 2 - 1
    if given is None:
        return min(most, math.ceil(12.0 * math.pow(count / 100.0, 0.25)))
    if not 0 <= given <= most:
        raise ValueError(f"max_lag was {given}, expected from 0 to {most} with {count} rows")
    return given


def _block(
    centred: Floats, squares: Floats, sides: NDArray[np.int64], lags: int, criterion: Criterion
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return t, beta and lags of some pairs."""
    first, second = sides.T
    y, x = centred[first], centred[second]
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = np.einsum("ij,ij->i", y, x) / squares[second]
    gaps = y - beta[:, None] * x
    usable = np.einsum("ij,ij->i", gaps, gaps) > _COLLINEAR * squares[first]
    t, chosen = np.full(len(sides), np.nan), np.zeros(len(sides), np.int64)
    if usable.any():
        t[usable], chosen[usable] = _unit_root(gaps[usable], lags, criterion)
    return t, beta, chosen


def _unit_root(gaps: Floats, lags: int, criterion: Criterion) -> tuple[Floats, NDArray[np.int64]]:
    """Return the Dickey-Fuller t of each row and its number of lags."""
    # t does not depend on the units of level and step: of one size, their products lose the fewest digits.
    levels, steps = _unit_size(gaps[:, :-1]), _unit_size(np.diff(gaps))
    products = _products(levels, steps, lags)
    fixed = criterion == "none"
    chosen = np.full(len(gaps), lags) if fixed else _best_lags(products, steps.shape[1] - lags, criterion)
    t = np.empty(len(gaps))
    for lag in np.unique(chosen):
        mine = np.flatnonzero(chosen == lag)
        t[mine] = _statistic(products[mine], levels[mine], steps[mine], lags, int(lag))
    return t, chosen


def _unit_size(rows: Floats) -> Floats:
    return rows / np.sqrt(np.mean(rows**2, axis=1, keepdims=True))


def _products(levels: Floats, steps: Floats, lags: int) -> Floats:
    """
    Return the matrices of products of [level, step, step 1 ago, ..., step `lags` ago], summed over the observations
    from number `lags` on; shape (rows, lags + 2, lags + 2).

    A product of two steps depends on their distance alone, but for the terms at both ends of the sum.
    """
    count = steps.shape[1]
    now, level = steps[:, lags:], levels[:, lags:]
    sums = np.empty((len(steps), lags + 2, lags + 2))
    sums[:, 0, 0] = np.einsum("ij,ij->i", level, level)
    for lag in range(lags + 1):
        earlier = steps[:, lags - lag : count - lag]
        sums[:, 0, lag + 1] = sums[:, lag + 1, 0] = np.einsum("ij,ij->i", level, earlier)
        sums[:, 1, lag + 1] = sums[:, lag + 1, 1] = np.einsum("ij,ij->i", now, earlier)
    for i in range(1, lags + 1):
        enters = steps[:, lags - i, None] * steps[:, lags - i :: -1]
        leaves = steps[:, count - i, None] * steps[:, count - i : count - lags - 1 : -1]
        row = sums[:, i, i : lags + 1] + enters - leaves
        sums[:, i + 1, i + 1 :] = sums[:, i + 1 :, i + 1] = row
    return sums


def _best_lags(products: Floats, observations: int, criterion: Criterion) -> NDArray[np.int64]:
    """Return for each row the number of lags with the least information criterion, all fitted at once."""
    lags = products.shape[1] - 2
    order = np.array([0, *range(2, lags + 2), 1])
    factors = _cholesky(products[:, order[:, None], order])
    # The last row of the factor holds the step's part along each regressor, given those before it, and the rest.
    rest = factors[:, -1, ::-1] ** 2
    unexplained = np.cumsum(rest[:, : lags + 1], axis=1)[:, ::-1]
    penalty = 2.0 if criterion == "aic" else math.log(observations)
    return np.argmin(observations * np.log(unexplained) + penalty * np.arange(lags + 1), axis=1)


def _statistic(products: Floats, levels: Floats, steps: Floats, lags: int, lag: int) -> Floats:
    """Return t with `lag` lags, fitted to all observations that these leave: more than `products` were summed over."""
    order = np.array([*range(2, lag + 2), 0, 1])
    products = products[:, order[:, None], order]
    if lag < lags:
        windows = np.lib.stride_tricks.sliding_window_view(steps[:, :lags], lag + 1, axis=1)[:, :, ::-1]
        regained = np.concatenate([windows[:, :, 1:], levels[:, lag:lags, None], windows[:, :, :1]], axis=2)
        products += regained.transpose(0, 2, 1) @ regained
    factors = _cholesky(products)
    freedom = steps.shape[1] - lag - (lag + 1)
    return np.asarray(factors[:, -1, -2] / factors[:, -1, -1] * math.sqrt(freedom))


def _cholesky(matrices: Floats) -> Floats:
    """Return the factors; NaN for a matrix without one: steps that follow from each other exactly."""
    try:
        return np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full_like(matrices, np.nan)
        half = len(matrices) // 2
        return np.concatenate([_cholesky(matrices[:half]), _cholesky(matrices[half:])])

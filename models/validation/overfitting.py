"""
The probability of backtest overfitting, by combinatorially symmetric cross-validation.

Bailey, Borwein, Lopez de Prado and Zhu, "The Probability of Backtest Overfitting" (2017): cut the returns of all trials
into blocks of time, take every half of the blocks for in sample, choose the best trial there, and look where it ranks
in the other half. If the choice is worth nothing, it is below the middle half of the time and more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Floats = NDArray[np.float64]

_COMBINATIONS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Overfitting:
    """
    What became of the best in sample.

    Parameters
    ----------
    probability : float
        The share of combinations in which the best in sample was at or below the middle out of sample.
    logits : ndarray, shape (combinations,)
        ln(w / (1 - w)) with w = rank / (trials + 1), in the order of `itertools.combinations`.
    best : ndarray of int, shape (combinations,)
        The trial that was best in sample.
    in_sample, out_of_sample : ndarray, shape (combinations,)
        Its Sharpe ratios, per interval; 0 where the returns did not vary and were 0.
    loss_probability : float
        The share of combinations in which the best in sample lost out of sample.

    """

    probability: float
    logits: Floats
    best: NDArray[np.intp]
    in_sample: Floats
    out_of_sample: Floats
    loss_probability: float


def overfitting(returns: ArrayLike, blocks: int = 16) -> Overfitting:
    """
    Return the probability of backtest overfitting of a search.

    Parameters
    ----------
    returns : array_like, shape (intervals, trials)
        Of every trial on the same grid, finite.
    blocks : int
        An even number, from 2 to 20. Rows are cut into so many blocks in order of time, the first ones longer by one
        where they do not come out even.

    Returns
    -------
    Overfitting
        Of C(blocks, blocks / 2) combinations. Equal ratios out of sample share their mean rank; of equal ratios in
        sample the first trial is taken.

    Raises
    ------
    ValueError
        For fewer than two trials, two rows per block, an odd number of blocks, or values that are not finite.

    """
    table = _checked(returns, blocks)
    of_blocks = _block_sums(table, blocks)
    parts = [_choose(chosen, of_blocks) for chosen in _halves(blocks)]
    best, in_sample, out_of_sample, rank = (np.concatenate(column) for column in zip(*parts, strict=True))
    share = rank / (table.shape[1] + 1)
    logits = np.log(share / (1.0 - share))
    return Overfitting(
        float(np.mean(logits <= 0.0)), logits, best, in_sample, out_of_sample, float(np.mean(out_of_sample < 0.0))
    )


def _checked(returns: ArrayLike, blocks: int) -> Floats:
    table = np.asarray(returns, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2 or not np.isfinite(table).all():
        raise ValueError("returns were not a table of finite numbers with two trials or more")
    if blocks % 2 or not 2 <= blocks <= 20:
        raise ValueError(f"blocks was {blocks}, expected an even number from 2 to 20")
    if len(table) < 2 * blocks:
        raise ValueError(f"{len(table)} intervals are fewer than two per block of {blocks}")
    return table


class _Blocks(NamedTuple):
    """Lengths of the blocks, and of the returns less the mean of their trial: sums and sums of squares by block."""

    sizes: Floats
    sums: Floats
    squares: Floats
    means: Floats
    noise: Floats
    """What rounding makes of the sum of squares of a trial that does not vary."""


def _block_sums(table: Floats, blocks: int) -> _Blocks:
    base, longer = divmod(len(table), blocks)
    sizes = np.full(blocks, base)
    sizes[:longer] += 1
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means = table.mean(axis=0)
    centred = table - means
    noise = len(table) * (8.0 * np.finfo(np.float64).eps * np.abs(table).max(axis=0)) ** 2
    sums, squares = np.add.reduceat(centred, starts), np.add.reduceat(centred**2, starts)
    return _Blocks(sizes.astype(np.float64), sums, squares, means, noise)


def _halves(blocks: int) -> Iterator[NDArray[np.bool_]]:
    """Yield which blocks are in sample, as tables of some thousand combinations."""
    drawn = combinations(range(blocks), blocks // 2)
    left = comb(blocks, blocks // 2)
    while left:
        count = min(left, _COMBINATIONS_AT_ONCE)
        places = np.array([next(drawn) for _ in range(count)])
        chosen = np.zeros((count, blocks), bool)
        chosen[np.arange(count)[:, None], places] = True
        yield chosen
        left -= count


def _choose(chosen: NDArray[np.bool_], blocks: _Blocks) -> tuple[NDArray[np.intp], Floats, Floats, Floats]:
    """Return the best in sample, its ratio in and out of sample, and its rank out of sample (1 is the worst)."""
    inside = _ratios(chosen.astype(np.float64), blocks)
    outside = _ratios((~chosen).astype(np.float64), blocks)
    best = inside.argmax(axis=1)
    rows = np.arange(len(best))
    own = outside[rows, best]
    below, equal = (outside < own[:, None]).sum(axis=1), (outside == own[:, None]).sum(axis=1)
    return best, inside[rows, best], own, below + (equal + 1) / 2.0


def _ratios(weights: Floats, blocks: _Blocks) -> Floats:
    """Return Sharpe ratios, shape (combinations, trials); infinite for a profit that does not vary."""
    count = (weights @ blocks.sizes)[:, None]
    total = weights @ blocks.sums
    mean = total / count + blocks.means
    spread = weights @ blocks.squares - total**2 / count
    varies = spread > blocks.noise
    deviation = np.sqrt(np.where(varies, spread, 1.0) / (count - 1.0))
    flat = np.where(mean == 0.0, 0.0, np.copysign(np.inf, mean))
    return np.where(varies, mean / deviation, flat)

"""
Sampled paths of the experiment of Avellaneda and Stoikov (2008, section 3.3), and what its makers earn on them.

The laws are those of `paper_moments`. A path holds all that chance decides and nothing that a maker does: how the mid
moves, and how far from the mid the market order of each step and side reaches. A quote at distance d is filled when the
reach is at least d. With U uniform on (0, 1] the reach ln(A dt / U) / k is at least d with the paper's probability
min(1, A exp(-k d) dt), whatever d is, negative for a quote beyond the mid included; with an exponential in the place of
U it is that of a Poisson stream, 1 - exp(-A exp(-k d) dt). So every maker can meet the same paths, and a matching
engine can too: what is computed here says what it must find.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from models.market_making.paper_moments import Experiment, FillProbability, Strategy

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Paths:
    """
    Independent paths of the market, in price.

    Parameters
    ----------
    mids : ndarray, shape (paths, steps + 1)
        How far the mid is from where it started: at the start of each step, and at the end.
    sell_reaches, buy_reaches : ndarray, shape (paths, steps)
        How far below the mid the selling market order of each step reaches, and how far above it the buying one.

    """

    mids: Floats
    sell_reaches: Floats
    buy_reaches: Floats

    def __len__(self) -> int:
        return len(self.mids)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """
    What one maker made of each path.

    Parameters
    ----------
    profit : ndarray, shape (paths,)
        Cash plus inventory valued at the last mid, in price times lots.
    inventory : ndarray, shape (paths,)
        What is held at the end, in lots.
    fills : ndarray, shape (paths,)
        How many quotes were filled.

    """

    profit: Floats
    inventory: Ints
    fills: Ints


class Figures(NamedTuple):
    """The figures of the paper's tables: profit in price times lots, inventory in lots."""

    mean_profit: float
    std_profit: float
    mean_inventory: float
    std_inventory: float

    @classmethod
    def of_sample(cls, profit: Floats, inventory: Ints) -> Self:
        """
        Return the figures of a sample; a standard deviation divides by n - 1.

        Raises
        ------
        ValueError
            If there are fewer than 2 paths.

        """
        if len(profit) < 2:
            raise ValueError(f"paths was {len(profit)}, expected at least 2")
        return cls(
            float(profit.mean()), float(profit.std(ddof=1)), float(inventory.mean()), float(inventory.std(ddof=1))
        )


def draw_paths(
    experiment: Experiment, seed: int, first: int, count: int, fills: FillProbability = FillProbability.LINEAR
) -> Paths:
    """
    Return the paths with the numbers `first` to `first + count - 1`.

    Parameters
    ----------
    experiment : Experiment
        The market.
    seed : int
        At least 0. A path depends on the seed and its own number alone, not on what else is drawn.
    first, count : int
        At least 0.
    fills : FillProbability
        The law of the fills.

    """
    moves = np.zeros((count, experiment.steps + 1))
    uniform = np.empty((2, count, experiment.steps))
    for row in range(count):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(first + row,)))
        moves[row, 1:] = 2 * rng.integers(0, 2, experiment.steps) - 1
        uniform[:, row] = 1.0 - rng.random((2, experiment.steps))
    mids = np.cumsum(moves, axis=1) * (experiment.sigma * math.sqrt(experiment.dt))
    # An exponential of 0, which comes once in 2^53 draws, would reach infinitely far.
    chance = uniform if fills is FillProbability.LINEAR else np.maximum(-np.log(uniform), 2.0**-53)
    sell, buy = (math.log(experiment.intensity * experiment.dt) - np.log(chance)) / experiment.kappa
    return Paths(mids, sell, buy)


def simulate(paths: Paths, risk_aversion: float, strategy: Strategy, experiment: Experiment) -> Outcomes:
    """
    Return what a maker makes of `paths`, from no position at the start.

    Parameters
    ----------
    paths : Paths
        Drawn from `experiment`.
    risk_aversion : float
        gamma, per unit of price, at least 0.
    strategy : Strategy
        Which maker.
    experiment : Experiment
        The market.

    Raises
    ------
    ValueError
        If `risk_aversion` is negative.

    """
    profit, inventory, fills = (np.zeros(len(paths)) for _ in range(3))
    for step in range(experiment.steps):
        below, above = experiment.distances(risk_aversion, strategy, step, inventory)
        bought = paths.sell_reaches[:, step] >= below
        sold = paths.buy_reaches[:, step] >= above
        inventory += bought.astype(np.float64) - sold
        fills += bought.astype(np.float64) + sold
        profit += bought * below + sold * above + inventory * (paths.mids[:, step + 1] - paths.mids[:, step])
    return Outcomes(profit, inventory.astype(np.int64), fills.astype(np.int64))

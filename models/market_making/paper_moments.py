"""
The experiment of Avellaneda and Stoikov (Quantitative Finance 8(3), 2008, section 3.3) without sampling.

At each of n steps the maker quotes at distances that depend on its inventory and on the time left only. A quote at
distance d is filled with probability A exp(-k d) dt, at most 1, and the two sides independently of each other; then the
mid moves by +/- sigma sqrt(dt). So the inventory is a Markov chain that knows nothing of the mid, and the profit is a
sum of steps: the distance earned at each fill, and the inventory after the fills times the move. Carrying
E[profit^j; q] for j = 0 to 4 from step to step gives every moment exactly.

The paper fills with probability lambda dt. A Poisson stream of orders would fill with 1 - exp(-lambda dt), which is
less: in the paper's tables it earns 10 to 12 % less, and 4 % less where the spread is widest (gamma = 1, symmetric).
Both are here; LINEAR is the paper's.
"""

import math
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.market_making.avellaneda_stoikov import total_spread

type Vector = NDArray[np.float64]


class Strategy(Enum):
    """Whether the quotes stand around the reservation price or, with the same average spread, around the mid."""

    INVENTORY = "inventory"
    SYMMETRIC = "symmetric"


class FillProbability(Enum):
    """What an intensity lambda means for one step: lambda dt, or 1 - exp(-lambda dt)."""

    LINEAR = "linear"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True)
class Experiment:
    """
    The market of the experiment; the defaults are the paper's.

    Parameters
    ----------
    horizon : float
        T, in the time unit.
    steps : int
        n; a step takes T/n.
    sigma : float
        Absolute volatility, in price per square root of the time unit.
    intensity : float
        A, orders per time unit and side that reach a quote at the mid.
    kappa : float
        k, per unit of price.

    Raises
    ------
    ValueError
        If a value is not positive, or `sigma` is negative.

    """

    horizon: float = 1.0
    steps: int = 200
    sigma: float = 2.0
    intensity: float = 140.0
    kappa: float = 1.5

    def __post_init__(self) -> None:
        for name in ("horizon", "steps", "intensity", "kappa"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} was not positive")
        if not self.sigma >= 0.0:
            raise ValueError("sigma was negative")

    @property
    def dt(self) -> float:
        """The time of one step."""
        return self.horizon / self.steps

    def average_spread(self, risk_aversion: float) -> float:
        """
        Return the total spread of the inventory strategy, averaged over the steps.

        Parameters
        ----------
        risk_aversion : float
            gamma, per unit of price, at least 0.

        Returns
        -------
        float
            In price. The symmetric strategy quotes half of it on each side of the mid.

        """
        # The spread is linear in the time left, which is T, T - dt, ..., dt.
        return total_spread(risk_aversion, self.sigma, self.kappa, 0.5 * (self.horizon + self.dt))

    def distances(
        self, risk_aversion: float, strategy: Strategy, step: int, inventory: Vector
    ) -> tuple[Vector, Vector]:
        """
        Return how far the quotes of one step are from the mid.

        Parameters
        ----------
        risk_aversion : float
            gamma, per unit of price, at least 0.
        strategy : Strategy
            Which strategy.
        step : int
            0 to n - 1.
        inventory : ndarray, shape (m,)
            In lots.

        Returns
        -------
        tuple[ndarray, ndarray], each of shape (m,)
            mid - bid and ask - mid, in price; negative beyond the mid.

        """
        if strategy is Strategy.SYMMETRIC:
            half = np.full(len(inventory), 0.5 * self.average_spread(risk_aversion))
            return half, half
        time_left = self.horizon - step * self.dt
        half_spread = 0.5 * total_spread(risk_aversion, self.sigma, self.kappa, time_left)
        shift = inventory * risk_aversion * self.sigma**2 * time_left
        return half_spread + shift, half_spread - shift

    def fill_probability(self, distance: Vector, fills: FillProbability) -> Vector:
        """
        Return the probability that a quote is filled within a step.

        Parameters
        ----------
        distance : ndarray, shape (m,)
            From the mid, in price.
        fills : FillProbability
            Which law.

        Returns
        -------
        ndarray, shape (m,)
            Between 0 and 1.

        """
        log_expected = np.minimum(math.log(self.intensity * self.dt) - self.kappa * distance, 100.0)
        if fills is FillProbability.LINEAR:
            return np.exp(np.minimum(log_expected, 0.0))
        return -np.expm1(-np.exp(log_expected))


class StandardErrors(NamedTuple):
    """Standard errors of the figures of a sample, in the units of the figures."""

    mean_profit: float
    std_profit: float
    mean_inventory: float
    std_inventory: float


class Moments(NamedTuple):
    """
    Exact moments at the end of the experiment: profit in price times lots, inventory in lots.

    A kurtosis is the fourth central moment over the squared variance (3 for a normal law, nan without variance).
    """

    average_spread: float
    mean_profit: float
    std_profit: float
    kurtosis_profit: float
    mean_inventory: float
    std_inventory: float
    kurtosis_inventory: float

    def standard_errors(self, paths: int) -> StandardErrors:
        """
        Return how far the figures of a sample of `paths` independent paths are from the exact ones, typically.

        Parameters
        ----------
        paths : int
            At least 2.

        Returns
        -------
        StandardErrors
            std/sqrt(n) of a mean, and std sqrt((kurtosis - (n - 3)/(n - 1))/(4n)) of a standard deviation, which is
            that of the sample variance to first order.

        Raises
        ------
        ValueError
            If `paths` is below 2.

        """
        if paths < 2:
            raise ValueError(f"paths was {paths}, expected at least 2")
        normal = (paths - 3) / (paths - 1)
        return StandardErrors(
            self.std_profit / math.sqrt(paths),
            self.std_profit * math.sqrt((self.kurtosis_profit - normal) / (4 * paths)),
            self.std_inventory / math.sqrt(paths),
            self.std_inventory * math.sqrt((self.kurtosis_inventory - normal) / (4 * paths)),
        )


class PublishedRow(NamedTuple):
    """One row of the paper's tables: a sample of 1000 paths."""

    risk_aversion: float
    strategy: Strategy
    average_spread: float
    mean_profit: float
    std_profit: float
    mean_inventory: float
    std_inventory: float


# Avellaneda and Stoikov 2008, Tables 1 (gamma = 0.1), 2 (0.01) and 3 (1). The preprint of 2006 has gamma = 0.5 for 1.
PUBLISHED = (
    PublishedRow(0.1, Strategy.INVENTORY, 1.49, 65.0, 6.6, 0.08, 2.9),
    PublishedRow(0.1, Strategy.SYMMETRIC, 1.49, 68.4, 12.7, 0.26, 8.4),
    PublishedRow(0.01, Strategy.INVENTORY, 1.35, 68.6, 8.7, 0.12, 5.1),
    PublishedRow(0.01, Strategy.SYMMETRIC, 1.35, 68.8, 12.8, 0.09, 8.7),
    PublishedRow(1.0, Strategy.INVENTORY, 3.02, 31.4, 5.0, 0.02, 1.7),
    PublishedRow(1.0, Strategy.SYMMETRIC, 3.02, 44.0, 11.0, 0.0, 5.1),
)
PUBLISHED_PATHS = 1000


def exact_moments(
    risk_aversion: float,
    strategy: Strategy,
    experiment: Experiment | None = None,
    fills: FillProbability = FillProbability.LINEAR,
) -> Moments:
    """
    Return the exact moments of final profit and inventory, from no position at the start.

    Parameters
    ----------
    risk_aversion : float
        gamma, per unit of price, at least 0.
    strategy : Strategy
        Which strategy.
    experiment : Experiment or None
        The market; None for the paper's.
    fills : FillProbability
        The law of the fills.

    Returns
    -------
    Moments
        Exact but for rounding, about 1e-12 relative. Any inventory that n steps can reach is kept.

    Raises
    ------
    ValueError
        If `risk_aversion` is negative.

    """
    market = experiment or Experiment()
    inventory = np.arange(-market.steps, market.steps + 1, dtype=np.float64)
    # raw[j, q] = E[(profit - its mean)^j; inventory = q]
    raw = np.zeros((5, len(inventory)))
    raw[0, market.steps] = 1.0
    mean = 0.0
    move = market.sigma * math.sqrt(market.dt)
    for step in range(market.steps):
        below, above = market.distances(risk_aversion, strategy, step, inventory)
        buys, sells = market.fill_probability(below, fills), market.fill_probability(above, fills)
        earned = float(raw[0] @ (buys * below + sells * above))
        mean += earned
        after = _added(raw * ((1.0 - buys) * (1.0 - sells)), np.full_like(inventory, -earned))
        after += _added(raw * (buys * sells), below + above - earned)
        after[:, 1:] += _added(raw * (buys * (1.0 - sells)), below - earned)[:, :-1]
        after[:, :-1] += _added(raw * (sells * (1.0 - buys)), above - earned)[:, 1:]
        raw = 0.5 * (_added(after, inventory * move) + _added(after, -inventory * move))
    mean_inventory, std_inventory, kurtosis_inventory = _summary(raw[0], inventory)
    std, kurtosis = _spread_and_kurtosis(*raw[1:].sum(axis=1).tolist())
    spread = market.average_spread(risk_aversion)
    return Moments(spread, mean + float(raw[1].sum()), std, kurtosis, mean_inventory, std_inventory, kurtosis_inventory)


def _added(raw: Vector, gain: Vector) -> Vector:
    """Return E[(x + gain)^j; q] from E[x^j; q], both of shape (5, m), with a gain per inventory."""
    result = np.zeros_like(raw)
    power = np.ones_like(gain)
    for raised in range(5):
        for order in range(raised, 5):
            result[order] += math.comb(order, raised) * power * raw[order - raised]
        power = power * gain
    return result


def _summary(weights: Vector, values: Vector) -> tuple[float, float, float]:
    mean = float(weights @ values)
    apart = values - mean
    return mean, *_spread_and_kurtosis(*(float(weights @ apart**order) for order in range(1, 5)))


def _spread_and_kurtosis(first: float, second: float, third: float, fourth: float) -> tuple[float, float]:
    """Return standard deviation and kurtosis from moments about a point `first` below the mean."""
    variance = second - first**2
    central = fourth - 4.0 * first * third + 6.0 * first**2 * second - 3.0 * first**4
    return math.sqrt(max(variance, 0.0)), central / variance**2 if variance > 0.0 else math.nan

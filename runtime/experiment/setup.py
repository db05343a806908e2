"""What a setup with `experiment:` says: the experiment of Avellaneda and Stoikov (2008, section 3.3)."""

import math
import os
from typing import Annotated, Literal

from msgspec import Meta

from models.market_making.paper_moments import Experiment, FillProbability
from runtime.setup.sections import NamedFile, Part

type Positive = Annotated[float, Meta(gt=0, le=1e6)]
type RiskAversion = Annotated[float, Meta(ge=0, le=1_000)]

_SHORTEST_STEP_SECS = 1e-6
_LARGEST_FALL_STDS = 10.0
_NEVER = -30.0
"""The logarithm of a probability that no run will ever see."""


class ExperimentSettings(Part, frozen=True, kw_only=True):
    """
    The market of the experiment, whose defaults are the paper's, and how much of it is sampled.

    The paper's unit of time is one second here, its unit of price one unit of the quote currency.

    Parameters
    ----------
    gammas : tuple of float, default 0.1, 0.01, 1
        Risk aversions, per unit of price and lot; each gives a row per strategy.
    paths : int, default 100
        Paths per row; every row has the same.
    seed : int, default 1
        Of all that chance decides.
    fill_probability : {"linear", "poisson"}, default "linear"
        What an intensity lambda means for one step: lambda dt, as in the paper, or 1 - exp(-lambda dt).
    workers : int, optional
        Processes; as many as the machine has processors where left out. They do not change the result.
    horizon_secs : float, default 1
        T.
    steps : int, default 200
        A step takes T/steps.
    start_price : float, default 100
        The mid at the start.
    sigma_quote_per_sqrt_sec : float, default 2
        Absolute volatility: the mid moves by +/- sigma sqrt(dt).
    orders_per_sec : float, default 140
        A: market orders on each side that reach a quote at the mid.
    kappa_per_quote : float, default 1.5
        k: how fast they thin out with the distance of a quote from the mid, per unit of price.

    """

    gammas: Annotated[tuple[RiskAversion, ...], Meta(min_length=1)] = (0.1, 0.01, 1.0)
    paths: Annotated[int, Meta(ge=2, le=1_000_000)] = 100
    seed: Annotated[int, Meta(ge=0)] = 1
    fill_probability: Literal["linear", "poisson"] = "linear"
    workers: Annotated[int, Meta(ge=1, le=256)] | None = None
    horizon_secs: Positive = 1.0
    steps: Annotated[int, Meta(ge=1, le=10_000)] = 200
    start_price: Positive = 100.0
    sigma_quote_per_sqrt_sec: Positive = 2.0
    orders_per_sec: Positive = 140.0
    kappa_per_quote: Positive = 1.5

    def __post_init__(self) -> None:
        """
        Check what no single bound can.

        Raises
        ------
        ValueError
            As `key: problem`.

        """
        if len(set(self.gammas)) < len(self.gammas):
            raise ValueError("gammas: names a risk aversion twice")
        if self.market.dt < _SHORTEST_STEP_SECS:
            longest = int(self.horizon_secs / _SHORTEST_STEP_SECS)
            raise ValueError(f"steps: was {self.steps}, expected at most {longest}, so that a step takes a microsecond")
        lowest = self._lowest_start()
        if self.start_price < lowest:
            raise ValueError(
                f"start_price: was {self.start_price:g}, expected at least {math.ceil(lowest)}: "
                "prices must stay above 0, with room for quotes far from the mid"
            )

    @property
    def market(self) -> Experiment:
        """The experiment as the models know it."""
        return Experiment(
            self.horizon_secs, self.steps, self.sigma_quote_per_sqrt_sec, self.orders_per_sec, self.kappa_per_quote
        )

    @property
    def fills(self) -> FillProbability:
        """The law of the fills as the models know it."""
        return FillProbability(self.fill_probability)

    @property
    def processes(self) -> int:
        """How many processes to use."""
        return self.workers or os.cpu_count() or 1

    def touch_distance(self, gamma: float) -> float:
        """
        Return how far from the mid the market's own bid and ask must be so that no quote ever meets them.

        A quote that is filled with certainty brings the inventory back, so no quote stands beyond the mid by more than
        the distance of certainty and one lot's lean, gamma sigma^2 T; and the mid may move under it.
        """
        market = self.market
        certain = max(0.0, -math.log(market.intensity * market.dt) / market.kappa)
        lean = gamma * market.sigma**2 * market.horizon
        return certain + lean + 2.0 * market.sigma * math.sqrt(market.dt) + 1.0 / market.kappa

    def _lowest_start(self) -> float:
        market = self.market
        fall = min(market.steps, _LARGEST_FALL_STDS * math.sqrt(market.steps)) * market.sigma * math.sqrt(market.dt)
        unreachable = (math.log(market.intensity * market.dt) - _NEVER) / market.kappa
        return fall + max(unreachable, *(self.touch_distance(gamma) for gamma in self.gammas))


class ExperimentSetup(NamedFile, frozen=True, kw_only=True):
    """A setup that runs the experiment (`experiment`) instead of replaying a market."""

    experiment: ExperimentSettings

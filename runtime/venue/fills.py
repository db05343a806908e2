"""The named fill assumptions of a backtest, from kind to cruel."""

from dataclasses import dataclass
from typing import Any

from nautilus_trader.backtest.engine import BacktestEngine

from runtime.setup.sections import FillAssumptionName, Latency
from runtime.venue.arrivals import Delays, delay_commands
from runtime.venue.matching import SharesFillModel, SimulatedVenue
from runtime.venue.queues import FillRule

_MS = 1_000_000


@dataclass(frozen=True)
class FillAssumption:
    """
    What has to happen in the market before a resting order of ours is filled.

    Parameters
    ----------
    name : str
        How setups and reports call it.
    description : str
        One sentence for reports.
    rule : FillRule
        What fills a resting order.
    latency : bool
        Whether orders take time to arrive; otherwise they are there in the next moment.

    """

    name: FillAssumptionName
    description: str
    rule: FillRule
    latency: bool

    def add_venue(self, engine: BacktestEngine, latency: Latency, seed: int, **options: Any) -> SimulatedVenue:
        """
        Add a venue that fills in this way.

        Parameters
        ----------
        engine : BacktestEngine
            Gets the venue.
        latency : Latency
            How long orders take, where this assumption has them take any time.
        seed : int
            Of the engine's random choices.
        **options
            The other arguments of the engine's `add_venue`.

        Returns
        -------
        SimulatedVenue
            The venue, which has its exchange now.

        """
        venue = SimulatedVenue(self.rule)
        engine.add_venue(
            modules=[venue],
            fill_model=SharesFillModel(venue, seed),
            trade_execution=True,
            liquidity_consumption=self.rule is not FillRule.WHOLE,  # of orders that take: not twice from one quote
            use_message_queue=False,  # what arrives is acted on at once
            **options,
        )
        delay_commands(engine, venue, self.delays(latency))
        return venue

    def delays(self, latency: Latency) -> Delays:
        """Return how long commands take."""
        if not self.latency:
            return Delays()
        return Delays(*(max(1, ms * _MS) for ms in (latency.insert_ms, latency.modify_ms, latency.cancel_ms)))


FILL_ASSUMPTIONS: dict[FillAssumptionName, FillAssumption] = {
    assumption.name: assumption
    for assumption in (
        FillAssumption(
            "optimistic",
            "A trade or quote at an order's price fills all of it, as if it stood first in the queue; no latency.",
            FillRule.WHOLE,
            latency=False,
        ),
        FillAssumption(
            "queue",
            "What stood at the price first trades first, and no trade fills more than its size; no latency.",
            FillRule.QUEUED,
            latency=False,
        ),
        FillAssumption(
            "queue_latency",
            "As queue, and orders take time to arrive.",
            FillRule.QUEUED,
            latency=True,
        ),
        FillAssumption(
            "pessimistic",
            "As queue_latency, but only a market that goes beyond an order's price fills it.",
            FillRule.THROUGH,
            latency=True,
        ),
    )
}

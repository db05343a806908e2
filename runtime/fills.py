"""The named fill assumptions of a backtest, from kind to cruel."""

from dataclasses import dataclass
from typing import Any

from nautilus_trader.backtest.models import FillModel, LatencyModel

from runtime.matching import MarketEvents, QueueFillModel
from runtime.setup import FillAssumptionName, Latency

_MS = 1_000_000

_NEXT_MOMENT_NS = 1
"""Without latency an order arrives in the next moment: in the same one, the trade that filled an order would fill its
replacement too, again and again."""


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
    fills_at_touch : bool
        Whether trading at the order's own price can fill it; otherwise the market must trade through it.
    queue : bool
        Whether the quantity that stood at the price first must trade first, and no liquidity is used twice.
    latency : bool
        Whether orders take time to arrive.

    """

    name: FillAssumptionName
    description: str
    fills_at_touch: bool
    queue: bool
    latency: bool

    def venue_options(self, latency: Latency, seed: int) -> dict[str, Any]:
        """Return the arguments of the engine's `add_venue` that make the venue fill in this way."""
        events = MarketEvents()
        queue_model = QueueFillModel(events, through_only=not self.fills_at_touch, seed=seed)
        return {
            "fill_model": queue_model if self.queue else FillModel(random_seed=seed),
            "latency_model": _latency_model(latency) if self.latency else LatencyModel(_NEXT_MOMENT_NS),
            "modules": [events],
            "queue_position": self.queue,
            "liquidity_consumption": self.queue,
            "trade_execution": True,
        }


def _latency_model(latency: Latency) -> LatencyModel:
    return LatencyModel(
        base_latency_nanos=0,
        insert_latency_nanos=latency.insert_ms * _MS,
        update_latency_nanos=latency.modify_ms * _MS,
        cancel_latency_nanos=latency.cancel_ms * _MS,
    )


FILL_ASSUMPTIONS: dict[FillAssumptionName, FillAssumption] = {
    assumption.name: assumption
    for assumption in (
        FillAssumption(
            "optimistic",
            "A trade or quote at an order's price fills all of it, as if it stood first in the queue; no latency.",
            fills_at_touch=True,
            queue=False,
            latency=False,
        ),
        FillAssumption(
            "queue",
            "What stood at the price first trades first, and no trade fills more than its size; no latency.",
            fills_at_touch=True,
            queue=True,
            latency=False,
        ),
        FillAssumption(
            "queue_latency",
            "As queue, and orders take time to arrive.",
            fills_at_touch=True,
            queue=True,
            latency=True,
        ),
        FillAssumption(
            "pessimistic",
            "As queue_latency, but only a market that goes beyond an order's price fills it.",
            fills_at_touch=False,
            queue=True,
            latency=True,
        ),
    )
}

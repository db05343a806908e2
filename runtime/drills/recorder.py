"""Writes down what the guard and the venue refuse from a fault on."""

from dataclasses import dataclass

from nautilus_trader.common.actor import Actor
from nautilus_trader.model.events import OrderEvent, OrderModifyRejected, OrderRejected

from messages.risk import REFUSAL_TOPIC, RISK_STATE_TOPIC, OrderRefused, RiskStateChanged
from models.risk_limits import Breach
from runtime.drills.venue import REASON


@dataclass(slots=True)
class Refused:
    """The first refusal of a rule since the fault, and how many there were."""

    ts_ns: int
    strategy: str
    breach: Breach
    count: int = 0


class DrillRecorder(Actor):
    """
    Listens to the guard, and counts what a refusing venue says no to.

    Parameters
    ----------
    at_ns, until_ns : int
        The first moment of the fault, and the last at which a refusal is an answer to it, UNIX ns.

    """

    def __init__(self, at_ns: int, until_ns: int) -> None:
        super().__init__()
        self._at_ns = at_ns
        self._until_ns = until_ns
        self.refused: dict[str, Refused] = {}
        self.refused_by_venue = 0
        self.resumed: list[tuple[int, str]] = []
        """When which scope was free to trade again, UNIX ns."""

    def on_start(self) -> None:
        """Begin to listen."""
        self.msgbus.subscribe(REFUSAL_TOPIC, self._on_refusal)
        self.msgbus.subscribe(RISK_STATE_TOPIC, self._on_state)
        self.msgbus.subscribe("events.order.*", self._on_order_event)

    def _on_refusal(self, refusal: OrderRefused) -> None:
        if not self._at_ns <= refusal.ts_ns <= self._until_ns:
            return
        first = Refused(refusal.ts_ns, refusal.strategy, refusal.breach)
        self.refused.setdefault(refusal.breach.rule, first).count += 1

    def _on_state(self, change: RiskStateChanged) -> None:
        if change.state == "RUNNING":
            self.resumed.append((change.ts_ns, change.scope))

    def _on_order_event(self, event: OrderEvent) -> None:
        if isinstance(event, (OrderRejected, OrderModifyRejected)) and event.reason == REASON:
            self.refused_by_venue += 1

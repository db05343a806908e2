"""What a running system decides, written down at the door to the venue, with what it thought on the way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.common.actor import Actor
from nautilus_trader.execution.messages import ModifyOrder, SubmitOrder, SubmitOrderList, TradingCommand

from messages.signals import ALPHA_TOPICS, AlphaSignal
from messages.trading import PAIR_TOPIC, QUOTING_TOPIC, PairTraded, QuotingSample
from runtime.drills.venue import EXECUTION_ENDPOINT

type Decision = tuple[int, str]
"""When (UNIX ns), and what in words: two decisions are the same where both are."""

type Output = tuple[int, str, float]
"""When (UNIX ns), whose number of what, and the number."""


@dataclass
class Trace:
    """
    The decisions of one run.

    Parameters
    ----------
    decisions : list of Decision
        Every command that left for the venue, in the order in which they left.
    outputs : list of Output
        Fair values on the ledger's grid, signals when they were given, and z-scores of trades of pairs.
    error : str
        What broke the run off; "" where nothing did.

    """

    decisions: list[Decision] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    error: str = ""


class DecisionRecorder(Actor):
    """
    Stands between the engine's execution and its venue, writes down what passes and changes nothing.

    Parameters
    ----------
    forward : callable
        The handler that stood at the engine's endpoint.
    end_ns : int
        The end of the run, UNIX ns. The clock gets there before strategies are stopped: what they do then comes at the
        end, and not at the time of the last event.

    """

    def __init__(self, forward: Callable[[TradingCommand], None], end_ns: int) -> None:
        super().__init__()
        self._end_ns = end_ns
        self.trace = Trace()
        self._forward = forward
        self._orders: dict[str, int] = {}

    def on_start(self) -> None:
        """Take the place of the engine's execution on the message bus, and listen to what strategies say."""
        self.msgbus.deregister(EXECUTION_ENDPOINT, self._forward)
        self.msgbus.register(EXECUTION_ENDPOINT, self.execute)
        self.clock.set_time_alert_ns("end-of-run", self._end_ns, lambda event: None)
        self.msgbus.subscribe(QUOTING_TOPIC, self._on_quoting)
        self.msgbus.subscribe(ALPHA_TOPICS, self._on_alpha)
        self.msgbus.subscribe(PAIR_TOPIC, self._on_pair)

    def execute(self, command: TradingCommand) -> None:
        """Write a command down and pass it on."""
        now_ns = self.clock.timestamp_ns()
        self.trace.decisions += [(now_ns, told) for told in self._told(command)]
        self._forward(command)

    def _told(self, command: TradingCommand) -> list[str]:
        kind = type(command).__name__
        of = f"{command.strategy_id} {command.instrument_id}"
        if isinstance(command, SubmitOrderList):
            return [self._order(kind, of, order) for order in command.order_list.orders]
        if isinstance(command, SubmitOrder):
            return [self._order(kind, of, command.order)]
        number = self._number(command)
        if isinstance(command, ModifyOrder):
            return [f"{kind} {of} #{number} to {command.quantity} @ {command.price}"]
        return [f"{kind} {of} #{number}"]

    def _order(self, kind: str, of: str, order: Any) -> str:
        price = f" @ {order.price}" if order.has_price else ""
        number = self._orders.setdefault(order.client_order_id.value, len(self._orders) + 1)
        return f"{kind} {of} #{number} {order.side_string()} {order.quantity}{price} {order.type_string()}"

    def _number(self, command: TradingCommand) -> int:
        """Return the how-manieth order a command is about: ids hold the date, and reruns are of another."""
        order_id = getattr(command, "client_order_id", None)
        return 0 if order_id is None else self._orders.setdefault(order_id.value, len(self._orders) + 1)

    def _on_quoting(self, sample: QuotingSample) -> None:
        if sample.fair_value is not None:
            self._note(f"fair value of {sample.strategy_id} {sample.instrument_id}", sample.fair_value)

    def _on_alpha(self, signal: AlphaSignal) -> None:
        self._note(f"signal of {signal.source} {signal.instrument_id}", signal.bps)

    def _on_pair(self, traded: PairTraded) -> None:
        self._note(f"z of {traded.strategy_id}", traded.z)

    def _note(self, name: str, value: float | Decimal) -> None:
        self.trace.outputs.append((self.clock.timestamp_ns(), name, float(value)))

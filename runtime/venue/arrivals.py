"""
Commands on their way to the simulated venue: each takes effect at its arrival, to the nanosecond, whatever else runs.

The engine's own queue for latency is not used, because of three things
(tests/runtime/venue/test_matching_arrivals.py). It is looked at when a market event or a timer comes by, so that on a
quiet market orders arrive late and anybody's timer changes what they meet. With latencies that differ it loses its
order. And what an answer makes a strategy send may be due before a timer that the engine has already taken out. Here
an alert goes off at every arrival, and what arrives is acted on, and answered, within that alert.
"""

from dataclasses import dataclass
from heapq import heappush

from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.execution_client import BacktestExecClient
from nautilus_trader.common.component import TestClock
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.execution.messages import (
    BatchCancelOrders,
    CancelAllOrders,
    CancelOrder,
    ModifyOrder,
    SubmitOrder,
    SubmitOrderList,
    TradingCommand,
)
from nautilus_trader.model.orders import Order

from runtime.venue.matching import SimulatedVenue

_FIRST = "!arrival-"
"""Alerts of one moment go off in the order of their names: what arrives is there before others look."""


@dataclass(frozen=True)
class Delays:
    """
    Nanoseconds from the decision to the venue, at least 1.

    In the very moment in which it is sent nothing arrives: the trade that filled an order would fill its replacement
    too, again and again.
    """

    insert_ns: int = 1
    modify_ns: int = 1
    cancel_ns: int = 1

    def __post_init__(self) -> None:
        if min(self.insert_ns, self.modify_ns, self.cancel_ns) < 1:
            raise ValueError(f"a command takes at least 1 ns to arrive, was {self}")


class DelayedClient(BacktestExecClient):
    """
    The engine's execution client, with the way to the venue in between.

    Parameters
    ----------
    engine : BacktestEngine
        Whose venue has been added.
    venue : SimulatedVenue
        Acts on what has arrived; its exchange has no message queue of its own.
    delays : Delays
        How long commands take.

    """

    def __init__(self, engine: BacktestEngine, venue: SimulatedVenue, delays: Delays) -> None:
        kernel = engine.kernel
        # The venue's first client has registered the kind of account; `frozen_account` only says not to do so twice.
        super().__init__(venue.exchange, kernel.msgbus, kernel.cache, kernel.clock, frozen_account=True)
        self._venue_clock: TestClock = kernel.clock
        self._delays = delays
        self._simulated_venue = venue
        self._in_flight = venue.in_flight
        self._sent = 0
        self._alerts: list[int] = []
        """When alerts go off, the next one last."""

    def submit_order(self, command: SubmitOrder) -> None:
        """Send a new order on its way."""
        self._note_submitted(command.order)
        self._send(command, self._delays.insert_ns)

    def submit_order_list(self, command: SubmitOrderList) -> None:
        """Send several new orders on their way."""
        for order in command.order_list.orders:
            self._note_submitted(order)
        self._send(command, self._delays.insert_ns)

    def modify_order(self, command: ModifyOrder) -> None:
        """Send a change on its way."""
        self._send(command, self._delays.modify_ns)

    def cancel_order(self, command: CancelOrder) -> None:
        """Send a cancellation on its way."""
        self._send(command, self._delays.cancel_ns)

    def cancel_all_orders(self, command: CancelAllOrders) -> None:
        """Send the cancellation of all orders of an instrument on its way."""
        self._send(command, self._delays.cancel_ns)

    def batch_cancel_orders(self, command: BatchCancelOrders) -> None:
        """Send several cancellations on their way."""
        self._send(command, self._delays.cancel_ns)

    def _reset(self) -> None:
        """Forget the alerts when the engine is reset, which has cancelled them."""
        self._alerts.clear()

    def _note_submitted(self, order: Order) -> None:
        self.generate_order_submitted(
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            ts_event=self._venue_clock.timestamp_ns(),
        )

    def _send(self, command: TradingCommand, delay_ns: int) -> None:
        arrival = command.ts_init + delay_ns
        self._sent += 1
        heappush(self._in_flight, (arrival, self._sent, command))
        if not self._alerts or arrival < self._alerts[-1]:
            self._wake_at(arrival)

    def _wake_at(self, arrival: int) -> None:
        """Set an alert that goes off before all others; each one that does sets the next."""
        self._venue_clock.set_time_alert_ns(f"{_FIRST}{len(self._alerts)}", arrival, self._on_arrival)
        self._alerts.append(arrival)

    def _on_arrival(self, event: TimeEvent) -> None:
        self._alerts.pop()
        self._simulated_venue.release(event.ts_event)
        if self._in_flight and (not self._alerts or self._in_flight[0][0] < self._alerts[-1]):
            self._wake_at(self._in_flight[0][0])


def delay_commands(engine: BacktestEngine, venue: SimulatedVenue, delays: Delays) -> None:
    """Put the way to the venue between the engine and a venue that has just been added to it."""
    client = DelayedClient(engine, venue, delays)
    engine.kernel.exec_engine.deregister_client(venue.exchange.exec_client)
    engine.kernel.exec_engine.register_client(client)
    venue.exchange.register_client(client)

"""A venue that refuses orders for a while, between the engine and its exchange."""

from collections.abc import Callable
from typing import Any

from nautilus_trader.common.actor import Actor
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import ModifyOrder, SubmitOrder, SubmitOrderList, TradingCommand
from nautilus_trader.model.events import OrderModifyRejected, OrderRejected, OrderSubmitted
from nautilus_trader.model.orders import Order

from runtime.drills.faults import Fault

EXECUTION_ENDPOINT = "ExecEngine.execute"
_EVENTS_ENDPOINT = "ExecEngine.process"
REASON = "drill: the venue refuses orders"


class RefusingVenue(Actor):
    """
    Refuses new and changed orders while the fault lasts, as long after they were sent as the venue would take.

    Everything else passes, cancellations too. The engine, the cache and the strategy see what they see when an exchange
    refuses: the order is submitted, and then it is rejected.

    Parameters
    ----------
    fault : Fault
        When, and of which instruments.
    delays_ns : tuple of int
        How long the answer to a new and to a changed order takes, in ns.
    forward : callable
        Takes the commands that pass: the handler that stood at the engine's endpoint.

    """

    def __init__(self, fault: Fault, delays_ns: tuple[int, int], forward: Callable[[TradingCommand], None]) -> None:
        super().__init__()
        self._fault = fault
        self._new_ns, self._change_ns = (max(1, delay) for delay in delays_ns)
        self._forward = forward

    def on_start(self) -> None:
        """Take the place of the engine's execution on the message bus."""
        self.msgbus.deregister(EXECUTION_ENDPOINT, self._forward)
        self.msgbus.register(EXECUTION_ENDPOINT, self.execute)

    def execute(self, command: TradingCommand) -> None:
        """Pass a command on, or refuse it."""
        if not self._refuses(command):
            self._forward(command)
        elif isinstance(command, SubmitOrder):
            self._refuse_new(command.order)
        elif isinstance(command, SubmitOrderList):
            for order in command.order_list.orders:
                self._refuse_new(order)
        else:
            self._refuse_change(command)

    def _refuses(self, command: TradingCommand) -> bool:
        if not isinstance(command, (SubmitOrder, SubmitOrderList, ModifyOrder)):
            return False
        fault = self._fault
        return (
            command.instrument_id.value in fault.instruments and fault.at_ns <= self.clock.timestamp_ns() < fault.end_ns
        )

    def _refuse_new(self, order: Order) -> None:
        names = (order.trader_id, order.strategy_id, order.instrument_id, order.client_order_id)
        account_id = self.cache.account_for_venue(order.instrument_id.venue).id
        now_ns = self.clock.timestamp_ns()
        self._tell(OrderSubmitted(*names, account_id, UUID4(), now_ns, now_ns))

        def reject(ts_ns: int) -> None:
            self._tell(OrderRejected(*names, account_id, REASON, UUID4(), ts_ns, ts_ns))

        self._later(f"new-{order.client_order_id}", self._new_ns, reject)

    def _refuse_change(self, command: ModifyOrder) -> None:
        order = self.cache.order(command.client_order_id)
        names = (order.trader_id, order.strategy_id, order.instrument_id, order.client_order_id)

        def reject(ts_ns: int) -> None:
            if not order.is_closed:
                ids = (order.venue_order_id, order.account_id)
                self._tell(OrderModifyRejected(*names, *ids, REASON, UUID4(), ts_ns, ts_ns))

        self._later(f"change-{command.id}", self._change_ns, reject)

    def _tell(self, event: Any) -> None:
        self.msgbus.send(_EVENTS_ENDPOINT, event)

    def _later(self, name: str, delay_ns: int, reject: Callable[[int], None]) -> None:
        at_ns = self.clock.timestamp_ns() + delay_ns
        self.clock.set_time_alert_ns(f"drill-{name}", at_ns, lambda event: reject(event.ts_event))

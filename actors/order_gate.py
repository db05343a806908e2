"""The gate in front of the engine: an order that did not ask the guard is asked for here, and denied if it must be."""

from collections.abc import Callable

from nautilus_trader.common.actor import Actor
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import ModifyOrder, SubmitOrder, SubmitOrderList, TradingCommand
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderDenied, OrderModifyRejected
from nautilus_trader.model.objects import Price
from nautilus_trader.model.orders import Order

from actors.risk_guard import RiskGuard
from messages.risk import OrderRequest

ENGINE_ENDPOINT = "RiskEngine.execute"
_EVENTS_ENDPOINT = "ExecEngine.process"


class OrderGate(Actor):
    """
    Stands between every strategy and the engine, so that no order passes unseen, however it is sent.

    An order that the guard has approved passes once for each approval. Any other new or changed order is held against
    the guard's rules here; a refused one is denied with an event, as the engine's own risk checks do it. Cancellations
    and everything else pass.

    Parameters
    ----------
    guard : RiskGuard
        Answers for the orders.
    forward : callable
        Takes the commands that pass: the handler that stood at the engine's endpoint.

    """

    def __init__(self, guard: RiskGuard, forward: Callable[[TradingCommand], None]) -> None:
        super().__init__()
        self._guard = guard
        self._forward = forward
        self._passes: set[str] = set()

    def on_start(self) -> None:
        """Take the engine's place on the message bus; the engine gets what passes."""
        self.msgbus.deregister(ENGINE_ENDPOINT, self._forward)
        self.msgbus.register(ENGINE_ENDPOINT, self.execute)
        self._passes = self._guard.passes

    def on_reset(self) -> None:
        """Forget the passes, so that the next run starts like the first."""
        self._passes = set()

    def execute(self, command: TradingCommand) -> None:
        """Let a command pass, or deny it."""
        if isinstance(command, ModifyOrder):  # looked at first: nearly all commands of a maker on futures are
            order_id = command.client_order_id.value
            if order_id in self._passes:  # `_has_pass`, without a call
                self._passes.remove(order_id)
                refused = False
            else:
                refused = self._modify_refused(command)
        elif isinstance(command, SubmitOrder):
            refused = self._submit_refused([command.order])
        elif isinstance(command, SubmitOrderList):
            refused = self._submit_refused(command.order_list.orders)
        else:
            refused = False
        if not refused:
            self._forward(command)

    def _has_pass(self, order_id: str) -> bool:
        if order_id in self._passes:
            self._passes.remove(order_id)
            return True
        return False

    def _submit_refused(self, orders: list[Order]) -> bool:
        reason = None
        for order in orders:
            if not self._has_pass(order.client_order_id.value):
                reason = reason or self._ask(order, order.leaves_qty.raw, order.price if order.has_price else None)
        if reason is not None:
            for order in orders:
                self._deny(order, reason)
        return reason is not None

    def _modify_refused(self, command: ModifyOrder) -> bool:
        order = self.cache.order(command.client_order_id)
        if order is None:
            return False
        quantity = order.leaves_qty.raw
        if command.quantity is not None:
            quantity = command.quantity.raw - order.filled_qty.raw
        price = command.price or (order.price if order.has_price else None)
        reason = self._ask(order, quantity, price)
        if reason is not None:
            self._reject_modification(order, reason)
        return reason is not None

    def _ask(self, order: Order, quantity: int, price: Price | None) -> str | None:
        request = OrderRequest(
            order.client_order_id.value,
            order.strategy_id.value,
            order.instrument_id.value,
            1 if order.side == OrderSide.BUY else -1,
            None if price is None else price.raw,
            quantity,
        )
        self._guard.answer(request)
        self._has_pass(order.client_order_id.value)
        return None if request.approved else f"refused by the guard: {request.refusal}"

    def _deny(self, order: Order, reason: str) -> None:
        event = OrderDenied(
            order.trader_id,
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            reason,
            UUID4(),
            self.clock.timestamp_ns(),
        )
        self.msgbus.send(_EVENTS_ENDPOINT, event)

    def _reject_modification(self, order: Order, reason: str) -> None:
        now_ns = self.clock.timestamp_ns()
        event = OrderModifyRejected(
            order.trader_id,
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            order.venue_order_id,
            order.account_id,
            reason,
            UUID4(),
            now_ns,
            now_ns,
        )
        self.msgbus.send(_EVENTS_ENDPOINT, event)

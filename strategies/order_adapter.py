"""The few calls to the engine's order interface; the next major version changes this file."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.instruments import CurrencyPair, Instrument
from nautilus_trader.trading.strategy import Strategy

from messages.risk import GLANCE_ENDPOINT, GUARD_ENDPOINT, GlanceRequest, OrderRequest
from models.market_making.quote_plan import Quote, Side, WorkingOrder
from models.risk_limits import Breach
from strategies.grid import Grid

ORDER_SIDES = {Side.BID: OrderSide.BUY, Side.ASK: OrderSide.SELL}


class OrderAdapter:
    """
    Sends quotes of one strategy on one instrument as post-only limit orders, by client order id.

    Where the system has a guard, it is asked first, and what it refuses is not sent.
    """

    def __init__(self, strategy: Strategy, instrument: Instrument, grid: Grid) -> None:
        self._strategy = strategy
        self._instrument_id = instrument.id
        self._grid = grid
        self._send = strategy.msgbus.send
        self._tick_raw, self._step_raw = grid.tick_raw, grid.step_raw
        self._names = (strategy.id.value, instrument.id.value)
        self._has_guard = GUARD_ENDPOINT in strategy.msgbus.endpoints()
        self._opens, self._moves = self._glances()
        self.can_modify = not isinstance(instrument, CurrencyPair)  # Binance spot has no modification

    def _glances(self) -> tuple[Callable[[str, int, int, int], bool], Callable[[str, int, int], bool]]:
        if not self._has_guard:
            return _nobody_objects, _nobody_objects
        request = GlanceRequest(*self._names)
        self._send(GLANCE_ENDPOINT, request)
        return request.opens or _nobody_knows, request.moves or _nobody_knows

    def new_order_id(self) -> str:
        """Return a client order id that has not been used."""
        return str(self._strategy.order_factory.generate_client_order_id().value)

    def would_be_refused(self, quote: Quote) -> Breach | None:
        """Return which rule of the guard would refuse an order, without sending it; None if none would."""
        return self._ask("", quote, binding=False).refusal if self._has_guard else None

    def _may_send(self, order_id: str, quote: Quote) -> bool:
        return not self._has_guard or self._ask(order_id, quote).approved

    def _ask(self, order_id: str, quote: Quote, closing: bool = False, binding: bool = True) -> OrderRequest:
        """Return the guard's answer."""
        (strategy, instrument), (side, price, quantity) = self._names, quote
        price_raw = None if closing else price * self._tick_raw
        request = OrderRequest(
            order_id, strategy, instrument, side.sign, price_raw, quantity * self._step_raw, closing, binding
        )
        self._send(GUARD_ENDPOINT, request)
        return request

    def submit(self, order_id: str, quote: Quote) -> bool:
        """Send a new post-only limit order; return whether the guard allowed it."""
        side, price, lots = quote
        opens = self._opens(order_id, side.sign, price * self._tick_raw, lots * self._step_raw)
        if not (opens or self._may_send(order_id, quote)):
            return False
        order = self._strategy.order_factory.limit(
            self._instrument_id,
            ORDER_SIDES[quote.side],
            self._grid.engine_quantity(quote.quantity),
            self._grid.engine_price(quote.price),
            post_only=True,
            client_order_id=ClientOrderId(order_id),
        )
        self._strategy.submit_order(order)
        return True

    def modify(self, order: WorkingOrder, quote: Quote) -> bool:
        """
        Move a working order; its total quantity becomes what is filled plus what is wanted.

        Return whether the guard allowed it.
        """
        order_id = order.order_id
        _, price, lots = quote
        if not (
            self._moves(order_id, price * self._tick_raw, lots * self._step_raw) or self._may_send(order_id, quote)
        ):
            return False
        engine_order = self._strategy.cache.order(ClientOrderId(order_id))
        filled_lots = engine_order.filled_qty.raw // self._grid.step_raw
        quantity = self._grid.engine_quantity(filled_lots + quote.quantity)
        self._strategy.modify_order(engine_order, quantity=quantity, price=self._grid.engine_price(quote.price))
        return True

    def close(self, lots: int) -> str | None:
        """
        Send a market order that brings a position of `lots` to nothing; return its id, None if the guard refused it.

        On futures it only reduces; on spot the engine has no such order, and the guard holds it to the position. So it
        does where another strategy holds a position: the venue knows only what is left of both, and would refuse it.

        On spot the engine rounds a position at every fill whose fee is taken from the base asset. The guard's books are
        exact: what they leave of the order is sent.
        """
        side = Side.ASK if lots > 0 else Side.BID
        order_id = self.new_order_id()
        refusal = self._closing_refusal(order_id, Quote(side, 0, abs(lots)))
        if refusal is not None and refusal.rule == "reduce_only":
            lots = self._grid.lots(refusal.limit)
            refusal = self._closing_refusal(order_id, Quote(side, 0, lots)) if lots else refusal
        if refusal is not None:
            return None
        order = self._strategy.order_factory.market(
            self._instrument_id,
            ORDER_SIDES[side],
            self._grid.engine_quantity(abs(lots)),
            reduce_only=self.can_modify and self._is_alone(),
            client_order_id=ClientOrderId(order_id),
        )
        self._strategy.submit_order(order)
        return order_id

    def _closing_refusal(self, order_id: str, quote: Quote) -> Breach | None:
        return self._ask(order_id, quote, closing=True).refusal if self._has_guard else None

    def _is_alone(self) -> bool:
        positions = self._strategy.cache.positions_open(instrument_id=self._instrument_id)
        return all(position.strategy_id == self._strategy.id for position in positions)

    def traded_lots(self) -> int:
        """Return what this strategy has traded and still holds, in whole lots; on spot no more than can be sold."""
        strategy = self._strategy
        positions = strategy.cache.positions_open(instrument_id=self._instrument_id, strategy_id=strategy.id)
        lots = self._grid.lots(sum((position.signed_decimal_qty() for position in positions), Decimal(0)))
        if self.can_modify or lots <= 0:
            return lots
        instrument = strategy.cache.instrument(self._instrument_id)
        held = strategy.portfolio.account(self._instrument_id.venue).balance_total(instrument.base_currency)
        return min(lots, 0 if held is None else self._grid.lots(held.as_decimal()))

    def cancel(self, order: WorkingOrder) -> None:
        """Cancel a working order."""
        self._strategy.cancel_order(self._strategy.cache.order(ClientOrderId(order.order_id)))

    def cancel_all(self, order_ids: Iterable[str]) -> None:
        """Cancel every order of the list that is not closed, in flight or not."""
        orders = (self._strategy.cache.order(ClientOrderId(order_id)) for order_id in order_ids)
        for order in [order for order in orders if order is not None and not order.is_closed]:
            self._strategy.cancel_order(order)

    def of_others(self) -> list[WorkingOrder]:
        """Return the orders of other strategies on the instrument as orders that hang: ours may not meet them."""
        cache = self._strategy.cache
        if cache.strategy_ids() <= {self._strategy.id}:  # those that have sent an order
            return []
        orders = [*cache.orders_open(instrument_id=self._instrument_id), *cache.orders_inflight()]
        return [
            WorkingOrder(
                order.client_order_id.value,
                Side.BID if order.side == OrderSide.BUY else Side.ASK,
                order.price.raw // self._grid.tick_raw,
                order.leaves_qty.raw // self._grid.step_raw,
                hanging=True,
            )
            for order in orders
            if order.instrument_id == self._instrument_id and order.strategy_id != self._strategy.id and order.has_price
        ]

    def is_gone(self, order_id: str) -> bool:
        """Return whether the order can no longer fill."""
        order = self._strategy.cache.order(ClientOrderId(order_id))
        return order is None or bool(order.is_closed)

    def filled_and_left(self, order_id: str) -> tuple[int, int]:
        """Return what has been filled of an order and what may still fill, in lots."""
        order = self._strategy.cache.order(ClientOrderId(order_id))
        if order is None or order.is_closed:
            return 0, 0
        return order.filled_qty.raw // self._grid.step_raw, order.leaves_qty.raw // self._grid.step_raw


def _nobody_objects(*_: object) -> bool:
    return True


def _nobody_knows(*_: object) -> bool:
    return False

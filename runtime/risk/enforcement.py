"""What a kill switch does to the engine: the trading state, and what strategies have left undone."""

from collections.abc import Iterator
from decimal import Decimal

from nautilus_trader.model.enums import OrderSide, OrderType, TradingState
from nautilus_trader.model.identifiers import InstrumentId, StrategyId
from nautilus_trader.model.instruments import CurrencyPair, Instrument
from nautilus_trader.model.orders import Order
from nautilus_trader.system.kernel import NautilusKernel
from nautilus_trader.trading.strategy import Strategy

from actors.kill_switch import TradingStateName
from actors.risk_guard import RiskGuard
from messages.risk import OrderRequest
from models.risk_exposure import Exposure
from models.risk_limits import Breach
from models.risk_state import ActionName


class Enforcement:
    """
    Acts in the name of strategies, through the order interface that each of them has.

    What is held is taken from the guard's books: on spot the engine rounds a position at every fill whose fee is taken
    from the base asset, and with time it holds what is not there.

    Parameters
    ----------
    kernel : NautilusKernel
        The system.
    guard : RiskGuard
        Keeps exact books, and approves what closes.

    """

    def __init__(self, kernel: NautilusKernel, guard: RiskGuard) -> None:
        self._kernel = kernel
        self._guard = guard

    def set_trading_state(self, name: TradingStateName) -> None:
        """
        Set the trading state of the engine, which denies orders by itself as the last line.

        It takes a spot position for long that is short by a few rounded fees, and would deny what closes it: on spot
        the guard and the gate reduce alone.
        """
        if name == "REDUCING" and any(isinstance(self._instrument(key), CurrencyPair) for key, _ in self._books()):
            name = "ACTIVE"
        if self._kernel.risk_engine.trading_state != TradingState[name]:
            self._kernel.risk_engine.set_trading_state(TradingState[name])

    def _instrument(self, instrument_id: InstrumentId) -> Instrument:
        return self._kernel.cache.instrument(instrument_id)

    def knows(self, strategy: str) -> bool:
        """Return whether there is such a strategy."""
        return any(known.id.value == strategy for known in self._kernel.trader.strategies())

    def is_flat(self, strategy: str | None) -> bool:
        """Return whether a strategy, or all of them, hold no more than is too small for any order."""
        return not any(
            self._closable_lots(instrument_id, book.position)
            for instrument_id, books in self._books()
            for name, book in books.items()
            if strategy in (None, name)
        )

    def enforce(self, strategy: str, action: ActionName) -> None:
        """
        Cancel the orders of a strategy that an action does not allow, and close its positions if it asks for that.

        Nothing is done twice: what is being cancelled already is left, and nothing is closed while an order is open.
        """
        owner = self._owner(strategy)
        if owner is None:
            return
        cache, strategy_id = self._kernel.cache, owner.id
        orders = [*cache.orders_open(strategy_id=strategy_id), *cache.orders_emulated(strategy_id=strategy_id)]
        for order in orders:
            if self._must_go(order, action):
                owner.cancel_order(order)
        if action == "flatten" and not orders and not cache.orders_inflight_count(strategy_id=strategy_id):
            for instrument_id, books in self._books():
                if strategy in books:
                    self._close(owner, instrument_id, books[strategy].position)

    def _books(self) -> Iterator[tuple[InstrumentId, dict[str, Exposure]]]:
        for name, book in self._guard.exposures.items():
            yield InstrumentId.from_str(name), book.by_strategy

    def _owner(self, strategy: str) -> Strategy | None:
        """Return the strategy; None for one that is not of this process, whose orders only the venue can cancel."""
        strategy_id = StrategyId(strategy)
        return next((known for known in self._kernel.trader.strategies() if known.id == strategy_id), None)

    def _must_go(self, order: Order, action: ActionName) -> bool:
        if order.is_pending_cancel or order.order_type == OrderType.MARKET:
            return False
        if action in ("cancel", "flatten"):
            return True
        held = self._guard.exposures[order.instrument_id.value].of(order.strategy_id.value).position
        return not (held < 0 if order.side == OrderSide.BUY else held > 0)

    def _closable_lots(self, instrument_id: InstrumentId, held: Decimal) -> int:
        """Return how much of a position can be closed, in whole lots; 0 for what is worth too little on spot."""
        instrument = self._instrument(instrument_id)
        lot = instrument.size_increment.as_decimal()
        lots = int(abs(held) // lot)
        if not lots or not isinstance(instrument, CurrencyPair) or instrument.min_notional is None:
            return lots
        quote = self._kernel.cache.quote_tick(instrument_id)
        small = quote is not None and lots * lot * quote.bid_price.as_decimal() < instrument.min_notional.as_decimal()
        return 0 if small else lots

    def _close(self, owner: Strategy, instrument_id: InstrumentId, held: Decimal) -> None:
        """Close a position with a market order, as far as the guard allows it and the balance of a spot account."""
        lots = self._closable_lots(instrument_id, held)
        instrument = self._instrument(instrument_id)
        lot = instrument.size_increment.as_decimal()
        if isinstance(instrument, CurrencyPair) and held > 0:
            owned = owner.portfolio.account(instrument_id.venue).balance_total(instrument.base_currency)
            lots = min(lots, 0 if owned is None else int(owned.as_decimal() // lot))
        if not lots:
            return
        side = OrderSide.SELL if held > 0 else OrderSide.BUY
        refusal = self._send_close(owner, instrument, side, lots * lot)
        if refusal is not None and refusal.rule == "max_position_qty":
            within_limit = (lots * lot - (refusal.value - refusal.limit)) // lot * lot
            if within_limit > 0:
                self._send_close(owner, instrument, side, within_limit)

    def _send_close(self, owner: Strategy, instrument: Instrument, side: OrderSide, quantity: Decimal) -> Breach | None:
        """Send a market order if the guard approves; return what it says otherwise."""
        order_id = owner.order_factory.generate_client_order_id()
        names = (order_id.value, owner.id.value, instrument.id.value)
        sign = 1 if side == OrderSide.BUY else -1
        request = OrderRequest(*names, sign, None, instrument.make_qty(quantity).raw, closing=True)
        self._guard.answer(request)
        if request.approved:
            order = owner.order_factory.market(
                instrument.id,
                side,
                instrument.make_qty(quantity),
                reduce_only=self._may_reduce_only(owner, instrument),
                client_order_id=order_id,
            )
            owner.submit_order(order)
        return request.refusal

    def _may_reduce_only(self, owner: Strategy, instrument: Instrument) -> bool:
        """Return whether the venue sees the position that is closed: it knows what is left of all strategies' alone."""
        others = {position.strategy_id for position in self._kernel.cache.positions_open(instrument_id=instrument.id)}
        return not isinstance(instrument, CurrencyPair) and others <= {owner.id}

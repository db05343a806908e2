"""One leg of a pair: what is held of it, and its orders, which wait at the touch or take what is there."""

from decimal import Decimal

from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.instruments import CurrencyPair, Instrument
from nautilus_trader.trading.strategy import Strategy

from models.market_making.quote_plan import Quote, Side, Submit
from models.pairs.edge import LegCost
from models.pairs.leg_operation import LegOrder, LegView
from models.risk_limits import Breach
from strategies.crossing import Crossing, CrossingAdapter
from strategies.grid import Grid
from strategies.holdings import balance
from strategies.order_adapter import OrderAdapter
from strategies.working_orders import WorkingOrders


class BookedAdapter(CrossingAdapter):
    """Keeps an exact book of what was traded: on spot the engine rounds a position with each fee in the base asset."""

    def __init__(self, strategy: Strategy, instrument: Instrument, grid: Grid) -> None:
        super().__init__(strategy, instrument, grid)
        self._instrument = instrument
        positions = strategy.cache.positions_open(instrument_id=instrument.id, strategy_id=strategy.id)
        self.position = sum((position.signed_decimal_qty() for position in positions), Decimal(0))

    def book(self, event: OrderFilled) -> None:
        """Take over a fill, less the fee that was taken from it."""
        quantity = event.last_qty.as_decimal()
        self.position += quantity if event.order_side == OrderSide.BUY else -quantity
        fee = event.commission
        if fee is not None and isinstance(self._instrument, CurrencyPair):
            self.position -= fee.as_decimal() if fee.currency == self._instrument.base_currency else 0

    def traded_lots(self) -> int:
        """Return what is held by the book, in whole lots; on spot no more than can be sold."""
        lots = self._grid.lots(self.position)
        if self.can_modify or lots <= 0:
            return lots
        return min(lots, self._grid.lots(balance(self._strategy, self._instrument, self._instrument.base_currency)))


class PairLeg(Crossing):
    """
    A leg, by what this strategy has traded of it.

    On spot nothing can be borrowed: a leg is sold short out of what the account holds of it.

    Parameters
    ----------
    strategy, instrument, max_slippage_bps
        As of `Crossing`.

    """

    def __init__(self, strategy: Strategy, instrument: Instrument, max_slippage_bps: float) -> None:
        super().__init__(strategy, instrument, max_slippage_bps)
        self.adapter: BookedAdapter
        self.resting = WorkingOrders(OrderAdapter(strategy, instrument, self.grid))
        self.failures = 0
        """Orders in a row that came to nothing."""
        self._untouched: set[str] = set()
        self._cancelling = False

    def _new_adapter(self, strategy: Strategy, instrument: Instrument) -> BookedAdapter:
        return BookedAdapter(strategy, instrument, self.grid)

    # -- What is held and what it costs -------------------------------------------------------------------------------

    def lot_value(self) -> Decimal:
        """Return what one lot is worth at the mid, in the quote currency."""
        return self.mid() * self.grid.step

    def least_lots(self) -> int:
        """Return the smallest order that the venue takes at the bid, and at the worst price an order may have."""
        bid, ask = self.touch()
        return self.grid.min_lots(max(1, self._limit(Side.ASK, bid, ask)))

    def view(self) -> LegView:
        """Return the leg as the rules of legs see it."""
        held, least = self.adapter.traded_lots(), self.least_lots()
        return LegView(held, least, self.is_live, self.failures, resting=bool(self.resting.all()))

    def cost(self, passive: bool) -> LegCost:
        """Return what trading it costs."""
        if passive:
            return LegCost(float(self.instrument.maker_fee), 0.0)
        return LegCost(float(self.instrument.taker_fee), float(self.half_spread()))

    def would_be_refused(self, lots: int) -> Breach | None:
        """Return which rule of the guard would refuse an order for signed lots now."""
        side = Side.BID if lots > 0 else Side.ASK
        return self.adapter.would_be_refused(Quote(side, self._limit(side, *self.touch()), abs(lots)))

    def price_of(self, lots: int) -> Decimal:
        """Return what `lots` to buy may cost at most, 0 for lots to sell, in the quote currency."""
        bid, ask = self.touch()
        return max(lots, 0) * self.grid.step * self.grid.price(self._limit(Side.BID, bid, ask))

    def can_deliver(self, lots: int) -> bool:
        """Return whether `lots` can be sold: on futures always, on spot out of what the account holds."""
        if lots >= 0 or not isinstance(self.instrument, CurrencyPair):
            return True
        free = balance(self._strategy, self.instrument, self.instrument.base_currency, free=True)
        return -lots * self.grid.step <= free

    # -- Orders -------------------------------------------------------------------------------------------------------

    @property
    def is_live(self) -> bool:
        """Whether an order may still fill."""
        return bool(self.orders.all() or self.resting.all())

    def place(self, order: LegOrder, now_ns: int) -> bool:
        """Send an order; return whether it left, and count it as a failure if not."""
        side, lots = (Side.BID if order.lots > 0 else Side.ASK), abs(order.lots)
        self._cancelling = False
        if order.passive:
            bid, ask = self.touch()
            self.resting.execute(Submit(Quote(side, bid if side is Side.BID else ask, lots)), now_ns)
        else:
            self.send(side, lots, now_ns)
        self._untouched |= {working.order_id for working in (*self.orders.all(), *self.resting.all())}
        self.failures += not self.is_live
        return self.is_live

    def cancel(self) -> None:
        """Cancel every order of the leg; asked again, nothing more is sent."""
        if not self._cancelling:
            self._cancelling = True
            self.cancel_all()

    def cancel_all(self) -> None:
        """Cancel every order of the leg, even those whose cancellation is on its way."""
        super().cancel_all()
        self.resting.cancel_all()

    def withdraw(self) -> None:
        """Cancel every order; once they are gone, close the position at the market if the risk state asks for it."""
        if self.is_live:
            self.cancel()
        elif abs(self.adapter.traded_lots()) >= self.least_lots():
            self._cancelling = False
            self.risk.withdraw(self.orders)

    def cancel_if_left_behind(self) -> None:
        """Cancel an order that waits elsewhere than at the touch, so that it can be sent again."""
        bid, ask = self.touch()
        if any(order.price != (bid if order.side is Side.BID else ask) for order in self.resting.all()):
            self.cancel()

    def cancel_older_than(self, placed_ns: int) -> None:
        """Forget orders that are closed though nobody said so, and cancel what was sent before and has not filled."""
        for working in (self.orders, self.resting):
            for order in working.all():
                working.settled(order.order_id)
        if any(order.placed_ns <= placed_ns for order in self.orders.all()):
            self.cancel()

    # -- Order events -------------------------------------------------------------------------------------------------

    def filled(self, event: OrderFilled) -> None:
        """Take over a fill."""
        order_id = event.client_order_id.value
        self.failures = 0
        self.adapter.book(event)
        self._untouched.discard(order_id)
        super().filled(event)
        self.resting.filled(order_id)

    def not_cancelled(self, order_id: str) -> None:
        """Take the order as it is; it may be cancelled again."""
        self._cancelling = False
        super().not_cancelled(order_id)
        self.resting.settled(order_id)

    def gone(self, order_id: str, rejected: bool) -> None:
        """Forget an order; one that crossed and filled nothing, or was rejected, is a failure."""
        crossed = self.orders.gone(order_id)
        known = self.resting.gone(order_id) or crossed
        if known and order_id in self._untouched and (rejected or crossed):
            self.failures += 1
        self._untouched.discard(order_id)

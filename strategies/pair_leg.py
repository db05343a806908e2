"""One leg of a pair: what is held of it, and its orders, which wait at the touch or take what is there."""

from decimal import Decimal

from nautilus_trader.model.instruments import CurrencyPair, Instrument
from nautilus_trader.trading.strategy import Strategy

from models.market_making.quote_plan import Quote, Side, Submit
from models.pairs.edge import LegCost
from models.pairs.leg_operation import LegOrder, LegView
from strategies.crossing import Crossing
from strategies.holdings import balance
from strategies.order_adapter import OrderAdapter
from strategies.working_orders import WorkingOrders


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
        self.resting = WorkingOrders(OrderAdapter(strategy, instrument, self.grid))
        self.failures = 0
        """Orders in a row that came to nothing."""
        self._untouched: set[str] = set()
        self._cancelling = False

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

    def quote_age_ns(self, now_ns: int) -> int:
        """Return how old the last quote is."""
        return now_ns - int(self._strategy.cache.quote_tick(self.id).ts_init)

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
            self.orders.cancel_all()
            self.resting.cancel_all()

    def withdraw(self) -> None:
        """Cancel every order; once they are gone, close the position at the market if the risk state asks for it."""
        if self.is_live:
            self.cancel()
        else:
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

    def filled(self, order_id: str) -> None:
        """Take over a fill."""
        self.failures = 0
        self._untouched.discard(order_id)
        self.orders.filled(order_id)
        self.resting.filled(order_id)

    def not_cancelled(self, order_id: str) -> None:
        """Take the order as it is; it may be cancelled again."""
        self._cancelling = False
        self.orders.settled(order_id)
        self.resting.settled(order_id)

    def gone(self, order_id: str, rejected: bool = False) -> None:
        """Forget an order; one that crossed and filled nothing, or was rejected, is a failure."""
        crossed = self.orders.gone(order_id)
        known = self.resting.gone(order_id) or crossed
        if known and order_id in self._untouched and (rejected or crossed):
            self.failures += 1
        self._untouched.discard(order_id)

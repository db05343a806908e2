"""An instrument of a strategy that takes liquidity: orders that fill at once or not at all."""

from decimal import ROUND_CEILING, Decimal

from nautilus_trader.model.enums import TimeInForce
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.instruments import CurrencyPair, Instrument
from nautilus_trader.trading.strategy import Strategy

from models.market_making.quote_plan import Quote, Side, Submit
from models.portfolio.lots import Holding
from strategies.grid import Grid
from strategies.holdings import balance
from strategies.order_adapter import ORDER_SIDES, OrderAdapter
from strategies.risk_obedience import RiskObedience
from strategies.working_orders import WorkingOrders

_BPS = Decimal("0.0001")


class CrossingAdapter(OrderAdapter):
    """Sends limit orders that take what is there up to their price, and whose rest is cancelled at once."""

    sent = 0
    """How many orders have left."""

    def submit(self, order_id: str, quote: Quote) -> bool:
        """Send an immediate-or-cancel limit order; return whether the guard allowed it."""
        if not self._may_send(order_id, quote):
            return False
        order = self._strategy.order_factory.limit(
            self._instrument_id,
            ORDER_SIDES[quote.side],
            self._grid.engine_quantity(quote.quantity),
            self._grid.engine_price(quote.price),
            time_in_force=TimeInForce.IOC,
            client_order_id=ClientOrderId(order_id),
        )
        self.sent += 1
        self._strategy.submit_order(order)
        return True


class Crossing:
    """
    An instrument in a strategy that crosses the spread.

    Parameters
    ----------
    strategy : Strategy
        Whose orders they are.
    instrument : Instrument
        What is traded.
    max_slippage_bps : float
        How far beyond the touch an order may fill.

    """

    def __init__(self, strategy: Strategy, instrument: Instrument, max_slippage_bps: float) -> None:
        self.instrument = instrument
        self.id = instrument.id
        self.grid = Grid.steps_of(instrument)
        self._strategy = strategy
        self._slippage = Decimal(repr(max_slippage_bps)) * _BPS
        self.adapter = self._new_adapter(strategy, instrument)
        self.orders = WorkingOrders(self.adapter)
        self.risk = RiskObedience(strategy.id.value, self.adapter, self.grid)

    def _new_adapter(self, strategy: Strategy, instrument: Instrument) -> CrossingAdapter:
        return CrossingAdapter(strategy, instrument, self.grid)

    # -- The market ---------------------------------------------------------------------------------------------------

    @property
    def has_market(self) -> bool:
        """Whether there has been a quote."""
        return self._strategy.cache.quote_tick(self.id) is not None

    def touch(self) -> tuple[int, int]:
        """Return the last bid and ask, in ticks."""
        quote = self._strategy.cache.quote_tick(self.id)
        return quote.bid_price.raw // self.grid.tick_raw, quote.ask_price.raw // self.grid.tick_raw

    def mid(self) -> Decimal:
        """Return the middle of the last quote."""
        bid, ask = self.touch()
        return self.grid.tick * (bid + ask) / 2

    def half_spread(self) -> Decimal:
        """Return half the distance of bid and ask, as a share of the mid."""
        bid, ask = self.touch()
        return Decimal(ask - bid) / (ask + bid)

    # -- Orders -------------------------------------------------------------------------------------------------------

    def limit_price(self, side: Side) -> int | None:
        """
        Return how far an order may go, in ticks; None if it would meet an order of this system before the market's.

        Orders of other strategies on the instrument are not traded with: the price stays short of them.
        """
        bid, ask = self.touch()
        limit = self._limit(side, bid, ask)
        others = [order.price for order in self.adapter.of_others() if order.side is not side]
        if side is Side.BID:
            limit = min([limit, *(price - 1 for price in others)])
            return limit if limit >= ask else None
        limit = max([limit, *(price + 1 for price in others)])
        return limit if limit <= bid else None

    def _limit(self, side: Side, bid: int, ask: int) -> int:
        return int(ask * (1 + self._slippage)) if side is Side.BID else _ceiling(bid * (1 - self._slippage))

    def send(self, side: Side, lots: int, now_ns: int) -> None:
        """Send an order for `lots`, if there is a price for it that meets no order of this system."""
        price = self.limit_price(side)
        if price is not None and lots > 0:
            self.orders.execute(Submit(Quote(side, price, lots)), now_ns)

    def cancel_all(self) -> None:
        """Cancel every order of the strategy on the instrument."""
        self.orders.cancel_all()

    # -- Order events -------------------------------------------------------------------------------------------------

    def filled(self, event: OrderFilled) -> None:
        """Take over a fill."""
        self.orders.filled(event.client_order_id.value)

    def not_cancelled(self, order_id: str) -> None:
        """Take the order as it is."""
        self.orders.settled(order_id)

    def gone(self, order_id: str, rejected: bool) -> None:
        """Forget an order that is closed or was `rejected`."""
        self.orders.gone(order_id)


class CrossingAsset(Crossing):
    """
    A spot pair in a strategy that crosses the spread, and what the account holds of its base asset.

    Parameters
    ----------
    strategy, instrument, max_slippage_bps
        As of `Crossing`.
    min_trade_quote : float
        The smallest order, besides the venue's own minimum.

    """

    def __init__(
        self, strategy: Strategy, instrument: CurrencyPair, max_slippage_bps: float, min_trade_quote: float
    ) -> None:
        super().__init__(strategy, instrument, max_slippage_bps)
        self._min_trade = Decimal(repr(min_trade_quote))

    def cost(self) -> Decimal:
        """Return what a trade costs against the mid, as a share of its value: the taker fee and half the spread."""
        return Decimal(self.instrument.taker_fee) + self.half_spread()

    def held(self) -> Decimal:
        """Return the balance of the base asset."""
        return balance(self._strategy, self.instrument, self.instrument.base_currency)

    def holding(self) -> Holding:
        """Return what is held and what an order must obey."""
        bid, ask = self.touch()
        mid = self.mid()
        own_least = _ceiling(self._min_trade / (mid * self.grid.step))
        return Holding(
            quantity=self.held(),
            free=balance(self._strategy, self.instrument, self.instrument.base_currency, free=True),
            mid=mid,
            step=self.grid.step,
            least_lots=max(own_least, self.grid.min_lots(max(1, min(bid, self._limit(Side.ASK, bid, ask))))),
            fee=Decimal(self.instrument.taker_fee),
        )


def _ceiling(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_CEILING))

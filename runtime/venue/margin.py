"""
Margin at the simulated venue: orders without it are refused, and positions without it are liquidated.

The engine's own accounts (1.231) do neither: a position of 36,000 USDT is filled on a balance of 100 USDT and kept.

A liquidation happens when the first quote leaves too little: all orders are cancelled, the positions close at that
quote's touch, whatever size it shows, with the taker fee, and the liquidation fee is taken from what is left. What the
account cannot pay the venue bears. From then on every order is refused: the account is not traded any further.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import count
from typing import Final

from nautilus_trader.backtest.engine import OrderMatchingEngine
from nautilus_trader.common.component import MessageBus
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import LiquiditySide, OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.model.orders import MarketOrder, Order
from nautilus_trader.model.position import Position

from messages.ledger import CHARGE_TOPIC, FUNDING_TOPIC, AccountCharged, FundingPaid
from models.margin import Bounds, MarginAccount, Orders
from runtime.setup.sections import MarginSettings
from runtime.venue.matching import SimulatedVenue

INSUFFICIENT: Final = "{'code': -2019, 'msg': 'Margin is insufficient.'}"
"""What the adapter gives as the reason when Binance refuses an order for want of margin."""

LIQUIDATED: Final = "the account was liquidated: it is not traded any further"

CLOSES: Final = "autoclose-"
"""How the client order ids of a liquidation's orders begin."""

_RAW: Final = 10**16
"""The engine's integers count 10^-16."""
_MONEY: Final = 2 * _RAW * _RAW
"""Money of `models.margin` counts so many to 1."""
_BAND_PCT: Final = 1
_NEVER: Final[Bounds] = (None, None)


@dataclass(frozen=True)
class Liquidation:
    """
    What a liquidation found and did; amounts in the account's currency.

    Parameters
    ----------
    ts_ns : int
        When, UNIX ns.
    mode : str
        cross or isolated.
    equity, maintenance : Decimal
        Of the account before it (isolated: of the position), and the maintenance margin that this was not above.
    closed : dict
        Signed positions that were closed, by instrument.
    fee : Decimal
        The liquidation fee that was paid.
    borne : Decimal
        The loss beyond the account, which the venue bore.

    """

    ts_ns: int
    mode: str
    equity: Decimal
    maintenance: Decimal
    closed: dict[str, Decimal]
    fee: Decimal
    borne: Decimal


class VenueMargin:
    """
    Keeps the simulated venue's own books of a futures account, and acts on them.

    Parameters
    ----------
    venue : SimulatedVenue
        Whose account it is.
    settings : MarginSettings
        Margin and liquidation.
    leverage : int
        Value over initial margin.
    balance : Money
        What the account starts with.

    """

    def __init__(self, venue: SimulatedVenue, settings: MarginSettings, leverage: int, balance: Money) -> None:
        self.liquidation: Liquidation | None = None
        self.refused = 0
        """How many new and changed orders were refused for want of margin."""
        self.on_liquidated: Callable[[int], None] = lambda ts_ns: None
        self._venue = venue
        self._settings = settings
        self._currency: Currency = balance.currency
        maintenance = Fraction(settings.maintenance_pct) / 100
        self._account: MarginAccount[InstrumentId] = MarginAccount(
            _money(balance.as_decimal()), leverage, maintenance, settings.mode == "isolated"
        )
        self._bounds: dict[InstrumentId, Bounds] = {}
        self._look = False
        self._numbers = count(1)
        self._certain = 0
        self._band: list[tuple[InstrumentId, int, int]] = []

    def listen(self, msgbus: MessageBus) -> None:
        """Hear of fills and funding, before others act on them."""
        msgbus.subscribe("events.fills.*", self._on_fill, priority=10)
        msgbus.subscribe(FUNDING_TOPIC, self._on_funding, priority=10)

    def _on_fill(self, event: OrderFilled) -> None:
        sign = 1 if event.order_side == OrderSide.BUY else -1
        fee = 0 if event.commission is None else 2 * _RAW * event.commission.raw
        self._account.fill(event.instrument_id, sign * event.last_qty.raw, event.last_px.raw, fee)
        self._look = True
        self._certain = 0

    def _on_funding(self, paid: FundingPaid) -> None:
        self._account.cash += _money(paid.amount)
        self._look = True
        self._certain = 0

    @property
    def equity(self) -> Decimal:
        """The account at the last quotes, by these books."""
        self._mark_all()
        return _decimal(self._account.equity, _MONEY)

    # -- Orders -------------------------------------------------------------------------------------------------------

    def admits(self, order: Order, price: Price | None = None, quantity: Quantity | None = None) -> str | None:
        """
        Return why an order that has arrived is refused; None where it is taken.

        Parameters
        ----------
        order : Order
            A new one, or one that is to get another price or quantity.
        price, quantity : optional
            What a change is to; None leaves it as it is.

        """
        if self.liquidation is not None:
            return LIQUIDATED
        if order.is_reduce_only:
            return None
        total = order.quantity.raw if quantity is None else quantity.raw
        left = max(0, total - order.filled_qty.raw)
        after = 2 * left * price.raw if price is not None else self._asked(order, left)
        if self._is_certain(after):
            return None
        self._account.holding(order.instrument_id)
        self._mark_all()
        engine = self._venue.exchange.get_matching_engine(order.instrument_id)
        resting = bids, asks = self._resting(engine)
        change = after - (_value(order) if engine.order_exists(order.client_order_id) else 0)
        wanted = (bids + change, asks) if order.is_buy else (bids, asks + change)
        others = self._others(order.instrument_id)
        if not self._account.has_margin(order.instrument_id, resting, wanted, others):
            self.refused += 1
            return INSUFFICIENT
        self._be_certain_of(self._account.slack(order.instrument_id, wanted, others))
        return None

    def _is_certain(self, value: int) -> bool:
        """Return whether orders of this value more can be backed for sure, and count them: no order is looked at."""
        if value > self._certain:
            return False
        for symbol, low, high in self._band:
            quote = self._venue.last_quote(symbol)
            if quote is None or not low <= quote.bid_price.raw + quote.ask_price.raw <= high:
                return False
        self._certain -= value
        return True

    def _be_certain_of(self, slack: int) -> None:
        """Remember what may be ordered until something is filled, or a mark leaves a band around the present one."""
        self._certain = self._account.certain(slack, _BAND_PCT)
        held = [(symbol, each.mark) for symbol, each in self._account.holdings.items() if each.quantity]
        self._band = [(symbol, mark - mark * _BAND_PCT // 100, mark + mark * _BAND_PCT // 100) for symbol, mark in held]

    def _asked(self, order: Order, left: int) -> int:
        """Return the value of what is asked for; an order without a price counts at the mark."""
        if order.has_price:
            return int(2 * left * order.price.raw)
        holding = self._account.holding(order.instrument_id)
        self._mark_all()
        return left * holding.mark

    def _resting(self, engine: OrderMatchingEngine) -> Orders:
        """Return the value of an instrument's bids and asks that can raise a position."""
        bids, asks = engine.get_open_bid_orders(), engine.get_open_ask_orders()
        return sum(map(_value, bids)), sum(map(_value, asks))

    def _others(self, symbol: InstrumentId) -> int:
        """Return what the orders of other instruments need beyond the positions there."""
        needed = 0
        for other, engine in self._venue.exchange.get_matching_engines().items():
            if other != symbol:
                needed += self._account.needed(other, self._resting(engine)) - self._account.needed(other)
        return needed

    # -- Liquidation --------------------------------------------------------------------------------------------------

    def on_quote(self, quote: QuoteTick) -> None:
        """Look closer when a price has passed the mark at which a position may be liquidated."""
        low, high = self._bounds.get(quote.instrument_id, _NEVER)
        if low is not None:
            self._look = self._look or quote.bid_price.raw + quote.ask_price.raw <= low
        elif high is not None:
            self._look = self._look or quote.bid_price.raw + quote.ask_price.raw >= high

    def after_event(self, ts_now: int) -> None:
        """Liquidate what has to be, once a market event is over."""
        if not self._look or self.liquidation is not None:
            return
        self._look = False
        self._mark_all()
        breached = self._account.breached()
        if breached:
            self._liquidate(breached, ts_now)
            self.on_liquidated(ts_now)
        self._bounds = self._account.bounds()

    def _mark_all(self) -> None:
        for symbol, holding in self._account.holdings.items():
            quote = self._venue.last_quote(symbol)
            if quote is not None:
                holding.mark = quote.bid_price.raw + quote.ask_price.raw

    def _liquidate(self, breached: list[InstrumentId], ts_now: int) -> None:
        account, isolated = self._account, self._settings.mode == "isolated"
        own = sum((account.own_margin(symbol) for symbol in breached), Fraction(0))
        unrealised = sum(account.holding(symbol).value - account.holding(symbol).cost for symbol in breached)
        # What may be lost: of an isolated position its own margin, otherwise everything.
        backing = own + unrealised if isolated else Fraction(account.equity)
        untouched = account.equity - backing
        values = {symbol: abs(account.holding(symbol).value) for symbol in breached}
        maintenance = account.maintenance * sum(values.values())
        closed = {symbol.value: _decimal(account.holding(symbol).quantity, _RAW) for symbol in breached}
        for engine in self._venue.exchange.get_matching_engines().values():
            for order in engine.get_open_orders():
                engine.cancel_order(order)
        positions = [each for symbol in breached for each in self._venue.cache.positions_open(instrument_id=symbol)]
        shares = [(each, abs(each.signed_decimal_qty()) * self._mid(each.instrument_id)) for each in positions]
        for position in positions:
            self._close(position, ts_now)
        step = Decimal(1).scaleb(-self._currency.precision)
        left = _decimal(account.equity - untouched, _MONEY).quantize(step)
        asked = sum((value for _, value in shares), Decimal(0)) * self._settings.liquidation_fee_pct / 100
        fee, borne = min(asked.quantize(step), max(left, Decimal(0))), max(-left, Decimal(0))
        self._charge(shares, fee - borne, ts_now)
        self.liquidation = Liquidation(
            ts_ns=ts_now,
            mode=self._settings.mode,
            equity=_decimal(backing, _MONEY),
            maintenance=_decimal(maintenance, _MONEY),
            closed=closed,
            fee=fee,
            borne=borne,
        )

    def _mid(self, instrument_id: InstrumentId) -> Decimal:
        return _decimal(self._account.holding(instrument_id).mark, 2 * _RAW)

    def _close(self, position: Position, ts_now: int) -> None:
        """Fill an order of the venue's own that closes a position, at the touch."""
        exchange, instrument_id = self._venue.exchange, position.instrument_id
        order = closing_order(position, ClientOrderId(f"{CLOSES}{ts_now}-{next(self._numbers)}"), ts_now)
        self._venue.cache.add_order(order, position_id=position.id)
        exchange.exec_client.generate_order_submitted(
            order.strategy_id, instrument_id, order.client_order_id, ts_event=ts_now
        )
        engine: OrderMatchingEngine = exchange.get_matching_engine(instrument_id)
        quote = self._venue.last_quote(instrument_id)
        assert quote is not None  # what is held has been traded, and nothing trades before the first quote
        touch = quote.bid_price if position.is_long else quote.ask_price
        engine.fill_order(order, touch, position.quantity, LiquiditySide.TAKER, position.id, position)

    def _charge(self, shares: list[tuple[Position, Decimal]], amount: Decimal, ts_now: int) -> None:
        """Take an amount from the account, each position's part by its value; the last one has the remainder."""
        step = Decimal(1).scaleb(-self._currency.precision)
        total = sum((value for _, value in shares), Decimal(0))
        left = amount
        for position, value in shares:
            last = position is shares[-1][0]
            part = left if last else (amount * value / total).quantize(step)
            left -= part
            self._account.cash -= _money(part)
            self._venue.exchange.adjust_account(Money(-part, self._currency))
            charged = AccountCharged(
                ts_ns=ts_now,
                strategy_id=position.strategy_id.value,
                instrument_id=position.instrument_id.value,
                amount=part,
                reason="liquidation fee" if amount >= 0 else "loss beyond the account, borne by the venue",
            )
            self._venue.msgbus.publish(CHARGE_TOPIC, charged)


def closing_order(position: Position, order_id: ClientOrderId, ts_now: int) -> MarketOrder:
    """Return the order of the venue's own that closes a position."""
    return MarketOrder(
        trader_id=position.trader_id,
        strategy_id=position.strategy_id,
        instrument_id=position.instrument_id,
        client_order_id=order_id,
        order_side=OrderSide.SELL if position.is_long else OrderSide.BUY,
        quantity=position.quantity,
        init_id=UUID4(),
        ts_init=ts_now,
        reduce_only=True,
    )


def refused_for_margin(count: int) -> str:
    """Return for a reader of the results how many orders were refused."""
    return f"{count} new or changed orders were refused for want of margin (-2019)."


def _value(order: Order) -> int:
    """Return the value of what is left of an order that can raise a position, as money; 0 where it has no price."""
    return 2 * order.leaves_qty.raw * order.price.raw if order.has_price and not order.is_reduce_only else 0


def _money(amount: Decimal) -> int:
    return int(amount * _MONEY)


def _decimal(value: int | Fraction, unit: int) -> Decimal:
    """Return a value that counts `unit` to 1, to twelve decimals."""
    return Decimal(round(Fraction(value) / unit * 10**12)).scaleb(-12)

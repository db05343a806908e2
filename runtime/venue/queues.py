"""
Where our orders stand in their queues, and what a market event leaves for each of them.

All orders of ours on one instrument, of whatever strategy, share what an event brings: the better price first, at one
price the earlier order. Prices and sizes are raw integers of the engine.

What stands ahead of an order is what the market showed at its price when it came (behind the touch: when the touch
reached it), and what stood ahead of our own orders there. Trades at the price take from it, and nothing of it is left
when the market goes beyond the price. That somebody in front cancels is not known, so it does not happen.
"""

from dataclasses import dataclass
from enum import Enum
from itertools import count

from nautilus_trader.backtest.engine import OrderMatchingEngine
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.orders import (
    LimitIfTouchedOrder,
    LimitOrder,
    MarketToLimitOrder,
    Order,
    StopLimitOrder,
    TrailingStopLimitOrder,
)

_TIDY_AT = 1_000
_BID, _ASK = 1, -1
_REST_AT_ONCE = frozenset({LimitOrder, MarketToLimitOrder})
_REST_WHEN_TRIGGERED = frozenset({StopLimitOrder, LimitIfTouchedOrder, TrailingStopLimitOrder})

type Shares = dict[ClientOrderId, int]
"""What an event fills of each order, as raw quantities."""

NOTHING: Shares = {}
"""Of no order anything; nobody writes into it."""


class FillRule(Enum):
    """What fills a resting order of ours."""

    WHOLE = "whatever reaches its price fills all of it"
    QUEUED = "what stands ahead trades first, and nothing fills more than its size"
    THROUGH = "only what goes beyond its price fills it, and nothing more than its size"


@dataclass(slots=True)
class Place:
    """
    The place of an order in its queue.

    Parameters
    ----------
    number : int
        Of its coming: at one price the lower one is served first.
    ahead : int, optional
        What of others stands ahead of it; None while nobody knows, behind the touch.
    rests : bool
        Whether it rests from its coming on; otherwise only once it is triggered.

    """

    number: int
    ahead: int | None
    rests: bool


@dataclass(slots=True)
class Touch:
    """What the market shows on one side: `sign` is 1 for bids; `met` is how much of it our orders have met already."""

    sign: int
    price: int = 0
    size: int = 0
    met: int = 0

    def show(self, price: int, size: int) -> bool:
        """Take in a quote; return whether the market has left a better price on this side."""
        left = self.sign * (price - self.price) < 0
        self.met = min(self.met, size) if price == self.price else 0
        self.price = price
        self.size = size
        return left


type _Reached = tuple[int, int, Order, Place]
"""Minus the distance by which the price went beyond the order, the number of its coming, the order and its place."""


class OrderQueues:
    """
    The orders that rest at the simulated venue for one instrument.

    Parameters
    ----------
    matching_engine : OrderMatchingEngine
        Knows which orders are open.
    rule : FillRule
        What fills them.

    """

    def __init__(self, matching_engine: OrderMatchingEngine, rule: FillRule) -> None:
        self.matching_engine = matching_engine
        self.quote: QuoteTick | None = None
        """The last quote."""
        self._rule = rule
        self._bid = Touch(_BID)
        self._ask = Touch(_ASK)
        self._crossed = False
        self._numbers = count()
        self._places: dict[ClientOrderId, Place] = {}
        self._tidy_at = _TIDY_AT

    def join(self, order: Order) -> Place:
        """Give an order that has just come, or moved, the last place at its price."""
        rests = type(order) in _REST_AT_ONCE
        ahead = self._ahead(order) if rests and self._rule is FillRule.QUEUED else None
        place = Place(next(self._numbers), ahead, rests)
        self._places[order.client_order_id] = place
        if len(self._places) > self._tidy_at:
            self._tidy()
        return place

    def on_quote(self, quote: QuoteTick) -> Shares:
        """Follow the touch; return what the quote fills. What it shows counts once for as long as it stands."""
        self.quote = quote
        bid, ask = quote.bid_price.raw, quote.ask_price.raw
        if bid == self._bid.price and ask == self._ask.price and not self._crossed:
            return NOTHING
        fell = self._bid.show(bid, quote.bid_size.raw)
        rose = self._ask.show(ask, quote.ask_size.raw)
        met_bids = self._follow(self.matching_engine.get_open_bid_orders(), self._bid, ask, fell)
        met_asks = self._follow(self.matching_engine.get_open_ask_orders(), self._ask, bid, rose)
        self._crossed = bool(met_bids or met_asks)
        return self._meet(met_bids, self._ask) | self._meet(met_asks, self._bid) if self._crossed else NOTHING

    def on_trade(self, trade: TradeTick) -> Shares:
        """Return what a trade fills: orders on the side that its aggressor met, on either where that is not known."""
        aggressor, price, left = trade.aggressor_side, trade.price.raw, trade.size.raw
        shares = NOTHING
        if aggressor != AggressorSide.BUYER:
            shares = self._share(self._reached(self.matching_engine.get_open_bid_orders(), _BID, price), left)
            left -= sum(shares.values())
        if aggressor != AggressorSide.SELLER:
            asks = self._share(self._reached(self.matching_engine.get_open_ask_orders(), _ASK, price), left)
            shares = shares | asks if shares else asks
        return shares

    def _ahead(self, order: Order) -> int | None:
        """Return what of others stands ahead of an order that has just come; None behind the touch."""
        quote, is_bid, price = self.quote, order.is_buy, order.price.raw
        if quote is None:
            return 0
        distance = price - self._bid.price if is_bid else self._ask.price - price
        if distance:
            return 0 if distance > 0 else None
        engine, places = self.matching_engine, self._places
        ours = engine.get_open_bid_orders() if is_bid else engine.get_open_ask_orders()
        before = [
            places.get(other.client_order_id) for other in ours if other is not order and other.price == order.price
        ]
        shown: int = (quote.bid_size if is_bid else quote.ask_size).raw
        return max([shown, *(place.ahead or 0 for place in before if place is not None)])

    def _follow(self, orders: list[Order], touch: Touch, opposite: int, left: bool) -> list[_Reached]:
        """
        Take in the way of the touch; return the orders that the other side has reached.

        Nobody stands ahead of an order that is better than the touch; who was there when the touch came does.
        """
        sign, best = touch.sign, touch.sign * touch.price
        is_reached = False
        for order in orders:
            place = self._place(order)
            if not place.rests:
                continue
            price = sign * order.price.raw
            if price > best:
                place.ahead = 0
                is_reached = is_reached or price >= sign * opposite
            elif price == best and (place.ahead is None or left):
                place.ahead = touch.size if place.ahead is None else min(place.ahead, touch.size)
        return self._reached(orders, sign, opposite) if is_reached else []

    def _reached(self, orders: list[Order], sign: int, price: int) -> list[_Reached]:
        """Return the orders that a price reaches, in price-time priority."""
        reached = []
        for order in orders:
            place = self._place(order)
            if place.rests:
                beyond = sign * (order.price.raw - price)
                if beyond >= 0:
                    reached.append((-beyond, place.number, order, place))
        return sorted(reached) if len(reached) > 1 else reached

    def _place(self, order: Order) -> Place:
        """Return the order's place; one that came without passing by here, as part of another order, joins now."""
        place = self._places.get(order.client_order_id) or self.join(order)
        if not place.rests and type(order) in _REST_WHEN_TRIGGERED and order.is_triggered:
            place.rests = True
        return place

    def _meet(self, reached: list[_Reached], opposite: Touch) -> Shares:
        shares = self._share(reached, opposite.size - opposite.met)
        opposite.met += sum(shares.values())
        return shares

    def _share(self, reached: list[_Reached], left: int) -> Shares:
        """Share out `left` of what came to the market."""
        if not reached:
            return NOTHING
        shares: Shares = {}
        for distance, _, order, place in reached:
            wanted = order.leaves_qty.raw
            if self._rule is FillRule.WHOLE:
                taken = wanted
            elif distance < 0:
                place.ahead = 0
                taken = min(wanted, left)
            else:
                taken = self._take_at_price(place, wanted, left)
            if taken > 0:
                shares[order.client_order_id] = taken
                left -= taken
        return shares

    def _take_at_price(self, place: Place, wanted: int, left: int) -> int:
        """Let those who stand ahead of an order have their part; return what the order takes of the rest."""
        if place.ahead is None or self._rule is FillRule.THROUGH:
            return 0
        rest = left - place.ahead
        place.ahead = max(0, -rest)
        return min(wanted, max(0, rest))

    def _tidy(self) -> None:
        """Forget the orders that are closed."""
        exists = self.matching_engine.order_exists
        self._places = {order_id: place for order_id, place in self._places.items() if exists(order_id)}
        self._tidy_at = max(_TIDY_AT, 2 * len(self._places))

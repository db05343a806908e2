"""What spot and futures have in common: orders come in, meet the market, and their owner is told."""

import secrets
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

from binance_double.candles import Candles
from binance_double.clock import Clock
from binance_double.errors import NO_SUCH_ORDER, UNKNOWN_ORDER, UNKNOWN_SYMBOL, ApiError
from binance_double.filters import check_filters
from binance_double.market_book import MarketBook
from binance_double.matching import RestingOrders
from binance_double.orders import ZERO, Fill, NewOrder, Order, PublicTrade, Side
from binance_double.rules import Product, Rules

_FIRST_ORDER_ID = 1_000_001
_FIRST_TRADE_ID = 5_000_001
_FIRST_FILL_ID = 9_000_000_001  # own fills are no part of the public market: they leave no hole in its ids
_TRADES_KEPT = 1000

type UserFeed = Callable[[dict[str, object]], None]
type MarketFeed = Callable[[str, str, dict[str, object]], None]
"""Takes the kind of stream (bookTicker, trade, …), the symbol, and the message."""


class Venue(ABC):
    """
    One exchange with one account.

    Parameters
    ----------
    rules : iterable of Rules
        The symbols it lists.
    clock : Clock
        Its time.

    """

    product: Product
    prevention: str
    """The execution type of an order that ends because it would trade with another of the same account."""

    def __init__(self, rules: Iterable[Rules], clock: Clock) -> None:
        self.rules = {one.symbol: one for one in rules}
        self.clock = clock
        self.books = {symbol: MarketBook(one.tick) for symbol, one in self.rules.items()}
        self.resting = {symbol: RestingOrders(book) for symbol, book in self.books.items()}
        self.trades: dict[str, deque[PublicTrade]] = {symbol: deque(maxlen=_TRADES_KEPT) for symbol in self.rules}
        self.candles = {symbol: Candles() for symbol in self.rules}
        self.orders: dict[int, Order] = {}
        self._by_name: dict[tuple[str, str], Order] = {}
        self.fills: list[Fill] = []
        self.user_feed: UserFeed = lambda event: None
        self.market_feed: MarketFeed = lambda kind, symbol, message: None
        self._next_order_id = _FIRST_ORDER_ID
        self._next_trade_id = _FIRST_TRADE_ID
        self._next_fill_id = _FIRST_FILL_ID

    # Requests

    def submit(self, asked: NewOrder) -> Order:
        """
        Take an order, let it trade with the market, and let it rest if it may.

        Raises
        ------
        ApiError
            If it breaks a rule or the account cannot pay for it.

        """
        rules = self.rules_for(asked.symbol)
        if rules.status != "TRADING":
            raise self._market_closed()
        asked = self._complete(asked)
        check_filters(rules, asked, self.books[asked.symbol].mid())
        self._check_acceptance(asked, rules)
        now = self.clock.ms()
        order = Order(asked=asked, order_id=self._next_order_id, created_ms=now, updated_ms=now)
        self._next_order_id += 1
        self.orders[order.order_id] = order
        self._by_name[asked.symbol, asked.client_order_id] = order
        self._lock(order)
        self._publish_order(order, "NEW")
        self._trade_with_market(order)
        if order.is_open:
            self._rest_or_expire(order)
        return order

    def cancel(self, symbol: str, order_id: int | None, client_order_id: str | None, cancel_id: str = "") -> Order:
        """
        Cancel an open order.

        Raises
        ------
        ApiError
            -2011 if it is unknown or no longer open.

        """
        order = self.lookup(symbol, order_id, client_order_id)
        if order is None or not order.is_open:
            raise ApiError(*UNKNOWN_ORDER)
        order.cancel_id = cancel_id or secrets.token_urlsafe(16)
        self._close(order, "CANCELED", "CANCELED")
        return order

    def cancel_all(self, symbol: str) -> list[Order]:
        """Cancel all open orders on a symbol and return them."""
        self.rules_for(symbol)
        return [self.cancel(symbol, order.order_id, None) for order in self.resting[symbol]]

    def order(self, symbol: str, order_id: int | None, client_order_id: str | None) -> Order:
        """
        Return an order in whatever state.

        Raises
        ------
        ApiError
            -2013 if there is none.

        """
        self.rules_for(symbol)
        order = self.lookup(symbol, order_id, client_order_id)
        if order is None:
            raise ApiError(*NO_SUCH_ORDER)
        return order

    def lookup(self, symbol: str, order_id: int | None, client_order_id: str | None) -> Order | None:
        """Return the latest order with this id, None if there is none."""
        if order_id is not None:
            order = self.orders.get(order_id)
            return order if order is not None and order.asked.symbol == symbol else None
        return self._by_name.get((symbol, client_order_id or ""))

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        """Return the open orders, of one symbol or of all."""
        if symbol is not None:
            self.rules_for(symbol)
        listed = self.resting.values() if symbol is None else [self.resting[symbol]]
        return [order for resting in listed for order in resting]

    def rules_for(self, symbol: str) -> Rules:
        """
        Return the rules of a symbol.

        Raises
        ------
        ApiError
            -1121 if it is not listed.

        """
        if symbol not in self.rules:
            raise ApiError(*UNKNOWN_SYMBOL)
        return self.rules[symbol]

    # The market

    def on_quote(self, symbol: str, bid: Decimal, ask: Decimal, bid_size: Decimal, ask_size: Decimal) -> None:
        """Move the market to a new top of the book."""
        gone = self.books[symbol].emptied()
        self.books[symbol].quote(bid, ask, bid_size, ask_size)
        self._match_update(symbol)
        self._publish_top(symbol, (bid, bid_size), (ask, ask_size))
        changes = [*gone, (Side.BUY, bid, bid_size), (Side.SELL, ask, ask_size)]
        self._publish_depth(symbol, _latest(changes))

    def on_depth(self, symbol: str, changes: list[tuple[Side, Decimal, Decimal]], clear: bool = False) -> None:
        """Change levels of a market that is known in depth."""
        book = self.books[symbol]
        top = (book.levels(Side.BUY, 1), book.levels(Side.SELL, 1))
        gone = book.emptied() if clear else []
        book.change(changes, clear)
        self._match_update(symbol)
        now = (book.levels(Side.BUY, 1), book.levels(Side.SELL, 1))
        if now != top and now[0] and now[1]:
            self._publish_top(symbol, now[0][0], now[1][0])
        self._publish_depth(symbol, _latest(gone + changes))

    def on_trade(self, symbol: str, price: Decimal, size: Decimal, aggressor: Side) -> None:
        """Let others trade; what of ours stood in the way fills."""
        self.books[symbol].last_price = price
        for match in self.resting[symbol].on_trade(price, size, aggressor):
            self._fill(match.order, match.order.asked.price, match.quantity, is_maker=True)
        trade = PublicTrade(self._next_trade_id, price, size, aggressor, self.clock.ms())
        self._next_trade_id += 1
        self.trades[symbol].append(trade)
        self.candles[symbol].add(trade)
        self._publish_trade(symbol, trade)

    def mark_price(self, symbol: str) -> Decimal | None:
        """Return the middle of the market, None before it has one."""
        return self.books[symbol].mid()

    def inject_fill(self, order: Order, quantity: Decimal | None = None, price: Decimal | None = None) -> None:
        """Fill an open order by hand, as a maker, all of it at its own price unless said otherwise."""
        filled = order.leaves if quantity is None else min(quantity, order.leaves)
        self._fill(order, order.asked.price if price is None else price, filled, is_maker=True)

    def change_rules(self, symbol: str, **changes: object) -> None:
        """Change rules of a symbol from now on, such as its tick; open orders stay as they are."""
        self.rules[symbol] = replace(self.rules[symbol], **changes)  # type: ignore[arg-type]

    def tick(self) -> None:  # noqa: B027 (spot has nothing to do)
        """Do what is due at this time; called ten times a second."""

    # Inside

    def _complete(self, asked: NewOrder) -> NewOrder:
        return asked

    def _check_acceptance(self, asked: NewOrder, rules: Rules) -> None:
        open_ids = {order.asked.client_order_id for order in self.resting[asked.symbol]}
        if asked.client_order_id in open_ids:
            raise self._duplicate()
        if len(open_ids) >= rules.max_orders:
            raise self._too_many_open()
        if asked.post_only and self._would_take(asked):
            raise self._would_take_refusal()
        self._check_funds(asked, rules)

    def _would_take(self, asked: NewOrder) -> bool:
        mine = self.resting[asked.symbol].best(asked.side.opposite)
        market = self.books[asked.symbol].best(asked.side.opposite)
        return any(price is not None and (asked.price - price) * asked.side.sign >= 0 for price in (mine, market))

    def _trade_with_market(self, order: Order) -> None:
        asked, book = order.asked, self.books[order.asked.symbol]
        limit = asked.price if asked.price else None
        taken = book.sweep(asked.side, order.leaves, limit)
        complete = sum((quantity for _, quantity in taken), ZERO) == order.leaves
        if asked.time_in_force == "FOK" and not complete:
            return
        reach = taken[-1][0] if complete else limit
        for own in self.resting[asked.symbol].crossed_by(asked.side, reach):
            self._close(own, "EXPIRED_IN_MATCH", self.prevention)
        for price, quantity in taken:
            allowed = min(quantity, self._may_fill(order))
            if not allowed:
                break
            book.take(asked.side.opposite, price, allowed)
            self._fill(order, price, allowed, is_maker=False)

    def _may_fill(self, order: Order) -> Decimal:
        return order.leaves

    def _rest_or_expire(self, order: Order) -> None:
        if order.asked.type == "MARKET" or order.asked.time_in_force in {"IOC", "FOK"}:
            self._close(order, "EXPIRED", "EXPIRED")
        else:
            self.resting[order.asked.symbol].add(order)

    def _match_update(self, symbol: str) -> None:
        for match in self.resting[symbol].on_update():
            self._fill(match.order, match.order.asked.price, match.quantity, is_maker=True)

    def _fill(self, order: Order, price: Decimal, quantity: Decimal, is_maker: bool) -> None:
        quantity = min(quantity, self._may_fill(order)) if order.is_open else ZERO
        if quantity:
            fill = self._settle(order, price, quantity, is_maker, self._next_fill_id)
            self._next_fill_id += 1
            self._record(order, fill)
            self._publish_fill(order, fill)
        self._after_fill(order)

    def _record(self, order: Order, fill: Fill) -> None:
        order.executed += fill.quantity
        order.quote_executed += fill.notional
        order.updated_ms = fill.time_ms
        order.status = "PARTIALLY_FILLED" if order.leaves else "FILLED"
        order.fills.append(fill)
        self.fills.append(fill)
        if not order.is_open:
            self.resting[order.asked.symbol].remove(order)

    def _close(self, order: Order, status: str, execution_type: str) -> None:
        order.status = status
        order.updated_ms = self.clock.ms()
        self.resting[order.asked.symbol].remove(order)
        self._release(order)
        self._publish_order(order, execution_type)

    def _after_fill(self, order: Order) -> None:  # noqa: B027 (spot has nothing to do)
        """Do what a fill of an order brings about."""

    # What differs

    @abstractmethod
    def _market_closed(self) -> ApiError: ...
    @abstractmethod
    def _duplicate(self) -> ApiError: ...
    @abstractmethod
    def _too_many_open(self) -> ApiError: ...
    @abstractmethod
    def _would_take_refusal(self) -> ApiError: ...
    @abstractmethod
    def _check_funds(self, asked: NewOrder, rules: Rules) -> None:
        """Raise if the account cannot pay for the order."""

    @abstractmethod
    def _lock(self, order: Order) -> None:
        """Set aside what the order needs."""

    @abstractmethod
    def _release(self, order: Order) -> None:
        """Give back what a closed order had set aside."""

    @abstractmethod
    def _settle(self, order: Order, price: Decimal, quantity: Decimal, is_maker: bool, trade_id: int) -> Fill:
        """Book a fill on the account."""

    @abstractmethod
    def _publish_order(self, order: Order, execution_type: str) -> None:
        """Tell the owner of a change that is no fill."""

    @abstractmethod
    def _publish_fill(self, order: Order, fill: Fill) -> None:
        """Tell the owner of a fill."""

    @abstractmethod
    def _publish_top(self, symbol: str, bid: tuple[Decimal, Decimal], ask: tuple[Decimal, Decimal]) -> None: ...
    @abstractmethod
    def _publish_depth(self, symbol: str, changes: list[tuple[Side, Decimal, Decimal]]) -> None: ...
    @abstractmethod
    def _publish_trade(self, symbol: str, trade: PublicTrade) -> None: ...


def _latest(changes: list[tuple[Side, Decimal, Decimal]]) -> list[tuple[Side, Decimal, Decimal]]:
    """Return the last change of each level."""
    return list({(side, price): (side, price, size) for side, price, size in changes}.values())

"""
How our resting orders meet the replayed market: in the queue, and no event fills more than its size.

The rules are those of a backtest that assumes a queue, written a second time: a test holds one against the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from binance_double.market_book import MarketBook
from binance_double.orders import ZERO, Order, Side


@dataclass(frozen=True)
class Match:
    """What the market gives to an order, at the order's own price."""

    order: Order
    quantity: Decimal


class RestingOrders:
    """
    Our open orders on one symbol, in the order in which they came.

    Parameters
    ----------
    book : MarketBook
        The market they rest in.

    """

    def __init__(self, book: MarketBook) -> None:
        self._book = book
        self._orders: list[Order] = []
        self._last_best: dict[Side, Decimal] = {}

    def __iter__(self) -> Iterator[Order]:
        return iter(list(self._orders))

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: Order) -> None:
        """Let an order rest behind what the market shows at its price, and behind our own orders there."""
        asked = order.asked
        shown = self._book.size_at(asked.side, asked.price)
        mine = [
            o.queue_ahead or ZERO for o in self._orders if (o.asked.side, o.asked.price) == (asked.side, asked.price)
        ]
        order.queue_ahead = None if shown is None else max([shown, *mine]) if shown else ZERO
        self._orders.append(order)

    def remove(self, order: Order) -> None:
        """Take an order out; it may have gone already."""
        if order in self._orders:
            self._orders.remove(order)

    def best(self, side: Side) -> Decimal | None:
        """Return the best price of our own orders of a side, None if there are none."""
        prices = [order.asked.price for order in self._orders if order.asked.side is side]
        return (max(prices) if side is Side.BUY else min(prices)) if prices else None

    def crossed_by(self, side: Side, limit: Decimal | None) -> list[Order]:
        """Return our own orders that an order of `side` with this limit would trade with, best first."""
        return [order for order in self._by_price(side.opposite) if limit is None or not _beyond(order, limit)]

    def on_trade(self, price: Decimal, size: Decimal, aggressor: Side) -> list[Match]:
        """
        Return what a trade of others fills.

        Orders better than its price come first, then those at its price, each after what stood before it in the queue.
        """
        matches: list[Match] = []
        for order in self._by_price(aggressor.opposite):
            if _beyond(order, price):
                break
            if order.asked.price != price:
                order.queue_ahead = ZERO
            if order.queue_ahead is None:
                continue  # the market has not shown this level yet: how much stands before the order is not known
            quantity = min(order.leaves, max(ZERO, size - order.queue_ahead))
            order.queue_ahead = max(ZERO, order.queue_ahead - size)
            if quantity:
                matches.append(Match(order, quantity))
                size -= quantity
        return matches

    def on_update(self) -> list[Match]:
        """Follow the queues after a change of the market, and return what it fills by crossing our prices."""
        matches: list[Match] = []
        for side in Side:
            self._follow(side)
        for side in Side:
            matches += self._crossed_by_market(side)
        return matches

    def _follow(self, side: Side) -> None:
        """
        Follow the queues of a side.

        Nobody stands before an order that is better than the market; who was there when the market came does. That
        somebody in the queue cancels is not known, so it does not happen while the price stands.
        """
        best = self._book.best(side)
        left = best is not None and (last := self._last_best.get(side)) is not None and (best - last) * side.sign < 0
        for order in self._orders:
            shown = self._book.size_at(side, order.asked.price)
            if order.asked.side is not side or shown is None:
                continue
            if order.queue_ahead is None or not shown:
                order.queue_ahead = shown
            elif left and order.asked.price == best:
                order.queue_ahead = min(order.queue_ahead, shown)
        if best is not None:
            self._last_best[side] = best

    def _crossed_by_market(self, side: Side) -> list[Match]:
        matches: list[Match] = []
        levels = self._book.levels(side.opposite)
        for order in self._by_price(side):
            wanted = order.leaves
            for price, _ in levels:
                available = self._book.size_at(side.opposite, price) or ZERO
                if not wanted or _beyond(order, price):
                    break
                part = min(wanted, available)
                self._book.take(side.opposite, price, part)
                wanted -= part
            if wanted != order.leaves:
                matches.append(Match(order, order.leaves - wanted))
        return matches

    def _by_price(self, side: Side) -> list[Order]:
        mine = [order for order in self._orders if order.asked.side is side]
        return sorted(mine, key=lambda order: order.asked.price, reverse=side is Side.BUY)


def _beyond(order: Order, price: Decimal) -> bool:
    """Return whether `price` does not reach the order: above a buy's price, below a sell's."""
    return price > order.asked.price if order.asked.side is Side.BUY else price < order.asked.price

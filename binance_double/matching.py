"""How our resting orders meet the replayed market: in the queue, and no event fills more than its size."""

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

    def __iter__(self) -> Iterator[Order]:
        return iter(list(self._orders))

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: Order) -> None:
        """Let an order rest behind what the market shows at its price."""
        order.queue_ahead = self._book.size_at(order.asked.side, order.asked.price)
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
            ahead = ZERO if order.asked.price != price else order.queue_ahead
            if ahead is None:
                continue  # the market has not shown this level yet: how much stands before the order is not known
            quantity = min(order.leaves, max(ZERO, size - ahead))
            if order.asked.price == price:
                order.queue_ahead = max(ZERO, ahead - size)
            if quantity:
                matches.append(Match(order, quantity))
                size -= quantity
        return matches

    def on_update(self) -> list[Match]:
        """Follow the queues after a change of the market, and return what it fills by crossing our prices."""
        for order in self._orders:
            shown = self._book.size_at(order.asked.side, order.asked.price)
            if shown is not None:
                order.queue_ahead = shown if order.queue_ahead is None else min(order.queue_ahead, shown)
        matches: list[Match] = []
        for side in (Side.BUY, Side.SELL):
            matches += self._crossed_by_market(side)
        return matches

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

"""
What may happen in the worst case: positions with every open order, those in flight included, of every strategy.

An order counts from the moment that it is approved, before it is sent; an order that is being modified counts with the
larger of its two quantities until the venue has answered.
"""

from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(slots=True)
class OpenOrder:
    """
    An order that may still fill.

    Parameters
    ----------
    strategy : str
        Whose it is.
    side : int
        +1 buys, -1 sells.
    price : Decimal, optional
        Its limit; None for a market order.
    leaves : Decimal
        What is left to fill.
    held : Decimal
        What counts: `leaves`, or more while a modification is on its way.
    filled : Decimal
        What has been filled.
    asked_price : Decimal, optional
        The price that a modification on its way asks for.

    """

    strategy: str
    side: int
    price: Decimal | None
    leaves: Decimal
    held: Decimal
    filled: Decimal = ZERO
    asked_price: Decimal | None = None


@dataclass(slots=True)
class Exposure:
    """A position with what may still be bought and sold."""

    position: Decimal = ZERO
    buys: Decimal = ZERO
    sells: Decimal = ZERO

    def hold(self, side: int, change: Decimal) -> None:
        """Count `change` more on one side; less when negative."""
        if side > 0:
            self.buys += change
        else:
            self.sells += change

    def worst(self, side: int = 0, more: Decimal = ZERO) -> Decimal:
        """Return the largest size of the position when open orders fill, with `more` on `side` added."""
        buys = self.buys + more if side > 0 else self.buys
        sells = self.sells + more if side < 0 else self.sells
        return max(abs(self.position + buys), abs(self.position - sells))

    def net(self, side: int, more: Decimal = ZERO) -> Decimal:
        """Return the signed position when all that is open on `side`, and `more`, fills."""
        return self.position + self.buys + more if side > 0 else self.position - self.sells - more


class InstrumentExposure:
    """
    The open orders and positions of one instrument, in all and by strategy.

    Every method for an event accepts orders that it does not know, and does nothing for them but count a fill.
    """

    def __init__(self) -> None:
        self.base = ""
        """The asset that is traded; a fee taken from it makes the position smaller."""
        self.total = Exposure()
        self.by_strategy: dict[str, Exposure] = {}
        self.orders: dict[str, OpenOrder] = {}

    def of(self, strategy: str) -> Exposure:
        """Return the exposure of one strategy."""
        found = self.by_strategy.get(strategy)
        if found is None:
            found = self.by_strategy[strategy] = Exposure()
        return found

    def _hold(self, order: OpenOrder, held: Decimal) -> None:
        if held != order.held:
            change = held - order.held
            self.total.hold(order.side, change)
            self.of(order.strategy).hold(order.side, change)
            order.held = held

    def submitting(self, order_id: str, strategy: str, side: int, price: Decimal | None, quantity: Decimal) -> None:
        """Count an order that is about to be sent."""
        order = OpenOrder(strategy, side, price, quantity, ZERO)
        self._hold(order, quantity)
        self.orders[order_id] = order

    def modifying(self, order: OpenOrder, price: Decimal | None, quantity: Decimal) -> None:
        """Count a modification of an open order that is about to be sent; `quantity` is what is to be left to fill."""
        order.asked_price = price
        if quantity > order.held:
            self._hold(order, quantity)

    def updated(self, order_id: str, price: Decimal | None, total_quantity: Decimal) -> None:
        """Take over a modification that the venue has made."""
        order = self.orders.get(order_id)
        if order is not None:
            order.price = price
            order.asked_price = None
            order.leaves = total_quantity - order.filled
            self._hold(order, order.leaves)

    def unchanged(self, order_id: str) -> None:
        """Take back a modification that the venue refused."""
        order = self.orders.get(order_id)
        if order is not None:
            order.asked_price = None
            self._hold(order, order.leaves)

    def filled(self, order_id: str, strategy: str, side: int, quantity: Decimal, fee_base: Decimal = ZERO) -> None:
        """Count a fill, less a fee in the base asset, into the position; what its order may still fill shrinks."""
        change = side * quantity - fee_base
        self.total.position += change
        self.of(strategy).position += change
        order = self.orders.get(order_id)
        if order is not None:
            order.filled += quantity
            order.leaves -= quantity
            self._hold(order, max(order.held - quantity, ZERO))
            if order.leaves <= 0:  # a filled order cannot be made larger any more
                self.gone(order_id)

    def gone(self, order_id: str) -> None:
        """Forget an order that can no longer fill."""
        order = self.orders.pop(order_id, None)
        if order is not None:
            self._hold(order, ZERO)

    def opposite_prices(self, side: int) -> list[Decimal]:
        """Return the prices at which own orders of the other side stand, or may soon stand."""
        prices = []
        for order in self.orders.values():
            if order.side != side:
                if order.price is not None:
                    prices.append(order.price)
                if order.asked_price is not None:
                    prices.append(order.asked_price)
        return prices

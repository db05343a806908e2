"""
What may happen in the worst case: positions with every open order, those in flight included, of every strategy.

An order counts from the moment that it is approved, before it is sent; an order that is being modified counts with the
larger of its two quantities until the venue has answered.

Prices and quantities are whole numbers of a unit: most changes of an order only move it, and are answered without any
other number.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

ZERO = Decimal(0)
_FAR: Final = 10**100
"""Beyond any price, in whatever unit."""


@dataclass(slots=True)
class OpenOrder:
    """
    An order that may still fill; prices and quantities in units.

    Parameters
    ----------
    strategy : str
        Whose it is.
    side : int
        +1 buys, -1 sells.
    price : int, optional
        Its limit; None for a market order.
    leaves : int
        What is left to fill.
    held : int
        What counts: `leaves`, or more while a modification is on its way.
    filled : int
        What has been filled.
    asked_price : int, optional
        The price that a modification on its way asks for.

    """

    strategy: str
    side: int
    price: int | None
    leaves: int
    held: int
    filled: int = 0
    asked_price: int | None = None


@dataclass(slots=True)
class Exposure:
    """
    A position with what may still be bought and sold, each a whole number of units; in the base asset as decimals.

    Parameters
    ----------
    held, buying, selling : int
        The position, and what open orders may add to it on either side, in units.
    unit : Decimal
        In the base asset.

    """

    held: int = 0
    buying: int = 0
    selling: int = 0
    unit: Decimal = Decimal(1)

    @property
    def position(self) -> Decimal:
        """The position in the base asset; negative when short."""
        return self.held * self.unit

    @property
    def buys(self) -> Decimal:
        """What may still be bought."""
        return self.buying * self.unit

    @property
    def sells(self) -> Decimal:
        """What may still be sold."""
        return self.selling * self.unit

    def hold(self, side: int, change: int) -> None:
        """Count `change` units more on one side; less when negative."""
        if side > 0:
            self.buying += change
        else:
            self.selling += change

    def worst(self, side: int = 0, more: Decimal = ZERO) -> Decimal:
        """Return the largest size of the position when open orders fill, with `more` on `side` added."""
        buys = self.buys + more if side > 0 else self.buys
        sells = self.sells + more if side < 0 else self.sells
        return max(abs(self.position + buys), abs(self.position - sells))

    def most(self) -> Decimal:
        """Return what is held and open on either side together: no case is worse."""
        return (abs(self.held) + self.buying + self.selling) * self.unit

    def net(self, side: int, more: Decimal = ZERO) -> Decimal:
        """Return the signed position when all that is open on `side`, and `more`, fills."""
        return self.position + self.buys + more if side > 0 else self.position - self.sells - more


class InstrumentExposure:
    """
    The open orders and positions of one instrument, in all and by strategy.

    Every method for an event accepts orders that it does not know, and does nothing for them but count a fill.

    Parameters
    ----------
    unit : Decimal, default 1
        What the prices and quantities of orders are counted in.

    """

    def __init__(self, unit: Decimal = Decimal(1)) -> None:
        self.unit = unit
        self.base = ""
        """The asset that is traded; a fee taken from it makes the position smaller."""
        self.total = Exposure(unit=unit)
        self.by_strategy: dict[str, Exposure] = {}
        self.orders: dict[str, OpenOrder] = {}
        self.highest_buy, self.lowest_sell = -_FAR, _FAR
        """Beyond which no own order of that side stands, or has stood since `meets_own` last looked at all of them."""

    def of(self, strategy: str) -> Exposure:
        """Return the exposure of one strategy."""
        found = self.by_strategy.get(strategy)
        if found is None:
            found = self.by_strategy[strategy] = Exposure(unit=self.unit)
        return found

    def held(self, order_id: str) -> Decimal:
        """Return what an order counts with, in the base asset; 0 where it is not known."""
        order = self.orders.get(order_id)
        return ZERO if order is None else order.held * self.unit

    def _hold(self, order: OpenOrder, held: int) -> None:
        if held != order.held:
            change = held - order.held
            self.total.hold(order.side, change)
            self.of(order.strategy).hold(order.side, change)
            order.held = held

    def submitting(self, order_id: str, strategy: str, side: int, price: int | None, quantity: int) -> None:
        """Count an order that is about to be sent."""
        order = OpenOrder(strategy, side, price, quantity, 0)
        self._reach(side, price)
        self._hold(order, quantity)
        self.orders[order_id] = order

    def modifying(self, order: OpenOrder, price: int | None, quantity: int) -> None:
        """Count a modification of an open order that is about to be sent; `quantity` is what is to be left to fill."""
        order.asked_price = price
        self._reach(order.side, price)
        if quantity > order.held:
            self._hold(order, quantity)

    def updated(self, order_id: str, price: int | None, total_quantity: int) -> None:
        """Take over a modification that the venue has made."""
        order = self.orders.get(order_id)
        if order is not None:
            if price != order.asked_price:
                self._reach(order.side, price)
            order.price = price
            order.asked_price = None
            order.leaves = total_quantity - order.filled
            if order.held != order.leaves:
                self._hold(order, order.leaves)

    def unchanged(self, order_id: str) -> None:
        """Take back a modification that the venue refused."""
        order = self.orders.get(order_id)
        if order is not None:
            order.asked_price = None
            self._hold(order, order.leaves)

    def filled(self, order_id: str, strategy: str, side: int, quantity: int, fee: int = 0) -> None:
        """Count a fill, less a fee in the base asset, into the position; what its order may still fill shrinks."""
        change = side * quantity - fee
        self.total.held += change
        self.of(strategy).held += change
        order = self.orders.get(order_id)
        if order is not None:
            order.filled += quantity
            order.leaves -= quantity
            self._hold(order, max(order.held - quantity, 0))
            if order.leaves <= 0:  # a filled order cannot be made larger any more
                self.gone(order_id)

    def gone(self, order_id: str) -> None:
        """Forget an order that can no longer fill."""
        order = self.orders.pop(order_id, None)
        if order is not None:
            self._hold(order, 0)

    def opposite_prices(self, side: int) -> list[int]:
        """Return the prices, in units, at which own orders of the other side stand, or may soon stand."""
        prices = []
        for order in self.orders.values():
            if order.side != side:
                if order.price is not None:
                    prices.append(order.price)
                if order.asked_price is not None:
                    prices.append(order.asked_price)
        return prices

    def meets_own(self, side: int, price: int) -> bool:
        """
        Return whether an order at a price, in units, might trade with an own one.

        The orders are only looked at when the price reaches `highest_buy` or `lowest_sell`.
        """
        if side > 0:
            if price >= self.lowest_sell:
                self.lowest_sell = min(self.opposite_prices(1), default=_FAR)
            return price >= self.lowest_sell
        if price <= self.highest_buy:
            self.highest_buy = max(self.opposite_prices(-1), default=-_FAR)
        return price <= self.highest_buy

    def _reach(self, side: int, price: int | None) -> None:
        """Note that an order stands at a price, or soon may."""
        if price is None:
            return
        if side > 0:
            self.highest_buy = max(self.highest_buy, price)
        else:
            self.lowest_sell = min(self.lowest_sell, price)

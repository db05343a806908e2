"""
Desired quotes against working orders: the fewest commands that bring the orders to where they should be.

Everything is a whole number: prices in ticks, quantities in lots. One order event costs as much as hundreds of market
events, so an order that need not move does not move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Side(Enum):
    """The side of a quote; its value is the sign of the inventory that a fill adds."""

    BID = 1
    ASK = -1


class Quote(NamedTuple):
    """A quote that a maker wants to show: side, price in ticks, quantity in lots."""

    side: Side
    price: int
    quantity: int


class OrderState(Enum):
    """What is known of an order at the venue; only a WORKING order may be changed."""

    SUBMITTING = "submitting"
    WORKING = "working"
    MODIFYING = "modifying"
    CANCELLING = "cancelling"


@dataclass(slots=True)
class WorkingOrder:
    """
    One of our orders, from the moment it is sent until the venue says that it is gone.

    Parameters
    ----------
    order_id : str
        The client order id.
    side : Side
        Bid or ask.
    price : int
        The price in ticks.
    quantity : int
        What is left to fill, in lots.
    state : OrderState
        Whether a command is on its way.
    aimed_price : int
        The price in ticks that a modification on its way asks for; `price` where there is none.

    """

    order_id: str
    side: Side
    price: int
    quantity: int
    state: OrderState = OrderState.SUBMITTING
    aimed_price: int = 0

    def __post_init__(self) -> None:
        self.aimed_price = self.aimed_price or self.price


class Submit(NamedTuple):
    """Send a new order."""

    quote: Quote


class Modify(NamedTuple):
    """Change a working order to another price or quantity."""

    order: WorkingOrder
    quote: Quote


class Cancel(NamedTuple):
    """Cancel a working order."""

    order: WorkingOrder


type Command = Submit | Modify | Cancel


def plan_commands(
    working: Sequence[WorkingOrder],
    desired: Sequence[Quote],
    tolerance: int,
    can_modify: bool,
) -> list[Command]:
    """
    Return the fewest commands that turn `working` into `desired`.

    Orders and quotes of one side are paired from the best price outwards. A pair whose prices differ by no more than
    `tolerance` ticks is kept, also when the order is partly filled, unless less is wanted than is left. Where the
    venue cannot modify, an order that must move is cancelled, and its replacement is sent once it is gone: at no
    moment do two orders stand where one is wanted. A quote that would meet an order of ours on the other side waits.

    Parameters
    ----------
    working : sequence of WorkingOrder
        All own orders of the instrument that may still be filled.
    desired : sequence of Quote
        The quotes that are wanted, best bid below best ask.
    tolerance : int
        How far an order may be from its quote and still stay, in ticks.
    can_modify : bool
        Whether the venue changes orders in place.

    Returns
    -------
    list of Command

    """
    commands: list[Command] = []
    for side in (Side.BID, Side.ASK):
        sign = side.value
        orders = sorted((order for order in working if order.side is side), key=lambda order: -sign * order.price)
        quotes = sorted((quote for quote in desired if quote.side is side), key=lambda quote: -sign * quote.price)
        barrier = _own_opposite_price(working, side)
        for order, quote in zip(orders, quotes, strict=False):
            command = _move(order, quote, tolerance, can_modify, barrier)
            if command is not None:
                commands.append(command)
        commands.extend(Cancel(order) for order in orders[len(quotes) :] if order.state is OrderState.WORKING)
        commands.extend(Submit(quote) for quote in quotes[len(orders) :] if not _crosses(quote, barrier))
    return commands


def _move(
    order: WorkingOrder, quote: Quote, tolerance: int, can_modify: bool, barrier: int | None
) -> Modify | Cancel | None:
    if order.state is not OrderState.WORKING:
        return None
    if abs(order.price - quote.price) <= tolerance and order.quantity <= quote.quantity:
        return None
    if not can_modify:
        return Cancel(order)
    return None if _crosses(quote, barrier) else Modify(order, quote)


def _own_opposite_price(working: Sequence[WorkingOrder], side: Side) -> int | None:
    """Return the best price at which an own order on the other side stands or may soon stand."""
    prices = [price for order in working if order.side is not side for price in (order.price, order.aimed_price)]
    if not prices:
        return None
    return min(prices) if side is Side.BID else max(prices)


def _crosses(quote: Quote, barrier: int | None) -> bool:
    if barrier is None:
        return False
    return quote.price >= barrier if quote.side is Side.BID else quote.price <= barrier

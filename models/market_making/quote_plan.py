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
    placed_ns : int
        When it was sent or last moved, UNIX ns.
    exact : bool
        Whether it has no tolerance.
    hanging : bool
        Whether it is left where it is: it belongs to no quote, but nothing of ours may meet it.

    """

    order_id: str
    side: Side
    price: int
    quantity: int
    state: OrderState = OrderState.SUBMITTING
    aimed_price: int = 0
    placed_ns: int = 0
    exact: bool = False
    hanging: bool = False

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
    """Cancel a working order; `replaces` says whether another is to take its place once it is gone."""

    order: WorkingOrder
    replaces: bool = False


type Command = Submit | Modify | Cancel


class Plan(NamedTuple):
    """What to send now, and whether that is all: an incomplete plan waits for an order that is on its way."""

    commands: list[Command]
    complete: bool


def plan_commands(
    working: Sequence[WorkingOrder],
    desired: Sequence[Quote],
    tolerance: int,
    can_modify: bool,
) -> Plan:
    """
    Return the fewest commands that turn `working` into `desired`.

    An order that stands within `tolerance` ticks of a quote is that quote's and is kept, also when it is partly
    filled, unless less is wanted than is left. The other orders and quotes of a side are paired from the best price
    outwards. Where the venue cannot modify, an order that must move is cancelled, and its replacement is sent once it
    is gone: at no moment do two orders stand where one is wanted. A quote that would meet an order of ours on the
    other side waits.

    Parameters
    ----------
    working : sequence of WorkingOrder
        All own orders of the instrument that may still be filled, those that hang included.
    desired : sequence of Quote
        The quotes that are wanted, best bid below best ask.
    tolerance : int
        How far an order may be from its quote and still stay, in ticks.
    can_modify : bool
        Whether the venue changes orders in place.

    Returns
    -------
    Plan
        It is incomplete when an order could not be moved because a command for it is on its way, or a quote waits for
        an order of ours to get out of its way: make a new plan when that order is settled.

    """
    commands: list[Command] = []
    complete = True
    planned = [order for order in working if not order.hanging]
    for side in (Side.BID, Side.ASK):
        barrier = _own_opposite_price(working, side)
        pairs, spare_orders, spare_quotes = _pair(_of_side(planned, side), _of_side(desired, side), tolerance)
        for order, quote in pairs:
            if _is_in_place(order, quote, tolerance):
                continue
            if order.state is not OrderState.WORKING or (can_modify and _crosses(quote, barrier)):
                complete = False
            else:
                commands.append(Modify(order, quote) if can_modify else Cancel(order, replaces=True))
        for order in spare_orders:
            if order.state is OrderState.WORKING:
                commands.append(Cancel(order))
            else:
                complete = False
        for quote in spare_quotes:
            if _crosses(quote, barrier):
                complete = False
            else:
                commands.append(Submit(quote))
    return Plan(commands, complete)


def _of_side[T: (WorkingOrder, Quote)](items: Sequence[T], side: Side) -> list[T]:
    """Return the items of one side, the best price first."""
    chosen = [item for item in items if item.side is side]
    if len(chosen) > 1:
        chosen.sort(key=lambda item: -side.value * item.price)
    return chosen


def _pair(
    orders: list[WorkingOrder], quotes: list[Quote], tolerance: int
) -> tuple[list[tuple[WorkingOrder, Quote]], list[WorkingOrder], list[Quote]]:
    """Return pairs, the orders that no quote is left for, and the quotes that no order is left for."""
    if len(orders) == len(quotes) == 1:
        return [(orders[0], quotes[0])], [], []
    pairs, homeless = [], []
    for order in orders:
        at = order.aimed_price
        near = min(quotes, key=lambda quote: abs(quote.price - at), default=None)
        if near is not None and abs(near.price - at) <= tolerance:
            quotes.remove(near)
            pairs.append((order, near))
        else:
            homeless.append(order)
    matched = min(len(homeless), len(quotes))
    pairs.extend(zip(homeless, quotes, strict=False))
    return pairs, homeless[matched:], quotes[matched:]


def _is_in_place(order: WorkingOrder, quote: Quote, tolerance: int) -> bool:
    allowed = 0 if order.exact else tolerance
    return abs(order.aimed_price - quote.price) <= allowed and order.quantity <= quote.quantity


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

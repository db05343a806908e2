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
    """The side of a quote; `sign` is that of the inventory which a fill adds."""

    BID = 1
    ASK = -1

    def __init__(self, sign: int) -> None:
        self.sign = sign  # an enum's own `value` costs four times as much to read


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
    filled : int
        What has been filled, in lots.
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
    filled: int = 0
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
    for side in (Side.BID, Side.ASK):
        orders = [order for order in working if order.side is side and not order.hanging]
        quotes = [quote for quote in desired if quote.side is side]
        pairs, spare_orders, spare_quotes = _pair(orders, quotes, tolerance)
        for order, quote in pairs:
            if _is_in_place(order, quote, tolerance):
                continue
            if order.state is not OrderState.WORKING or (can_modify and _meets_own(quote, working)):
                complete = False
            else:
                commands.append(Modify(order, quote) if can_modify else Cancel(order, replaces=True))
        for order in spare_orders:
            if order.state is OrderState.WORKING:
                commands.append(Cancel(order))
            else:
                complete = False
        for quote in spare_quotes:
            if _meets_own(quote, working):
                complete = False
            else:
                commands.append(Submit(quote))
    return Plan(commands, complete)


type _Pairing = tuple[list[tuple[WorkingOrder, Quote]], list[WorkingOrder], list[Quote]]


def _pair(orders: list[WorkingOrder], quotes: list[Quote], tolerance: int) -> _Pairing:
    """Return pairs, the orders that no quote is left for, and the quotes that no order is left for; all of one side."""
    if len(orders) == len(quotes) == 1:
        return [(orders[0], quotes[0])], [], []
    _best_first(orders)
    _best_first(quotes)
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


def _best_first[T: (WorkingOrder, Quote)](items: list[T]) -> None:
    if len(items) > 1:
        items.sort(key=lambda item: -item.side.sign * item.price)


def _is_in_place(order: WorkingOrder, quote: Quote, tolerance: int) -> bool:
    allowed = 0 if order.exact else tolerance
    return abs(order.aimed_price - quote.price) <= allowed and order.quantity <= quote.quantity


def _meets_own(quote: Quote, working: Sequence[WorkingOrder]) -> bool:
    """Return whether an own order on the other side stands, or may soon stand, where the quote would trade with it."""
    side, price, _ = quote
    for order in working:
        if order.side is not side:
            if side is Side.BID and (order.price <= price or order.aimed_price <= price):
                return True
            if side is Side.ASK and (order.price >= price or order.aimed_price >= price):
                return True
    return False

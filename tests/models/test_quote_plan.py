"""The fewest commands: nothing moves that need not, nothing stands twice, nothing meets itself."""

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from models.market_making.quote_plan import (
    Cancel,
    Modify,
    OrderState,
    Quote,
    Side,
    Submit,
    WorkingOrder,
    plan_commands,
)


def commands_for(*args: Any, **kwargs: Any) -> list[Any]:
    return plan_commands(*args, **kwargs).commands


def order(side: Side, price: int, quantity: int = 5, state: OrderState = OrderState.WORKING) -> WorkingOrder:
    return WorkingOrder(f"{side.name}{price}", side, price, quantity, state)


def test_without_orders_every_quote_is_submitted() -> None:
    desired = [Quote(Side.BID, 99, 5), Quote(Side.ASK, 101, 5)]

    assert commands_for([], desired, tolerance=0, can_modify=True) == [Submit(quote) for quote in desired]


def test_an_order_in_place_is_left_alone() -> None:
    working = [order(Side.BID, 99), order(Side.ASK, 101)]

    assert commands_for(working, [Quote(Side.BID, 99, 5), Quote(Side.ASK, 101, 5)], 0, can_modify=True) == []


def test_an_order_within_tolerance_is_left_alone_and_beyond_it_is_moved() -> None:
    bid = order(Side.BID, 99)

    assert commands_for([bid], [Quote(Side.BID, 97, 5)], tolerance=2, can_modify=True) == []
    assert commands_for([bid], [Quote(Side.BID, 96, 5)], 2, can_modify=True) == [Modify(bid, Quote(Side.BID, 96, 5))]


def test_what_is_left_of_a_partly_filled_order_keeps_its_place() -> None:
    assert commands_for([order(Side.BID, 99, quantity=2)], [Quote(Side.BID, 99, 5)], 0, can_modify=True) == []


def test_an_order_larger_than_wanted_is_made_smaller() -> None:
    bid = order(Side.BID, 99, quantity=5)

    assert commands_for([bid], [Quote(Side.BID, 99, 3)], 0, can_modify=True) == [Modify(bid, Quote(Side.BID, 99, 3))]


def test_without_modification_the_order_goes_before_its_replacement_comes() -> None:
    bid = order(Side.BID, 99)
    desired = [Quote(Side.BID, 95, 5)]

    assert commands_for([bid], desired, 0, can_modify=False) == [Cancel(bid, replaces=True)]
    bid.state = OrderState.CANCELLING
    assert commands_for([bid], desired, 0, can_modify=False) == []
    assert commands_for([], desired, 0, can_modify=False) == [Submit(desired[0])]


def test_an_order_that_is_no_longer_wanted_is_cancelled() -> None:
    ask = order(Side.ASK, 101)

    assert commands_for([ask], [], 0, can_modify=True) == [Cancel(ask)]


def test_a_quote_waits_until_our_own_order_on_the_other_side_has_moved_away() -> None:
    ask = order(Side.ASK, 101)
    desired = [Quote(Side.BID, 104, 5), Quote(Side.ASK, 106, 5)]

    assert commands_for([ask], desired, 0, can_modify=True) == [Modify(ask, desired[1])]
    ask.state, ask.aimed_price = OrderState.MODIFYING, 106
    assert commands_for([ask], desired, 0, can_modify=True) == []
    ask.state, ask.price = OrderState.WORKING, 106
    assert commands_for([ask], desired, 0, can_modify=True) == [Submit(desired[0])]


def test_an_order_that_serves_another_level_stays_there() -> None:
    resting = order(Side.BID, 97)
    desired = [Quote(Side.BID, 98, 5), Quote(Side.BID, 97, 5)]

    assert commands_for([resting], desired, 0, can_modify=False) == [Submit(desired[0])]


def test_levels_are_paired_from_the_best_price_outwards() -> None:
    inner, outer = order(Side.BID, 99), order(Side.BID, 97)
    desired = [Quote(Side.BID, 96, 5), Quote(Side.BID, 98, 5), Quote(Side.BID, 94, 5)]

    assert commands_for([outer, inner], desired, 0, can_modify=True) == [
        Modify(inner, desired[1]),
        Modify(outer, desired[0]),
        Submit(desired[2]),
    ]


def test_a_plan_that_waits_for_an_order_on_its_way_says_so() -> None:
    moving = order(Side.BID, 99, state=OrderState.MODIFYING)
    moving.aimed_price = 97

    assert plan_commands([moving], [Quote(Side.BID, 97, 5)], 0, can_modify=True).complete
    assert not plan_commands([moving], [Quote(Side.BID, 95, 5)], 0, can_modify=True).complete
    assert not plan_commands([moving], [], 0, can_modify=True).complete
    assert not plan_commands([order(Side.ASK, 101)], [Quote(Side.BID, 101, 5)], 101, can_modify=True).complete


states = st.sampled_from(OrderState)
orders_on = {
    side: st.lists(st.builds(order, st.just(side), st.integers(1, 200), st.integers(1, 9), states), max_size=3)
    for side in Side
}


@st.composite
def desired_quotes(draw: st.DrawFn) -> list[Quote]:
    bid = draw(st.integers(2, 198))
    ask = draw(st.integers(bid + 1, 200))
    bids = [Quote(Side.BID, bid - level, 5) for level in range(draw(st.integers(0, 2)))]
    return bids + [Quote(Side.ASK, ask + level, 5) for level in range(draw(st.integers(0, 2)))]


@given(orders_on[Side.BID], orders_on[Side.ASK], desired_quotes(), st.integers(0, 3), st.booleans())
def test_only_settled_orders_are_touched_and_none_twice(
    bids: list[WorkingOrder], asks: list[WorkingOrder], desired: list[Quote], tolerance: int, can_modify: bool
) -> None:
    commands = commands_for([*bids, *asks], desired, tolerance, can_modify)

    touched = [command.order for command in commands if not isinstance(command, Submit)]
    assert all(touched_order.state is OrderState.WORKING for touched_order in touched)
    assert len({id(touched_order) for touched_order in touched}) == len(touched)
    assert can_modify or not any(isinstance(command, Modify) for command in commands)
    for side, orders in ((Side.BID, bids), (Side.ASK, asks)):
        sent = sum(isinstance(command, Submit) and command.quote.side is side for command in commands)
        wanted = sum(quote.side is side for quote in desired)
        assert sent == 0 or len(orders) + sent <= wanted


@given(orders_on[Side.BID], orders_on[Side.ASK], desired_quotes(), st.integers(0, 3))
def test_no_command_leads_an_order_through_our_own_other_side(
    bids: list[WorkingOrder], asks: list[WorkingOrder], desired: list[Quote], tolerance: int
) -> None:
    for command in commands_for([*bids, *asks], desired, tolerance, can_modify=True):
        if not isinstance(command, Cancel):
            opposite = asks if command.quote.side is Side.BID else bids
            sign = command.quote.side.value
            assert all(sign * command.quote.price < sign * resting.price for resting in opposite)


@given(orders_on[Side.BID], orders_on[Side.ASK], desired_quotes(), st.booleans())
def test_a_venue_that_confirms_everything_ends_with_exactly_the_desired_quotes(
    bids: list[WorkingOrder], asks: list[WorkingOrder], desired: list[Quote], can_modify: bool
) -> None:
    assume(max((bid.price for bid in bids), default=0) < min((ask.price for ask in asks), default=201))
    book = [*bids, *asks]
    for standing in book:
        standing.state = OrderState.WORKING
        standing.quantity = 5
    events = 0
    for _ in range(20):
        commands = commands_for(book, desired, 0, can_modify)
        if not commands:
            break
        for command in commands:
            events += 1
            match command:
                case Submit(quote):
                    book.append(order(quote.side, quote.price, quote.quantity))
                case Modify(moved, quote):
                    moved.price = moved.aimed_price = quote.price
                    moved.quantity = quote.quantity
                case Cancel(gone):
                    book = [standing for standing in book if standing is not gone]

    assert sorted((o.side.name, o.price, o.quantity) for o in book) == sorted(
        (q.side.name, q.price, q.quantity) for q in desired
    )
    assert events <= 2 * (len(bids) + len(asks) + len(desired))

"""What one market event fills when it goes through several orders, of one strategy or of several: by hand."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.model.enums import AggressorSide

from runtime.venue.fills import FILL_ASSUMPTIONS
from tests.matching_kit import (
    BUY,
    BUYER,
    SELL,
    SELLER,
    Cancel,
    Move,
    Order,
    Scripted,
    quote,
    run,
    run_all,
    stock,
    trade,
    under,
)

CALM = quote(0, "100.00", "100.10")
LADDER = [Order(1, BUY, "99.90", "1", "a"), Order(1, BUY, "99.80", "2", "b"), Order(1, BUY, "99.70", "3", "c")]
ASKS = [Order(1, SELL, "100.20", "1", "a"), Order(1, SELL, "100.30", "2", "b"), Order(1, SELL, "100.40", "3", "c")]
PLACED = quote(1.5, "100.00", "100.10", "10")
BACK = quote(3, "100.00", "100.10")


def sums(strategy: Scripted) -> dict[str, Decimal]:
    """Return what was filled of each order."""
    return {name: sum(Decimal(qty) for _, qty, _ in fills) for name, fills in strategy.fills_of.items()}


def by_hand(**quantities: str) -> dict[str, Decimal]:
    return {name: Decimal(quantity) for name, quantity in quantities.items()}


def test_stock_fills_one_of_three_when_the_ask_jumps_through_all() -> None:
    strategy = run([CALM, PLACED, quote(2, "99.50", "99.60"), BACK], LADDER, stock)

    assert strategy.fills == [(2.0, "1", "99.90")]


def test_stock_gives_what_is_left_of_a_trade_to_each_order_at_the_price() -> None:
    script = [Order(1, BUY, "100.00", "2", "a"), Order(1.1, BUY, "100.00", "2", "b")]

    def queued(engine: Any, **options: Any) -> None:
        stock(engine, queue_position=True, liquidity_consumption=True, **options)

    ticks = [quote(0, "100.00", "100.10", "10"), PLACED, trade(2, "100.00", "12", SELLER), BACK]
    strategy = run(ticks, script, queued)

    assert sum(sums(strategy).values()) == 4  # ten stood ahead, so two were left


@pytest.mark.parametrize("name", FILL_ASSUMPTIONS)
def test_three_bids_fill_at_once_when_the_ask_jumps_through_all(name: str) -> None:
    strategy = run([CALM, quote(2, "99.50", "99.60", "6"), BACK], LADDER, under(name))

    assert strategy.fills == [(2.0, "1", "99.90"), (2.0, "2", "99.80"), (2.0, "3", "99.70")]


@pytest.mark.parametrize("name", FILL_ASSUMPTIONS)
def test_three_asks_fill_at_once_when_the_bid_jumps_through_all(name: str) -> None:
    strategy = run([CALM, quote(2, "100.50", "100.60", "6"), BACK], ASKS, under(name))

    assert strategy.fills == [(2.0, "1", "100.20"), (2.0, "2", "100.30"), (2.0, "3", "100.40")]


@pytest.mark.parametrize(
    ("name", "filled"),
    [
        ("optimistic", by_hand(a="1", b="2", c="3")),
        ("queue", by_hand(a="1", b="2", c="0.5")),
        ("queue_latency", by_hand(a="1", b="2", c="0.5")),
        ("pessimistic", by_hand(a="1", b="2")),
    ],
)
@pytest.mark.parametrize("event", ["quote", "trade"])
def test_an_event_at_the_lowest_bid_is_shared_out_from_the_best_price_down(
    event: str, name: str, filled: dict[str, Decimal]
) -> None:
    """3.5 arrive at 99.70: 1 + 2 fill at better prices, 0.5 at it (the bid passed below it, so nobody is ahead)."""
    below = quote(1.5, "99.60", "100.10")
    arrives = {"quote": quote(2, "99.60", "99.70", "3.5"), "trade": trade(2, "99.70", "3.5", SELLER)}[event]

    strategy = run([CALM, below, arrives, BACK], LADDER, under(name))

    assert sums(strategy) == filled
    assert {at for at, _, _ in strategy.fills} == {2.0}


@pytest.mark.parametrize(
    ("name", "filled"),
    [
        ("optimistic", by_hand(a="1", b="2", c="3")),
        ("queue", by_hand(a="1", b="2", c="1.5")),
        ("pessimistic", by_hand(a="1", b="2", c="1.5")),
    ],
)
def test_a_trade_through_all_fills_no_more_than_its_size(name: str, filled: dict[str, Decimal]) -> None:
    strategy = run([CALM, trade(2, "99.50", "4.5", SELLER), BACK], LADDER, under(name))

    assert sums(strategy) == filled


@pytest.mark.parametrize("name", ["queue", "queue_latency", "pessimistic"])
def test_what_a_quote_shows_is_met_once_for_as_long_as_it_stands(name: str) -> None:
    """1.5 are shown, and met; at 2.0 half a lot is new; 4 at the next price are all new."""
    shown = [(2, "99.60", "1.5"), (2.1, "99.60", "1.5"), (2.2, "99.60", "2"), (2.3, "99.50", "4")]
    ticks = [CALM, *(quote(at, "99.40", ask, size) for at, ask, size in shown), BACK]

    strategy = run(ticks, LADDER, under(name))

    assert strategy.fills == [
        (2.0, "1", "99.90"),
        (2.0, "0.5", "99.80"),
        (2.2, "0.5", "99.80"),
        (2.3, "1", "99.80"),
        (2.3, "3", "99.70"),
    ]


def test_a_quote_that_shows_less_has_been_met_by_no_more_than_that() -> None:
    """1.5 met; 0.2 left standing; when 1.2 stand there again, one lot is new."""
    shown = [(2, "1.5"), (2.1, "0.2"), (2.2, "1.2")]
    ticks = [CALM, *(quote(at, "99.40", "99.60", size) for at, size in shown), BACK]

    strategy = run(ticks, LADDER, under("queue"))

    assert sums(strategy) == by_hand(a="1", b="1.5")


@pytest.mark.parametrize(
    ("name", "filled"), [("optimistic", 4), ("queue", 2), ("queue_latency", 2), ("pessimistic", 0)]
)
def test_two_strategies_at_one_price_share_what_is_left_in_the_order_of_their_coming(name: str, filled: int) -> None:
    """Ten stand ahead; of twelve that trade two are left, for the one who came first."""
    first, second = Scripted([Order(1, BUY, "100.00", "2")], "1"), Scripted([Order(1.1, BUY, "100.00", "2")], "2")

    run_all([quote(0, "100.00", "100.10", "10"), trade(2, "100.00", "12", SELLER), BACK], [second, first], under(name))

    got = [sum(Decimal(qty) for _, qty, _ in strategy.fills) for strategy in (first, second)]
    assert got == [min(filled, 2), filled - min(filled, 2)]


def test_what_stands_between_two_orders_of_ours_trades_between_them() -> None:
    """
    10 stand ahead of a, 25 ahead of b, 15 of them behind a.

    20 trade: 10 others, a's 2, and 8 of the 15: 25 - 18 = 7 are left ahead of b. 10 trade: 7 others, b's 2.
    """
    ticks = [
        quote(0, "100.00", "100.10", "10"),
        quote(1.5, "100.00", "100.10", "25"),
        trade(3, "100.00", "20", SELLER),
        trade(4, "100.00", "6", SELLER),
        trade(5, "100.00", "10", SELLER),
        quote(9, "100.00", "100.10"),
    ]

    strategy = run(ticks, [Order(1, BUY, "100.00", "2", "a"), Order(2, BUY, "100.00", "2", "b")], under("queue"))

    assert strategy.fills_of == {"a": [(3.0, "2", "100.00")], "b": [(5.0, "2", "100.00")]}


def test_who_comes_later_is_never_ahead_though_the_market_shows_less() -> None:
    ticks = [
        quote(0, "100.00", "100.10", "10"),
        quote(1.5, "100.00", "100.10", "1"),
        trade(3, "100.00", "5", SELLER),
        trade(4, "100.00", "6", SELLER),
        quote(9, "100.00", "100.10"),
    ]

    strategy = run(ticks, [Order(1, BUY, "100.00", "2", "a"), Order(2, BUY, "100.00", "2", "b")], under("queue"))

    assert strategy.fills_of == {"a": [(4.0, "1", "100.00")]}


@pytest.mark.parametrize(("move", "filled"), [(Move(1.5, "a", "100.00", "3"), "b"), (Move(1.5, "a", "100.10"), "a")])
def test_an_order_that_is_changed_goes_to_the_end_and_one_whose_change_is_refused_stays(
    move: Move, filled: str
) -> None:
    """The second change is refused: a post-only bid may not stand at the ask."""
    script = [Order(1, BUY, "100.00", "2", "a"), Order(1.1, BUY, "100.00", "2", "b"), move]

    strategy = run([quote(0, "100.00", "100.10", "10"), trade(2, "100.00", "12", SELLER), BACK], script, under("queue"))

    assert sums(strategy) == {filled: 2}


def test_an_order_that_moved_to_a_better_price_is_served_first() -> None:
    script = [Order(1, BUY, "99.90", "1", "a"), Order(1, BUY, "99.80", "1", "b"), Move(1.5, "b", "99.95")]

    strategy = run([CALM, trade(2, "99.00", "1", SELLER), BACK], script, under("queue"))

    assert strategy.fills_of == {"b": [(2.0, "1", "99.95")]}


@pytest.mark.parametrize("name", ["queue", "pessimistic"])
def test_a_trade_through_the_price_does_not_wait_for_those_ahead(name: str) -> None:
    """A market order that got below 100.00 has met everybody at 100.00 first."""
    ticks = [quote(0, "100.00", "100.10", "50"), trade(2, "99.90", "1", SELLER), BACK]

    strategy = run(ticks, [Order(1, BUY, "100.00", "2")], under(name))

    assert strategy.fills == [(2.0, "1", "100.00")]


def test_an_order_behind_the_touch_joins_the_queue_that_the_touch_shows_when_it_comes() -> None:
    ticks = [
        CALM,
        trade(1.5, "99.90", "4", SELLER),  # before the touch has come: nobody knows who is ahead
        quote(2, "99.90", "100.10", "5"),
        trade(3, "99.90", "4", SELLER),
        trade(4, "99.90", "4", SELLER),
        quote(9, "99.90", "100.10"),
    ]

    strategy = run(ticks, [Order(1, BUY, "99.90", "1")], under("queue"))

    assert strategy.fills == [(4.0, "1", "99.90")]


@pytest.mark.parametrize(("aggressor", "side"), [(SELLER, BUY), (BUYER, SELL), (AggressorSide.NO_AGGRESSOR, BUY)])
def test_a_trade_fills_the_side_that_its_aggressor_met(aggressor: AggressorSide, side: Any) -> None:
    script = [Order(1, BUY, "100.05", "1"), Order(1, SELL, "100.06", "1")]
    ticks = [CALM, trade(2, "100.05" if side == BUY else "100.06", "1", aggressor), BACK]

    strategy = run(ticks, script, under("queue"))

    assert [price for _, _, price in strategy.fills] == ["100.05" if side == BUY else "100.06"]


def test_a_stop_limit_order_fills_only_once_it_is_triggered() -> None:
    script = [Order(1, BUY, "100.20", "1", trigger="100.15")]
    ticks = [CALM, trade(2, "100.00", "5", SELLER), quote(3, "100.14", "100.25"), trade(4, "100.10", "5", SELLER)]

    strategy = run([*ticks, quote(5, "100.00", "100.10")], script, under("queue"))

    assert strategy.fills == [(4.0, "1", "100.20")]


def test_a_cancelled_order_leaves_its_place_to_the_next() -> None:
    script = [Order(1, BUY, "100.00", "2", "a"), Order(1.1, BUY, "100.00", "2", "b"), Cancel(1.5, "a")]

    strategy = run([quote(0, "100.00", "100.10", "10"), trade(2, "100.00", "12", SELLER), BACK], script, under("queue"))

    assert sums(strategy) == by_hand(b="2")


PRICES = st.integers(0, 8)


@settings(max_examples=60, deadline=None)
@given(
    bids=st.lists(st.tuples(PRICES, st.integers(1, 5)), min_size=1, max_size=8),
    trades=st.lists(st.tuples(PRICES, st.integers(1, 9)), min_size=1, max_size=6),
    name=st.sampled_from(["queue", "pessimistic"]),
)
def test_trades_fill_no_more_than_their_sizes_and_never_a_worse_price_first(
    bids: list[tuple[int, int]], trades: list[tuple[int, int]], name: str
) -> None:
    script = [Order(1 + i / 100, BUY, f"99.9{price}", f"{size}", f"{i}") for i, (price, size) in enumerate(bids)]
    ticks = [
        quote(0, "99.89", "100.10"),
        *(trade(2 + i, f"99.9{price}", f"{size}", SELLER) for i, (price, size) in enumerate(trades)),
    ]

    strategy = run([*ticks, quote(99, "99.89", "100.10")], script, under(name))

    wanted = [Decimal(size) for _, size in bids]
    for i, (price, size) in enumerate(trades):
        left = Decimal(size)
        for best in sorted(range(len(bids)), key=lambda one: (-bids[one][0], one)):
            if bids[best][0] > price or (bids[best][0] == price and name == "queue"):
                taken = min(left, wanted[best])
                left -= taken
                wanted[best] -= taken
        assert sum(Decimal(qty) for at, qty, _ in strategy.fills if at == 2 + i) == size - left
    assert {name: Decimal(bids[int(name)][1]) - total for name, total in sums(strategy).items()} == {
        str(i): left for i, left in enumerate(wanted) if left < bids[i][1]
    }

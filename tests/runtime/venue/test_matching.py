"""
What the engine does with resting orders, quotes and trades, and what the project makes of it.

The `stock` tests keep the engine's own behaviour that the corrections rely on: an upgrade that changes it shows here.
When orders arrive: test_matching_arrivals.py; what goes through several orders: test_matching_gaps.py.
"""

from decimal import Decimal
from typing import Any

import pytest

from runtime.venue.fills import FILL_ASSUMPTIONS
from tests.matching_kit import BUY, INSTRUMENT, SELL, SELLER, Order, Scripted, quote, run, run_all, stock, trade, under

AFTER_A_TRADE = [quote(0, "99.90", "100.10"), trade(1, "99.90", "1", SELLER), trade(2, "99.90", "1", SELLER)]


def test_stock_fills_an_order_that_came_after_the_trade_because_the_trade_set_both_sides() -> None:
    ticks = [*AFTER_A_TRADE, quote(3, "99.90", "100.10")]

    strategy = run(ticks, [Order(1.5, BUY, "99.95", "9")], stock)

    assert strategy.fills[0] == (2.0, "1", "99.95")
    assert sum(Decimal(quantity) for _, quantity, _ in strategy.fills) == 9


@pytest.mark.parametrize("name", FILL_ASSUMPTIONS)
def test_an_order_inside_the_spread_rests_after_a_trade(name: str) -> None:
    ticks = [
        quote(0, "99.90", "100.10"),
        trade(1, "99.90", "1", SELLER),
        *[quote(at, "99.90", "100.10") for at in (3, 4)],
    ]

    strategy = run(ticks, [Order(1.5, BUY, "99.95", "9"), Order(1.5, SELL, "99.95", "9")], under(name))

    assert strategy.rejections == 0
    assert strategy.fills == []


def test_an_order_that_has_arrived_meets_the_next_trade() -> None:
    ticks = [quote(0, "99.90", "100.10"), trade(2, "99.90", "1", SELLER), quote(3, "99.90", "100.10")]

    on_time = run(ticks, [Order(1.0, BUY, "99.95", "2")], under("queue_latency", 900))
    too_late = run(ticks, [Order(1.0, BUY, "99.95", "2")], under("queue_latency", 1100))

    assert on_time.fills == [(2.0, "1", "99.95")]
    assert too_late.fills == []


def test_two_trades_of_one_size_fill_twice() -> None:
    ticks = [
        quote(0, "99.90", "100.10"),
        *[trade(at, "99.90", "0.5", SELLER) for at in (2, 3)],
        quote(4, "99.9", "100.1"),
    ]

    strategy = run(ticks, [Order(1, BUY, "99.95", "2")], under("queue"))

    assert [quantity for _, quantity, _ in strategy.fills] == ["0.5", "0.5"]


@pytest.mark.parametrize(("name", "filled"), [("optimistic", "2"), ("queue", "0.5"), ("pessimistic", "0.5")])
def test_a_small_trade_through_the_price_fills_no_more_than_its_size(name: str, filled: str) -> None:
    ticks = [quote(0, "99.90", "100.10"), trade(2, "99.90", "0.5", SELLER), quote(3, "99.90", "100.10")]

    strategy = run(ticks, [Order(1, BUY, "99.95", "2")], under(name))

    assert sum(Decimal(quantity) for _, quantity, _ in strategy.fills) == Decimal(filled)


@pytest.mark.parametrize("name", ["queue", "queue_latency", "pessimistic"])
def test_a_trade_on_the_other_side_fills_nothing(name: str) -> None:
    ticks = [quote(0, "99.90", "100.10"), trade(2, "100.00", "5", SELLER), quote(3, "99.90", "100.10")]

    strategy = run(ticks, [Order(1, SELL, "100.00", "2")], under(name))

    assert strategy.fills == []


def test_what_stood_at_the_price_first_trades_first() -> None:
    ticks = [
        quote(0, "99.90", "100.10", size="10"),
        trade(2, "99.90", "8", SELLER),
        trade(3, "99.90", "3", SELLER),
        trade(4, "99.90", "4", SELLER),
        quote(5, "99.90", "100.10"),
    ]

    queued = run(ticks, [Order(1, BUY, "99.90", "2")], under("queue"))
    first = run(ticks, [Order(1, BUY, "99.90", "2")], under("optimistic"))
    never = run(ticks, [Order(1, BUY, "99.90", "2")], under("pessimistic"))

    assert queued.fills == [(3.0, "1", "99.90"), (4.0, "1", "99.90")]
    assert first.fills[0][0] == 2.0
    assert never.fills == []


def test_a_quote_that_crosses_fills_no_more_than_it_shows() -> None:
    ticks = [
        quote(0, "99.90", "100.10"),
        quote(2, "99.80", "99.85", size="1.5"),
        quote(3, "99.80", "99.85", size="1.5"),
        quote(4, "99.90", "100.10"),
    ]

    strategy = run(ticks, [Order(1, BUY, "99.95", "2")], under("queue"))

    assert strategy.fills == [(2.0, "1.5", "99.95")]


@pytest.mark.parametrize(("name", "fills"), [("queue_latency", 1), ("pessimistic", 0)])
def test_a_quote_at_the_price_is_not_yet_beyond_it(name: str, fills: int) -> None:
    ticks = [quote(0, "99.90", "100.10"), quote(2, "99.80", "99.95"), quote(3, "99.96", "100.10")]

    strategy = run(ticks, [Order(1, BUY, "99.95", "2")], under(name))

    assert len(strategy.fills) == fills


def test_without_latency_the_trade_that_fills_an_order_does_not_fill_its_replacement() -> None:
    class Refilling(Scripted):
        def on_order_filled(self, event: Any) -> None:
            super().on_order_filled(event)
            self.submit_order(
                self.order_factory.limit(INSTRUMENT.id, BUY, event.last_qty, event.last_px, post_only=True)
            )

    ticks = [quote(0, "99.90", "100.10"), trade(2, "99.80", "50", SELLER), quote(3, "99.90", "100.10")]
    strategy = Refilling([Order(1, BUY, "99.95", "2")])

    run_all(ticks, [strategy], under("optimistic"))

    assert strategy.fills == [(2.0, "2", "99.95")]

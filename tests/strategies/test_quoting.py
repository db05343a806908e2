"""The quoting base in the real engine: few order events, latency, partial fills, rejections, balances."""

import itertools
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderCanceled, OrderPendingCancel, OrderRejected, OrderUpdated

from runtime.setup.sections import Latency
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig


def maker(instrument: Any, **values: Any) -> FixedSpread:
    sizes = {"order_qty": 2.0, "max_position": 100.0, "half_spread_quote": 0.05} | values
    return FixedSpread(FixedSpreadConfig(instrument_id=instrument.id, **sizes))


def events_of(run: Any) -> Counter[str]:
    return Counter(type(event).__name__ for order in run.orders() for event in order.events)


def test_a_change_of_sizes_moves_no_order(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    for second in range(50):
        market.quote(second, 99.99, 100.01, bid_size=1 + second, ask_size=60 - second)

    run = replay(market, [maker(perpetual)])

    assert events_of(run)["OrderAccepted"] == 2
    assert events_of(run)["OrderUpdated"] == 0


def test_tolerance_really_keeps_orders(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    for second in range(60):
        drift = 0.01 * (second % 3)  # within 2 bps of 100
        market.quote(second, 99.99 + drift, 100.01 + drift)
    market.quote(60, 100.02, 100.04)
    market.quote(61, 100.02, 100.04, bid_size=7)

    nervous = replay(market, [maker(perpetual)])
    calm = replay(market, [maker(perpetual, requote_threshold_bps=2)])

    assert events_of(nervous)["OrderUpdated"] > 100
    assert events_of(calm)["OrderUpdated"] == 2


def test_the_refresh_puts_orders_exactly_where_they_should_be(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.quote(1, 100.00, 100.02)
    market.quote(20, 100.00, 100.02, bid_size=50)

    run = replay(market, [maker(perpetual, requote_threshold_bps=5, order_refresh_secs=7)])

    updates = [event for order in run.orders() for event in order.events if isinstance(event, OrderUpdated)]
    assert sorted(str(event.price) for event in updates) == ["100.06", "99.96"]


def test_a_perpetual_order_is_modified_and_a_spot_order_replaced(
    market_of: Any, replay: Any, perpetual: Any, spot: Any
) -> None:
    on_perpetual, on_spot = market_of(perpetual), market_of(spot)
    for market in (on_perpetual, on_spot):
        market.quote(0, 99.99, 100.01)
        market.quote(1, 100.01, 100.03)
        for second in range(2, 5):
            market.quote(second, 100.01, 100.03, bid_size=second)

    modified = replay(on_perpetual, [maker(perpetual)])
    replaced = replay(on_spot, [maker(spot)], balances=["1000 USDT", "10 NEXO"])

    assert (len(modified.orders()), events_of(modified)["OrderUpdated"]) == (2, 2)
    assert (len(replaced.orders()), events_of(replaced)["OrderUpdated"]) == (4, 0)


def test_on_spot_the_old_order_is_gone_before_the_new_one_comes(market_of: Any, replay: Any, spot: Any) -> None:
    market = market_of(spot)
    for second in range(30):
        market.quote(second, 1.0 + 0.001 * second, 1.002 + 0.001 * second)

    run = replay(
        market,
        [maker(spot, order_qty=50, half_spread_quote=0.005)],
        fills="queue_latency",
        latency=Latency(insert_ms=300, cancel_ms=300),
        balances=["60 USDT", "60 NEXO"],
    )

    assert events_of(run)["OrderDenied"] == 0
    bids = [order for order in run.orders() if order.side == OrderSide.BUY]
    assert len(bids) > 10
    for older, newer in itertools.pairwise(bids):
        cancelled = next(event for event in older.events if isinstance(event, OrderCanceled))
        assert cancelled.ts_event <= newer.ts_init


def test_no_order_is_cancelled_that_stands_where_it_should(market_of: Any, replay: Any, spot: Any) -> None:
    market = market_of(spot)
    market.random(seed=1, seconds=120, mid=1.2, tick=0.001)

    run = replay(
        market,
        [maker(spot, order_qty=20, half_spread_quote=0.002, order_refresh_secs=2)],
        balances=["5000 USDT", "5000 NEXO"],
    )

    quotes = [tick for tick in market.ticks if isinstance(tick, QuoteTick)]
    cancelled = [
        (order, event) for order in run.orders() for event in order.events if isinstance(event, OrderPendingCancel)
    ]
    assert len(cancelled) > 50
    at_stop = market.ticks[-1].ts_init
    for order, event in cancelled:
        # An order that arrives with a market event is placed before the strategy sees that event.
        seen = [tick for tick in quotes if tick.ts_init <= event.ts_event][-2:]
        sign = 1 if order.side == OrderSide.BUY else -1
        wanted = [
            (tick.bid_price.as_decimal() + tick.ask_price.as_decimal()) / 2 - sign * Decimal("0.002") for tick in seen
        ]
        off = [abs(order.price.as_decimal() - price) >= Decimal("0.0005") for price in wanted]
        assert any(off) or event.ts_event == at_stop


def test_a_quote_that_the_market_overtakes_in_flight_is_rejected_and_counted(
    market_of: Any, replay: Any, perpetual: Any
) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.quote(0.1, 99.49, 99.51)  # the bid at 99.95 is still on its way
    market.quote(1, 99.48, 99.50)
    market.quote(2, 99.48, 99.50, bid_size=9)
    market.quote(3, 99.48, 99.50, bid_size=8)

    run = replay(market, [maker(perpetual)], fills="queue_latency", latency=Latency(insert_ms=500))

    (sample,) = run.ledger.samples.values()
    assert sample.post_only_rejections == 1
    assert run.ledger.fills == []
    bids = [order for order in run.orders() if order.side == OrderSide.BUY]
    assert [order.status for order in bids] == [OrderStatus.REJECTED, OrderStatus.PENDING_CANCEL]


def test_a_partly_filled_order_keeps_its_place(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.trade(1, 99.90, 0.5, buyer=False)
    market.trade(2, 99.90, 0.5, buyer=False)
    market.quote(3, 99.99, 100.01, bid_size=9)

    run = replay(market, [maker(perpetual)], fills="queue")

    bid = next(order for order in run.orders() if order.side == OrderSide.BUY)
    assert [str(fill.quantity) for fill in run.ledger.fills] == ["0.5", "0.5"]
    assert {fill.client_order_id for fill in run.ledger.fills} == {bid.client_order_id.value}


def test_near_the_limit_quotes_shrink_and_at_the_limit_they_stop(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    for second in range(20):
        market.quote(second, 99.99, 100.01)
        market.trade(second + 0.5, 99.90, 10, buyer=False)

    run = replay(market, [maker(perpetual, max_position=5.0)], fills="optimistic")

    assert [str(fill.quantity) for fill in run.ledger.fills] == ["2", "2", "1"]
    assert run.ledger.position(perpetual.id.value) == 5


def test_on_spot_nothing_is_offered_that_is_not_there(market_of: Any, replay: Any, spot: Any) -> None:
    market = market_of(spot)
    market.random(seed=2, seconds=120, mid=1.2, tick=0.001)

    run = replay(
        market,
        [maker(spot, order_qty=50, max_position=1000, half_spread_quote=0.002)],
        balances=["100 USDT", "70 NEXO"],
        fills="optimistic",
    )

    assert len(run.ledger.fills) > 10
    assert events_of(run)["OrderDenied"] == 0
    rejections = [event for order in run.orders() for event in order.events if isinstance(event, OrderRejected)]
    assert all(event.due_post_only for event in rejections)
    assert all(point.position >= 0 for point in run.ledger.position_points)


@pytest.mark.parametrize(("target", "sides"), [(None, {"BUY", "SELL"}), (0.0, {"SELL"}), (200.0, {"BUY"})])
def test_on_spot_inventory_counts_from_the_target(
    target: float | None, sides: set[str], market_of: Any, replay: Any, spot: Any
) -> None:
    market = market_of(spot)
    for second in range(5):
        market.quote(second, 1.199, 1.201)

    run = replay(
        market,
        [maker(spot, order_qty=50, max_position=100, half_spread_quote=0.002, target_base_qty=target)],
        balances=["1000 USDT", "100 NEXO"],
    )

    assert {order.side_string() for order in run.orders()} == sides


def test_stopping_cancels_own_orders_and_no_others(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    for second in range(20):
        market.quote(second, 99.99, 100.01, bid_size=1 + second)
    first = maker(perpetual, order_id_tag="001")
    second = maker(perpetual, order_id_tag="002", half_spread_quote=0.09)

    def stop_first_midway(engine: Any) -> None:
        alert = market.ticks[10].ts_init
        original = first.on_start

        def on_start() -> None:
            original()
            first.clock.set_time_alert_ns("stop", alert, lambda event: first.stop())

        first.on_start = on_start

    statuses: dict[str, list[int]] = {}

    def remember(event: Any) -> None:
        statuses.setdefault(event.strategy_id.value, []).append(event.ts_event)

    def listen(engine: Any) -> None:
        stop_first_midway(engine)
        engine.kernel.msgbus.subscribe(
            "events.order.*", lambda e: remember(e) if isinstance(e, OrderCanceled) else None
        )

    replay(market, [first, second], on_engine=listen)

    assert statuses[first.id.value] == [pytest.approx(market.ticks[10].ts_init, abs=2e9)] * 2
    assert min(statuses.get(second.id.value, [market.ticks[-1].ts_init])) >= market.ticks[-1].ts_init

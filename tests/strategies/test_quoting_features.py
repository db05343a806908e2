"""Levels, skews, bounds, ages, delays, hanging orders, budgets and signals, each in the real engine."""

from collections import Counter
from typing import Any

import pytest
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderAccepted, OrderUpdated

from messages.signals import AlphaSignal, alpha_topic
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig
from tests.engine_kit import START_NS


def maker(instrument: Any, **values: Any) -> FixedSpread:
    sizes = {"order_qty": 2.0, "max_position": 100.0, "half_spread_quote": 0.05} | values
    return FixedSpread(FixedSpreadConfig(instrument_id=instrument.id, **sizes))


def calm(market: Any, seconds: int, mid: float = 100.0) -> Any:
    """Write a market whose touch stands still; sizes change, so that time passes."""
    for second in range(seconds):
        market.quote(second, mid - 0.01, mid + 0.01, bid_size=1 + second)
    return market


def first_quotes(run: Any) -> dict[str, list[tuple[str, str]]]:
    """Return prices and quantities of the first orders of each side."""
    quotes: dict[str, list[tuple[str, str]]] = {"BUY": [], "SELL": []}
    for order in run.orders():
        quotes[order.side_string()].append((str(order.price), str(order.quantity)))
    return quotes


def test_levels_stand_apart_and_grow(market_of: Any, replay: Any, perpetual: Any) -> None:
    strategy = maker(perpetual, order_levels=3, level_spacing_bps=2, level_qty_step=0.5)

    run = replay(calm(market_of(perpetual), 5), [strategy])

    assert first_quotes(run) == {
        "BUY": [("99.95", "2.000"), ("99.93", "2.500"), ("99.91", "3.000")],
        "SELL": [("100.05", "2.000"), ("100.07", "2.500"), ("100.09", "3.000")],
    }


def test_levels_together_keep_the_inventory_limit(market_of: Any, replay: Any, perpetual: Any) -> None:
    strategy = maker(perpetual, order_levels=4, level_spacing_bps=2, max_position=5.0)

    run = replay(calm(market_of(perpetual), 5), [strategy])

    assert [quantity for _, quantity in first_quotes(run)["BUY"]] == ["2.000", "2.000", "1.000"]


@pytest.mark.parametrize(("low", "high", "prices"), [(20, 0, ("99.90", "100.10")), (0, 6, ("99.97", "100.03"))])
def test_the_spread_is_kept_within_its_bounds(
    low: float, high: float, prices: tuple[str, str], market_of: Any, replay: Any, perpetual: Any
) -> None:
    run = replay(calm(market_of(perpetual), 5), [maker(perpetual, min_spread_bps=low, max_spread_bps=high)])

    quotes = first_quotes(run)
    assert (quotes["BUY"][0][0], quotes["SELL"][0][0]) == prices


def test_inventory_skews_prices_and_sizes_against_itself(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.trade(1, 99.90, 50, buyer=False)  # buys 2 of at most 4
    for second in range(2, 6):
        market.quote(second, 99.99, 100.01, bid_size=second)

    run = replay(market, [maker(perpetual, max_position=4.0, inventory_skew_bps=4, inventory_size_skew=0.5)])

    bids = [order for order in run.orders() if order.side == OrderSide.BUY]
    (ask,) = [order for order in run.orders() if order.side == OrderSide.SELL]
    assert (str(bids[1].price), str(bids[1].quantity)) == ("99.93", "1.500")  # 2 bps lower, a quarter smaller
    assert (str(ask.price), str(ask.quantity)) == ("100.03", "2.000")


def test_an_old_order_loses_its_tolerance(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.quote(2, 100.00, 100.02)  # within tolerance: both stay
    market.quote(20, 100.01, 100.03)  # older than ten seconds: both move
    market.quote(21, 100.02, 100.04)  # new again: both stay
    market.quote(22, 100.02, 100.04, bid_size=5)

    run = replay(market, [maker(perpetual, requote_threshold_bps=5, max_order_age_secs=10)])

    updates = [event for order in run.orders() for event in order.events if isinstance(event, OrderUpdated)]
    assert sorted(str(event.price) for event in updates) == ["100.07", "99.97"]


def test_after_a_fill_the_side_waits(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.trade(1, 99.90, 50, buyer=False)
    for second in range(2, 12):
        market.quote(second, 99.99, 100.01, bid_size=second)

    run = replay(market, [maker(perpetual, filled_order_delay_secs=5)])

    bids = [order for order in run.orders() if order.side == OrderSide.BUY]
    assert [(order.ts_init - START_NS) / 1e9 for order in bids] == [0.0, 6.0]


def test_the_order_opposite_to_a_fill_hangs_until_it_is_too_far(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.quote(0, 99.99, 100.01)
    market.trade(1, 99.90, 50, buyer=False)
    for second in range(2, 8):  # the mid falls by 3 bps a second: the ask from the start hangs at 100.05
        market.quote(second, 99.99 - 0.03 * second, 100.01 - 0.03 * second)
    market.quote(9, 99.75, 99.77)

    run = replay(market, [maker(perpetual, max_position=2.0, hanging_orders_cancel_bps=20)])

    asks = [order for order in run.orders() if order.side == OrderSide.SELL]
    hanging, following = asks[0], asks[1]
    assert str(hanging.price) == "100.05"
    moved = [event for event in following.events if isinstance(event, OrderUpdated)]
    assert len(moved) >= 5
    kept_until = max(event.ts_event for event in hanging.events if not isinstance(event, OrderAccepted))
    assert kept_until == START_NS + 5_000_000_001  # 20 bps from the mid at second 5


def test_an_order_budget_is_never_exceeded_and_nothing_is_refused(market_of: Any, replay: Any, spot: Any) -> None:
    market = market_of(spot)
    market.random(seed=21, seconds=300, mid=1.2, tick=0.001)
    sizes = {"order_qty": 20.0, "half_spread_quote": 0.002}

    free = replay(market, [maker(spot, **sizes)], balances=["5000 USDT", "5000 NEXO"])
    bound = replay(market, [maker(spot, **sizes, order_budget=10)], balances=["5000 USDT", "5000 NEXO"])

    def most_in_ten_seconds(run: Any) -> int:
        times = [order.ts_init for order in run.orders()]
        return max(sum(start < at <= start + 10_000_000_000 for at in times) for start in times)

    assert most_in_ten_seconds(free) > 20
    assert most_in_ten_seconds(bound) <= 10
    assert Counter(order.status_string() for order in bound.orders())["DENIED"] == 0
    assert len(bound.ledger.fills) > 20


class Opinion(Actor):
    """Publishes a signal at one second and another at three."""

    def __init__(self) -> None:
        super().__init__(ActorConfig())

    def on_start(self) -> None:
        for second, bps in ((1, 10.0), (3, -10.0)):
            when = START_NS + second * 1_000_000_000
            self.clock.set_time_alert_ns(f"at-{second}", when, lambda event, bps=bps: self.say(bps))

    def say(self, bps: float) -> None:
        name = "SYNUSDT-PERP.BINANCE"
        signal = AlphaSignal(instrument_id=name, bps=bps, ts_ns=self.clock.timestamp_ns(), source="test")
        self.msgbus.publish(alpha_topic(name), signal)


@pytest.mark.parametrize(("weight", "bids"), [(0.5, ["100.00", "99.90"]), (0.0, [])])
def test_a_signal_shifts_the_price_that_quotes_stand_around(
    weight: float, bids: list[str], market_of: Any, replay: Any, perpetual: Any
) -> None:
    strategy = maker(perpetual, alpha_weight=weight)

    run = replay(calm(market_of(perpetual), 8), [strategy], on_engine=lambda engine: engine.add_actor(Opinion()))

    bid = next(order for order in run.orders() if order.side == OrderSide.BUY)
    assert [str(event.price) for event in bid.events if isinstance(event, OrderUpdated)] == bids


def test_a_signal_that_is_too_old_counts_no_more(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = calm(market_of(perpetual), 10)
    market.quote(20, 99.98, 100.00)
    market.quote(21, 99.98, 100.00, bid_size=3)
    strategy = maker(perpetual, alpha_weight=1.0, alpha_max_age_secs=5)

    run = replay(market, [strategy], on_engine=lambda engine: engine.add_actor(Opinion()))

    bid = next(order for order in run.orders() if order.side == OrderSide.BUY)
    last = [event for event in bid.events if isinstance(event, OrderUpdated)][-1]
    assert str(last.price) == "99.94"


def test_two_makers_on_one_instrument_do_not_meet(market_of: Any, replay: Any, perpetual: Any) -> None:
    """One leans up, one down: the bid of the first would stand above the ask of the second."""
    first = maker(perpetual, order_id_tag="001", half_spread_quote=0.005)
    second = maker(perpetual, order_id_tag="002", half_spread_quote=0.005, alpha_weight=1.0)

    run = replay(
        calm(market_of(perpetual), 10, mid=100.0),
        [first, second],
        on_engine=lambda engine: engine.add_actor(Opinion()),
    )

    standing: dict[str, tuple[Any, float]] = {}
    events = [(event.ts_event, order, event) for order in run.orders() for event in order.events]
    for _, order, event in sorted(events, key=lambda row: row[0]):
        if isinstance(event, OrderAccepted):
            standing[order.client_order_id.value] = (order.side, float(order.events[0].options["price"]))
        elif isinstance(event, OrderUpdated):
            standing[order.client_order_id.value] = (order.side, float(event.price))
        bids = [price for side, price in standing.values() if side == OrderSide.BUY]
        asks = [price for side, price in standing.values() if side == OrderSide.SELL]
        assert max(bids, default=0) < min(asks, default=1e9)

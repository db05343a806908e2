"""When commands take effect: at their arrival, to the nanosecond, whatever else runs."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.common.config import LoggingConfig

from runtime.venue.arrivals import Delays
from tests.matching_kit import (
    BUY,
    INSTRUMENT,
    SELL,
    SELLER,
    START,
    VENUE,
    Cancel,
    Move,
    Order,
    Scripted,
    Ticking,
    ns,
    quote,
    run,
    run_all,
    stock,
    trade,
    under,
)

MS = 1_000_000
QUIET = [quote(0, "99.90", "100.10"), quote(9, "99.90", "100.10")]
LIFE_OF_AN_ORDER = [Order(1, BUY, "99.80", "2", "a"), Move(3, "a", "99.70"), Cancel(5, "a")]


def slow_stock(engine: Any, insert_ms: int = 50, cancel_ms: int = 50, **options: Any) -> None:
    stock(engine, LatencyModel(0, insert_ms * MS, 50 * MS, cancel_ms * MS), **options)


def test_stock_acts_on_an_order_at_the_next_event_or_at_anybodys_timer() -> None:
    alone = run(QUIET, LIFE_OF_AN_ORDER[:1], slow_stock)
    beside_a_timer = run(QUIET, LIFE_OF_AN_ORDER[:1], slow_stock, Ticking(timedelta(milliseconds=700)))

    assert alone.noted("OrderAccepted")["a"] == 9_000 * MS
    assert beside_a_timer.noted("OrderAccepted")["a"] == 1_400 * MS


def test_stock_loses_the_order_of_commands_whose_latencies_differ() -> None:
    script = [Order(1 + i / 1000, BUY, "99.80", "2", f"{i}") for i in range(4)]
    script += [Cancel(1.2, "0"), Order(1.21, BUY, "99.70", "2", "late"), Cancel(1.22, "1"), Cancel(1.23, "2")]
    every_ms = Ticking(timedelta(milliseconds=1))

    def venue(engine: Any, **options: Any) -> None:
        slow_stock(engine, insert_ms=100, cancel_ms=10, **options)

    stocked = run(QUIET, script, venue, every_ms)
    ours = run(QUIET, script, under("queue_latency", insert_ms=100, cancel_ms=10), Ticking(timedelta(milliseconds=1)))

    assert ours.noted("OrderCanceled") == {"0": 1_210 * MS, "1": 1_230 * MS, "2": 1_240 * MS}
    assert stocked.noted("OrderCanceled") != ours.noted("OrderCanceled")


def test_stock_alerts_of_one_moment_go_off_by_name() -> None:
    heard: list[str] = []

    class Alerted(Scripted):
        def on_start(self) -> None:
            for name in ("b", "!arrival-0", "c", "A", "0"):
                self.clock.set_time_alert_ns(name, ns(1), lambda event: heard.append(event.name))

    run_all(QUIET, [Alerted([])], stock)

    assert heard == ["!arrival-0", "0", "A", "b", "c"]


@pytest.mark.parametrize(("name", "insert", "modify", "cancel"), [("queue", 1, 1, 1), ("queue_latency", 30, 70, 20)])
def test_commands_take_effect_at_their_arrival_on_a_quiet_market(
    name: str, insert: int, modify: int, cancel: int
) -> None:
    strategy = run(QUIET, LIFE_OF_AN_ORDER, under(name, 30, 70, 20))

    unit = MS if name == "queue_latency" else 1
    assert strategy.noted("OrderAccepted") == {"a": 1_000 * MS + insert * unit}
    assert strategy.noted("OrderUpdated") == {"a": 3_000 * MS + modify * unit}
    assert strategy.noted("OrderCanceled") == {"a": 5_000 * MS + cancel * unit}


@pytest.mark.parametrize("name", ["queue", "queue_latency", "pessimistic", "optimistic"])
def test_a_timer_of_somebody_else_changes_nothing(name: str) -> None:
    ticks = [
        quote(0, "99.90", "100.10"),
        trade(2, "99.80", "1", SELLER),
        quote(4.1, "99.60", "99.70"),
        quote(9, "99.90", "100.10"),
    ]
    script = [
        *LIFE_OF_AN_ORDER,
        Order(1.3, BUY, "99.85", "3", "b"),
        Order(1.3, SELL, "100.05", "1", "c"),
        Move(1.31, "c", "100.20"),
        Cancel(1.32, "c"),
    ]

    alone = Answering(script)
    run_all(ticks, [alone], under(name, 50, 30, 20))
    timer = Ticking(timedelta(milliseconds=100))
    beside = Answering(script)
    run_all(ticks, [timer, beside], under(name, 50, 30, 20))

    assert len(timer.ticks) == 90
    assert alone.fills
    assert (beside.notes, beside.fills) == (alone.notes, alone.fills)


class Answering(Scripted):
    """Sends an order whenever one is gone, one tick lower: a chain of answers between two market events."""

    sent = 0

    def on_order_canceled(self, event: Any) -> None:
        self._again()

    def on_order_filled(self, event: Any) -> None:
        self._again()

    def _again(self) -> None:
        if self.sent < 5:
            self.sent += 1
            name = f"again-{self.sent}"
            self.act(Order(0, BUY, f"99.{60 - self.sent}", "1", name))
            self.act(Cancel(0, name))


def test_what_an_answer_makes_a_strategy_send_is_there_after_the_latency_too() -> None:
    strategy = Answering([Order(1, BUY, "99.80", "2", "a"), Cancel(2, "a")])

    run_all(QUIET, [strategy, Ticking(timedelta(milliseconds=70))], under("queue_latency", 50, 50, 60))

    cancelled = strategy.noted("OrderCanceled")
    assert [cancelled[f"again-{i}"] // MS for i in range(1, 6)] == [2_120, 2_180, 2_240, 2_300, 2_360]
    accepted = strategy.noted("OrderAccepted")
    assert [accepted[f"again-{i}"] // MS for i in range(1, 6)] == [2_110, 2_170, 2_230, 2_290, 2_350]


def test_what_arrives_with_a_market_event_is_there_before_it() -> None:
    ticks = [quote(0, "99.90", "100.10"), trade(1.05, "99.90", "1", SELLER), quote(3, "99.90", "100.10")]

    just_in_time = run(ticks, [Order(1, BUY, "99.95", "2")], under("queue_latency"))
    too_late = run(ticks, [Order(1.000_000_001, BUY, "99.95", "2")], under("queue_latency"))

    assert just_in_time.fills == [(1.05, "1", "99.95")]
    assert too_late.fills == []


def test_what_arrives_after_the_last_event_still_counts_until_the_end() -> None:
    ticks = [*QUIET[:1], trade(1.01, "99.00", "1", SELLER), quote(1.2, "99.90", "100.10")]

    strategy = run(
        ticks,
        [Order(1.1, BUY, "99.80", "2", "in time"), Order(1.18, BUY, "99.80", "2", "too late")],
        under("queue_latency"),
    )

    assert strategy.noted("OrderAccepted") == {"in time": 1_150 * MS}


@settings(max_examples=25, deadline=None)
@given(
    delays=st.tuples(*[st.integers(0, 120)] * 3),
    times=st.lists(st.integers(1, 3_000), min_size=1, max_size=12),
    tick_ms=st.integers(7, 150),
)
def test_every_order_arrives_on_time(delays: tuple[int, int, int], times: list[int], tick_ms: int) -> None:
    script: list[Any] = []
    for i, at_ms in enumerate(times):
        script.append(Order(at_ms / 1000, BUY, "99.50", "1", str(i)))
        script.append(Cancel((at_ms + 1_000) / 1000, str(i)))

    strategy = run(QUIET, script, under("queue_latency", *delays), Ticking(timedelta(milliseconds=tick_ms)))

    insert, cancel = max(1, delays[0] * MS), max(1, delays[2] * MS)
    assert strategy.noted("OrderAccepted") == {str(i): at * MS + insert for i, at in enumerate(times)}
    assert strategy.noted("OrderCanceled") == {str(i): (at + 1_000) * MS + cancel for i, at in enumerate(times)}


def test_an_engine_that_is_reset_has_nothing_on_its_way() -> None:
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    under("queue_latency")(engine, **VENUE)
    engine.add_instrument(INSTRUMENT)
    strategy = Scripted([])
    engine.add_strategy(strategy)
    for sent_at, end in ((8.98, 9), (15.0, 20)):  # the first order is still on its way at the end
        strategy.script = [Order(sent_at, BUY, "99.80", "2", f"{sent_at}")]
        engine.add_data_iterator("ticks", iter([[QUIET[0], quote(end, "99.90", "100.10")]]))
        engine.run(start=START, end=ns(end))
        engine.reset()
    engine.dispose()

    assert strategy.noted("OrderAccepted") == {"15.0": 15_050 * MS}


def test_nothing_arrives_in_the_moment_in_which_it_is_sent() -> None:
    with pytest.raises(ValueError, match="at least 1 ns"):
        Delays(cancel_ns=0)

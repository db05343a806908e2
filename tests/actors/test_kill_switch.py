"""The state machine in the real engine: crash, silence, storms; ends flat, stays halted."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide, OrderType, TradingState
from nautilus_trader.model.events import OrderPendingCancel
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from messages.risk import ACCOUNT
from models.loss_limits import DAY_NS
from models.risk_state import State
from runtime.risk.controls import RiskContext, RiskControls, add_risk_controls
from runtime.risk.report import risk_state, risk_summary, stopped_by_risk
from runtime.risk.settings import RiskSettings
from runtime.setup.sections import Latency
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig
from tests.engine_kit import START_NS

SPOT_BALANCES = ("1000 USDT", "10 NEXO")


class Watched:
    """Adds all risk actors to an engine, and keeps them."""

    def __init__(self, instrument: Any, latch: Any = None, **settings: Any) -> None:
        self.instrument = instrument
        self.latch = latch
        self.settings = RiskSettings(**settings)
        self.controls: RiskControls
        self.engine: Any

    def __call__(self, engine: Any) -> None:
        self.engine = engine
        context = RiskContext((self.instrument.id,), Decimal(10), equity_interval_secs=1, latch=self.latch)
        self.controls = add_risk_controls(engine.kernel, self.settings, context)

    @property
    def state(self) -> State:
        return self.controls.kill_switch.machines[ACCOUNT].state

    @property
    def tripped_ns(self) -> int:
        return self.controls.kill_switch.halts[0].trip.ts_ns

    @property
    def halts(self) -> list[tuple[str, str]]:
        return [(halt.trip.rule, halt.trip.action) for halt in self.controls.kill_switch.halts]


class Holder(Strategy):
    """Buys once, and does nothing else."""

    def __init__(self, instrument: Any) -> None:
        super().__init__(StrategyConfig())
        self.instrument = instrument

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.instrument.id)

    def on_quote_tick(self, tick: Any) -> None:
        make = self.instrument
        self.submit_order(self.order_factory.market(make.id, OrderSide.BUY, make.make_qty(1)))
        self.unsubscribe_quote_ticks(make.id)


def maker(instrument: Any, **values: Any) -> FixedSpread:
    sizes = {"order_qty": 2.0, "max_position": 8.0, "half_spread_quote": 0.02} | values
    return FixedSpread(FixedSpreadConfig(instrument_id=instrument.id, **sizes))


def crash(market_of: Any, instrument: Any, fall: float = 0.3, seconds: int = 120) -> Any:
    """Return a market that is sold off: every sale goes through our bid."""
    market = market_of(instrument)
    mid = 100.0
    for second in range(seconds):
        mid -= fall if 20 <= second < 80 else 0
        market.quote(second, mid - 0.01, mid + 0.01)
        market.trade(second + 0.5, mid - 0.05, 20, buyer=False)
    return market


def open_orders(run: Any) -> list[Any]:
    return [order for order in run.orders() if not order.is_closed]


@pytest.mark.parametrize("kind", ["perpetual", "spot"])
@pytest.mark.parametrize("fills", ["queue", "queue_latency"])
def test_at_4_percent_the_first_point_beyond_trips_and_the_account_ends_flat(
    kind: str, fills: str, market_of: Any, replay: Any, request: Any
) -> None:
    instrument = request.getfixturevalue(kind)
    watched = Watched(instrument, max_drawdown_pct=Decimal(4), drawdown_confirmations=1)

    run = replay(
        crash(market_of, instrument),
        [maker(instrument)],
        fills=fills,
        balances=("1000 USDT",) if kind == "perpetual" else SPOT_BALANCES,
        latency=Latency(insert_ms=100, modify_ms=100, cancel_ms=100),
        on_engine=watched,
    )

    points = run.ledger.equity_curve
    peaks = [max(point.equity for point in points[: i + 1]) for i in range(len(points))]
    beyond = [point for point, peak in zip(points, peaks, strict=True) if (peak - point.equity) * 100 >= 4 * peak]
    (halt,) = watched.controls.kill_switch.halts
    assert (halt.trip.rule, halt.trip.action, halt.trip.ts_ns) == ("max_drawdown_pct", "flatten", beyond[0].ts_ns)
    assert watched.state is State.HALTED
    assert open_orders(run) == []
    assert abs(sum(fill.sign * fill.quantity for fill in run.ledger.fills)) < Decimal("0.1")  # spot: fees in the base
    assert halt.halted_ns is not None
    assert max(order.ts_init for order in run.orders()) <= halt.halted_ns
    assert halt.halted_ns - halt.trip.ts_ns <= 3_000_000_000
    (closing, *_) = [order for order in run.orders() if order.order_type == OrderType.MARKET]
    assert closing.ts_init - halt.trip.ts_ns <= 100_000_000  # as soon as the quotes are cancelled


def test_the_summary_says_what_happened_and_what_it_cost(market_of: Any, replay: Any, perpetual: Any) -> None:
    watched = Watched(perpetual, max_drawdown_pct=Decimal("0.5"))

    run = replay(crash(market_of, perpetual), [maker(perpetual)], balances=("1000 USDT",), on_engine=watched)

    summary = risk_summary(watched.controls, run.ledger)
    (halt,) = summary["halts"]
    closing = [fill for fill in run.ledger.fills if fill.liquidity == "TAKER"]
    assert (summary["state"], halt["rule"], halt["limit"], halt["action"]) == (
        "HALTED", "max_drawdown_pct", 0.5, "flatten",
    )  # fmt: skip
    assert halt["value"] >= 0.5
    at_trip = next(point.mid for point in run.ledger.position_points if point.ts_ns == watched.tripped_ns)
    assert halt["cost"] == pytest.approx(
        float(sum(fill.fee + fill.quantity * (at_trip - fill.price) for fill in closing))
    )
    assert halt["cost"] > 0
    assert stopped_by_risk(watched.controls)


def test_one_bad_point_is_no_drawdown_when_two_are_asked_for(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    for second in range(60):
        mid = 60.0 if second == 30 else 100.0
        market.quote(second, mid - 0.01, mid + 0.01)
        if second == 10:
            market.trade(10.5, 99.9, 20, buyer=False)

    states = []
    for confirmations in (1, 2):
        watched = Watched(perpetual, max_drawdown_pct=Decimal(4), drawdown_confirmations=confirmations)
        replay(market, [maker(perpetual)], balances=("1000 USDT",), on_engine=watched)
        states.append(watched.state)

    assert states == [State.HALTED, State.RUNNING]


@pytest.mark.parametrize(("bad_mid", "rule"), [(60.0, "stop_loss_pct"), (140.0, "trailing_stop_pct")])
def test_one_bad_quote_touches_no_stop_when_two_are_asked_for(
    bad_mid: float, rule: str, market_of: Any, replay: Any, perpetual: Any
) -> None:
    market = market_of(perpetual)
    for second in range(60):
        mid = bad_mid if second == 30 else 100.0
        market.quote(second, mid - 0.01, mid + 0.01)

    halts = []
    for confirmations in (1, 2):
        watched = Watched(perpetual, **{rule: Decimal(5)}, stop_confirmations=confirmations)
        replay(market, [Holder(perpetual)], on_engine=watched)
        halts.append(watched.halts)

    assert halts == [[(rule, "flatten")], []]


def test_a_silent_market_is_left_and_traded_again_when_it_speaks(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    for second in [*range(10), *range(40, 60)]:
        market.quote(second, 99.99 + 0.01 * (second % 2), 100.01 + 0.01 * (second % 2))
    watched = Watched(perpetual, max_data_age_secs=Decimal(5))

    run = replay(market, [maker(perpetual)], on_engine=watched)

    quoted = {(point.ts_ns - START_NS) // 10**9: point.quote_bid is not None for point in run.ledger.position_points}
    asked = [
        event.ts_event for order in run.orders() for event in order.events if isinstance(event, OrderPendingCancel)
    ]
    assert [(ts - START_NS) / 10**9 for ts in asked[:2]] == [15, 15]  # the last quote was at 9, and 5 seconds are fresh
    assert not any(START_NS + 15 * 10**9 <= order.ts_init < START_NS + 40 * 10**9 for order in run.orders())
    assert all(quoted[second] for second in [*range(2, 10), *range(43, 58)])
    assert watched.halts == [("max_data_age_secs", "cancel")]
    assert watched.state is State.RUNNING
    assert not stopped_by_risk(watched.controls)


def shifted(tick: Any, venue_s: float) -> Any:
    """Return a quote that the venue stamped so many seconds later than it arrived."""
    sizes = tick.bid_size, tick.ask_size
    return QuoteTick(
        tick.instrument_id, tick.bid_price, tick.ask_price, *sizes, tick.ts_event + int(venue_s * 1e9), tick.ts_init
    )


@pytest.mark.parametrize("venue_s", [-3.0, 3.0])
def test_nothing_is_traded_while_the_clocks_are_apart(
    venue_s: float, market_of: Any, replay: Any, perpetual: Any
) -> None:
    market = market_of(perpetual)
    for second in range(60):
        market.quote(second, 99.99 + 0.01 * (second % 2), 100.01 + 0.01 * (second % 2))
    market.ticks[20:40] = [shifted(tick, venue_s) for tick in market.ticks[20:40]]
    within = Watched(perpetual, max_clock_skew_secs=Decimal(3))
    beyond = Watched(perpetual, max_clock_skew_secs=Decimal("2.999"))

    replay(market, [maker(perpetual)], on_engine=within)
    run = replay(market, [maker(perpetual)], on_engine=beyond)

    assert within.halts == []
    assert beyond.halts == [("max_clock_skew_secs", "cancel")]
    assert beyond.state is State.RUNNING
    (halt,) = beyond.controls.kill_switch.halts
    assert 20 <= (halt.trip.ts_ns - START_NS) / 1e9 <= 23
    sent = [(order.ts_init - START_NS) / 1e9 for order in run.orders()]
    assert not [second for second in sent if 23 < second < 40]
    assert [second for second in sent if second >= 40]


def test_a_spike_is_not_traded_until_the_window_is_calm(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    for second in range(60):
        mid = 103.0 if 20 <= second < 23 else 100.0
        market.quote(second, mid - 0.01, mid + 0.01, bid_size=1 + second)
    watched = Watched(perpetual, max_price_move_bps=Decimal(200), price_move_window_secs=Decimal(10))

    run = replay(market, [maker(perpetual)], on_engine=watched)

    (halt,) = watched.controls.kill_switch.halts
    assert (halt.trip.rule, halt.trip.value, halt.trip.limit) == ("max_price_move_bps", 300, 200)
    assert 20 <= (halt.trip.ts_ns - START_NS) / 1e9 <= 21
    assert watched.state is State.RUNNING
    sent = [(order.ts_init - START_NS) / 1e9 for order in run.orders()]
    assert not [second for second in sent if 21 < second < 31]
    assert [second for second in sent if 31 <= second < 36]


@pytest.mark.parametrize("rule", ["max_instrument_notional_quote", "max_strategy_notional_quote", "max_leverage"])
def test_a_position_that_outgrows_a_limit_is_only_reduced(
    rule: str, market_of: Any, replay: Any, perpetual: Any
) -> None:
    market = market_of(perpetual)
    for second in range(60):
        mid = 100 + (0.5 * max(second - 10, 0) if second < 40 else 0)
        market.quote(second, mid - 0.01, mid + 0.01, bid_size=1 + second)
        if second in (2, 3, 4):
            market.trade(second + 0.5, 99.5, 100, buyer=False)
    limit = Decimal("0.00655") if rule == "max_leverage" else Decimal(655)  # 6 are worth 600 when they are bought
    watched = Watched(perpetual, **{rule: limit})

    run = replay(market, [maker(perpetual, max_position=6.0)], on_engine=watched)

    (halt,) = watched.controls.kill_switch.halts
    assert (halt.trip.rule, halt.trip.action, halt.trip.limit) == (rule, "stop_quoting", limit)
    assert halt.scope == ("FixedSpread-000" if "strategy" in rule else ACCOUNT)
    assert 26 <= (halt.trip.ts_ns - START_NS) / 1e9 <= 30
    held = [order for order in run.orders() if START_NS + 30 * 10**9 < order.ts_init < START_NS + 40 * 10**9]
    assert {order.side for order in held} <= {OrderSide.SELL}
    assert all(machine.state is State.RUNNING for machine in watched.controls.kill_switch.machines.values())


def test_a_stop_loss_halts_its_strategy_and_no_other(market_of: Any, replay: Any, perpetual: Any) -> None:
    watched = Watched(perpetual, stop_loss_pct=Decimal(2))
    careful = maker(perpetual, half_spread_quote=30.0, order_id_tag="2")

    run = replay(crash(market_of, perpetual), [maker(perpetual), careful], on_engine=watched)

    machines = watched.controls.kill_switch.machines
    assert machines["FixedSpread-000"].state is State.HALTED
    assert watched.halts == [("stop_loss_pct", "flatten")]
    assert machines[ACCOUNT].state is State.RUNNING
    assert risk_state(watched.controls) is State.REDUCING
    last = max(order.ts_init for order in run.orders() if order.strategy_id.value == "FixedSpread-000")
    assert last <= watched.controls.kill_switch.halts[0].halted_ns
    assert any(order.strategy_id.value == "FixedSpread-2" and order.ts_last > last for order in run.orders())


@pytest.mark.parametrize(
    ("action", "state", "flat"),
    [
        ("warn", State.RUNNING, False),
        ("stop_quoting", State.REDUCING, False),
        ("cancel", State.HALTED, False),
        ("flatten_passively", State.REDUCING, False),  # nobody buys on the way down
        ("flatten", State.HALTED, True),
    ],
)
def test_actions_are_graded(action: Any, state: State, flat: bool, market_of: Any, replay: Any, perpetual: Any) -> None:
    watched = Watched(perpetual, max_drawdown_pct=Decimal("0.2"), on_trip={"max_drawdown_pct": action})

    run = replay(crash(market_of, perpetual), [maker(perpetual)], balances=("1000 USDT",), on_engine=watched)

    held = sum(fill.sign * fill.quantity for fill in run.ledger.fills)
    assert watched.state is state
    assert (held == 0) == flat
    assert watched.halts == [("max_drawdown_pct", action)]
    if action in ("stop_quoting", "flatten_passively"):
        tripped = watched.controls.kill_switch.halts[0].trip.ts_ns
        assert all(fill.side == "SELL" for fill in run.ledger.fills if fill.ts_ns > tripped)


def test_a_passive_flatten_halts_once_the_market_has_taken_the_position(
    market_of: Any, replay: Any, perpetual: Any
) -> None:
    market = crash(market_of, perpetual)
    for second in range(120, 140):
        market.quote(second, 81.99 + 0.01 * (second % 2), 82.01 + 0.01 * (second % 2))
        market.trade(second + 0.5, 82.06, 20, buyer=True)
    watched = Watched(perpetual, max_drawdown_pct=Decimal("0.2"), on_trip={"max_drawdown_pct": "flatten_passively"})

    run = replay(market, [maker(perpetual)], balances=("1000 USDT",), on_engine=watched)

    assert watched.state is State.HALTED
    assert {fill.liquidity for fill in run.ledger.fills} == {"MAKER"}
    assert sum(fill.sign * fill.quantity for fill in run.ledger.fills) == 0
    assert open_orders(run) == []


def test_too_many_fills_stop_the_strategy(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    market.random(seed=1, seconds=120)
    watched = Watched(perpetual, max_fills_per_window=3, fill_window_secs=Decimal(10))

    run = replay(market, [maker(perpetual)], fills="optimistic", on_engine=watched)

    times = [fill.ts_ns for fill in run.ledger.fills]
    assert watched.halts == [("max_fills_per_window", "cancel")]
    assert watched.controls.kill_switch.machines["FixedSpread-000"].state is State.HALTED
    assert times[3] - times[0] <= 10 * 10**9 or times[-1] - times[-4] <= 10 * 10**9
    assert times[-1] <= watched.controls.kill_switch.halts[0].halted_ns


def test_the_flatten_goes_out_though_the_order_budget_is_spent(market_of: Any, replay: Any, perpetual: Any) -> None:
    settings = {"max_drawdown_pct": Decimal("0.5"), "max_orders_per_10s": 4, "order_reserve": 2}
    watched = Watched(perpetual, **settings)
    market = crash(market_of, perpetual)

    run = replay(market, [maker(perpetual)], balances=("1000 USDT",), on_engine=watched)

    assert watched.controls.guard.refusals["max_orders_per_10s", "FixedSpread-000"].count > 0
    assert watched.state is State.HALTED
    assert sum(fill.sign * fill.quantity for fill in run.ledger.fills) == 0


def test_a_market_whose_equity_is_unknown_is_left(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    for second in range(60):
        crossed = 20 <= second < 40
        market.quote(second, 100.02 if crossed else 99.99, 100.00 if crossed else 100.01, bid_size=1 + second)
    watched = Watched(perpetual)

    replay(market, [maker(perpetual)], on_engine=watched)

    assert watched.halts == [("equity_unknown", "cancel")]
    assert watched.state is State.RUNNING


def test_a_second_trip_changes_nothing_after_a_halt(market_of: Any, replay: Any, perpetual: Any) -> None:
    watched = Watched(perpetual, max_drawdown_pct=Decimal("0.5"), max_loss_pct=Decimal("0.4"), stop_loss_pct=Decimal(1))

    run = replay(crash(market_of, perpetual), [maker(perpetual)], balances=("1000 USDT",), on_engine=watched)

    orders = len(run.orders())
    watched.controls.kill_switch.trip_by_hand("my own hand")
    watched.controls.kill_switch.trip_by_hand("my own hand")
    assert watched.state is State.HALTED
    assert len(run.orders()) == orders
    assert [rule for rule, _ in watched.halts].count("manual") == 1


def test_a_strategy_that_a_breaker_stopped_takes_part_in_closing_the_account(
    market_of: Any, replay: Any, perpetual: Any
) -> None:
    watched = Watched(perpetual, max_fills_per_window=1, max_drawdown_pct=Decimal("0.5"))

    run = replay(crash(market_of, perpetual), [maker(perpetual)], balances=("1000 USDT",), on_engine=watched)

    assert watched.halts == [("max_fills_per_window", "cancel"), ("max_drawdown_pct", "flatten")]
    assert watched.state is State.HALTED
    assert len(run.ledger.fills) > 2
    assert sum(fill.sign * fill.quantity for fill in run.ledger.fills) == 0


def test_a_stop_loss_closes_though_the_account_was_halted_before(market_of: Any, replay: Any, perpetual: Any) -> None:
    settings = {"max_drawdown_pct": Decimal("0.1"), "on_trip": {"max_drawdown_pct": "cancel"}}
    watched = Watched(perpetual, stop_loss_pct=Decimal(5), **settings)

    run = replay(crash(market_of, perpetual), [maker(perpetual)], balances=("1000 USDT",), on_engine=watched)

    assert watched.halts == [("max_drawdown_pct", "cancel"), ("stop_loss_pct", "flatten")]
    assert watched.engine.kernel.risk_engine.trading_state == TradingState.HALTED
    assert sum(fill.sign * fill.quantity for fill in run.ledger.fills) == 0


def test_a_loss_of_the_day_ends_with_the_day(market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    midnight_s = (DAY_NS - START_NS % DAY_NS) / 1e9
    for i in range(240):
        second = midnight_s - 120 + i
        mid = 100 - 0.3 * min(max(i - 20, 0), 60)
        market.quote(second, mid - 0.01, mid + 0.01, bid_size=1 + i)
        market.trade(second + 0.5, mid - 0.05, 20, buyer=False)
    watched = Watched(perpetual, max_daily_loss_pct=Decimal(1))

    run = replay(market, [maker(perpetual)], balances=("1000 USDT",), on_engine=watched)

    sent = [(order.ts_init - START_NS) / 1e9 - midnight_s for order in run.orders()]
    halted = (watched.controls.kill_switch.halts[0].halted_ns - START_NS) / 1e9 - midnight_s
    assert watched.halts == [("max_daily_loss_pct", "flatten")]
    assert -100 < halted < -20
    assert not [second for second in sent if halted < second < 0]
    assert [second for second in sent if second > 0]
    assert watched.state is State.RUNNING


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["perpetual", "spot"])
def test_whatever_happens_a_halt_ends_flat_and_no_order_follows(
    kind: str, seed: int, market_of: Any, replay: Any, request: Any
) -> None:
    instrument = request.getfixturevalue(kind)
    market = market_of(instrument)
    market.random(seed, seconds=150)
    position_limit = {instrument.id.value: Decimal(5)}
    watched = Watched(instrument, max_position_qty=position_limit, max_fills_per_window=4,
                      on_trip={"max_fills_per_window": "flatten"})  # fmt: skip

    run = replay(
        market,
        [maker(instrument)],
        fills="queue_latency",
        balances=("1000 USDT", "100 NEXO") if kind == "spot" else ("1000 USDT",),
        latency=Latency(insert_ms=200 + 100 * seed, modify_ms=400, cancel_ms=300),
        on_engine=watched,
    )

    (halt,) = watched.controls.kill_switch.halts
    assert halt.halted_ns is not None
    assert max(order.ts_init for order in run.orders()) <= halt.halted_ns
    held = Decimal(0)
    for fill in run.ledger.fills:
        held += fill.sign * fill.quantity
        assert abs(held) <= 5
        assert fill.ts_ns <= halt.halted_ns
    assert abs(held) < Decimal("0.1")
    assert open_orders(run) == []

"""Drills as they are run: each fault meets its control, in the real engine, on spot and on futures."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bad_input import BadInput
from data_catalog.columns import BUYER, SELLER, Quotes, Trades
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter
from models.risk_state import State
from runtime.backtest import BacktestRun, run_backtest
from runtime.drills.plan import plan_drill
from runtime.drills.report import drill_summary
from runtime.prepare import prepare_backtest
from runtime.risk.report import risk_state, stopped_by_risk
from runtime.setup.load import load_setup

SECOND = 10**9
START_NS = 1_767_225_600 * SECOND
SECONDS = 150
KINDS = ("perpetual", "spot")
IDS = {"perpetual": "SYNUSDT-PERP.BINANCE", "spot": "NEXOUSDT.BINANCE"}

SETUP = """\
name: drilled
instruments: [{instrument}]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {{instrument_id: {instrument}, order_qty: 2, max_position: 8, half_spread_bps: 3, order_refresh_secs: 2}}
ledger: {{interval_secs: 1}}
risk:
  max_drawdown_pct: 4
  drawdown_confirmations: 2
  price_collar_bps: 200
  max_data_age_secs: 5
  max_rejections_per_window: 5
backtest:
  catalog: {kind}
  starting_balances: {balances}
"""

type Drilled = Callable[..., tuple[BacktestRun, dict[str, Any]]]


def write_market(catalog: Path, instrument_id: str) -> np.ndarray:
    """Write a market around 100 in which first more is sold to a maker, then more bought; return all times."""
    instrument = find_instrument(instrument_id)
    tick, step = float(instrument.price_increment), float(instrument.size_increment)
    rng = np.random.default_rng(5)
    ts = START_NS + np.arange(2 * SECONDS) * SECOND // 2
    mid = np.round((100 + np.cumsum(rng.normal(0, 0.004, len(ts)))) / tick).astype(np.int64)
    gap = round(0.01 / tick)
    size = np.full(len(ts), round(20 / step))
    later = ts + SECOND // 5
    bought = rng.random(len(ts)) < np.where(ts < START_NS + SECONDS * SECOND // 2, 0.2, 0.9)
    price = np.where(bought, mid + 6 * gap, mid - 6 * gap)
    traded = rng.random(len(ts)) < 0.3
    aggressor = np.where(bought, BUYER, SELLER).astype(np.uint8)
    with CatalogWriter(catalog) as writer:
        writer.quotes(instrument, Quotes(mid - gap, mid + gap, size, size, ts, ts), Origin("synthetic"))
        trades = Trades(price, size, aggressor, np.arange(len(ts)), later, later).take(traded)
        writer.trades(instrument, trades, Origin("synthetic"))
    return np.concatenate((ts, later[traded]))


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: Any) -> Path:
    """Return a folder with a setup and a catalog of each kind."""
    folder = Path(tmp_path_factory.mktemp("drills"))
    for kind, instrument_id in IDS.items():
        np.save(folder / f"{kind}.npy", write_market(folder / kind, instrument_id))
        balances = "[1_000 USDT]" if kind == "perpetual" else "[1_000 USDT, 10 NEXO]"
        text = SETUP.format(instrument=instrument_id, kind=kind, balances=balances)
        (folder / f"{kind}.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def drilled(workplace: Path) -> Drilled:
    """Return a function that runs a drill, and gives the run and its summary."""

    def run(kind: str, fault: str, at: str | None = None, *overrides: str) -> tuple[BacktestRun, dict[str, Any]]:
        prepared = prepare_backtest(load_setup(workplace / f"{kind}.yaml", overrides), workplace)
        finished = run_backtest(prepared, drill=plan_drill(prepared, fault, at))
        assert finished.drill is not None
        return finished, drill_summary(finished, finished.drill)

    return run


def control(summary: dict[str, Any], rule: str) -> dict[str, Any]:
    (row,) = [row for row in summary["controls"] if row["rule"] == rule]
    return dict(row)


def net(run: BacktestRun, until_ns: int | None = None) -> Decimal:
    fills = [fill for fill in run.ledger.fills if until_ns is None or fill.ts_ns <= until_ns]
    return sum((fill.sign * fill.quantity for fill in fills), Decimal(0))


def beyond(run: BacktestRun, limit_pct: int, in_a_row: int) -> int:
    """Return when the equity was `limit_pct` below its peak for so many points in a row, point by point."""
    peak, seen = Decimal(0), 0
    for point in run.ledger.equity_curve:
        peak = max(peak, point.equity)
        seen = seen + 1 if (peak - point.equity) * 100 >= limit_pct * peak else 0
        if seen == in_a_row:
            return point.ts_ns
    raise AssertionError("never")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["gap", "crash:secs=20", "gap:side=up"])
def test_a_loss_beyond_the_limit_is_closed_at_the_second_point(
    kind: str, fault: str, drilled: Drilled, workplace: Path
) -> None:
    if fault.endswith("up") and kind == "spot":
        pytest.skip("what is held on spot gains when prices rise")
    run, summary = drilled(kind, fault)

    row = control(summary, "max_drawdown_pct")
    (halt,) = run.risk.kill_switch.halts
    at_ns = run.drill.fault.at_ns
    times = np.load(workplace / f"{kind}.npy")
    assert halt.trip.ts_ns == beyond(run, 4, in_a_row=2) > at_ns
    assert row["after_s"] == (halt.trip.ts_ns - at_ns) / SECOND
    assert row["after_events"] == np.count_nonzero((times >= at_ns) & (times <= halt.trip.ts_ns))
    assert (row["limit"], row["action"], summary["answered"]) == (4, "flatten", True)
    assert stopped_by_risk(run.risk)
    assert risk_state(run.risk) is State.HALTED
    assert net(run, at_ns) * (-1 if "up" in fault else 1) > 0
    assert abs(net(run)) < Decimal("0.1")  # spot: a fee in the base asset leaves less than a lot
    last = max(fill.ts_ns for fill in run.ledger.fills)
    assert summary["flat_after_s"] == (last - at_ns) / SECOND <= row["halted_after_s"]
    closing = [fill for fill in run.ledger.fills if fill.ts_ns >= halt.trip.ts_ns and fill.liquidity == "TAKER"]
    mid = halt.mids[IDS[kind]]
    cost = sum(fill.fee + fill.sign * fill.quantity * (fill.price - mid) for fill in closing)
    assert summary["flatten_cost"] == pytest.approx(float(cost), abs=1e-9)
    assert cost > 0


def test_a_limit_that_is_reached_after_all_is_closed_has_nothing_to_wait_for(drilled: Drilled) -> None:
    run, summary = drilled("spot", "crash:secs=20", None, "risk.max_daily_loss_pct=2")

    daily, drawdown = (control(summary, rule) for rule in ("max_daily_loss_pct", "max_drawdown_pct"))
    assert daily["halted_after_s"] < drawdown["after_s"] == drawdown["halted_after_s"]
    assert summary["flat_after_s"] <= daily["halted_after_s"]
    assert all(fill.ts_ns < run.drill.fault.at_ns + drawdown["after_s"] * SECOND for fill in run.ledger.fills)


@pytest.mark.parametrize("kind", KINDS)
def test_one_bad_price_halts_nothing_and_the_collar_holds_the_order_back(kind: str, drilled: Drilled) -> None:
    run, summary = drilled(kind, "price-spike")

    row = control(summary, "price_collar_bps")
    assert row["action"] == "refuse"
    assert row["after_s"] <= 2.1
    assert (summary["answered"], summary["false_alarms"]) == (True, [])
    assert run.risk.kill_switch.halts == []
    assert summary["lowest_equity"] < summary["equity_at_fault"] * 0.96
    assert all(abs(fill.price - 100) < 1 for fill in run.ledger.fills)


def test_a_limit_without_confirmations_is_a_false_alarm_on_one_bad_price(drilled: Drilled) -> None:
    once = ["risk.drawdown_confirmations=1", "risk.max_daily_loss_pct=3"]
    run, summary = drilled("perpetual", "price-spike:pct=10", None, *once)

    assert summary["false_alarms"] == ["max_daily_loss_pct", "max_drawdown_pct"]
    assert summary["verdict"].startswith("False alarm: max_daily_loss_pct, max_drawdown_pct")
    assert stopped_by_risk(run.risk)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fault", "rule", "latest_s", "resumed_by_s"),
    [("feed-stall:secs=20", "max_data_age_secs", 6, 22), ("equity-unknown:secs=20", "equity_unknown", 1, 22)],
)
def test_a_feed_that_cannot_be_trusted_is_left_until_it_can(
    kind: str, fault: str, rule: str, latest_s: float, resumed_by_s: float, drilled: Drilled
) -> None:
    run, summary = drilled(kind, fault)

    row = control(summary, rule)
    assert (row["action"], row["latched"], summary["answered"]) == ("cancel", False, True)
    assert 0 <= row["after_s"] <= latest_s
    assert row["after_s"] < row["halted_after_s"] <= latest_s + 2
    assert 20 <= row["resumed_after_s"] <= resumed_by_s
    assert not stopped_by_risk(run.risk)
    assert risk_state(run.risk) is State.RUNNING
    quoted = {point.ts_ns: point.quote_bid or point.quote_ask for point in run.ledger.position_points}
    at_ns = run.drill.fault.at_ns
    blind = range(at_ns + 9 * SECOND, at_ns + 20 * SECOND, SECOND)
    assert [quoted[ts_ns] for ts_ns in blind] == [None] * len(blind)
    assert summary["flatten_cost"] is None
    assert summary["flat_at_why"] == "no control asked for closing"


@pytest.mark.parametrize("kind", KINDS)
def test_a_venue_that_refuses_everything_is_left(kind: str, drilled: Drilled) -> None:
    run, summary = drilled(kind, "reject-storm")

    row = control(summary, "max_rejections_per_window")
    assert (row["value"], row["limit"], row["action"], row["scope"]) == (6, 5, "cancel", "FixedSpread-000")
    assert stopped_by_risk(run.risk)
    assert run.drill.recorder.refused_by_venue >= 6
    assert all(fill.ts_ns < run.drill.fault.at_ns + row["halted_after_s"] * SECOND for fill in run.ledger.fills)


@pytest.mark.parametrize("kind", KINDS)
def test_a_flatten_waits_for_a_venue_that_refuses_and_is_sent_again(kind: str, drilled: Drilled) -> None:
    action = "risk.on_trip={max_rejections_per_window: flatten}"
    run, summary = drilled(kind, "reject-storm:secs=20", None, action)

    assert abs(net(run, run.drill.fault.at_ns)) > 1
    assert abs(net(run)) < Decimal("0.1")
    assert 20 < summary["flat_after_s"] < 24


@pytest.mark.parametrize("kind", KINDS)
def test_a_flatten_goes_out_though_the_order_budget_is_spent(kind: str, drilled: Drilled) -> None:
    budget = ["risk.max_orders_per_10s=4", "risk.order_reserve=2", "risk.price_collar_bps=null"]
    run, summary = drilled(kind, "crash:secs=20", None, *budget)

    (halt,) = run.risk.kill_switch.halts
    spent = run.risk.guard.refusals["max_orders_per_10s", "FixedSpread-000"]
    assert spent.ts_ns < run.drill.fault.at_ns
    assert halt.trip.ts_ns - 2 * SECOND < spent.last_ns <= halt.trip.ts_ns
    assert halt.trip.rule == "max_drawdown_pct"
    assert abs(net(run)) < Decimal("0.1")
    assert summary["flat_after_s"] is not None


@pytest.mark.parametrize(
    ("fault", "overrides", "why"),
    [
        ("feed-stall:secs=20", ["risk.max_data_age_secs=null"], "the setup sets none of max_data_age_secs"),
        ("crash:pct=5,secs=20", ["risk=null"], "the setup has no risk controls"),
        ("gap:pct=0.5", [], "the fault stayed within max_drawdown_pct"),
        ("gap:pct=1", ["risk.max_drawdown_pct=0.001"], "max_drawdown_pct had halted trading before the fault"),
        ("reject-storm:secs=1", [], "orders, and that is within max_rejections_per_window"),
    ],
)
def test_no_answer_is_said_clearly(fault: str, overrides: list[str], why: str, drilled: Drilled) -> None:
    run, summary = drilled("perpetual", fault, "2026-01-01T00:02:00Z", *overrides)

    assert (summary["answered"], summary["controls"]) == (False, [])
    assert summary["verdict"].startswith("No control answered: ")
    assert why in summary["verdict"]
    assert run.risk is None or stopped_by_risk(run.risk) == ("before" in why)


def test_until_the_fault_a_drill_is_the_backtest(drilled: Drilled, workplace: Path) -> None:
    prepared = prepare_backtest(load_setup(workplace / "perpetual.yaml"), workplace)
    base = run_backtest(prepared)

    run, summary = drilled("perpetual", "crash:secs=20")

    at_ns = run.drill.fault.at_ns
    fills, curves = (
        [
            [(r.ts_ns, *facts(r)) for r in getattr(ledger, records) if r.ts_ns < at_ns]
            for ledger in (run.ledger, base.ledger)
        ]
        for records, facts in (
            ("fills", lambda fill: (fill.client_order_id, fill.price, fill.quantity)),
            ("equity_curve", lambda point: (point.equity,)),
        )
    )
    assert fills[0] == fills[1] != []
    assert curves[0] == curves[1] != []
    held = {point.ts_ns: point.position for point in base.ledger.position_points}
    latest = prepared.data.end_ns - 30 * SECOND
    assert held[at_ns] == max(position for ts_ns, position in held.items() if ts_ns <= latest)
    assert summary["traded_at_fault"] == {IDS["perpetual"]: float(held[at_ns])}


@pytest.mark.parametrize(
    ("fault", "at", "complaint"),
    [
        ("gap", "2027-01-01", 'was "2027-01-01", but the replay is from 2026-01-01T00:00:00Z'),
        ("gap", "2025-12-31T23:00:00Z", "but the replay is from"),
        ("gap", "noon", 'was "noon", expected a UTC time'),
        ("crash:secs=100", "2026-01-01T00:03:00Z", "and the fault takes 100 s"),
        ("feed-stall:secs=300", None, "the data are too short"),
    ],
)
def test_times_outside_the_data_are_refused(fault: str, at: str | None, complaint: str, workplace: Path) -> None:
    prepared = prepare_backtest(load_setup(workplace / "perpetual.yaml"), workplace)

    with pytest.raises(BadInput, match=r"^--(at|inject): ") as error:
        plan_drill(prepared, fault, at)

    assert complaint in str(error.value)

"""Drills of what seldom trades, at a quote an hour: each fault meets its control, in a pair of futures and on spot."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from bad_input import BadInput
from runtime.backtest import BacktestRun, run_backtest
from runtime.drills.plan import plan_drill
from runtime.drills.report import drill_summary
from runtime.prepare import prepare_backtest
from runtime.risk.report import precise_time, stopped_by_risk
from runtime.setup.load import load_setup
from tests.pair_kit import BETA, INTERCEPT, prices_of, reverting
from tests.portfolio_kit import ASSETS, FIRST_PRICES, HOUR_NS, walk, write_prices, write_setup
from tests.runtime.drills.test_drills import beyond, control

LEGS = ("SYNBUSDT-PERP.BINANCE", "SYNUSDT-PERP.BINANCE")
HOURS = 96
HOLE = range(12, 18)
LIMITS_PCT = {"pair": 4, "portfolio": 10, "hole": 10}
CHECK_S = 60
RISK = {
    "drawdown_confirmations": 2,
    "price_collar_bps": 1_000,
    "max_data_age_secs": 7_200,
    "max_price_move_bps": 1_500,
    "price_move_window_secs": 3_600,
    "max_rejections_per_window": 3,
    "rejection_window_secs": 21_600,
    "check_interval_secs": CHECK_S,
}
PAIR = {
    "pair": {
        "leg_y": LEGS[0],
        "leg_x": LEGS[1],
        "sample_interval_secs": 3_600,
        "hedge_ratio": "fixed",
        "fixed_ratio": BETA,
        "fixed_intercept": INTERCEPT,
        "fixed_sd": 0.01,
        "lookback": 20,
        "retest_every_secs": 0,
    },
    "notional_quote": 500,
    "entry_z": 1,
    "min_edge_bps": -1_000,
}
EQUAL = {"weights": "equal", "invested_pct": 80, "rebalance_threshold_pct": 0.3}


def write_files(folder: Path, config: dict[str, Any], names: tuple[str, ...], path: str, balance: str) -> None:
    """Write a setup with limits, for the catalog beside it."""
    limit_pct = LIMITS_PCT[folder.name]
    file = write_setup(folder, config, names)
    yaml = YAML()
    setup = yaml.load(file)
    setup["strategies"] = [{"path": path, "config": config}]
    setup["risk"] = RISK | {"max_drawdown_pct": limit_pct}
    setup["backtest"]["starting_balances"] = [balance]
    yaml.dump(setup, file)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: Any) -> Path:
    """Return a folder with a pair and a portfolio, each in its own."""
    folder = Path(tmp_path_factory.mktemp("seldom"))
    for kind in LIMITS_PCT:
        (folder / kind).mkdir()
    x = walk(4, HOURS, assets=1, volatility=0.003)[:, 0] / 300
    pair = np.column_stack((prices_of(reverting(5, HOURS, 0.3, 0.015), x), x))
    write_prices(folder / "pair" / "catalog", pair, LEGS)
    write_files(folder / "pair", PAIR, LEGS, "strategies.pairs:Pairs", "1_000 USDT")
    write_prices(folder / "portfolio" / "catalog", walk(2, HOURS, volatility=0.003), ASSETS)
    equal = EQUAL | {"instrument_ids": list(ASSETS)}
    rising = np.outer(np.exp(0.003 * np.arange(HOURS)), FIRST_PRICES)
    write_prices(folder / "hole" / "catalog", rising[: HOLE.start])
    write_prices(folder / "hole" / "catalog", rising[HOLE.stop :], first_hour=HOLE.stop)
    for kind in ("portfolio", "hole"):
        write_files(folder / kind, equal, ASSETS, "strategies.rebalance:Rebalance", "10_000 USDT")
    return folder


def drilled(folder: Path, fault: str, at: str | None = None, *overrides: str) -> tuple[BacktestRun, dict[str, Any]]:
    """Run a drill of the setup in a folder; return the run and its summary."""
    prepared = prepare_backtest(load_setup(folder / "setup.yaml", overrides), folder)
    run = run_backtest(prepared, drill=plan_drill(prepared, fault, at))
    assert run.drill is not None
    return run, drill_summary(run, run.drill)


KINDS = pytest.mark.parametrize("kind", ["pair", "portfolio"])


@KINDS
@pytest.mark.parametrize("fault", ["gap", "crash"])
def test_a_loss_closes_what_seldom_trades(kind: str, fault: str, workplace: Path) -> None:
    run, summary = drilled(workplace / kind, fault)

    row = control(summary, "max_drawdown_pct")
    assert (summary["answered"], row["action"]) == (True, "flatten")
    assert row["after_s"] == (beyond(run, LIMITS_PCT[kind], in_a_row=2) - run.drill.fault.at_ns) / 1e9
    assert stopped_by_risk(run.risk)
    assert summary["flat_after_s"] <= row["halted_after_s"]


@KINDS
@pytest.mark.parametrize(
    ("fault", "rule", "latest_s"),
    [
        ("price-spike", "max_price_move_bps", 0),
        ("feed-stall", "max_data_age_secs", 7_200 + CHECK_S),
        ("equity-unknown", "equity_unknown", 3_600),
    ],
)
def test_what_seldom_trades_waits_while_the_market_cannot_be_trusted(
    kind: str, fault: str, rule: str, latest_s: int, workplace: Path
) -> None:
    run, summary = drilled(workplace / kind, fault)

    row = control(summary, rule)
    assert (summary["answered"], summary["false_alarms"]) == (True, [])
    assert 0 <= row["after_s"] <= latest_s
    assert row["resumed_after_s"] is not None
    assert not stopped_by_risk(run.risk)


@KINDS
def test_a_storm_comes_when_what_seldom_trades_sends_orders(kind: str, workplace: Path) -> None:
    run, summary = drilled(workplace / kind, "reject-storm")

    row = control(summary, "max_rejections_per_window")
    assert (row["value"], row["limit"], summary["answered"]) == (4, 3, True)
    assert run.drill.recorder.refused_by_venue >= 4


def test_what_comes_long_after_a_fault_is_no_answer_to_it(workplace: Path) -> None:
    run, summary = drilled(workplace / "hole", "feed-stall:secs=60", "2023-11-15T00:30:00Z")

    (halt,) = run.risk.kill_switch.halts
    assert halt.trip.rule == "max_data_age_secs"
    assert (halt.trip.ts_ns - run.drill.fault.at_ns) / HOUR_NS > 10
    assert (summary["answered"], summary["controls"]) == (False, [])
    assert "the fault stayed within max_data_age_secs" in summary["verdict"]


def test_what_begins_to_trade_late_is_drilled_late(workplace: Path) -> None:
    run, summary = drilled(workplace / "pair", "gap", None, "strategies[0].config.trade_after=2023-11-18T14:00:00Z")

    assert run.drill.fault.at_ns + 10 * HOUR_NS > run.prepared.data.end_ns
    assert control(summary, "max_drawdown_pct")["action"] == "flatten"


def test_a_halt_that_has_ended_hides_nothing_of_what_comes_later(workplace: Path) -> None:
    run, _ = drilled(workplace / "hole", "gap")

    bought_at = min(fill.ts_ns for fill in run.ledger.fills)
    assert (run.drill.fault.at_ns - bought_at) / HOUR_NS > HOLE.stop  # prices rise: the most is held at the end


@pytest.mark.parametrize(
    ("window_secs", "at", "comes_at", "said"),
    [
        (3_600, "00:00:01", "01:00:00", "at which max_price_move_bps looks too, every 300 s"),
        (3_600, "02:00:00", "02:00:00", "at which max_price_move_bps looks too, every 300 s"),
        (60_000, "01:00:00", "02:00:00", "at which max_price_move_bps looks too, every 5000 s"),
        (60_000, "02:00:01", "03:00:00", "looks every 5000 s, and not then: it answers by chance"),
        (3_601, "01:00:00", "01:00:00", "looks every 300.083 s, and not then: it answers by chance"),
        (None, "00:00:01", "01:00:00", "The bad quote comes at a point of the ledger's grid."),
    ],
)
def test_a_spike_comes_when_every_control_that_it_concerns_looks(
    window_secs: int | None, at: str, comes_at: str, said: str, workplace: Path
) -> None:
    limit = "risk.max_price_move_bps=null" if window_secs is None else f"risk.price_move_window_secs={window_secs}"
    prepared = prepare_backtest(load_setup(workplace / "pair" / "setup.yaml", [limit]), workplace / "pair")

    drill = plan_drill(prepared, "price-spike:pct=20", f"2023-11-16T{at}Z")

    assert precise_time(drill.fault.at_ns) == f"2023-11-16T{comes_at}.000000Z"
    assert said in drill.chosen[-1]


def test_a_spike_that_no_point_of_the_grid_is_left_for_is_refused(workplace: Path) -> None:
    prepared = prepare_backtest(load_setup(workplace / "pair" / "setup.yaml"), workplace / "pair")
    data = replace(prepared.data, end_ns=prepared.data.end_ns - 1)

    with pytest.raises(BadInput, match=r"^--at: the ledger's grid has no point"):
        plan_drill(replace(prepared, data=data), "price-spike:pct=20", precise_time(data.end_ns - 10**9))

"""The command line as a user runs it: results, exit statuses, and nothing half-written."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import command_line
from data_catalog.columns import Quotes
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter
from data_catalog.synth import SyntheticMarket, write_synthetic_market
from run_backtest import command

type Run = Callable[..., Done]

SETUP = """\
name: example
description: A maker for tests
instruments: [SYNUSDT-PERP.BINANCE]
strategies:
  - path: strategies.avellaneda_stoikov:AvellanedaStoikov
    config:
      instrument_id: SYNUSDT-PERP.BINANCE
      order_qty: 1
      max_position: 5
      kappa_per_bps: 0.45
      risk_aversion_per_bps: 0.01
      volatility_window_secs: 20
backtest:
  starting_balances: [10_000 USDT]
"""


POOR = """\
name: poor
instruments: [NEXOUSDT.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config:
      instrument_id: NEXOUSDT.BINANCE
      order_qty: 50
      max_position: 4000
      half_spread_bps: 10
      requote_threshold_bps: 500
backtest:
  catalog: poor
  data: [quotes]
  starting_balances: [0 USDT, 4000 NEXO]
  fees: {maker_bps: 20000, paid_in: quote}
"""

CONTRACT = """
setup run_id start end elapsed_s events events_per_s currency equity_start equity_end pnl pnl_pct pnl_parts
markouts_bps max_drawdown_pct sharpe fills orders maker_share turnover win_rate profit_factor quotes
break_even_maker_fee_bps fills_assumption fees risk by_strategy by_instrument
"""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: Any) -> Path:
    """Return a folder with a setup and a catalog of twelve minutes."""
    folder = Path(tmp_path_factory.mktemp("workplace"))
    write_synthetic_market(folder / "catalog", SyntheticMarket(hours=0.2))
    (folder / "setup.yaml").write_text(SETUP)
    return folder


@dataclass(frozen=True)
class Done:
    """What a command line left behind."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def run(workplace: Path, project: Path) -> Run:
    """Return a function that runs the command in a process of its own."""

    def run_backtest(*arguments: str) -> Done:
        command = [sys.executable, str(project / "run_backtest.py"), *arguments]
        done = subprocess.run(command, cwd=workplace, capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    return run_backtest


@pytest.fixture
def run_here(workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command in this process, which spares the start of the engine."""

    def run_backtest(*arguments: str) -> Done:
        monkeypatch.chdir(workplace)
        monkeypatch.setattr(sys, "argv", ["run_backtest.py", *arguments])
        with pytest.raises(SystemExit) as left:
            command_line.run(command, "run_backtest.py")
        return Done(int(left.value.code or 0), *capsys.readouterr())

    return run_backtest


@pytest.fixture(scope="module")
def finished(run: Run, workplace: Path) -> tuple[Path, dict[str, Any]]:
    """Return the results folder and the summary of one run."""
    done = run("setup.yaml", "--json", "--out", "finished")
    assert (done.returncode, done.stderr) == (0, "")
    (folder,) = (workplace / "finished" / "example").iterdir()
    return folder, json.loads(done.stdout)


def test_a_run_leaves_every_file_of_the_contract(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = finished

    assert {file.name for file in folder.iterdir()} == {
        "summary.json", "report.html", "fills.parquet", "equity.parquet", "positions.csv", "pnl.csv", "manifest.json",
    }  # fmt: skip
    assert json.loads((folder / "summary.json").read_text()) == summary
    assert summary["run_id"] == folder.name
    assert summary["synthetic"] is True


def test_the_summary_has_every_key_of_the_contract_or_says_why_not(finished: tuple[Path, dict[str, Any]]) -> None:
    _, summary = finished
    assert [key for key in CONTRACT.split() if key not in summary] == []
    nothing = [key for key, value in summary.items() if value is None and not key.endswith("_why")]
    assert [key for key in nothing if not summary.get(f"{key}_why")] in ([], ["latency_ms"])
    assert summary["fills"] > 10


def test_the_parts_sum_to_the_profit(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = finished
    curve = pq.read_table(folder / "equity.parquet").to_pylist()

    assert sum(summary["pnl_parts"].values()) == pytest.approx(summary["pnl"], abs=1e-9)
    assert summary["pnl"] == pytest.approx(summary["equity_end"] - summary["equity_start"], abs=1e-9)
    for row in curve:
        parts = row["spread"] + row["inventory"] + row["fees"] + row["funding"]
        assert row["equity"] - curve[0]["equity"] == parts


def test_positions_and_pnl_tell_what_happened(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = finished
    positions = list(csv.DictReader((folder / "positions.csv").read_text().splitlines()))
    pnl = list(csv.DictReader((folder / "pnl.csv").read_text().splitlines()))

    assert list(positions[0])[:4] == ["time", "instrument", "bid", "ask"]
    assert Decimal(positions[-1]["equity"]) == pytest.approx(Decimal(summary["equity_end"]))
    assert len([row for row in pnl if row["kind"] == "fill"]) == summary["fills"]
    assert pnl[-1]["kind"] == "day"


def test_the_manifest_names_setup_data_and_versions(finished: tuple[Path, dict[str, Any]]) -> None:
    manifest = json.loads((finished[0] / "manifest.json").read_text())

    assert manifest["setup"]["strategies"][0]["config"]["kappa_per_bps"] == 0.45
    assert manifest["setup"]["backtest"]["fills"] == "queue_latency"
    assert len(manifest["setup_sha256"]) == 64
    assert [entry["type"] for entry in manifest["data"]] == ["quotes", "trades"]
    assert all(entry["fingerprint"] for entry in manifest["data"])
    assert manifest["versions"]["nautilus_trader"].startswith("1.231.")


def test_the_same_run_twice_gives_the_same_fills_bit_for_bit(run: Run, workplace: Path) -> None:
    for _ in range(2):
        assert run("setup.yaml", "--json", "--out", "twice").returncode == 0

    first, second = sorted((workplace / "twice" / "example").iterdir())
    for name in ("fills.parquet", "equity.parquet", "positions.csv", "pnl.csv"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_without_json_a_table_ends_with_the_path_of_the_report(run_here: Run, workplace: Path) -> None:
    done = run_here("setup.yaml", "--out", "table", "--start", "2026-01-01T00:06:00Z", "--fills", "optimistic")

    assert done.returncode == 0
    assert "SYNTHETIC" in done.stdout
    path = done.stdout.strip().splitlines()[-1].removeprefix("Report: ").strip()
    assert (workplace / path).is_file()


def test_options_change_the_setup(run_here: Run) -> None:
    done = run_here("setup.yaml", "--json", "--fills", "pessimistic", "--set", "backtest.fees={maker_bps: -1}")

    summary = json.loads(done.stdout)
    assert summary["fills_assumption"] == "pessimistic"
    assert summary["fees"]["maker_bps"] == -1
    assert summary["pnl_parts"]["fees"] >= 0


def test_the_log_of_the_engine_is_kept_when_asked_for(run: Run, workplace: Path) -> None:
    done = run("setup.yaml", "--json", "--out", "logged", "--log-level", "INFO", "--end", "2026-01-01T00:01:00Z")

    assert done.returncode == 0
    (folder,) = (workplace / "logged" / "example").iterdir()
    assert any("AvellanedaStoikov" in file.read_text() for file in folder.glob("*.log"))


def test_a_run_may_end_between_two_events(run: Run) -> None:
    done = run("setup.yaml", "--json", "--end", "2026-01-01T00:00:59.123456Z")

    assert done.returncode == 0
    assert json.loads(done.stdout)["end"] == "2026-01-01T00:00:59Z"


def test_an_account_that_cannot_pay_says_so_and_leaves_nothing(run_here: Run, workplace: Path) -> None:
    """A fee in the quote currency that the account does not hold stops the engine without an exception."""
    (workplace / "poor.yaml").write_text(POOR)
    nexo = find_instrument("NEXOUSDT.BINANCE")
    steps = np.arange(600, dtype=np.int64)
    ts = 1_767_225_600_000_000_000 + steps * 1_000_000_000
    bid = 1_200 + steps % 30
    sizes = np.full(600, 10_000, dtype=np.int64)
    with CatalogWriter(workplace / "poor") as writer:
        writer.quotes(nexo, Quotes(bid, bid + 2, sizes, sizes, ts, ts), Origin("recorded"))

    done = run_here("poor.yaml", "--json", "--out", "poor-results")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("failed: the engine stopped at ")
    assert not (workplace / "poor-results").exists()


def test_a_run_may_end_between_two_ticks(run_here: Run) -> None:
    done = run_here("setup.yaml", "--json", "--end", "2026-01-01T00:01:03.21Z", "--out", "between")

    assert (done.returncode, json.loads(done.stdout)["end"]) == (0, "2026-01-01T00:01:03Z")


BAD = {
    "missing file": (["nowhere.yaml"], "no such setup file"),
    "misspelt key": (["setup.yaml", "--set", "backtest.fils=queue"], 'did you mean "fills"?'),
    "wrong sign": (["setup.yaml", "--set", "strategies[0].config.order_qty=-1"], 'was "-1"'),
    "wrong unit": (["setup.yaml", "--set", "strategies[0].config.order_qty=1 SYN"], 'was "1 SYN"'),
    "not a multiple of the step": (["setup.yaml", "--set", "strategies[0].config.order_qty=1.0005"], "multiple of"),
    "unknown instrument": (
        ["setup.yaml", "--set", "instruments=[BTCUSDT-PERP.BINANCE]"],
        "it has SYNUSDT-PERP.BINANCE",
    ),
    "instrument not in the setup": (
        ["setup.yaml", "--set", "strategies[0].config.instrument_id=SYNUSD-PERP.BINANCE"],
        'did you mean "SYNUSDT-PERP.BINANCE"?',
    ),
    "dates outside the data": (["setup.yaml", "--start", "2027-01-01"], "is after the data"),
    "missing catalog": (["setup.yaml", "--catalog", "no-catalog"], "no-catalog"),
    "empty catalog": (["setup.yaml", "--catalog", "empty"], "empty"),
    "oms_type": (["setup.yaml", "--set", "backtest.oms_type=NETTIN"], 'did you mean "NETTING"?'),
    "missing class": (
        ["setup.yaml", "--set", "strategies[0].path=strategies.fixed_spread:FixdSpread"],
        'did you mean "FixedSpread"?',
    ),
    "fills": (["setup.yaml", "--fills", "kind"], "expected one of: optimistic, queue, queue_latency, pessimistic"),
    "order below the venue's minimum": (
        ["setup.yaml", "--set", "strategies[0].config.order_qty=0.04"],
        "worth 4.00 USDT at 100",
    ),
    "gamma below 0": (["setup.yaml", "--set", "strategies[0].config.risk_aversion_per_bps=-1"], 'was "-1"'),
    "k of 0": (["setup.yaml", "--set", "strategies[0].config.kappa_per_bps=0"], "expected a number > 0"),
    "spread bounds that cross": (
        [
            "setup.yaml",
            "--set",
            "strategies[0].config={instrument_id: SYNUSDT-PERP.BINANCE, order_qty: 1, max_position: 5, "
            "risk_aversion_per_bps: 1, min_spread_bps: 9, max_spread_bps: 4}",
        ],
        "max_spread_bps: was 4.0, expected at least min_spread_bps",
    ),
    "levels on top of each other": (
        ["setup.yaml", "--set", "strategies[0].config.order_levels=3"],
        "level_spacing_bps: was 0, expected above 0",
    ),
    "balance": (["setup.yaml", "--set", "backtest.starting_balances=[10_000]"], 'was "10000", expected text'),
    "balance without a currency": (
        ["setup.yaml", "--set", "backtest.starting_balances=['10_000']"],
        "expected an amount such as",
    ),
    "balance of an unknown asset": (["setup.yaml", "--set", "backtest.starting_balances=[1 BNB]"], "cannot be valued"),
    "no balance in the currency": (["setup.yaml", "--set", "backtest.starting_balances=[]"], "starting_balances"),
    "unknown option": (["setup.yaml", "--fill", "x"], "--fills"),
}


def test_what_is_foolish_but_allowed_is_said(run_here: Run) -> None:
    done = run_here("setup.yaml", "--json", "--set", "strategies[0].config.kappa_per_bps=2", "--out", "foolish")

    (warning,) = json.loads(done.stdout)["warnings"]
    assert "spread of 1.0 bps" in warning
    assert "costs 4.0 bps in maker fees" in warning
    assert warning in done.stderr


def test_a_tolerance_below_one_tick_is_said_to_do_nothing(run_here: Run) -> None:
    overrides = ["--set", "strategies[0].config.requote_threshold_bps=0.5", "--end", "2026-01-01T00:02:00Z"]
    done = run_here("setup.yaml", "--json", *overrides, "--out", "tolerance")

    (warning,) = json.loads(done.stdout)["warnings"]
    assert "requote_threshold_bps of 0.5 is less than one tick" in warning


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_exit_status_2_and_nothing_written(case: str, run_here: Run, workplace: Path) -> None:
    (workplace / "empty").mkdir(exist_ok=True)
    arguments, words = BAD[case]

    done = run_here(*arguments, "--out", "bad-results")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("error: ")
    assert words in done.stderr
    assert not (workplace / "bad-results").exists()


def test_results_that_have_no_place_are_bad_input(run_here: Run) -> None:
    done = run_here("setup.yaml", "--out", "setup.yaml")

    assert done.returncode == 2
    assert done.stderr == "error: setup.yaml/example: --out: no folder can be made there: Not a directory\n"

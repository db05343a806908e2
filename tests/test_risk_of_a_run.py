"""Limits as a user meets them: in the summary, on the report's page, and in the exit status."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import command_line
from data_catalog.columns import SELLER, Quotes, Trades
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter
from run_backtest import command

START_NS = 1_767_225_600_000_000_000

SETUP = """\
name: crash
instruments: [{instrument}]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {{instrument_id: {instrument}, order_qty: 2, max_position: 8, half_spread_bps: 3}}
ledger: {{interval_secs: 1}}
risk:
  max_drawdown_pct: 4
  max_order_notional_quote: 500
backtest:
  catalog: catalog
  starting_balances: {balances}
"""
MARKETS = {
    "perpetual": ("SYNUSDT-PERP.BINANCE", "[1_000 USDT]", 0.01, 0.001),
    "spot": ("NEXOUSDT.BINANCE", "[1_000 USDT, 10 NEXO]", 0.001, 0.01),
}


def write_crash(catalog: Path, instrument_id: str, tick: float, step: float) -> None:
    """Write five minutes in which the price falls by 30 % and every second somebody sells through our bid."""
    rows = 300
    falls = np.clip(np.arange(rows) - 60, 0, 100) * 0.3
    mid = np.round((100 - falls) / tick).astype(np.int64)
    gap = round(0.01 / tick)
    size = np.full(rows, round(20 / step))
    ts = START_NS + np.arange(rows) * 1_000_000_000
    later = ts + 500_000_000
    instrument = find_instrument(instrument_id)
    with CatalogWriter(catalog) as writer:
        writer.quotes(instrument, Quotes(mid - gap, mid + gap, size, size, ts, ts), Origin("synthetic"))
        sold = Trades(mid - 6 * gap, size, np.full(rows, SELLER, np.uint8), np.arange(rows), later, later)
        writer.trades(instrument, sold, Origin("synthetic"))


@pytest.fixture
def run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs the command in this process, in a folder of its own."""

    def run_backtest(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["run_backtest.py", *arguments])
        with pytest.raises(SystemExit) as left:
            command_line.run(command, "run_backtest.py")
        return int(left.value.code or 0), *capsys.readouterr()

    return run_backtest


@pytest.fixture(params=MARKETS)
def crash(request: Any, tmp_path: Path) -> Path:
    """Return a setup on a market that crashes, with its catalog beside it."""
    instrument_id, balances, tick, step = MARKETS[request.param]
    write_crash(tmp_path / "catalog", instrument_id, tick, step)
    setup = tmp_path / "setup.yaml"
    setup.write_text(SETUP.format(instrument=instrument_id, balances=balances))
    return setup


def test_a_crash_ends_flat_with_exit_status_3_and_results(crash: Path, run_here: Any) -> None:
    status, out, _ = run_here("setup.yaml", "--json")

    summary = json.loads(out)
    (halt,) = summary["risk"]["halts"]
    assert status == 3
    assert summary["risk"]["state"] == "HALTED"
    assert (halt["rule"], halt["limit"], halt["action"], halt["scope"]) == ("max_drawdown_pct", 4, "flatten", "account")
    assert 4 <= halt["value"] < 5
    assert halt["cost"] > 0
    assert 0 < halt["halted_after_s"] <= 3
    (folder,) = (crash.parent / "results" / "crash").iterdir()
    assert "max_drawdown_pct" in (folder / "report.html").read_text()
    rows = [line.split(",") for line in (folder / "positions.csv").read_text().splitlines()]
    position, quotes = rows[0].index("position"), rows[0].index("quote_bid")
    assert abs(float(rows[-1][position]) - float(rows[1][position])) < 0.1
    assert rows[-1][quotes] == ""


def test_without_the_section_the_same_crash_is_nobodys_business(crash: Path, run_here: Any) -> None:
    status, out, _ = run_here("setup.yaml", "--json", "--set", "risk=null")

    summary = json.loads(out)
    assert status == 0
    assert (summary["risk"], summary["risk_why"]) == (None, "the setup has no risk actor")
    assert summary["max_drawdown_pct"] > 5


def test_refusals_are_counted_with_an_example(crash: Path, run_here: Any) -> None:
    _, out, _ = run_here("setup.yaml", "--json", "--set", "risk={max_gross_notional_quote: 250}")

    summary = json.loads(out)
    (refusal,) = summary["risk"]["refusals"]
    assert summary["risk"]["state"] == "RUNNING"
    assert (refusal["rule"], refusal["strategy"]) == ("max_gross_notional_quote", "FixedSpread-000")
    assert refusal["count"] > 10
    assert refusal["first"] < refusal["last"]
    assert refusal["value"] > refusal["limit"] == 250
    (folder,) = (crash.parent / "results" / "crash").iterdir()
    page = (folder / "report.html").read_text()
    assert "Refused by the guard" in page
    assert f"<td>{refusal['count']:,}</td>" in page

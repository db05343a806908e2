"""Funding and liquidation as a user meets them: from the catalog and the setup to the summary and the exit status."""

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import command_line
from data_catalog.columns import FundingRates, Quotes
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter
from run_backtest import command

NAME = "BTCUSDT-PERP.BINANCE"
MIDNIGHT = 1_704_067_200_000_000_000
MINUTE = 60_000_000_000
SETUP = """\
name: funded
instruments: [BTCUSDT-PERP.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config:
      instrument_id: BTCUSDT-PERP.BINANCE
      order_qty: 0.01
      max_position: 0.01
      half_spread_bps: 10
backtest:
  catalog: {catalog}
  data: [quotes]
  starting_balances: [{balance} USDT]
  leverage: 50
"""


def write_catalog(folder: Path, mids: Any, rates: dict[int, int]) -> Path:
    """Write a quote each minute around these mids (whole USDT), and rates in bps by the minute of their settlement."""
    perpetual = find_instrument(NAME)
    ts = MIDNIGHT + np.arange(len(mids)) * MINUTE
    mid = np.asarray(mids) * 10
    size = np.full(len(mids), 1_000_000)
    settled = MIDNIGHT + np.array(list(rates), np.int64) * MINUTE
    with CatalogWriter(folder) as writer:
        writer.quotes(perpetual, Quotes(mid - 1, mid + 1, size, size, ts, ts), Origin("recorded"))
        if rates:
            counts = np.array(list(rates.values()), np.int64) * 10**12
            writer.funding_rates(perpetual, FundingRates(counts, settled, settled), Origin("recorded"))
    return folder


def replay(tmp_path: Path, monkeypatch: Any, capsys: Any, *arguments: str, balance: int = 10_000) -> Any:
    """Run the command; return the exit status, the summary and the folder of the results."""
    (tmp_path / "setup.yaml").write_text(SETUP.format(catalog="catalog", balance=balance))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["run_backtest.py", "setup.yaml", "--json", *arguments])
    with pytest.raises(SystemExit) as left:
        command_line.run(command, "run_backtest.py")
    said = capsys.readouterr()
    summary = json.loads(said.out) if said.out else said.err
    return int(left.value.code or 0), summary, next((tmp_path / "results" / "funded").glob("*"), None)


def warnings_of_funding(summary: Any) -> list[str]:
    return [warning for warning in summary["warnings"] if "unding" in warning]


FALL_AND_STAY = [60_000] * 10 + [59_900] * 1_000
"""The maker's bid at 59,940 is filled in the tenth minute, and its ask at 59,960 never."""


@pytest.mark.parametrize(
    ("arguments", "funding", "times", "warned"),
    [
        ([], Decimal("-599") * (1 - 3) / 10_000, 2, 0),
        (["--set", "backtest.funding={rate_bps: 5, interval_hours: 4}"], Decimal("-599") * 20 / 10_000, 4, 1),
        (["--set", "backtest.funding=none"], Decimal(0), 0, 1),
        (["--end", "2024-01-01T07:00:00Z"], Decimal(0), 0, 0),
    ],
    ids=["catalog", "assumed", "off", "before the first"],
)
def test_funding_is_paid_from_the_catalog_or_as_the_setup_says(
    arguments: list[str], funding: Decimal, times: int, warned: int, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    write_catalog(tmp_path / "catalog", FALL_AND_STAY, {0: 100, 8 * 60: 1, 16 * 60: -3})

    status, summary, folder = replay(tmp_path, monkeypatch, capsys, *arguments)

    assert status == 0
    rows = [line.split(",") for line in (folder / "pnl.csv").read_text().splitlines() if line.startswith("funding,")]
    assert (len(rows), sum(Decimal(row[7]) for row in rows)) == (times, -funding)
    assert summary["pnl_parts"]["funding"] == float(funding)
    assert summary["funding"][NAME]["payments"] == times
    assert len(warnings_of_funding(summary)) == warned
    assert summary["by_strategy"]["FixedSpread-000"]["pnl_parts"]["funding"] == float(funding)


def test_a_catalog_without_rates_is_said(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    write_catalog(tmp_path / "catalog", FALL_AND_STAY, {})

    _, summary, folder = replay(tmp_path, monkeypatch, capsys)

    assert "no funding rate of BTCUSDT-PERP.BINANCE for 2 of 2 funding times" in warnings_of_funding(summary)[0]
    assert "2 of 2 funding times" in (folder / "report.html").read_text()
    assert summary["funding"][NAME]["times_without_rate"] == 2


def test_a_liquidated_run_says_so_and_ends_with_status_3(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    write_catalog(tmp_path / "catalog", [60_000] * 10 + [59_900] * 10 + [59_000] * 10, {})

    status, summary, folder = replay(
        tmp_path, monkeypatch, capsys, "--set", "backtest.margin.mode=isolated", balance=13
    )

    assert status == 3
    assert summary["liquidation"]["time"] == "2024-01-01T00:20:00Z"
    assert summary["liquidation"]["closed"] == {NAME: 0.01}
    assert summary["fills"] == 2
    assert summary["equity_end"] == pytest.approx(13 - 599.4 * 0.0002 - 599.4 / 50)
    assert "LIQUIDATED" in (folder / "report.html").read_text()


def test_orders_without_margin_are_counted(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    write_catalog(tmp_path / "catalog", [60_000] * 10, {})

    status, summary, _ = replay(tmp_path, monkeypatch, capsys, balance=11)  # 600 / 50 are needed

    assert (status, summary["fills"]) == (0, 0)
    assert any("refused for want of margin" in warning for warning in summary["warnings"])


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("backtest.funding={rate_bp: 1}", 'backtest.funding.rate_bp: is not a known key; did you mean "rate_bps"?'),
        ("backtest.funding={rate_bps: 1, interval_hours: 5}", 'interval_hours: was "5", expected one of: 1, 2, 4, 8'),
        ("backtest.funding=sometimes", "expected one of: catalog, none, a mapping of rate_bps, interval_hours"),
        ("backtest.margin.maintenance_pct=high", 'was "high", expected a number'),
        ("backtest.margin.maintenance_pct=-1", "backtest.margin.maintenance_pct: was -1"),
        ("backtest.margin.maintenance_pct=2", "backtest.leverage: a leverage of 50"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    assignment: str, complaint: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    write_catalog(tmp_path / "catalog", [60_000] * 3, {})

    status, said, _ = replay(tmp_path, monkeypatch, capsys, "--set", assignment)

    assert status == 2
    assert complaint in said


@pytest.mark.parametrize("key", ["funding={rate_bps: 1, interval_hours: 8}", "margin.mode=isolated"])
def test_a_spot_account_has_neither_funding_nor_margin(tmp_path: Path, monkeypatch: Any, capsys: Any, key: str) -> None:
    spot = find_instrument("BTCUSDT.BINANCE")
    ts = MIDNIGHT + np.arange(2) * MINUTE
    mid, size = np.full(2, 500_000), np.full(2, 1_000_000)
    with CatalogWriter(tmp_path / "catalog") as writer:
        writer.quotes(spot, Quotes(mid - 1, mid + 1, size, size, ts, ts), Origin("recorded"))
    (tmp_path / "setup.yaml").write_text(SETUP.format(catalog="catalog", balance=10_000).replace("-PERP", ""))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["run_backtest.py", "setup.yaml", "--set", f"backtest.{key}"])
    with pytest.raises(SystemExit) as left:
        command_line.run(command, "run_backtest.py")
    assert left.value.code == 2
    name = key.partition("=")[0].partition(".")[0]
    assert f"backtest.{name}: is for futures, and the instruments are spot" in capsys.readouterr().err

"""A rehearsal as its user starts it: a recorded market, the real adapter, no keys."""

import json
import os
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

SETUP = """
name: rehearsed
instruments: [SYNUSDT-PERP.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: SYNUSDT-PERP.BINANCE, order_qty: 1, max_position: 5, half_spread_bps: 3}
risk: {max_position_qty: {SYNUSDT-PERP.BINANCE: 7}, max_data_age_secs: 10}
ledger: {interval_secs: 1}
backtest: {catalog: synthetic, synthetic: {hours: 0.05}, starting_balances: [10_000 USDT], leverage: 7}
"""


def test_a_rehearsal_trades_a_catalog_without_keys(project: Path, tmp_path: Path) -> None:
    (tmp_path / "rehearsed.yaml").write_text(SETUP)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BINANCE")}
    command = [sys.executable, str(project / "run_live.py"), "rehearsed.yaml", "--rehearse", "synthetic"]

    done = subprocess.run(
        [*command, "--speed", "60", "--json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["fills"] > 0
    begun, ended = (datetime.fromisoformat(summary[name]) for name in ("start", "end"))
    assert (ended - begun).total_seconds() > 170  # three minutes of the market, to everybody
    assert summary["elapsed_s"] < 60
    parts = [Decimal(repr(part)) for part in summary["pnl_parts"].values()]
    assert Decimal(repr(summary["pnl"])) == pytest.approx(sum(parts), abs=Decimal("1e-6"))
    assert not list((tmp_path / "state" / "rehearsed").glob("kept.json"))

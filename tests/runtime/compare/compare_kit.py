"""Recorded markets for rehearsals and paper trading, and runs of both as their user starts them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[3]
SPOT, PERPETUAL = "NEXOUSDT.BINANCE", "SYNUSDT-PERP.BINANCE"

MAKER = """
name: {name}
instruments: [{instrument}]
strategies:
  - path: strategies.avellaneda_stoikov:AvellanedaStoikov
    config: {{instrument_id: {instrument}, order_qty: {qty}, max_position: {most}, kappa_per_bps: {kappa}, sigma_bps: 1,
      risk_aversion_per_bps: 0.05, horizon_secs: 20, order_refresh_secs: 1}}
risk: {{max_position_qty: {{{instrument}: {limit}}}, max_data_age_secs: 10}}
ledger: {{interval_secs: 1}}
backtest: {{catalog: market, starting_balances: [{balances}], fills: queue_latency,
  latency: {{insert_ms: 5, modify_ms: 5, cancel_ms: 5}}, leverage: 10}}
"""
SETUPS = {
    SPOT: {"qty": 20, "most": 100, "limit": 200, "kappa": 0.2, "balances": "10_000 USDT, 5_000 NEXO"},
    PERPETUAL: {"qty": 1, "most": 5, "limit": 8, "kappa": 0.8, "balances": "10_000 USDT"},
}


def write_setup(folder: Path, instrument: str) -> Path:
    """Write the setup of a maker on an instrument."""
    path = folder / "maker.yaml"
    path.write_text(MAKER.format(name="maker", instrument=instrument, **SETUPS[instrument]))
    return path


def write_market(catalog: Path, instrument_id: str, seconds: int) -> list[Any]:
    """Write a random market to a catalog, and return its ticks in the order of replay."""
    from nautilus_trader.model.data import QuoteTick, TradeTick
    from nautilus_trader.persistence.catalog import ParquetDataCatalog

    from data_catalog.instruments import find_instrument
    from tests.engine_kit import Market

    market = Market(find_instrument(instrument_id))
    mid, tick = (1.2, 0.001) if instrument_id == SPOT else (100.0, 0.01)
    market.random(7, seconds=seconds, mid=mid, tick=tick)
    market.ticks.sort(key=lambda each: each.ts_init)
    catalog.mkdir()
    stored = ParquetDataCatalog(catalog)
    stored.write_data([market.instrument])
    for kind in (QuoteTick, TradeTick):
        stored.write_data([each for each in market.ticks if type(each) is kind])
    return market.ticks


def run_live(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run run_live.py to its end, without any keys."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BINANCE")}
    command = [sys.executable, str(PROJECT / "run_live.py"), "maker.yaml", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=90, check=False, **options
    )


@contextmanager
def paper_process(folder: Path, double: Any) -> Iterator[Any]:
    """Trade on paper on a local exchange from its first running moment to the end of the block."""
    from binance_double.rules import Product

    url = double.addresses(Product.FUTURES).http
    errors = folder / "stderr"
    command = [sys.executable, str(PROJECT / "run_live.py"), "maker.yaml", "--paper", "--local"]
    with errors.open("w") as stream:
        process = subprocess.Popen([*command, "--set", f"live.local_url={url}"], cwd=folder, stderr=stream)
    try:
        end = time.monotonic() + 60
        while "running" not in errors.read_text():
            assert process.poll() is None, errors.read_text()
            assert time.monotonic() < end, errors.read_text()
            time.sleep(0.05)
        yield process
        process.send_signal(signal.SIGINT)
        process.wait(60)
        process.stderr_text = errors.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def last_run(folder: Path) -> Path:
    """Return the folder of the only run."""
    [run] = (folder / "results" / "maker").iterdir()
    return run


def compare(folder: Path, run: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Compare a run with its replay in this process; return the exit status and compare.json."""
    from run_backtest import command

    out = folder / "compared"
    status = command.main(
        [str(folder / "maker.yaml"), "--compare", str(run), "--out", str(out), *arguments], standalone_mode=False
    )
    newest = max((out / "maker").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    return status, json.loads((newest / "compare.json").read_text())

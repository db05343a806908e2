"""The figures of a run against a second computation: from its fills and the quotes alone, with pandas and numpy."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import command_line
from data_catalog.columns import Quotes
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter
from run_backtest import command

MIDNIGHT = 1_704_067_200_000_000_000
SECOND = 1_000_000_000
HORIZONS = (1, 5, 30, 60, 300)
YEAR_SECS = 365 * 86_400
LENGTHS = {"five minutes": 300, "one hour": 3_600, "three days": 3 * 86_400}
GRID_SECS = 60
HELD = {"NEXOUSDT.BINANCE": 4_000.0, "BTCUSDT.BINANCE": 0.05}
CASH = 5_000.0
PERPETUAL = "BTCUSDT-PERP.BINANCE"
TEXTS = ("strategy", "instrument", "side", "liquidity", "client_order_id", "trade_id")
SPOT = """\
name: two_assets
instruments: [NEXOUSDT.BINANCE, BTCUSDT.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: NEXOUSDT.BINANCE, order_qty: 50, max_position: 1000, half_spread_bps: 8, order_id_tag: N}
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: BTCUSDT.BINANCE, order_qty: 0.001, max_position: 0.02, half_spread_bps: 8, order_id_tag: B}
ledger: {interval_secs: 60}
backtest:
  catalog: catalog
  data: [quotes]
  starting_balances: [5_000 USDT, 4_000 NEXO, 0.05 BTC]
"""
OPEN = """\
name: open_position
instruments: [BTCUSDT-PERP.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: BTCUSDT-PERP.BINANCE, order_qty: 0.01, max_position: 0.01, half_spread_bps: 10}
ledger: {interval_secs: 60}
backtest:
  catalog: catalog
  data: [quotes]
  starting_balances: [5_000 USDT]
"""


@dataclass(frozen=True)
class Market:
    """Quotes of one instrument: times in ns and mids."""

    ts: Any
    mid: Any

    def at(self, ts_ns: Any) -> Any:
        """Return the last mid at or before each time."""
        return self.mid[np.searchsorted(self.ts, ts_ns, side="right") - 1]


def write(folder: Path, instrument_id: str, ts: Any, mid_ticks: Any, half_ticks: int) -> Market:
    """Write quotes around mids in whole ticks."""
    instrument = find_instrument(instrument_id)
    size = np.full(len(ts), 10**6)
    with CatalogWriter(folder) as writer:
        quotes = Quotes(mid_ticks - half_ticks, mid_ticks + half_ticks, size, size, ts, ts)
        writer.quotes(instrument, quotes, Origin("recorded"))
    return Market(ts, mid_ticks * float(instrument.price_increment))


@pytest.fixture(scope="module")
def spot(tmp_path_factory: Any) -> tuple[Path, dict[str, Market]]:
    """Return a folder with a setup, and two markets: every five seconds for an hour, then every ten minutes."""
    folder = Path(tmp_path_factory.mktemp("figures"))
    (folder / "setup.yaml").write_text(SPOT)
    steps = np.concatenate([[0], np.full(720, 5), np.full((3 * 86_400 - 3_600) // 600, 600)])
    ts = MIDNIGHT + np.cumsum(steps) * SECOND
    rng = np.random.default_rng(3)
    markets = {}
    for name, start, step in (("NEXOUSDT.BINANCE", 1_200, 3), ("BTCUSDT.BINANCE", 6_000_000, 15_000)):
        mid = start + np.cumsum(rng.integers(-step, step + 1, len(ts)))
        markets[name] = write(folder / "catalog", name, ts, mid, max(1, step // 8))
    return folder, markets


def replay(folder: Path, monkeypatch: Any, capsys: Any, *arguments: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """Run the setup; return its summary and its fills."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["run_backtest.py", "setup.yaml", "--json", *arguments])
    with pytest.raises(SystemExit) as left:
        command_line.run(command, "run_backtest.py")
    assert not left.value.code
    summary = json.loads(capsys.readouterr().out)
    file = folder / "results" / summary["setup"] / summary["run_id"] / "fills.parquet"
    fills = pd.DataFrame(pq.read_table(file).to_pydict())
    numbers = [name for name in fills.columns if fills[name].dtype == object and name not in TEXTS]
    fills[numbers] = fills[numbers].astype(float)
    return summary, fills


def brute_force(
    fills: pd.DataFrame, markets: dict[str, Market], start_ns: int, end_ns: int, held: dict[str, float], cash: float
) -> dict[str, Any]:
    """Compute the figures anew."""
    sign = np.where(fills.side == "BUY", 1.0, -1.0)
    value = fills.price * fills.quantity
    grid = np.unique([start_ns, *range(start_ns, end_ns + 1, GRID_SECS * SECOND), end_ns])
    mid = np.array([markets[name].at(ts) for name, ts in zip(fills.instrument, fills.ts_ns, strict=True)])
    fee_quote = fills.fee - fills.fee_base * mid
    flow = -sign * value - fee_quote
    equity = cash + so_far(flow, fills.ts_ns, grid)
    holdings = sum(held[name] * (market.at(grid) - market.at(start_ns)) for name, market in markets.items())
    for name, market in markets.items():
        bought = (sign * fills.quantity - fills.fee_base) * (fills.instrument == name)
        equity += (held[name] + so_far(bought, fills.ts_ns, grid)) * market.at(grid)
    peak = np.array([equity[: n + 1].max() for n in range(len(equity))])
    figures: dict[str, Any] = {
        "equity_start": equity[0],
        "equity_end": equity[-1],
        "pnl": equity[-1] - equity[0],
        "pnl_pct": 100 * (equity[-1] / equity[0] - 1),
        "pnl_trading": equity[-1] - equity[0] - holdings[-1],
        "pnl_parts.spread": (sign * fills.quantity * (mid - fills.price)).sum(),
        "pnl_parts.fees": -fills.fee.sum(),
        "max_drawdown_pct": 100 * ((peak - equity) / peak).max(),
        "sharpe": sharpe_of(equity),
        "sharpe_trading": sharpe_of(equity - holdings),
        "fills": len(fills),
        "maker_share": value[fills.liquidity == "MAKER"].sum() / value.sum(),
        "turnover": value.sum() / equity[0],
    }
    for horizon in HORIZONS:
        later_ns = fills.ts_ns + horizon * SECOND
        counts = later_ns <= end_ns
        later = np.array([markets[name].at(ts) for name, ts in zip(fills.instrument, later_ns, strict=True)])
        gained = sign * fills.quantity * (later - fills.price)
        markout = 1e4 * gained[counts].sum() / value[counts].sum() if counts.any() else None
        figures[f"markouts_bps.{horizon}s"] = markout
    return figures | closing_figures(fills, sign)


def so_far(amounts: Any, ts_ns: Any, grid: Any) -> Any:
    """Return the sum of the amounts up to and with each point of the grid."""
    return np.concatenate([[0.0], np.cumsum(amounts)])[np.searchsorted(ts_ns, grid, side="right")]


def sharpe_of(equity: Any) -> float | None:
    """Return the Sharpe ratio by its definition; None where the run is shorter than an hour."""
    if (len(equity) - 1) * GRID_SECS < 3_600:
        return None
    changes = pd.Series(equity).diff().dropna() / equity[0]
    return float(changes.mean() / changes.std() * np.sqrt(YEAR_SECS / GRID_SECS))


def closing_figures(fills: pd.DataFrame, sign: Any) -> dict[str, Any]:
    """Return win rate and profit factor, from every fill that closes, at the average cost of its strategy."""
    won: list[float] = []
    for _, group in fills.assign(sign=sign).groupby("strategy"):
        position = cost = 0.0
        for fill in group.itertuples():
            change, paid = fill.sign * fill.quantity, fill.sign * fill.quantity * fill.price + fill.fee
            if position * change < -1e-12:
                part = min(abs(change), abs(position)) / abs(change)
                share = min(abs(change), abs(position)) / abs(position)
                won.append(-(paid * part + cost * share))
                cost = cost * (1 - share) + paid * (1 - part)
            else:
                cost += paid
            position = round(position + change, 9)
            cost = cost if position else 0.0
    lost = -sum(each for each in won if each < 0)
    return {
        "win_rate": sum(each > 0 for each in won) / len(won) if won else None,
        "profit_factor": sum(each for each in won if each > 0) / lost if lost else None,
    }


def found(summary: dict[str, Any], path: str) -> Any:
    """Return what the summary has at a dotted path; where it is nothing, only with its reason."""
    *keys, last = path.split(".")
    for key in keys:
        summary = summary[key]
    if summary[last] is None:
        assert summary[f"{last}_why"]
    return summary[last]


def compare(summary: dict[str, Any], figures: dict[str, Any]) -> None:
    for path, expected in figures.items():
        told = found(summary, path)
        assert (told is None) == (expected is None), path
        if expected is not None:
            assert told == pytest.approx(expected, rel=1e-7, abs=1e-8), path
    assert summary["sharpe"] is None or summary["sharpe"] * summary["pnl"] >= 0, "a losing run shows no positive one"


@pytest.mark.parametrize("length", LENGTHS)
def test_spot_with_two_assets(length: str, spot: tuple[Path, dict[str, Market]], monkeypatch: Any, capsys: Any) -> None:
    folder, markets = spot
    end = MIDNIGHT + LENGTHS[length] * SECOND

    summary, fills = replay(folder, monkeypatch, capsys, "--end", str(pd.Timestamp(end)))

    assert set(fills.instrument) == set(markets)
    compare(summary, brute_force(fills, markets, MIDNIGHT, end, HELD, CASH))
    assert (summary["sharpe"] is None) == (length == "five minutes")


@pytest.mark.parametrize("way", [-1, 1], ids=["that loses", "that gains"])
def test_one_position_open_throughout(way: int, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """Bought in the third minute and never sold, while the price goes one way for two hours, with jitter."""
    (tmp_path / "setup.yaml").write_text(OPEN)
    minutes = np.arange(121)
    ts = MIDNIGHT + minutes * 60 * SECOND
    mid = np.where(minutes < 2, 600_000, 599_000 + way * 20 * minutes + 15 * (minutes % 3))
    market = write(tmp_path / "catalog", PERPETUAL, ts, mid, 1)

    summary, fills = replay(tmp_path, monkeypatch, capsys)

    assert list(fills.side) == ["BUY"]
    assert summary["sharpe"] * way > 0
    compare(summary, brute_force(fills, {PERPETUAL: market}, MIDNIGHT, int(ts[-1]), {PERPETUAL: 0.0}, CASH))
    assert summary["win_rate"] is None

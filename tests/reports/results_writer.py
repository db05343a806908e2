"""
Writes realistic results folders from a seed: the input of every test of reports.

Prices are whole ticks of 0.0005 and quantities whole lots of 0.01, so cash, fees and the P&L parts are exact and
sum to the change in equity by construction.
"""

import csv
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

HORIZONS = (1, 5, 30, 60, 300)
MONEY = pa.decimal128(38, 18)
TICK = Decimal("0.0005")
LOT = Decimal("0.01")
FEE = Decimal("0.001")
SECOND = 1_000_000_000
POSITION_COLUMNS = (
    "time",
    "instrument",
    "bid",
    "ask",
    "mid",
    "quote_bid",
    "quote_ask",
    "fair_value",
    "position",
    "equity",
)

type Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Shape:
    """What the folder should hold."""

    seed: int = 7
    points: int = 8_640
    fills: int = 3_000
    grid_s: int = 10
    start_ns: int = 1_721_749_200 * SECOND
    equity_start: Decimal = Decimal(1_000)
    edge_ticks: int = 3
    informed: float = 1.0
    fee: Decimal = FEE
    instruments: tuple[str, ...] = ("NEXOUSDT.BINANCE",)
    strategy: str = "avellaneda_stoikov"
    held_lots: int = 20_000
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Course:
    """One instrument's event path; a row per grid point or fill."""

    ts: Ints
    mid: Ints
    on_grid: NDArray[np.bool_]
    lots: Ints
    price: Ints
    position: Ints


def _path(shape: Shape, seed: int) -> Course:
    rng = np.random.default_rng(seed)
    grid = shape.start_ns + np.arange(shape.points, dtype=np.int64) * shape.grid_s * SECOND
    inside = rng.integers(grid[0] + 1, grid[-1] + 1, shape.fills) if shape.fills else np.empty(0, np.int64)
    ts = np.concatenate([grid, inside])
    order = np.argsort(ts, kind="stable")
    on_grid = (np.arange(len(ts)) < len(grid))[order]
    count = len(ts)
    side = np.zeros(count, np.int64)
    held = 0
    lots = rng.integers(500, 3_000, count)
    for row in np.flatnonzero(~on_grid):
        side[row] = 1 if rng.random() < 0.5 - held / 400_000 else -1
        held += int(side[row] * lots[row])
    position = shape.held_lots + np.cumsum(side * lots)
    step = rng.normal(0.0, 1.1, count)
    step[1:] -= shape.informed * side[:-1] * np.abs(rng.normal(2.0, 1.0, count - 1))
    mid = np.rint(2_400 + np.cumsum(step) * 0.6).astype(np.int64)
    return Course(ts[order], mid, on_grid, side * lots, mid - side * shape.edge_ticks, position)


def _money(units: Ints | list[int], unit: Decimal) -> list[Decimal]:
    return [Decimal(int(value)) * unit for value in units]


def _parts(shape: Shape, path: Course) -> dict[str, list[Decimal]]:
    """Return the cumulative parts at each row of `path`, and how much of the inventory part is what was held before."""
    unit = TICK * LOT
    held = np.concatenate([[shape.held_lots], path.position[:-1]])
    moves = np.diff(path.mid, prepend=path.mid[0])
    fees = np.cumsum(np.abs(path.lots) * path.price)
    return {
        "spread": _money(np.cumsum(path.lots * (path.mid - path.price)), unit),
        "inventory": _money(np.cumsum(held * moves), unit),
        "fees": [-value * shape.fee for value in _money(fees, unit)],
        "funding": [Decimal(0)] * len(path.ts),
        "holdings": _money(shape.held_lots * (path.mid - path.mid[0]), unit),
    }


def _fill_columns(shape: Shape, path: Course, instrument: str) -> dict[str, list[Any]]:
    rows = np.flatnonzero(~path.on_grid)
    price, mid, lots = path.price[rows], path.mid[rows], path.lots[rows]
    columns: dict[str, list[Any]] = {
        "ts_ns": path.ts[rows].tolist(),
        "strategy": [shape.strategy] * len(rows),
        "instrument": [instrument] * len(rows),
        "side": ["BUY" if value > 0 else "SELL" for value in lots],
        "liquidity": ["TAKER" if row % 50 == 0 else "MAKER" for row in range(len(rows))],
        "client_order_id": [f"O-20240723-{row:06d}" for row in range(len(rows))],
        "trade_id": [f"BINANCE-1-{row:06d}" for row in range(len(rows))],
        "price": _money(price, TICK),
        "quantity": _money(np.abs(lots), LOT),
        "fee": [value * shape.fee for value in _money(np.abs(lots) * price, TICK * LOT)],
        "mid": _money(mid, TICK),
        "position_after": _money(path.position[rows], LOT),
        "spread": _money(lots * (mid - price), TICK * LOT),
    }
    for horizon in HORIZONS:
        then = path.ts[rows] + horizon * SECOND
        found = path.mid[np.searchsorted(path.ts, then, side="right") - 1]
        known = then <= path.ts[-1]
        columns[f"markout_mid_{horizon}s"] = [
            value if ok else None for value, ok in zip(_money(found, TICK), known, strict=True)
        ]
    return columns


def _write_fills(folder: Path, columns: list[dict[str, list[Any]]]) -> list[dict[str, Any]]:
    names = list(columns[0])
    rows = [dict(zip(names, row, strict=True)) for part in columns for row in zip(*part.values(), strict=True)]
    rows.sort(key=lambda row: row["ts_ns"])
    types = {"ts_ns": pa.int64()} | {name: pa.string() for name in names[1:7]}
    schema = pa.schema([(name, types.get(name, MONEY)) for name in names])
    pq.write_table(pa.Table.from_pylist(rows, schema), folder / "fills.parquet")
    return rows


def _write_positions(folder: Path, shape: Shape, paths: list[Course], equity: list[Decimal]) -> None:
    rng = np.random.default_rng(shape.seed + 99)
    with (folder / "positions.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(
            POSITION_COLUMNS,
        )
        grids = [np.flatnonzero(path.on_grid) for path in paths]
        silent = rng.random(shape.points) < 0.03
        for point in range(shape.points):
            for path, grid, instrument in zip(paths, grids, shape.instruments, strict=True):
                row = grid[point]
                mid = Decimal(int(path.mid[row])) * TICK
                held = int(path.position[row])
                skew = (shape.held_lots - held) // 4_000
                bid, ask = mid + (skew - 4) * TICK, mid + (skew + 4) * TICK
                quotes = ["", ""] if silent[point] else [bid, ask]
                fair = "" if point < 30 else mid + skew * TICK
                time = datetime.fromtimestamp(int(path.ts[row]) / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
                touch = [mid - TICK, mid + TICK, mid]
                out.writerow([time, instrument, *touch, *quotes, fair, held * LOT, equity[point]])


def _markouts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for horizon in HORIZONS:
        known = [row for row in rows if row[f"markout_mid_{horizon}s"] is not None]
        traded = sum((row["price"] * row["quantity"] for row in known), Decimal(0))
        if not known:
            figures |= {f"{horizon}s": None, f"{horizon}s_why": f"no fill is followed by {horizon} s of market"}
            continue
        gained = sum(
            (
                (row[f"markout_mid_{horizon}s"] - row["price"]) * row["quantity"] * (1 if row["side"] == "BUY" else -1)
                for row in known
            ),
            Decimal(0),
        )
        figures[f"{horizon}s"] = float(gained / traded * 10_000)
    return figures


def _summary(shape: Shape, parts: dict[str, list[Decimal]], equity: list[Decimal], rows: list[dict[str, Any]]) -> Any:
    values = np.array([float(value) for value in equity])
    peak = np.maximum.accumulate(values)
    returns = np.diff(values[::360]) / values[::360][:-1]
    pnl = equity[-1] - equity[0]
    traded = float(sum((row["price"] * row["quantity"] for row in rows), Decimal(0)))
    fee = float(shape.fee * 10_000)
    gross = float(parts["spread"][-1] + parts["inventory"][-1] - parts["holdings"][-1])
    summary: dict[str, Any] = {
        "setup": shape.strategy,
        "run_id": "20240724T160000-3f2a91c4",
        "description": "Avellaneda-Stoikov maker on NEXOUSDT spot, 24 hours recorded in July 2024",
        "start": datetime.fromtimestamp(shape.start_ns // SECOND, UTC).isoformat(),
        "end": datetime.fromtimestamp(shape.start_ns // SECOND + (shape.points - 1) * shape.grid_s, UTC).isoformat(),
        "elapsed_s": 11.83,
        "events": 112_899,
        "events_per_s": 9_543.4,
        "currency": "USDT",
        "equity_start": float(equity[0]),
        "equity_end": float(equity[-1]),
        "pnl": float(pnl),
        "pnl_pct": float(pnl / equity[0] * 100),
        "pnl_parts": {name: float(values[-1]) for name, values in parts.items() if name != "holdings"},
        "pnl_holdings": float(parts["holdings"][-1]),
        "pnl_trading": float(pnl - parts["holdings"][-1]),
        "markouts_bps": _markouts(rows),
        "max_drawdown_pct": float(((peak - values) / peak).max() * 100),
        "sharpe": float(returns.mean() / returns.std(ddof=1) * np.sqrt(365 * 24)) if returns.any() else None,
        "sharpe_trading": None,
        "sharpe_trading_why": "3 intervals are fewer than 30",
        "fills": len(rows),
        "orders": len(rows) * 9 + 2,
        "orders_denied": 0,
        "maker_share": 0.98 if rows else None,
        "turnover": traded / float(equity[0]),
        "win_rate": 0.541 if rows else None,
        "profit_factor": 0.87 if rows else None,
        "quotes": {
            "two_sided_uptime_pct": 96.98,
            "requotes": 26_114,
            "requotes_per_fill": 26_114 / len(rows) if rows else None,
            "post_only_rejections": 12,
        },
        "break_even_maker_fee_bps": gross / traded * 10_000 if rows else None,
        "fills_assumption": "queue_latency",
        "fills_description": "What stood at the price first trades first, and orders take time to arrive.",
        "latency_ms": {"insert": 50, "modify": 50, "cancel": 60},
        "fees": {"maker_bps": fee, "taker_bps": fee},
        "risk": {"state": "RUNNING", "halts": []},
        "synthetic": False,
        "reconstructed_quotes": False,
        "warnings": [],
        "instruments": list(shape.instruments),
        "by_strategy": {shape.strategy: {"pnl": float(pnl), "fills": len(rows), "notional": traded}},
        "by_instrument": {
            name: {"fills": sum(row["instrument"] == name for row in rows)} for name in shape.instruments
        },
    }
    if not returns.any():
        summary["sharpe_why"] = "equity never changed"
    if not rows:
        none = {f"{key}_why": "no fills" for key in ("maker_share", "win_rate", "profit_factor")}
        summary |= none | {"break_even_maker_fee_bps_why": "nothing was traded"}
        summary["quotes"]["requotes_per_fill_why"] = "no fills"
    return summary | shape.changes


def write_results(folder: Path, shape: Shape) -> Path:
    """Write a results folder of the given shape and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    per = replace(shape, fills=shape.fills // len(shape.instruments))
    paths = [_path(per, shape.seed + number) for number in range(len(shape.instruments))]
    partials = [_parts(shape, path) for path in paths]
    grids = [np.flatnonzero(path.on_grid).tolist() for path in paths]
    parts = {
        name: [
            sum((part[name][grid[point]] for part, grid in zip(partials, grids, strict=True)), Decimal(0))
            for point in range(shape.points)
        ]
        for name in partials[0]
    }
    summed = zip(*(values for name, values in parts.items() if name != "holdings"), strict=True)
    equity = [shape.equity_start + sum(values, Decimal(0)) for values in summed]
    ts = pa.array(paths[0].ts[paths[0].on_grid])
    columns = {"equity": equity} | parts
    pq.write_table(
        pa.table({"ts_ns": ts} | {name: pa.array(values, MONEY) for name, values in columns.items()}),
        folder / "equity.parquet",
    )
    fill_columns = [_fill_columns(shape, path, name) for path, name in zip(paths, shape.instruments, strict=True)]
    rows = _write_fills(folder, fill_columns)
    _write_positions(folder, shape, paths, equity)
    summary = _summary(shape, parts, equity, rows)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1))
    manifest = {
        "setup": {"name": shape.strategy, "instruments": list(shape.instruments), "backtest": {"fills": "queue"}},
        "setup_sha256": "9f" * 32,
        "data": [{"instrument_id": name, "data_type": "quotes", "fingerprint": "c0ffee"} for name in shape.instruments],
        "versions": {"python": "3.12.12", "nautilus_trader": "1.231.0", "ballast": "0.1.0"},
        "seed": shape.seed,
        "command": "run_backtest.py configs/avellaneda_stoikov_nexousdt.yaml",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return folder

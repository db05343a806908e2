"""
Reads a results folder into typed columns: the only door through which reports see a run.

Decimals stay Decimals where they are printed and become float64 arrays where they are drawn.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bad_input import BadInput
from reports.definitions import MARKOUTS, PARTS
from reports.figures import Summary

type Floats = NDArray[np.float64]
type Int64 = NDArray[np.int64]

FILL_TEXTS = ("strategy", "instrument", "side", "liquidity", "client_order_id", "trade_id")
FILL_DECIMALS = (
    "price",
    "quantity",
    "fee",
    "mid",
    *(f"markout_mid_{horizon}" for horizon in MARKOUTS),
    "position_after",
    "spread",
)
POSITION_DECIMALS = ("bid", "ask", "mid", "quote_bid", "quote_ask", "fair_value", "position", "equity")


@dataclass(frozen=True, slots=True)
class Fills:
    """Fills in time order; `table` holds every column exactly, the arrays are for drawing."""

    table: pa.Table
    ts_ns: Int64
    instrument: NDArray[np.object_]
    sign: Int64
    """+1 for a buy, −1 for a sell."""
    price: Floats
    quantity: Floats
    spread: Floats
    """Edge earned against the mid at the fill, in quote currency."""
    markout_mid: dict[str, Floats]
    """Mid after each horizon; NaN where the data ended before it."""

    def __len__(self) -> int:
        return len(self.ts_ns)

    def last(self, rows: int) -> list[dict[str, Any]]:
        """Return the newest `rows` fills, newest first, with exact Decimals."""
        newest: list[dict[str, Any]] = self.table.slice(max(0, len(self) - rows)).to_pylist()
        return newest[::-1]


@dataclass(frozen=True, slots=True)
class Equity:
    """Marked-to-market equity and the cumulative P&L parts on a grid of time, in the currency of the summary."""

    ts_ns: Int64
    equity: Floats
    parts: dict[str, Floats]
    holdings: Floats
    """How much of the change of equity is the price of what was held before the first trade."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Market, own quotes and position of one instrument on the grid; NaN where there was none."""

    instrument: str
    ts_ns: Int64
    mid: Floats
    quote_bid: Floats
    quote_ask: Floats
    fair_value: Floats
    position: Floats


@dataclass(frozen=True, slots=True)
class Results:
    """A results folder, read."""

    folder: Path
    summary: Summary
    manifest: dict[str, Any]
    fills: Fills
    equity: Equity
    positions: list[Positions]


def read_results(folder: Path) -> Results:
    """
    Read the results folder of one run.

    Parameters
    ----------
    folder : Path
        `results/<name>/<run id>`.

    Raises
    ------
    BadInput
        A file is missing, cannot be read, or lacks a column; the text names it.

    """
    if not folder.is_dir():
        raise BadInput("is not a results folder", file=folder, hint="give results/<name>/<run id>")
    return Results(
        folder=folder,
        summary=read_summary(folder),
        manifest=_read_object(folder / "manifest.json"),
        fills=_fills(_read_parquet(folder / "fills.parquet", ("ts_ns", *FILL_TEXTS, *FILL_DECIMALS))),
        equity=_equity(_read_parquet(folder / "equity.parquet", ("ts_ns", "equity", *PARTS, "holdings"))),
        positions=_positions(folder / "positions.csv"),
    )


def read_summary(folder: Path) -> Summary:
    """Read summary.json alone; raises BadInput where it is missing or is not a JSON object."""
    return Summary(_read_object(folder / "summary.json"))


def _read_object(file: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        hint = "of a run, results/<name>/<run id>; of a ladder, one of its folders"
        raise BadInput(f"cannot be read: {error.strerror}", file=file, hint=hint) from error
    except msgspec.DecodeError as error:
        raise BadInput(f"is not a JSON object: {error}", file=file) from error


def _read_parquet(file: Path, columns: tuple[str, ...]) -> pa.Table:
    try:
        # ParquetFile, because read_table imports pyarrow.dataset and with it pandas: a second, for one small file.
        with pq.ParquetFile(file) as parquet:
            table = parquet.read()
    except (OSError, pa.ArrowInvalid) as error:
        raise BadInput(f"cannot be read as Parquet: {error}", file=file) from error
    _require(file, columns, table.column_names)
    return table


def _require(file: Path, columns: tuple[str, ...], present: list[str]) -> None:
    missing = [name for name in columns if name not in present]
    if missing:
        raise BadInput(f"has no column {', '.join(missing)}", file=file)


def _int64(column: pa.ChunkedArray) -> Int64:
    return _values(pc.cast(column, pa.int64()), np.dtype(np.int64))


def _floats(column: pa.ChunkedArray) -> Floats:
    """Return a column as float64, nulls as NaN."""
    known = _values(pc.cast(pc.is_valid(column), pa.uint8()), np.dtype(np.uint8))
    return np.where(known == 1, _values(pc.cast(column, pa.float64()), np.dtype(np.float64)), np.nan)


def _values(column: pa.ChunkedArray, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return Arrow's own buffers; its to_numpy would import pandas, which takes longer than the whole report."""
    parts = [
        np.frombuffer(chunk.buffers()[1], dtype)[chunk.offset : chunk.offset + len(chunk)]
        for chunk in column.chunks
        if len(chunk)
    ]
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def _texts(column: pa.ChunkedArray) -> NDArray[np.object_]:
    return np.array(column.to_pylist(), dtype=object)


def _fills(table: pa.Table) -> Fills:
    table = table.take(pc.sort_indices(table["ts_ns"]))
    buys = _texts(table["side"]) == "BUY"
    return Fills(
        table=table,
        ts_ns=_int64(table["ts_ns"]),
        instrument=_texts(table["instrument"]),
        sign=np.where(buys, np.int64(1), np.int64(-1)),
        price=_floats(table["price"]),
        quantity=_floats(table["quantity"]),
        spread=_floats(table["spread"]),
        markout_mid={horizon: _floats(table[f"markout_mid_{horizon}"]) for horizon in MARKOUTS},
    )


def _equity(table: pa.Table) -> Equity:
    return Equity(
        ts_ns=_int64(table["ts_ns"]),
        equity=_floats(table["equity"]),
        parts={name: _floats(table[name]) for name in PARTS},
        holdings=_floats(table["holdings"]),
    )


def _positions(file: Path) -> list[Positions]:
    types = {"time": pa.timestamp("ns", tz="UTC"), "instrument": pa.string()}
    types |= dict.fromkeys(POSITION_DECIMALS, pa.float64())
    try:
        table = pacsv.read_csv(file, convert_options=pacsv.ConvertOptions(column_types=types))
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", file=file) from error
    except pa.ArrowInvalid as error:
        raise BadInput(f"cannot be read as CSV: {error}", file=file) from error
    _require(file, ("time", "instrument", *POSITION_DECIMALS), table.column_names)
    names = _texts(table["instrument"])
    ts_ns = _int64(table["time"])
    columns = {name: _floats(table[name]) for name in POSITION_DECIMALS}
    return [_positions_of(name, names == name, ts_ns, columns) for name in dict.fromkeys(names)]


def _positions_of(name: str, rows: NDArray[np.bool_], ts_ns: Int64, columns: dict[str, Floats]) -> Positions:
    return Positions(
        instrument=name,
        ts_ns=ts_ns[rows],
        mid=columns["mid"][rows],
        quote_bid=columns["quote_bid"][rows],
        quote_ask=columns["quote_ask"][rows],
        fair_value=columns["fair_value"][rows],
        position=columns["position"][rows],
    )

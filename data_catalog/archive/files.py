"""
Files of Binance's public archive as columns: aggTrades, trades, bookTicker, klines and fundingRate.

Rows are put in the order of the exchange's own ids and their times made non-decreasing in that order. Trades and
quotes carry the transaction time, which both kinds of file have, so that they stay in step with each other. Column
order: the README of github.com/binance/binance-public-data; spot times are in microseconds from 2025 on and in
milliseconds before, futures times in milliseconds, so the unit is told by the magnitude.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nautilus_trader.model.instruments import Instrument

from bad_input import BadInput
from data_catalog.archive.csv_tables import read_tables
from data_catalog.archive.formats import csv_format
from data_catalog.archive.index import INTERVALS, KINDS, ArchiveFile, ArchiveKind, market_of, parse_file_name
from data_catalog.archive.order import in_order, put_in_order
from data_catalog.archive.rows import RowCleaner, SideCount, to_bars, to_funding_rates, to_quotes, to_trades
from data_catalog.columns import Columns
from data_catalog.counts import Grid
from data_catalog.store.data_types import DataTypeName

DATA_TYPES: dict[ArchiveKind, DataTypeName] = {
    ArchiveKind.AGG_TRADES: "trades",
    ArchiveKind.TRADES: "trades",
    ArchiveKind.BOOK_TICKER: "quotes",
    ArchiveKind.KLINES: "bars",
    ArchiveKind.FUNDING_RATE: "funding_rates",
}

# What orders the rows of a file.
_KEYS = {ArchiveKind.KLINES: "time", ArchiveKind.FUNDING_RATE: "time"}


def archive_kind(path: Path) -> ArchiveKind | None:
    """Return what an archive file holds, told by its name, or None if it has not the name of one."""
    file = parse_file_name(path.name)
    return file.kind if file else None


def bar_type(path: Path, instrument: Instrument) -> str:
    """
    Return Nautilus's name of the bars in a klines file, such as `BTCUSDT-PERP.BINANCE-1-MINUTE-LAST-EXTERNAL`.

    Raises
    ------
    BadInput
        If the file is not named as a klines file of `instrument`.

    """
    file = _archive_file(path, instrument)
    if file.interval is None:
        raise BadInput(f"holds {file.kind}, expected klines", file=path)
    return f"{instrument.id}-{INTERVALS[file.interval]}-LAST-EXTERNAL"


def parse_archive_file(
    path: Path, instrument: Instrument, notes: Counter[str] | None = None
) -> Iterator[tuple[DataTypeName, Columns]]:
    """
    Read an archive file, zipped or not, with or without a header row.

    Parameters
    ----------
    path : Path
        Named as in the archive, such as `BTCUSDT-aggTrades-2024-08-08.zip`.
    instrument : Instrument
        Whose data it holds; its precisions are those of the columns.
    notes : Counter, optional
        Counts what was put right: `disordered_files`, `duplicate_rows`, `late_rows` (times raised to that of the row
        before) and `one_sided_quotes` (dropped). Complete once the iterator is exhausted.

    Returns
    -------
    Iterator[tuple[DataTypeName, Columns]]
        The data type (`trades`, `quotes`, `bars` or `funding_rates`) and rows of it, some 100,000 at a time. Bars
        are stamped with their close.

    Raises
    ------
    BadInput
        At once for a name that does not fit, while iterating for a broken file or a bad row, whose line is named.
        Damage to the zip file shows before the first rows come; that all trades have the same aggressor, at the end.

    """
    file = _archive_file(path, instrument)
    return _chunks(path, file, instrument, Counter() if notes is None else notes)


def _archive_file(path: Path, instrument: Instrument) -> ArchiveFile:
    file = parse_file_name(path.name)
    if file is None:
        raise BadInput(
            "is not named as a file of the archive", file=path, hint="as in BTCUSDT-aggTrades-2024-08-08.zip"
        )
    if file.symbol != instrument.raw_symbol.value:
        raise BadInput(f"holds {file.symbol}, not {instrument.id}", file=path)
    market = market_of(instrument)
    if file.kind not in KINDS[market]:
        raise BadInput(f"there is no {file.kind} of {market.words}, such as {instrument.id}", file=path)
    return file


def _chunks(
    path: Path, file: ArchiveFile, instrument: Instrument, notes: Counter[str]
) -> Iterator[tuple[DataTypeName, Columns]]:
    layout = csv_format(file.kind, instrument)
    key = _KEYS.get(file.kind, "id")
    tables = read_tables(path, layout)
    if not in_order(table.column(key).to_numpy() for table in read_tables(path, layout, only=[key])):
        notes["disordered_files"] += 1
        tables = put_in_order(tables, key)
    cleaner = RowCleaner(path, layout, key, notes)
    grid = Grid.of(instrument)
    sides = SideCount(path)
    for table in tables:
        rows = cleaner.clean(table)
        columns: Columns
        match file.kind:
            case ArchiveKind.BOOK_TICKER:
                columns = to_quotes(rows, grid, notes)
            case ArchiveKind.KLINES:
                columns = to_bars(rows, grid, file.interval or "")
            case ArchiveKind.FUNDING_RATE:
                columns = to_funding_rates(rows)
            case _:
                columns = to_trades(rows, grid)
                sides.add(columns)
        if len(columns):
            yield DATA_TYPES[file.kind], columns
    sides.check()

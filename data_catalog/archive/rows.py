"""
Rows of archive files checked, and made into columns.

A row that makes no sense is refused with its line. What the exchange itself is known to write is put right and
counted: the same row twice, a time a little earlier than that of the row before, a quote with an empty side.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bad_input import BadInput
from data_catalog.archive.csv_tables import CsvFormat
from data_catalog.columns import BUYER, SELLER, Bars, FundingRates, Int64, Quotes, Trades
from data_catalog.counts import Grid

# The exchange's clocks differ a little; more than this is another day's row or a damaged file.
LATE_ROW_LIMIT_NS = 60 * 10**9

_MICROSECONDS_FROM = 10**14  # as milliseconds this would be the year 5138, as microseconds it is 1973
_EARLIEST_NS = int(np.datetime64("2010-01-01", "ns").astype(np.int64))
_LATEST_NS = int(np.datetime64("2100-01-01", "ns").astype(np.int64))
# Issues 263, 342, 476 and 492 of github.com/binance/binance-public-data: sizes of 0 in aggTrades of 2023, one side
# only in trades from July 2026 on.
_OTHER_KIND = "; some files of the archive are faulty: aggTrades and trades of the same days tell the same story"
_LEAST_TRADES_OF_BOTH_SIDES = 1_000
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows with their times in UNIX nanoseconds, never decreasing; numbers are counts as in the file's format."""

    path: Path
    decimals: Mapping[str, int | None]
    values: Mapping[str, NDArray[np.int64]]
    lines: Int64
    ts: Int64

    def __getitem__(self, name: str) -> NDArray[np.int64]:
        return self.values[name]

    def refuse(self, bad: NDArray[np.bool_], name: str, problem: str) -> None:
        """Raise BadInput with the line of the first row that is `bad` and its value of column `name`."""
        if bad.any():
            row = int(bad.argmax())
            value = Decimal(int(self.values[name][row])).scaleb(-(self.decimals[name] or 0))
            raise BadInput(f"{name} {value:f} {problem}", file=self.path, line=int(self.lines[row]))

    def kept(self, keep: NDArray[np.bool_]) -> "Rows":
        """Return the rows where `keep` is true."""
        values = {name: column[keep] for name, column in self.values.items()}
        return Rows(self.path, self.decimals, values, self.lines[keep], self.ts[keep])


class RowCleaner:
    """
    Cleans the rows of one file, chunk after chunk.

    Parameters
    ----------
    path : Path
        Named in refusals.
    csv_format : CsvFormat
        Tells the decimals of the columns.
    key : str
        The column by which the rows are ordered.
    notes : Counter
        Counts what was put right.

    """

    def __init__(self, path: Path, csv_format: CsvFormat, key: str, notes: Counter[str]) -> None:
        self._path = path
        self._decimals = {field.name: field.decimals for field in csv_format.fields}
        self._key = key
        self._notes = notes
        self._before: pa.Table | None = None
        self._last_ns = 0

    def clean(self, table: pa.Table) -> Rows:
        """
        Return the rows of the next chunk, at least one, without repeated rows and with times in order.

        Raises
        ------
        BadInput
            If a time is none or goes back too far, or if two rows of a series ordered by time contradict each other.

        """
        repeated = self._repeated(table)
        self._before = table.slice(table.num_rows - 1)
        if repeated.any():
            self._notes["duplicate_rows"] += int(repeated.sum())
            table = table.filter(pa.array(~repeated))
        values = {name: table.column(name).to_numpy() for name in self._decimals}
        rows = Rows(self._path, self._decimals, values, table.column("line").to_numpy(), _nanoseconds(values["time"]))
        in_range = (rows.ts >= _EARLIEST_NS) & (rows.ts < _LATEST_NS)
        rows.refuse(~in_range, "time", "is not a time in milliseconds or microseconds")
        return self._raised(rows)

    def _repeated(self, table: pa.Table) -> NDArray[np.bool_]:
        """Tell which rows equal the row before them."""
        start = table.slice(0, 1) if self._before is None else self._before
        joined = pa.concat_tables([start, table])
        same = np.ones(table.num_rows, dtype=bool)
        for name in self._decimals:
            column = joined.column(name).to_numpy()
            same &= column[1:] == column[:-1]
            if name == self._key:
                same_key = same.copy()
        if self._before is None:
            same[0] = same_key[0] = False
        if self._key == "time" and (contradiction := same_key & ~same).any():
            line = table.column("line")[int(contradiction.argmax())].as_py()
            raise BadInput("another row of the same time says something else", file=self._path, line=line)
        return same

    def _raised(self, rows: Rows) -> Rows:
        """Return the rows with no time below that of a row before."""
        highest = np.maximum.accumulate(np.maximum(rows.ts, self._last_ns))
        late_ns = highest - rows.ts
        far = late_ns > LATE_ROW_LIMIT_NS
        rows.refuse(far, "time", f"is {int(late_ns.max(initial=0)) / 1e9:,.3f} s before that of an earlier row")
        if late := int(np.count_nonzero(late_ns)):
            self._notes["late_rows"] += late
        if len(highest):
            self._last_ns = int(highest[-1])
        return Rows(rows.path, rows.decimals, rows.values, rows.lines, highest)


def _nanoseconds(times: Int64) -> Int64:
    """Return UNIX milliseconds or microseconds, told by their magnitude, as nanoseconds."""
    usable = (times > 0) & (times < _LATEST_NS // 10**3)
    times = np.where(usable, times, 0)
    return np.where(times < _MICROSECONDS_FROM, times * 10**6, times * 10**3)


def to_trades(rows: Rows, grid: Grid) -> Trades:
    """Return trades; the aggressor is the side that was not the maker. Raises BadInput for a bad row."""
    _check_price(rows, "price", grid)
    rows.refuse(rows["size"] < 0, "size", "is negative")
    rows.refuse(rows["size"] == 0, "size", f"is no size{_OTHER_KIND}")
    aggressor = np.where(rows["buyer_is_maker"], SELLER, BUYER).astype(np.uint8)
    return Trades(rows["price"], rows["size"], aggressor, rows["id"], rows.ts, rows.ts)


class SideCount:
    """
    Counts the sides of the trades of one file.

    Parameters
    ----------
    path : Path
        Named in the refusal.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._buyers = 0
        self._trades = 0

    def add(self, trades: Trades) -> None:
        """Count more trades."""
        self._trades += len(trades)
        self._buyers += int(np.count_nonzero(trades.aggressor == BUYER))

    def check(self) -> None:
        """Raise BadInput if a thousand trades or more all have the same aggressor: then the side is not known."""
        if self._trades >= _LEAST_TRADES_OF_BOTH_SIDES and self._buyers in (0, self._trades):
            which = "false" if self._buyers else "true"
            raise BadInput(f"is_buyer_maker is {which} in all {self._trades:,} rows{_OTHER_KIND}", file=self._path)


def to_quotes(rows: Rows, grid: Grid, notes: Counter[str]) -> Quotes:
    """Return quotes without those that have an empty side. Raises BadInput for a bad row."""
    for name in ("bid_size", "ask_size", "bid_price", "ask_price"):
        rows.refuse(rows[name] < 0, name, "is negative")
    two_sided = np.all([rows[name] > 0 for name in ("bid_price", "ask_price", "bid_size", "ask_size")], axis=0)
    if not two_sided.all():
        notes["one_sided_quotes"] += int(np.count_nonzero(~two_sided))
        rows = rows.kept(two_sided)
    _check_price(rows, "bid_price", grid)
    _check_price(rows, "ask_price", grid)
    return Quotes(rows["bid_price"], rows["ask_price"], rows["bid_size"], rows["ask_size"], rows.ts, rows.ts)


def to_bars(rows: Rows, grid: Grid, interval: str) -> Bars:
    """Return bars stamped with their close: the opening time plus `interval`. Raises BadInput for a bad row."""
    for name in ("open", "high", "low", "close"):
        _check_price(rows, name, grid)
        rows.refuse(rows[name] > rows["high"], name, "is above the high")
        rows.refuse(rows[name] < rows["low"], name, "is below the low")
    rows.refuse(rows["volume"] < 0, "volume", "is negative")
    close_ns = _close_ns(rows.ts, interval)
    return Bars(rows["open"], rows["high"], rows["low"], rows["close"], rows["volume"], close_ns, close_ns)


def to_funding_rates(rows: Rows) -> FundingRates:
    """Return funding rates at their settlement."""
    return FundingRates(rows["rate"], rows.ts, rows.ts)


def _check_price(rows: Rows, name: str, grid: Grid) -> None:
    rows.refuse(rows[name] <= 0, name, "is not positive")
    tick = Decimal(grid.tick).scaleb(-grid.price_precision)
    rows.refuse(
        rows[name] % grid.tick != 0,
        name,
        f"is not a multiple of the tick {tick:f}; give the rules of that time by --exchange-info FILE",
    )


def _close_ns(open_ns: Int64, interval: str) -> Int64:
    if interval.endswith("mo"):
        months = open_ns.astype("datetime64[ns]").astype("datetime64[M]") + np.timedelta64(int(interval[:-2]), "M")
        return months.astype("datetime64[ns]").astype(np.int64)
    return open_ns + int(interval[:-1]) * _SECONDS[interval[-1]] * 10**9

"""
Candle files of other tools as bars: freqtrade's feather (date, open, high, low, close, volume) and JSON rows
`[opening time in ms, open, high, low, close, volume]`.

Bars are stamped with their close, the opening time plus the interval, so that a backtest sees a bar when it is over.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.feather
from nautilus_trader.model.instruments import CurrencyPair, Instrument
from numpy.typing import NDArray

from bad_input import BadInput, nearest_name
from data_catalog.archive.index import INTERVALS
from data_catalog.columns import Bars, Int64
from data_catalog.counts import Grid, rounded_counts
from data_catalog.recordings.lines import read_lines

NANOS_PER_MS = 1_000_000
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
PRICES = ("open", "high", "low", "close")
COLUMNS = ("date", *PRICES, "volume")

_NAME = re.compile(
    r"(?P<base>[A-Z0-9]+)_(?P<quote>[A-Z0-9]+?)(?P<settle>_[A-Z0-9]+)?-(?P<interval>\d+[smhdwM])(-futures|-spot)?"
    r"\.(feather|json|json\.gz)"
)
_PLACE = re.compile(r" - at `\$\[(\d+)\]")

type Row = tuple[int, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Klines:
    """
    Bars of one file.

    Attributes
    ----------
    bar_type : str
        Nautilus's name, such as `AVAXUSDT.BINANCE-5-MINUTE-LAST-EXTERNAL`.
    bars : Bars
        Stamped with their close, in UNIX nanoseconds.
    dropped : Counter[str]
        Rows left out, by reason.
    rounded : Counter[str]
        Prices off the tick and volumes off the step, which were rounded to the nearest.

    """

    bar_type: str
    bars: Bars
    dropped: Counter[str] = field(default_factory=Counter)
    rounded: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Table:
    """The numbers of a file: opening times in UNIX nanoseconds, and one float column per name."""

    path: Path
    opens_ns: Int64
    values: dict[str, NDArray[np.float64]]

    def refuse(self, bad: NDArray[np.bool_], problem: str) -> None:
        """Raise `BadInput` with the number, from 1, of the first row that is bad."""
        if bad.any():
            raise BadInput(f"row {int(bad.argmax()) + 1}: {problem}", file=self.path)


def parse_klines(path: Path, instrument: Instrument, interval: str | None = None) -> Klines:
    """
    Read a candle file.

    Parameters
    ----------
    path : Path
        A feather or JSON file; a name such as `AVAX_USDT-5m.feather` tells pair and interval.
    instrument : Instrument
        Whose bars they are.
    interval : str, optional
        Such as `5m`, instead of the one in the name.

    Raises
    ------
    BadInput
        If the file cannot be read, belongs to another pair, or holds rows that make no sense.

    """
    interval = _interval(path, instrument, interval)
    table = _read_feather(path) if is_feather(path) else _read_json(path)
    seconds = int(interval[:-1]) * SECONDS[interval[-1]]
    _check_values(table)
    _check_spacing(table, seconds, interval)
    table, repeated = _in_order(table)
    bars, rounded = _bars(table, Grid.of(instrument), seconds)
    dropped = Counter({"repeated": repeated} if repeated else {})
    return Klines(f"{instrument.id}-{INTERVALS[interval]}-LAST-EXTERNAL", bars, dropped, rounded)


def named_instrument(path: Path) -> str | None:
    """Return the instrument that a candle file's name tells, `AVAXUSDT.BINANCE` of `AVAX_USDT-5m.feather`, or None."""
    name = _NAME.fullmatch(path.name)
    if name is None:
        return None
    return f"{name['base']}{name['quote']}{'-PERP' if name['settle'] else ''}.BINANCE"


def is_feather(path: Path) -> bool:
    """Return whether a file starts like a feather file of either version."""
    with path.open("rb") as file:
        return file.read(6).startswith((b"ARROW1", b"FEA1"))


def _interval(path: Path, instrument: Instrument, given: str | None) -> str:
    name = _NAME.fullmatch(path.name)
    if name is not None:
        symbol, expected = name["base"] + name["quote"], instrument.raw_symbol.value
        if symbol != expected:
            raise BadInput(
                f'the name says "{symbol}", but the instrument is "{expected}"',
                file=path,
                hint="give another --instrument",
            )
        if (name["settle"] is not None) == isinstance(instrument, CurrencyPair):
            market = "futures" if name["settle"] else "spot"
            raise BadInput(f"the name says {market}, but the instrument is {instrument.id}", file=path)
    interval = given or (name["interval"] if name is not None else None)
    if interval is None:
        raise BadInput("the name does not tell the interval", file=path, hint="give it by --interval, such as 5m")
    if interval not in INTERVALS or interval[-1] not in SECONDS:
        known = [word for word in INTERVALS if word[-1] in SECONDS]
        raise BadInput(
            f'interval "{interval}" was expected to be one of {", ".join(known)}',
            file=path,
            hint=nearest_name(interval, known),
        )
    return interval


def _read_feather(path: Path) -> _Table:
    try:
        table = pyarrow.feather.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput(f"is a broken feather file ({error})", file=path) from error
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise BadInput(f'has no column "{missing[0]}", expected {", ".join(COLUMNS)}', file=path)
    dates = table.column("date")
    if not pa.types.is_timestamp(dates.type):
        raise BadInput(f'column "date" was expected to hold times, but holds {dates.type}', file=path)
    try:
        opens_ns = dates.cast(pa.timestamp("ns", dates.type.tz)).cast(pa.int64()).to_numpy()
        values = {name: table.column(name).cast(pa.float64()).to_numpy() for name in COLUMNS[1:]}
    except pa.ArrowInvalid as error:
        raise BadInput(f"holds something that is no number or time ({error})", file=path) from error
    return _Table(path, opens_ns, values)


def _read_json(path: Path) -> _Table:
    text = b"".join(line for _, line in read_lines(path))
    try:
        rows = msgspec.json.decode(text, type=list[Row])
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        row = f"row {int(place[1]) + 1}: " if place else ""
        raise BadInput(f"{row}expected [ms, open, high, low, close, volume] ({error})", file=path) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not JSON ({error})", file=path) from error
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    values = {name: np.array(column, np.float64) for name, column in zip(COLUMNS[1:], columns[1:], strict=True)}
    return _Table(path, np.array(columns[0], np.int64) * NANOS_PER_MS, values)


def _check_values(table: _Table) -> None:
    if not len(table.opens_ns):
        raise BadInput("holds no rows", file=table.path)
    for name, column in table.values.items():
        table.refuse(~np.isfinite(column), f"{name} is not a number")
    for name in PRICES:
        column = table.values[name]
        table.refuse(column <= 0, f"{name} is not positive")
        table.refuse(column > table.values["high"], f"{name} is above the high")
        table.refuse(column < table.values["low"], f"{name} is below the low")
    table.refuse(table.values["volume"] < 0, "volume is negative")


def _in_order(table: _Table) -> tuple[_Table, int]:
    """Return the rows without repeated ones and how many those were; raise for rows that go back in time."""
    steps = np.diff(table.opens_ns, prepend=table.opens_ns[0] - 1)
    same = steps == 0
    for column in table.values.values():
        same &= np.concatenate([[False], column[1:] == column[:-1]])
    table.refuse((steps == 0) & ~same, "another row of the same time says something else")
    table.refuse(steps < 0, "is earlier than the row before")
    kept = {name: column[~same] for name, column in table.values.items()}
    return _Table(table.path, table.opens_ns[~same], kept), int(np.count_nonzero(same))


def _check_spacing(table: _Table, seconds: int, interval: str) -> None:
    step_ns = seconds * 10**9
    steps = np.diff(table.opens_ns)
    forward = steps[steps > 0]
    # A pair of rows may lie on both sides of a gap; that several rows never touch tells of another interval.
    if len(forward) > 1 and (least := int(forward.min())) > step_ns:
        raise BadInput(
            f"rows are {least / 1e9:g} s apart, but the interval {interval} has {seconds} s",
            file=table.path,
            hint="give the true one by --interval",
        )
    table.refuse(
        np.concatenate([[False], (steps > 0) & (steps % step_ns != 0)]),
        f"does not start a whole number of intervals of {interval} after the row before",
    )


def _bars(table: _Table, grid: Grid, seconds: int) -> tuple[Bars, Counter[str]]:
    counts: dict[str, Int64] = {}
    volume, off_step = rounded_counts(table.values["volume"], grid.size_precision)
    rounded = Counter({"volumes rounded to the step": off_step})
    for name in PRICES:
        counts[name], off_tick = rounded_counts(table.values[name], grid.price_precision, grid.tick)
        table.refuse(counts[name] <= 0, f"{name} is less than half a tick")
        rounded["prices rounded to the tick"] += off_tick
    close_ns = table.opens_ns + seconds * 10**9
    return Bars(**counts, volume=volume, ts_event=close_ns, ts_init=close_ns), +rounded

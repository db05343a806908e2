"""The closing prices of many instruments at common times: what a screen looks at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from nautilus_trader.core.datetime import unix_nanos_to_iso8601
from nautilus_trader.model.data import BarType
from nautilus_trader.model.instruments import Instrument
from numpy.typing import NDArray

from bad_input import BadInput, nearest_name
from data_catalog.columns import Bars, Int64
from data_catalog.store.column_reader import read_columns
from data_catalog.store.contents import Entry, contents, load_instruments
from data_catalog.store.data_types import DATA_TYPES, data_folder, files_in

type Floats = NDArray[np.float64]

MIN_COVERAGE = 0.95
"""An instrument that has fewer of the bars that the fullest one has is left out: the others would lose them, too."""

NANOS = 1_000_000_000


@dataclass(frozen=True)
class PriceTable:
    """
    Closing prices of instruments at the times at which all of them have a bar.

    Parameters
    ----------
    instruments : tuple of Instrument
        One per column.
    bar : str
        Step and aggregation, such as `5-MINUTE`.
    times_ns : ndarray of int64, shape (n,)
        Closes of the bars, UNIX nanoseconds.
    log_prices : ndarray of float64, shape (n, assets)
        Natural logarithms.
    quote_volume : ndarray of float64, shape (n, assets)
        Volume times close, quote currency.
    left_out : dict of str to str
        Instruments that were left out, and why.
    synthetic : bool
        Whether any of it was generated.

    """

    instruments: tuple[Instrument, ...]
    bar: str
    times_ns: Int64
    log_prices: Floats
    quote_volume: Floats
    left_out: dict[str, str]
    synthetic: bool

    @property
    def ids(self) -> list[str]:
        """The instruments' ids."""
        return [str(one.id) for one in self.instruments]

    @property
    def bar_secs(self) -> float:
        """The length of a bar in seconds."""
        spec = BarType.from_str(f"{self.instruments[0].id}-{self.bar}-LAST-EXTERNAL").spec
        return float(spec.timedelta.total_seconds())

    def keep(self, columns: Sequence[int], left_out: dict[str, str]) -> "PriceTable":
        """Return the table with these columns only, and why the others were left out."""
        return PriceTable(
            tuple(self.instruments[i] for i in columns),
            self.bar,
            self.times_ns,
            self.log_prices[:, columns],
            self.quote_volume[:, columns],
            self.left_out | left_out,
            self.synthetic,
        )


def load_prices(
    catalog: Path,
    bar: str | None = None,
    start: str | None = None,
    end: str | None = None,
    instrument_ids: Sequence[str] = (),
) -> PriceTable:
    """
    Read the bars of a catalog.

    Parameters
    ----------
    catalog : Path
        Its folder.
    bar : str, optional
        Which bars, such as `5-MINUTE`; may be left out where there is one kind.
    start, end : str, optional
        UTC times (ISO 8601), both included; all there is where left out.
    instrument_ids : sequence of str
        Only these; all where empty.

    Raises
    ------
    BadInput
        If the catalog has no such bars, of fewer than two instruments, an instrument is unknown or named twice, a
        time cannot be read, or the instruments have no time in common.

    """
    entries = _entries(catalog, bar, instrument_ids)
    bar = _bar_of(entries[0])
    first_ns, last_ns = _utc_ns(start, "--start"), _utc_ns(end, "--end")
    interval = (0 if first_ns is None else first_ns, 2**63 - 1 if last_ns is None else last_ns)
    if interval[0] >= interval[1]:
        raise BadInput(f"{start} is not before {end}", key="--start")
    bars = {entry.instrument_id: _bars(catalog, entry, interval) for entry in entries}
    times, left_out = _common_times(bars)
    kept = [id_ for id_ in bars if id_ not in left_out]
    if len(kept) < 2 or not len(times):
        raise BadInput(
            f"fewer than two instruments have bars of {bar} at the same times",
            file=catalog,
            hint="; ".join(f"{id_}: {why}" for id_, why in list(left_out.items())[:3]) or None,
        )
    instruments = load_instruments(catalog, kept)
    closes, volumes = np.empty((len(times), len(kept))), np.empty((len(times), len(kept)))
    for i, (id_, instrument) in enumerate(zip(kept, instruments, strict=True)):
        rows = bars[id_].take(np.searchsorted(bars[id_].ts_init, times))
        closes[:, i] = rows.close / 10.0**instrument.price_precision
        volumes[:, i] = rows.volume / 10.0**instrument.size_precision * closes[:, i]
    synthetic = any(entry.synthetic for entry in entries)
    return PriceTable(tuple(instruments), bar, times, np.log(closes), volumes, left_out, synthetic)


def utc_text(time_ns: int) -> str:
    """Return a UNIX time in nanoseconds as UTC, to the second."""
    return str(unix_nanos_to_iso8601(time_ns))[:19] + "Z"


def time_ns(text: str, key: str) -> int:
    """Return a UTC time (ISO 8601) as UNIX nanoseconds; raise `BadInput` where it is none."""
    try:
        stamp = pd.Timestamp(text)
    except ValueError:
        stamp = pd.NaT
    if stamp is pd.NaT:
        raise BadInput(f'was "{text}", expected a UTC time such as 2023-01-31T16:00:00Z', key=key)
    return int((stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")).as_unit("ns").value)


def _utc_ns(text: str | None, key: str) -> int | None:
    return None if text is None else time_ns(text, key)


def _bar_of(entry: Entry) -> str:
    assert entry.bar_type is not None
    return entry.bar_type.removeprefix(f"{entry.instrument_id}-").removesuffix("-LAST-EXTERNAL")


def _entries(catalog: Path, bar: str | None, instrument_ids: Sequence[str]) -> list[Entry]:
    found = [entry for entry in contents(catalog) if entry.data_type == "bars"]
    kinds = sorted({_bar_of(entry) for entry in found})
    if not found:
        raise BadInput(
            "the catalog has no bars", file=catalog, hint="`python -m data_catalog import` brings candles in"
        )
    if bar is None and len(kinds) > 1:
        raise BadInput(f"the catalog has bars of {', '.join(kinds)}: which?", key="--bar")
    if bar is not None and bar not in kinds:
        hint = nearest_name(bar, kinds)
        raise BadInput(f'the catalog has no bars of "{bar}"; it has {", ".join(kinds)}', key="--bar", hint=hint)
    mine = {entry.instrument_id: entry for entry in found if _bar_of(entry) == (bar or kinds[0])}
    if twice := [id_ for id_ in instrument_ids if list(instrument_ids).count(id_) > 1]:
        raise BadInput(f'"{twice[0]}" is given twice: a pair has two different legs', key="--instrument")
    for id_ in instrument_ids:
        if id_ not in mine:
            raise BadInput(f'the catalog has no bars of "{id_}"', key="--instrument", hint=nearest_name(id_, mine))
    chosen = [mine[id_] for id_ in sorted(instrument_ids)] if instrument_ids else list(mine.values())
    if len(chosen) < 2:
        raise BadInput(f"bars of {chosen[0].instrument_id} alone make no pair", file=catalog)
    return chosen


def _bars(catalog: Path, entry: Entry, interval: tuple[int, int]) -> Bars:
    assert entry.bar_type is not None
    parts = []
    for file in files_in(data_folder(catalog, DATA_TYPES["bars"], entry.bar_type)):
        if file.intersects(*interval):
            parts += [rows for rows in read_columns(file.path, "bars") if isinstance(rows, Bars)]
    if not parts:
        return Bars(*(np.empty(0, np.int64) for _ in range(7)))
    bars = Bars.concat(parts)
    bars = bars.take((bars.ts_init >= interval[0]) & (bars.ts_init <= interval[1]))
    if len(bars) and not np.all(np.diff(bars.ts_init) > 0):
        raise BadInput(f"bars of {entry.instrument_id} are out of order or repeated", file=catalog)
    return bars


def _common_times(bars: dict[str, Bars]) -> tuple[Int64, dict[str, str]]:
    """Return the times that all instruments with enough of them have, and why the others were left out."""
    fullest = max(bars.values(), key=len).ts_init
    least = math.ceil(MIN_COVERAGE * len(fullest))
    times, left_out = fullest, {}
    for id_, rows in bars.items():
        here = int(np.isin(rows.ts_init, fullest, assume_unique=True).sum())
        if here < least:
            since = f", the first at {utc_text(int(rows.ts_init[0]))}" if len(rows) else ""
            left_out[id_] = f"{here:,} of {len(fullest):,} bars{since}"
        else:
            times = np.intersect1d(times, rows.ts_init, assume_unique=True)
    return times, left_out

"""All checks of what a catalog holds of one instrument, in one pass over its files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from nautilus_trader.model.data import BarType

from data_catalog.checks.book_agreement import BookAgreement
from data_catalog.checks.in_step import in_step, times_of
from data_catalog.checks.series import REBUILT_SPIKE_BPS, SPIKE_BPS, SeriesChecks, Silences, Spikes
from data_catalog.checks.trades_in_quotes import TradesInQuotes
from data_catalog.columns import Columns, Deltas, Quotes, Trades
from data_catalog.store.column_reader import read_columns
from data_catalog.store.contents import Entry
from data_catalog.store.data_types import DATA_TYPES, DataTypeName, data_folder, files_in

TICKS: tuple[DataTypeName, ...] = ("quotes", "trades", "deltas")

type OnRows = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class CheckedInstrument:
    """
    What was found in the data of one instrument.

    Attributes
    ----------
    instrument_id : str
        Of the instrument.
    series : list[tuple[Entry, SeriesChecks]]
        The checks of each series.
    silences : Silences
        The longest stretches without any quote, trade or change of the book.
    trades : TradesInQuotes or None
        None unless there are trades and recorded (or synthetic) quotes.
    book : BookAgreement or None
        None unless there are changes of the book and recorded quotes.

    """

    instrument_id: str
    series: list[tuple[Entry, SeriesChecks]] = field(default_factory=list)
    silences: Silences = field(default_factory=Silences)
    trades: TradesInQuotes | None = None
    book: BookAgreement | None = None


def check_instrument(
    catalog: Path,
    instrument_id: str,
    entries: Sequence[Entry],
    window_ns: int,
    on_rows: OnRows,
    *,
    between_ns: tuple[int, int] | None = None,
) -> CheckedInstrument:
    """
    Check all series of one instrument.

    Parameters
    ----------
    catalog : Path
        The catalog's folder.
    instrument_id : str
        Of the instrument.
    entries : Sequence[Entry]
        Its series, from `contents`.
    window_ns : int
        How far around a trade quotes are looked for, in nanoseconds.
    on_rows : OnRows
        Called with the number of rows read since the last call.
    between_ns : tuple of int, optional
        The first and the last time, UNIX nanoseconds, of what is checked; everything where left out.

    Raises
    ------
    BadInput
        If a file is damaged.

    """
    ticks = {entry.data_type: entry for entry in entries if entry.data_type in TICKS}
    checked = CheckedInstrument(
        instrument_id,
        trades=TradesInQuotes(window_ns) if _comparable(ticks, "trades") else None,
        book=BookAgreement() if _comparable(ticks, "deltas") else None,
    )
    checks = {name: SeriesChecks(spikes=_spikes_of(entry)) for name, entry in ticks.items()}
    for until, ready in in_step({name: _chunks(catalog, entry, on_rows, between_ns) for name, entry in ticks.items()}):
        for name, columns in ready.items():
            checks[name].add(columns)
        times = np.concatenate([times_of(columns) for columns in ready.values()])
        checked.silences.add(np.sort(times, kind="stable"))  # a merge of runs that are in order already
        _compare(checked, until, ready)
    if checked.trades is not None:
        checked.trades.finish()
    if checked.book is not None:
        checked.book.finish()
    checked.series.extend((entry, checks[name]) for name, entry in ticks.items())
    for entry in entries:
        if entry.data_type not in TICKS:
            checked.series.append((entry, _check_alone(catalog, entry, on_rows, between_ns)))
    return checked


def _spikes_of(entry: Entry) -> Spikes:
    return Spikes(REBUILT_SPIKE_BPS if entry.reconstructed else SPIKE_BPS)


def _comparable(ticks: Mapping[DataTypeName, Entry], name: DataTypeName) -> bool:
    """Return whether a series can be held against quotes that were not made from it."""
    return name in ticks and "quotes" in ticks and not ticks["quotes"].reconstructed


def _compare(checked: CheckedInstrument, until: int, ready: Mapping[DataTypeName, Columns]) -> None:
    quotes, trades, deltas = (ready.get(name) for name in TICKS)
    assert quotes is None or isinstance(quotes, Quotes)
    if checked.trades is not None:
        assert trades is None or isinstance(trades, Trades)
        checked.trades.add(quotes, trades, until)
    if checked.book is not None:
        assert deltas is None or isinstance(deltas, Deltas)
        checked.book.add(quotes, deltas, until)


def _check_alone(catalog: Path, entry: Entry, on_rows: OnRows, between_ns: tuple[int, int] | None) -> SeriesChecks:
    bar_ns = BarType.from_str(entry.bar_type).spec.get_interval_ns() if entry.bar_type is not None else None
    checks = SeriesChecks(bar_ns)
    for columns in _chunks(catalog, entry, on_rows, between_ns):
        if len(columns):
            checks.add(columns)
    return checks


def _chunks(catalog: Path, entry: Entry, on_rows: OnRows, between_ns: tuple[int, int] | None) -> Iterator[Columns]:
    folder = data_folder(catalog, DATA_TYPES[entry.data_type], entry.bar_type or entry.instrument_id)
    for file in files_in(folder):
        if between_ns is not None and not file.intersects(*between_ns):
            continue
        for columns in read_columns(file.path, entry.data_type, between_ns):
            on_rows(len(columns))
            yield columns

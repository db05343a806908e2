"""A part of a catalog in a catalog of its own, with times of another week where asked for."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from data_catalog.columns import Bars, Columns, Deltas, FundingRates, Quotes, Trades
from data_catalog.store.column_reader import read_columns
from data_catalog.store.contents import Entry, load_instruments
from data_catalog.store.data_types import DATA_TYPES, data_folder, files_in
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter


def copy_part(
    source: Path, target: Path, entries: Sequence[Entry], *, last_ns: int | None = None, shift_ns: int = 0
) -> None:
    """
    Copy series of a catalog into another one.

    Parameters
    ----------
    source, target : Path
        The catalogs; `target` is made.
    entries : sequence of Entry
        What is copied, with the definitions of its instruments.
    last_ns : int, optional
        The time (UNIX ns) after which no row is copied.
    shift_ns : int
        Is added to every time.

    Raises
    ------
    BadInput
        If a file of `source` is damaged.

    """
    ids = list(dict.fromkeys(entry.instrument_id for entry in entries))
    instruments = dict(zip(ids, load_instruments(source, ids), strict=True))
    with CatalogWriter(target) as writer:
        for entry in entries:
            instrument = instruments[entry.instrument_id]
            writer.instrument(instrument)
            origin = Origin("synthetic" if entry.synthetic else "recorded", reconstructed=entry.reconstructed)
            for columns in _rows(source, entry, last_ns):
                match _shifted(columns, shift_ns):
                    case Quotes() as quotes:
                        writer.quotes(instrument, quotes, origin)
                    case Trades() as trades:
                        writer.trades(instrument, trades, origin)
                    case Deltas() as deltas:
                        writer.deltas(instrument, deltas, origin)
                    case FundingRates() as rates:
                        writer.funding_rates(instrument, rates, origin)
                    case Bars() as bars:
                        assert entry.bar_type is not None  # bars have one
                        writer.bars(entry.bar_type, instrument, bars, origin)


def _rows(source: Path, entry: Entry, last_ns: int | None) -> list[Columns]:
    folder = data_folder(source, DATA_TYPES[entry.data_type], entry.bar_type or entry.instrument_id)
    between = None if last_ns is None else (0, last_ns)
    files = (file for file in files_in(folder) if last_ns is None or file.first_ns <= last_ns)
    return [columns for file in files for columns in read_columns(file.path, entry.data_type, between)]


def _shifted[C: Columns](columns: C, shift_ns: int) -> C:
    times = {name: getattr(columns, name) + shift_ns for name in ("ts_event", "ts_init")}
    return replace(columns, **times) if shift_ns else columns

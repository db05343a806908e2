"""The market that a run saw becomes part of a catalog, in the order in which the run saw it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
from nautilus_trader.model.instruments import CryptoPerpetual, CurrencyPair, Instrument

from bad_input import BadInput
from data_catalog.columns import FundingRates, Int64, Quotes, Trades
from data_catalog.recordings.streams import FUNDING_PRECISION
from data_catalog.run_recordings.reading import Recording
from data_catalog.run_recordings.rows import Ended, FundingRateSeen, Market, QuoteSeen, Run, TradeSeen
from data_catalog.store.origin import Kind, Origin, source_of
from data_catalog.store.write import CatalogWriter, Written

_CHUNK_ROWS: Final = 50_000
_KINDS: Final = {kind.__name__: kind for kind in (CurrencyPair, CryptoPerpetual)}


def instrument_row(instrument: Instrument) -> dict[str, Any]:
    """Return a definition as it stands in a recording."""
    row: dict[str, Any] = type(instrument).to_dict(instrument)
    return {key: value for key, value in row.items() if key != "info"}


def instruments_of(run: Run) -> list[Instrument]:
    """
    Return the instruments as the run knew them.

    Raises
    ------
    BadInput
        If one is of a kind that is not traded here.

    """
    found = []
    for row in run.instruments:
        kind = _KINDS.get(row["type"])
        if kind is None:
            raise BadInput(f"{row['id']} is a {row['type']}, expected one of {', '.join(_KINDS)}")
        found.append(kind.from_dict({**row, "info": None}))
    return found


def arrival_times(rows: Iterator[Market]) -> Iterator[tuple[int, Market]]:
    """Yield rows with their time of receipt, moved on by a nanosecond where two share it: their order stays."""
    last_ns = 0
    for row in rows:
        last_ns = max(row.ts_init, last_ns + 1)
        yield last_ns, row


@dataclass(frozen=True)
class ImportedRun:
    """
    What an import of a run's recording did.

    Attributes
    ----------
    written : list of Written
        The series.
    is_whole : bool
        Whether the recording has its last row.

    """

    written: list[Written]
    is_whole: bool


@dataclass
class _Pending:
    """Rows of one series that are not written yet."""

    instrument: Instrument
    rows: list[tuple[Any, ...]] = field(default_factory=list)


@dataclass
class _Rest:
    """What a recording holds besides quotes and trades that concerns the market."""

    rates: list[FundingRateSeen] = field(default_factory=list)
    is_whole: bool = False


def import_recording(
    recording: Recording, catalog: Path, *, replace: bool = False, on_row: Callable[[], None] = lambda: None
) -> ImportedRun:
    """
    Write quotes, trades and funding rates of a recording to a catalog: all of them, or nothing.

    Both times of a row are those of its receipt, of a rate those of its settlement. The instruments are stored as the
    run knew them, fees included.

    Parameters
    ----------
    recording : Recording
        What to read.
    catalog : Path
        The catalog's folder.
    replace : bool
        Whether stored files that overlap are replaced.
    on_row : callable
        Called for each row of the market.

    Raises
    ------
    BadInput
        If it has no market, or it cannot be stored.

    """
    instruments = {str(instrument.id): instrument for instrument in instruments_of(recording.run)}
    origin = _origin(recording)
    rest, seen = _Rest(), 0
    pending: dict[tuple[str, str], _Pending] = {}
    with CatalogWriter(catalog, replace=replace) as writer:
        for ts_ns, row in arrival_times(_market(recording, rest)):
            instrument = instruments[row.instrument]
            series = pending.setdefault((type(row).__name__, row.instrument), _Pending(instrument))
            series.rows.append(_values(row, instrument, ts_ns))
            seen += 1
            on_row()
            if len(series.rows) >= _CHUNK_ROWS:
                _write(writer, type(row), series, origin)
        for (kind, _), series in pending.items():
            _write(writer, QuoteSeen if kind == QuoteSeen.__name__ else TradeSeen, series, origin)
        if not seen:
            raise BadInput("the recording holds no quotes and no trades", file=recording.folder)
        for instrument in instruments.values():
            _write_rates(writer, instrument, rest.rates, origin)
    return ImportedRun(writer.results, rest.is_whole)


def _market(recording: Recording, rest: _Rest) -> Iterator[Market]:
    for row in recording.rows():
        if isinstance(row, QuoteSeen | TradeSeen):
            yield row
        elif isinstance(row, FundingRateSeen):
            rest.rates.append(row)
        elif isinstance(row, Ended):
            rest.is_whole = True


def _origin(recording: Recording) -> Origin:
    run = recording.run
    kind: Kind = "synthetic" if run.synthetic else "recorded"
    notes: dict[str, int | float | str] = {"run": run.run_id, "recorded_from": run.mode}
    return Origin(kind, run.reconstructed, [source_of(path) for path in recording.files], notes)


def _values(row: Market, instrument: Instrument, ts_ns: int) -> tuple[Any, ...]:
    price, size = instrument.price_precision, instrument.size_precision
    if isinstance(row, QuoteSeen):
        prices = (_whole(row.bid, price), _whole(row.ask, price))
        return (*prices, _whole(row.bid_size, size), _whole(row.ask_size, size), ts_ns)
    return _whole(row.price, price), _whole(row.size, size), row.aggressor, int(row.trade_id), ts_ns


def _whole(text: str, precision: int) -> int:
    """Return a decimal text as a count of 10^-precision."""
    units, _, decimals = text.partition(".")
    if len(decimals) > precision:
        raise BadInput(f"{text} has more than the {precision} decimals of its instrument")
    return int(units + decimals.ljust(precision, "0"))


def _write(writer: CatalogWriter, kind: type[Market], series: _Pending, origin: Origin) -> None:
    if not series.rows:
        return
    columns: list[Int64] = [np.array(column, dtype=np.int64) for column in zip(*series.rows, strict=True)]
    series.rows.clear()
    if kind is QuoteSeen:
        bid, ask, bid_size, ask_size, ts = columns
        writer.quotes(series.instrument, Quotes(bid, ask, bid_size, ask_size, ts, ts), origin)
    else:
        price, size, aggressor, trade_id, ts = columns
        writer.trades(series.instrument, Trades(price, size, aggressor.astype(np.uint8), trade_id, ts, ts), origin)


def _write_rates(writer: CatalogWriter, instrument: Instrument, rates: list[FundingRateSeen], origin: Origin) -> None:
    mine = [row for row in rates if row.instrument == instrument.id.value]
    if mine:
        ts = np.array([row.ts for row in mine], dtype=np.int64)
        values = [int(Decimal(row.rate).scaleb(FUNDING_PRECISION)) for row in mine]
        writer.funding_rates(instrument, FundingRates(np.array(values, dtype=np.int64), ts, ts), origin)

"""Series of files written to a catalog in one go, with an account of what was kept, left out and put right."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from nautilus_trader.model.instruments import Instrument

from bad_input import BadInput
from data_catalog.columns import Bars, Deltas, FundingRates, Quotes, Trades
from data_catalog.import_series import Gaps, OnBytes, Piece, Series
from data_catalog.rebuilt_quotes.rebuilding import Method, Notes, Rebuilder, Rebuilding, option_of
from data_catalog.store.data_types import DataTypeName
from data_catalog.store.origin import Origin, Source, source_of
from data_catalog.store.write import CatalogWriter, Written


@dataclass(frozen=True, slots=True)
class Imported:
    """
    What an import did.

    Attributes
    ----------
    written : list[Written]
        The series written, or found to be there already.
    dropped, changed : dict[str, Counter[str]]
        By data type: rows left out, and rows put right, by reason.
    facts : list[Notes]
        Of each series of files: sequence gaps, the recorder's clock, the spread of quotes rebuilt from bars.
    rebuilt_from : Method or None
        What quotes were rebuilt from: trades, bars or closes.
    gaps : Gaps
        What is missing from recordings, by data type.

    """

    written: list[Written] = field(default_factory=list)
    dropped: dict[str, Counter[str]] = field(default_factory=dict)
    changed: dict[str, Counter[str]] = field(default_factory=dict)
    facts: list[Notes] = field(default_factory=list)
    rebuilt_from: Method | None = None
    gaps: Gaps = field(default_factory=dict)


def import_series(
    series: Sequence[Series],
    instrument: Instrument,
    catalog: Path,
    on_bytes: OnBytes,
    *,
    rebuilding: Rebuilding | None = None,
    replace: bool = False,
) -> Imported:
    """
    Write series to a catalog: all of it, or nothing.

    Parameters
    ----------
    series : Sequence[Series]
        From `plan_series`.
    instrument : Instrument
        Stored with the data.
    catalog : Path
        The catalog's folder.
    on_bytes : OnBytes
        Called with the bytes read since the last call.
    rebuilding : Rebuilding, optional
        How quotes are rebuilt.
    replace : bool
        Whether stored files that overlap are replaced.

    Raises
    ------
    BadInput
        If the files hold no rows, two series hold the same data type, or quotes are to be rebuilt where the files
        hold some, or nothing to rebuild them from.

    """
    with CatalogWriter(catalog, replace=replace) as writer:
        imported = add_series(writer, series, instrument, on_bytes, rebuilding=rebuilding)
    imported.written.extend(writer.results)
    return imported


def add_series(
    writer: CatalogWriter,
    series: Sequence[Series],
    instrument: Instrument,
    on_bytes: OnBytes,
    *,
    rebuilding: Rebuilding | None = None,
) -> Imported:
    """
    Hand series of one instrument to a writer, which stores them when its block ends; as `import_series`.

    What was written is known only then: `written` of the result is empty.
    """
    imported = Imported(rebuilt_from=rebuilding.method if rebuilding else None)
    owners: dict[tuple[str, str | None], Series] = {}
    for one in series:
        origins = _Origins(one)
        rebuilder = rebuilding.rebuilder(instrument) if rebuilding else None
        for piece in _pieces(one, on_bytes, rebuilder):
            _claim(owners, one, piece.piece)
            _write(writer, instrument, piece.piece, origins.of(piece))
        origins.finish()
        _merge(imported.dropped, one.dropped())
        _merge(imported.changed, one.changed())
        for data_type, gaps in one.gaps().items():
            imported.gaps.setdefault(data_type, []).extend(gaps)
        imported.facts.append({**one.facts(), **(rebuilder.notes if rebuilder is not None else {})})
    if not owners:
        raise BadInput(f"no rows of {instrument.id} to import", file=series[0].paths[0])
    if rebuilding is not None and rebuilding.source not in {data_type for data_type, _ in owners}:
        raise BadInput(f"there are no {rebuilding.source} to rebuild quotes from", key=rebuilding.option)
    return imported


@dataclass(frozen=True, slots=True)
class _Marked:
    """A piece, whether it was rebuilt from another, and what must be known of that."""

    piece: Piece
    rebuilt: bool = False
    notes: Notes = field(default_factory=dict)


class _Origins:
    """The origins of one series by data type; their notes are filled in at the end, before they are stored."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._sources: list[Source] = [source_of(path) for path in series.paths]
        self._origins: dict[DataTypeName, Origin] = {}

    def of(self, marked: _Marked) -> Origin:
        """Return the origin of a piece."""
        data_type = marked.piece.data_type
        if data_type not in self._origins:
            self._origins[data_type] = Origin(self._series.kind, marked.rebuilt, self._sources, dict(marked.notes))
        return self._origins[data_type]

    def finish(self) -> None:
        """Fill in the notes: the writer stores an origin when its block ends, so notes may still change until then."""
        dropped, changed, facts = self._series.dropped(), self._series.changed(), self._series.facts()
        gaps = self._series.gaps()
        for data_type, origin in self._origins.items():
            notes = origin.notes
            notes.update({f"dropped: {reason}": n for reason, n in dropped.get(data_type, Counter()).items()})
            notes.update(changed.get(data_type, Counter()))
            notes.update(facts)
            origin.gaps.extend(gaps.get(data_type, []))


def _pieces(series: Series, on_bytes: OnBytes, rebuilder: Rebuilder | None) -> Iterator[_Marked]:
    for piece in series.pieces(on_bytes):
        if rebuilder is not None and isinstance(piece.columns, Quotes):
            problem = f"{series.label} hold quotes already, such as {series.paths[0].name}"
            raise BadInput(problem, key=option_of(rebuilder.method))
        yield _Marked(piece)
        if rebuilder is not None:
            yield from (_Marked(Piece(quotes), True, rebuilder.notes) for quotes in rebuilder.add(piece))
    if rebuilder is not None:
        yield from (_Marked(Piece(quotes), True, rebuilder.notes) for quotes in rebuilder.finish())


def _claim(owners: dict[tuple[str, str | None], Series], series: Series, piece: Piece) -> None:
    """Let a series own its data types; raise where another has one already, as aggTrades and trades would."""
    if not len(piece.columns):
        return
    owner = owners.setdefault((piece.data_type, piece.bar_type), series)
    if owner is not series:
        raise BadInput(
            f"holds {piece.data_type}, and so does {owner.paths[0].name}",
            file=series.paths[0],
            hint="import only one of the two",
        )


def _write(writer: CatalogWriter, instrument: Instrument, piece: Piece, origin: Origin) -> None:
    match piece.columns:
        case Quotes():
            writer.quotes(instrument, piece.columns, origin)
        case Trades():
            writer.trades(instrument, piece.columns, origin)
        case Deltas():
            writer.deltas(instrument, piece.columns, origin)
        case FundingRates():
            writer.funding_rates(instrument, piece.columns, origin)
        case Bars():
            writer.bars(cast("str", piece.bar_type), instrument, piece.columns, origin)


def _merge(into: dict[str, Counter[str]], more: dict[str, Counter[str]]) -> None:
    for data_type, reasons in more.items():
        into.setdefault(data_type, Counter()).update(reasons)

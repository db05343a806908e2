"""What a catalog holds, from the ends of its files only."""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from nautilus_trader.model.instruments import Instrument

from bad_input import BadInput, nearest_name
from data_catalog.store.data_types import DATA_TYPES, DataFile, DataType, DataTypeName, files_in
from data_catalog.store.instrument_files import read_instrument, stored_definitions
from data_catalog.store.origin import Gap, Record, record_of
from data_catalog.store.staging import settle


@dataclass(frozen=True)
class Entry:
    """
    One series of a catalog: a data type of an instrument, or a bar type.

    Parameters
    ----------
    instrument_id : str
        Such as `NEXOUSDT.BINANCE`.
    data_type : str
        quotes, trades, deltas, bars or funding_rates.
    bar_type : str or None
        The full bar type, for bars.
    rows : int
        Rows in all files.
    first_ns, last_ns : int
        Times of the first and the last row, UNIX nanoseconds.
    bytes_on_disk : int
        Size of the files.
    files : int
        How many there are.
    synthetic : bool
        Whether any of it was generated.
    reconstructed : bool
        Whether any of it was not recorded but rebuilt from other data.
    fingerprint : str
        A hash that changes when the rows do.
    gaps : tuple of Gap
        When recordings missed data, as far as is known, in the order of time.

    """

    instrument_id: str
    data_type: DataTypeName
    bar_type: str | None
    rows: int
    first_ns: int
    last_ns: int
    bytes_on_disk: int
    files: int
    synthetic: bool
    reconstructed: bool
    fingerprint: str
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class _Footer:
    """What one file says of itself."""

    file: DataFile
    instrument_id: str
    bar_type: str | None
    rows: int
    record: Record | None


def contents(catalog: Path) -> list[Entry]:
    """
    Return what the catalog holds, by instrument and data type.

    Raises
    ------
    BadInput
        If there is no such folder, it holds no market data, or a file in it is damaged.

    """
    if not catalog.is_dir():
        raise BadInput("no such catalog", file=catalog, hint="`python -m data_catalog --help` says how to make one")
    settle(catalog)
    entries: list[Entry] = []
    for data_type in DATA_TYPES.values():
        folders = sorted(path for path in (catalog / "data" / data_type.folder).glob("*") if path.is_dir())
        footers = (_footer(catalog, file) for folder in folders for file in files_in(folder))
        for _, group in itertools.groupby(footers, key=lambda footer: footer.file.path.parent):
            entries.append(_entry(data_type, list(group)))
    if not entries:
        raise BadInput("the catalog is empty", file=catalog, hint="`python -m data_catalog --help` says how to fill it")
    return sorted(entries, key=lambda entry: (entry.instrument_id, list(DATA_TYPES).index(entry.data_type)))


def load_instruments(catalog: Path, ids: Sequence[str]) -> list[Instrument]:
    """
    Return the stored definitions of these instruments, in this order.

    Raises
    ------
    BadInput
        If there is no such folder or the catalog does not define one of them; names the nearest it has.

    """
    if not catalog.is_dir():
        raise BadInput("no such catalog", file=catalog)
    settle(catalog)
    stored = stored_definitions(catalog)
    for id_ in ids:
        if id_ not in stored:
            known = f"it has {', '.join(sorted(stored))}" if stored else "it has none"
            raise BadInput(
                f'no instrument "{id_}" in the catalog', file=catalog, hint=nearest_name(id_, stored) or known
            )
    return [read_instrument(stored[id_][-1]) for id_ in ids]


def _footer(catalog: Path, file: DataFile) -> _Footer:
    try:
        metadata = pq.read_metadata(file.path)
    except pa.ArrowInvalid as error:
        raise BadInput(f"cannot be read as Parquet ({error})", file=file.path) from error
    keys = metadata.metadata or {}
    return _Footer(
        file=file,
        instrument_id=keys.get(b"instrument_id", file.path.parent.name.encode()).decode(),
        bar_type=keys[b"bar_type"].decode() if b"bar_type" in keys else None,
        rows=metadata.num_rows,
        record=record_of(catalog, file.path),
    )


def _entry(data_type: DataType, footers: list[_Footer]) -> Entry:
    origins = [footer.record.origin for footer in footers if footer.record is not None]
    return Entry(
        instrument_id=footers[0].instrument_id,
        data_type=data_type.name,
        bar_type=footers[0].bar_type,
        rows=sum(footer.rows for footer in footers),
        first_ns=footers[0].file.first_ns,
        last_ns=max(footer.file.last_ns for footer in footers),
        bytes_on_disk=sum(footer.file.path.stat().st_size for footer in footers),
        files=len(footers),
        synthetic=any(origin.kind == "synthetic" for origin in origins),
        reconstructed=any(origin.reconstructed for origin in origins),
        fingerprint=_fingerprint(footers),
        gaps=tuple(sorted(gap for origin in origins for gap in origin.gaps)),
    )


def _fingerprint(footers: list[_Footer]) -> str:
    digest = hashlib.sha256()
    for footer in footers:
        content = _raw_footer(footer.file.path) if footer.record is None else footer.record.content_sha256.encode()
        digest.update(footer.file.path.name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def _raw_footer(path: Path) -> bytes:
    """Return the footer of a Parquet file: sizes, positions and extremes of its columns."""
    with path.open("rb") as file:
        file.seek(-8, 2)
        length = int.from_bytes(file.read(4), "little")
        file.seek(-8 - length, 2)
        return file.read(length)

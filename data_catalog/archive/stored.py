"""What a catalog already has of the files of the archive."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from nautilus_trader.core.datetime import unix_nanos_to_iso8601

from bad_input import BadInput
from data_catalog.archive.index import ArchiveFile, ArchiveKind, Period
from data_catalog.store.data_types import DATA_TYPES, DataFile, DataTypeName, data_folder, files_in
from data_catalog.store.origin import Origin, Source, record_of
from data_catalog.store.staging import settle


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A data file of the catalog; `origin` is None where another program wrote it."""

    data: DataFile
    origin: Origin | None

    @property
    def sources(self) -> Sequence[Source]:
        """The files that it was read from, as far as is known."""
        return self.origin.sources if self.origin else ()


def stored_files(catalog: Path, data_type: DataTypeName, identifier: str) -> list[StoredFile]:
    """
    Return the data files that a catalog has of one series; none where there is no catalog.

    Parameters
    ----------
    catalog : Path
        The catalog's folder. What an interrupted import left there is put in order first.
    data_type : str
        Such as `trades`.
    identifier : str
        The instrument id, for bars the bar type.

    """
    settle(catalog)
    found = []
    for file in files_in(data_folder(catalog, DATA_TYPES[data_type], identifier)):
        record = record_of(catalog, file.path)
        found.append(StoredFile(file, record.origin if record else None))
    return found


def check_overlap(files: Sequence[ArchiveFile], stored: Sequence[StoredFile], identifier: str) -> None:
    """
    Refuse to download what could not be stored: the catalog has data of that time from other files.

    Raises
    ------
    BadInput
        For the first stored file that stands in the way.

    """
    for file in files:
        first_ns, last_ns = _span_ns(file)
        for other in stored:
            if other.data.intersects(first_ns, last_ns) and file.name not in {source.name for source in other.sources}:
                origin = other.origin.describe() if other.origin else "another program"
                span = f"{_utc(other.data.first_ns)} to {_utc(other.data.last_ns)}"
                raise BadInput(
                    f"{identifier}: the catalog has {span} from {origin}, which {file.name} would overlap",
                    file=other.data.path,
                    hint="--replace replaces that file as a whole",
                )


def _span_ns(file: ArchiveFile) -> tuple[int, int]:
    """Return the first and last nanosecond that rows of a file can have; bars carry the time of their close."""
    span = _start_ns(file.period), _start_ns(Period(file.period.last + timedelta(days=1), monthly=False)) - 1
    return (span[0] + 1, span[1] + 1) if file.kind is ArchiveKind.KLINES else span


def _start_ns(period: Period) -> int:
    day: date = period.first
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 10**9


def _utc(time_ns: int) -> str:
    return str(unix_nanos_to_iso8601(time_ns))[:19].replace("T", " ")

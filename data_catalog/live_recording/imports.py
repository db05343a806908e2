"""Complete raw files become part of the catalog, by the same import as files that a user gives."""

import signal
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bad_input import BadInput
from data_catalog.import_series import RecordingSeries
from data_catalog.importer import Imported, import_series
from data_catalog.instruments import find_instrument
from data_catalog.live_recording.left_behind import recordings_folder
from data_catalog.live_recording.raw_file import COMPLETE
from data_catalog.live_recording.rest import definition_path
from data_catalog.store.data_types import DATA_TYPES, data_folder, files_in
from data_catalog.store.origin import record_of
from data_catalog.store.staging import settle


@dataclass
class ImportedFiles:
    """
    What became of the raw files of an instrument.

    Attributes
    ----------
    imported : list of Imported
        One per file.
    problems : list of str
        Why others could not be imported; they are tried again next time.

    """

    imported: list[Imported] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def import_pending(catalog: Path, instrument_id: str) -> ImportedFiles:
    """Import each complete raw file of an instrument that the catalog does not name as a source yet."""
    folder, done = recordings_folder(catalog, instrument_id), ImportedFiles()
    try:
        known = _sources(catalog, instrument_id)
    except (BadInput, OSError, msgspec.DecodeError) as error:
        done.problems.append(str(error))
        return done
    definition = definition_path(folder)
    for path in sorted(folder.glob(f"*{COMPLETE}")):
        if path.name in known:
            continue
        try:
            instrument = find_instrument(instrument_id, definition if definition.exists() else None)
            series = RecordingSeries([path], instrument)
            done.imported.append(import_series([series], instrument, catalog, lambda _: None))
        except (BadInput, OSError) as error:
            done.problems.append(str(error))
    return done


def ignore_interrupts() -> None:
    """Let a worker finish when it is told to stop together with its parent, which waits for it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _sources(catalog: Path, instrument_id: str) -> set[str]:
    """Return the names of the files that stored data of an instrument come from."""
    settle(catalog)
    names: set[str] = set()
    for data_type in DATA_TYPES.values():
        for file in files_in(data_folder(catalog, data_type, instrument_id)):
            record = record_of(catalog, file.path)
            names |= {source.name for source in record.origin.sources} if record else set()
    return names

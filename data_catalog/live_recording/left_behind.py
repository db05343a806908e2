"""What an earlier recorder left: open files made complete, and until when each kind of data was recorded."""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bad_input import BadInput
from data_catalog.live_recording.messages import DATA_TYPE_OF_KIND
from data_catalog.live_recording.raw_file import COMPLETE, OPEN, RawFile, whole_lines
from data_catalog.recordings.lines import Message
from data_catalog.recordings.parser import message_kind
from data_catalog.store.data_types import DataTypeName

STATE = "recorded_until.json"
_LOCK = "lock"

type Until = dict[DataTypeName, int]
"""Until when data were recorded, UNIX nanoseconds, by data type."""

_decode = msgspec.json.Decoder(Message).decode


def recordings_folder(catalog: Path, instrument_id: str) -> Path:
    """Return where the raw files of an instrument are."""
    return catalog / "recordings" / instrument_id


def lock(folder: Path) -> int:
    """
    Keep other recorders away from a folder for as long as this process lives; return what to close.

    Raises
    ------
    BadInput
        If another recorder is at work there, or the folder cannot be written to.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise BadInput(f"cannot be written to ({error.strerror})", file=folder) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BadInput("another recorder is at work here", file=folder) from None
    return descriptor


def read_until(folder: Path) -> Until:
    """Return until when data were recorded, as far as was noted."""
    path = folder / STATE
    return msgspec.json.decode(path.read_bytes(), type=dict[DataTypeName, int]) if path.exists() else {}


def write_until(folder: Path, until: Mapping[DataTypeName, int]) -> None:
    """Note until when data were recorded."""
    draft = folder / f"{STATE}.draft"
    draft.write_bytes(msgspec.json.encode(until))
    draft.replace(folder / STATE)


def salvage(folder: Path) -> list[Path]:
    """
    Complete the open files in a folder with what can be read of them, note until when they go, and return them.

    Dying in the middle and doing it again gives the same.
    """
    completed = []
    for path in sorted(folder.glob(f"*{OPEN}")):
        until = read_until(folder)
        target = path.with_suffix(COMPLETE)
        if not target.exists():
            kept = _copy(path, until)
            write_until(folder, until)
            if kept is not None:
                completed.append(kept)
        path.unlink()
    return completed


def _copy(path: Path, until: Until) -> Path | None:
    copy = RawFile(path.parent, path.stem, draft=True)
    rows = 0
    for line in whole_lines(path):
        received, _, text = line.partition(b" ")
        message = _decode(text)
        payload = message if message.data is None else message.data
        kind = message_kind(payload, message.stream)
        data_type: DataTypeName | None = "deltas" if kind == "snapshot" else DATA_TYPE_OF_KIND.get(kind)
        if data_type is not None:
            until[data_type] = max(until.get(data_type, 0), int(received))
            rows += data_type != "funding_rates"
        copy.write(line + b"\n")
    if rows:
        return copy.finish()
    copy.abandon()
    copy.path.unlink()
    return None

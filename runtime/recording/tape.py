"""
Rows to disk from a thread of their own: a run does not wait for them, and goes on without them when the disk is full.

What is appended is on disk, as far as the death of the process is concerned, `FLUSH_SECS` later. A recording has no
holes: the first failure ends it, and says since when it is incomplete.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from actors.recorder import row_of
from data_catalog.live_recording.raw_file import RawFile
from data_catalog.run_recordings.rows import Ended

FLUSH_SECS: Final = 1.0
"""How long a row may wait for the disk: what a kill can cost."""

_FIRST_FLUSH_SECS: Final = 0.1
"""Without its beginning a recording is worth nothing."""
_FILE_BYTES: Final = 64 * 1024 * 1024
_MOST_WAITING: Final = 1_000_000
_ROWS_AT_ONCE: Final = 50
_BREATH_SECS: Final = 0.0005
_CLOSE_SECS: Final = 10.0


@dataclass(frozen=True)
class Incomplete:
    """Since when a recording is incomplete, UNIX ns, and why."""

    since_ns: int
    reason: str

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since_ns // 1_000_000_000, UTC)
        return f"The recording is incomplete from {since:%Y-%m-%dT%H:%M:%SZ}: {self.reason}."


class Tape:
    """
    Files of rows, one after the other, in a folder.

    Parameters
    ----------
    folder : Path
        Where; it is made.
    say : callable
        Tells the user, from the tape's thread.
    now_ns : callable
        Returns the run's time, UNIX ns.

    """

    def __init__(self, folder: Path, say: Callable[[str], None], now_ns: Callable[[], int] = time.time_ns) -> None:
        self.incomplete: Incomplete | None = None
        """Why rows are missing; None while none are."""
        self.rows = 0
        """How many rows are on disk."""
        self._folder = folder
        self._say = say
        self._now_ns = now_ns
        self._waiting: deque[Any] = deque()  # both threads touch it, each in one step
        self._file: RawFile | None = None
        self._files = 0
        self._encoder = msgspec.json.Encoder(decimal_format="string")
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_until_closed, name="tape", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def append(self, item: Any) -> None:
        """Take a row, or what `row_of` makes one of; on any thread."""
        if self.incomplete is None:
            self._waiting.append(item)

    def close(self) -> None:
        """Write what is waiting, and the last row; a disk that hangs is not waited for."""
        if not self._closing.is_set():
            self.append(Ended(self._now_ns()))
            self._closing.set()
            self._thread.join(_CLOSE_SECS)
            if self._thread.is_alive():
                self._give_up(self._now_ns(), f"the disk did not take it for {_CLOSE_SECS:.0f} s")

    # -- On the tape's own thread -------------------------------------------------------------------------------------

    def _write_until_closed(self) -> None:
        wait_secs = _FIRST_FLUSH_SECS
        while not self._closing.wait(wait_secs):
            self._write_waiting()
            if self.rows:
                wait_secs = FLUSH_SECS
        self._write_waiting()
        if self._file is not None and self.incomplete is None:
            try:
                self._file.finish()
            except OSError as error:
                self._give_up(self._now_ns(), _words(error))

    def _write_waiting(self) -> None:
        items = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not items or self.incomplete is not None:
            return
        first_ns = _time_of(items[0])
        try:
            if len(items) > _MOST_WAITING:
                raise OSError(f"{len(items)} rows waited for the disk")
            self._write(items)
        except OSError as error:
            self._give_up(first_ns, _words(error))
            if self._file is not None:
                self._file.abandon()

    def _write(self, items: list[Any]) -> None:
        file = self._open_file()
        for start in range(0, len(items), _ROWS_AT_ONCE):
            part = items[start : start + _ROWS_AT_ONCE]
            file.write(b"".join(self._encoder.encode(row_of(item)) + b"\n" for item in part))
            time.sleep(_BREATH_SECS)  # the interpreter's lock is the event loop's: never hold it for long
        file.flush()
        self.rows += len(items)
        if file.bytes_on_disk > _FILE_BYTES:
            file.finish()
            self._file = None

    def _open_file(self) -> RawFile:
        if self._file is None:
            self._folder.mkdir(exist_ok=True)
            self._files += 1
            self._file = RawFile(self._folder, f"{self._files:04d}")
        return self._file

    def _give_up(self, since_ns: int, reason: str) -> None:
        self.incomplete = Incomplete(since_ns, reason)
        self._waiting.clear()
        self._say(f"{self.incomplete} Trading goes on.")


def _time_of(item: Any) -> int:
    at_ns: int = item[0] if isinstance(item, tuple) else item.at
    return at_ns


def _words(error: OSError) -> str:
    return error.strerror or str(error)

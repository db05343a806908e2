"""Writes what is received of one instrument into raw files that rotate."""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bad_input import BadInput
from data_catalog.live_recording.left_behind import lock, read_until, salvage, write_until
from data_catalog.live_recording.messages import Update
from data_catalog.live_recording.raw_file import RawFile
from data_catalog.recordings.gaps import gap_text
from data_catalog.store.data_types import DataTypeName
from data_catalog.store.origin import Gap

NANOS = 1_000_000_000
_CLOCK_SLACK_NS = 60 * NANOS


@dataclass(frozen=True, slots=True)
class _Mark:
    since_ns: int
    data_types: tuple[DataTypeName, ...]
    reason: str

    @property
    def text(self) -> bytes:
        return gap_text(self.since_ns, self.data_types, self.reason)


class Tape:
    """
    The recording of one instrument.

    A file holds what was received in one period (an hour or a day of UTC). Each begins with what the import needs from
    before: the last mark price, and soon a snapshot of the book (`wants_book`). A file without a row is not kept.

    Parameters
    ----------
    folder : Path
        Where the files go.
    instrument_id : str
        Begins their names.
    period_ns : int
        How long a file lasts, nanoseconds.
    now_ns : callable
        Returns UNIX nanoseconds.
    depth : bool
        Whether changes of the book are recorded.

    Attributes
    ----------
    rows : Counter[str]
        Messages written, by data type.
    repeated : int
        Messages left out since they were there already.
    gaps : list of Gap
        Marked since the start.
    until : dict
        Until when each kind of data was recorded, UNIX nanoseconds.
    last_ns : int
        The time of the last line, UNIX nanoseconds.
    wants_book : bool
        Whether a snapshot of the book is needed.
    completed : list of Path
        Files to be imported.

    Raises
    ------
    BadInput
        If another recorder is at work in the folder, it cannot be written to, or it holds what a clock ahead of
        this one recorded.

    """

    def __init__(
        self, folder: Path, instrument_id: str, period_ns: int, now_ns: Callable[[], int], *, depth: bool
    ) -> None:
        self.instrument_id = instrument_id
        self.folder = folder
        self.depth = depth
        self.rows: Counter[str] = Counter()
        self.repeated = 0
        self.gaps: list[Gap] = []
        self.wants_book = False
        self._period_ns = period_ns
        self._now_ns = now_ns
        self._file: RawFile | None = None
        self._lock: int | None = lock(folder)
        self.completed: list[Path] = salvage(folder)
        self.until = read_until(folder)
        self.last_ns = max(self.until.values(), default=0)
        if self.last_ns > now_ns() + _CLOCK_SLACK_NS:
            self.abandon()
            problem = f"was recorded until {_utc(self.last_ns)}, which this machine's clock has not reached"
            raise BadInput(problem, file=folder)
        self._period = 0
        self._file_rows = 0
        self._file_marks: list[_Mark] = []
        self._finished_bytes = 0
        self._last_ids: dict[str, int] = {}
        self._mark_price = b""
        self.first_depth_id: int | None = None

    @property
    def bytes_on_disk(self) -> int:
        """Bytes written since the start."""
        return self._finished_bytes + (self._file.bytes_on_disk if self._file is not None else 0)

    def take(self, update: Update, text: bytes, received_ns: int, repeats_until_ns: int) -> None:
        """
        Write a message.

        Parameters
        ----------
        update : Update
            What it is.
        text : bytes
            Its JSON.
        received_ns : int
            When it came, UNIX nanoseconds.
        repeats_until_ns : int
            Until then a new connection may repeat what the one before has sent. Later on, ids that go back mean that
            the exchange has begun to count anew.

        """
        last_id = self._last_ids.get(update.kind)
        if last_id is not None and update.last_id <= last_id and received_ns < repeats_until_ns:
            self.repeated += 1
            return
        self._last_ids[update.kind] = update.last_id
        self._write(received_ns, text)
        if update.kind == "markPriceUpdate":
            self._mark_price = text
        elif update.kind == "depthUpdate":
            self._follow_book(update, last_id)
        self._count(update.data_type)

    def take_book(self, last_id: int, text: bytes, received_ns: int) -> bool:
        """Write a snapshot of the book; return False, and do nothing, where it is older than the changes at hand."""
        if self.first_depth_id is None or last_id < self.first_depth_id - 1:
            return False
        self._write(received_ns, text)
        self._count("deltas")
        self.wants_book = False
        return True

    def mark_gap(self, since_ns: int, until_ns: int, data_types: Iterable[DataTypeName], reason: str) -> None:
        """Write down that data of these types may be missing."""
        mark = _Mark(since_ns, tuple(data_types), reason)
        self._write(until_ns, mark.text)
        self._file_marks.append(mark)
        self.gaps.append(Gap(since_ns, until_ns, reason))
        self.covered(until_ns, mark.data_types)
        if "deltas" in mark.data_types:
            self.lose_book()

    def covered(self, until_ns: int, data_types: Iterable[DataTypeName]) -> None:
        """Note that up to a time all data of these types were recorded, or are marked as missing."""
        self.until.update(dict.fromkeys(data_types, until_ns))

    def lose_book(self) -> None:
        """Ask for a snapshot that fits the changes of the book still to come."""
        if self.depth:
            self.wants_book, self.first_depth_id = True, None

    def tick(self) -> None:
        """Complete a file whose period is over, and hand what is pending to the operating system."""
        if self._file is not None and self._now_ns() // self._period_ns != self._period:
            self._complete()
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Complete the file and let go of the folder; raises OSError where there is no room."""
        try:
            self._complete()
            write_until(self.folder, self.until)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of the folder and leave the file as it is."""
        if self._file is not None:
            self._file.abandon()
            self._file = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _follow_book(self, update: Update, last_id: int | None) -> None:
        before = update.first_id - 1 if update.previous_id is None else update.previous_id
        if last_id is not None and before != last_id:
            self.lose_book()
        if self.first_depth_id is None:
            self.first_depth_id = update.first_id

    def _count(self, data_type: DataTypeName) -> None:
        self.rows[data_type] += 1
        self.until[data_type] = self.last_ns
        self._file_rows += data_type != "funding_rates"

    def _write(self, received_ns: int, text: bytes) -> None:
        # A clock that was set back must not put lines out of order.
        self.last_ns = max(received_ns, self.last_ns + 1)
        period = self.last_ns // self._period_ns
        if self._file is not None and period != self._period:
            self._complete()
        if self._file is None:
            self._begin(period)
        assert self._file is not None
        self._file.write(b"%d %b\n" % (self.last_ns, text))

    def _begin(self, period: int) -> None:
        stamp = datetime.fromtimestamp(self.last_ns // NANOS, UTC)
        name = f"{self.instrument_id}-{stamp:%Y%m%dT%H%M%S}.{self.last_ns % NANOS // 1_000_000:03d}Z"
        self._file, self._period, self._file_rows = RawFile(self.folder, name), period, 0
        for text in (self._mark_price, *(mark.text for mark in self._file_marks)):
            if text:
                self._file.write(b"%d %b\n" % (self.last_ns, text))
                self.last_ns += 1
        self.lose_book()

    def _complete(self) -> None:
        if self._file is None:
            return
        if self._file_rows:
            write_until(self.folder, self.until)
            path = self._file.finish()
            self.completed.append(path)
            self._finished_bytes += path.stat().st_size
            self._file_marks = []
        else:
            # Its marks belong into the next file, or are made again by the next recorder.
            for mark in self._file_marks:
                self.until.update(dict.fromkeys(mark.data_types, mark.since_ns))
            self._file.abandon()
            self._file.path.unlink()
        self._file = None


def _utc(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // NANOS, UTC):%Y-%m-%d %H:%M:%S} UTC"

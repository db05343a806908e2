"""
What holds over a restart and what a person commands: two files in the folder of a trading system.

`latch.json` says what halts trading now, by scope, and every resume with its time and reason. `HALT` asks for a halt;
its text is the reason, and an empty file is enough. A system that runs looks at both; one that starts refuses to trade
while either says halt.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from bad_input import BadInput
from messages import ACCOUNT
from models.risk_limits import plain
from models.risk_state import Trip

UNREADABLE: Final = "latch_unreadable"
"""The rule of the trip that stands for a file that cannot be read."""

STATE_FOLDER: Final = Path("state")
"""Where trading systems keep what must survive a restart, relative to the working directory."""


class Resumed(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One resume: when, why, and what it ended; `halt_file` is the reason of a halt that was asked for."""

    time: str
    reason: str
    ended: dict[str, list[Trip]]
    halt_file: str | None = None


class LatchContent(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the latch file says."""

    holding: dict[str, list[Trip]] = {}
    resumed: list[Resumed] = []


class RiskLatch:
    """
    Keeps the halts of one trading system in its folder.

    Parameters
    ----------
    folder : Path
        Where; it need not exist.

    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "latch.json"
        self.halt_file = folder / "HALT"
        self._resumes_known = 0

    @classmethod
    def of(cls, setup_name: str, working_folder: Path) -> "RiskLatch":
        """Return the latch of a setup: paper and live share it, so that a halt of one holds for the other."""
        return cls(working_folder / STATE_FOLDER / setup_name)

    # -- What a running system asks -----------------------------------------------------------------------------------

    def load(self) -> dict[str, list[Trip]]:
        """Return the trips that hold, by scope; a damaged file halts the account, as nobody knows what it said."""
        try:
            content = self.content()
        except BadInput:
            return {ACCOUNT: [Trip(0, UNREADABLE, Decimal(1), Decimal(0), "cancel")]}
        self._resumes_known = len(content.resumed)
        return content.holding

    def save(self, trips: dict[str, list[Trip]]) -> None:
        """
        Keep what holds, by scope; a file that was damaged stays as it is until a person resumes.

        Raises
        ------
        OSError
            If the disk does not take it.

        """
        with suppress(BadInput), self._alone():
            content = self.content()
            content.holding = {scope: held for scope, held in trips.items() if held}
            if content.holding or self.file.exists():
                self._write(content)

    def halt_reason(self) -> str | None:
        """Return why a person wants trading halted; None where nobody does."""
        try:
            return self.halt_file.read_text(encoding="utf-8").strip() or "no reason given"
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            return f"{self.halt_file.name} is there, but cannot be read: {error}"

    def was_resumed(self) -> bool:
        """Return whether a person has resumed since this was asked, or the file loaded, the last time."""
        try:
            count = len(self.content().resumed)
        except BadInput:
            return False
        known, self._resumes_known = self._resumes_known, count
        return count > known

    # -- What a person says -------------------------------------------------------------------------------------------

    def request_halt(self, reason: str) -> None:
        """Ask for a halt: a running system closes and stops at its next check, none starts until it is resumed."""
        self.halt_file.parent.mkdir(parents=True, exist_ok=True)
        _replace(self.halt_file, reason.encode())

    def forget(self) -> None:
        """Let nothing hold, as if it had never run: a rehearsal starts so, and no other run."""
        for file in (self.halt_file, self.file):
            file.unlink(missing_ok=True)

    def resume(self, reason: str, now: datetime) -> Resumed:
        """End everything that holds, and write down why; return what was ended."""
        with self._alone():
            try:
                content = self.content()
            except BadInput:
                self.file.replace(self.file.with_name(f"latch.damaged-{now:%Y%m%dT%H%M%SZ}.json"))
                content = LatchContent(holding={ACCOUNT: [Trip(0, UNREADABLE, Decimal(1), Decimal(0), "cancel")]})
            resumed = Resumed(time=now.isoformat(), reason=reason, ended=content.holding, halt_file=self.halt_reason())
            content.resumed.append(resumed)
            content.holding = {}
            self.halt_file.unlink(missing_ok=True)
            self._write(content)
            return resumed

    def halts(self, now: datetime) -> list[str]:
        """Return what halts trading, a line each; empty where nothing does, and only then may a system start."""
        reason = self.halt_reason()
        lines = [] if reason is None else [f"{ACCOUNT}: halted by hand: {reason}"]
        try:
            holding = self.content().holding
        except BadInput as error:
            return [*lines, str(error)]
        now_ns = int(now.timestamp()) * 1_000_000_000
        for scope, trips in holding.items():
            lines += [f"{scope}: {_said(trip)}" for trip in trips if trip.until_ns is None or trip.until_ns > now_ns]
        return lines

    # -- The file -----------------------------------------------------------------------------------------------------

    def content(self) -> LatchContent:
        """
        Return what the file says; nothing holds where there is none.

        Raises
        ------
        BadInput
            If it cannot be read.

        """
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=LatchContent)
        except FileNotFoundError:
            return LatchContent()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"the latch file is damaged, which counts as a halt: {error}", file=self.file) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep the system that runs and the person who resumes from writing at the same moment."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with (self.file.parent / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, content: LatchContent) -> None:
        _replace(self.file, msgspec.json.format(msgspec.json.encode(content), indent=2))


def _said(trip: Trip) -> str:
    parts = [f"{trip.rule} was {plain(trip.value)}, the limit is {plain(trip.limit)}: {trip.action}"]
    if trip.ts_ns:
        parts.append(f"at {_time(trip.ts_ns)}")
    if trip.until_ns is not None:
        parts.append(f"until {_time(trip.until_ns)}")
    if trip.reason:
        parts.append(f"({trip.reason})")
    return " ".join(parts)


def _time(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _replace(file: Path, content: bytes) -> None:
    """Replace a file in one step: a process that dies while writing leaves the old one."""
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    Path(stream.name).replace(file)

"""
What holds over a restart and what a person commands: files in the folder of a trading system.

`latch.json` says what halts trading now, by scope, and every resume with its time and reason. `HALT` asks for a halt of
the account, `HALT.<strategy id>` for one of that strategy; the text is the reason, and an empty file is enough. A
system that runs looks at all of them; one that starts refuses to trade while any says halt.
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
from urllib.parse import quote, unquote

import msgspec

from bad_input import BadInput
from messages.risk import ACCOUNT
from models.risk_limits import plain
from models.risk_state import Trip

UNREADABLE: Final = "latch_unreadable"
"""The rule of the trip that stands for a file that cannot be read."""

STATE_FOLDER: Final = Path("state")
"""Where trading systems keep what must survive a restart, relative to the working directory."""

REHEARSAL_FOLDER: Final = "rehearsal"
"""In the folder of a trading system: where its rehearsal keeps the same, which is of the market that it plays."""

_HALT: Final = "HALT"


class Resumed(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """
    One resume.

    Parameters
    ----------
    time, reason : str
        When and why.
    strategy : str, optional
        The strategy that was resumed alone; None where everything was.
    ended : dict
        The trips that it ended, by scope.
    halt_file : str, optional
        The reason of a halt of the account that was asked for.
    strategy_halt_files : dict
        The reasons of halts of single strategies that were asked for, by strategy.

    """

    time: str
    reason: str
    strategy: str | None = None
    ended: dict[str, list[Trip]]
    halt_file: str | None = None
    strategy_halt_files: dict[str, str] = {}


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
        self.halt_file = folder / _HALT
        self._resumes_known = 0

    @classmethod
    def of(cls, setup_name: str, working_folder: Path) -> "RiskLatch":
        """Return the latch of a setup: paper and live share it, so that a halt of one holds for the other."""
        return cls(working_folder / STATE_FOLDER / setup_name)

    @property
    def is_of_a_rehearsal(self) -> bool:
        """Whether it is of a rehearsal, which begins with nothing that halts it."""
        return self.file.parent.name == REHEARSAL_FOLDER

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

    def halts_wanted(self) -> dict[str, str]:
        """Return why a person wants the account or a strategy halted, by scope; what cannot be read halts."""
        try:
            files = self._halt_files()
        except OSError as error:
            return {ACCOUNT: f"{self.halt_file.parent} cannot be looked at: {error}"}
        reasons = {scope: _reason_in(file) for scope, file in files}
        return {scope: reason for scope, reason in reasons.items() if reason is not None}

    def resumed(self) -> list[str]:
        """Return what a person has resumed since this was asked, or the file loaded, the last time, by scope."""
        try:
            resumes = self.content().resumed
        except BadInput:
            return []
        known = self._resumes_known if self._resumes_known <= len(resumes) else 0  # after damage a new file begins
        self._resumes_known = len(resumes)
        return [resume.strategy or ACCOUNT for resume in resumes[known:]]

    # -- What a person says -------------------------------------------------------------------------------------------

    def halt_file_of(self, scope: str) -> Path:
        """Return the file that asks for a halt of the account or of a strategy."""
        return self.halt_file if scope == ACCOUNT else self.halt_file.with_name(f"{_HALT}.{quote(scope, safe='')}")

    def request_halt(self, reason: str, scope: str = ACCOUNT) -> None:
        """Ask for a halt: a running system closes and stops at its next check, none starts until it is resumed."""
        self.halt_file.parent.mkdir(parents=True, exist_ok=True)
        _replace(self.halt_file_of(scope), reason.encode())

    def forget(self) -> None:
        """Let nothing hold, as if it had never run: a rehearsal starts so, and no other run."""
        for file in (*(file for _, file in self._halt_files()), self.file):
            file.unlink(missing_ok=True)

    def resume(self, reason: str, now: datetime, scope: str = ACCOUNT) -> Resumed:
        """
        End everything that holds, or what holds a strategy, and write down why; return what was ended.

        Raises
        ------
        BadInput
            If the file is damaged and one strategy alone is to be resumed: nobody knows what else it said.

        """
        with self._alone():
            try:
                content = self.content()
            except BadInput:
                if scope != ACCOUNT:
                    raise
                self.file.replace(self.file.with_name(f"latch.damaged-{now:%Y%m%dT%H%M%SZ}.json"))
                content = LatchContent(holding={ACCOUNT: [Trip(0, UNREADABLE, Decimal(1), Decimal(0), "cancel")]})
            files = [(name, file) for name, file in self._halt_files() if scope in (ACCOUNT, name)]
            asked = {name: why for name, file in files if (why := _reason_in(file)) is not None}
            ended = {name: trips for name, trips in content.holding.items() if scope in (ACCOUNT, name)}
            resumed = Resumed(
                time=now.isoformat(),
                reason=reason,
                strategy=None if scope == ACCOUNT else scope,
                ended=ended,
                halt_file=asked.pop(ACCOUNT, None),
                strategy_halt_files=asked,
            )
            content.resumed.append(resumed)
            content.holding = {name: trips for name, trips in content.holding.items() if name not in ended}
            for _, file in files:
                file.unlink(missing_ok=True)
            self._write(content)
            return resumed

    def halts(self, now: datetime) -> list[str]:
        """Return what halts trading, a line each; empty where nothing does, and only then may a system start."""
        lines = [f"{scope}: halted by hand: {reason}" for scope, reason in self.halts_wanted().items()]
        try:
            holding = self.content().holding
        except BadInput as error:
            return [*lines, str(error)]
        now_ns = int(now.timestamp()) * 1_000_000_000
        for scope, trips in holding.items():
            lines += [f"{scope}: {_said(trip)}" for trip in trips if trip.until_ns is None or trip.until_ns > now_ns]
        return lines

    def scopes(self) -> set[str]:
        """Return what is halted or asked to be: the account, strategies; nothing of a file that cannot be read."""
        with suppress(BadInput):
            return {*self.halts_wanted(), *(scope for scope, trips in self.content().holding.items() if trips)}
        return set(self.halts_wanted())

    # -- The files ----------------------------------------------------------------------------------------------------

    def _halt_files(self) -> list[tuple[str, Path]]:
        """Return the files that ask for a halt, each with its scope; OSError if nobody can look."""
        try:
            files = sorted(self.halt_file.parent.iterdir())
        except FileNotFoundError:
            return []
        return [(_scope_of(file.name), file) for file in files if _asks_for_halt(file.name)]

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


def _asks_for_halt(name: str) -> bool:
    return name == _HALT or name.startswith(f"{_HALT}.")


def _scope_of(name: str) -> str:
    return ACCOUNT if name == _HALT else unquote(name.removeprefix(f"{_HALT}."))


def _reason_in(file: Path) -> str | None:
    """Return why a file asks for a halt; None if it is gone."""
    try:
        return file.read_text(encoding="utf-8").strip() or "no reason given"
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        return f"{file.name} is there, but cannot be read: {error}"


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

"""Records instruments until told to stop: feeds, tapes, and the import of what is complete."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from command_line import Failed
from data_catalog.live_recording.feed import Feed, Timing
from data_catalog.live_recording.imports import ImportedFiles, import_pending
from data_catalog.live_recording.left_behind import recordings_folder
from data_catalog.live_recording.rest import PublicRest
from data_catalog.live_recording.routes import Addresses, routes_of
from data_catalog.live_recording.tape import NANOS, Tape

HOUR_NS = 3600 * NANOS
DAY_NS = 24 * HOUR_NS


@dataclass(frozen=True)
class Recording:
    """
    What is recorded, and how.

    Parameters
    ----------
    catalog : Path
        The catalog; raw files go to its folder `recordings`.
    instrument_ids : sequence of str
        Whose data.
    depth : bool
        Whether changes of the book are recorded too.
    addresses : Addresses
        Where the exchange is.
    period_ns : int
        How long a raw file lasts, nanoseconds.
    timing : Timing
        How connections are kept.
    now_ns : callable
        Returns UNIX nanoseconds.
    sleep : callable
        Waits for a number of seconds.

    """

    catalog: Path
    instrument_ids: Sequence[str]
    depth: bool = False
    addresses: Addresses = field(default_factory=Addresses)
    period_ns: int = DAY_NS
    timing: Timing = field(default_factory=Timing)
    now_ns: Callable[[], int] = time.time_ns
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Recorder:
    """
    Records until stopped.

    Parameters
    ----------
    recording : Recording
        What and how.
    executor : Executor
        Imports complete files while the recording goes on; a process of its own, so that no message waits.
    note : callable
        Takes a line for the user.

    Attributes
    ----------
    tapes : dict
        By instrument id.
    feeds : list of Feed
        The connections.
    imports : dict
        What became of complete files, by instrument id.

    Raises
    ------
    BadInput
        If another recorder is at work on one of the instruments, or its folder cannot be used.

    """

    def __init__(self, recording: Recording, executor: Executor, note: Callable[[str], None]) -> None:
        self.recording = recording
        self.tapes: dict[str, Tape] = {}
        self.feeds: list[Feed] = []
        self.imports: dict[str, ImportedFiles] = {id_: ImportedFiles() for id_ in recording.instrument_ids}
        self._executor = executor
        self._note = note
        self._importing: set[asyncio.Task[None]] = set()
        try:
            for id_ in recording.instrument_ids:
                folder = recordings_folder(recording.catalog, id_)
                self.tapes[id_] = Tape(folder, id_, recording.period_ns, recording.now_ns, depth=recording.depth)
        except BaseException:
            for tape in self.tapes.values():
                tape.abandon()
            raise

    async def run(self, stop: asyncio.Event) -> None:
        """
        Record until `stop` is set, then complete all files.

        Raises
        ------
        Failed
            If there is no connection to begin with, or no room on the disk; what was recorded is kept.

        """
        try:
            try:
                async with aiohttp.ClientSession(trust_env=True) as session:
                    await self._record(session, stop)
            finally:
                for tape in self.tapes.values():
                    tape.close()
        except OSError as error:
            raise Failed(
                f"the recording cannot be written ({error.strerror or error}); what is on disk is kept"
            ) from error
        finally:
            for tape in self.tapes.values():
                tape.abandon()
            await asyncio.gather(*self._importing)

    async def _record(self, session: aiohttp.ClientSession, stop: asyncio.Event) -> None:
        recording = self.recording
        rest = PublicRest(session, recording.addresses)
        routes = routes_of(recording.instrument_ids, recording.addresses, depth=recording.depth)
        self.feeds = [
            Feed(
                route,
                self.tapes,
                session,
                rest,
                now_ns=recording.now_ns,
                timing=recording.timing,
                note=self._note,
                sleep=recording.sleep,
            )
            for route in routes
        ]
        tasks = [asyncio.create_task(feed.run()) for feed in self.feeds]
        tasks.append(asyncio.create_task(self._keep_house()))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in [*tasks, stopped]:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException) and not isinstance(end, asyncio.CancelledError):
                raise end

    async def _keep_house(self) -> None:
        while True:
            for id_, tape in self.tapes.items():
                tape.tick()
                if tape.completed:
                    tape.completed.clear()
                    task = asyncio.create_task(self._import(id_))
                    self._importing.add(task)
                    task.add_done_callback(self._importing.discard)
            await asyncio.sleep(self.recording.timing.flush_secs)

    async def _import(self, instrument_id: str) -> None:
        loop = asyncio.get_running_loop()
        catalog = self.recording.catalog
        try:
            done = await loop.run_in_executor(self._executor, import_pending, catalog, instrument_id)
        except BrokenExecutor as error:  # the worker was killed, perhaps for its memory; at the end it is done here
            done = ImportedFiles(problems=[f"the import was killed ({error})"])
        self.add_import(instrument_id, done)

    def add_import(self, instrument_id: str, done: ImportedFiles) -> None:
        """Take in what became of files; only the last problems count, since such files are tried again."""
        total = self.imports[instrument_id]
        total.imported += done.imported
        total.problems = done.problems
        for problem in done.problems:
            self._note(f"{instrument_id}: not imported yet: {problem}")

    @property
    def skipped(self) -> Counter[str]:
        """Messages left out, by reason."""
        return sum((feed.skipped for feed in self.feeds), Counter())

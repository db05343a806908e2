"""A run and its page: what is shown of it, and who halts it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from runtime.live.node import LiveSystem
from runtime.live.prepare import PreparedLive
from runtime.live.recording import RunRecording
from runtime.live.run_folder import RunFolder
from runtime.live.session import Session
from runtime.live.stopping import Ending
from runtime.live.web.address import TOKEN_VARIABLE, Place
from runtime.live.web.desk import Desk
from runtime.live.web.server import PageServer
from runtime.live.web.snapshot import Observer
from runtime.live.web.state import Controls, Recording, Run
from runtime.risk.commands import scope_of


@dataclass(frozen=True)
class Sources:
    """What the page knows of a run besides its system: the setup, what the user was told, what is recorded."""

    prepared: PreparedLive
    folder: RunFolder
    recording: RunRecording

    def told(self) -> list[tuple[int, str]]:
        """Return what the user was told last, and when by the time of the run, in UNIX ms."""
        pace = self.prepared.pace
        lines = list(self.folder.told)
        return [(pace.of_machine(int(time.timestamp() * 1e6) * 1_000) // 1_000_000, text) for time, text in lines]

    def recorded(self) -> Recording:
        """Return how the recording does."""
        said = self.recording.as_dict()
        if said["complete"]:
            return Recording(ok=True, text=f"{said['rows']:,} rows")
        return Recording(ok=False, text=f"incomplete since {said['incomplete_from']}: {said['reason']}")

    def halt(self, reason: str, strategy: str | None) -> None:
        """Ask for a halt of the account or a strategy as --halt does, from whatever thread; BadInput if unknown."""
        self.prepared.latch.request_halt(reason, scope_of(strategy, self.prepared.loaded.tree))
        of = "" if strategy is None else f" of {strategy}"
        self.folder.say(f"halt{of} asked for on the live page: {reason}")


@contextmanager
def live_page(place: Place | None, run: Run, session: Session, sources: Sources) -> Iterator[None]:
    """Serve the page of a session for as long as it runs; do nothing without a place."""
    if place is None:
        yield
        return
    limits = sources.prepared.loaded.setup.risk
    controls = _controls(place, has_limits=limits is not None)
    observer = Observer(run, limits, controls, sources.told, sources.recorded)
    desk = Desk(observer)

    def watch(system: LiveSystem, ending: Ending, loop: asyncio.AbstractEventLoop) -> None:
        observer.attach(system, ending)
        desk.open(loop, lambda: ending.started is not None)

    session.on_built = watch
    with PageServer(place, desk, None if limits is None else sources.halt):
        sources.folder.say(f"the live page is {place.url}")
        yield


def run_of(prepared: PreparedLive, folder: RunFolder, currency: str) -> Run:
    """Return what is traded where, in words for people."""
    setup, venue = prepared.loaded.setup, prepared.venue
    return Run(
        setup=setup.name,
        description=setup.description,
        run_id=folder.run_id,
        label=prepared.mode.upper(),
        venue=venue.http,
        account="spot" if venue.spot else f"USD-M futures at {prepared.leverage}x",
        instruments=list(setup.instruments),
        currency=currency,
        started_ms=prepared.pace.now_ns() // 1_000_000,
    )


def _controls(place: Place, *, has_limits: bool) -> Controls:
    if place.token is None:
        return Controls(halt=False, why_not=f"{TOKEN_VARIABLE} is not set where the run was started")
    if not has_limits:
        return Controls(halt=False, why_not="the setup has no risk: section, and nothing would obey")
    return Controls(halt=True)

"""The recording of a live, paper or rehearsal run: what is written down of it, and whether all of it was."""

from dataclasses import dataclass
from typing import Any

import msgspec
from nautilus_trader.core.data import Data
from nautilus_trader.system.kernel import NautilusKernel

from actors.recorder import Recorder
from data_catalog.run_recordings.rows import FOLDER, FORMAT, Run
from runtime.live.prepare import PreparedLive
from runtime.live.run_folder import RunFolder
from runtime.market_data import iso_time
from runtime.recording.tape import Incomplete, Tape
from runtime.recording.taps import RecordedLatch, add_recorder
from runtime.results import versions
from runtime.system import SystemContext


@dataclass(frozen=True)
class MarketKind:
    """Of a rehearsal: what kind of market it played."""

    synthetic: bool
    reconstructed: bool


class RunRecording:
    """
    Records one run into its folder.

    Parameters
    ----------
    prepared : PreparedLive
        What is traded where.
    folder : RunFolder
        The run's folder.
    rehearsed : MarketKind, optional
        What is played, in a rehearsal.

    """

    def __init__(self, prepared: PreparedLive, folder: RunFolder, rehearsed: MarketKind | None = None) -> None:
        self.latch = RecordedLatch(prepared.latch)
        self.kept: dict[str, dict[str, str]] = {}
        """What strategies and actors go on with; to be set before they start."""
        self.resumed = False
        """Whether the books go on from those of an earlier run; to be set before they start."""
        self._prepared = prepared
        self._rehearsed = rehearsed
        self._run_id = folder.run_id
        self._tape = Tape(folder.path / FOLDER, folder.say, prepared.pace.now_ns)
        self._recorder: Recorder | None = None

    @property
    def incomplete(self) -> Incomplete | None:
        """Since when rows are missing, and why; None while none are."""
        return self._tape.incomplete

    def attach(self, kernel: NautilusKernel, context: SystemContext) -> None:
        """Add the recorder to a system that has all its other parts, and begin to write."""
        self._recorder = add_recorder(kernel, self._run(kernel, context), context.instrument_ids, self._append)
        self.latch.recorder = self._recorder
        self._tape.start()

    def note_timer(self, clock: object, event: Any) -> None:
        """Write down that a timer is about to be answered."""
        if self._recorder is not None:
            self._recorder.note_timer(clock, event)

    def close(self) -> None:
        """Write what is left."""
        if self._recorder is not None:
            self._tape.close()

    def as_dict(self) -> dict[str, Any]:
        """Return what the manifest says of the recording."""
        missing = self.incomplete
        return {
            "rows": self._tape.rows,
            "complete": missing is None,
            **({} if missing is None else {"incomplete_from": iso_time(missing.since_ns), "reason": missing.reason}),
        }

    def _append(self, item: Run | tuple[int, Data] | Any) -> None:
        if isinstance(item, Run):
            item = msgspec.structs.replace(item, kept=self.kept, resumed=self.resumed)
        self._tape.append(item)

    def _run(self, kernel: NautilusKernel, context: SystemContext) -> Run:
        prepared, setup = self._prepared, self._prepared.loaded.setup
        rehearsed = self._rehearsed
        return Run(
            at=0,
            format=FORMAT,
            run_id=self._run_id,
            mode=prepared.mode,
            setup=setup.as_dict(),
            setup_sha256=setup.sha256(),
            trader_id=str(kernel.trader_id.value),
            currency=context.currency,
            leverage=str(context.leverage),
            spot=prepared.venue.spot,
            synthetic=rehearsed is not None and rehearsed.synthetic,
            reconstructed=rehearsed is not None and rehearsed.reconstructed,
            versions=versions(),
        )

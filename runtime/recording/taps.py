"""A recorder in a system that is not started yet, and what only the runtime can tell it."""

from collections.abc import Callable, Sequence
from typing import Any

from nautilus_trader.execution.messages import TradingCommand
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.system.kernel import NautilusKernel

from actors.kill_switch import Latch
from actors.order_gate import OrderGate
from actors.recorder import Endpoints, Recorder, Sink
from data_catalog.run_recordings.rows import Run
from models.risk_state import Trip
from runtime.risk.settings import USER_STREAM_RULE


def add_recorder(
    kernel: NautilusKernel,
    run: Run,
    instrument_ids: Sequence[InstrumentId],
    sink: Sink,
    commands: Callable[[TradingCommand], None] | None = None,
) -> Recorder:
    """
    Add a recorder as the last actor: it stands in front of those that were added before.

    Parameters
    ----------
    kernel : NautilusKernel
        The system, with all its parts.
    run : Run
        What runs.
    instrument_ids : sequence of InstrumentId
        What is traded.
    sink : callable
        Gets the rows.
    commands : callable, optional
        Who takes commands; the engine unless given.

    """
    actors = kernel.trader.actors()
    gate = next((actor.execute for actor in actors if isinstance(actor, OrderGate)), kernel.risk_engine.execute)
    endpoints = Endpoints(gate, commands or kernel.exec_engine.execute, kernel.portfolio.update_order)
    trades = "trades" in run.setup["backtest"]["data"]
    recorder = Recorder(run, instrument_ids, trades=trades, endpoints=endpoints, sink=sink)
    recorder.outside_rules = frozenset({USER_STREAM_RULE})
    recorder.components = {id(part.clock): part.id.value for part in [*actors, *kernel.trader.strategies()]}
    kernel.trader.add_actor(recorder)
    return recorder


class RecordedLatch:
    """
    A latch whose answers are written down when they say something.

    Parameters
    ----------
    latch : Latch
        The real one.

    """

    def __init__(self, latch: Latch) -> None:
        self._latch = latch
        self.recorder: Any = None
        """Who writes it down, once there is one."""

    def load(self) -> dict[str, list[Trip]]:
        """Return the trips that hold."""
        return self._latch.load()

    def save(self, trips: dict[str, list[Trip]]) -> None:
        """Keep the trips that hold."""
        self._latch.save(trips)

    def resumed(self) -> list[str]:
        """Return what a person has resumed, and note it."""
        scopes = self._latch.resumed()
        for scope in scopes:
            self._note(None, True, scope)
        return scopes

    def halts_wanted(self) -> dict[str, str]:
        """Return why a person wants trading halted, by scope, and note it."""
        reasons = self._latch.halts_wanted()
        for scope, reason in reasons.items():
            self._note(reason, False, scope)
        return reasons

    def _note(self, halt: str | None, resumed: bool, scope: str) -> None:
        if self.recorder is not None:
            self.recorder.note_person(halt, resumed, scope)

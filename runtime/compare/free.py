"""The market that a run saw, replayed as any backtest is: simulated fills beside those of the run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nautilus_trader.backtest.engine import BacktestEngine

from actors.recorder import row_of
from data_catalog.run_recordings.importing import import_recording
from data_catalog.run_recordings.reading import Recording
from data_catalog.run_recordings.rows import Run
from runtime.backtest import BacktestRun, OnProgress, run_backtest
from runtime.compare.log import RunLog
from runtime.market_data import find_market_data
from runtime.prepare import PreparedBacktest, prepare_backtest
from runtime.recording.taps import add_recorder
from runtime.setup.load import parse_setup
from runtime.setup.overrides import apply_overrides
from runtime.setup.tree import SetupTree


@dataclass(frozen=True)
class Free:
    """The log of the free replay, and the backtest that it is."""

    log: RunLog
    finished: BacktestRun


@contextmanager
def prepared_on_recording(recording: Recording, tree: SetupTree) -> Iterator[PreparedBacktest]:
    """
    Yield the backtest of a setup on what a run saw, from the run's balances; its catalog is there for so long.

    Raises
    ------
    BadInput
        If the recording holds no market, or the setup does not fit it.

    """
    with TemporaryDirectory(prefix="recording-") as folder:
        catalog = Path(folder) / "catalog"
        imported = import_recording(recording, catalog)
        seen = {(written.instrument_id, str(written.data_type)) for written in imported.written}
        loaded = parse_setup(apply_overrides(tree, _wiring(recording.run, catalog)))
        setup = loaded.setup
        # In a quiet market there may have been no trade at all.
        silent = {(name, kind) for name in setup.instruments for kind in setup.backtest.data if kind != "quotes"} - seen
        yield prepare_backtest(loaded, Path.cwd(), partial(find_market_data, silent=silent))


def replay_free(
    recording: Recording, live: RunLog, prepared: PreparedBacktest, on_progress: OnProgress | None, folder: Path
) -> Free:
    """
    Replay what a run saw, and write down what the strategies do about it.

    Raises
    ------
    RunFailed, BooksDisagree
        As `run_backtest`.

    """
    rows: list[Any] = []

    def attach(engine: BacktestEngine) -> None:
        ids = tuple(instrument.id for instrument in prepared.data.instruments)
        recorder = add_recorder(engine.kernel, recording.run, ids, rows.append)
        for part in [*engine.kernel.trader.actors(), *engine.kernel.trader.strategies()]:
            if part is not recorder and (kept := recording.run.kept.get(part.id.value)):
                part.load({key: value.encode() for key, value in kept.items()})

    finished = run_backtest(prepared, attach=attach, on_progress=on_progress, log_folder=folder)
    log = RunLog.of(row for row in map(row_of, rows) if not isinstance(row, Run))
    return Free(_until(log, live.market_events), finished)


def _until(log: RunLog, market_events: int) -> RunLog:
    """Leave out what comes after the last event that the run's strategies heard."""
    log.outputs = [placed for placed in log.outputs if placed.after <= market_events]
    log.answers = [placed for placed in log.answers if placed.after <= market_events]
    return log


def _wiring(run: Run, catalog: Path) -> list[str]:
    """Return what is different for the replay: where the market is, what of it was seen, and what the account held."""
    held = {row["currency"]: row["total"] for state in run.accounts for row in state["balances"]}
    valued = {run.currency, *(row["base_currency"] for row in run.instruments if run.spot)}
    balances = [f"{total} {code}" for code, total in held.items() if code in valued]
    if run.currency not in held:
        balances.append(f"0 {run.currency}")
    values: dict[str, Any] = {
        "data": run.setup["backtest"]["data"],
        "catalog": str(catalog),
        "synthetic": {},
        "start": None,
        "end": None,
        "starting_balances": balances,
        **({} if run.spot else {"leverage": int(run.leverage)}),
    }
    return [f"backtest.{key}={json.dumps(value)}" for key, value in values.items()]

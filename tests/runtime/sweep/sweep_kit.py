"""A small sweep for tests, a maker that kills what runs it, and trials without processes."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_catalog.synth import SyntheticMarket, write_synthetic_market
from runtime.setup.tree import read_setup_tree
from runtime.sweep.check_points import PointChecks
from runtime.sweep.execute import SweepExecution
from runtime.sweep.load_sweep import LoadedSweep, load_sweep
from runtime.sweep.plan import Plan
from runtime.sweep.results import FinishedSweep
from runtime.sweep.study import SweepStudy
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig

SETUP = """\
name: deadly
instruments: [SYNUSDT-PERP.BINANCE]
strategies:
  - path: tests.runtime.sweep.sweep_kit:Deadly
    config:
      instrument_id: SYNUSDT-PERP.BINANCE
      order_qty: 1
      max_position: 5
      half_spread_bps: 3
      trap: trap
      raise_above_bps: 6
backtest:
  starting_balances: [10_000 USDT]
"""

SWEEP = """\
name: small
sweep:
  setup: setup.yaml
  parameters:
    strategies[0].config.half_spread_bps: {low: 1, high: 8}
    strategies[0].config.order_qty: {low: 0.5, high: 2, step: 0.5}
  sampler: {kind: tpe, batch: 3, seed: 5}
  trials: 11
  objectives: [{maximize: pnl}]
  constraints: [max_drawdown_pct <= 0.01]
"""

WORKER_DIES_AT, PARENT_DIES_AT = 2, 6


class DeadlyConfig(FixedSpreadConfig, frozen=True, kw_only=True):
    """
    A maker for tests.

    Parameters
    ----------
    trap : str
        A folder; while it is there, the second maker to start kills its process and the sixth that one's parent.
    raise_above_bps : float
        A wider quote is an error.

    """

    trap: str
    raise_above_bps: float


class Deadly(FixedSpread):
    """Quotes with a fixed spread, unless it kills what runs it."""

    def __init__(self, config: DeadlyConfig) -> None:
        super().__init__(config)

    def on_start(self) -> None:
        if self.config.half_spread_bps > self.config.raise_above_bps:
            raise ZeroDivisionError("too wide")
        if Path(self.config.trap).is_dir():
            self._count_and_kill(Path(self.config.trap))
        super().on_start()

    @staticmethod
    def _count_and_kill(trap: Path) -> None:
        number = 1
        while True:
            try:
                (trap / str(number)).touch(exist_ok=False)
                break
            except FileExistsError:
                number += 1
        if number == WORKER_DIES_AT:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == PARENT_DIES_AT and parent_process() is not None:
            os.kill(os.getppid(), signal.SIGKILL)


class Here(Executor):
    """Makes calls at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def write_workplace(folder: Path) -> None:
    """Write a setup, a sweep and 72 seconds of market."""
    (folder / "setup.yaml").write_text(SETUP)
    (folder / "sweep.yaml").write_text(SWEEP)
    write_synthetic_market(folder / "catalog", SyntheticMarket(hours=0.02))


def loaded(folder: Path, *overrides: str, text: str | None = None) -> LoadedSweep:
    """Return the sweep of a workplace, or another one beside its setup."""
    file = folder / "sweep.yaml"
    if text is not None:
        file = folder / "other.yaml"
        file.write_text(text)
    return load_sweep(read_setup_tree(file), overrides)


def run_here(sweep: LoadedSweep, workplace: Path, folder: Path, slots: int = 1) -> FinishedSweep:
    """Run a sweep in this process, with a study in `folder`."""
    checks, plan = PointChecks(sweep, workplace), Plan(sweep)
    study = SweepStudy(f"sqlite:///{folder / 'study.sqlite3'}", "study", sweep, plan, alone=True)
    results = SweepExecution(sweep, plan, study, Here(), slots, checks).run(lambda results, running: None)
    study.close()
    return FinishedSweep(sweep, checks.base(), plan, results, 0.0)


def without_times(trials: pa.Table) -> dict[str, list[Any]]:
    """Return a table of trials without what took how long."""
    return {name: column for name, column in trials.to_pydict().items() if name != "elapsed_s"}

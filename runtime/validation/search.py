"""Searches one after the other, on the same workers and in the same storage."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.console import Console

from runtime.prepare import PreparedBacktest
from runtime.sweep.check_points import PointChecks
from runtime.sweep.execute import SweepExecution
from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.plan import Plan
from runtime.sweep.progress import sweep_progress
from runtime.sweep.results import what_results_depend_on
from runtime.sweep.space import Point
from runtime.sweep.study import SweepStudy
from runtime.sweep.trial import TrialResult, finished_trial
from runtime.workers.backtest_job import BacktestJob, run_backtest_job


class GivenPoints(Plan):
    """
    Points that are known from the start, in place of those that a sampler chooses.

    Parameters
    ----------
    points : sequence of Point
        One per trial.

    """

    def __init__(self, points: Sequence[Point]) -> None:
        self.points = list(points)
        self.size = self.batch = len(self.points)
        self.waits = False

    def learn(self, results: Mapping[int, TrialResult]) -> None:
        """Nothing: all points are known."""


@dataclass(frozen=True)
class Searches:
    """
    What runs a sweep, and another one after it.

    Parameters
    ----------
    url : str
        The storage of the studies.
    executor : Executor
        What runs the trials.
    slots : int
        How many it runs at once.
    working_folder : Path
        What a relative catalog is relative to.
    alone : bool
        Whether nobody else can work on the studies.
    console : Console
        Where progress is shown.

    """

    url: str
    executor: Executor
    slots: int
    working_folder: Path
    alone: bool
    console: Console

    def run(self, sweep: LoadedSweep, plan: Plan, what: str) -> dict[int, TrialResult]:
        """
        Return the results of a sweep by number; `what` names it while it runs.

        Raises
        ------
        SearchInterrupted
            By the keyboard.
        Failed
            If the study does not belong to the sweep.

        """
        checks = PointChecks(sweep, self.working_folder)
        base = checks.base()
        study = SweepStudy(self.url, study_name(sweep, plan), sweep, plan, alone=self.alone)
        try:
            study.agree_on(what_results_depend_on(base))
            execution = SweepExecution(sweep, plan, study, self.executor, self.slots, checks)
            with sweep_progress(sweep, plan, self.console, what) as on_trials:
                return execution.run(on_trials)
        except KeyboardInterrupt:
            raise SearchInterrupted(f"{len(study.results)} of {plan.size} {what}") from None
        finally:
            study.close()

    def run_base(self, sweep: LoadedSweep) -> TrialResult:
        """Return what the setup comes to as it stands; it is short of a study, and run again after an interruption."""
        jobs = [BacktestJob(sweep.base.tree, overrides, str(self.working_folder)) for overrides in sweep.replicates]
        try:
            outcomes = [future.result() for future in [self.executor.submit(run_backtest_job, job) for job in jobs]]
        except KeyboardInterrupt:
            raise SearchInterrupted("the setup as it stands") from None
        return finished_trial(sweep, outcomes, None, sum(outcome.elapsed_s for outcome in outcomes))

    def prepare(self, sweep: LoadedSweep) -> PreparedBacktest:
        """Return the backtest of the sweep's setup, ready to start; BadInput says what is wrong with it."""
        return PointChecks(sweep, self.working_folder).base()


class SearchInterrupted(KeyboardInterrupt):
    """Stopped by the keyboard; the text says how far it came."""


def study_name(sweep: LoadedSweep, plan: Plan) -> str:
    """Return what names the study of a sweep: another setup, window or choice of points is another study."""
    name = f"{sweep.file.name}-{sweep.sha256()[:12]}"
    if not isinstance(plan, GivenPoints):
        return name
    return f"{name}-{hashlib.sha256(msgspec.json.encode(plan.points)).hexdigest()[:12]}"

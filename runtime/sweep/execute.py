"""The trials of a sweep on an executor: processes of this machine, or a cluster."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from bad_input import BadInput
from runtime.prepare import PreparedBacktest
from runtime.sweep.check_points import PointChecks
from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.plan import Plan
from runtime.sweep.space import Point
from runtime.sweep.study import SweepStudy
from runtime.sweep.trial import TrialResult, finished_trial, objective_of
from runtime.workers.backtest_job import BacktestJob, BacktestOutcome, run_backtest_job

POLL_SECS: Final = 0.5
"""How often what other parents have done is looked at while nothing of ours is done."""

type OnTrials = Callable[[dict[int, TrialResult], int], None]
"""Called with all finished trials and the number of those that run here."""


@dataclass
class RunningTrial:
    """A trial whose runs are on their way."""

    number: int
    point: Point
    judged: bool
    outcomes: dict[int, BacktestOutcome] = field(default_factory=dict)
    first_part: float | None = None
    elapsed_s: float = 0.0


@dataclass
class SweepExecution:
    """
    The work of one parent on a sweep.

    Parameters
    ----------
    sweep : LoadedSweep
        What is tried.
    plan : Plan
        Which point each trial has.
    study : SweepStudy
        Where the trials are remembered.
    executor : Executor
        What runs them.
    slots : int
        How many it runs at once.
    checks : PointChecks
        What makes runs of points.

    """

    sweep: LoadedSweep
    plan: Plan
    study: SweepStudy
    executor: Executor
    slots: int
    checks: PointChecks
    _running: dict[Future[BacktestOutcome], tuple[RunningTrial, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A few more than can run at once wait where they are run, so that nobody is idle while results are written.
        self._most_running = self.slots + self.slots // 4 + 1

    def run(self, on_trials: OnTrials) -> dict[int, TrialResult]:
        """
        Work until every trial is finished, by us or by others, and return all results by number.

        Raises
        ------
        Failed
            If the study does not belong to this sweep.

        """
        with self.study.beating():
            self.study.look()
            while not self.plan.finished(self.study.results):
                self._start_trials()
                on_trials(self.study.results, len({trial.number for trial, _ in self._running.values()}))
                self._finish_trials()
                self.study.look()
            on_trials(self.study.results, 0)
        return {number: self.study.results[number] for number in range(self.plan.size)}

    def _start_trials(self) -> None:
        while len(self._running) < self._most_running and (number := self.study.claim()) is not None:
            point = self.plan.points[number]
            trial = RunningTrial(number, point, judged=self.sweep.settings.pruning is None)
            try:
                self._submit(trial)
            except BadInput as error:
                self.study.tell(number, TrialResult("failed", str(error)))

    def _submit(self, trial: RunningTrial) -> None:
        """Hand the runs of a trial over: of the first part of the market if it has not been judged yet."""
        jobs = list(self._jobs(trial))
        trial.outcomes = {}
        for run, job in enumerate(jobs):
            self._running[self.executor.submit(run_backtest_job, job)] = trial, run

    def _jobs(self, trial: RunningTrial) -> Iterator[BacktestJob]:
        for run in range(len(self.sweep.replicates)):
            prepared = self.checks.prepare(trial.point, run)
            overrides = self.checks.overrides(trial.point, run)
            if not trial.judged:
                overrides = (*overrides, f'backtest.end="{self._end_of_first_part(prepared)}"')
            yield BacktestJob(self.sweep.base.tree, overrides, str(self.checks.working_folder))

    def _end_of_first_part(self, prepared: PreparedBacktest) -> str:
        assert self.sweep.settings.pruning is not None
        data, share = prepared.data, float(self.sweep.settings.pruning.first_pct) / 100
        return str(pd.Timestamp(data.start_ns + round((data.end_ns - data.start_ns) * share), tz="UTC").isoformat())

    def _finish_trials(self) -> None:
        """Wait until a run is done, or for a moment, and tell the study of every trial that is finished."""
        if not self._running:
            time.sleep(POLL_SECS)
            return
        done, _ = wait(self._running, timeout=POLL_SECS, return_when=FIRST_COMPLETED)
        for future in done:
            trial, run = self._running.pop(future)
            trial.outcomes[run] = outcome = _outcome_of(future)
            trial.elapsed_s += outcome.elapsed_s
            if len(trial.outcomes) == len(self.sweep.replicates):
                self._all_runs_done(trial)

    def _all_runs_done(self, trial: RunningTrial) -> None:
        outcomes = [trial.outcomes[run] for run in sorted(trial.outcomes)]
        if trial.judged or any(outcome.error for outcome in outcomes):
            self.study.tell(trial.number, finished_trial(self.sweep, outcomes, trial.first_part, trial.elapsed_s))
            return
        trial.first_part = objective_of(self.sweep, outcomes)
        if self._is_hopeless(trial):
            result = TrialResult("pruned", first_part=trial.first_part, elapsed_s=trial.elapsed_s)
            self.study.tell(trial.number, result)
            return
        trial.judged = True
        self._submit(trial)

    def _is_hopeless(self, trial: RunningTrial) -> bool:
        """Return whether a trial is among the worst on the first part, of those in the batches before it."""
        pruning = self.sweep.settings.pruning
        assert pruning is not None
        sign = self.sweep.settings.objectives[0].sign
        earlier = (self.study.results[n].first_part for n in range(self.plan.batch_of(trial.number).start))
        known = [sign * value for value in earlier if value is not None]
        if trial.first_part is None or len(known) < pruning.after_trials:
            return False
        better = sum(value > sign * trial.first_part for value in known)
        return better > len(known) * (1 - float(pruning.worst_pct) / 100)


def _outcome_of(future: Future[BacktestOutcome]) -> BacktestOutcome:
    """Return what a job left behind; a process that died again and again leaves an error."""
    error = future.exception()
    return future.result() if error is None else BacktestOutcome(error=f"{type(error).__name__}: {error}")

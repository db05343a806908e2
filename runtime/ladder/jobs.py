"""Backtests of one setup with other values, each complete in itself, so that any process can run any of them."""

import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.backtest import run_backtest
from runtime.prepare import prepare_backtest
from runtime.results import ResultsFolder, summary_of, write_results
from runtime.setup.load import parse_setup
from runtime.setup.tree import SetupTree
from runtime.workers.market_memory import MarketMemory
from runtime.workers.pool import WorkerPool

_memory = MarketMemory()

type OnDone = Callable[["RunJob"], None]
"""Called when a job is done."""


@dataclass(frozen=True)
class RunJob:
    """
    One backtest.

    Parameters
    ----------
    name : str
        What tells it from the others.
    tree : SetupTree
        The setup, with everything that is different in it.
    working_folder : Path
        What the setup's catalog is relative to.
    results : Path, optional
        Gets a results folder of this name; without it only the summary is made.

    """

    name: str
    tree: SetupTree
    working_folder: Path
    results: Path | None = None


def run_jobs(jobs: Sequence[RunJob], on_done: OnDone, workers: int | None = None) -> dict[str, dict[str, Any]]:
    """
    Run every job and return the summaries by name, in the order of `jobs`.

    Parameters
    ----------
    jobs : sequence of RunJob
        What to run, each under a name of its own.
    on_done : callable
        Called after each job, in the order in which they end.
    workers : int, optional
        How many processes; one per processor where left out. Each reads the data once.

    Raises
    ------
    BadInput
        If a setup cannot be run.
    Failed
        If a run broke off.

    """
    summaries = {}
    with WorkerPool(min(len(jobs), workers or os.cpu_count() or 1)) as pool:
        running = {pool.submit(run_job, job): job for job in jobs}
        for future in as_completed(running):
            summaries[running[future].name] = future.result()
            on_done(running[future])
    return {job.name: summaries[job.name] for job in jobs}


def run_job(job: RunJob) -> dict[str, Any]:
    """Run one job in this process and return its summary."""
    prepared = prepare_backtest(parse_setup(job.tree), job.working_folder, _memory.find)
    random.seed(prepared.loaded.setup.backtest.seed)
    finished = run_backtest(prepared)
    if job.results is None:
        return summary_of(finished, job.name)
    with ResultsFolder(job.results, "", job.name) as folder:
        summary = write_results(finished, folder)
        folder.publish()
    return summary

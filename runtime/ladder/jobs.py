"""Backtests of one setup with other values, each complete in itself, so that any process can run any of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.summary import summarise
from runtime.backtest import run_backtest
from runtime.load_setup import parse_setup
from runtime.prepare import prepare_backtest
from runtime.results import ResultsFolder, facts_of, write_results
from runtime.setup_tree import SetupTree

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


def run_jobs(jobs: Sequence[RunJob], on_done: OnDone) -> dict[str, dict[str, Any]]:
    """
    Run every job and return the summaries by name, in the order of `jobs`.

    Raises
    ------
    BadInput
        If a setup cannot be run.
    Failed
        If a run broke off.

    """
    summaries = {}
    for job in jobs:
        summaries[job.name] = run_job(job)
        on_done(job)
    return summaries


def run_job(job: RunJob) -> dict[str, Any]:
    """Run one job and return its summary."""
    finished = run_backtest(prepare_backtest(parse_setup(job.tree), job.working_folder))
    if job.results is None:
        return summarise(finished.ledger, facts_of(finished, job.name))
    with ResultsFolder(job.results, "", job.name) as folder:
        summary = write_results(finished, folder)
        folder.publish()
    return summary

"""`--fill-ladder`: a setup under every fill assumption and many latencies, in one folder with one page."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from reports.ladder import ladder_summary
from reports.ladder_page import print_ladder, write_ladder_page
from reports.results_folder import read_results
from runtime.ladder.jobs import RunJob, run_jobs
from runtime.ladder.plan import plan_ladder
from runtime.prepare import prepare_backtest
from runtime.results import ResultsFolder, new_run_id
from runtime.setup.load import parse_setup
from runtime.setup.tree import SetupTree


def run_ladder(tree: SetupTree, out: Path, *, as_json: bool, workers: int | None = None) -> int:
    """
    Run the ladder of a setup and write `results/<name>/<run id>-ladder/`: all of it or nothing.

    Returns
    -------
    int
        The exit status, 0.

    Raises
    ------
    BadInput
        If the setup cannot be run.
    Failed
        If a run broke off.

    """
    loaded = parse_setup(tree)
    for warning in prepare_backtest(loaded, Path.cwd()).warnings:
        click.echo(f"warning: {warning}", err=True)
    run_id = f"{new_run_id(loaded.setup.sha256(), datetime.now(UTC))}-ladder"
    with ResultsFolder(out, loaded.setup.name, run_id) as folder:
        plan = plan_ladder(tree, loaded, Path.cwd(), folder.staging)
        summaries = run_jobs(plan.jobs, _Reported(len(plan.jobs)), workers)
        rungs = {name: summaries[name] for name in plan.rungs}
        curve = {latency: summaries[name] for latency, name in plan.curve.items()}
        ladder = ladder_summary(folder.run_id, rungs, plan.curve_fills, curve)
        text = json.dumps(ladder, indent=2, ensure_ascii=False, allow_nan=False)
        (folder.staging / "ladder.json").write_text(text + "\n", encoding="utf-8")
        equities = {name: read_results(folder.staging / name).equity for name in plan.rungs}
        write_ladder_page(folder.staging, ladder, equities)
        published = folder.publish()
    if as_json:
        click.echo(text)
    else:
        print_ladder(ladder, published, Console())
    return 0


class _Reported:
    """Says which of how many runs are done, on one line of stderr where that is a terminal."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._done = 0

    def __call__(self, job: RunJob) -> None:
        self._done += 1
        if sys.stderr.isatty():
            click.echo(f"\r\033[K{self._done} of {self._jobs} runs: {job.name}", err=True, nl=self._done == self._jobs)

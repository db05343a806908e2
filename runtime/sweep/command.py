"""`run_backtest.py SWEEP`: check, run or resume, write the results, and say what came of it."""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import optuna
from rich.console import Console
from rich.table import Table

from bad_input import BadInput
from command_line import Failed
from runtime.results import ResultsFolder, new_run_id
from runtime.setup_tree import SetupTree
from runtime.sweep.check_points import PointChecks
from runtime.sweep.execute import SweepExecution
from runtime.sweep.load_sweep import load_sweep
from runtime.sweep.options import SweepOptions
from runtime.sweep.plan import Plan
from runtime.sweep.progress import sweep_progress
from runtime.sweep.results import FinishedSweep, what_results_depend_on, write_sweep
from runtime.sweep.study import SweepStudy, held_alone, study_exists
from runtime.sweep.trial import STATES
from runtime.workers.pool import WorkerPool

_SHOWN = 5
_AS_IT_IS: dict[str, Any] = {"highlight": False, "markup": False}


def sweep_of(
    tree: SetupTree,
    overrides: Sequence[str],
    options: SweepOptions,
    out: Path,
    *,
    as_json: bool,
    fault: tuple[str, str | None] | None,
    log_level: str | None,
) -> int:
    """
    Run a sweep file for the command line and return the exit status.

    Raises
    ------
    BadInput
        As `run_sweep`, and for options that go with a single backtest alone.

    """
    if fault is not None:
        raise BadInput("drills a setup, and this is a sweep", file=tree.file, key="--inject")
    if log_level is not None:
        raise BadInput("goes with a single backtest, and this is a sweep", file=tree.file, key="--log-level")
    run_sweep(tree, overrides, options, out, as_json=as_json)
    return 0


def run_sweep(tree: SetupTree, overrides: Sequence[str], options: SweepOptions, out: Path, *, as_json: bool) -> None:
    """
    Run a sweep file, write its results, and print a table or sweep.json to stdout.

    Raises
    ------
    BadInput
        If anything about the sweep, its setup, a point or an option cannot be used.
    Failed
        If it was interrupted or its study belongs to another sweep.

    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sweep = load_sweep(tree, overrides)
    study_name = f"{sweep.file.name}-{sweep.sha256()[:12]}"
    file = (out / sweep.file.name / f"study-{sweep.sha256()[:12]}.sqlite3").absolute()
    url = options.storage or f"sqlite:///{file}"
    _check_resume(options, file, url, study_name)
    checks = PointChecks(sweep, Path.cwd())
    base = checks.base()
    checks.check_figures()
    with Console(stderr=True).status("checking points"):
        checks.check()
    alone = options.storage is None
    with ExitStack() as stack:
        executor, slots = stack.enter_context(_executor(options))
        stack.enter_context(held_alone(file) if alone else nullcontext())
        plan = Plan(sweep)
        study = SweepStudy(url, study_name, sweep, plan, alone=alone)
        study.agree_on(what_results_depend_on(base))
        execution = SweepExecution(sweep, plan, study, executor, slots, checks)
        started = time.perf_counter()
        try:
            with sweep_progress(sweep, plan, Console(stderr=True)) as on_trials:
                results = execution.run(on_trials)
        except KeyboardInterrupt:
            raise _interrupted(study, plan, options) from None
        finished = FinishedSweep(sweep, base, plan, results, time.perf_counter() - started)
        study.close()
        content, published = _publish(finished, out, file if alone else None)
    if as_json:
        click.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        _print(finished, content, published, Console())


def _check_resume(options: SweepOptions, file: Path, url: str, study_name: str) -> None:
    exists = file.exists() if options.storage is None else study_exists(url, study_name)
    where = file if options.storage is None else "--storage"
    if exists and not options.resume:
        hint = "to go on with it or to join it, say --resume"
        if options.storage is None:
            hint += "; to begin anew, remove the file"
        raise BadInput("this sweep was begun already", file=where, hint=hint)
    if options.resume and not exists:
        raise BadInput(f"there is no sweep {study_name} to go on with", file=where, key="--resume")


@contextmanager
def _executor(options: SweepOptions) -> Iterator[tuple[Executor, int]]:
    """Yield what runs the trials, and how many it runs at once; an exception ends what runs."""
    if options.cluster is None:
        with WorkerPool(options.workers) as pool:
            yield pool, pool.workers
        return
    if options.workers is not None:
        raise BadInput("does not go with --cluster, which has workers of its own", key="--workers")
    try:
        distributed: Any = import_module("distributed")  # an extra
    except ImportError:
        raise BadInput("needs the extra `cluster`: uv sync --extra cluster", key="--cluster") from None
    try:
        client = distributed.Client(options.cluster, timeout=10)
    except (OSError, ValueError) as error:
        raise BadInput(f"no scheduler answers at {options.cluster}: {error}", key="--cluster") from None
    with client:
        slots = sum(client.nthreads().values())
        if slots == 0:
            raise BadInput(f"the scheduler at {options.cluster} has no workers", key="--cluster")
        with client.get_executor(pure=False) as executor:
            yield executor, slots


def _interrupted(study: SweepStudy, plan: Plan, options: SweepOptions) -> Failed:
    goes_on = "--resume" if options.storage is None else f"--storage {options.storage} --resume"
    return Failed(
        f"stopped by the keyboard with {len(study.results)} of {plan.size} trials done; nothing is lost: "
        f"the same command with {goes_on} goes on"
    )


def _publish(finished: FinishedSweep, out: Path, file: Path | None) -> tuple[dict[str, Any], Path]:
    sweep = finished.sweep
    folder = ResultsFolder(out, sweep.file.name, new_run_id(sweep.sha256(), datetime.now(UTC)))
    with folder:
        content = write_sweep(finished, folder.run_id, folder.staging)
        published = folder.publish()
        if file is not None:
            file.rename(published / "study.sqlite3")
    return content, published


def _print(finished: FinishedSweep, content: dict[str, Any], folder: Path, console: Console) -> None:
    sweep, trials = finished.sweep, content["trials"]
    counts = ", ".join(f"{trials[state]} {state}" for state in STATES if trials[state])
    console.print(f"{sweep.file.name}  {content['run_id']}", style="bold", **_AS_IT_IS)
    console.print(f"{trials['planned']} trials: {counts}; {content['feasible']} feasible.", **_AS_IT_IS)
    for warning in content["warnings"]:
        console.print(f"warning: {warning}", **_AS_IT_IS)
    if finished.best:
        console.print(_table(finished))
    console.print(f"Results: {folder}", soft_wrap=True, **_AS_IT_IS)


def _table(finished: FinishedSweep) -> Table:
    """Return the best trials: the first of the ranking, or of the Pareto front."""
    sweep = finished.sweep
    table = Table("trial", *sweep.space.labels(), *(wanted.key for wanted in sweep.settings.objectives))
    for number in _ranking(finished)[:_SHOWN]:
        values = [f"{value:.6g}" if isinstance(value, float) else str(value) for value in finished.plan.points[number]]
        table.add_row(str(number), *values, *(f"{value:.6g}" for value in finished.results[number].objectives or ()))
    return table


def _ranking(finished: FinishedSweep) -> list[int]:
    objectives = finished.sweep.settings.objectives
    if len(objectives) > 1:
        return finished.best
    feasible = [number for number, result in finished.results.items() if result.feasible]
    return sorted(feasible, key=lambda number: -objectives[0].sign * (finished.results[number].objectives or (0,))[0])

"""`run_backtest.py SWEEP`: check, run or resume, write the results, and say what came of it."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
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
from reports.sweeps.page import write_sweep_page
from reports.sweeps.record import Sweep
from reports.sweeps.record import write_sweep as write_report_files
from reports.sweeps.terminal import print_sweep
from runtime.code_version import code_version
from runtime.results import ResultsFolder, new_run_id
from runtime.setup.tree import SetupTree
from runtime.sweep.check_points import PointChecks
from runtime.sweep.load_sweep import load_sweep
from runtime.sweep.options import SweepOptions
from runtime.sweep.results import FinishedSweep, write_sweep
from runtime.sweep.study import held_alone, study_exists
from runtime.sweep.trial import STATES
from runtime.validation.assemble import Assembly, luck_summary
from runtime.validation.earlier import earlier_trials
from runtime.validation.search import Searches
from runtime.validation.walk import first_study, walk
from runtime.validation.windows import folds_of
from runtime.validation.write_best import BEST_FILE, best_setup, check_target
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
    Run a sweep file, write its results, and print the verdict on its winner or sweep.json to stdout.

    Raises
    ------
    BadInput
        If anything about the sweep, its setup, a point or an option cannot be used.
    Failed
        If it was interrupted or its study belongs to another sweep.

    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    check_target(options.write_best)
    sweep = load_sweep(tree, overrides)
    file = (out / sweep.file.name / f"study-{sweep.sha256()[:12]}.sqlite3").absolute()
    url = options.storage or f"sqlite:///{file}"
    checks = PointChecks(sweep, Path.cwd())
    base = checks.base()
    folds = folds_of(sweep, base)
    _check_resume(options, file, url, first_study(sweep, folds))
    checks.check_figures()
    with Console(stderr=True).status("checking points"):
        checks.check()
    alone = options.storage is None
    with ExitStack() as stack:
        executor, slots = stack.enter_context(_executor(options))
        stack.enter_context(held_alone(file) if alone else nullcontext())
        searches = Searches(url, executor, slots, Path.cwd(), alone, Console(stderr=True))
        started = time.perf_counter()
        try:
            walked = walk(sweep, folds, searches)
        except KeyboardInterrupt as interruption:
            raise _interrupted(interruption, options) from None
        last = walked[-1]
        finished = FinishedSweep(last.sweep, last.base, last.plan, last.results, time.perf_counter() - started)
        folder = ResultsFolder(out, sweep.file.name, new_run_id(sweep.sha256(), datetime.now(UTC)))
        earlier = earlier_trials(out / sweep.file.name, sweep, base)
        report = Assembly(sweep, base, walked, earlier, folder.run_id).sweep_report()
        content, published = _publish(finished, report, best_setup(sweep, report), folder, file if alone else None)
    _write_best(published, options.write_best)
    if as_json:
        click.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        _print(finished, content, report, published, Console())


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
        try:
            codes: dict[str, str] = client.run(code_version)
        except Exception as error:  # noqa: BLE001 (Dask raises whatever the other side did)
            problem = f"the cluster does not know the project: {type(error).__name__}"
            hint = "start scheduler and workers in its folder, with PYTHONPATH=."
            raise BadInput(problem, key="--cluster", hint=hint) from None
        _check_codes(codes)
        with client.get_executor(pure=False) as executor:
            yield executor, slots


def _check_codes(codes: Mapping[str, str]) -> None:
    """Refuse a cluster whose workers would run other code than this machine's."""
    for worker, code in codes.items():
        if code != code_version():
            problem = f"the worker at {worker} has code {code}, here it is {code_version()}"
            raise BadInput(problem, key="--cluster", hint="start it anew, in a checkout like this one")


def _interrupted(interruption: KeyboardInterrupt, options: SweepOptions) -> Failed:
    goes_on = "--resume" if options.storage is None else f"--storage {options.storage} --resume"
    done = f" with {interruption} done" if str(interruption) else ""
    return Failed(f"stopped by the keyboard{done}; nothing is lost: the same command with {goes_on} goes on")


def _publish(
    finished: FinishedSweep, report: Sweep, setup: str | None, folder: ResultsFolder, file: Path | None
) -> tuple[dict[str, Any], Path]:
    with folder:
        write_report_files(report, folder.staging)
        if setup is not None:
            (folder.staging / BEST_FILE).write_text(setup, encoding="utf-8")
        content = write_sweep(finished, folder.run_id, folder.staging, luck_summary(report))
        write_sweep_page(folder.staging)
        published = folder.publish()
        if file is not None:
            file.rename(published / "study.sqlite3")
    return content, published


def _write_best(published: Path, target: Path | None) -> None:
    """Copy the winner's setup to where it was asked for."""
    if target is None:
        return
    if not (published / BEST_FILE).exists():
        raise Failed(f"there is no winner to write to {target}: no trial is complete and keeps all constraints")
    shutil.copyfile(published / BEST_FILE, target)


def _print(finished: FinishedSweep, content: dict[str, Any], report: Sweep, folder: Path, console: Console) -> None:
    trials = content["trials"]
    counts = ", ".join(f"{trials[state]} {state}" for state in STATES if trials[state])
    print_sweep(report, folder, console)
    where = " in the last fold" if len(report.record.folds) > 1 else ""
    console.print(f"{trials['planned']} trials{where}: {counts}; {content['feasible']} feasible.", **_AS_IT_IS)
    for warning in content["warnings"]:
        if warning not in report.record.warnings:
            console.print(f"warning: {warning}", **_AS_IT_IS)
    if len(finished.sweep.settings.objectives) > 1 and finished.best:
        console.print(_table(finished))
    if finished.best:
        console.print(f"Setup of the winner: {folder / BEST_FILE}", soft_wrap=True, **_AS_IT_IS)
    console.print(f"Results: {folder}", soft_wrap=True, **_AS_IT_IS)


def _table(finished: FinishedSweep) -> Table:
    """Return the first trials of the Pareto front."""
    sweep = finished.sweep
    table = Table("on the front", *sweep.space.labels(), *(wanted.key for wanted in sweep.settings.objectives))
    for number in finished.best[:_SHOWN]:
        values = [f"{value:.6g}" if isinstance(value, float) else str(value) for value in finished.plan.points[number]]
        table.add_row(str(number), *values, *(f"{value:.6g}" for value in finished.results[number].objectives or ()))
    return table

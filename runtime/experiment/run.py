"""
The experiment of Avellaneda and Stoikov (Quantitative Finance 8(3), 2008, section 3.3) through the matching engine.

A setup with `experiment:` replays no market of its own: paths are drawn, each is run in an engine, and the figures of
the sample are put beside the published and the exact ones.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.market_making.paper_moments import FillProbability, Strategy
from reports.terminal import SYNTHETIC
from runtime.experiment.engine import FILLS
from runtime.experiment.setup import ExperimentSetup
from runtime.experiment.table import FAR, TableRow, farthest, markdown_table, rich_table, table_rows
from runtime.experiment.workers import OnPaths, PathRun, run_rows
from runtime.results import ResultsFolder, new_run_id, versions
from runtime.setup.parse import parse_part
from runtime.setup.tree import SetupTree

FILL_PROBABILITY = {
    FillProbability.LINEAR: "lambda dt per step and side (Bernoulli), at most 1: the paper's",
    FillProbability.POISSON: "1 - exp(-lambda dt) per step and side, a Poisson stream of orders: not the paper's",
}

_ROUNDING_PER_STEP = 5e-9
_AS_IT_IS: dict[str, Any] = {"highlight": False, "markup": False}


@dataclass(frozen=True)
class FinishedExperiment:
    """
    What the experiment leaves behind for its results.

    Parameters
    ----------
    setup : ExperimentSetup
        What was run.
    run_id : str
        Names the run.
    runs : mapping
        Every path of every row.
    rows : sequence of TableRow
        The table.
    elapsed_s : float
        Wall-clock seconds.

    """

    setup: ExperimentSetup
    run_id: str
    runs: Mapping[tuple[float, Strategy], Sequence[PathRun]]
    rows: Sequence[TableRow]
    elapsed_s: float

    @property
    def largest_difference(self) -> float:
        """How far the engine's profit of a path is from the model's at most, in price times lots."""
        return max(run.difference for runs in self.runs.values() for run in runs)

    @property
    def paths_that_differ(self) -> int:
        """The paths on which the engine found other fills than the model, or more than rounding in the profit."""
        allowed = _ROUNDING_PER_STEP * self.setup.experiment.steps
        return sum(not run.agrees(allowed) for runs in self.runs.values() for run in runs)

    @property
    def path_count(self) -> int:
        """All paths of all rows."""
        return sum(len(runs) for runs in self.runs.values())


def run_experiment(tree: SetupTree, out: Path, as_json: bool) -> None:
    """
    Run the experiment of a setup, write its results, and print the table or summary.json to stdout.

    Parameters
    ----------
    tree : SetupTree
        A setup with the key `experiment`.
    out : Path
        The folder of all results; these go to `<name>/<run id>/` in it, all of them or nothing.
    as_json : bool
        Whether to print summary.json instead of the table.

    Raises
    ------
    BadInput
        If the setup cannot be used.
    Failed
        If a path failed.

    """
    setup = parse_part(tree, (), tree.values, ExperimentSetup)
    folder = ResultsFolder(out, setup.name, new_run_id(setup.sha256(), datetime.now(UTC)))
    with folder, _progress(setup, Console(stderr=True)) as on_paths:
        started = time.perf_counter()
        runs = run_rows(setup.experiment, on_paths)
        rows = table_rows(setup.experiment, runs)
        finished = FinishedExperiment(setup, folder.run_id, runs, rows, time.perf_counter() - started)
        summary = _write(finished, folder.staging)
        published = folder.publish()
    if as_json:
        click.echo(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        _print(finished, published, Console())


@contextmanager
def _progress(setup: ExperimentSetup, console: Console) -> Iterator[OnPaths]:
    """Show a bar on `console` while the block runs, if that is a terminal."""
    columns = (TextColumn("paths"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    settings = setup.experiment
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("paths", total=len(settings.gammas) * len(Strategy) * settings.paths)
        yield lambda count: progress.advance(task, count)


# -- Files ------------------------------------------------------------------------------------------------------------


def _write(finished: FinishedExperiment, folder: Path) -> dict[str, Any]:
    """Write every file of the results and return the content of summary.json."""
    summary = _summary(finished)
    _write_json(folder / "summary.json", summary)
    _write_json(folder / "manifest.json", _manifest(finished))
    pq.write_table(_paths_table(finished), folder / "paths.parquet")
    lines = [f"# {finished.setup.name}", *_notes(finished), markdown_table(finished.rows), *_verdict(finished)]
    (folder / "table.md").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return summary


def _summary(finished: FinishedExperiment) -> dict[str, Any]:
    setup, far = finished.setup, farthest(finished.rows)
    return {
        "setup": setup.name,
        "description": setup.description,
        "run_id": finished.run_id,
        "elapsed_s": finished.elapsed_s,
        "synthetic": True,
        "paths": setup.experiment.paths,
        "seed": setup.experiment.seed,
        "fill_probability": FILL_PROBABILITY[setup.experiment.fills],
        "fills_assumption": FILLS.name,
        "fees": {"maker_bps": 0.0, "taker_bps": 0.0},
        "rows": [row.as_dict() for row in finished.rows],
        "farthest_from_exact": None if far is None else far._asdict(),
        "against_the_model": {
            "paths": finished.path_count,
            "paths_that_differ": finished.paths_that_differ,
            "largest_difference": finished.largest_difference,
        },
    }


def _manifest(finished: FinishedExperiment) -> dict[str, Any]:
    return {
        "run_id": finished.run_id,
        "setup": finished.setup.as_dict(),
        "setup_sha256": finished.setup.sha256(),
        "seed": finished.setup.experiment.seed,
        "versions": versions(),
        "command": ["run_backtest.py", *sys.argv[1:]],
    }


def _write_json(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _paths_table(finished: FinishedExperiment) -> pa.Table:
    """Return every path: what the engine made of it, and the model's profit of the same path."""
    keyed = [(*row, number, run) for row, runs in finished.runs.items() for number, run in enumerate(runs)]
    return pa.table(
        {
            "gamma": pa.array([gamma for gamma, *_ in keyed], pa.float64()),
            "strategy": pa.array([strategy.value for _, strategy, *_ in keyed], pa.string()),
            "path": pa.array([number for *_, number, _ in keyed], pa.int64()),
            "profit": pa.array([run.engine.profit for *_, run in keyed], pa.decimal128(38, 18)),
            "final_q": pa.array([run.engine.inventory for *_, run in keyed], pa.int64()),
            "fills": pa.array([run.engine.fills for *_, run in keyed], pa.int64()),
            "model_profit": pa.array([run.profit for *_, run in keyed], pa.float64()),
        }
    )


# -- The terminal -----------------------------------------------------------------------------------------------------


def _print(finished: FinishedExperiment, folder: Path, console: Console) -> None:
    console.print(f"{finished.setup.name}  {finished.run_id}", style="bold", **_AS_IT_IS)
    console.print(f" {SYNTHETIC} ", style="bold reverse yellow", **_AS_IT_IS)
    for note in _notes(finished):
        console.print(note, **_AS_IT_IS)
    console.print()
    console.print(rich_table(finished.rows, console))
    for sentence in _verdict(finished):
        console.print(sentence, **_AS_IT_IS)
    console.print(f"Results: {folder}", soft_wrap=True, **_AS_IT_IS)  # not broken, so that it can be copied


def _notes(finished: FinishedExperiment) -> list[str]:
    settings = finished.setup.experiment
    return [
        f"{settings.paths} paths a row, the same in every row, each in an engine of its own. No fees.",
        f"Fill probability: {FILL_PROBABILITY[settings.fills]}.",
        f"s.e.: the exact standard error of a sample of {settings.paths} paths.",
    ]


def _verdict(finished: FinishedExperiment) -> list[str]:
    lines = []
    far = farthest(finished.rows)
    if far is not None:
        judged = "within" if far.standard_errors < FAR else "NOT within"
        lines.append(
            f"Every figure is {judged} {FAR:g} s.e. of the exact one: the farthest is the {far.figure} of "
            f"{far.strategy}, gamma {far.gamma:g}, at {far.standard_errors:.1f}."
        )
    differ, count = finished.paths_that_differ, finished.path_count
    lines.append(
        f"{count} paths in {finished.elapsed_s:.0f} s. Computed without the engine, the same paths have the same fills "
        f"and earn the same, but for {finished.largest_difference:.1g} at most."
        if differ == 0
        else f"WARNING: on {differ} of {count} paths the engine and the model disagree, by up to "
        f"{finished.largest_difference:.3g}: the parameters may be too extreme for prices above 0."
    )
    return lines

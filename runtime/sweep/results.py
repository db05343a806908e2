"""A finished sweep becomes a results folder: all trials, their returns, and what was best."""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from runtime.prepare import PreparedBacktest
from runtime.results import versions
from runtime.sweep.best import best_trials
from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.plan import Plan
from runtime.sweep.space import Parameter, Point
from runtime.sweep.trial import TrialResult


@dataclass(frozen=True)
class FinishedSweep:
    """
    What a sweep leaves behind for its results.

    Parameters
    ----------
    sweep : LoadedSweep
        What was tried.
    base : PreparedBacktest
        The setup itself.
    plan : Plan
        The point of each trial.
    results : mapping
        Every trial by its number.
    elapsed_s : float
        Wall-clock seconds of this parent; those of all trials together stand with the trials.

    """

    sweep: LoadedSweep
    base: PreparedBacktest
    plan: Plan
    results: Mapping[int, TrialResult]
    elapsed_s: float

    @property
    def best(self) -> list[int]:
        """The numbers of the best trials."""
        return best_trials(self.sweep, self.results)


def what_results_depend_on(base: PreparedBacktest) -> dict[str, Any]:
    """Return the data and the versions that decide what a trial comes to: a study is of one kind of them."""
    fingerprints = {f"{entry.instrument_id} {entry.data_type}": entry.fingerprint for entry in base.data.entries}
    return {"data": fingerprints, **versions(), "optuna": version("optuna")}


def write_sweep(finished: FinishedSweep, run_id: str, folder: Path, luck: dict[str, Any]) -> dict[str, Any]:
    """
    Write every file of the results into `folder` and return the content of sweep.json; `luck` stands in it as it is.

    Raises
    ------
    OSError
        If the disk does not take it.

    """
    pq.write_table(trials_table(finished), folder / "trials.parquet")
    pq.write_table(returns_table(finished.results), folder / "returns.parquet")
    if finished.sweep.settings.replicates is not None:
        pq.write_table(_replicates_table(finished), folder / "replicates.parquet")
    content = _content(finished, run_id) | {"luck": luck}
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    (folder / "sweep.json").write_text(text, encoding="utf-8")
    return content


def trials_table(finished: FinishedSweep) -> pa.Table:
    """Return one row per trial in the order of their numbers."""
    sweep, results = finished.sweep, list(finished.results.values())
    numbers = list(finished.results)
    columns: dict[str, pa.Array] = {
        "number": pa.array(numbers, pa.int64()),
        "state": pa.array([result.state for result in results], pa.string()),
        "error": pa.array([result.error for result in results], pa.string()),
        "seed": pa.array([_seed(finished, finished.plan.points[number]) for number in numbers], pa.int64()),
        "elapsed_s": pa.array([result.elapsed_s for result in results], pa.float64()),
        "feasible": pa.array([result.feasible for result in results], pa.bool_()),
        "stopped_by_risk": pa.array([result.stopped_by_risk for result in results], pa.bool_()),
        "warnings": pa.array([list(result.warnings) for result in results], pa.list_(pa.string())),
    }
    for place, parameter in enumerate(sweep.space.parameters):
        columns[f"param:{parameter.path}"] = _parameter_column(
            parameter, [finished.plan.points[number][place] for number in numbers]
        )
    for i in range(len(sweep.settings.objectives)):
        values = [result.objectives[i] if result.objectives else None for result in results]
        columns[f"objective:{i}"] = pa.array(values, pa.float64())
    if sweep.settings.pruning is not None:
        columns["first_part"] = pa.array([result.first_part for result in results], pa.float64())
    for key in dict.fromkeys(key for result in results for key in result.figures):
        columns[f"value:{key}"] = pa.array([result.figures.get(key) for result in results], pa.float64())
    return pa.table(columns)


def returns_table(results: Mapping[int, TrialResult]) -> pa.Table:
    """Return the returns on the equity grid: `ts_ns`, and per trial that ran to the end a column with its number."""
    series = {number: result for number, result in results.items() if result.packed_times}
    times = sorted(set().union(*(result.times_ns.tolist() for result in series.values())))
    grid = np.array(times, np.int64)
    columns: dict[str, pa.Array] = {"ts_ns": pa.array(grid, pa.int64())}
    for number, result in series.items():
        column = np.full(len(grid), np.nan)
        column[np.searchsorted(grid, result.times_ns)] = result.returns
        columns[str(number)] = pa.array(column, pa.float64())
    return pa.table(columns)


def _replicates_table(finished: FinishedSweep) -> pa.Table:
    """Return one row per run of a trial."""
    replicates = finished.sweep.settings.replicates
    assert replicates is not None
    rows = [
        (number, value, run)
        for number, result in finished.results.items()
        for value, run in zip(replicates.values, result.runs, strict=False)
    ]
    columns: dict[str, pa.Array] = {
        "number": pa.array([number for number, _, _ in rows], pa.int64()),
        replicates.vary: pa.array([json.dumps(value) for _, value, _ in rows], pa.string()),
        "error": pa.array([run.error for _, _, run in rows], pa.string()),
    }
    for key in dict.fromkeys(key for _, _, run in rows for key in run.figures):
        columns[f"value:{key}"] = pa.array([run.figures.get(key) for _, _, run in rows], pa.float64())
    return pa.table(columns)


def _parameter_column(parameter: Parameter, values: list[Any]) -> pa.Array:
    if parameter.span is not None:
        return pa.array(values, pa.int64() if parameter.span.integer else pa.float64())
    kinds = {type(value) for value in parameter.values or ()}
    if kinds == {int, float}:
        return pa.array([float(value) for value in values], pa.float64())
    return pa.array(values) if len(kinds) == 1 else pa.array([json.dumps(value) for value in values], pa.string())


def _seed(finished: FinishedSweep, point: Point) -> int | None:
    """Return the seed of a trial; None where its runs have different ones."""
    replicates = finished.sweep.settings.replicates
    if replicates is not None and replicates.vary == "backtest.seed":
        return None
    for parameter, value in zip(finished.sweep.space.parameters, point, strict=True):
        if parameter.path == "backtest.seed" and isinstance(value, int):
            return value
    return finished.base.loaded.setup.backtest.seed


def _content(finished: FinishedSweep, run_id: str) -> dict[str, Any]:
    sweep, setup = finished.sweep, finished.base.loaded.setup
    settings = sweep.file.as_dict()["sweep"]
    states = Counter(result.state for result in finished.results.values())
    return {
        "name": sweep.file.name,
        "description": sweep.file.description,
        "run_id": run_id,
        "elapsed_s": round(finished.elapsed_s, 3),
        "synthetic": finished.base.data.synthetic,
        "sampler": settings["sampler"],
        "objectives": [{"figure": wanted.key, "direction": wanted.direction} for wanted in sweep.settings.objectives],
        "constraints": list(sweep.settings.constraints),
        "parameters": [parameter.path for parameter in sweep.space.parameters],
        "trials": {
            "planned": finished.plan.size,
            **{state: states[state] for state in ("complete", "pruned", "failed")},
        },
        "feasible": sum(result.feasible for result in finished.results.values()),
        "equity_interval_secs": setup.ledger.interval_secs,
        "best": [_best(finished, number) for number in finished.best],
        "warnings": _warnings(finished),
        "provenance": {
            "sweep": settings,
            "sweep_sha256": sweep.sha256(),
            "setup_file": str(sweep.base.tree.file),
            "setup": setup.as_dict(),
            "setup_sha256": setup.sha256(),
            "depends_on": what_results_depend_on(finished.base),
            "command": ["run_backtest.py", *sys.argv[1:]],
        },
    }


def _best(finished: FinishedSweep, number: int) -> dict[str, Any]:
    point, result = finished.plan.points[number], finished.results[number]
    return {
        "number": number,
        "parameters": {
            parameter.path: value for parameter, value in zip(finished.sweep.space.parameters, point, strict=True)
        },
        "objectives": list(result.objectives or ()),
        "set": list(finished.sweep.space.assignments(point)),
    }


def _warnings(finished: FinishedSweep) -> list[str]:
    found = list(finished.base.data.warnings)
    wanted = finished.sweep.settings.trials
    if wanted is not None and finished.plan.size < wanted:
        found.append(f"Only {finished.plan.size} of {wanted} trials were made: there are no more points.")
    if not finished.best:
        found.append("No trial is complete and keeps all constraints.")
    return found

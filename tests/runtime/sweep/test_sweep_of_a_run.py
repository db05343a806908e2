"""Sweeps as their users run them: interrupted, on several machines, with trials that fail; always the same trials."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
import psycopg
import pyarrow.parquet as pq
import pytest

from bad_input import BadInput
from runtime.code_version import code_version
from runtime.setup.tree import read_setup_tree
from runtime.sweep.command import _check_codes, run_sweep
from runtime.sweep.options import SweepOptions
from runtime.sweep.results import FinishedSweep, returns_table, trials_table, write_sweep
from runtime.sweep.trial import LIQUIDATED
from runtime.workers.backtest_job import BacktestJob, run_backtest_job
from tests.runtime.sweep.servers import dask_cluster, postgres
from tests.runtime.sweep.sweep_kit import SWEEP, loaded, run_here, without_times, write_workplace


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: Any) -> Path:
    folder = Path(tmp_path_factory.mktemp("sweep"))
    write_workplace(folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(workplace: Path, tmp_path_factory: Any) -> FinishedSweep:
    """Return the sweep run one trial after the other in this process."""
    return run_here(loaded(workplace), workplace, Path(tmp_path_factory.mktemp("undisturbed")))


def start(project: Path, workplace: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(project / "run_backtest.py"), "sweep.yaml", *arguments]
    return subprocess.Popen(
        command, cwd=workplace, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def run_in(workplace: Path, out: Path, options: SweepOptions, *, as_json: bool = False) -> None:
    """Run the sweep from its folder as the command line does, but without the start of another process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workplace)
        run_sweep(read_setup_tree(Path("sweep.yaml")), [], options, out, as_json=as_json)


def has_studies(url: str) -> bool:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        tables = connection.execute("select to_regclass('studies')").fetchone()
        return tables != (None,) and connection.execute("select * from studies").fetchone() is not None


def results_of(out: Path) -> Path:
    """Return the only results folder; nothing else is left beside it."""
    (folder,) = (out / "small").iterdir()
    return folder


def assert_same(folder: Path, expected: FinishedSweep) -> None:
    """Compare every trial with all of its figures, and every return, bit for bit."""
    trials, returns = pq.read_table(folder / "trials.parquet"), pq.read_table(folder / "returns.parquet")
    assert repr(without_times(trials)) == repr(without_times(trials_table(expected)))
    wanted = returns_table(expected.results)
    assert returns.column_names == wanted.column_names
    for name in wanted.column_names:
        assert returns[name].to_numpy().tobytes() == wanted[name].to_numpy().tobytes()


# -- The trials -------------------------------------------------------------------------------------------------------


def test_a_trial_is_the_backtest_of_its_point(undisturbed: FinishedSweep, workplace: Path) -> None:
    sweep, number = undisturbed.sweep, undisturbed.best[0]
    overrides = sweep.space.assignments(undisturbed.plan.points[number])

    alone = run_backtest_job(BacktestJob(sweep.base.tree, overrides, str(workplace)))

    result = undisturbed.results[number]
    assert alone.summary is not None
    assert result.objectives == (alone.summary["pnl"],)
    assert result.figures["pnl_parts.spread"] == alone.summary["pnl_parts"]["spread"]
    assert result.returns.tobytes() == alone.returns.tobytes()
    assert result.times_ns.tobytes() == alone.times_ns.tobytes()
    assert result.feasible == (alone.summary["max_drawdown_pct"] <= 0.01)


def test_a_trial_that_raises_is_recorded_and_the_others_go_on(undisturbed: FinishedSweep) -> None:
    table = trials_table(undisturbed).to_pylist()

    failed = [row for row in table if row["state"] == "failed"]
    wide = [row["number"] for row in table if row["param:strategies[0].config.half_spread_bps"] > 6]
    assert [row["number"] for row in failed] == wide != []
    assert {row["error"].partition(" (")[0] for row in failed} == {"ZeroDivisionError: too wide"}
    assert [row["number"] for row in table] == list(range(11))
    assert sum(row["state"] == "complete" for row in table) == 11 - len(wide)
    assert all(row["objective:0"] is None and not row["feasible"] for row in failed)
    assert str(failed[0]["number"]) not in returns_table(undisturbed.results).column_names


def test_how_many_run_at_once_changes_nothing(undisturbed: FinishedSweep, workplace: Path, tmp_path: Path) -> None:
    again = run_here(undisturbed.sweep, workplace, tmp_path, slots=5)

    assert repr(without_times(trials_table(again))) == repr(without_times(trials_table(undisturbed)))


# -- Interrupted ------------------------------------------------------------------------------------------------------


def test_a_sweep_whose_worker_and_then_parent_are_killed_goes_on_to_the_same_end(
    undisturbed: FinishedSweep, project: Path, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trap = workplace / "trap"
    trap.mkdir()

    killed = start(project, workplace, "--workers", "1", "--out", "killed")
    killed.communicate(timeout=300)
    assert killed.returncode == -signal.SIGKILL
    (study,) = (path for path in (workplace / "killed" / "small").iterdir() if path.suffix == ".sqlite3")
    run_in(workplace, workplace / "killed", SweepOptions(workers=2, resume=True), as_json=True)

    folder = results_of(workplace / "killed")
    assert_same(folder, undisturbed)
    assert json.loads(capsys.readouterr().out) == json.loads((folder / "sweep.json").read_text())
    assert not study.exists()
    # Besides each trial that does not raise, these were begun: the look at the figures twice, the setup as it stands,
    # the run whose worker was killed, and those, at most two, that the parent took with it.
    once = sum(result.state != "failed" for result in undisturbed.results.values()) + 4
    assert once < len(list(trap.iterdir())) <= once + 2


def test_ctrl_c_says_how_to_go_on(project: Path, workplace: Path) -> None:
    out = workplace / "interrupted"
    parent = start(project, workplace, "--workers", "1", "--out", "interrupted")
    while not list(out.glob("small/*.sqlite3")):
        assert parent.poll() is None
    os.killpg(parent.pid, signal.SIGINT)
    _, told = parent.communicate(timeout=300)

    assert parent.returncode == 1
    assert "failed: stopped by the keyboard" in told
    assert "--resume goes on" in told
    assert [path.suffix for path in (out / "small").iterdir()] == [".sqlite3"]


# -- Several machines -------------------------------------------------------------------------------------------------


def test_two_parents_on_postgresql_make_the_same_trials_together(
    undisturbed: FinishedSweep, project: Path, workplace: Path
) -> None:
    with postgres() as url:
        begun = start(project, workplace, "--workers", "1", "--storage", url, "--out", "begun")
        while not has_studies(url):
            assert begun.poll() is None
        run_in(workplace, workplace / "joined", SweepOptions(workers=1, storage=url, resume=True))
        told = begun.communicate(timeout=300)[1]

    assert begun.returncode == 0, told
    for out in ("begun", "joined"):
        assert_same(results_of(workplace / out), undisturbed)


def test_a_dask_cluster_makes_the_same_trials(
    undisturbed: FinishedSweep, project: Path, workplace: Path, tmp_path: Path
) -> None:
    with dask_cluster(project) as address:
        run_in(workplace, tmp_path, SweepOptions(cluster=address))

    assert_same(results_of(tmp_path), undisturbed)


def test_workers_with_other_code_are_refused() -> None:
    _check_codes({"tcp://a": code_version()})

    with pytest.raises(BadInput, match="--cluster: the worker at tcp://b has code 0123456789ab, here it is"):
        _check_codes({"tcp://a": code_version(), "tcp://b": "0123456789ab"})


# -- Replicates and pruning -------------------------------------------------------------------------------------------

GRID = SWEEP.replace("{low: 1, high: 8}", "[2, 4]").replace("kind: tpe, batch: 3", "kind: grid, batch: 3")
GRID = GRID.replace("  trials: 11\n", "")


@pytest.mark.parametrize(("aggregate", "of"), [("mean", fmean), ("median", median), ("worst", min)])
def test_replicates_are_put_together(
    workplace: Path, tmp_path: Path, aggregate: str, of: Callable[[list[float]], float]
) -> None:
    text = GRID.replace("[2, 4]", "[2]").replace("{low: 0.5, high: 2, step: 0.5}", "[1]")
    text += f"  replicates: {{vary: backtest.fees.maker_bps, values: [0, 5, 1], aggregate: {aggregate}}}\n"

    finished = run_here(loaded(workplace, text=text), workplace, tmp_path)

    runs = [
        run_backtest_job(
            BacktestJob(
                finished.sweep.base.tree,
                ("strategies[0].config.half_spread_bps=2", f"backtest.fees.maker_bps={fee}"),
                str(workplace),
            )
        )
        for fee in (0, 5, 1)
    ]
    pnl = [float(run.summary["pnl"]) for run in runs if run.summary]
    result = finished.results[0]
    assert len(set(pnl)) == 3
    assert result.objectives == pytest.approx((of(pnl),), rel=1e-12)
    assert result.figures["pnl"] == pytest.approx(fmean(pnl), rel=1e-12)
    assert [run.figures["pnl"] for run in result.runs] == pnl
    assert result.returns == pytest.approx(np.mean([run.returns for run in runs], axis=0), rel=1e-12)
    content = write_sweep(finished, "run", tmp_path, {})
    rows = pq.read_table(tmp_path / "replicates.parquet").to_pylist()
    assert [(row["number"], row["backtest.fees.maker_bps"], row["value:pnl"]) for row in rows] == [
        (0, text, value) for text, value in zip(("0", "5", "1"), pnl, strict=True)
    ]
    assert content["best"][0]["set"] == ["strategies[0].config.half_spread_bps=2", "strategies[0].config.order_qty=1"]


def test_a_liquidated_trial_is_never_the_best(workplace: Path, tmp_path: Path) -> None:
    text = GRID.replace("[2, 4]", "[2]")
    text = text.replace("{low: 0.5, high: 2, step: 0.5}", "[0.1, 1]")
    text = text.replace("max_drawdown_pct <= 0.01", "max_drawdown_pct <= 100")
    # One coin of a hundred is backed, and a loss of 0.02 leaves less than its maintenance margin.
    account = ["starting_balances=[1.26 USDT]", "leverage=80", "margin.maintenance_pct=1.24"]

    finished = run_here(loaded(workplace, *(f"backtest.{each}" for each in account), text=text), workplace, tmp_path)

    (modest, greedy), table = finished.results.values(), trials_table(finished)
    assert (modest.feasible, greedy.feasible) == (True, False)
    assert [trial.state for trial in (modest, greedy)] == ["complete", "complete"]
    assert table["error"].to_pylist() == [None, LIQUIDATED]
    assert finished.best == [0]


def test_hopeless_trials_are_stopped_after_the_first_part(workplace: Path, tmp_path: Path) -> None:
    text = GRID.replace("[2, 4]", "[1, 2, 3, 4]").replace("{low: 0.5, high: 2, step: 0.5}", "[0.5, 1]")
    sweep = loaded(workplace, text=text + "  pruning: {first_pct: 50, worst_pct: 50, after_trials: 3}\n")

    finished = run_here(sweep, workplace, tmp_path, slots=2)

    results, data = finished.results, finished.base.data
    middle = (data.start_ns + data.end_ns) // 2
    for number in range(8):
        overrides = (*sweep.space.assignments(finished.plan.points[number]), f"backtest.end={iso(middle)}")
        half = run_backtest_job(BacktestJob(sweep.base.tree, overrides, str(workplace)))
        assert half.summary is not None
        assert results[number].first_part == half.summary["pnl"]
        earlier = [results[n].first_part for n in range(number - number % 3)]
        better = sum(value > half.summary["pnl"] for value in earlier if value is not None)
        assert (results[number].state == "pruned") == (number >= 3 and better > len(earlier) / 2)
    table = trials_table(finished).to_pylist()
    assert {row["state"] for row in table} == {"complete", "pruned"}
    assert all((row["objective:0"] is None) == (row["state"] == "pruned") for row in table)


def iso(time_ns: int) -> str:
    return str(np.datetime64(time_ns, "ns"))


# -- The command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (SweepOptions(resume=True), "--resume: there is no sweep small-"),
        (SweepOptions(cluster="tcp://127.0.0.1:1", workers=2), "--workers: does not go with --cluster"),
        (SweepOptions(storage="postgresql+psycopg://nobody@127.0.0.1:1/none"), "--storage: the storage could not be"),
    ],
)
def test_options_that_cannot_be_used_are_refused_and_nothing_is_written(
    workplace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: SweepOptions, problem: str
) -> None:
    monkeypatch.chdir(workplace)

    with pytest.raises(BadInput, match=problem):
        run_sweep(read_setup_tree(Path("sweep.yaml")), [], options, tmp_path / "results", as_json=False)

    assert not (tmp_path / "results").exists()

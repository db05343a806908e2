"""The paper's experiment: the engine against the same paths computed without it, and what a user gets to see."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from bad_input import BadInput
from models.market_making.paper_moments import Experiment, Strategy, exact_moments
from models.market_making.paper_paths import draw_paths, simulate
from runtime.experiment.engine import PathResult, run_path
from runtime.experiment.run import FinishedExperiment, run_experiment
from runtime.experiment.setup import ExperimentSettings, ExperimentSetup
from runtime.experiment.table import farthest, table_rows
from runtime.experiment.workers import PathRun, run_rows
from runtime.setup.overrides import apply_overrides
from runtime.setup.parse import parse_part
from runtime.setup.tree import read_setup_tree

CONFIG = Path(__file__).parents[3] / "configs" / "paper" / "avellaneda_stoikov_2008.yaml"
FIGURES = ("mean_profit", "std_profit", "mean_inventory", "std_inventory")

type Run = Callable[..., tuple[str, Path]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the setup in this process; it returns what was printed, and the results folder."""

    def run_setup(*overrides: str, as_json: bool = False, folder: str = "results") -> tuple[str, Path]:
        values = [f"experiment.{override}" for override in ("workers=1", *overrides)]
        run_experiment(apply_overrides(read_setup_tree(CONFIG), values), tmp_path / folder, as_json)
        printed = capsys.readouterr()
        assert printed.err == ""
        (results,) = (tmp_path / folder / "avellaneda_stoikov_2008").iterdir()
        return printed.out, results

    return run_setup


def assert_engine_makes_what_the_model_makes(settings: ExperimentSettings, gamma: float, strategy: Strategy) -> None:
    paths = draw_paths(settings.market, settings.seed, 0, settings.paths, settings.fills)
    expected = simulate(paths, gamma, strategy, settings.market)
    for row in range(settings.paths):
        made = run_path(settings, gamma, strategy, paths, row)
        assert (made.fills, made.inventory) == (expected.fills[row], expected.inventory[row])
        assert float(made.profit) == pytest.approx(expected.profit[row], abs=1e-6)


# -- The engine against the model -------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.1, 0.01, 1.0])
@pytest.mark.parametrize("strategy", Strategy)
def test_the_engine_earns_what_the_paths_say(gamma: float, strategy: Strategy) -> None:
    assert_engine_makes_what_the_model_makes(ExperimentSettings(paths=2), gamma, strategy)


OTHER_MARKETS = {
    "poisson": ({"fill_probability": "poisson"}, 0.1),
    "quotes far beyond the mid": ({"steps": 40}, 3.0),
    "moves wider than the spread": ({"steps": 40, "sigma_quote_per_sqrt_sec": 12, "start_price": 400}, 0.1),
    "trades mostly beyond the mid": ({"steps": 100, "orders_per_sec": 8, "kappa_per_quote": 0.5}, 0.05),
    "no risk aversion": ({"steps": 60}, 0.0),
    "another horizon": ({"steps": 60, "horizon_secs": 7.5, "sigma_quote_per_sqrt_sec": 1, "orders_per_sec": 20}, 0.2),
}


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("name", OTHER_MARKETS)
def test_the_engine_earns_what_the_paths_say_in_other_markets(name: str, strategy: Strategy) -> None:
    values, gamma = OTHER_MARKETS[name]
    settings = ExperimentSettings(gammas=(gamma,), paths=2, seed=5, **values)

    assert_engine_makes_what_the_model_makes(settings, gamma, strategy)


@pytest.mark.parametrize("strategy", Strategy)
def test_a_flow_that_reaches_everything_fills_one_lot_per_side_and_step(strategy: Strategy) -> None:
    settings = ExperimentSettings(gammas=(0.1,), steps=30, orders_per_sec=1e6, kappa_per_quote=0.5)
    paths = draw_paths(settings.market, 1, 0, 1)

    made = run_path(settings, 0.1, strategy, paths, 0)

    assert (made.fills, made.inventory) == (60, 0)
    spread = settings.market.average_spread(0.1)
    assert float(made.profit) == pytest.approx(30 * spread, abs=1e-6)


def test_processes_do_not_change_the_result() -> None:
    one = ExperimentSettings(gammas=(1.0,), paths=11, steps=2, workers=1)

    assert run_rows(one, lambda count: None) == run_rows(msgspec.structs.replace(one, workers=2), lambda count: None)


def test_progress_counts_every_path() -> None:
    counts: list[int] = []

    run_rows(ExperimentSettings(gammas=(1.0,), paths=12, steps=1, workers=1), counts.append)

    assert counts == [10, 2, 10, 2]


@pytest.mark.slow
def test_a_thousand_paths_through_the_engine_lie_within_three_standard_errors() -> None:
    settings = ExperimentSettings(paths=1000)

    runs = run_rows(settings, lambda count: None)

    assert all(run.agrees(within=1e-6) for paths in runs.values() for run in paths)
    for row in table_rows(settings, runs):
        assert [cell for cell in row.cells if abs(cell.off) >= 3] == []


# -- What a user gets to see ------------------------------------------------------------------------------------------


def test_the_setup_is_the_papers_experiment_and_small_enough_to_try() -> None:
    tree = read_setup_tree(CONFIG)

    setup = parse_part(tree, (), tree.values, ExperimentSetup)

    assert setup.name == CONFIG.stem
    assert setup.experiment.market == Experiment()
    assert setup.experiment == ExperimentSettings()
    assert setup.experiment.paths <= 200


def test_a_run_leaves_every_path_and_figures_that_are_those_of_the_paths(run: Run) -> None:
    printed, folder = run("paths=4", "gammas=[0.1]", "steps=20", as_json=True)

    summary = json.loads(printed)
    assert {file.name for file in folder.iterdir()} == {"summary.json", "manifest.json", "paths.parquet", "table.md"}
    assert summary == json.loads((folder / "summary.json").read_text())
    rows = pq.read_table(folder / "paths.parquet").to_pylist()
    profits = [float(row["profit"]) for row in rows if row["strategy"] == "symmetric"]
    assert [row["path"] for row in rows] == [0, 1, 2, 3] * 2
    assert summary["rows"][1]["mean_profit"]["sample"] == pytest.approx(sum(profits) / 4)
    assert all(abs(float(row["profit"]) - row["model_profit"]) < 1e-6 for row in rows)


def test_the_summary_has_published_exact_and_sampled_figures_with_their_error(run: Run) -> None:
    printed, folder = run("paths=2", "gammas=[0.1]", as_json=True)

    summary = json.loads(printed)
    inventory, symmetric = summary["rows"]
    exact = exact_moments(0.1, Strategy.INVENTORY)
    assert [inventory[name]["published"] for name in FIGURES] == [65.0, 6.6, 0.08, 2.9]
    assert [inventory[name]["exact"] for name in FIGURES] == [getattr(exact, name) for name in FIGURES]
    assert [inventory[name]["standard_error"] for name in FIGURES] == list(exact.standard_errors(2))
    cell = symmetric["std_profit"]
    assert cell["standard_errors_off"] == pytest.approx((cell["sample"] - cell["exact"]) / cell["standard_error"])
    assert inventory["average_spread"] == {"published": 1.49, "exact": exact.average_spread}
    assert summary["fill_probability"].startswith("lambda dt")
    assert summary["fees"] == {"maker_bps": 0.0, "taker_bps": 0.0}
    assert summary["synthetic"] is True
    assert summary["against_the_model"]["paths_that_differ"] == 0
    assert json.loads((folder / "manifest.json").read_text())["setup"]["experiment"]["paths"] == 2


def test_the_table_fits_a_terminal_and_names_its_terms(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    printed, folder = run("paths=2", "gammas=[1]")

    lines = printed.splitlines()
    assert lines[-1] == f"Results: {folder}"
    assert max(len(line) for line in lines[:-1]) <= 80
    assert "…" not in printed
    assert all(term in printed for term in ("SYNTHETIC", "lambda dt per step", "No fees", "±"))
    assert [line.split()[-5:] for line in lines if "published" in line] == [
        ["3.02", "31.4", "5.0", "0.02", "1.7"],
        ["3.02", "44.0", "11.0", "0.00", "5.1"],
    ]
    markdown = [line for line in (folder / "table.md").read_text().splitlines() if line.startswith("|")]
    assert len(markdown) == 2 + 2 * 4
    assert {line.count("|") for line in markdown} == {9}
    assert markdown[2] == "| 1 | inventory | published | 3.02 | 31.4 | 5.0 | 0.02 | 1.7 |"


def test_a_terminal_without_letters_of_its_own_gets_plain_ones(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("rich.console.Console.encoding", "ascii")

    printed, _ = run("paths=2", "gammas=[0.01]", "steps=10")

    assert printed.isascii()
    assert max(len(line) for line in printed.splitlines()[:-1]) <= 80


def few_runs(profits: tuple[int, ...] = (64, 66)) -> dict[tuple[float, Strategy], list[PathRun]]:
    return {(0.1, Strategy.INVENTORY): [PathRun(PathResult(Decimal(p), 0, 1), p, 0, 1) for p in profits]}


@pytest.mark.parametrize("change", [{"steps": 100}, {"kappa_per_quote": 2.0}, {"fill_probability": "poisson"}])
def test_published_figures_stand_only_beside_what_was_published(change: dict[str, Any]) -> None:
    paper = ExperimentSettings(gammas=(0.1,), paths=2)

    (published,) = table_rows(paper, few_runs())
    (other,) = table_rows(msgspec.structs.replace(paper, **change), few_runs())
    (unknown,) = table_rows(paper, {(0.5, Strategy.INVENTORY): few_runs()[0.1, Strategy.INVENTORY]})

    assert [cell.published for cell in published.cells] == [65.0, 6.6, 0.08, 2.9]
    assert [cell.published for cell in other.cells + unknown.cells] == [None] * 8


def test_the_farthest_figure_is_found() -> None:
    far = farthest(table_rows(ExperimentSettings(gammas=(0.1,), paths=2), few_runs()))

    exact = exact_moments(0.1, Strategy.INVENTORY)
    assert far is not None
    assert (far.strategy, far.figure) == ("inventory", "std(q)")
    assert far.standard_errors == pytest.approx(exact.std_inventory / exact.standard_errors(2).std_inventory)


@pytest.mark.parametrize(
    "engine", [PathResult(Decimal("65.1"), 1, 90), PathResult(Decimal(65), 2, 90), PathResult(Decimal(65), 1, 91)]
)
def test_paths_on_which_engine_and_model_differ_are_counted(engine: PathResult) -> None:
    same = PathRun(PathResult(Decimal(65), 1, 90), 65.0 + 1e-8, 1, 90)
    other = msgspec.structs.replace(same, engine=engine)
    settings = ExperimentSettings(gammas=(0.1,), paths=2)
    setup = ExperimentSetup(name="test", experiment=settings)
    finished = FinishedExperiment(setup, "run", {(0.1, Strategy.INVENTORY): [same, same]}, [], 1.0)

    assert finished.paths_that_differ == 0
    assert replace(finished, runs={(0.1, Strategy.INVENTORY): [same, other]}).paths_that_differ == 1


# -- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("experiment.paths=1", 'experiment.paths: was "1", expected a whole number >= 2'),
        ("experiment.gammas=[]", "experiment.gammas: was"),
        ("experiment.gammas=[0.1,-1]", r'experiment.gammas\[1\]: was "-1"'),
        ("experiment.gammas=[1,1]", "experiment.gammas: names a risk aversion twice"),
        ("experiment.gamma=[1]", 'experiment.gamma: is not a known key; did you mean "gammas"'),
        ("experiment.kappa_per_quote=0", "experiment.kappa_per_quote: was"),
        ("experiment.sigma_quote_per_sqrt_sec=-2", "experiment.sigma_quote_per_sqrt_sec: was"),
        ("experiment.steps=0", "experiment.steps: was"),
        ("experiment.horizon_secs=0.0001", "experiment.steps: was 200, expected at most 100"),
        ("experiment.start_price=20", "experiment.start_price: was 20, expected at least 40: prices must stay above"),
        ("experiment.gammas=[30]", "experiment.start_price: was 100, expected at least 142"),
        ("experiment.fill_probability=poison", 'did you mean "poisson"'),
        ("experiment.workers=0", "experiment.workers: was"),
        ("strategies=[]", "strategies: is not a known key; known: name, description, experiment"),
        ("name=../up", "name: was"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(tmp_path: Path, override: str, problem: str) -> None:
    tree = apply_overrides(read_setup_tree(CONFIG), [override])

    with pytest.raises(BadInput, match=problem):
        run_experiment(tree, tmp_path / "results", as_json=False)

    assert not (tmp_path / "results").exists()


def test_bad_input_in_the_file_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\nexperiment:\n  paths: 10\n  gammas: [0.1, x]\n")

    with pytest.raises(BadInput, match=r"mine.yaml:4: experiment.gammas\[1\]: was \"x\", expected a number"):
        run_experiment(read_setup_tree(file), tmp_path, as_json=False)

"""A sweep file that cannot be used is one line with file, line and key, and nothing is written."""

from pathlib import Path
from typing import Any

import pytest

from bad_input import BadInput
from runtime.setup.tree import read_setup_tree
from runtime.sweep.check_points import PointChecks
from runtime.sweep.load_sweep import load_sweep
from runtime.sweep.settings import Objective
from tests.runtime.sweep.sweep_kit import SWEEP, loaded, write_workplace

SPREAD = "strategies[0].config.half_spread_bps"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: Any) -> Path:
    folder = Path(tmp_path_factory.mktemp("sweep"))
    write_workplace(folder)
    return folder


def changed(old: str, new: str) -> str:
    assert old in SWEEP
    return SWEEP.replace(old, new)


def test_a_sweep_file_becomes_its_setup_and_its_points(workplace: Path) -> None:
    sweep = loaded(workplace, "sweep.trials=20", "backtest.fills=queue", "sweep.set=[backtest.leverage=3]")

    assert sweep.settings.trials == 20
    assert sweep.settings.objectives == (Objective(maximize="pnl"),)
    assert (sweep.base.setup.backtest.fills, sweep.base.setup.backtest.leverage) == ("queue", 3)
    assert [parameter.path for parameter in sweep.space.parameters] == [SPREAD, "strategies[0].config.order_qty"]
    assert sweep.constraints[0].violation(0.5) == 0.49
    assert sweep.constraints[0].violation(None) > 1e9


def test_a_sweep_is_named_by_what_decides_its_trials(workplace: Path) -> None:
    same = loaded(workplace, 'description="another sentence"', "name=other", "sweep.validation={trials_before: 1}")
    others = [
        loaded(workplace, override)
        for override in ("sweep.trials=20", "sweep.sampler.seed=6", "backtest.seed=2", f"{SPREAD}=5")
    ]

    assert same.sha256() == loaded(workplace).sha256()
    assert len({loaded(workplace).sha256(), *(other.sha256() for other in others)}) == 5


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  trials: 11\n", "", r"other.yaml:2: sweep.trials: is missing"),
        ("kind: tpe", "kind: tpee", r'other.yaml:7: sweep.sampler.kind: was "tpee", .* did you mean "tpe"'),
        ("sampler:", "samplers:", r'sweep.samplers: is not a known key; did you mean "sampler"'),
        ("setup: setup.yaml", "setup: none.yaml", r"other.yaml:3: sweep.setup: there is no setup file"),
        ("low: 1, high: 8", "low: 8, high: 8", r"other.yaml:5: .*half_spread_bps.low: was 8.0, expected below high"),
        ("low: 1, high: 8", "low: 0, high: 8, log: true", r"half_spread_bps.low: was 0.0, expected above 0 where log"),
        ("low: 1, high: 8", "low: 1, high: 8.5, integer: true", r"half_spread_bps.high: was 8.5, expected a whole"),
        ("low: 1, high: 8", "low: 1, high: 8, log: true, step: 1", r"half_spread_bps.step: does not go with log"),
        ("low: 1, high: 8", "low: 1, hihg: 8", r'hihg: is not a known key; did you mean "high"'),
        ("{low: 1, high: 8}", "[1, 2, 2]", r"other.yaml:5: .*half_spread_bps: names a value twice"),
        ("{low: 1, high: 8}", "5", r'half_spread_bps: was "5", expected a list of values, or low and high'),
        ("{low: 1, high: 8}", "[{a: 1}]", r"other.yaml:5: .*half_spread_bps\[0\]: was"),
        ("strategies[0].config.order_qty", "strategies[1].config.order_qty", r"other.yaml:6: .*is not in the setup"),
        ("{maximize: pnl}", "{maximize: pnl, minimize: fills}", r"other.yaml:9: .*maximize: expected either"),
        ("max_drawdown_pct <= 0.01", "max_drawdown_pct < 0.01", r"constraints\[0\]: was .*expected FIGURE <= NUMBER"),
        ("kind: tpe", "kind: grid", r"sweep.trials: a grid has as many"),
        ("  trials: 11\n", "  trials: 11\n  where: [order_qyt > 1]\n", r'where\[0\]: "order_qyt" .* mean "order_qty"'),
        ("  trials: 11\n", "  trials: 14\n  set: [backtest.fees.maker_bps]\n", r'sweep.set\[0\]: has no "="'),
        ("  trials: 11\n", "  trials: 14\n  replicates: {values: [1]}\n", r"replicates.values: was"),
        ("  trials: 11\n", "  trials: 14\n  replicates: {values: [1, 1]}\n", r"replicates.values: names a value twice"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(workplace: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        loaded(workplace, text=changed(old, new))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            changed("kind: tpe, batch: 3, seed: 5", "kind: grid").replace("  trials: 11\n", ""),
            "half_spread_bps: has no step and no points, which a grid needs",
        ),
        (
            changed("kind: tpe, batch: 3, seed: 5", "kind: grid")
            .replace("high: 8}", "high: 8, points: 3}")
            .replace("  trials: 11\n", "  where: [order_qty > 2]\n"),
            r"other.yaml:8: sweep.where: no point of the grid",
        ),
        (changed("[{maximize: pnl}]", "[{maximize: pnl}, {minimize: fills}]") + "  pruning: {}\n", "goes with one obj"),
    ],
)
def test_what_does_not_go_together_is_refused(workplace: Path, text: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        loaded(workplace, text=text)


GRID = changed("kind: tpe, batch: 3, seed: 5", "kind: grid").replace("  trials: 11\n", "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            GRID.replace("{low: 1, high: 8}", "[1, 2, -3]"),
            r"other.yaml:5: .*half_spread_bps: the point half_spread_bps=-3, order_qty=0.5 cannot be run: was",
        ),
        (
            GRID.replace("{low: 1, high: 8}", "[1, 2]").replace("config.order_qty", "config.order_qyt"),
            r'other.yaml:6: .*order_qyt: the point .* cannot be run: is not a known key; did you mean "order_qty"',
        ),
        (
            changed("{low: 1,", "{low: -1,"),
            r"half_spread_bps: the point half_spread_bps=-1.0, order_qty=0.5 cannot be run: was",
        ),
        (changed("low: 0.5, high: 2, step: 0.5", "low: 0.5, high: 20"), r"order_qty=20"),
        (
            SWEEP + "  replicates: {vary: backtest.sede, values: [1, 2]}\n",
            r"other.yaml:11: sweep.replicates.vary: .*seed",
        ),
        (SWEEP + "  where: [order_qty > half_spread_bps, half_spread_bps > 3]\n", "where: hardly any point keeps"),
    ],
)
def test_a_bad_point_is_refused_before_anything_runs(workplace: Path, text: str, problem: str) -> None:
    sweep = loaded(workplace, text=text)

    with pytest.raises(BadInput, match=problem):
        PointChecks(sweep, workplace).check()


def test_good_points_pass_and_are_counted(workplace: Path) -> None:
    counts: list[int] = []

    PointChecks(loaded(workplace), workplace).check(counts.append)

    assert counts == list(range(1, 4 + 32 + 1))


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        (
            "sweep.objectives=[{maximize: sharp}]",
            r'sweep.objectives\[0\]: "sharp" is no figure .* did you mean "sharpe"',
        ),
        (
            "sweep.constraints=[fees.maker <= 2]",
            r'sweep.constraints\[0\]: "fees.maker" .* did you mean "fees.maker_bps"',
        ),
    ],
)
def test_a_figure_that_no_summary_has_is_refused(workplace: Path, override: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        PointChecks(loaded(workplace, override), workplace).check_figures()


def test_every_sweep_in_the_project_can_be_read_and_run_on_its_setup(project: Path) -> None:
    files = sorted((project / "configs" / "sweeps").glob("*.yaml"))

    names = {load_sweep(read_setup_tree(file)).file.name for file in files}

    assert len(names) == len(files) >= 2
    assert all(name.startswith("sweep_") for name in names)  # or its results would lie among those of its setup

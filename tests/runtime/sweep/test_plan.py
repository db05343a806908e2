"""The points of a sweep depend on the file and on the results, not on who asks when."""

import random
from pathlib import Path
from typing import Any

import pytest

from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.plan import Plan
from runtime.sweep.space import Point
from runtime.sweep.trial import TrialResult
from tests.runtime.sweep.sweep_kit import SWEEP, loaded, write_workplace

QTY = "strategies[0].config.order_qty"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: Any) -> Path:
    folder = Path(tmp_path_factory.mktemp("sweep"))
    write_workplace(folder)
    return folder


def earned(point: Point) -> TrialResult:
    """Return the result of a made-up system that earns most at 6 and 1; some points fail, some are not feasible."""
    spread, qty = point
    assert isinstance(spread, float)
    assert isinstance(qty, float)
    if spread > 7.5:
        return TrialResult("failed", "too wide")
    return TrialResult("complete", objectives=(-((spread - 6) ** 2) - (qty - 1) ** 2,), violations=(qty - 1.7,))


def made(sweep: LoadedSweep, order: random.Random | None = None) -> list[Point]:
    """Return the points of a sweep whose results become known one by one, in some order within each batch."""
    plan, results = Plan(sweep), {}
    while not plan.finished(results):
        ready = [n for n in range(plan.size) if n not in results and plan.may_start(n, results)]
        number = order.choice(ready) if order else ready[0]
        results[number] = earned(plan.points[number])
        plan.learn(results)
    return plan.points


@pytest.mark.parametrize("kind", ["tpe", "nsga2", "random"])
def test_points_do_not_depend_on_the_order_in_which_trials_end(workplace: Path, kind: str) -> None:
    sweep = loaded(workplace, f"sweep.sampler.kind={kind}", "sweep.trials=30")

    points = made(sweep)

    assert len(points) == len(set(points)) == 30
    assert all(made(sweep, random.Random(seed)) == points for seed in (1, 2))
    assert made(loaded(workplace, f"sweep.sampler.kind={kind}", "sweep.trials=30", "sweep.sampler.seed=6")) != points


def test_a_plan_that_begins_with_all_results_known_is_the_same(workplace: Path) -> None:
    sweep = loaded(workplace)
    points = made(sweep)
    results = {number: earned(point) for number, point in enumerate(points)}

    resumed = Plan(sweep)
    resumed.learn(results)

    assert resumed.points == points
    assert resumed.finished(results)


def test_a_batch_waits_for_all_results_of_the_ones_before(workplace: Path) -> None:
    plan = Plan(loaded(workplace))
    results = {number: earned(plan.points[number]) for number in (0, 2)}

    plan.learn(results)

    assert [plan.may_start(number, results) for number in range(5)] == [True, True, True, False, False]
    assert (plan.batch_of(2), plan.batch_of(3), plan.batch_of(10)) == (range(3), range(3, 6), range(9, 11))


def test_a_sampler_that_learns_comes_closer_than_chance(workplace: Path) -> None:
    def mean_of_the_last_20(kind: str) -> float:
        points = made(loaded(workplace, f"sweep.sampler.kind={kind}", "sweep.trials=60"))
        scores = [earned(point).objectives for point in points[-20:]]
        return sum(score[0] if score else -25.0 for score in scores) / 20

    assert mean_of_the_last_20("tpe") > mean_of_the_last_20("random") + 2


def test_every_point_is_new_and_keeps_the_conditions_until_there_are_no_more(workplace: Path) -> None:
    text = SWEEP.replace("{low: 1, high: 8}", "[1, 2, 3]").replace("trials: 11", "trials: 50\n  where: [order_qty < 2]")
    sweep = loaded(workplace, text=text)

    plan, results = Plan(sweep), {}
    while not plan.finished(results):
        results = {
            number: TrialResult("complete", objectives=(1.0,), violations=(0.0,)) for number in range(len(plan.points))
        }
        plan.learn(results)

    assert plan.size == 9
    assert set(plan.points) == {(spread, qty) for spread in (1, 2, 3) for qty in (0.5, 1.0, 1.5)}


def test_a_grid_has_every_point_once_and_waits_for_nothing(workplace: Path) -> None:
    text = SWEEP.replace("{low: 1, high: 8}", "[1, 2]").replace("kind: tpe", "kind: grid").replace("  trials: 11\n", "")

    plan = Plan(loaded(workplace, text=text))

    assert plan.points == [(spread, qty) for spread in (1, 2) for qty in (0.5, 1.0, 1.5, 2.0)]
    assert all(plan.may_start(number, {}) for number in range(8))
    assert not plan.may_start(8, {})

"""Search each fold, then try its winner, random points and the setup as it stands where the search did not look."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from runtime.prepare import PreparedBacktest
from runtime.sweep.best import best_trials
from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.plan import Plan
from runtime.sweep.space import Point
from runtime.sweep.trial import TrialResult
from runtime.validation.search import GivenPoints, Searches, study_name
from runtime.validation.windows import Fold, in_window


@dataclass(frozen=True)
class RandomPoint:
    """A point drawn from the ranges, and what it did in sample and, where there is a test window, out of sample."""

    number: int
    """The trial that it is; counted on after the trials where it was drawn beside the search."""
    point: Point
    train: TrialResult
    test: TrialResult | None = None


@dataclass(frozen=True)
class WalkedFold:
    """
    A fold and everything that was run for it.

    Parameters
    ----------
    fold : Fold
        Its windows.
    sweep : LoadedSweep
        The sweep over its training window.
    base : PreparedBacktest
        The setup over its training window.
    plan : Plan
        The points of its trials.
    results : mapping
        Every trial by its number.
    winner : int, optional
        The number of the trial that was chosen.
    base_train, base_test : TrialResult, optional
        The setup as it stands.
    winner_test : TrialResult, optional
        The winner in the test window.
    random : tuple of RandomPoint
        Points that nobody chose.

    """

    fold: Fold
    sweep: LoadedSweep
    base: PreparedBacktest
    plan: Plan
    results: Mapping[int, TrialResult]
    winner: int | None
    base_train: TrialResult
    base_test: TrialResult | None = None
    winner_test: TrialResult | None = None
    random: tuple[RandomPoint, ...] = ()


def walk(sweep: LoadedSweep, folds: list[Fold], searches: Searches) -> list[WalkedFold]:
    """
    Run all folds in order of time.

    Raises
    ------
    BadInput
        If the setup cannot be run in a window; found out before anything runs.
    SearchInterrupted
        By the keyboard.

    """
    searched = [sweep if fold.test is None else in_window(sweep, fold.train) for fold in folds]
    prepared = [searches.prepare(item) for item in searched]
    for fold in folds:
        if fold.test is not None:
            searches.prepare(in_window(sweep, fold.test))
    walked = []
    for fold, item, base in zip(folds, searched, prepared, strict=True):
        of = f"fold {fold.number + 1}/{len(folds)}: " if len(folds) > 1 else ""
        plan = Plan(item)
        results = searches.run(item, plan, f"{of}trials")
        best = best_trials(item, results)
        done = WalkedFold(fold, item, base, plan, results, best[0] if best else None, searches.run_base(item))
        walked.append(done if fold.test is None else _tried(done, sweep, searches, of))
    return walked


def first_study(sweep: LoadedSweep, folds: list[Fold]) -> str:
    """Return the name of the study that a sweep begins with."""
    first = sweep if folds[0].test is None else in_window(sweep, folds[0].train)
    return study_name(first, Plan(first))


def _tried(done: WalkedFold, sweep: LoadedSweep, searches: Searches, of: str) -> WalkedFold:
    """Return the fold with what its points did in its test window."""
    assert done.fold.test is not None
    unseen = in_window(sweep, done.fold.test, pruning=False)
    drawn = _random_points(done, sweep, searches, of)
    points = [item.point for item in drawn]
    if done.winner is not None:
        points.append(done.plan.points[done.winner])
    results = searches.run(unseen, GivenPoints(points), f"{of}out of sample") if points else {}
    return WalkedFold(
        done.fold,
        done.sweep,
        done.base,
        done.plan,
        done.results,
        done.winner,
        done.base_train,
        searches.run_base(unseen),
        results[len(points) - 1] if done.winner is not None else None,
        tuple(RandomPoint(item.number, item.point, item.train, results[i]) for i, item in enumerate(drawn)),
    )


def _random_points(done: WalkedFold, sweep: LoadedSweep, searches: Searches, of: str) -> list[RandomPoint]:
    """
    Return as many random points as there are trials, or as the file says.

    The trials of a grid or a random search are random points themselves; beside a search that learns, others are drawn
    and run over the training window as well.
    """
    wanted = sweep.settings.validation.random_points
    count = done.plan.size if wanted is None else wanted
    rng = np.random.default_rng([sweep.settings.sampler.seed, done.fold.number])
    if not is_adaptive(sweep):
        numbers = sorted(rng.permutation(done.plan.size)[:count].tolist())
        return [RandomPoint(number, done.plan.points[number], done.results[number]) for number in numbers]
    points = list(sweep.space.random_points(count, rng))
    if not points:
        return []
    whole = in_window(sweep, done.fold.train, pruning=False)
    results = searches.run(whole, GivenPoints(points), f"{of}random points")
    return [RandomPoint(done.plan.size + i, point, results[i]) for i, point in enumerate(points)]


def is_adaptive(sweep: LoadedSweep) -> bool:
    """Return whether the sampler goes where earlier trials were good."""
    return sweep.settings.sampler.kind in ("tpe", "nsga2")

"""
Which point each trial gets: the same for everybody who works on a study.

Every parent keeps a plan of its own. It is a function of the sweep file and of the results so far, which it learns in
the order of their numbers and in whole batches: how many processes work on the sweep, which one is first, and how often
it is interrupted changes nothing. A sampler that learns is therefore asked here, in memory, and not through the shared
study, where it would see whatever happened to be finished.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import Trial, TrialState

from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.settings import Choice, SamplerSettings
from runtime.sweep.space import Parameter, Point
from runtime.sweep.trial import TrialResult

DRAWS: Final = 200
"""How often a sampler is asked for a point that keeps all conditions and is new, before it has no more."""


class Plan:
    """
    The points of a sweep in the order of their trials.

    Parameters
    ----------
    sweep : LoadedSweep
        What is tried.

    """

    def __init__(self, sweep: LoadedSweep) -> None:
        settings = sweep.settings
        kind = settings.sampler.kind
        self.points: list[Point] = list(sweep.space.grid()) if kind == "grid" else []
        self.size = len(self.points) if kind == "grid" else settings.trials or 0
        self.waits = kind in ("tpe", "nsga2") or settings.pruning is not None
        self.batch = settings.sampler.batch if self.waits else self.size
        self._told = 0
        self._sweep = sweep
        self._sampler = None if kind == "grid" else _Sampler(sweep)
        self._extend()

    def batch_of(self, number: int) -> range:
        """Return the trials that were or will be chosen together with trial `number`."""
        first = number - number % self.batch
        return range(first, min(first + self.batch, self.size))

    def learn(self, results: Mapping[int, TrialResult]) -> None:
        """Choose the points of further batches, as far as all results before them are known."""
        while self._told < len(self.points) and all(n in results for n in range(self._told, len(self.points))):
            if self._sampler is not None:
                self._sampler.tell(results, range(self._told, len(self.points)))
            self._told = len(self.points)
            self._extend()

    def may_start(self, number: int, results: Mapping[int, TrialResult]) -> bool:
        """Return whether the point of a trial is known and everything that it depends on is finished."""
        return number < len(self.points) and (
            not self.waits or all(n in results for n in range(self.batch_of(number).start))
        )

    def finished(self, results: Mapping[int, TrialResult]) -> bool:
        """Return whether every trial is finished."""
        return len(self.points) == self.size and all(n in results for n in range(self.size))

    def _extend(self) -> None:
        """Choose one more batch; a sampler that finds no new point ends the sweep."""
        if self._sampler is None:
            return
        wanted = min(self.batch, self.size - len(self.points))
        new = list(self._sampler.points(wanted))
        self.points += new
        if len(new) < wanted:
            self.size = len(self.points)


class _Sampler:
    """A sampler of optuna with a study in memory, which holds what was told in the order of the trials."""

    def __init__(self, sweep: LoadedSweep) -> None:
        self._space = sweep.space
        self._constraints = sweep.constraints
        directions = [wanted.direction for wanted in sweep.settings.objectives]
        self._study = optuna.create_study(directions=directions, sampler=_sampler(sweep.settings.sampler))
        self._distributions = {parameter.path: _distribution(parameter) for parameter in sweep.space.parameters}
        self._signs = [wanted.sign for wanted in sweep.settings.objectives]
        self._worst = (0.0,) * len(self._signs)
        self._seen: set[Point] = set()
        self._asked: list[Trial] = []

    def points(self, count: int) -> Iterator[Point]:
        for _ in range(count):
            point = self._draw()
            if point is None:
                return
            yield point

    def _draw(self) -> Point | None:
        for _ in range(DRAWS):
            trial = self._study.ask(self._distributions)
            point = tuple(_value(parameter, trial.params[parameter.path]) for parameter in self._space.parameters)
            if self._space.allows(point) and point not in self._seen:
                self._seen.add(point)
                self._asked.append(trial)
                return point
            self._study.tell(trial, state=TrialState.FAIL)
        return None

    def tell(self, results: Mapping[int, TrialResult], numbers: range) -> None:
        """
        Tell the sampler what became of its points.

        A trial that failed, was liquidated or was stopped early counts as one that is not feasible: without a word of
        it the sampler would come back to the same place again and again.
        """
        for number in numbers:
            trial, result = self._asked[number], results[number]
            trial.set_constraint("complete", 0.0 if result.error is None and result.objectives else 1.0)
            for constraint, violation in zip(self._constraints, result.violations, strict=False):
                trial.set_constraint(constraint.text, violation)
            if result.objectives:
                self._worst = tuple(map(min, self._worst, self._scores(result.objectives)))
            self._study.tell(trial, result.objectives or self._scores(self._worst))

    def _scores(self, objectives: Sequence[float]) -> tuple[float, ...]:
        """Return objectives so that more is better; the other way round too."""
        return tuple(sign * value for sign, value in zip(self._signs, objectives, strict=True))


def _sampler(settings: SamplerSettings) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        match settings.kind:
            case "tpe":
                return TPESampler(seed=settings.seed, multivariate=True, n_startup_trials=max(10, settings.batch))
            case "nsga2":
                return NSGAIISampler(seed=settings.seed, population_size=settings.batch)
            case _:
                return RandomSampler(seed=settings.seed)


def _distribution(parameter: Parameter) -> BaseDistribution:
    """Return what a sampler chooses from; of values in order, it chooses the place."""
    span = parameter.span
    if parameter.values is None:
        assert span is not None
        if span.integer:
            return IntDistribution(int(span.low), int(span.high), log=span.log)
        return FloatDistribution(float(span.low), float(span.high), log=span.log)
    if span is None:
        return CategoricalDistribution(parameter.values)
    return IntDistribution(0, len(parameter.values) - 1)


def _value(parameter: Parameter, chosen: Choice) -> Choice:
    if parameter.values is None or parameter.span is None:
        return chosen
    return parameter.values[int(chosen or 0)]

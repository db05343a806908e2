"""Whether the setup takes the points of a sweep, found out before anything is run."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from bad_input import BadInput, nearest_name
from runtime.prepare import PreparedBacktest, prepare_backtest
from runtime.setup.load import parse_setup
from runtime.setup.overrides import apply_overrides
from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.space import Point
from runtime.sweep.trial import figures_of
from runtime.workers.backtest_job import BacktestJob, run_backtest_job
from runtime.workers.market_memory import MarketMemory

CORNERS: Final = 64
RANDOM_POINTS: Final = 32

_PROBE_EVENTS: Final = 2_000
_ONLY_WITH_TRADES = frozenset({"rebalance", "pairs", "alpha", "by_strategy", "by_instrument"})
"""Parts of the summary that a short run may not have."""


class PointChecks:
    """
    Makes runs of points, and finds out what is wrong with them.

    Parameters
    ----------
    sweep : LoadedSweep
        The sweep.
    working_folder : Path
        What a relative catalog is relative to.

    """

    def __init__(self, sweep: LoadedSweep, working_folder: Path) -> None:
        self._sweep, self.working_folder = sweep, working_folder
        self._memory = MarketMemory(most_rows=0)

    def base(self) -> PreparedBacktest:
        """Return the backtest of the setup itself; BadInput says what is wrong with it."""
        return prepare_backtest(self._sweep.base, self.working_folder, self._memory.find)

    def prepare(self, point: Point, run: int) -> PreparedBacktest:
        """Return one run of a trial, ready to start; BadInput says what is wrong with it."""
        tree = apply_overrides(self._sweep.base.tree, self.overrides(point, run))
        return prepare_backtest(parse_setup(tree), self.working_folder, self._memory.find)

    def overrides(self, point: Point, run: int) -> tuple[str, ...]:
        """Return what one run of a trial changes of the setup."""
        return (*self._sweep.space.assignments(point), *self._sweep.replicates[run])

    def check(self, on_point: Callable[[int], None] = lambda count: None) -> None:
        """
        Check every point of a grid; of other spaces the corners and points at random.

        Points that a sampler chooses later are checked before they are run.

        Parameters
        ----------
        on_point : callable
            Called with the number of points that have been checked.

        Raises
        ------
        BadInput
            For the first point that cannot be run, naming it.

        """
        first = None
        for count, point in enumerate(self._points()):
            first = first or point
            self._check(point, 0)
            on_point(count + 1)
        if first is None:
            raise self._sweep.tree.complaint("hardly any point keeps all conditions", ("sweep", "where"))
        for run in range(1, len(self._sweep.replicates)):
            self._check(first, run)

    def _points(self) -> Iterator[Point]:
        space, sampler = self._sweep.space, self._sweep.settings.sampler
        if sampler.kind == "grid":
            return space.grid()
        rng = np.random.default_rng(sampler.seed)
        return itertools.chain(itertools.islice(space.corners(), CORNERS), space.random_points(RANDOM_POINTS, rng))

    def _check(self, point: Point, run: int) -> None:
        try:
            self.prepare(point, run)
        except BadInput as error:
            tree, replicates = self._sweep.tree, self._sweep.settings.replicates
            where: tuple[str, ...] = ("sweep", "parameters")
            if replicates is not None and error.key == replicates.vary:
                where = ("sweep", "replicates", "vary")
            elif error.key in {parameter.path for parameter in self._sweep.space.parameters}:
                where = ("sweep", "parameters", error.key)
            key = f"{error.key}: " if error.key is not None and error.key not in where else ""
            varied = "".join(f", {text}" for text in self._sweep.replicates[run])
            words = f"the point {self._sweep.space.in_words(point)}{varied}"
            raise tree.complaint(f"{words} cannot be run: {key}{error.problem}", where, error.hint) from None

    def check_figures(self) -> None:
        """
        Refuse an objective or constraint on a figure that no summary has; a short run shows which there are.

        Raises
        ------
        BadInput
            Naming the nearest figure.

        """
        data = self.base().data
        events, last_ns = 0, data.end_ns
        for chunk in data.chunks():
            events, last_ns = events + len(chunk), chunk[-1].ts_init
            if events >= _PROBE_EVENTS:
                break
        end = pd.Timestamp(last_ns, tz="UTC").isoformat()
        tree = apply_overrides(self._sweep.base.tree, [f'backtest.end="{end}"'])
        summary = run_backtest_job(BacktestJob(tree, (), str(self.working_folder))).summary
        if summary is None:
            return  # the market is too short, or silent, to tell; the first trial will
        known = list(figures_of(summary))
        settings = self._sweep.settings
        wanted = [(("objectives", i), objective.key) for i, objective in enumerate(settings.objectives)]
        wanted += [(("constraints", i), constraint.key) for i, constraint in enumerate(self._sweep.constraints)]
        for where, key in wanted:
            if key not in known and key.partition(".")[0] not in _ONLY_WITH_TRADES:
                hint = nearest_name(key, known) or f"figures: {', '.join(known)}"
                raise self._sweep.tree.complaint(f'"{key}" is no figure of the summary', ("sweep", *where), hint)

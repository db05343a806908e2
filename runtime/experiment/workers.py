"""The paths of the experiment spread over processes; which process runs a path changes nothing."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import as_completed
from contextlib import closing

import msgspec

from models.market_making.paper_moments import Strategy
from models.market_making.paper_paths import draw_paths, simulate
from runtime.experiment.engine import PathResult, run_path
from runtime.experiment.setup import ExperimentSettings
from runtime.workers.pool import WorkerPool

type Row = tuple[float, Strategy]
type OnPaths = Callable[[int], None]
"""Called with the number of paths that have just been run."""

_PATHS_PER_JOB = 10


class Job(msgspec.Struct, frozen=True):
    """Some of the paths of one row: those with the numbers `first` to `first + count - 1`."""

    settings: ExperimentSettings
    gamma: float
    strategy: Strategy
    first: int
    count: int


class PathRun(msgspec.Struct, frozen=True):
    """What the engine made of a path, and the profit, inventory and fills that the model alone makes of it."""

    engine: PathResult
    profit: float
    inventory: int
    fills: int

    @property
    def difference(self) -> float:
        """How far apart the two profits are, in price times lots."""
        return abs(float(self.engine.profit) - self.profit)

    def agrees(self, within: float) -> bool:
        """Return whether fills and inventory are the same and the profit is, but for `within`."""
        same = (self.engine.inventory, self.engine.fills) == (self.inventory, self.fills)
        return same and self.difference <= within


def run_rows(settings: ExperimentSettings, on_paths: OnPaths) -> dict[Row, list[PathRun]]:
    """
    Run every path of every row, and return them by row in the order of their numbers.

    Raises
    ------
    Failed
        If a path failed or its process died again and again.

    """
    jobs = list(_jobs(settings))
    done: dict[Row, dict[int, list[PathRun]]] = {(job.gamma, job.strategy): {} for job in jobs}
    with closing(_finished(jobs, settings.processes)) as finished:
        for job, results in finished:
            done[job.gamma, job.strategy][job.first] = results
            on_paths(job.count)
    return {row: [result for _, part in sorted(parts.items()) for result in part] for row, parts in done.items()}


def run_job(job: Job) -> list[PathRun]:
    """Run the paths of one job, one after the other, each in an engine of its own."""
    market = job.settings.market
    paths = draw_paths(market, job.settings.seed, job.first, job.count, job.settings.fills)
    model = simulate(paths, job.gamma, job.strategy, market)
    expected = zip(model.profit.tolist(), model.inventory.tolist(), model.fills.tolist(), strict=True)
    return [
        PathRun(run_path(job.settings, job.gamma, job.strategy, paths, row), *figures)
        for row, figures in enumerate(expected)
    ]


def _jobs(settings: ExperimentSettings) -> Iterator[Job]:
    for gamma in settings.gammas:
        for strategy in Strategy:
            for first in range(0, settings.paths, _PATHS_PER_JOB):
                yield Job(settings, gamma, strategy, first, min(_PATHS_PER_JOB, settings.paths - first))


def _finished(jobs: list[Job], processes: int) -> Generator[tuple[Job, list[PathRun]]]:
    """Yield each job when it is done; closing this early ends the processes at once."""
    if processes == 1:
        yield from ((job, run_job(job)) for job in jobs)
        return
    with WorkerPool(min(processes, len(jobs))) as pool:
        running = {pool.submit(run_job, job): job for job in jobs}
        for future in as_completed(running):
            yield running[future], future.result()

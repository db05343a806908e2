"""Which backtests a fill ladder is made of: every fill assumption, and every latency of the curve."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime.ladder.jobs import RunJob
from runtime.setup.load import LoadedSetup
from runtime.setup.overrides import apply_overrides
from runtime.setup.sections import FillAssumptionName, Latency
from runtime.setup.tree import SetupTree
from runtime.venue.fills import FILL_ASSUMPTIONS

LATENCIES_MS: Final = (0, 1, 5, 20, 50, 100, 250, 1000)
"""The points of the curve: all commands of a run take this long."""


@dataclass(frozen=True)
class LadderPlan:
    """
    The runs of a ladder.

    Parameters
    ----------
    rungs : tuple of str
        The fill assumptions, from kind to cruel; each names its run.
    curve_fills : str
        The fill assumption of the curve.
    curve : dict
        The name of the run by latency in ms. A rung that is the same run serves for a point.
    jobs : tuple of RunJob
        Every run once.

    """

    rungs: tuple[str, ...]
    curve_fills: str
    curve: dict[int, str]
    jobs: tuple[RunJob, ...]


def plan_ladder(tree: SetupTree, loaded: LoadedSetup, working_folder: Path, results: Path) -> LadderPlan:
    """
    Return the runs of a ladder; those of the rungs get results folders in `results`.

    The curve is drawn under the setup's own fill assumption, or under `queue_latency` where that has no latency.
    """
    settings = loaded.setup.backtest
    rungs: tuple[str, ...] = tuple(FILL_ASSUMPTIONS)
    curve_fills: FillAssumptionName = settings.fills if FILL_ASSUMPTIONS[settings.fills].latency else "queue_latency"
    jobs = [RunJob(name, _with_fills(tree, name), working_folder, results) for name in rungs]
    curve: dict[int, str] = {}
    for latency_ms in LATENCIES_MS:
        same = _rung_of(curve_fills, latency_ms, settings.latency)
        curve[latency_ms] = same or f"{curve_fills}-{latency_ms}ms"
        if same is None:
            changed = apply_overrides(_with_fills(tree, curve_fills), list(_latency(latency_ms)))
            jobs.append(RunJob(curve[latency_ms], changed, working_folder))
    return LadderPlan(rungs, curve_fills, curve, tuple(jobs))


def _rung_of(curve_fills: FillAssumptionName, latency_ms: int, own: Latency) -> FillAssumptionName | None:
    """Return the rung that is this very run: without latency `queue_latency` is `queue`."""
    if latency_ms == 0 and curve_fills == "queue_latency":
        return "queue"
    return curve_fills if (own.insert_ms, own.modify_ms, own.cancel_ms) == (latency_ms,) * 3 else None


def _with_fills(tree: SetupTree, name: str) -> SetupTree:
    return apply_overrides(tree, [f"backtest.fills={name}"])


def _latency(latency_ms: int) -> Iterator[str]:
    for command in ("insert", "modify", "cancel"):
        yield f"backtest.latency.{command}_ms={latency_ms}"

"""What became of a trial: its runs put together, its figures, its objectives, and whether it is feasible."""

import base64
import math
import statistics
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.settings import Aggregate
from runtime.workers.backtest_job import BacktestOutcome

type State = Literal["complete", "pruned", "failed"]
STATES: Final[tuple[State, ...]] = ("complete", "pruned", "failed")
LIQUIDATED: Final = "liquidated: the equity did not cover the maintenance margin of its positions"


class Run(msgspec.Struct, frozen=True):
    """One run of a trial: every numeric figure of its summary by dotted path, or its error."""

    figures: dict[str, float | None] = {}
    error: str | None = None


class TrialResult(msgspec.Struct, frozen=True):
    """
    A finished trial, as the study remembers it.

    Parameters
    ----------
    state : {"complete", "pruned", "failed"}
        Pruned: it was stopped after the first part of the market.
    error : str, optional
        Why it failed, or why it is not feasible although it is complete: it was liquidated.
    objectives : tuple of float, optional
        In the order of the file; None where it failed or was pruned.
    violations : tuple of float
        By how much it breaks each constraint; 0 or less where it does not.
    first_part : float, optional
        The objective on the first part of the market, where there is pruning.
    figures : dict
        Every numeric figure of the summary by its dotted path, the mean over the runs; None where a run has none.
    runs : tuple of Run
        Each run, where there are several.
    warnings : tuple of str
        What a reader should know.
    stopped_by_risk : bool
        Whether a risk control ended the trading of a run.
    elapsed_s : float
        Seconds of all runs together.
    packed_times, packed_returns : str
        See `times_ns` and `returns`.

    """

    state: State
    error: str | None = None
    objectives: tuple[float, ...] | None = None
    violations: tuple[float, ...] = ()
    first_part: float | None = None
    figures: dict[str, float | None] = {}
    runs: tuple[Run, ...] = ()
    warnings: tuple[str, ...] = ()
    stopped_by_risk: bool = False
    elapsed_s: float = 0.0
    packed_times: str = ""
    packed_returns: str = ""

    @property
    def feasible(self) -> bool:
        """Whether it is complete, was not liquidated and keeps every constraint."""
        return self.state == "complete" and self.error is None and all(violation <= 0 for violation in self.violations)

    @property
    def times_ns(self) -> NDArray[np.int64]:
        """The ends of the intervals of the equity grid, UNIX ns."""
        return np.cumsum(_unpacked(self.packed_times, np.int64))

    @property
    def returns(self) -> NDArray[np.float64]:
        """The change of equity in each interval divided by the equity at the start, the mean over the runs."""
        return _unpacked(self.packed_returns, np.float64)


def finished_trial(
    sweep: LoadedSweep, outcomes: Sequence[BacktestOutcome], first_part: float | None, elapsed_s: float
) -> TrialResult:
    """Return the result of a trial whose runs on the whole market are done."""
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    several = len(outcomes) > 1
    runs = tuple(Run(figures_of(outcome.summary or {}), outcome.error) for outcome in outcomes)
    common: dict[str, Any] = {
        "first_part": first_part,
        "runs": runs if several else (),
        "warnings": tuple(dict.fromkeys(text for outcome in outcomes for text in outcome.warnings)),
        "stopped_by_risk": any(outcome.stopped_by_risk for outcome in outcomes),
        "elapsed_s": elapsed_s,
    }
    if errors:
        return TrialResult("failed", errors[0], **common)
    common |= {"figures": _means(runs), **_packed_returns(outcomes)}
    objectives = tuple(_aggregated(sweep, runs, wanted.key, wanted.sign) for wanted in sweep.settings.objectives)
    for wanted, value in zip(sweep.settings.objectives, objectives, strict=True):
        if value is None:
            why = next((str(o.summary.get(f"{wanted.key}_why")) for o in outcomes if o.summary), "")
            return TrialResult("failed", f"{wanted.key} could not be computed: {why}", **common)
    violations = tuple(
        constraint.violation(_aggregated(sweep, runs, constraint.key, -constraint.sign))
        for constraint in sweep.constraints
    )
    known = tuple(value for value in objectives if value is not None)
    liquidated = any((outcome.summary or {}).get("liquidation") for outcome in outcomes)
    return TrialResult("complete", LIQUIDATED if liquidated else None, known, violations, **common)


def objective_of(sweep: LoadedSweep, outcomes: Sequence[BacktestOutcome]) -> float | None:
    """Return the first objective of some runs; None where one of them does not have it."""
    wanted = sweep.settings.objectives[0]
    runs = [Run(figures_of(outcome.summary or {})) for outcome in outcomes]
    return _aggregated(sweep, runs, wanted.key, wanted.sign)


def figures_of(summary: dict[str, Any], prefix: str = "") -> dict[str, float | None]:
    """Return the numeric figures of a summary by their dotted paths; None where a figure could not be computed."""
    return dict(_flattened(summary, prefix))


def _flattened(summary: dict[str, Any], prefix: str) -> Iterator[tuple[str, float | None]]:
    for name, value in summary.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{name}.")
        elif isinstance(value, bool | str | list):
            continue
        elif value is not None:
            yield f"{prefix}{name}", float(value)
        elif f"{name}_why" in summary:
            yield f"{prefix}{name}", None


def _aggregated(sweep: LoadedSweep, runs: Sequence[Run], key: str, sign: int) -> float | None:
    """Return what a figure is for the whole trial; `sign` is +1 where more is better."""
    values = [run.figures.get(key) for run in runs]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    how: Aggregate = "mean" if sweep.settings.replicates is None else sweep.settings.replicates.aggregate
    if how == "median":
        return statistics.median(known)
    if how == "worst":
        return min(known, key=lambda value: sign * value)
    return math.fsum(known) / len(known)


def _means(runs: Sequence[Run]) -> dict[str, float | None]:
    means: dict[str, float | None] = {}
    for key in dict.fromkeys(key for run in runs for key in run.figures):
        values = [run.figures.get(key) for run in runs]
        known = [value for value in values if value is not None]
        means[key] = math.fsum(known) / len(known) if len(known) == len(values) else None
    return means


def _packed_returns(outcomes: Sequence[BacktestOutcome]) -> dict[str, str]:
    """Return the mean of the runs' returns, on the grid that all have in common."""
    times = outcomes[0].times_ns
    for outcome in outcomes[1:]:
        times = np.intersect1d(times, outcome.times_ns)
    rows = [outcome.returns[np.isin(outcome.times_ns, times)] for outcome in outcomes]
    returns = rows[0] if len(rows) == 1 else np.mean(rows, axis=0)
    return {"packed_times": _packed(np.diff(times, prepend=np.int64(0))), "packed_returns": _packed(returns)}


def _packed(values: NDArray[Any]) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes())).decode("ascii")


def _unpacked[T: np.generic](text: str, kind: type[T]) -> NDArray[T]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind) if text else np.empty(0, kind)

"""From the results of trials to the figures that say how much of the winner is luck."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from models.statistics import SECONDS_PER_YEAR, Figure, max_drawdown_pct
from models.validation.importance import groups_of, importance
from models.validation.luck import SHARPE_FIGURES, Luck, luck, why_too_short
from models.validation.overfitting import Overfitting
from models.validation.plateau import Axis, default_neighbours, distances, plateau_scores
from models.validation.ranks import average_ranks
from models.validation.sharpe_tests import effective_observations, probabilistic_sharpe, return_moments
from reports.sweeps.record import (
    Known,
    LuckRecord,
    Objective,
    Parameter,
    ParameterImportance,
    Plateau,
    Stitched,
    Trial,
)

type Floats = NDArray[np.float64]

DRAWN_HALVES: Final = 400
"""Combinations that the page draws; the probability counts all of them."""


def best_number(trials: Sequence[Trial], objective: Objective) -> int | None:
    """Return the number of the trial that is chosen: the best feasible one, the first of equals."""
    sign = 1.0 if objective.maximise else -1.0
    known = [trial for trial in trials if trial.feasible and trial.state == "complete" and _first(trial) is not None]
    best = max(known, key=lambda trial: (sign * (_first(trial) or 0.0), -trial.number), default=None)
    return None if best is None else best.number


def luck_of(
    returns: Mapping[int, Floats], winner: int, interval_secs: float, *, trials: int, adaptive: bool
) -> LuckRecord | None:
    """
    Return how much of a winner is luck.

    Parameters
    ----------
    returns : mapping
        By the number of the trial, on the same grid.
    winner : int
        The number of the one that was chosen.
    interval_secs : float
        The step of the grid.
    trials : int
        All that were made.
    adaptive : bool
        Whether the search went where it was lucky.

    Returns
    -------
    LuckRecord or None
        None when the winner has no returns.

    """
    rows = len(returns.get(winner, ()))
    columns = [number for number, row in returns.items() if len(row) == rows]
    if winner not in columns:
        return None
    table = np.column_stack([returns[number] for number in columns])
    found = luck(table, columns.index(winner), interval_secs, trials=max(trials, len(columns)), adaptive=adaptive)
    return _luck_record(found, interval_secs)


def _luck_record(found: Luck, interval_secs: float) -> LuckRecord:
    annual = float(np.sqrt(SECONDS_PER_YEAR / interval_secs))
    inside, outside = _halves(found.overfitting, annual)
    return LuckRecord(
        trials=found.trials,
        measured=found.measured,
        length_secs=found.length_secs,
        observations=found.observations,
        pbo_in_sample=inside,
        pbo_out_of_sample=outside,
        **{name: Known.of(getattr(found, name)) for name in (*SHARPE_FIGURES, "pbo")},
    )


def _halves(found: Overfitting | None, annual: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return evenly many of the combinations, annualised."""
    if found is None:
        return (), ()
    finite = np.flatnonzero(np.isfinite(found.in_sample) & np.isfinite(found.out_of_sample))
    places = finite[np.unique(np.linspace(0, len(finite) - 1, min(DRAWN_HALVES, len(finite))).round().astype(int))]
    inside, outside = found.in_sample[places] * annual, found.out_of_sample[places] * annual
    return tuple(inside.tolist()), tuple(outside.tolist())


def with_plateaus(trials: Sequence[Trial], parameters: Sequence[Parameter], objective: Objective) -> list[Trial]:
    """Return the trials of one search with their plateau scores; failed trials pull their neighbours down."""
    tried = [trial for trial in trials if trial.state != "pruned"]
    if not tried:
        return list(trials)
    sign = 1.0 if objective.maximise else -1.0
    values = [np.nan if (value := _first(trial)) is None else sign * value for trial in tried]
    axes = [Axis(item.scale, tuple(trial.parameters.get(item.path) for trial in tried)) for item in parameters]
    scores = sign * plateau_scores(values, distances(axes), default_neighbours(len(parameters)))
    found = {trial.number: float(score) for trial, score in zip(tried, scores, strict=True) if np.isfinite(score)}
    return [replace(trial, plateau=found.get(trial.number)) for trial in trials]


def plateau_of(trials: Sequence[Trial], winner: int, parameters: int, objective: Objective) -> Plateau:
    """Return what the winner's neighbourhood is worth; the trials have their plateau scores."""
    sign = 1.0 if objective.maximise else -1.0
    chosen = next(trial for trial in trials if trial.number == winner)
    values = [value for trial in trials if (value := _first(trial)) is not None]
    scored = [trial for trial in trials if trial.plateau is not None and trial.feasible]
    best = max(scored, key=lambda trial: (sign * (trial.plateau or 0.0), -trial.number), default=None)
    peak, middle = _first(chosen), float(np.median(values))
    neighbours = default_neighbours(parameters)
    if chosen.plateau is None:
        lost = Known(why=f"there are not {neighbours} trials around it, or more than half of them failed")
    elif peak is None or peak == middle:
        lost = Known(why="the winner is no better than the middle trial")
    else:
        lost = Known(value=(peak - chosen.plateau) / (peak - middle))
    return Plateau(
        winner=peak,
        neighbourhood=chosen.plateau,
        middle=middle,
        lost_share=lost,
        neighbours=neighbours,
        best_number=None if best is None else best.number,
    )


def importances(trials: Sequence[Trial], parameters: Sequence[Parameter]) -> tuple[ParameterImportance, ...]:
    """Return how much of the ranking of the trials each parameter explains, most first."""
    known = [trial for trial in trials if _first(trial) is not None]
    rows = []
    for parameter in parameters:
        groups = groups_of(tuple(trial.parameters.get(parameter.path) for trial in known))
        found = importance([_first(trial) or 0.0 for trial in known], groups) if known else None
        if found is not None:
            rows.append(ParameterImportance(label=parameter.label, share=found.share, p_value=found.p_value))
    return tuple(sorted(rows, key=lambda row: (-row.share, row.label)))


def stitched(returns: Sequence[Floats], interval_secs: float) -> Stitched:
    """Return the figures of test windows one after the other; nothing was chosen on them."""
    joined = np.concatenate(returns) if returns else np.empty(0)
    equity = 1.0 + np.concatenate([[0.0], np.cumsum(joined)])
    why = why_too_short(len(joined), interval_secs)
    moments = return_moments(joined) if why is None else None
    if moments is None:
        nothing = Figure(None, why or "equity did not vary")
        sharpe = psr = nothing
    else:
        moments = moments._replace(observations=effective_observations(joined))
        sharpe = Figure(moments.sharpe * float(np.sqrt(SECONDS_PER_YEAR / interval_secs)), None)
        psr = Figure(probabilistic_sharpe(moments), None)
    return Stitched(
        pnl_pct=100.0 * float(joined.sum()),
        sharpe=Known.of(sharpe),
        psr=Known.of(psr),
        max_drawdown_pct=Known.of(max_drawdown_pct(equity)),
    )


def beaten_share(winner_pct: float, random_pct: Sequence[float]) -> Known:
    """Return the share of random points that the winner did better than; equal ones count half."""
    if not random_pct:
        return Known(why="no random points were run")
    worse = sum(value < winner_pct for value in random_pct) + sum(value == winner_pct for value in random_pct) / 2
    return Known(value=worse / len(random_pct))


def rank_correlation(folds: Sequence[Sequence[Trial]]) -> Known:
    """Return the mean over the folds of the rank correlation between in sample and out of sample (Spearman)."""
    found = []
    for trials in folds:
        pairs = [(trial.values[0], trial.test_values[0]) for trial in trials if trial.values and trial.test_values]
        known = [pair for pair in pairs if None not in pair]
        inside, outside = (average_ranks([pair[side] or 0.0 for pair in known]) for side in (0, 1))
        if len(known) > 2 and np.ptp(inside) and np.ptp(outside):
            found.append(float(np.corrcoef(inside, outside)[0, 1]))
    if not found:
        return Known(why="too few random points were run in sample and out of sample")
    return Known(value=float(np.mean(found)))


def _first(trial: Trial) -> float | None:
    return trial.values[0] if trial.values else None

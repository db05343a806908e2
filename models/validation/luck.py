"""
How much of the best of many trials is luck, in one set of figures.

The figures rest on returns of equity on an even grid. Where the sample is too short to say anything, the figure is None
and says why.
"""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.statistics import MIN_INTERVALS, MIN_SECONDS, SECONDS_PER_YEAR, Figure
from models.validation.effective_trials import effective_trials
from models.validation.overfitting import Overfitting, overfitting
from models.validation.sharpe_tests import (
    ReturnMoments,
    deflated_sharpe,
    effective_observations,
    expected_max_sharpe,
    min_backtest_years,
    min_track_record,
    probabilistic_sharpe,
    return_moments,
)

type Floats = NDArray[np.float64]

BLOCKS: Final = 16
FEWEST_BLOCKS: Final = 6
FEWEST_ROWS_PER_BLOCK: Final = 10
MOST_ROWS: Final = 2_000
"""What the tests need of a long run: more rows say no more, and cost memory."""
SHARPE_FIGURES: Final = (
    "sharpe",
    "expected_best_sharpe",
    "psr",
    "skill",
    "dsr",
    "effective_trials",
    "dsr_effective",
    "min_track_record_secs",
    "min_backtest_secs",
)


@dataclass(frozen=True, slots=True)
class Luck:
    """
    What is left of the winner of a search.

    Parameters
    ----------
    trials : int
        All that were made, failed and pruned ones too.
    measured : int
        Those whose returns are known and vary.
    sharpe : Figure
        Of the winner, annualised (365 days).
    expected_best_sharpe : Figure
        What the best of so many trials without any skill is expected to show, annualised.
    psr : Figure
        How sure one may be that the winner's true ratio is above 0, had it been the only trial.
    skill : Figure
        The same, as the best of all trials: against `expected_best_sharpe`. The ratios of trials without skill differ
        by their error of estimate, and by less where trials repeat one another.
    dsr : Figure
        The deflated ratio as published: the ratios of trials without skill are taken to differ as much as those that
        were measured. Where trials differ in truth as well, and be it in how much they lose, it asks for more.
    effective_trials : Figure
        How many independent trials they amount to, by their mean correlation.
    dsr_effective : Figure
        `dsr` with that number.
    min_track_record_secs : Figure
        How long a sample would prove, at 95 %, a true ratio above 0 for the winner alone.
    min_backtest_secs : Figure
        How long a backtest must be so that luck alone is not expected to bring the winner's ratio.
    length_secs : float
        How long it is.
    observations : float
        Independent returns of the winner: less than there are intervals where they persist.
    overfitting : Overfitting, optional
        The best in one half of the time, seen in the other half.
    pbo : Figure
        Its probability.

    """

    trials: int
    measured: int
    sharpe: Figure
    expected_best_sharpe: Figure
    psr: Figure
    skill: Figure
    dsr: Figure
    effective_trials: Figure
    dsr_effective: Figure
    min_track_record_secs: Figure
    min_backtest_secs: Figure
    length_secs: float
    observations: float
    overfitting: Overfitting | None
    pbo: Figure


def luck(returns: ArrayLike, winner: int, interval_secs: float, *, trials: int, adaptive: bool = False) -> Luck:
    """
    Return how much of a search's winner is luck.

    Parameters
    ----------
    returns : array_like, shape (intervals, measured trials)
        Changes of equity of every trial on the same grid, finite.
    winner : int
        The column of the one that was chosen.
    interval_secs : float
        The step of the grid, above 0.
    trials : int
        All that were made, at least the number of columns: also those that failed or were given up.
    adaptive : bool
        Whether later trials were placed where earlier ones did well. Their ratios then lie together and their variance
        understates luck: it is taken to be at least that of independent trials, 1 / (n - 1).

    Raises
    ------
    ValueError
        For a table that is not finite, no such column, or more columns than trials.

    """
    table = np.asarray(returns, dtype=np.float64)
    if table.ndim != 2 or not np.isfinite(table).all():
        raise ValueError("returns were not a table of finite numbers")
    if not 0 <= winner < table.shape[1] <= trials:
        raise ValueError(f"winner {winner} of {table.shape[1]} columns and {trials} trials")
    found = [return_moments(column) for column in table.T]
    ratios = np.array([moments.sharpe for moments in found if moments is not None])
    observations = effective_observations(table[:, winner])
    own, why = found[winner], why_too_short(len(table), interval_secs)
    if why is None and own is None:
        why = "the winner's equity did not vary"
    if own is None or why is not None:
        figures = dict.fromkeys(SHARPE_FIGURES, Figure(None, why))
    else:
        own = own._replace(observations=observations)
        spread = _spread(table, ratios, trials, adaptive=adaptive)
        figures = _of_winner(own, trials, interval_secs, len(table) / observations)
        figures |= _of_best(own, trials, effective_trials(table), spread, interval_secs)
    pbo = _overfitting(table, interval_secs)
    return Luck(
        trials=trials,
        measured=len(ratios),
        length_secs=len(table) * interval_secs,
        observations=observations,
        overfitting=pbo if isinstance(pbo, Overfitting) else None,
        pbo=Figure(pbo.probability, None) if isinstance(pbo, Overfitting) else Figure(None, pbo),
        **figures,
    )


def why_too_short(intervals: int, interval_secs: float) -> str | None:
    """Return why so many intervals say nothing of a Sharpe ratio, None where they do."""
    if intervals < MIN_INTERVALS:
        return f"{intervals} intervals are fewer than {MIN_INTERVALS}"
    if intervals * interval_secs < MIN_SECONDS:
        return f"{intervals * interval_secs:g} s are less than an hour"
    return None


def coarsened(returns: ArrayLike, stride: int) -> Floats:
    """
    Return returns on a grid that is `stride` times as coarse; what does not fill a last step is left out.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Not compounded.
    stride : int
        At least 1.

    """
    values = np.asarray(returns, dtype=np.float64)
    rows = len(values) // stride
    return np.asarray(values[: rows * stride].reshape(rows, stride).sum(axis=1))


def stride_for(rows: int, most: int = MOST_ROWS) -> int:
    """Return how much coarser a grid must be to have at most `most` rows."""
    return max(1, math.ceil(rows / most))


class _Spread(NamedTuple):
    """Variances of the ratios of all trials: by luck alone, and as they were measured (None for fewer than two)."""

    by_luck: float
    measured: float | None


def _spread(table: Floats, ratios: Floats, trials: int, *, adaptive: bool) -> _Spread:
    if trials == 1:
        return _Spread(0.0, 0.0)
    counts = [effective_observations(column) for column in table.T if np.ptp(column) > 0]
    by_luck = float(np.mean([1.0 / max(count - 1.0, 1.0) for count in counts]))
    if len(ratios) < 2:
        return _Spread(by_luck, None)
    measured = float(ratios.var(ddof=1))
    return _Spread(by_luck, max(measured, by_luck)) if adaptive else _Spread(min(measured, by_luck), measured)


def _of_winner(own: ReturnMoments, trials: int, interval_secs: float, repeated: float) -> dict[str, Figure]:
    """Return what the winner's returns say on their own; of `repeated` intervals each is one observation."""
    annual = math.sqrt(SECONDS_PER_YEAR / interval_secs)
    figures = {"sharpe": Figure(own.sharpe * annual, None), "psr": Figure(probabilistic_sharpe(own), None)}
    record = min_track_record(own)
    if record is None:
        lengths = Figure(None, "the winner's Sharpe ratio is not above 0: no length would prove it")
        return figures | {"min_track_record_secs": lengths, "min_backtest_secs": lengths}
    backtest_secs = min_backtest_years(trials, own.sharpe * annual) * SECONDS_PER_YEAR
    return figures | {
        "min_track_record_secs": Figure(record * repeated * interval_secs, None),
        "min_backtest_secs": Figure(backtest_secs * repeated, None),
    }


def _of_best(
    own: ReturnMoments, trials: int, independent: float, spread: _Spread, interval_secs: float
) -> dict[str, Figure]:
    """Return what the same returns say when they were chosen among many."""
    annual = math.sqrt(SECONDS_PER_YEAR / interval_secs)
    figures = {
        "expected_best_sharpe": Figure(expected_max_sharpe(trials, spread.by_luck) * annual, None),
        "skill": Figure(deflated_sharpe(own, trials, spread.by_luck), None),
        "effective_trials": Figure(independent, None),
    }
    if spread.measured is None:
        why = "fewer than two trials have a Sharpe ratio"
        return figures | dict.fromkeys(("dsr", "dsr_effective"), Figure(None, why))
    return figures | {
        "dsr": Figure(deflated_sharpe(own, trials, spread.measured), None),
        "dsr_effective": Figure(deflated_sharpe(own, independent, spread.measured), None),
    }


def _overfitting(table: Floats, interval_secs: float) -> Overfitting | str:
    """Return the overfitting of the trials, or why it cannot be told."""
    rows, trials = table.shape
    if trials < 2:
        return "there is no choice among fewer than two trials"
    blocks = min(BLOCKS, rows // FEWEST_ROWS_PER_BLOCK // 2 * 2)
    if why := why_too_short(rows, interval_secs):
        return why
    if blocks < FEWEST_BLOCKS:
        return f"{rows} intervals are fewer than {FEWEST_BLOCKS} blocks of {FEWEST_ROWS_PER_BLOCK}"
    return overfitting(table, blocks)

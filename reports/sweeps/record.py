"""
What a sweep leaves behind, in its results folder: validation.json and points.parquet.

Everything a report says comes from these two files and `out_of_sample.parquet`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Meta
from numpy.typing import NDArray

from bad_input import BadInput
from models.statistics import Figure

type Scalar = bool | int | float | str | None
type Kind = Literal["trial", "random", "base"]
type State = Literal["complete", "pruned", "failed"]
type Floats = NDArray[np.float64]

RECORD_FILE = "validation.json"
TRIALS_FILE = "points.parquet"
CURVES_FILE = "out_of_sample.parquet"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The base of everything in validation.json."""


class Parameter(Record, frozen=True, kw_only=True):
    """
    A parameter that was searched.

    Parameters
    ----------
    path : str
        Where it stands in the setup.
    label : str
        How it is called on reports.
    scale : {"linear", "log", "rank", "category"}
        How far apart two of its values are.

    """

    path: str
    label: str
    scale: Literal["linear", "log", "rank", "category"]


class Objective(Record, frozen=True, kw_only=True):
    """What was sought: a figure of the summary, and whether more of it is better."""

    key: str
    maximise: bool


class Known(Record, frozen=True, kw_only=True):
    """A figure, or why there is none."""

    value: float | None = None
    why: str | None = None

    @classmethod
    def of(cls, figure: Figure) -> "Known":
        """Return a model's figure as a record."""
        return cls(value=figure.value, why=figure.why)


class LuckRecord(Record, frozen=True, kw_only=True):
    """How much of a winner is luck; the figures are those of `models.validation.luck.Luck`."""

    trials: int
    measured: int
    length_secs: float
    observations: float
    sharpe: Known
    expected_best_sharpe: Known
    psr: Known
    skill: Known
    dsr: Known
    effective_trials: Known
    dsr_effective: Known
    min_track_record_secs: Known
    min_backtest_secs: Known
    pbo: Known
    pbo_in_sample: tuple[float, ...] = ()
    """Sharpe ratios of the best of one half of the time, per combination (at most a few hundred), annualised."""
    pbo_out_of_sample: tuple[float, ...] = ()
    """The same trials in the other half."""


class Plateau(Record, frozen=True, kw_only=True):
    """
    What the winner's neighbourhood is worth, in the first objective.

    Parameters
    ----------
    winner, neighbourhood, middle : float or None
        The winner's value, its plateau score, and the median of all trials.
    lost_share : Known
        How much of the winner's lead over the middle is gone next to it: 0 on a plateau, 1 on a spike.
    neighbours : int
        How many trials the neighbourhood has besides the winner.
    best_number : int or None
        The trial with the best plateau score.

    """

    winner: float | None
    neighbourhood: float | None
    middle: float | None
    lost_share: Known
    neighbours: int
    best_number: int | None


class ParameterImportance(Record, frozen=True, kw_only=True):
    """How much of the ranking of all trials a parameter explains, and how often luck explains as much."""

    label: str
    share: float
    p_value: float


class FoldRecord(Record, frozen=True, kw_only=True):
    """
    One search, and the window it was tried on afterwards.

    Parameters
    ----------
    number : int
        From 0.
    train_start, train_end : str
        What the search saw, ISO 8601, UTC.
    test_start, test_end : str, optional
        What it did not see.
    winner : int, optional
        The number of the trial that was chosen; None when no trial could be.
    luck : LuckRecord, optional
        Of the winner, in sample.

    """

    number: int
    train_start: str
    train_end: str
    test_start: str | None = None
    test_end: str | None = None
    winner: int | None = None
    luck: LuckRecord | None = None
    plateau: Plateau | None = None


class Stitched(Record, frozen=True, kw_only=True):
    """
    Test windows, one after the other.

    Parameters
    ----------
    pnl_pct : float
        Trading profit in per cent of the equity at the start of each window, summed.
    sharpe, psr : Known
        Annualised, and how sure one may be that it is above 0 in truth.
    max_drawdown_pct : Known
        Of the stitched equity.

    """

    pnl_pct: float
    sharpe: Known
    psr: Known
    max_drawdown_pct: Known


class OutOfSample(Record, frozen=True, kw_only=True):
    """
    What the winners did where the search had not looked.

    Parameters
    ----------
    winner : Stitched
        The winner of each fold in its test window.
    base : Stitched, optional
        The setup as it stands in its file, in the same windows; None where a run of it failed.
    random_pnl_pct : tuple of float
        The same for random points: the first of each fold, the second of each fold, and so on.
    beaten_share : Known
        The share of them that the winner did better than.
    length_secs : float
        All test windows together.
    winner_train_pnl_pct_per_day, winner_test_pnl_pct_per_day : float
        What the winners earned per day in sample and out of sample.
    rank_correlation : Known
        Between the values of random points in sample and out of sample (Spearman), mean over the folds.

    """

    winner: Stitched
    base: Stitched | None
    random_pnl_pct: tuple[float, ...]
    beaten_share: Known
    length_secs: float
    winner_train_pnl_pct_per_day: float
    winner_test_pnl_pct_per_day: float
    rank_correlation: Known


class SweepRecord(Record, frozen=True, kw_only=True):
    """Everything that was done, and what came of it; see the fields of its parts."""

    sweep: str
    description: str
    run_id: str
    setup: str
    instruments: tuple[str, ...]
    currency: str
    start: str
    end: str
    interval_secs: float
    synthetic: bool
    reconstructed_quotes: bool
    warnings: tuple[str, ...]
    sampler: str
    adaptive: bool
    parameters: Annotated[tuple[Parameter, ...], Meta(min_length=1)]
    objectives: Annotated[tuple[Objective, ...], Meta(min_length=1)]
    constraints: tuple[str, ...]
    trials_before: int
    validation: dict[str, Any]
    folds: Annotated[tuple[FoldRecord, ...], Meta(min_length=1)]
    importance: tuple[ParameterImportance, ...]
    out_of_sample: OutOfSample | None
    out_of_sample_why: str | None
    manifest: dict[str, Any]

    @property
    def last(self) -> FoldRecord:
        """The fold whose winner would be traded next."""
        return self.folds[-1]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """
    One point: what it was, and what it did in sample and out of sample.

    Parameters
    ----------
    fold, number : int
        Which search it belongs to, and its place in it.
    kind : {"trial", "random", "base"}
        Of the search; drawn at random beside an adaptive search; or the setup as it stands in its file.
    state : {"complete", "pruned", "failed"}
        What became of it.
    feasible : bool
        Whether it kept the constraints.
    parameters : dict
        Value by path; a path is missing where the parameter did not apply.
    values, test_values : tuple of float or None
        The objectives in sample, and in the test window where it was run there.
    figures, test_figures : dict
        More figures of the summary.
    plateau : float or None
        Its plateau score in the first objective.
    error : str or None
        Why it failed.
    elapsed_s : float
        Wall-clock seconds.

    """

    fold: int
    number: int
    kind: Kind = "trial"
    state: State = "complete"
    feasible: bool = True
    parameters: dict[str, Scalar] = {}
    values: tuple[float | None, ...] = ()
    test_values: tuple[float | None, ...] = ()
    figures: dict[str, float | None] = {}
    test_figures: dict[str, float | None] = {}
    plateau: float | None = None
    error: str | None = None
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Curves:
    """
    Profit out of sample over time, in per cent, summed over the test windows.

    Parameters
    ----------
    ts_ns : ndarray of int64, shape (n,)
        UNIX nanoseconds.
    winner, base : ndarray, shape (n,)
        NaN where there is none.
    low, median, high : ndarray, shape (n,)
        The 10 %, 50 % and 90 % quantiles of random points.

    """

    ts_ns: NDArray[np.int64]
    winner: Floats
    base: Floats
    low: Floats
    median: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep as reports see it."""

    record: SweepRecord
    trials: tuple[Trial, ...]
    curves: Curves | None

    def of_fold(self, fold: int, *kinds: Kind) -> list[Trial]:
        """Return the rows of a fold, of the kinds asked for."""
        return [trial for trial in self.trials if trial.fold == fold and trial.kind in (kinds or ("trial",))]

    def winner(self, fold: FoldRecord) -> Trial | None:
        """Return the trial that was chosen in a fold."""
        return next((trial for trial in self.of_fold(fold.number) if trial.number == fold.winner), None)

    def base(self, fold: FoldRecord) -> Trial | None:
        """Return the row of the setup as it stands."""
        return next(iter(self.of_fold(fold.number, "base")), None)


def write_sweep(sweep: Sweep, folder: Path) -> None:
    """
    Write the files of a sweep into its results folder.

    Raises
    ------
    OSError
        If the disk does not take them.

    """
    content = msgspec.to_builtins(sweep.record)
    (folder / RECORD_FILE).write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    pq.write_table(trial_table(sweep), folder / TRIALS_FILE)
    if sweep.curves is not None:
        names = ("ts_ns", "winner", "base", "low", "median", "high")
        pq.write_table(pa.table({name: getattr(sweep.curves, name) for name in names}), folder / CURVES_FILE)


def trial_table(sweep: Sweep) -> pa.Table:
    """Return all trials as a table: `parameter:…`, `in_sample:…` and `out_of_sample:…` columns beside what they are."""
    plain = ("fold", "number", "kind", "state", "feasible", "plateau", "error", "elapsed_s")
    types = (pa.int64(), pa.int64(), pa.string(), pa.string(), pa.bool_(), pa.float64(), pa.string(), pa.float64())
    columns = {
        name: pa.array([getattr(trial, name) for trial in sweep.trials], kind)
        for name, kind in zip(plain, types, strict=True)
    }
    for parameter in sweep.record.parameters:
        values = [trial.parameters.get(parameter.path) for trial in sweep.trials]
        columns[f"parameter:{parameter.path}"] = _column(values)
    for place, objective in enumerate(sweep.record.objectives):
        for stage, name in (("in_sample", "values"), ("out_of_sample", "test_values")):
            found = [getattr(trial, name) for trial in sweep.trials]
            columns[f"{stage}:{objective.key}"] = _column([row[place] if row else None for row in found], pa.float64())
    for stage, name in (("in_sample", "figures"), ("out_of_sample", "test_figures")):
        keys = dict.fromkeys(key for trial in sweep.trials for key in getattr(trial, name))
        for key in keys:
            column = _column([getattr(trial, name).get(key) for trial in sweep.trials], pa.float64())
            columns.setdefault(f"{stage}:{key}", column)
    return pa.table(columns)


def _column(values: list[Any], kind: pa.DataType | None = None) -> pa.Array:
    """Return values as a column, as JSON texts where they are of several kinds."""
    kinds = {type(value) for value in values if value is not None}
    if kind is None and kinds == {int, float}:
        kind = pa.float64()
    if kind is None and len(kinds) > 1:
        values = [None if value is None else json.dumps(value) for value in values]
    return pa.array(values, kind)


def read_sweep(folder: Path) -> Sweep:
    """
    Read the files of a sweep.

    Raises
    ------
    BadInput
        If the folder holds no sweep, or a file does not say what it should.

    """
    file = folder / RECORD_FILE
    try:
        record = msgspec.json.decode(file.read_bytes(), type=SweepRecord)
    except FileNotFoundError:
        raise BadInput(f"holds no {RECORD_FILE}: not the results of a sweep", file=folder) from None
    except msgspec.MsgspecError as error:
        raise BadInput(str(error), file=file) from None
    try:
        trials = tuple(_trial(row, record) for row in pq.read_table(folder / TRIALS_FILE).to_pylist())
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise BadInput(f"could not be read: {error}", file=folder / TRIALS_FILE) from None
    return Sweep(record, trials, _curves(folder / CURVES_FILE))


def _trial(row: dict[str, Any], record: SweepRecord) -> Trial:
    paths = [parameter.path for parameter in record.parameters]
    keys = [objective.key for objective in record.objectives]
    return Trial(
        fold=row["fold"],
        number=row["number"],
        kind=row["kind"],
        state=row["state"],
        feasible=row["feasible"],
        parameters={path: row[f"parameter:{path}"] for path in paths if row[f"parameter:{path}"] is not None},
        values=tuple(row[f"in_sample:{key}"] for key in keys),
        test_values=tuple(row[f"out_of_sample:{key}"] for key in keys),
        figures=_figures(row, "in_sample:"),
        test_figures=_figures(row, "out_of_sample:"),
        plateau=row["plateau"],
        error=row["error"],
        elapsed_s=row["elapsed_s"],
    )


def _figures(row: dict[str, Any], prefix: str) -> dict[str, float | None]:
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}


def _curves(file: Path) -> Curves | None:
    if not file.exists():
        return None
    table = pq.read_table(file)
    floats = (np.asarray(table[name], np.float64) for name in ("winner", "base", "low", "median", "high"))
    return Curves(np.asarray(table["ts_ns"], np.int64), *floats)

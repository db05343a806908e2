"""From everything that was run to what the report of a sweep shows."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from models.validation.luck import SHARPE_FIGURES, coarsened, stride_for
from reports.sweeps.record import (
    Curves,
    FoldRecord,
    Known,
    Objective,
    OutOfSample,
    Parameter,
    Stitched,
    Sweep,
    SweepRecord,
    Trial,
)
from reports.sweeps.verdict import verdict
from runtime.market_data import iso_time
from runtime.prepare import PreparedBacktest
from runtime.setup.overrides import parse_path
from runtime.setup.tree import KeyPath, plain
from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.results import what_results_depend_on
from runtime.sweep.space import Parameter as SearchedParameter
from runtime.sweep.space import Point
from runtime.sweep.trial import TrialResult
from runtime.validation.earlier import EarlierTrials
from runtime.validation.judge import (
    beaten_share,
    importances,
    luck_of,
    plateau_of,
    rank_correlation,
    stitched,
    with_plateaus,
)
from runtime.validation.walk import WalkedFold, is_adaptive
from runtime.validation.windows import MICROSECOND, Window

type Floats = NDArray[np.float64]

KEPT_FIGURES: Final = (
    "pnl_trading",
    "sharpe_trading",
    "max_drawdown_pct",
    "fills",
    "turnover",
    "pnl_parts.spread",
    "pnl_parts.inventory",
    "pnl_parts.fees",
)
"""Figures of each point that its table has besides the objectives."""
_DAY_NS: Final = 86_400_000_000_000


@dataclass(frozen=True)
class Assembly:
    """
    What a report needs of a sweep, from its folds.

    Parameters
    ----------
    sweep : LoadedSweep
        The sweep over its whole period.
    base : PreparedBacktest
        The setup over it.
    walked : sequence of WalkedFold
        What was run, in order of time.
    earlier : EarlierTrials
        Trials of earlier sweeps on these data.
    run_id : str
        Names the results folder.

    """

    sweep: LoadedSweep
    base: PreparedBacktest
    walked: Sequence[WalkedFold]
    earlier: EarlierTrials
    run_id: str

    def sweep_report(self) -> Sweep:
        """Return the sweep as its report sees it."""
        rows = [trial for walked in self.walked for trial in self._rows(walked)]
        found, why = self._out_of_sample(rows)
        record = self._record(rows, found, why)
        return Sweep(record, tuple(rows), None if found is None else self._curves())

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters as the report calls them."""
        labels = self.sweep.space.labels()
        return tuple(
            Parameter(path=parameter.path, label=label, scale=_scale(parameter))
            for parameter, label in zip(self.sweep.space.parameters, labels, strict=True)
        )

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What was sought."""
        return tuple(Objective(key=goal.key, maximise=goal.sign > 0) for goal in self.sweep.settings.objectives)

    @property
    def stride(self) -> int:
        """How many steps of the equity grid one return of the figures is."""
        lengths = [len(result.returns) for walked in self.walked for result in walked.results.values()]
        return stride_for(max(lengths, default=0))

    @property
    def interval_secs(self) -> float:
        """The step of the returns of the figures."""
        return float(self.base.loaded.setup.ledger.interval_secs * self.stride)

    # -- points -------------------------------------------------------------------------------------------------------

    def _rows(self, walked: WalkedFold) -> list[Trial]:
        """Return the points of a fold: the trials, points that were drawn beside them, and the setup as it stands."""
        tests = {item.number: item.test for item in walked.random if item.test is not None}
        if walked.winner is not None and walked.winner_test is not None:
            tests[walked.winner] = walked.winner_test
        trials = [
            self._trial(walked, number, walked.plan.points[number], result, tests.get(number))
            for number, result in walked.results.items()
        ]
        trials = with_plateaus(trials, self.parameters, self.objectives[0])
        drawn = [
            replace(self._trial(walked, item.number, item.point, item.train, item.test), kind="random")
            for item in walked.random
            if item.number >= walked.plan.size
        ]
        as_it_stands = tuple(
            value_at(self.sweep.base.tree.values, parse_path(parameter.path, parameter.path))
            for parameter in self.parameters
        )
        base = self._trial(walked, -1, as_it_stands, walked.base_train, walked.base_test)
        return [*trials, *drawn, replace(base, kind="base")]

    def _trial(
        self, walked: WalkedFold, number: int, point: Point, train: TrialResult, test: TrialResult | None
    ) -> Trial:
        named = zip(self.parameters, point, strict=True)
        return Trial(
            fold=walked.fold.number,
            number=number,
            state=train.state,
            feasible=train.feasible,
            parameters={parameter.path: value for parameter, value in named if value is not None},
            values=train.objectives or (),
            test_values=() if test is None else test.objectives or (),
            figures=_kept(train),
            test_figures={} if test is None else _kept(test),
            error=train.error or (None if test is None else test.error),
            elapsed_s=train.elapsed_s + (0.0 if test is None else test.elapsed_s),
        )

    # -- folds --------------------------------------------------------------------------------------------------------

    def _fold(self, walked: WalkedFold, rows: list[Trial]) -> FoldRecord:
        trials = [trial for trial in rows if trial.fold == walked.fold.number and trial.kind == "trial"]
        start, end = _ends(walked.fold.train)
        record = FoldRecord(number=walked.fold.number, train_start=start, train_end=end)
        if walked.fold.test is not None:
            start, end = _ends(walked.fold.test)
            record = replace(record, test_start=start, test_end=end)
        if walked.winner is None:
            return record
        returns = {number: self._returns(result) for number, result in walked.results.items() if _has_returns(result)}
        luck = luck_of(
            returns,
            walked.winner,
            self.interval_secs,
            trials=walked.plan.size + self._trials_before,
            adaptive=is_adaptive(self.sweep),
        )
        plateau = plateau_of(trials, walked.winner, len(self.parameters), self.objectives[0])
        return replace(record, winner=walked.winner, luck=luck, plateau=plateau)

    @property
    def _trials_before(self) -> int:
        return self.earlier.count + self.sweep.settings.validation.trials_before

    def _returns(self, result: TrialResult) -> Floats:
        return coarsened(result.returns, self.stride)

    # -- out of sample ------------------------------------------------------------------------------------------------

    def _out_of_sample(self, rows: list[Trial]) -> tuple[OutOfSample | None, str | None]:
        if self.walked[0].fold.test is None:
            return None, "the sweep has no validation: all of the period was searched"
        chosen = [walked for walked in self.walked if walked.winner is not None]
        if not chosen:
            return None, "no fold has a winner"
        for walked in chosen:
            if walked.winner_test is None or not _has_returns(walked.winner_test):
                error = walked.winner_test.error if walked.winner_test else "it was not run"
                return None, f"the winner of fold {walked.fold.number + 1} failed in its test window: {error}"
        winner = stitched([self._winner_returns(walked) for walked in self.walked], self.interval_secs)
        random_pct = tuple(100.0 * float(np.sum(path)) for path in self._random_paths())
        tests = [walked.fold.test for walked in self.walked if walked.fold.test is not None]
        trained = [100.0 * float(walked.results[walked.winner or 0].returns.sum()) for walked in chosen]
        return OutOfSample(
            winner=winner,
            base=self._base(),
            random_pnl_pct=random_pct,
            beaten_share=beaten_share(winner.pnl_pct, random_pct),
            length_secs=sum(_length_ns(test) for test in tests) / 1e9,
            winner_train_pnl_pct_per_day=sum(trained) * _DAY_NS / sum(_length_ns(w.fold.train) for w in chosen),
            winner_test_pnl_pct_per_day=winner.pnl_pct * _DAY_NS / sum(_length_ns(test) for test in tests),
            rank_correlation=rank_correlation(
                [[trial for trial in rows if trial.fold == w.fold.number and trial.kind != "base"] for w in self.walked]
            ),
        ), None

    def _winner_returns(self, walked: WalkedFold) -> Floats:
        """Return what the winner earned in the test window; without a winner nobody traded."""
        if walked.winner_test is not None:
            return self._returns(walked.winner_test)
        return np.zeros(len(self._grid(walked)))

    def _base(self) -> Stitched | None:
        tests = [walked.base_test for walked in self.walked]
        if any(test is None or not _has_returns(test) for test in tests):
            return None
        return stitched([self._returns(test) for test in tests if test is not None], self.interval_secs)

    def _random_paths(self) -> list[Floats]:
        """Return the returns of the first random point of each fold, of the second of each, and so on."""
        by_fold = [
            [
                self._returns(item.test)
                for item in walked.random
                if item.test is not None and len(self._returns(item.test)) == len(self._grid(walked))
            ]
            for walked in self.walked
        ]
        return [np.concatenate(parts) for parts in zip(*by_fold, strict=False)]

    def _grid(self, walked: WalkedFold) -> NDArray[np.int64]:
        """Return the ends of the intervals of the test window, ns: those of the first run that has any."""
        runs = [walked.winner_test, walked.base_test, *(item.test for item in walked.random)]
        found = next((run for run in runs if run is not None and _has_returns(run)), None)
        return np.empty(0, np.int64) if found is None else found.times_ns[self.stride - 1 :: self.stride]

    def _curves(self) -> Curves:
        times = np.concatenate([self._grid(walked) for walked in self.walked])
        winner = np.concatenate([self._winner_returns(walked) for walked in self.walked])
        base = [walked.base_test for walked in self.walked]
        nothing = np.full(len(times), np.nan)
        paths = np.cumsum(self._random_paths() or [nothing], axis=1)
        low, median, high = 100.0 * np.quantile(paths, [0.1, 0.5, 0.9], axis=0)
        whole = self._base() is not None
        stands = np.concatenate([self._returns(test) for test in base if test is not None]) if whole else nothing
        return Curves(times, 100.0 * np.cumsum(winner), 100.0 * np.cumsum(stands), low, median, high)

    # -- all of it ----------------------------------------------------------------------------------------------------

    def _record(self, rows: list[Trial], found: OutOfSample | None, why: str | None) -> SweepRecord:
        setup, data = self.base.loaded.setup, self.base.data
        last = self.walked[-1].fold.number
        trials = [trial for trial in rows if trial.fold == last and trial.kind == "trial"]
        return SweepRecord(
            sweep=self.sweep.file.name,
            description=self.sweep.file.description,
            run_id=self.run_id,
            setup=setup.name,
            instruments=setup.instruments,
            currency=setup.ledger.currency or str(data.instruments[0].quote_currency),
            start=iso_time(data.start_ns),
            end=iso_time(data.end_ns),
            interval_secs=self.interval_secs,
            synthetic=data.synthetic,
            reconstructed_quotes=data.reconstructed,
            warnings=tuple(self._warnings()),
            sampler=self.sweep.settings.sampler.kind,
            adaptive=is_adaptive(self.sweep),
            parameters=self.parameters,
            objectives=self.objectives,
            constraints=self.sweep.settings.constraints,
            trials_before=self._trials_before,
            validation=msgspec.to_builtins(self.sweep.settings.validation),
            folds=tuple(self._fold(walked, rows) for walked in self.walked),
            importance=importances(trials, self.parameters),
            out_of_sample=found,
            out_of_sample_why=why,
            manifest={
                "sweep": self.sweep.file.as_dict(),
                "sweep_sha256": self.sweep.sha256(),
                "setup": setup.as_dict(),
                "setup_sha256": setup.sha256(),
                "depends_on": what_results_depend_on(self.base),
                "command": ["run_backtest.py", *sys.argv[1:]],
            },
        )

    def _warnings(self) -> list[str]:
        found = list(self.base.data.warnings)
        if self.earlier.count:
            found.append(f"Counted in: {self.earlier} of this name on these data, each of them a chance to be lucky.")
        missed = [str(walked.fold.number + 1) for walked in self.walked if walked.winner is None]
        if missed and len(missed) < len(self.walked):
            found.append(f"No trial kept the constraints in fold {', '.join(missed)}: nothing was traded after it.")
        return found


def value_at(values: Any, path: KeyPath) -> Any:
    """Return the scalar at a path of a setup, None where it is left out or not a scalar."""
    for part in path:
        known = part in values if isinstance(values, dict) else isinstance(values, list) and part < len(values)  # type: ignore[operator]
        if not known:
            return None
        values = values[part]
    value = plain(values)
    return value if isinstance(value, bool | int | float | str) else None


def _scale(parameter: SearchedParameter) -> Any:
    if parameter.span is not None:
        return "log" if parameter.span.log else "linear"
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in parameter.values or ())
    return "rank" if numbers else "category"


def _kept(result: TrialResult) -> dict[str, float | None]:
    return {name: result.figures[name] for name in KEPT_FIGURES if name in result.figures}


def _has_returns(result: TrialResult) -> bool:
    return bool(result.packed_returns) and bool(np.isfinite(result.returns).all())


def _ends(window: Window) -> tuple[str, str]:
    """Return the first moment of a window and the one after its last."""
    return iso_time(window.start_ns), iso_time(window.end_ns + MICROSECOND)


def _length_ns(window: Window) -> int:
    return window.end_ns + MICROSECOND - window.start_ns


def luck_summary(sweep: Sweep) -> dict[str, Any]:
    """Return the verdict and the figures it rests on, for sweep.json; all of it is in validation.json."""
    record, found = sweep.record, verdict(sweep)
    luck, out = record.last.luck, record.out_of_sample
    figures: dict[str, Any] = {"verdict": found.level.value, "sentence": found.sentence}
    for name in (*SHARPE_FIGURES, "pbo") if luck is not None else ():
        _put(figures, name, getattr(luck, name))
    figures["trials"] = None if luck is None else luck.trials
    figures["folds"] = len(record.folds)
    if out is None:
        return figures | {"out_of_sample": None, "out_of_sample_why": record.out_of_sample_why}
    tried: dict[str, Any] = {"pnl_pct": out.winner.pnl_pct, "secs": out.length_secs}
    for name, known in (("sharpe", out.winner.sharpe), ("psr", out.winner.psr), ("beats_random", out.beaten_share)):
        _put(tried, name, known)
    tried["base_pnl_pct"] = None if out.base is None else out.base.pnl_pct
    return figures | {"out_of_sample": tried}


def _put(target: dict[str, Any], name: str, known: Known) -> None:
    target[name] = known.value
    if known.value is None:
        target[f"{name}_why"] = known.why

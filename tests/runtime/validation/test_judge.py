"""From results of trials to figures: against scipy, brute force and points of known neighbourhoods."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from reports.sweeps.record import Objective, Parameter, Trial
from runtime.validation.judge import (
    beaten_share,
    best_number,
    importances,
    luck_of,
    plateau_of,
    rank_correlation,
    stitched,
    with_plateaus,
)

MOST, LEAST = Objective(key="pnl", maximise=True), Objective(key="pnl", maximise=False)
WIDTH = Parameter(path="width", label="width", scale="linear")


def trials_of(*values: float | None) -> list[Trial]:
    return [
        Trial(fold=0, number=i, parameters={"width": i}, values=() if value is None else (value,),
              state="failed" if value is None else "complete", feasible=value is not None)
        for i, value in enumerate(values)
    ]  # fmt: skip


@pytest.mark.parametrize(("objective", "best"), [(MOST, 1), (LEAST, 0)])
def test_the_first_of_the_best_is_chosen(objective: Objective, best: int) -> None:
    assert best_number(trials_of(1.0, 3.0, None, 3.0, 1.0), objective) == best


def test_a_trial_that_breaks_a_constraint_is_not_chosen() -> None:
    broken = Trial(fold=0, number=0, values=(9.0,), feasible=False)
    assert best_number([broken], MOST) is None
    assert best_number([broken, *trials_of(None, 1.0)[1:]], MOST) == 1


@pytest.mark.parametrize("objective", [MOST, LEAST])
def test_a_spike_loses_its_lead(objective: Objective) -> None:
    sign = 1.0 if objective.maximise else -1.0
    heights = [0.0, 9.0, 0.0, 0.0, 2.0, 3.0, 3.5, 3.0, 2.0, 0.0, 0.0, 0.0]
    trials = with_plateaus(trials_of(*(sign * height for height in heights)), [WIDTH], objective)
    found = plateau_of(trials, 1, 1, objective)
    assert found.winner == sign * 9.0
    assert found.neighbourhood == pytest.approx(0.0)
    assert found.middle == sign * 1.0
    assert found.lost_share.value == pytest.approx(9 / 8)
    assert found.best_number in (5, 6, 7)


def test_failed_neighbours_count_and_pruned_ones_do_not() -> None:
    trials = trials_of(1.0, None, None, None, 5.0, 5.0)
    assert with_plateaus(trials, [WIDTH], MOST)[0].plateau is None
    pruned = [
        t if t.values else Trial(fold=0, number=t.number, state="pruned", parameters=t.parameters) for t in trials
    ]
    assert [t.plateau for t in with_plateaus(pruned, [WIDTH], MOST)] == [
        None
    ] * 6  # three are no neighbourhood of three
    assert with_plateaus([], [WIDTH], MOST) == []


def test_few_trials_have_no_plateau() -> None:
    found = plateau_of(with_plateaus(trials_of(1.0, 2.0), [WIDTH], MOST), 1, 1, MOST)
    assert found.lost_share.value is None
    assert "3 trials" in found.lost_share.why


def test_the_parameter_that_decides_stands_first() -> None:
    random = np.random.default_rng(1)
    other = Parameter(path="other", label="other", scale="linear")
    trials = [
        Trial(fold=0, number=i, parameters={"width": int(width), "other": int(place)}, values=(float(width + noise),))
        for i, (width, place, noise) in enumerate(
            zip(random.integers(4, size=80), random.integers(4, size=80), random.normal(0, 0.3, 80), strict=True)
        )
    ]
    found = importances(trials, [other, WIDTH])
    assert [row.label for row in found] == ["width", "other"]
    assert found[0].share > 0.8 > 0.2 > found[1].share
    assert importances([], [WIDTH]) == ()


def test_windows_are_summed_one_after_the_other() -> None:
    random = np.random.default_rng(2)
    windows = [random.normal(1e-5, 1e-4, 120) for _ in range(3)]
    joined = np.concatenate(windows)
    found = stitched(windows, 60.0)
    equity = 1 + np.concatenate([[0], np.cumsum(joined)])
    drawdown = max((equity[:i].max() - equity[i]) / equity[:i].max() for i in range(1, len(equity)))
    assert found.pnl_pct == pytest.approx(100 * joined.sum(), abs=1e-12)
    assert found.sharpe.value == pytest.approx(joined.mean() / joined.std(ddof=1) * np.sqrt(365 * 1440), rel=1e-9)
    assert found.max_drawdown_pct.value == pytest.approx(100 * drawdown, rel=1e-9)
    assert 0 < found.psr.value < 1


@pytest.mark.parametrize("returns", [[], [np.zeros(100)], [np.ones(10)]])
def test_windows_that_say_nothing_say_why(returns: list[np.ndarray]) -> None:
    found = stitched(returns, 60.0)
    assert found.sharpe.value is None
    assert found.sharpe.why


def test_equal_points_are_beaten_by_half() -> None:
    assert beaten_share(2.0, [1.0, 2.0, 3.0, 0.0]).value == 2.5 / 4
    assert beaten_share(2.0, []).value is None


def test_rank_correlation_is_spearmans_mean_over_folds() -> None:
    random = np.random.default_rng(3)
    tables = [random.normal(size=(20, 2)) for _ in range(2)]
    folds = [[Trial(fold=0, number=0, values=(a,), test_values=(b,)) for a, b in table.tolist()] for table in tables]
    expected = np.mean([spearmanr(table).statistic for table in tables])
    assert rank_correlation(folds).value == pytest.approx(expected, abs=1e-9)
    assert rank_correlation([folds[0][:2]]).value is None


def test_returns_on_another_grid_are_left_out() -> None:
    random = np.random.default_rng(4)
    returns = {number: random.normal(size=200) for number in range(5)} | {5: random.normal(size=150)}
    found = luck_of(returns, 2, 60.0, trials=9, adaptive=False)
    assert (found.trials, found.measured) == (9, 5)
    assert len(found.pbo_in_sample) == len(found.pbo_out_of_sample) == 400
    assert luck_of(returns, 7, 60.0, trials=9, adaptive=False) is None

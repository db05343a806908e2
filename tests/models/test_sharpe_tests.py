"""Sharpe ratios that were chosen among many: against scipy, statsmodels and the numbers of the papers."""

import math

import numpy as np
import pytest
from scipy import stats

from models.validation import sharpe_tests as tested

PAPER = tested.ReturnMoments(1250, 2.5 / math.sqrt(250), -3.0, 10.0)
"""Five years of daily returns at an annual Sharpe ratio of 2.5: the example of the deflated Sharpe ratio."""


@pytest.fixture(params=[3, 40, 1000])
def returns(request):
    return np.random.default_rng(request.param).standard_t(5, request.param) * 1e-4 + 2e-5


def test_moments_are_those_of_scipy(returns):
    found = tested.return_moments(returns)
    assert found.observations == len(returns)
    assert found.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1), rel=1e-12)
    assert found.skewness == pytest.approx(stats.skew(returns), rel=1e-9)
    assert found.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False), rel=1e-9)


@pytest.mark.parametrize("returns_", [[], [0.1, 0.2], [0.0] * 50, [0.1] * 50])
def test_returns_that_do_not_vary_have_no_moments(returns_):
    assert tested.return_moments(returns_) is None


def test_returns_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="finite"):
        tested.return_moments([0.1, math.nan, 0.2])


@pytest.mark.parametrize(("trials", "expected"), [(100, 0.9004), (46, 0.9505)])
def test_the_papers_deflated_ratios(trials, expected):
    assert tested.deflated_sharpe(PAPER, trials, 0.5 / 250) == pytest.approx(expected, abs=5e-5)


def test_the_papers_normal_returns_stand_88_trials():
    normal = PAPER._replace(skewness=0.0, kurtosis=3.0)
    assert tested.deflated_sharpe(normal, 88, 0.5 / 250) == pytest.approx(0.9505, abs=5e-5)


@pytest.mark.parametrize("benchmark", [-0.1, 0.0, 0.05])
def test_the_probability_is_that_of_the_formula(returns, benchmark):
    moments = tested.return_moments(returns)
    ratio, skew, kurt = returns.mean() / returns.std(ddof=1), stats.skew(returns), stats.kurtosis(returns) + 3
    error = np.sqrt((1 - skew * ratio + (kurt - 1) / 4 * ratio**2) / (len(returns) - 1))
    expected = stats.norm.cdf((ratio - benchmark) / error)
    assert tested.probabilistic_sharpe(moments, benchmark) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("trials", [1, 1.3, 2, 45, 46, 1000, 123_456.7])
def test_the_expected_maximum_is_that_of_the_formula(trials):
    euler = 0.577215664901532860606512090082
    highest, beyond = stats.norm.ppf(1 - 1 / trials), stats.norm.ppf(1 - 1 / (trials * math.e))
    expected = max(0.0, (1 - euler) * highest + euler * beyond) if trials > 1 else 0.0
    assert tested.expected_max_of_normals(trials) == pytest.approx(expected, abs=1e-9)
    assert tested.expected_max_sharpe(trials, 0.04) == pytest.approx(0.2 * expected, abs=1e-9)


def test_the_expected_maximum_is_near_the_mean_of_maxima():
    drawn = np.random.default_rng(1).normal(size=(4_000, 50)).max(axis=1)
    assert tested.expected_max_of_normals(50) == pytest.approx(drawn.mean(), rel=0.02)  # it is an approximation


def test_less_than_one_trial_is_refused():
    with pytest.raises(ValueError, match="trials was 0"):
        tested.expected_max_of_normals(0)


def test_the_track_record_is_just_long_enough():
    moments = PAPER._replace(observations=float("nan"))
    length = tested.min_track_record(moments, 0.05, 0.99)
    assert tested.probabilistic_sharpe(moments._replace(observations=length), 0.05) == pytest.approx(0.99, abs=1e-9)


def test_no_track_record_proves_what_is_not_there():
    assert tested.min_track_record(PAPER, PAPER.sharpe) is None


def test_five_years_are_too_short_for_more_than_45_trials():
    assert tested.min_backtest_years(45) < 5.0 < tested.min_backtest_years(46)
    assert tested.min_backtest_years(45, 2.0) == pytest.approx(tested.min_backtest_years(45) / 4, rel=1e-12)


@pytest.mark.parametrize("trials", [2, 45, 1000])
def test_the_minimum_length_keeps_the_bound_of_the_paper(trials):
    assert tested.min_backtest_years(trials, 1.5) < 2 * np.log(trials) / 1.5**2


@pytest.mark.parametrize(("persistence", "count"), [(0.6, 500), (0.9, 2000)])
def test_returns_that_persist_count_for_less_as_statsmodels_has_it(persistence, count):
    from statsmodels.api import OLS

    noise = np.random.default_rng(2).normal(size=count)
    values = np.empty(count)
    values[0] = noise[0]
    for i in range(1, count):
        values[i] = persistence * values[i - 1] + noise[i]
    lags = int(4 * (count / 100) ** (2 / 9))
    fit = OLS(values, np.ones(count)).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
    expected = values.var() / float(fit.cov_params()[0, 0])
    assert tested.effective_observations(values) == pytest.approx(expected, rel=1e-9)
    assert expected < count / 2


@pytest.mark.parametrize("values", [np.tile([1.0, -1.0], 100), np.zeros(7), np.array([1.0, 2.0]), np.array([])])
def test_returns_that_swing_back_or_stand_still_count_once(values):
    assert tested.effective_observations(values) == len(values)

"""How much of a winner is luck: nothing is found in noise, and a planted edge is."""

import numpy as np
import pytest

from models.statistics import SECONDS_PER_YEAR
from models.validation.effective_trials import effective_trials
from models.validation.luck import SHARPE_FIGURES, coarsened, luck, stride_for
from models.validation.overfitting import overfitting
from models.validation.sharpe_tests import deflated_sharpe, effective_observations, return_moments

MINUTE = 60.0


def best(returns):
    return int(np.argmax(returns.mean(axis=0) / returns.std(axis=0, ddof=1)))


def noise(rows=1440, trials=200, seed=1):
    return np.random.default_rng(seed).standard_t(4, (rows, trials)) * 1e-4


def test_the_best_of_200_trials_on_noise_looks_great_and_is_nothing():
    returns = noise()
    found = luck(returns, best(returns), MINUTE, trials=200)
    assert found.sharpe.value > 40  # of a day in minutes, annualised: what a brochure would print
    assert found.psr.value > 0.99  # as if nothing else had been tried
    assert found.dsr.value < 0.8
    assert found.skill.value < 0.8
    assert found.pbo.value > 0.3
    assert found.min_backtest_secs.value > 0.8 * found.length_secs


def test_a_planted_edge_is_found_among_200_trials():
    returns = noise()
    returns[:, 57] += 0.2 * returns.std()
    found = luck(returns, best(returns), MINUTE, trials=200)
    assert best(returns) == 57
    assert found.dsr.value > 0.99
    assert found.skill.value > 0.99
    assert found.pbo.value < 0.05
    assert found.min_backtest_secs.value < 0.5 * found.length_secs


@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_noise_passes_as_seldom_as_the_level_says(slope):
    """Also where most trials lose in truth, each another amount."""
    passed = 0
    for seed in range(100):
        returns = noise(rows=59, trials=50, seed=seed)  # too few rows for overfitting, which takes long
        returns -= slope * np.linspace(0, 1, 50) * returns.std()
        found = luck(returns, best(returns), 3600.0, trials=50)
        passed += found.skill.value > 0.95
        assert found.dsr.value <= found.skill.value
    assert passed <= 8


def test_an_edge_that_many_trials_have_in_part_is_found():
    """As published, the deflated ratio takes the differences between good and bad trials for luck."""
    returns = noise(trials=60, seed=7)
    returns += 0.3 * np.maximum(0.0, 1.0 - np.abs(np.linspace(-3, 3, 60))) * returns.std()
    found = luck(returns, best(returns), MINUTE, trials=60)
    assert found.skill.value > 0.99
    assert found.dsr.value < found.skill.value


def test_the_figures_are_those_of_the_parts():
    returns = noise(trials=20, seed=3)
    winner = best(returns)
    moments = return_moments(returns[:, winner])._replace(observations=effective_observations(returns[:, winner]))
    ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    found = luck(returns, winner, MINUTE, trials=33)
    assert found.sharpe.value == pytest.approx(ratios[winner] * np.sqrt(SECONDS_PER_YEAR / MINUTE), rel=1e-9)
    assert found.dsr.value == pytest.approx(deflated_sharpe(moments, 33, ratios.var(ddof=1)), abs=1e-9)
    few = deflated_sharpe(moments, effective_trials(returns), ratios.var(ddof=1))
    assert found.dsr_effective.value == pytest.approx(few, abs=1e-9)
    assert found.pbo.value == overfitting(returns, 16).probability


def test_failed_trials_count():
    returns = noise(trials=20)
    winner = best(returns)
    assert luck(returns, winner, MINUTE, trials=500).dsr.value < luck(returns, winner, MINUTE, trials=20).dsr.value


def test_a_search_that_climbs_its_own_luck_is_not_believed():
    """Trials near a lucky one repeat its luck: their ratios hardly differ, as if there were no luck at all."""
    random = np.random.default_rng(4)
    lucky = noise(trials=400, seed=5)
    returns = lucky[:, [best(lucky)]] + 0.05 * random.normal(size=(1440, 200)) * 1e-4
    winner = best(returns)
    assert luck(returns, winner, MINUTE, trials=600).dsr.value > 0.95
    honest = luck(returns, winner, MINUTE, trials=600, adaptive=True)
    assert honest.dsr.value == honest.skill.value < 0.8


def test_returns_that_persist_prove_less():
    returns = noise(trials=10)
    slow = np.repeat(returns[::6], 6, axis=0)[:1440]
    winner = best(slow)
    found = luck(slow, winner, MINUTE, trials=10)
    assert found.observations < 500
    assert found.psr.value < luck(slow, winner, MINUTE * 6, trials=10).psr.value + 1e-12


@pytest.mark.parametrize(("rows", "interval", "why"), [(20, 3600.0, "fewer than 30"), (300, 10.0, "less than an hour")])
def test_too_short_a_sample_says_nothing(rows, interval, why):
    found = luck(noise(rows, 5), 0, interval, trials=5)
    for name in (*SHARPE_FIGURES, "pbo"):
        assert getattr(found, name).value is None
        assert why in getattr(found, name).why


def test_a_winner_that_never_traded_says_why():
    returns = noise(trials=3)
    returns[:, 1] = 0.0
    found = luck(returns, 1, MINUTE, trials=3)
    assert found.dsr == (None, "the winner's equity did not vary")
    assert found.measured == 2


def test_one_trial_was_not_chosen():
    found = luck(noise(trials=1, seed=8), 0, MINUTE, trials=1)
    assert found.dsr == found.skill == found.psr
    assert found.pbo.value is None


def test_one_measured_trial_of_many_tells_nothing_of_luck():
    found = luck(noise(trials=1), 0, MINUTE, trials=9)
    assert found.dsr.value is None
    assert "two trials" in found.dsr.why
    assert 0 < found.skill.value < found.psr.value


def test_a_loser_needs_no_length():
    found = luck(-np.abs(noise(trials=2)) + noise(trials=2, seed=2), 0, MINUTE, trials=2)
    assert found.sharpe.value < 0
    assert found.min_track_record_secs.value is None
    assert found.min_backtest_secs.value is None


@pytest.mark.parametrize("rows", [59, 69])
def test_overfitting_needs_rows(rows):
    found = luck(noise(rows, 3), 0, 3600.0, trials=3)
    assert (found.pbo.value is None) == (rows < 60)


@pytest.mark.parametrize(("winner", "trials"), [(3, 3), (-1, 3), (0, 2)])
def test_no_such_trial(winner, trials):
    with pytest.raises(ValueError, match="3 columns"):
        luck(noise(100, 3), winner, MINUTE, trials=trials)


def test_a_coarser_grid_sums_returns():
    np.testing.assert_allclose(coarsened([0.1, -0.2, 0.3, 0.4, 0.5], 2), [-0.1, 0.7])
    assert [stride_for(rows) for rows in (0, 2000, 2001, 8640)] == [1, 1, 2, 5]

"""The probability of backtest overfitting, and how many trials a search amounts to, against brute force."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import rankdata

from models.validation.effective_trials import effective_trials
from models.validation.overfitting import overfitting


def brute_force(returns, blocks):
    """Return logits, the chosen trials and their ratios, one combination after the other."""
    pieces = np.array_split(np.asarray(returns), blocks)
    logits, best, inside, outside = [], [], [], []
    for chosen in combinations(range(blocks), blocks // 2):
        train = np.concatenate([pieces[i] for i in chosen])
        test = np.concatenate([pieces[i] for i in range(blocks) if i not in chosen])
        in_sample = train.mean(axis=0) / train.std(axis=0, ddof=1)
        out_of_sample = test.mean(axis=0) / test.std(axis=0, ddof=1)
        n = int(np.argmax(in_sample))
        share = rankdata(out_of_sample)[n] / (returns.shape[1] + 1)
        logits.append(np.log(share / (1 - share)))
        best.append(n)
        inside.append(in_sample[n])
        outside.append(out_of_sample[n])
    return np.array(logits), best, inside, outside


@pytest.mark.parametrize(("rows", "trials", "blocks"), [(40, 2, 2), (83, 5, 6), (200, 30, 8), (123, 7, 10)])
def test_it_is_what_brute_force_finds(rows, trials, blocks):
    returns = np.random.default_rng(rows).normal(1e-3, 0.01, (rows, trials))
    logits, best, inside, outside = brute_force(returns, blocks)
    found = overfitting(returns, blocks)
    np.testing.assert_allclose(found.logits, logits, atol=1e-9)
    np.testing.assert_array_equal(found.best, best)
    np.testing.assert_allclose(found.in_sample, inside, atol=1e-9)
    np.testing.assert_allclose(found.out_of_sample, outside, atol=1e-9)
    assert found.probability == np.mean(logits <= 0)
    assert found.loss_probability == np.mean(np.array(outside) < 0)


def test_many_combinations_keep_their_order():
    returns = np.random.default_rng(3).normal(size=(150, 4))
    np.testing.assert_allclose(overfitting(returns, 14).logits, brute_force(returns, 14)[0], atol=1e-9)


def test_a_real_edge_is_not_overfitted():
    returns = np.random.default_rng(4).normal(size=(1600, 50))
    returns[:, 17] += 0.25
    found = overfitting(returns)
    assert found.probability == 0.0
    assert (found.best == 17).all()


def test_noise_is_below_the_middle_as_often_as_above():
    drawn = [overfitting(np.random.default_rng(seed).normal(size=(320, 40)), 8).probability for seed in range(40)]
    assert 0.4 < np.mean(drawn) < 0.65


def test_trials_that_never_traded_share_their_rank():
    returns = np.zeros((40, 3))
    found = overfitting(returns, 4)
    assert found.probability == 1.0  # in the very middle: nothing was chosen
    np.testing.assert_array_equal(found.logits, np.zeros(6))
    np.testing.assert_array_equal(found.out_of_sample, np.zeros(6))


def test_a_trial_that_never_traded_is_between_gain_and_loss():
    returns = np.random.default_rng(5).normal(size=(400, 3)) * 1e-3 + [[1e-3, -1e-3, 0.0]]
    returns[:, 2] = 0.0
    assert (overfitting(returns, 4).best == 0).all()
    assert (overfitting(returns[:, 1:], 4).best == 1).all()


@pytest.mark.parametrize(
    ("shape", "blocks", "problem"),
    [((40, 1), 4, "two trials"), ((40, 3), 5, "even"), ((40, 3), 22, "even"), ((7, 3), 4, "fewer than two per block")],
)
def test_what_cannot_be_split_is_refused(shape, blocks, problem):
    with pytest.raises(ValueError, match=problem):
        overfitting(np.ones(shape), blocks)


@pytest.mark.parametrize("common", [0.0, 0.7, 3.0])
def test_effective_trials_are_those_of_the_mean_correlation(common):
    random = np.random.default_rng(6)
    returns = random.normal(size=(300, 12)) + common * random.normal(size=(300, 1))
    table = np.corrcoef(returns.T)
    mean = table[np.triu_indices(12, 1)].mean()
    idle = np.column_stack([returns, np.full(300, 0.1)])
    assert effective_trials(returns) == pytest.approx(min(12, mean + (1 - mean) * 12), abs=1e-9)
    assert effective_trials(idle) == pytest.approx(effective_trials(returns), abs=1e-9)


@pytest.mark.parametrize("returns", [np.zeros((10, 4)), np.tile(np.arange(10.0)[:, None], 5), np.empty((0, 3))])
def test_copies_and_idle_trials_are_one(returns):
    assert effective_trials(returns) == pytest.approx(1.0, abs=1e-9)


def test_trials_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="finite"):
        effective_trials([[np.nan, 1.0]])

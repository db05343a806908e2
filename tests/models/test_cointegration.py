"""Tests of cointegration against statsmodels, against their definition, and on prices with nothing in common."""

import math

import numpy as np
import pytest

from models.pairs.engle_granger import both_ways, engle_granger
from models.pairs.johansen import johansen
from models.pairs.mackinnon import cointegration_p_values, unit_root_p_values
from models.pairs.unit_root import dickey_fuller


def walks(seed: int, bars: int, assets: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(0.0, 0.01, (bars, assets)), axis=0) + 3.0


def all_pairs(assets: int) -> np.ndarray:
    return np.column_stack(np.triu_indices(assets, 1))


@pytest.fixture(scope="module")
def mixed() -> np.ndarray:
    """Return walks, a pair that keeps together, one that nearly is the same, and gaps with a memory of their own."""
    rng = np.random.default_rng(4)
    table = walks(4, 300, 6)
    table[:, 1] = 0.5 * table[:, 0] + rng.normal(0, 0.01, 300)
    table[:, 2] = table[:, 0] + 5e-3 * walks(5, 300, 1)[:, 0]
    memory = np.convolve(rng.normal(0, 0.01, 308), [1, 0.5, -0.4, 0.3, 0.6, -0.2, 0.1, 0.5, 0.4], mode="valid")
    table[:, 3] = 2.0 * table[:, 4] + memory
    return table


@pytest.mark.parametrize(("criterion", "max_lag"), [("aic", None), ("bic", None), ("aic", 3), ("none", 4), ("none", 0)])
def test_tests_are_those_of_statsmodels(mixed, criterion, max_lag):
    from statsmodels.tsa.stattools import coint

    pairs = np.vstack([all_pairs(6)[[0, 1, 4, 9, 12, 14]], [[1, 0], [4, 3]]])
    found = engle_granger(mixed, pairs, max_lag=max_lag, criterion=criterion)
    for i, (y, x) in enumerate(pairs):
        expected = coint(mixed[:, y], mixed[:, x], maxlag=max_lag, autolag=None if criterion == "none" else criterion)
        assert found.t[i] == pytest.approx(expected[0], abs=1e-9)
        assert found.p[i] == pytest.approx(expected[1], abs=1e-9)
    assert criterion == "none" or max_lag is not None or len(set(found.lags.tolist())) > 2


def test_p_values_are_those_of_statsmodels():
    from statsmodels.tsa.adfvalues import mackinnonp

    t = np.array([-30.0, -18.9, -18.8, -7.0, -3.34, -2.63, -2.62, -2.61, -1.0, 0.0, 0.9, 0.93, 5.0])
    np.testing.assert_allclose(cointegration_p_values(t), [mackinnonp(v, "c", 2) for v in t], atol=1e-14)
    np.testing.assert_allclose(unit_root_p_values(t), [mackinnonp(v, "c", 1) for v in t], atol=1e-14)
    assert math.isnan(cointegration_p_values(math.nan))


@pytest.mark.parametrize("max_lag", [None, 0, 5])
def test_the_unit_root_test_of_one_series_is_that_of_statsmodels(mixed, max_lag):
    from statsmodels.tsa.stattools import adfuller

    for values in (mixed[:, 0], mixed[:, 3] - 2.0 * mixed[:, 4], mixed[:, 1] - 0.5 * mixed[:, 0] + 40.0):
        found = dickey_fuller(values, max_lag)
        t, p, lags, *_ = adfuller(values, maxlag=max_lag, regression="c", autolag="AIC", result_object=False)
        assert (found.t, found.p) == pytest.approx((t, p), abs=1e-9)
        assert found.lags == lags


@pytest.mark.parametrize(
    ("values", "max_lag"), [(np.arange(19.0), None), (np.ones(30), None), (np.arange(30.0), 14), ([math.nan] * 30, 1)]
)
def test_the_unit_root_test_refuses_what_it_cannot_test(values, max_lag):
    with pytest.raises(ValueError, match=r"expected|finite"):
        dickey_fuller(values, max_lag)


def test_the_regression_is_least_squares_and_blocks_do_not_show(mixed, monkeypatch):
    pairs = all_pairs(6)
    found = engle_granger(mixed, pairs)
    slope, intercept = np.polyfit(mixed[:, 5], mixed[:, 3], 1)
    row = pairs.tolist().index([3, 5])
    assert (found.beta[row], found.intercept[row]) == pytest.approx((slope, intercept), rel=1e-9)
    monkeypatch.setattr("models.pairs.engle_granger._BLOCK_VALUES", 4 * len(mixed))
    np.testing.assert_allclose(engle_granger(mixed, pairs).t, found.t, rtol=1e-13)


def test_both_ways_takes_the_better_order_and_the_worse_p_value(mixed):
    pairs = all_pairs(6)
    there, back = engle_granger(mixed, pairs), engle_granger(mixed, pairs[:, ::-1])
    found, swapped = both_ways(mixed, pairs)
    np.testing.assert_array_equal(found.p, np.maximum(there.p, back.p))
    np.testing.assert_array_equal(found.t, np.minimum(there.t, back.t))
    np.testing.assert_array_equal(found.beta, np.where(swapped, back.beta, there.beta))
    assert 0 < swapped.sum() < len(pairs)


@pytest.fixture(scope="module")
def unrelated() -> np.ndarray:
    """Return 100 prices that have nothing to do with each other."""
    return walks(0, 500, 100)


def test_of_unrelated_prices_as_many_pass_as_the_level_says(unrelated):
    """Pairs that share an asset pass together, so the share varies by much more than that of independent tests."""
    found = engle_granger(unrelated, all_pairs(100))
    assert 0.03 < np.mean(found.p < 0.05) < 0.08
    assert np.mean(found.p < 0.01) < 0.02
    tested_both_ways, _ = both_ways(unrelated, all_pairs(100))
    assert np.mean(tested_both_ways.p < 0.05) < np.mean(found.p < 0.05)


def test_tested_on_returns_unrelated_prices_all_seem_to_keep_together(unrelated):
    """The mistake: returns revert whatever the prices do."""
    found = engle_granger(np.diff(unrelated, axis=0), all_pairs(100))
    assert found.p.max() < 0.01


def test_what_is_the_same_or_does_not_move_is_not_tested():
    table = np.column_stack([walks(1, 60, 2), np.full(60, 2.0)])
    table = np.column_stack([table, table[:, 0], 0.3 * table[:, 0] + 1.0])
    found = engle_granger(table, [[0, 1], [0, 3], [0, 4], [2, 0], [0, 2], [2, 2]])
    assert np.isnan(found.t).tolist() == [False, True, True, True, True, True]
    assert np.isnan(found.p).tolist() == [False, True, True, True, True, True]


def test_a_gap_that_follows_from_its_past_leaves_the_others_alone():
    """A pure wave is explained by two lags without rest: there is nothing to test it by."""
    table = np.column_stack([walks(1, 64, 3), np.sin(np.arange(64) * np.pi / 2)])
    alone = engle_granger(table, [[0, 1], [1, 2]], max_lag=4)
    found = engle_granger(table, [[0, 1], [3, 2], [1, 2]], max_lag=4)
    np.testing.assert_allclose(found.t[[0, 2]], alone.t, rtol=1e-12)


def test_no_pairs_are_no_tests():
    assert len(engle_granger(walks(1, 30, 2), np.empty((0, 2), int)).t) == 0


@pytest.mark.parametrize(
    ("levels", "pairs", "max_lag"),
    [
        (np.zeros((19, 2)), [[0, 1]], None),
        (np.zeros(30), [[0, 1]], None),
        (np.full((30, 2), np.nan), [[0, 1]], None),
        (np.zeros((30, 2)), [[0, 2]], None),
        (np.zeros((30, 2)), [[-1, 0]], None),
        (np.zeros((30, 2)), [0, 1], None),
        (np.zeros((30, 2)), [[0, 1]], 15),
        (np.zeros((30, 2)), [[0, 1]], -1),
    ],
)
def test_what_cannot_be_tested_is_refused(levels, pairs, max_lag):
    with pytest.raises(ValueError, match=r"expected|finite"):
        engle_granger(levels, pairs, max_lag=max_lag)


# -- Johansen ----------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")  # raised by statsmodels 0.15 with numpy 2.5
@pytest.mark.parametrize("lags", [1, 3])
def test_johansen_is_that_of_statsmodels(mixed, lags):
    from statsmodels.tsa.vector_ar.vecm import coint_johansen

    table = mixed[:, [3, 4, 5]]
    found, expected = johansen(table, lags), coint_johansen(table, 0, lags)
    assert found.trace == pytest.approx(expected.trace_stat, rel=1e-8)
    assert found.largest == pytest.approx(expected.max_eig_stat, rel=1e-8)
    np.testing.assert_array_equal(found.trace_critical, expected.trace_stat_crit_vals)
    np.testing.assert_array_equal(found.largest_critical, expected.max_eig_stat_crit_vals)
    ratios, theirs = found.relations / found.relations[0], (expected.evec / expected.evec[0]).real
    assert ratios == pytest.approx(theirs, rel=1e-6)


def test_johansen_without_lags_is_the_canonical_correlation_of_steps_and_levels(mixed):
    """By angles between subspaces; statsmodels 0.15 takes the level after the step when there are no lags."""
    table = mixed[:, 3:6]
    step, level = (np.linalg.qr(part - part.mean(axis=0))[0] for part in (np.diff(table, axis=0), table[:-1]))
    cosines = np.linalg.svd(step.T @ level)[1]
    assert johansen(table, 0).largest == pytest.approx(-len(step) * np.log(1 - cosines**2), rel=1e-8)


def test_johansen_tells_how_many_relations_there_are():
    rng = np.random.default_rng(9)
    trend = walks(9, 1_500, 1)[:, 0]
    y, x = 0.8 * trend + rng.normal(0, 0.005, 1_500), trend + rng.normal(0, 0.005, 1_500)
    together = johansen(np.column_stack([y, x]))
    assert together.rank() == 1
    assert together.beta() == pytest.approx(0.8, abs=0.03)
    assert johansen(walks(10, 1_500, 2)).rank(99) == 0
    assert johansen(rng.normal(0, 1, (300, 2))).rank() == 2


@pytest.mark.parametrize("levels", [np.zeros((30, 1)), np.zeros((15, 2)), np.full((30, 2), np.inf), np.zeros(30)])
def test_johansen_refuses_what_it_cannot_test(levels):
    with pytest.raises(ValueError, match=r"expected|finite"):
        johansen(levels)

"""Weights and covariances, held against general-purpose optimisers, sums written out, and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from models.portfolio.covariance import ledoit_wolf, sample_covariance, simple_returns
from models.portfolio.rules import PRICE_RULES, weights_from_prices
from models.portfolio.weights import (
    bayes_stein_means,
    equal_weights,
    inverse_volatility,
    minimum_variance,
    naive_return_weights,
    risk_contributions,
    risk_parity,
)

SKLEARN_SHRINKAGE = 0.11220499896188212
SKLEARN_COVARIANCE = [
    9.867510084824214e-05, 2.1592110753243608e-05, -2.994533855254189e-05,
    2.1592110753243608e-05, 0.0001608873380778644, -0.00012670269793542746,
    -2.994533855254189e-05, -0.00012670269793542746, 0.0011480927759562796,
]  # fmt: skip
"""What sklearn.covariance.ledoit_wolf gives for the returns of its test."""


def returns_of(seed: int, periods: int = 60, assets: int = 5) -> np.ndarray:
    """Return correlated returns of very different volatilities."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(assets, assets)) * rng.uniform(0.2, 3.0, assets)[:, None]
    return 0.01 * rng.normal(size=(periods, assets)) @ mixing.T


seeds = st.integers(0, 10_000)


@pytest.mark.parametrize(
    ("means", "weights"),
    [([0.1, 0.3], [0.25, 0.75]), ([-0.1, 0.3, 0.1], [0.0, 0.75, 0.25]), ([-0.1, 0.0], [0.0, 0.0])],
)
def test_naive_weights_are_means_above_zero_over_their_sum(means, weights):
    assert naive_return_weights(np.array(means)) == pytest.approx(weights)


def test_inverse_volatility_and_equal_weights():
    covariance = np.array([[0.04, 0.01], [0.01, 0.16]])

    assert inverse_volatility(covariance) == pytest.approx([2 / 3, 1 / 3])
    assert equal_weights(4) == pytest.approx([0.25] * 4)


@given(seed=seeds, assets=st.integers(2, 8))
@settings(max_examples=25, deadline=None)
def test_risk_parity_gives_every_asset_the_same_share_of_the_risk(seed, assets):
    covariance = ledoit_wolf(returns_of(seed, assets=assets))[0]

    weights = risk_parity(covariance)

    contributions = risk_contributions(weights, covariance)
    assert weights.sum() == pytest.approx(1.0)
    assert contributions == pytest.approx(np.full(assets, contributions.mean()), rel=1e-8)
    assert contributions.sum() == pytest.approx(np.sqrt(weights @ covariance @ weights))


def test_risk_parity_is_the_minimum_that_a_general_optimiser_finds():
    covariance = sample_covariance(returns_of(3)) / 1e-4

    def objective(log_x: np.ndarray) -> float:
        x = np.exp(log_x)
        return 0.5 * x @ covariance @ x - log_x.mean()

    found = np.exp(minimize(objective, np.zeros(5), method="BFGS", options={"gtol": 1e-10}).x)

    assert risk_parity(covariance) == pytest.approx(found / found.sum(), rel=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_minimum_variance_is_the_minimum_that_a_general_optimiser_finds(seed):
    covariance = ledoit_wolf(returns_of(seed, assets=6))[0] / 1e-4
    budget = {"type": "eq", "fun": lambda w: w.sum() - 1.0}
    found = minimize(
        lambda w: w @ covariance @ w, np.full(6, 1 / 6), jac=lambda w: 2 * covariance @ w, method="SLSQP",
        bounds=[(0, 1)] * 6, constraints=[budget], options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip

    weights = minimum_variance(covariance)

    assert weights.sum() == pytest.approx(1.0)
    assert weights.min() >= 0.0
    assert weights == pytest.approx(found.x, abs=2e-5)
    assert weights @ covariance @ weights <= found.fun * (1 + 1e-9)


def test_minimum_variance_without_a_binding_bound_is_the_closed_form():
    covariance = np.array([[0.04, 0.002], [0.002, 0.09]])
    free = np.linalg.solve(covariance, np.ones(2))

    assert minimum_variance(covariance) == pytest.approx(free / free.sum())


@given(seed=seeds, periods=st.integers(2, 40), assets=st.integers(2, 6))
@settings(max_examples=25, deadline=None)
def test_ledoit_wolf_is_the_sum_that_the_paper_writes(seed, periods, assets):
    returns = returns_of(seed, periods, assets)
    x = returns - returns.mean(axis=0)
    sample = sum(np.outer(row, row) for row in x) / periods
    mu = np.trace(sample) / assets
    distance = np.sum((sample - mu * np.eye(assets)) ** 2) / assets
    noise = sum(np.sum((np.outer(row, row) - sample) ** 2) for row in x) / (assets * periods**2)

    shrunk, shrinkage = ledoit_wolf(returns)

    assert shrinkage == pytest.approx(min(noise, distance) / distance, rel=1e-9)
    assert shrunk == pytest.approx((1 - shrinkage) * sample + shrinkage * mu * np.eye(assets), rel=1e-9)


def test_ledoit_wolf_is_that_of_scikit_learn():
    returns = np.sin(np.arange(36.0) ** 2).reshape(12, 3) * [0.01, 0.02, 0.05]

    shrunk, shrinkage = ledoit_wolf(returns)

    assert shrinkage == pytest.approx(SKLEARN_SHRINKAGE, rel=1e-12)
    assert shrunk.ravel() == pytest.approx(SKLEARN_COVARIANCE, rel=1e-12)


def test_shrinkage_is_nearer_to_the_truth_than_the_sample():
    truth = np.diag([1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5])
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(50):
        returns = rng.normal(size=(15, 8)) * np.sqrt(truth.diagonal())
        estimates = ledoit_wolf(returns)[0], sample_covariance(returns)
        errors.append([np.sum((estimate - truth) ** 2) for estimate in estimates])
    shrunk, sample = np.mean(errors, axis=0)

    assert shrunk < 0.5 * sample


def test_bayes_stein_means_are_the_formula_written_out():
    returns = returns_of(5, periods=30, assets=3) + 0.001
    means = returns.mean(axis=0)
    precision = np.linalg.inv(np.cov(returns.T, ddof=0) * 30 / (30 - 3 - 2))
    middle = sum(precision @ means) / precision.sum()
    distance = sum((means[i] - middle) * precision[i, j] * (means[j] - middle) for i in range(3) for j in range(3))
    shrinkage = 5 / (5 + 30 * distance)

    shrunk, found = bayes_stein_means(returns)

    assert found == pytest.approx(shrinkage)
    assert shrunk == pytest.approx(means + shrinkage * (middle - means))
    assert np.ptp(shrunk) < np.ptp(means)


def test_means_of_noise_are_shrunk_nearly_to_one_value():
    returns = np.random.default_rng(2).normal(size=(500, 6))

    assert bayes_stein_means(returns)[1] > 0.4


@pytest.mark.parametrize("rule", PRICE_RULES)
def test_every_rule_gives_weights_that_do_not_depend_on_the_unit_of_the_prices(rule):
    prices = 100 * np.cumprod(1 + returns_of(8, assets=4) / 4, axis=0)

    weights = weights_from_prices(rule, prices)

    assert weights.min() >= 0.0
    assert weights.sum() == pytest.approx(1.0)
    assert weights_from_prices(rule, prices * [1e-6, 1.0, 1e4, 7.0]) == pytest.approx(weights, rel=1e-8)


def test_returns_are_those_of_one_period():
    assert simple_returns(np.array([[1.0, 4.0], [2.0, 3.0]])) == pytest.approx(np.array([[1.0, -0.25]]))


@pytest.mark.parametrize(
    ("rule", "prices", "problem"),
    [
        ("inverse_volatility", [[1.0, 1.0], [1.0, 2.0], [1.0, 1.0]], "never moved"),
        ("risk_parity", [[1.0, 1.0], [1.1, 2.0]], "expected at least 2"),
        ("shrunk_returns", [[1.0, 1.0], [1.1, 2.0], [1.0, 1.0]], "expected at least 5"),
    ],
)
def test_prices_that_give_no_weights_are_refused(rule, prices, problem):
    with pytest.raises(ValueError, match=problem):
        weights_from_prices(rule, np.array(prices))


def test_a_covariance_without_inverse_has_no_minimum_variance():
    with pytest.raises(ValueError, match="positive definite"):
        minimum_variance(np.array([[1.0, -1.0], [-1.0, 1.0]]))

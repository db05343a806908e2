"""Hedge ratios and mean reversion against closed forms, numpy's decompositions and simulated pairs."""

import math

import numpy as np
import pytest

from models.pairs.hedge_ratio import ols_ratio, tls_ratio
from models.pairs.kalman_ratio import KalmanRatio
from models.pairs.ornstein_uhlenbeck import OrnsteinUhlenbeck, fit_ornstein_uhlenbeck

BETA, INTERCEPT, HALF_LIFE, SD, BARS = 0.8, 0.3, 40.0, 0.01, 6_000
SEEDS = range(12)


def reverting(rng, bars=BARS, half_life=HALF_LIFE, sd=SD, columns=1) -> np.ndarray:
    """Return paths of an Ornstein-Uhlenbeck process, exactly sampled."""
    from scipy.signal import lfilter

    b = 0.5 ** (1 / half_life)
    noise = rng.normal(size=(bars, columns)) * sd * math.sqrt(1 - b * b)
    noise[0] /= math.sqrt(1 - b * b)
    return lfilter([1.0], [1.0, -b], noise, axis=0)


def pair(seed: int, noise_in_both: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return logarithms of prices y and x that keep together: y = INTERCEPT + BETA x + a gap that reverts."""
    rng = np.random.default_rng(seed)
    trend = 2.0 + np.cumsum(rng.normal(0.0, 0.004, BARS))
    gaps = reverting(rng, columns=2)
    y = INTERCEPT + BETA * trend + gaps[:, 0]
    return y, trend + (gaps[:, 1] if noise_in_both else 0.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_ratio_is_recovered_within_four_standard_errors(seed):
    y, x = pair(seed)
    found = ols_ratio(y, x)
    assert abs(found.beta - BETA) < 4 * found.beta_error
    y, x = pair(seed, noise_in_both=True)
    found = tls_ratio(y, x)
    assert abs(found.beta - BETA) < 4 * found.beta_error


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_the_filter_finds_a_fixed_ratio_and_knows_how_well(seed):
    y, x = pair(seed)
    b = 0.5 ** (1 / HALF_LIFE)
    kalman = KalmanRatio(drift=0.0, gap_variance=SD**2 * (1 + b) / (1 - b), initial_variance=10.0)
    for prices in zip(y.tolist(), x.tolist(), strict=True):
        kalman.update(*prices)
    assert abs(kalman.beta - BETA) < 4 * kalman.beta_error
    assert kalman.beta_error < 0.2


def test_stated_errors_are_those_that_repetition_shows():
    for ratio, in_both in ((ols_ratio, False), (tls_ratio, True)):
        found = [ratio(*pair(seed, in_both)) for seed in range(100, 160)]
        scaled = [(one.beta - BETA) / one.beta_error for one in found]
        assert 0.7 < math.sqrt(np.mean(np.square(scaled))) < 1.4


def test_ols_is_least_squares():
    y, x = pair(1)
    expected = np.linalg.lstsq(np.column_stack([np.ones_like(x), x]), y)[0]
    found = ols_ratio(y, x)
    assert (found.intercept, found.beta) == pytest.approx(tuple(expected), abs=1e-11)
    assert found.gap(y[7], x[7]) == pytest.approx(y[7] - expected[0] - expected[1] * x[7], abs=1e-11)


def test_total_least_squares_is_the_smallest_singular_vector_and_swaps():
    y, x = pair(2)
    centred = np.column_stack([x - x.mean(), y - y.mean()])
    normal = np.linalg.svd(centred, full_matrices=False)[2][-1]
    found = tls_ratio(y, x)
    assert found.beta == pytest.approx(-normal[0] / normal[1], rel=1e-10)
    assert tls_ratio(x, y).beta == pytest.approx(1 / found.beta, rel=1e-10)
    assert tls_ratio(-y, x).beta == pytest.approx(-found.beta, rel=1e-10)


@pytest.mark.parametrize("ratio", [ols_ratio, tls_ratio])
@pytest.mark.parametrize(
    ("y", "x"), [([1, 2], [1, 2]), ([1, 2, 3], [1, 2]), ([1, 2, math.nan], [1, 2, 3]), ([1, 2, 3], [2, 2, 2])]
)
def test_ratios_refuse_what_has_no_ratio(ratio, y, x):
    with pytest.raises(ValueError, match=r"expected|finite"):
        ratio(y, x)


def test_total_least_squares_refuses_uncorrelated_prices():
    with pytest.raises(ValueError, match="uncorrelated"):
        tls_ratio([1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0])


def test_a_perfect_relation_has_no_error():
    assert ols_ratio([3.0, 5.0, 7.0], [1.0, 2.0, 3.0]).beta_error == 0.0


# -- Kalman filter -----------------------------------------------------------------------------------------------------


def test_the_filter_is_the_mean_of_all_states_given_all_observations():
    """The walk of the state and the observations are jointly normal: condition on them at once."""
    rng = np.random.default_rng(5)
    count, drift, gap_variance, initial = 12, 0.02, 0.3, 2.0
    x, y = rng.normal(size=count), rng.normal(size=count)
    walk = drift / (1 - drift)
    kalman = KalmanRatio(drift, gap_variance, initial)
    for now in range(count):
        # Covariance of the states (beta, intercept) at each pair of times: what they share of the walk.
        times = np.minimum.outer(np.arange(now + 1), np.arange(now + 1))
        shared = initial + walk * times
        design = np.outer(x[: now + 1], x[: now + 1]) + 1.0
        covariance = shared * design + gap_variance * np.eye(now + 1)
        before, here = covariance[:-1, :-1], covariance[-1, :-1]
        expected = float(here @ np.linalg.solve(before, y[:now])) if now else 0.0
        variance = covariance[-1, -1] - (float(here @ np.linalg.solve(before, here)) if now else 0.0)
        seen = kalman.update(y[now], x[now])
        assert seen.gap == pytest.approx(y[now] - expected, abs=1e-12)
        assert seen.sd == pytest.approx(math.sqrt(variance), rel=1e-12)
        assert seen.z == pytest.approx(seen.gap / seen.sd)
        of_beta = np.linalg.solve(covariance, y[: now + 1]) @ (shared[-1] * x[: now + 1])
        assert kalman.beta == pytest.approx(of_beta, abs=1e-12)
    assert kalman.observations == count


def test_the_filter_follows_a_ratio_that_drifts():
    rng = np.random.default_rng(6)
    drift, gap_variance = 1e-4, 1e-4
    beta = 1.0 + np.cumsum(rng.normal(0, math.sqrt(drift), 4_000))
    intercept = np.cumsum(rng.normal(0, math.sqrt(drift), 4_000))
    x = 3.0 + np.cumsum(rng.normal(0, 0.05, 4_000))
    y = intercept + beta * x + rng.normal(0, math.sqrt(gap_variance), 4_000)
    kalman = KalmanRatio(drift, gap_variance, 10.0)
    z, off = [], []
    for i in range(4_000):
        z.append(kalman.update(y[i], x[i]).z)
        off.append((kalman.beta - beta[i]) / kalman.beta_error)
    assert np.std(z[50:]) == pytest.approx(1.0, abs=0.05)
    assert math.sqrt(np.mean(np.square(off[50:]))) < 1.5


def test_a_filter_that_was_reset_starts_again():
    kalman = KalmanRatio()
    first = [kalman.update(1.0 + i / 7, 2.0 + i / 5) for i in range(5)]
    kalman.reset()
    assert (kalman.beta, kalman.intercept, kalman.observations) == (0.0, 0.0, 0)
    assert [kalman.update(1.0 + i / 7, 2.0 + i / 5) for i in range(5)] == first


@pytest.mark.parametrize("values", [(-0.1, 1, 1), (1.0, 1, 1), (0.1, 0, 1), (0.1, 1, 0), (math.nan, 1, 1)])
def test_the_filter_refuses_parameters_out_of_range(values):
    with pytest.raises(ValueError, match="expected"):
        KalmanRatio(*values)


# -- Mean reversion ----------------------------------------------------------------------------------------------------


def test_the_process_is_recovered_within_four_standard_errors():
    dt, true = 5.0, OrnsteinUhlenbeck(math.log(2) / 50.0, 0.0, SD * math.sqrt(2 * math.log(2) / 50.0))
    paths = reverting(np.random.default_rng(3), half_life=10.0, columns=60)
    scaled = []
    for path in paths.T:
        found = fit_ornstein_uhlenbeck(path + 1.5, dt)
        scaled.append(
            (
                (found.theta - true.theta) / found.theta_error,
                (found.mean - 1.5) / found.mean_error,
                (found.sigma - true.sigma) / found.sigma_error,
                (found.half_life - 50.0) / found.half_life_error,
            )
        )
    assert np.abs(scaled).max() < 4.0
    spread = np.sqrt(np.mean(np.square(scaled), axis=0))
    assert np.all((spread > 0.75) & (spread < 1.35))


def test_the_fit_is_the_most_likely_process():
    """The exact likelihood of the steps, climbed by scipy."""
    from scipy.optimize import minimize

    path, dt = reverting(np.random.default_rng(4), bars=400)[:, 0], 0.5

    def cost(values):
        theta, mean, sigma = math.exp(values[0]), values[1], math.exp(values[2])
        b = math.exp(-theta * dt)
        variance = sigma**2 * (1 - b * b) / (2 * theta)
        steps = path[1:] - mean - b * (path[:-1] - mean)
        return 0.5 * np.sum(np.log(variance) + steps**2 / variance)

    best = minimize(cost, [math.log(0.05), 0.0, math.log(0.003)], method="Nelder-Mead",
                    options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4_000}).x  # fmt: skip
    found = fit_ornstein_uhlenbeck(path, dt)
    assert (math.log(found.theta), found.mean, math.log(found.sigma)) == pytest.approx(tuple(best), abs=1e-6)


def test_what_a_process_says_of_itself():
    process = OrnsteinUhlenbeck(theta=0.02, mean=1.0, sigma=0.3)
    assert process.sd == pytest.approx(1.5)
    assert process.z(4.0) == pytest.approx(2.0)
    assert process.expected(3.0, process.half_life) == pytest.approx(2.0)


@pytest.mark.parametrize("values", [np.arange(20.0), [1.0, -1.0] * 10, [0.0, 0.0, 0.0, 0.0, 1.0]])
def test_what_does_not_revert_has_no_process(values):
    assert fit_ornstein_uhlenbeck(values) is None


@pytest.mark.parametrize(
    ("values", "dt"), [([1, 2, 3], 1), ([1, 2, 3, math.inf], 1), ([2, 2, 2, 2, 2], 1), ([1, 2, 1, 2], 0)]
)
def test_the_fit_refuses_what_cannot_be_fitted(values, dt):
    with pytest.raises(ValueError, match=r"expected|finite"):
        fit_ornstein_uhlenbeck(values, dt)

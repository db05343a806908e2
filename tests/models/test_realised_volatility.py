import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.realised_volatility import (
    annualised_pct,
    bipower_variance,
    noise_variance,
    optimal_subsamples,
    realised_variance,
    realised_variance_error,
    sigma_per_sqrt_second,
    two_scale_variance,
)

SIGMA = 1.5  # of a whole window, so that its variance is 2.25
STEPS = 20_000


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    return np.random.default_rng(11).normal(0.0, SIGMA / math.sqrt(STEPS), STEPS)


def with_noise(returns: np.ndarray, omega: float) -> np.ndarray:
    path = np.append(0.0, np.cumsum(returns))
    return np.diff(path + np.random.default_rng(12).normal(0.0, omega, len(path)))


def test_by_hand():
    returns = [1.0, -2.0, 3.0]
    assert realised_variance(returns) == 14.0
    assert realised_variance_error(returns) == pytest.approx(math.sqrt(2 / 3 * 98), rel=1e-15)
    assert bipower_variance(returns) == pytest.approx(math.pi / 2 * 3 / 2 * (2 + 6), rel=1e-15)
    assert noise_variance(returns) == pytest.approx(14 / 6, rel=1e-15)
    # y = 0, 1, -1, 2: moves over two steps are -1 and 1, and nbar = 1.
    assert two_scale_variance(returns, 2, adjusted=False) == pytest.approx(1 - 14 / 3, rel=1e-14)
    assert two_scale_variance(returns, 2) == pytest.approx((1 - 14 / 3) / (1 - 1 / 3), rel=1e-14)


@given(st.lists(st.integers(-50, 50), min_size=6, max_size=60), st.integers(2, 6))
@settings(max_examples=40)
def test_two_scale_averages_the_sparse_grids(returns, subsamples):
    path = np.append(0, np.cumsum(returns))
    grids = [np.diff(path[start::subsamples]) for start in range(subsamples)]
    slow = sum(float(np.sum(grid.astype(float) ** 2)) for grid in grids) / subsamples
    mean_count = sum(len(grid) for grid in grids) / subsamples
    fast = float(np.sum(np.square(returns)))
    expected = slow - mean_count / len(returns) * fast
    assert two_scale_variance(returns, subsamples, adjusted=False) == pytest.approx(expected, rel=1e-12, abs=1e-9)


def test_all_recover_a_price_without_noise_and_jumps(clean):
    error = realised_variance_error(clean)
    assert error == pytest.approx(SIGMA**2 * math.sqrt(2 / STEPS), rel=0.05)
    assert realised_variance(clean) == pytest.approx(SIGMA**2, abs=4 * error)
    # The bipower variation is 2.609/2 times as uncertain in variance (Barndorff-Nielsen and Shephard, 2004).
    assert bipower_variance(clean) == pytest.approx(SIGMA**2, abs=4 * 1.15 * error)
    assert two_scale_variance(clean, 10) == pytest.approx(SIGMA**2, abs=4 * math.sqrt(4 / 3 * 10 / STEPS) * SIGMA**2)


def test_stated_error_is_the_spread_over_many_windows():
    windows = np.random.default_rng(3).normal(0.0, 0.1, (2_000, 100))
    spread = np.std([realised_variance(one) for one in windows])
    assert np.mean([realised_variance_error(one) for one in windows]) == pytest.approx(spread, rel=0.08)


def test_noise_swells_the_realised_variance_and_not_the_two_scale_one(clean):
    omega = 0.05
    noisy = with_noise(clean, omega)
    assert realised_variance(noisy) == pytest.approx(SIGMA**2 + 2 * STEPS * omega**2, rel=0.05)
    assert noise_variance(noisy) == pytest.approx(omega**2 + SIGMA**2 / (2 * STEPS), rel=0.05)
    subsamples = optimal_subsamples(noisy, noisy.reshape(-1, 200).sum(axis=1))
    c = subsamples / STEPS ** (2 / 3)
    error = STEPS ** (-1 / 6) * math.sqrt(8 / c**2 * omega**4 + c * 4 / 3 * SIGMA**4)
    assert two_scale_variance(noisy, subsamples) == pytest.approx(SIGMA**2, abs=4 * error)


def test_jumps_count_in_the_realised_variance_alone(clean):
    jumpy = clean.copy()
    jumpy[[5_000, 12_000]] += [1.0, -1.5]
    jumps = realised_variance(jumpy) - realised_variance(clean)
    assert jumps == pytest.approx(1 + 2.25, rel=0.05)
    assert bipower_variance(jumpy) - bipower_variance(clean) < 0.05 * jumps


def test_number_of_grids_makes_the_error_smallest(clean):
    noisy = with_noise(clean, 0.02)
    sparse = noisy.reshape(-1, 100).sum(axis=1)
    omega4, quarticity = noise_variance(noisy) ** 2, len(sparse) / 3 * float(np.sum(sparse**4))

    def variance(subsamples):
        c = subsamples / STEPS ** (2 / 3)
        return 8 * omega4 / c**2 + 4 / 3 * c * quarticity

    assert optimal_subsamples(noisy, sparse) == min(range(2, 2_000), key=variance)


def test_number_of_grids_stays_within_the_returns():
    assert optimal_subsamples([1.0, -1.0, 1.0], [0.0]) == 2
    assert optimal_subsamples(np.tile([1.0, -1.0], 50), [1e-9]) == 100


def test_units():
    assert sigma_per_sqrt_second(36.0, 9.0) == 2.0
    assert sigma_per_sqrt_second(-1.0, 9.0) == 0.0
    assert annualised_pct(1.0) == pytest.approx(math.sqrt(31_536_000) / 100, rel=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: realised_variance([[1.0]]), "one row"),
        (lambda: realised_variance([math.nan]), "finite"),
        (lambda: bipower_variance([1.0]), "at least 2"),
        (lambda: noise_variance([]), "at least 1"),
        (lambda: two_scale_variance([1.0, 2.0, 3.0], 1), "subsamples was 1"),
        (lambda: two_scale_variance([1.0, 2.0, 3.0], 4), "subsamples was 4"),
        (lambda: optimal_subsamples([1.0, 2.0], []), "at least 1"),
        (lambda: sigma_per_sqrt_second(1.0, 0.0), "seconds was 0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()

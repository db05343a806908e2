import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market_making.cartea_jaimungal_penalva import finite_horizon_quotes, stationary_quotes
from models.market_making.glft_spectral import GlftModel
from models.market_making.glft_spectral import finite_horizon_quotes as glft_finite
from models.market_making.glft_spectral import stationary_quotes as glft_stationary

positive = st.floats(0.05, 20)


def value_by_runge_kutta(max_lots, phi, alpha, kappa, buy_rate, sell_rate, time_left, steps):
    """h of the dynamic programming equation, section 10.2, with the best distances looked for on a grid."""
    q = np.arange(-max_lots, max_lots + 1)
    grid = np.linspace(-3.0, 8.0, 4001)
    decay = np.exp(-kappa * grid)

    def best(gain):
        return np.max(decay * (grid + gain[:, None]), axis=1)

    def slope(h):
        change = -phi * q.astype(float) ** 2
        change[1:] += buy_rate * best(h[:-1] - h[1:])
        change[:-1] += sell_rate * best(h[1:] - h[:-1])
        return change

    h = -alpha * q.astype(float) ** 2
    step = time_left / steps
    for _ in range(steps):
        k1 = slope(h)
        k2 = slope(h + step / 2 * k1)
        k3 = slope(h + step / 2 * k2)
        h = h + step / 6 * (k1 + 2 * k2 + 2 * k3 + slope(h + step * k3))
    return h


@pytest.mark.parametrize(("phi", "alpha"), [(0.0, 0.0), (0.2, 0.0), (0.05, 0.1)])
@pytest.mark.parametrize(("buy_rate", "sell_rate"), [(2.0, 2.0), (3.0, 1.0)])
def test_finite_horizon_solves_the_dynamic_programming_equation(phi, alpha, buy_rate, sell_rate):
    kappa = 1.4
    table = finite_horizon_quotes(3, phi, alpha, kappa, buy_rate, sell_rate, 0.7)
    h = value_by_runge_kutta(3, phi, alpha, kappa, buy_rate, sell_rate, 0.7, 14)
    assert table.ask_distances == pytest.approx(1 / kappa - h[:-1] + h[1:], abs=3e-6)
    assert table.bid_distances == pytest.approx(1 / kappa - h[1:] + h[:-1], abs=3e-6)


def test_tables_are_those_of_the_matrix_as_printed():
    q, kappa, phi, alpha, buy_rate, sell_rate, time_left = np.arange(-4, 5), 0.8, 0.1, 0.02, 1.5, 4.0, 2.5
    matrix = np.diag(-phi * kappa * q.astype(float) ** 2)
    matrix += buy_rate / math.e * np.eye(9, k=-1) + sell_rate / math.e * np.eye(9, k=1)
    # exp(A tau) z by many small steps of a series: (1 + A s + ...)^2000
    step = matrix * time_left / 2000
    omega = np.exp(-alpha * kappa * q**2)
    for _ in range(2000):
        omega = omega + step @ (omega + step @ (omega + step @ omega / 3) / 2)
    h = np.log(omega) / kappa
    table = finite_horizon_quotes(4, phi, alpha, kappa, buy_rate, sell_rate, time_left)
    assert table.ask_distances == pytest.approx(1 / kappa - h[:-1] + h[1:], abs=1e-9)
    values, vectors = np.linalg.eig(matrix)
    h = np.log(np.abs(vectors[:, np.argmax(values.real)].real)) / kappa
    table = stationary_quotes(4, phi, kappa, buy_rate, sell_rate)
    assert table.bid_distances == pytest.approx(1 / kappa - h[1:] + h[:-1], abs=1e-9)


@given(st.floats(0, 2), st.floats(0, 3), positive, positive, st.integers(1, 10), st.floats(0, 10), st.floats(0, 0.05))
@settings(max_examples=50)
def test_equal_glft_without_aversion_to_random_fills(gamma, sigma, intensity, kappa, max_lots, time_left, alpha):
    phi = gamma * sigma**2 / 2
    model = GlftModel(gamma, sigma, intensity, kappa, xi=0.0)
    ours = stationary_quotes(max_lots, phi, kappa, intensity, intensity)
    assert ours.bid_distances == pytest.approx(glft_stationary(model, max_lots).bid_distances, rel=1e-9, abs=1e-9)
    ours = finite_horizon_quotes(max_lots, phi, alpha, kappa, intensity, intensity, time_left)
    theirs = glft_finite(model, max_lots, time_left, alpha)
    assert ours.ask_distances == pytest.approx(theirs.ask_distances, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("gamma", [1e-3, 1e-5, 1e-7])
def test_are_the_limit_of_glft_as_gamma_goes_to_zero_at_equal_penalty(gamma):
    phi = 0.02
    sigma = math.sqrt(2 * phi / gamma)
    glft = glft_stationary(GlftModel(gamma, sigma, 1.3, 1.5), 8)
    assert glft.bid_distances == pytest.approx(stationary_quotes(8, phi, 1.5, 1.3, 1.3).bid_distances, abs=gamma)


@given(st.floats(0, 2), st.floats(0, 0.1), positive, positive, positive, st.integers(1, 10), st.floats(0, 10))
@settings(max_examples=50)
def test_mirror_with_the_rates_exchanged_and_do_not_cross(phi, alpha, kappa, buy, sell, max_lots, time_left):
    table = finite_horizon_quotes(max_lots, phi, alpha, kappa, buy, sell, time_left)
    mirror = finite_horizon_quotes(max_lots, phi, alpha, kappa, sell, buy, time_left)
    for q in range(-max_lots, max_lots + 1):
        below, above = table.distances(q)
        assert -below < above
        assert mirror.distances(-q) == pytest.approx((above, below), rel=1e-9, abs=1e-9)
    assert np.diff(table.bid_distances).min(initial=math.inf) > -1e-9


def test_more_buyers_than_sellers_raise_both_quotes():
    even, uneven = stationary_quotes(5, 0.05, 1.5, 2.0, 2.0), stationary_quotes(5, 0.05, 1.5, 4.0, 1.0)
    for q in range(-4, 5):
        assert uneven.quotes(0.0, q)[0] > even.quotes(0.0, q)[0]
        assert uneven.quotes(0.0, q)[1] > even.quotes(0.0, q)[1]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((0, 0.1, 0.0, 1.5, 1.0, 1.0, 1.0), "max_lots"),
        ((3, -0.1, 0.0, 1.5, 1.0, 1.0, 1.0), "phi was negative"),
        ((3, 0.1, -0.1, 1.5, 1.0, 1.0, 1.0), "alpha was negative"),
        ((3, 0.1, 0.0, 0.0, 1.0, 1.0, 1.0), "kappa was not positive"),
        ((3, 0.1, 0.0, 1.5, 0.0, 1.0, 1.0), "buy_rate was not positive"),
        ((3, 0.1, 0.0, 1.5, 1.0, math.nan, 1.0), "sell_rate was not positive"),
        ((3, 0.1, 0.0, 1.5, 1.0, 1.0, -1.0), "time_left"),
    ],
)
def test_parameters_out_of_range_are_refused(arguments, problem):
    with pytest.raises(ValueError, match=problem):
        finite_horizon_quotes(*arguments)

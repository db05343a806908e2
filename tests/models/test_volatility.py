import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.volatility import EwmaVariance, TimeDecayedVariance, ewma_variance, time_decayed_variance

# Times in 1/64 s and prices in cents, so that coarse grids give many equal times.
observations = st.lists(st.tuples(st.integers(0, 640), st.integers(9_000, 11_000)), max_size=60)


def online(prices, times, tau):
    estimator = TimeDecayedVariance(tau)
    for price, time in zip(prices, times, strict=True):
        estimator.update(float(price), float(time))
    return estimator


@given(observations, st.floats(0.01, 100.0))
@settings(max_examples=30)
def test_online_and_batch_agree(steps, tau):
    times = np.array(sorted(step[0] for step in steps)) / 64.0
    prices = np.array([step[1] for step in steps]) / 100.0
    assert online(prices, times, tau).variance == pytest.approx(
        time_decayed_variance(prices, times, tau), rel=1e-9, abs=1e-12
    )


def test_by_hand_with_memory_of_one_second():
    # Moves of 2 in 1 s and of 1 in 3 s: squares per second 4 and 1/3.
    estimator = online([10, 12, 13], [0, 1, 4], 1.0)
    raw = (1 - math.exp(-1)) * 4 * math.exp(-3) + (1 - math.exp(-3)) / 3
    assert estimator.variance == pytest.approx(raw / (1 - math.exp(-4)), rel=1e-14)
    assert estimator.sigma == pytest.approx(math.sqrt(estimator.variance), rel=1e-15)


def test_equal_squares_per_second_give_exactly_their_value_from_the_start():
    estimator = TimeDecayedVariance(60.0)
    for step in range(30):
        estimator.update(100.0 + 0.5 * (step % 2), 4.0 * step)
        expected = 0.0 if step == 0 else 0.25 / 4.0
        assert estimator.variance == pytest.approx(expected, rel=1e-12)


def test_moves_at_one_time_are_part_of_the_next_move():
    folded = online([100, 101, 99, 103], [0, 0, 0, 2], 5.0)
    assert folded.variance == pytest.approx(float(Fraction(3**2, 2)), rel=1e-12)
    assert folded.variance == online([100, 103], [0, 2], 5.0).variance


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_a_move_in_next_to_no_time_adds_its_square_over_tau(gap):
    estimator = online([100, 100], [0, 1000], 10.0)
    estimator.update(101.0, 1000 + gap)
    assert estimator.variance == pytest.approx(1 / 10, rel=1e-3)


def test_an_unchanged_price_lets_it_decay():
    estimator = online([100, 101], [0, 1], 10.0)
    before = estimator.variance * (1 - math.exp(-0.1))
    estimator.update(101.0, 31.0)
    assert estimator.variance == pytest.approx(before * math.exp(-3) / (1 - math.exp(-3.1)), rel=1e-12)


def test_recovers_the_sigma_of_a_brownian_path():
    rng = np.random.default_rng(7)
    times = np.cumsum(rng.exponential(0.1, 40_000))
    prices = 100 + np.cumsum(rng.normal(0, 0.02 * np.sqrt(np.diff(times, prepend=0.0))))
    # About tau / 0.1 = 10,000 observations weigh in; a Gaussian's sigma has a relative error of 1/sqrt(4 tau/dt).
    estimate = math.sqrt(time_decayed_variance(prices, times, 1000.0))
    assert estimate == pytest.approx(0.02, rel=4 / math.sqrt(4 * 10_000))


def test_ready_after_ten_moves_and_one_memory():
    estimator = TimeDecayedVariance(10.0)
    states = []
    for step in range(14):
        estimator.update(100.0 + step, float(step))
        states.append(estimator.ready)
    assert states == [False] * 10 + [True] * 4
    estimator.reset()
    assert not estimator.ready
    assert estimator.sigma == 0.0


def test_ten_moves_in_a_moment_are_not_enough():
    assert not online(range(50), np.arange(50) / 100, 10.0).ready


@pytest.mark.parametrize("tau", [0.0, -1.0, math.nan])
def test_memory_must_be_positive(tau):
    with pytest.raises(ValueError, match="tau_secs"):
        TimeDecayedVariance(tau)
    with pytest.raises(ValueError, match="tau_secs"):
        time_decayed_variance([1.0], [1.0], tau)


@pytest.mark.parametrize(("prices", "times"), [([1.0, 2.0], [0.0]), ([1.0, 2.0], [1.0, 0.0])])
def test_batch_refuses_disorder(prices, times):
    with pytest.raises(ValueError, match="times"):
        time_decayed_variance(prices, times, 1.0)


def ewma_path(returns, decay, start=None):
    estimator = EwmaVariance(decay, start)
    path = [] if start is None else [estimator.variance]
    for step_return in returns:
        estimator.update(step_return)
        path.append(estimator.variance)
    return path


@given(
    st.lists(st.floats(-100.0, 100.0), max_size=80),
    st.floats(0.001, 0.999),
    st.none() | st.floats(0.0, 100.0),
)
@settings(max_examples=40)
def test_ewma_online_and_batch_agree(returns, decay, start):
    batch = ewma_variance(returns, decay, start)
    assert batch.tolist() == pytest.approx(ewma_path(returns, decay, start), rel=1e-9, abs=1e-12)


def test_ewma_by_hand():
    # RiskMetrics' 0.94: v1 = 4, v2 = 0.94 * 4 + 0.06 * 1, v3 = 0.94 v2 + 0.06 * 9.
    assert ewma_variance([2.0, -1.0, 3.0], 0.94).tolist() == pytest.approx([4.0, 3.82, 4.1308], rel=1e-14)
    assert ewma_variance([2.0], 0.5, start=0.0).tolist() == pytest.approx([0.0, 2.0], rel=1e-14)


@pytest.mark.parametrize("decay", [1e-9, 0.01, 0.94, 1 - 1e-12])
def test_ewma_over_more_steps_than_the_powers_of_its_decay_can_span(decay):
    returns = np.random.default_rng(2).normal(0.0, 1.0, 20_000)
    assert ewma_variance(returns, decay)[-1] == pytest.approx(ewma_path(returns, decay)[-1], rel=1e-9)


def test_ewma_is_ready_with_the_first_return_or_a_start():
    estimator = EwmaVariance(0.94)
    assert not estimator.ready
    assert estimator.sigma == 0.0
    estimator.update(-2.0)
    assert estimator.ready
    assert estimator.sigma == 2.0
    estimator.reset()
    assert not estimator.ready
    assert EwmaVariance(0.94, start=9.0).sigma == 3.0


@pytest.mark.parametrize(("decay", "start"), [(0.0, None), (1.0, None), (math.nan, None), (0.5, -1.0), (0.5, math.nan)])
def test_ewma_refusals(decay, start):
    with pytest.raises(ValueError, match=r"decay was|start was"):
        EwmaVariance(decay, start)
    with pytest.raises(ValueError, match=r"decay was|start was"):
        ewma_variance([1.0], decay, start)


def test_ewma_of_a_table_is_refused():
    with pytest.raises(ValueError, match="one row"):
        ewma_variance([[1.0]], 0.5)

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.pairs.edge import LegCost, edge_bps, holding_cost, round_trip_cost
from models.pairs.moving_moments import MovingMoments
from models.pairs.pair_monitor import MonitorSettings, PairMonitor


def cointegrated(n: int, beta: float = 0.8, theta: float = 0.1, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    log_x = 2.0 + np.cumsum(rng.normal(0, 0.002, n))
    gap = np.zeros(n)
    for i in range(1, n):
        gap[i] = gap[i - 1] * math.exp(-theta) + rng.normal(0, 0.003)
    return np.exp(0.3 + beta * log_x + gap), np.exp(log_x)


@pytest.mark.parametrize("kind", ["ols", "tls"])
def test_a_sample_is_held_against_the_window_before_it(kind: str) -> None:
    y, x = cointegrated(101)
    monitor = PairMonitor(MonitorSettings(kind, lookback=100))

    readings = [monitor.update(*prices) for prices in zip(y, x, strict=True)]

    assert readings[:100] == [None] * 100
    log_y, log_x = np.log(y[:100]), np.log(x[:100])
    if kind == "ols":
        beta = np.polyfit(log_x, log_y, 1)[0]
    else:
        direction = np.linalg.eigh(np.cov(log_x, log_y))[1][:, 1]
        beta = direction[1] / direction[0]
    gaps = log_y - beta * log_x
    last = readings[100]
    assert last is not None
    assert last.relation.beta == pytest.approx(beta, abs=1e-9)
    assert last.z == pytest.approx((math.log(y[100]) - beta * math.log(x[100]) - gaps.mean()) / gaps.std(), abs=1e-7)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(2, 50), count=st.integers(2, 300), level=st.floats(-20, 20))
def test_moving_moments_are_those_of_the_window(seed: int, size: int, count: int, level: float) -> None:
    walk = level + np.cumsum(np.random.default_rng(seed).normal(0, 0.01, (count, 2)), axis=0)
    moving = MovingMoments(size)
    for y, x in walk.tolist():
        moving.push(y, x)

    window = walk[-size:]
    covariance = np.cov(window.T, ddof=0)
    assert moving.window() == pytest.approx(window, abs=0)
    means = (*window.mean(axis=0), covariance[0, 0], covariance[1, 1], covariance[0, 1])
    assert moving.moments() == pytest.approx(means, abs=1e-12)


def test_a_given_relation_is_used_at_once() -> None:
    monitor = PairMonitor(MonitorSettings("fixed", lookback=100, beta=0.5, intercept=0.1, sd=0.02))

    reading = monitor.update(math.exp(1.16), math.exp(2.0))

    assert reading is not None
    assert reading.z == pytest.approx(3.0)
    assert monitor.verdict() is None


def test_a_given_ratio_takes_mean_and_sd_from_the_window() -> None:
    y, x = cointegrated(51)
    monitor = PairMonitor(MonitorSettings("fixed", lookback=50, beta=0.8, intercept=0.3))

    *_, reading = [monitor.update(*prices) for prices in zip(y, x, strict=True)]

    gaps = np.log(y) - 0.8 * np.log(x) - 0.3
    assert reading is not None
    assert reading.away == pytest.approx(gaps[50] - gaps[:50].mean())
    assert reading.relation.sd == pytest.approx(gaps[:50].std())


def test_the_filter_finds_the_ratio() -> None:
    y, x = cointegrated(3_000)
    watched = MonitorSettings("kalman", lookback=200, kalman_drift=1e-9, kalman_gap_variance=3e-5)
    monitor = PairMonitor(watched)

    *_, reading = [monitor.update(*prices) for prices in zip(y, x, strict=True)]

    assert reading is not None
    assert reading.relation.beta == pytest.approx(0.8, abs=0.05)


def test_a_position_is_left_by_the_relation_it_was_entered_on() -> None:
    y, x = cointegrated(200)
    monitor = PairMonitor(MonitorSettings("ols", lookback=50))
    entered = [monitor.update(*prices) for prices in zip(y[:100], x[:100], strict=True)][-1]
    monitor.hold()

    held = [monitor.update(*prices) for prices in zip(y[100:199], x[100:199], strict=True)]
    monitor.release()
    after = monitor.update(y[199], x[199])

    assert entered is not None
    assert after is not None
    assert {reading.relation for reading in held if reading} == {entered.relation}
    assert after.relation != entered.relation


def test_the_verdict_is_that_of_an_independent_test() -> None:
    from statsmodels.tsa.stattools import coint

    y, x = cointegrated(400)
    monitor = PairMonitor(MonitorSettings("ols", lookback=400))
    for prices in zip(y, x, strict=True):
        monitor.update(*prices)

    verdict = monitor.verdict()

    assert verdict is not None
    assert verdict.p_value == pytest.approx(coint(np.log(y), np.log(x))[1], abs=1e-9)
    assert verdict.half_life == pytest.approx(math.log(2) / 0.1, rel=0.5)


def test_prices_that_never_move_do_not_hold() -> None:
    monitor = PairMonitor(MonitorSettings("fixed", lookback=30))
    readings = [monitor.update(10.0, 10.0) for _ in range(31)]

    verdict = monitor.verdict()

    assert readings[30] is not None
    assert math.isnan(readings[30].z)
    assert verdict == (1.0, math.inf)


def test_the_edge_is_half_the_gap_less_both_legs_twice() -> None:
    cost = round_trip_cost(LegCost(0.001, 0.0002), LegCost(0.0004, 0.0001), beta=-0.5)

    assert cost == pytest.approx(2 * (0.0012 + 0.5 * 0.0005))
    assert edge_bps(-0.02, cost, holding_cost(3.0, 43_200.0)) == pytest.approx(100.0 - 29.0 - 1.5)


@pytest.mark.parametrize("prices", [(0.0, 1.0), (1.0, -1.0), (math.nan, 1.0)])
def test_prices_are_above_zero(prices: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="expected above 0"):
        PairMonitor(MonitorSettings("fixed", lookback=30, sd=0.01)).update(*prices)


def test_a_window_is_long_enough_for_the_test() -> None:
    with pytest.raises(ValueError, match="lookback was 19"):
        PairMonitor(MonitorSettings("ols", lookback=19))

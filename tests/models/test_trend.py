"""Moving averages against the integral that defines them."""

import math

import numpy as np
import pytest

from models.trend import TrendGap


def average(prices: list[float], times: list[float], window: float) -> float:
    """The price of each moment, weighted by exp(-age/window), with the first price for all of the past."""
    now = times[-1]
    total = prices[0] * math.exp(-(now - times[0]) / window)
    for price, start, end in zip(prices, times, times[1:], strict=False):
        total += price * (math.exp(-(now - end) / window) - math.exp(-(now - start) / window))
    return total


def test_it_is_the_difference_of_the_two_weighted_integrals() -> None:
    rng = np.random.default_rng(3)
    times = [float(time) for time in np.cumsum(rng.exponential(2.0, 200))]
    prices = [float(price) for price in 100 + np.cumsum(rng.normal(0, 0.1, 200))]
    gap = TrendGap(5.0, 60.0)
    for price, time in zip(prices, times, strict=True):
        gap.update(price, time)

    assert gap.value == pytest.approx(average(prices, times, 5.0) - average(prices, times, 60.0), abs=1e-9)


def test_it_has_the_sign_of_a_steady_trend_and_its_size() -> None:
    gap = TrendGap(5.0, 60.0)
    for second in range(2_000):
        gap.update(100.0 + 0.01 * second, float(second))

    assert gap.value == pytest.approx(0.01 * (60 - 5), rel=0.02)


def test_it_says_nothing_before_one_slow_window() -> None:
    gap = TrendGap(1.0, 10.0)
    gap.update(100.0, 0.0)
    gap.update(101.0, 9.0)
    assert (gap.ready, gap.value) == (False, 0.0)
    gap.update(101.0, 10.0)
    assert gap.ready
    assert gap.value > 0


@pytest.mark.parametrize(("fast", "slow"), [(0, 10), (10, 10), (20, 10), (-1, 10)])
def test_windows_that_are_not_in_order_are_refused(fast: float, slow: float) -> None:
    with pytest.raises(ValueError, match="fast_secs"):
        TrendGap(fast, slow)

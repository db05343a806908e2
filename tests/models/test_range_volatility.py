import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.range_volatility import (
    garman_klass_variance,
    parkinson_variance,
    rogers_satchell_variance,
    yang_zhang_variance,
)

SIGMA = 0.01  # per bar


def bars_of(steps: np.ndarray, gaps: np.ndarray | float = 0.0) -> tuple[np.ndarray, ...]:
    """Return open, high, low, close of log-price steps (bars, steps per bar) after gaps between bars."""
    inside = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)
    starts = np.cumsum(np.broadcast_to(gaps, len(steps))) + np.append(0.0, np.cumsum(inside[:-1, -1]))
    path = np.exp(inside + starts[:, None])
    return path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1]


def brownian(bars: int, drift: float = 0.0, seed: int = 5) -> np.ndarray:
    per_bar = 2_000
    rng = np.random.default_rng(seed)
    return rng.normal(drift / per_bar, SIGMA / math.sqrt(per_bar), (bars, per_bar))


def test_by_hand():
    up, low, change = math.log(110 / 100), math.log(95 / 100), math.log(104 / 100)
    bar = ([100.0], [110.0], [95.0], [104.0])
    assert parkinson_variance(bar[1], bar[2]) == pytest.approx((up - low) ** 2 / (4 * math.log(2)), rel=1e-14)
    practical = 0.5 * (up - low) ** 2 - (2 * math.log(2) - 1) * change**2
    assert garman_klass_variance(*bar) == pytest.approx(practical, rel=1e-14)
    assert rogers_satchell_variance(*bar) == pytest.approx(up * (up - change) + low * (low - change), rel=1e-14)


def test_yang_zhang_against_a_loop_over_the_formula():
    bars = [(100, 103, 99, 102), (101, 104, 100, 100.5), (100, 101, 96, 97), (98, 99, 97, 98.5), (99, 102, 98, 101)]
    gaps, changes, inside = [], [], []
    for (_, _, _, before), (o, h, low, c) in itertools.pairwise(bars):
        gaps.append(math.log(o / before))
        changes.append(math.log(c / o))
        inside.append(math.log(h / c) * math.log(h / o) + math.log(low / c) * math.log(low / o))
    m = len(bars) - 1
    k = 0.34 / (1.34 + (m + 1) / (m - 1))
    expected = statistics.variance(gaps) + k * statistics.variance(changes) + (1 - k) * statistics.fmean(inside)
    columns = [[bar[i] for bar in bars] for i in range(4)]
    assert yang_zhang_variance(*columns) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("estimate", "efficiency"),
    [
        (lambda o, h, low, c: parkinson_variance(h, low), 5.2),
        (garman_klass_variance, 7.4),
        (rogers_satchell_variance, 6.0),
        (yang_zhang_variance, 7.0),
    ],
)
def test_recovers_a_brownian_motion_as_precisely_as_published(estimate, efficiency):
    bars = 1_000
    found = estimate(*bars_of(brownian(bars)))
    error = SIGMA**2 * math.sqrt(2 / bars / efficiency)
    # Highs and lows of a path of 2,000 steps fall short by about 0.58 of a step each (Broadie, Glasserman, Kou).
    assert SIGMA**2 * (1 - 0.06) - 4 * error < found < SIGMA**2 + 4 * error


def test_drift_misleads_only_those_that_suppose_none():
    bars = bars_of(brownian(400, drift=3 * SIGMA))
    assert parkinson_variance(bars[1], bars[2]) > 2 * SIGMA**2
    assert rogers_satchell_variance(*bars) == pytest.approx(SIGMA**2, rel=0.15)
    assert yang_zhang_variance(*bars) == pytest.approx(SIGMA**2, rel=0.15)


def test_gaps_count_in_yang_zhang_alone():
    gaps = np.random.default_rng(9).normal(0.0, 2 * SIGMA, 1_000)
    bars = bars_of(brownian(1_000), gaps)
    assert yang_zhang_variance(*bars) == pytest.approx(5 * SIGMA**2, rel=0.15)
    assert rogers_satchell_variance(*bars) == pytest.approx(SIGMA**2, rel=0.15)


prices = st.floats(50.0, 200.0)
bar = st.tuples(prices, prices, prices, prices).map(lambda p: (p[0], max(p), min(p), p[3]))


@given(st.lists(bar, min_size=3, max_size=20), st.floats(0.001, 1000.0))
@settings(max_examples=30)
def test_the_unit_of_price_does_not_matter(bars, scale):
    columns = np.array(bars).T
    for estimate in (garman_klass_variance, rogers_satchell_variance, yang_zhang_variance):
        assert estimate(*(columns * scale)) == pytest.approx(estimate(*columns), rel=1e-9, abs=1e-12)
    assert rogers_satchell_variance(*columns) >= 0.0


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        (([1.0], [0.9], [0.8], [0.85]), "bar 0"),
        (([1.0, 1.0], [2.0, 2.0], [0.5, 1.5], [1.0, 1.6]), "bar 1"),
        (([1.0], [2.0], [0.0], [1.0]), "above 0"),
        (([1.0], [2.0, 2.0], [0.5], [1.0]), "one length"),
        (([], [], [], []), "at least one bar"),
        (([1.0], [math.inf], [0.5], [1.0]), "finite"),
    ],
)
def test_refusals(bars, message):
    for estimate in (garman_klass_variance, rogers_satchell_variance, yang_zhang_variance):
        with pytest.raises(ValueError, match=message):
            estimate(*bars)


def test_more_refusals():
    with pytest.raises(ValueError, match="bar 0"):
        parkinson_variance([1.0], [2.0])
    with pytest.raises(ValueError, match="2 bars, expected at least 3"):
        yang_zhang_variance([1.0] * 2, [2.0] * 2, [0.5] * 2, [1.0] * 2)

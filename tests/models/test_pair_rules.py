"""When a pair is held: thresholds against simulation and numerical optimum, machines against their written rules."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.pairs.distance import DistanceRule, squared_distances
from models.pairs.multiple_testing import adjusted_p_values
from models.pairs.optimal_thresholds import (
    best_entry_z,
    exit_time,
    optimal_thresholds,
    passage_time,
    profit_per_time,
)
from models.pairs.ornstein_uhlenbeck import OrnsteinUhlenbeck
from models.pairs.s_score import SScoreRule, hedged_returns, next_side, s_score
from models.pairs.z_score import FLAT, LONG, SHORT, ZScoreRule, ZScoreState, next_state

PROCESS = OrnsteinUhlenbeck(theta=0.5, mean=0.0, sigma=0.02)

# -- Bertram's thresholds ----------------------------------------------------------------------------------------------


def paper_cycle_time(process, entry):
    """Return the expected cycle of the paper, by its own erfi, for thresholds -entry and +entry."""
    from scipy.special import erfi

    scale = math.sqrt(process.theta) / process.sigma
    return math.pi / process.theta * (erfi(entry * scale) - erfi(-entry * scale))


@pytest.mark.parametrize("cost", [1e-5, 0.001, 0.01, 0.03, 0.1])
def test_thresholds_are_the_numerical_optimum_of_the_papers_formula(cost):
    from scipy.optimize import minimize_scalar

    found = optimal_thresholds(PROCESS, cost)
    value = lambda entry: (2 * entry - cost) / paper_cycle_time(PROCESS, entry)  # noqa: E731
    best = minimize_scalar(lambda entry: -value(entry), bounds=(cost / 2, cost / 2 + 0.03), options={"xatol": 1e-12})
    assert found.entry == pytest.approx(best.x, rel=1e-4)
    assert found.profit_per_time == pytest.approx(value(found.entry), rel=1e-9)
    assert found.profit_per_time >= -best.fun * (1 - 1e-12)
    assert found.cycle_time == pytest.approx(paper_cycle_time(PROCESS, found.entry), rel=1e-9)
    assert found.entry_z == pytest.approx(found.entry / PROCESS.sd)


def test_thresholds_of_a_cost_beyond_reach_are_finite():
    found = optimal_thresholds(PROCESS, 10.0)
    assert found.entry > 5.0
    assert found.profit_per_time == 0.0
    assert found.cycle_time == math.inf


def test_without_a_cost_there_is_no_optimum():
    with pytest.raises(ValueError, match="above 0"):
        optimal_thresholds(PROCESS, 0.0)


def test_turning_at_the_thresholds_earns_twice_what_long_only_earns():
    found = optimal_thresholds(PROCESS, 0.004)
    turning = profit_per_time(PROCESS, found.entry_z, -found.entry_z, 0.004)
    assert turning == pytest.approx(2 * found.profit_per_time, rel=1e-9)


@pytest.mark.parametrize(("exit_z", "cost"), [(0.0, 0.004), (0.5, 0.001), (0.0, 0.05)])
def test_the_best_entry_earns_more_than_any_other(exit_z, cost):
    best = best_entry_z(PROCESS, exit_z, cost)
    grid = exit_z + cost / PROCESS.sd + np.linspace(0.02, 2.5, 125)
    value = profit_per_time(PROCESS, best, exit_z, cost)
    assert value >= max(profit_per_time(PROCESS, float(entry), exit_z, cost) for entry in grid) * (1 - 1e-9)
    assert value <= 2 * optimal_thresholds(PROCESS, cost).profit_per_time


@pytest.mark.parametrize(("exit_z", "cost"), [(0.0, 0.0), (-1.0, 0.1)])
def test_there_is_no_best_entry_without_a_cost_or_beyond_the_mean(exit_z, cost):
    with pytest.raises(ValueError, match="expected"):
        best_entry_z(PROCESS, exit_z, cost)


def test_passage_times_are_those_of_the_paper_and_mirror():
    for z in (0.01, 1.3, 4.0, 8.0):
        there, back = passage_time(PROCESS, -z, z), passage_time(PROCESS, z, -z)
        assert there == back
        assert there + back == pytest.approx(paper_cycle_time(PROCESS, z * PROCESS.sd), rel=1e-10)
    assert exit_time(PROCESS, 0.5, 0.5) == 0.0
    assert exit_time(PROCESS, -0.4, 1.0) == exit_time(PROCESS, 0.4, 1.0)


@pytest.mark.parametrize(("entry_z", "exit_z"), [(1.5, 0.0), (1.2, 0.3), (1.0, -1.0)])
def test_the_rules_profit_is_that_of_a_simulation(entry_z, exit_z):
    """An exactly sampled process, watched 400 times per unit of 1/theta, traded by the state machine."""
    rng = np.random.default_rng(11)
    steps, paths, dt, cost = 8_000, 400, 0.005, 0.004
    b = math.exp(-PROCESS.theta * dt)
    x = rng.normal(0.0, PROCESS.sd, paths)
    side, profit = np.zeros(paths), np.zeros(paths)
    for _ in range(steps):
        moved = b * x + rng.normal(0.0, PROCESS.sd * math.sqrt(1 - b * b), paths)
        profit += side * (moved - x)
        x, z = moved, moved / PROCESS.sd
        leaving = ((side > 0) & (z >= -exit_z)) | ((side < 0) & (z <= exit_z))
        profit -= cost * leaving
        side = np.where(leaving, 0.0, side)
        side = np.where((side == 0) & (np.abs(z) >= entry_z), -np.sign(z), side)
    rates = profit / (steps * dt)
    error = rates.std(ddof=1) / math.sqrt(paths)
    # Seen in steps, thresholds are overshot by 0.5826 of a step's move (Siegmund 1985): that is the tolerance.
    overshoot = 0.5826 * PROCESS.sigma * math.sqrt(dt)
    expected = profit_per_time(PROCESS, entry_z, exit_z, cost)
    assert abs(rates.mean() - expected) < 4 * error + expected * 2 * overshoot / ((entry_z - exit_z) * PROCESS.sd)


# -- z-score machine ---------------------------------------------------------------------------------------------------


def sides(rule: ZScoreRule, scores) -> list[int]:
    state, seen = ZScoreState(), []
    for z in scores:
        state = next_state(rule, state, z)
        seen.append(state.side)
    return seen


@pytest.mark.parametrize(
    ("rule", "scores", "expected"),
    [
        (ZScoreRule(2), [1.99, 2, 1, 0.01, 0, -1, -2, -1, 0], [0, -1, -1, -1, 0, 0, 1, 1, 0]),
        (ZScoreRule(2, 0.5), [-2, -0.51, -0.5, 2.5, 0.6, 0.5], [1, 1, 0, -1, -1, 0]),
        (ZScoreRule(2, -2), [-2, 0, 1.9, 2, 0, -1.9, -2], [1, 1, 1, -1, -1, -1, 1]),
        (ZScoreRule(2, 0), [-2, 2.5], [1, -1]),
        (ZScoreRule(2, 0.5, 4), [3, 4, 3, 1, 0.51, 0.5, 2], [-1, 0, 0, 0, 0, 0, -1]),
        (ZScoreRule(2, 0.5, 4), [-3, -4, -3, -0.4, -2], [1, 0, 0, 0, 1]),
        (ZScoreRule(2, 0.5, 4), [-3, -5, 3], [1, 0, -1]),
        (ZScoreRule(2, 0, 4), [-3, -5, -0.1, 0.1, -2], [1, 0, 0, 0, 1]),
        (ZScoreRule(2, 0.5, 4), [4.5, 3.9], [0, -1]),
        (ZScoreRule(2), [2, math.nan, 0], [-1, -1, 0]),
    ],
)
def test_the_machine_does_what_its_rule_says(rule, scores, expected):
    assert sides(rule, scores) == expected


@given(
    st.floats(0.1, 3), st.floats(-1, 0.99), st.floats(1.01, 3), st.lists(st.floats(-6, 6, allow_nan=False), max_size=60)
)
def test_a_side_is_only_held_between_its_thresholds(entry, exit_share, stop_factor, scores):
    rule = ZScoreRule(entry, exit_share * entry, stop_factor * entry)
    mirrored = sides(rule, [-z for z in scores])
    for z, side, other in zip(scores, sides(rule, scores), mirrored, strict=True):
        assert side == -other
        assert side == FLAT or (abs(z) < rule.stop_z and (z < -rule.exit_z if side == LONG else z > rule.exit_z))


@pytest.mark.parametrize("values", [(0,), (2, 2), (2, -2.1), (2, 0, 2), (math.nan,), (2, math.nan)])
def test_thresholds_out_of_order_are_refused(values):
    with pytest.raises(ValueError, match="expected"):
        ZScoreRule(*values)


# -- s-score -----------------------------------------------------------------------------------------------------------


def test_the_s_score_is_that_of_the_appendix():
    rng = np.random.default_rng(8)
    x = rng.normal(0, 0.02, 60)
    y = 0.7 * x + rng.normal(0, 0.01, 60)
    residuals = hedged_returns(y, x)
    slope, intercept = np.polyfit(x, y, 1)
    np.testing.assert_allclose(residuals, y - slope * x - intercept, atol=1e-16)
    sums = np.cumsum(residuals)
    b, a = np.polyfit(sums[:-1], sums[1:], 1)
    noise = np.var(sums[1:] - a - b * sums[:-1])
    expected = (sums[-1] - a / (1 - b)) / math.sqrt(noise / (1 - b * b))
    found = s_score(residuals, 1 / 252)
    assert found.s == pytest.approx(expected, rel=1e-9)
    assert found.process.theta == pytest.approx(-math.log(b) * 252, rel=1e-9)
    assert found.reverts_within(30 / 252) == (-math.log(b) * 252 > 252 / 30)
    assert s_score(np.ones(20)) is None


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([-1.25, -1.26, -0.5, -0.49, 0], [0, 1, 1, 0, 0]),
        ([1.25, 1.26, 0.75, 0.74], [0, -1, -1, 0]),
        ([-2, 2, 2], [1, 0, -1]),
        ([2, math.nan, -2, -2], [-1, -1, 0, 1]),
    ],
)
def test_the_s_score_machine_closes_before_it_opens(scores, expected):
    side, seen = FLAT, []
    for s in scores:
        side = next_side(SScoreRule(), side, s)
        seen.append(side)
    assert seen == expected


def test_an_s_score_rule_that_closes_where_it_opens_is_refused():
    with pytest.raises(ValueError, match="closed"):
        SScoreRule(sell_to_close=1.3)


# -- Distance method ---------------------------------------------------------------------------------------------------


def test_distances_are_the_sums_of_squared_gaps():
    rng = np.random.default_rng(2)
    prices = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, (300, 4)), axis=0))
    found = squared_distances(prices)
    for i in range(4):
        for j in range(4):
            gaps = prices[:, i] / prices[0, i] - prices[:, j] / prices[0, j]
            assert found[i, j] == pytest.approx(np.sum(gaps**2), rel=1e-10, abs=1e-12)
    rule = DistanceRule.formed_on(prices[:, 0], prices[:, 1])
    gaps = prices[:, 0] / prices[0, 0] - prices[:, 1] / prices[0, 1]
    assert (rule.distance, rule.sd) == pytest.approx((found[0, 1], np.std(gaps, ddof=1)))
    assert rule.gap(prices[0, 0], prices[0, 1]) == 0.0


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([0.2, 0.21, 0.01, 0.0], [FLAT, SHORT, SHORT, FLAT]),
        ([-0.21, -0.01, 0.1, -0.3, 0.3], [LONG, LONG, FLAT, LONG, SHORT]),
    ],
)
def test_the_distance_rule_opens_at_two_deviations_and_closes_at_the_crossing(gaps, expected):
    rule, side, seen = DistanceRule(1.0, 1.0, 0.1, 1.0), FLAT, []
    for gap in gaps:
        side = rule.next_side(side, gap)
        seen.append(side)
    assert seen == expected


@pytest.mark.parametrize(("y", "x"), [([1, 2], [1, 2]), ([1, 2, 3], [1, 2]), ([1, 2, 3], [2, 4, 6])])
def test_a_pair_without_distance_is_refused(y, x):
    with pytest.raises(ValueError, match=r"expected|never differ"):
        DistanceRule.formed_on(y, x)


# -- Multiple testing --------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)  # the first example imports scipy.stats
def test_corrections_are_those_of_scipy_and_of_their_definitions(p_values):
    from scipy.stats import false_discovery_control

    count = len(p_values)
    for method in ("bh", "by"):
        expected = false_discovery_control(p_values, method=method)
        np.testing.assert_allclose(adjusted_p_values(p_values, method), expected, atol=1e-12)
    ordered = sorted(p_values)
    # Holm: a hypothesis falls at the least level at which it and all before it fall, one after the other.
    holm = {p: min(1.0, max(ordered[i] * (count - i) for i in range(count) if ordered[i] <= p)) for p in p_values}
    np.testing.assert_allclose(adjusted_p_values(p_values, "holm"), [holm[p] for p in p_values], atol=1e-15)
    np.testing.assert_allclose(adjusted_p_values(p_values, "bonferroni"), [min(1.0, count * p) for p in p_values])
    np.testing.assert_array_equal(adjusted_p_values(p_values, "none"), p_values)


def test_what_is_no_test_is_not_counted():
    found = adjusted_p_values([0.02, math.nan, 0.5], "bonferroni")
    np.testing.assert_array_equal(found, [0.04, math.nan, 1.0])

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market_statistics import (
    adverse_selection,
    bootstrap_means,
    dispersion_index,
    overlapping_means,
    percentile_interval,
    price_impacts,
    quantiles,
    sweep_starts,
    time_weighted_mean,
    time_weighted_shares,
)

MS = 1_000_000
SECOND = 1_000 * MS

# -- Market orders -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second_trade", "starts_anew"),
    [
        ((1 * MS, 101, True), False),
        ((1 * MS, 100, True), False),
        ((1 * MS + 1, 101, True), True),
        ((1 * MS, 101, False), True),
        ((0, 99, True), True),
    ],
)
def test_a_market_order_is_of_one_side_at_once_and_outwards(second_trade, starts_anew):
    time, price, buyer = second_trade
    assert sweep_starts([0, time], [100, price], [True, buyer]).tolist() == [True, starts_anew]


def test_sales_sweep_downwards():
    assert sweep_starts([0, 1, 2, 3], [100, 99, 99, 100], [False] * 4).tolist() == [True, False, False, True]


def test_a_sweep_may_last_longer_than_the_gap_between_its_trades():
    assert sweep_starts([0, MS, 2 * MS], [1, 2, 3], [True] * 3).tolist() == [True, False, False]
    assert sweep_starts([], [], []).tolist() == []


# -- Weighted by time --------------------------------------------------------------------------------------------------


def test_each_value_counts_for_as_long_as_it_held():
    values, times = [2.0, 1.0, 2.0, 5.0], [0, 10, 30, 40]
    assert time_weighted_mean(values, times, 100) == pytest.approx(float(Fraction(20 + 20 + 20 + 300, 100)))
    distinct, shares = time_weighted_shares(values, times, 100)
    assert distinct.tolist() == [1.0, 2.0, 5.0]
    assert shares.tolist() == pytest.approx([0.2, 0.2, 0.6])


def test_what_comes_after_the_end_does_not_count():
    assert time_weighted_mean([1.0, 9.0], [0, 50], 50) == 1.0


@pytest.mark.parametrize(("values", "times", "end"), [([], [], 1), ([1.0], [0, 1], 2), ([1.0], [5], 5)])
def test_time_weights_need_values_and_time(values, times, end):
    for function in (time_weighted_mean, time_weighted_shares):
        with pytest.raises(ValueError, match=r"values and times|the end"):
            function(values, times, end)


def test_dispersion_is_one_for_poisson_and_more_for_bursts():
    rng = np.random.default_rng(1)
    times = np.sort(rng.integers(0, 1_000 * SECOND, 20_000))
    spread = 4 * math.sqrt(2 / 1_000)
    assert dispersion_index(times, 0, 1_000 * SECOND, SECOND) == pytest.approx(1.0, abs=spread)
    assert dispersion_index(np.repeat(times, 5), 0, 1_000 * SECOND, SECOND) == pytest.approx(5.0, abs=5 * spread)


def test_dispersion_by_hand():
    # Three whole bins with 2, 0 and 1 arrivals; what follows is no whole bin.
    assert dispersion_index([0, 5, 25, 31], 0, 39, 10) == pytest.approx(1.0)
    assert math.isnan(dispersion_index([0, 5], 0, 19, 10))
    assert math.isnan(dispersion_index([35], 0, 39, 10))


def test_quantiles_are_values_that_were_there():
    assert quantiles([3.0, 1.0, 2.0, 10.0], (0.5, 0.95)) == [2.0, 10.0]


# -- After the trade ---------------------------------------------------------------------------------------------------


def impacts(horizon, end_ns=None):
    return price_impacts(
        [0, 10, 20, 30],
        [100.0, 101.0, 99.0, 102.0],
        horizon,
        order_times_ns=[5, 10, 20],
        start_mids=[100.0, 100.0, 101.0],
        sides=[1, 1, -1],
        end_ns=end_ns,
    )


def test_impact_by_hand():
    # At 10, 15 and 25 the mid is 101, 101 and 99: the last one at or before.
    assert impacts(5).tolist() == pytest.approx([100.0, 100.0, 2 / 101 * 1e4])


def test_impact_is_unknown_after_the_last_mid_unless_it_is_said_to_hold():
    assert np.isnan(impacts(20)).tolist() == [False, False, True]
    assert impacts(20, end_ns=40)[2] == pytest.approx(-1 / 101 * 1e4)


def flow(orders, impact, paid, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(impact, 3.0, orders), rng.normal(paid, 1.0, orders)


def test_adverse_selection_recovers_what_was_put_in():
    found = adverse_selection(*flow(10_000, 0.8, 2.0), horizon_secs=1.0, orders_per_second=1.0)
    assert found.orders == 10_000
    assert found.impact_bps.value == pytest.approx(0.8, abs=4 * 3.0 / 100)
    width = 2 * 1.96 * 3.0 / 100
    assert found.impact_bps.high - found.impact_bps.low == pytest.approx(width, rel=0.2)
    assert found.informed_share.low < 0.4 < found.informed_share.high
    total = found.impact_bps.value + found.realised_half_spread_bps.value
    assert found.informed_share.value == pytest.approx(found.impact_bps.value / total, rel=1e-12)


def test_unknown_impacts_are_left_out_with_their_half_spreads():
    impact, paid = flow(1_000, 0.8, 2.0)
    known = adverse_selection(impact, paid, 1.0, 1.0)
    padded = adverse_selection(np.append(impact, np.nan), np.append(paid, 1e9), 1.0, 1.0)
    assert padded == known


def test_no_share_where_nothing_was_charged():
    found = adverse_selection(*flow(1_000, 0.8, -2.0), 1.0, 1.0)
    assert found.informed_share is None
    assert found.impact_bps.value > 0


@pytest.mark.parametrize(("orders", "horizon"), [(0, 1.0), (4, 1.0), (100, 30.0)])
def test_too_few_orders_for_the_horizon_say_nothing(orders, horizon):
    assert adverse_selection(*flow(orders, 0.8, 2.0), horizon, 1.0) is None


# -- Bootstrap ---------------------------------------------------------------------------------------------------------


def test_bootstrap_draws_whole_blocks_round_the_end():
    rows = np.column_stack([np.arange(4.0), np.arange(4.0) ** 2])
    pairs = [(0, 1), (1, 2), (2, 3), (3, 0)]
    possible = {(a + b + c + d, a * a + b * b + c * c + d * d) for a, b in pairs for c, d in pairs}
    found = bootstrap_means(rows, 2, resamples=300) * 4
    assert {tuple(row) for row in np.rint(found).tolist()} == possible


def test_bootstrap_is_repeatable_and_centred():
    rows = np.random.default_rng(2).exponential(1.0, (500, 1))
    once, again = bootstrap_means(rows, 5), bootstrap_means(rows, 5)
    assert np.array_equal(once, again)
    assert not np.array_equal(once, bootstrap_means(rows, 5, seed=2))
    assert once.mean() == pytest.approx(rows.mean(), abs=4 * rows.std() / math.sqrt(500 * 999))


def test_blocks_see_dependence_that_single_rows_do_not():
    rng = np.random.default_rng(3)
    series = np.zeros(20_000)
    for i, shock in enumerate(rng.normal(size=len(series))):
        series[i] = 0.9 * series[i - 1] + shock if i else shock
    # The standard error of the mean of an AR(1) is 1/((1 - 0.9) sqrt(n)).
    true_error = 1 / 0.1 / math.sqrt(len(series))
    blocks = bootstrap_means(series[:, None], 200).std()
    assert blocks == pytest.approx(true_error, rel=0.15)
    assert bootstrap_means(series[:, None], 1).std() < 0.35 * true_error


@given(st.integers(1, 40), st.integers(1, 60))
@settings(max_examples=30)
def test_constant_rows_have_a_certain_mean(rows, block):
    assert np.allclose(bootstrap_means(np.full((rows, 2), 7.0), block, resamples=20), 7.0, rtol=1e-12)


@pytest.mark.parametrize(("rows", "block"), [(0, 1), (5, 0)])
def test_bootstrap_refusals(rows, block):
    with pytest.raises(ValueError, match="blocks"):
        bootstrap_means(np.zeros((rows, 1)), block)


def test_overlapping_rows_need_five_blocks():
    rows = np.arange(50.0)[:, None]
    assert overlapping_means(rows, 11.0) is None
    assert np.array_equal(overlapping_means(rows, 9.5), bootstrap_means(rows, 10))
    assert np.array_equal(overlapping_means(rows, 0.0), bootstrap_means(rows, 4))


def test_interval_holds_95_of_100_samples():
    interval = percentile_interval(5.0, np.arange(1_001) / 100)
    assert (interval.value, interval.low, interval.high) == pytest.approx((5.0, 0.25, 9.75))

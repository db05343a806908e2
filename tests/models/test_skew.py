import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market_making.avellaneda_stoikov import reservation_price
from models.market_making.skew import (
    exponential_size_factors,
    linear_size_factors,
    normalised_inventory,
    skewed_price,
)

inventories = st.floats(-1, 1)
factors = st.sampled_from([(linear_size_factors, 0.4), (linear_size_factors, 1.0), (exponential_size_factors, 3.0)])


@pytest.mark.parametrize(
    ("position", "target", "deviation", "expected"),
    [(5, 0, 10, 0.5), (-5, 0, 10, -0.5), (5, 5, 10, 0), (4, 5, 2, -0.5), (99, 5, 10, 1), (-99, 5, 10, -1)],
)
def test_normalised_inventory(position, target, deviation, expected):
    assert normalised_inventory(position, target, deviation) == expected


def test_price_skew_by_hand():
    assert skewed_price(200.0, 1.0, 10.0) == pytest.approx(199.8, rel=1e-15)
    assert skewed_price(200.0, -0.5, 10.0) == pytest.approx(200.1, rel=1e-15)


def test_price_skew_is_the_reservation_price_for_the_same_slope():
    # s - q gamma sigma^2 tau with q_max = 8 lots: 8 * 0.1 * 4 * 0.25 = 0.8 on 100, 80 bps.
    for q in range(-8, 9):
        expected = reservation_price(100.0, q, 0.1, 2.0, 0.25)
        assert skewed_price(100.0, normalised_inventory(q, 0, 8), 80.0) == pytest.approx(expected, rel=1e-14)


@given(inventories, st.floats(0, 500), st.floats(1e-6, 1e6), st.floats(1e-3, 1e3))
@settings(max_examples=50)
def test_price_skew_mirrors_is_bounded_and_scales(inventory, skew, price, scale):
    skewed = skewed_price(price, inventory, skew)
    assert skewed + skewed_price(price, -inventory, skew) == pytest.approx(2 * price, rel=1e-12)
    assert abs(skewed / price - 1) <= skew * 1e-4 * (1 + 1e-9) + 1e-12
    assert skewed_price(price * scale, inventory, skew) == pytest.approx(skewed * scale, rel=1e-12)


@given(inventories, inventories, st.floats(0, 500), factors)
@settings(max_examples=50)
def test_more_inventory_never_bids_higher_or_larger(one, other, skew, shape):
    low, high = sorted((one, other))
    assert skewed_price(100.0, high, skew) <= skewed_price(100.0, low, skew)
    function, strength = shape
    (bid_low, ask_low), (bid_high, ask_high) = function(low, strength), function(high, strength)
    assert bid_high <= bid_low
    assert ask_high >= ask_low


@given(inventories, factors)
@settings(max_examples=50)
def test_size_factors_mirror_and_shrink_the_adding_side_only(inventory, shape):
    function, strength = shape
    bid, ask = function(inventory, strength)
    assert function(-inventory, strength) == (ask, bid)
    assert max(bid, ask) == 1.0
    assert min(bid, ask) >= 0.0


@pytest.mark.parametrize(
    ("function", "strength", "inventory", "expected"),
    [
        (linear_size_factors, 1.0, 1.0, (0.0, 1.0)),
        (linear_size_factors, 0.5, -0.5, (1.0, 0.75)),
        (linear_size_factors, 0.0, 1.0, (1.0, 1.0)),
        (exponential_size_factors, 2.0, 0.5, (math.exp(-1), 1.0)),
        (exponential_size_factors, 0.0, -1.0, (1.0, 1.0)),
    ],
)
def test_size_factors_by_hand(function, strength, inventory, expected):
    assert function(inventory, strength) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("function", "arguments", "problem"),
    [
        (normalised_inventory, (1, 0, 0), "max_deviation"),
        (skewed_price, (100.0, 1.1, 10.0), "inventory"),
        (skewed_price, (100.0, math.nan, 10.0), "inventory"),
        (skewed_price, (100.0, 0.5, -1.0), "skew_bps"),
        (skewed_price, (100.0, 0.5, 10_001.0), "skew_bps"),
        (linear_size_factors, (0.5, 1.1), "strength"),
        (linear_size_factors, (-2.0, 1.0), "inventory"),
        (exponential_size_factors, (0.5, -0.1), "eta"),
    ],
)
def test_parameters_out_of_range_are_refused(function, arguments, problem):
    with pytest.raises(ValueError, match=f"{problem} was"):
        function(*arguments)

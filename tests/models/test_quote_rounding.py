import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market_making.fixed_spread import fixed_spread_quotes
from models.market_making.quote_rounding import ask_to_ticks, bid_to_ticks, keep_post_only

ticks = st.sampled_from(["0.00000001", "0.0001", "0.01", "0.05", "0.1", "0.25", "1", "10"])
counts = st.integers(0, 10**9)
levels = st.integers(-200, 200)
maybe_levels = st.none() | levels


@given(counts, ticks)
@settings(max_examples=40)
def test_a_price_on_a_tick_stays_there(count, tick):
    price = float(Decimal(tick) * count)
    assert bid_to_ticks(price, float(tick)) == ask_to_ticks(price, float(tick)) == count


@given(counts, ticks, st.integers(2, 998))
@settings(max_examples=40)
def test_a_price_between_ticks_rounds_outward(count, tick, thousandths):
    price = float(Decimal(tick) * (count + Decimal(thousandths) / 1000))
    assert bid_to_ticks(price, float(tick)) == count
    assert ask_to_ticks(price, float(tick)) == count + 1


@given(st.decimals(-1000, 10**6, places=6), ticks.filter(lambda tick: float(tick) >= 1e-4))
@settings(max_examples=40)
def test_rounding_agrees_with_exact_decimals(price, tick):
    exact = price / Decimal(tick)
    assert bid_to_ticks(float(price), float(tick)) - exact.to_integral_value(ROUND_FLOOR) in (0, 1)
    assert bid_to_ticks(float(price), float(tick)) <= exact + Decimal("0.001")
    assert exact.to_integral_value(ROUND_CEILING) - ask_to_ticks(float(price), float(tick)) in (0, 1)
    assert ask_to_ticks(float(price), float(tick)) >= exact - Decimal("0.001")


@pytest.mark.parametrize("price", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("to_ticks", [bid_to_ticks, ask_to_ticks])
def test_a_side_without_a_price_is_refused(to_ticks, price):
    with pytest.raises(ValueError, match="expected a finite number"):
        to_ticks(price, 0.01)


@pytest.mark.parametrize("tick", [0.0, -0.01, math.nan])
def test_a_tick_that_is_not_positive_is_refused(tick):
    with pytest.raises(ValueError, match="expected above 0"):
        bid_to_ticks(100.0, tick)


@given(levels, levels, levels, levels)
@settings(max_examples=40)
def test_post_only_quotes_never_take_never_cross_and_move_outward_only(bid, ask, best_bid, best_ask):
    kept_bid, kept_ask = keep_post_only(bid, ask, best_bid, best_ask)
    assert kept_bid < kept_ask
    assert kept_bid < best_ask
    assert kept_ask > best_bid
    assert kept_bid <= bid
    assert kept_ask >= ask


@given(maybe_levels, maybe_levels, maybe_levels, maybe_levels)
@settings(max_examples=40)
def test_post_only_is_symmetric_and_idempotent(bid, ask, best_bid, best_ask):
    def mirror(level):
        return None if level is None else -level

    kept = keep_post_only(bid, ask, best_bid, best_ask)
    mirrored = keep_post_only(mirror(ask), mirror(bid), mirror(best_ask), mirror(best_bid))
    assert mirrored == (mirror(kept[1]), mirror(kept[0]))
    assert keep_post_only(*kept, best_bid, best_ask) == kept
    assert [side is None for side in kept] == [bid is None, ask is None]


@pytest.mark.parametrize(
    ("desired", "best", "kept"),
    [
        ((99, 101), (98, 102), (99, 101)),  # inside the market's spread
        ((99, 101), (101, 103), (99, 102)),  # the market moved up through our ask
        ((99, 101), (95, 97), (96, 101)),  # and down through our bid
        ((100, 100), (98, 102), (99, 101)),  # locked with ourselves
        ((103, 100), (None, None), (101, 102)),  # crossed with ourselves
        ((None, 101), (101, 103), (None, 102)),
        ((99, None), (None, 99), (98, None)),
    ],
)
def test_post_only_by_hand(desired, best, kept):
    assert keep_post_only(*desired, *best) == kept


@given(st.floats(1, 1e6), st.floats(1e-9, 1e4), ticks)
@settings(max_examples=40)
def test_a_fixed_spread_survives_rounding_and_post_only(mid, half_spread, tick):
    bid, ask = fixed_spread_quotes(mid, half_spread)
    bid_ticks, ask_ticks = bid_to_ticks(bid, float(tick)), ask_to_ticks(ask, float(tick))
    assert bid_ticks <= ask_ticks
    kept_bid, kept_ask = keep_post_only(bid_ticks, ask_ticks, None, None)
    assert kept_bid < kept_ask


@pytest.mark.parametrize("half_spread", [0.0, -1.0, math.nan])
def test_a_fixed_spread_must_be_positive(half_spread):
    with pytest.raises(ValueError, match="half_spread was not positive"):
        fixed_spread_quotes(100.0, half_spread)

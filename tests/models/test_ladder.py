import math
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.market_making.ladder import SizeShape, ladder_prices, ladder_quotes, ladder_sizes, whole_lots
from models.market_making.quote_plan import Quote, Side

spacings = st.floats(0.01, 50)


@pytest.mark.parametrize(
    ("spacing", "bids", "asks"),
    [
        (1, [100, 99, 98, 97], [100, 101, 102, 103]),
        (2.5, [100, 97, 95, 92], [100, 103, 105, 108]),  # 2.5, 5 and 7.5 away, outward
        (0.3, [100, 99, 98, 97], [100, 101, 102, 103]),  # no two levels at one price
        (40, [100, 60, 20], [100, 140, 180, 220]),  # a bid below one tick is left out
        (0.1 + 0.2 + 0.7, [100, 99, 98, 97], [100, 101, 102, 103]),
        (1.1 + 2.2 - 2.3, [100, 99, 98, 97], [100, 101, 102, 103]),  # 1.0000000000000004
    ],
)
def test_prices_by_hand(spacing, bids, asks):
    assert ladder_prices(Side.BID, 100, 4, spacing) == bids
    assert ladder_prices(Side.ASK, 100, 4, spacing) == asks


@pytest.mark.parametrize(
    ("first", "step", "shape", "room", "sizes"),
    [
        (10, 5, SizeShape.LINEAR, math.inf, [10, 15, 20, 25]),
        (10, 0, SizeShape.LINEAR, math.inf, [10, 10, 10, 10]),
        (10, -4, SizeShape.LINEAR, math.inf, [10, 6, 2, 0]),
        (100, 0.7, SizeShape.GEOMETRIC, math.inf, [100, 70, 49, 34]),  # 100 * 0.7 * 0.7 is 48.99999999999999
        (3, 1.5, SizeShape.GEOMETRIC, math.inf, [3, 4, 6, 10]),
        (10, 5, SizeShape.LINEAR, 30, [10, 15, 5, 0]),
        (10, 5, SizeShape.LINEAR, 2.9, [2, 0, 0, 0]),
        (10, 5, SizeShape.LINEAR, -3, [0, 0, 0, 0]),
        (0.4, 0.5, SizeShape.LINEAR, math.inf, [0, 0, 1, 1]),
    ],
)
def test_sizes_by_hand(first, step, shape, room, sizes):
    assert ladder_sizes(first, 4, step, shape, room) == sizes


@given(st.integers(1, 10_000), st.integers(1, 500), st.integers(0, 20), spacings)
@settings(max_examples=50)
def test_levels_do_not_cross_repeat_or_come_closer_than_asked(first_bid, spread, levels, spacing):
    quotes = ladder_quotes(first_bid, first_bid + spread, [1] * levels, [1] * levels, spacing)
    bids = [quote.price for quote in quotes if quote.side is Side.BID]
    asks = [quote.price for quote in quotes if quote.side is Side.ASK]
    assert max(bids, default=0) < min(asks, default=math.inf)
    assert bids == sorted(set(bids), reverse=True)
    assert len(asks) == levels
    assert min(bids, default=1) > 0
    for level, price in enumerate(asks):
        exact = level * Fraction(spacing)
        assert exact * (1 - Fraction(2, 10**9)) <= price - first_bid - spread < max(level, exact) + 1


@given(st.integers(1000, 10_000), st.integers(0, 12), spacings)
@settings(max_examples=50)
def test_sides_mirror(first, levels, spacing):
    bids, asks = (ladder_prices(side, first, levels, spacing) for side in (Side.BID, Side.ASK))
    assert [first - price for price in bids] == [price - first for price in asks]


@given(st.floats(0, 1000), st.integers(0, 12), st.floats(0.2, 3), st.sampled_from(SizeShape), st.floats(0, 5000))
@example(0.0, 3, 2.0, SizeShape.LINEAR, 1.9999999999999996)
@settings(max_examples=50)
def test_sizes_stay_within_room_and_what_was_asked(first, levels, step, shape, room):
    sizes = ladder_sizes(first, levels, step, shape, room)
    assert sum(sizes) <= room * (1 + 1e-9)
    for level, size in enumerate(sizes):
        wanted = first * step**level if shape is SizeShape.GEOMETRIC else first + level * step
        assert 0 <= size <= wanted * (1 + 1e-9)


def test_quotes_of_both_sides():
    assert ladder_quotes(99, 101, [5, 0, 7], [4], 2) == [
        Quote(Side.BID, 99, 5),
        Quote(Side.BID, 95, 7),
        Quote(Side.ASK, 101, 4),
    ]
    assert ladder_quotes(None, 101, [5], [4], 2) == [Quote(Side.ASK, 101, 4)]
    assert ladder_quotes(99, None, [5], [4], 2) == [Quote(Side.BID, 99, 5)]


@pytest.mark.parametrize(
    ("lots", "whole"), [(0.0, 0), (2.999, 2), (3.0, 3), (2.9999999999999996, 3), (0.1 * 3 / 0.1, 3)]
)
def test_whole_lots(lots, whole):
    assert whole_lots(lots) == whole


@pytest.mark.parametrize(
    ("function", "arguments", "problem"),
    [
        (ladder_prices, (Side.BID, 100, -1, 1.0), "levels"),
        (ladder_prices, (Side.BID, 100, 3, 0.0), "spacing"),
        (ladder_prices, (Side.BID, 100, 3, math.nan), "spacing"),
        (ladder_sizes, (10, -1, 1.0), "levels"),
        (ladder_sizes, (-1, 3, 1.0), "first_lots"),
        (ladder_sizes, (10, 3, 0.0, SizeShape.GEOMETRIC), "step"),
        (ladder_sizes, (10, 3, 1.0, SizeShape.LINEAR, math.nan), "room"),
        (ladder_sizes, (math.inf, 3, 1.0), "lots"),
        (whole_lots, (-1.0,), "lots"),
        (whole_lots, (math.nan,), "lots"),
        (ladder_quotes, (100, 100, [1], [1], 1), "was not below"),
        (ladder_quotes, (99, 100, [-1], [1], 1), "size was negative"),
    ],
)
def test_bad_ladders_are_refused(function, arguments, problem):
    with pytest.raises(ValueError, match=problem):
        function(*arguments)

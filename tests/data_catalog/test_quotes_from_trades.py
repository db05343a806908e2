import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_catalog.columns import BUYER, SELLER, Quotes, Trades
from data_catalog.rebuilt_quotes.from_trades import TouchRebuilder, touch_error

SECOND = 10**9


def trades(*rows: tuple[int, int, int, int]) -> Trades:
    """Return trades from (time, side, price, size)."""
    ts, side, price, size = np.array(rows, np.int64).reshape(-1, 4).T
    return Trades(price, size, side.astype(np.uint8), np.arange(len(ts)), ts, ts)


def rebuild(*parts: Trades, tick: int = 1) -> Quotes:
    rebuilder = TouchRebuilder(tick)
    return Quotes.concat([*(rebuilder.add(part) for part in parts), rebuilder.finish()])


def touches(quotes: Quotes) -> list[tuple[int, int]]:
    return list(zip(quotes.bid_price.tolist(), quotes.ask_price.tolist(), strict=True))


def test_each_trade_shows_the_side_its_aggressor_hit():
    quotes = rebuild(trades((1, BUYER, 102, 5), (2, SELLER, 100, 5), (3, BUYER, 101, 5)))
    assert touches(quotes) == [(101, 102), (100, 102), (100, 101)]


def test_other_side_stays_within_the_usual_spread():
    quotes = rebuild(trades((1, BUYER, 102, 5), (2, SELLER, 100, 5), (3, BUYER, 103, 5), (4, BUYER, 104, 5)))
    # Bounces of 2 and 3: their median, 2.5 ticks, counts as 2.
    assert touches(quotes) == [(101, 102), (100, 102), (101, 103), (102, 104)]


@pytest.mark.parametrize("tick", [1, 5])
def test_crossed_side_moves_by_the_spread_and_at_least_a_tick(tick):
    quotes = rebuild(trades((1, BUYER, 100, 5), (2, SELLER, 110, 5)), tick=tick)
    assert touches(quotes) == [(100 - tick, 100), (110, 110 + tick)]


def test_quote_comes_after_its_trade_and_once_per_time():
    quotes = rebuild(trades((10, BUYER, 100, 5), (10, BUYER, 101, 5), (10, BUYER, 102, 5), (20, SELLER, 100, 5)))
    assert quotes.ts_init.tolist() == [11, 21]
    assert touches(quotes) == [(101, 102), (100, 102)]


def test_trades_that_change_nothing_give_no_quote():
    moved = [(1, BUYER, 100, 5), (2, BUYER, 101, 5)]
    still = [(3, SELLER, 100, 5), (4, BUYER, 101, 5), (5, SELLER, 100, 5)]
    assert len(rebuild(trades(*moved, *still))) == len(rebuild(trades(*moved))) == 2


def test_size_is_the_mean_volume_traded_at_one_price_before_it_moved():
    quotes = rebuild(trades((1, BUYER, 100, 6), (2, BUYER, 100, 4), (3, BUYER, 101, 9), (4, BUYER, 102, 1)))
    assert quotes.bid_size.tolist() == quotes.ask_size.tolist() == [6, 10, 10, 10]


def test_bid_below_the_first_tick_gives_no_quote():
    assert len(rebuild(trades((1, BUYER, 1, 5)))) == 0


rows = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([BUYER, SELLER]), st.integers(200, 240), st.integers(1, 50)),
    min_size=1,
    max_size=40,
)


@given(rows, st.integers(1, 3), st.integers(0, 40))
def test_rebuilt_quotes_hold_their_invariants(steps, tick, cut):
    table = [
        (time, side, price * tick, size)
        for time, (_, side, price, size) in zip(np.cumsum([step[0] for step in steps]).tolist(), steps, strict=True)
    ]
    every = trades(*table)
    quotes = rebuild(every, tick=tick)
    split = rebuild(every.slice(0, cut), every.slice(cut, len(every)), tick=tick)
    assert np.all(quotes.bid_price < quotes.ask_price)
    assert np.all((quotes.ask_price - quotes.bid_price) % tick == 0)
    assert np.all(np.diff(quotes.ts_init) > 0)
    assert np.all(quotes.bid_size >= 1)
    for column in Quotes.__slots__:
        np.testing.assert_array_equal(getattr(quotes, column), getattr(split, column))


def quotes(*rows: tuple[int, int, int]) -> Quotes:
    ts, bid, ask = np.array(rows, np.int64).T
    size = np.full(len(ts), 10)
    return Quotes(bid, ask, size, size, ts * SECOND, ts * SECOND)


def test_error_is_weighted_by_time():
    recorded = quotes((0, 1000, 1002), (10, 1000, 1002))
    rebuilt = quotes((0, 1000, 1002), (4, 1000, 1001), (7, 1002, 1006), (10, 1, 2))
    error = touch_error(recorded, rebuilt, tick=1)
    assert error.hours == pytest.approx(10 / 3600)
    assert error.same_touch_share == pytest.approx(0.4)
    assert error.mid_error_ticks == pytest.approx(0.3 * 0.5 + 0.3 * 3)
    assert error.mid_error_bps == pytest.approx((0.3 * 0.5 + 0.3 * 3) / 1001 * 1e4)
    assert error.spread_ticks == pytest.approx(2)
    assert error.spread_bias_ticks == pytest.approx(0.3 * -1 + 0.3 * 2)
    assert error.size_ratio == pytest.approx(1)


def test_error_covers_only_the_time_with_both():
    recorded = quotes((0, 1000, 1002), (5, 2000, 2002), (20, 2000, 2002))
    rebuilt = quotes((6, 2000, 2002), (10, 2000, 2002))
    error = touch_error(recorded, rebuilt, tick=2)
    assert (error.same_touch_share, error.mid_error_ticks) == (1, 0)
    assert error.spread_ticks == pytest.approx(1)


def test_error_without_common_time_is_refused():
    with pytest.raises(ValueError, match="no time in common"):
        touch_error(quotes((0, 1, 2), (1, 1, 2)), quotes((5, 1, 2), (6, 1, 2)), tick=1)

"""The laws that went in are found again in what came out, within four standard errors."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest

from models.synthetic_market import BPS, MarketBlock, MarketModel, generate

HOUR_NS = 3600 * 10**9
MODEL = MarketModel(
    ticks=(0.01,),
    start_price=100.0,
    sigma_bps_per_sqrt_s=1.0,
    mean_reversion_half_life_secs=0.0,
    jumps_per_hour=0.0,
    jump_size_bps=20.0,
    quotes_per_s=4.0,
    spread_ticks=4,
    touch_qty=20.0,
    order_qty=5.0,
    market_orders_per_s=0.5,
    depth_decay_per_bps=0.25,
    informed_pct=0.0,
    impact_bps=2.0,
    hedge_ratio=1.0,
    pair_sigma_bps=10.0,
    pair_half_life_secs=60.0,
)


def market(seconds=7200.0, seed=1, **changes) -> list[MarketBlock]:
    """Return each asset's whole market as one block."""
    blocks = list(generate(replace(MODEL, **changes), seconds, seed))
    names = [field.name for field in fields(MarketBlock)]
    return [
        MarketBlock(*(np.concatenate([getattr(block, name) for block in asset]) for name in names))
        for asset in zip(*blocks, strict=True)
    ]


def touch_at(block, times):
    """Return bid and ask, in ticks, of the last quote before each time."""
    last = np.searchsorted(block.quote_time_ns, times) - 1
    return block.bid_ticks[last], block.ask_ticks[last]


def within_four_errors(values, expected):
    return abs(np.mean(values) - expected) < 4 * np.std(values, ddof=1) / math.sqrt(len(values))


@pytest.fixture(scope="module")
def plain() -> MarketBlock:
    return market()[0]


@pytest.fixture(scope="module")
def informed() -> MarketBlock:
    return market(informed_pct=30.0)[0]


def test_the_same_seed_gives_the_same_market_and_another_another(plain):
    again, other = market()[0], market(seed=2)[0]
    for field in fields(MarketBlock):
        assert np.array_equal(getattr(plain, field.name), getattr(again, field.name))
    assert not np.array_equal(plain.mid[:100], other.mid[:100])


@pytest.mark.parametrize("spread", [1, 2, 3, 4])
def test_quotes_and_trades_are_consistent(spread):
    block = market(1800.0, spread_ticks=spread, informed_pct=30.0)[0]
    moments = np.concatenate([block.quote_time_ns, block.trade_time_ns])
    assert len(np.unique(moments)) == len(moments)
    assert np.all(np.diff(block.quote_time_ns) > 0)
    assert moments.max() < 1800 * 10**9
    assert np.all(block.ask_ticks - block.bid_ticks == spread)
    assert np.all(np.abs((block.bid_ticks + block.ask_ticks) / 2 - block.mid / 0.01) <= 0.5 + 1e-9)
    bid, ask = touch_at(block, block.trade_time_ns)
    assert np.all(np.where(block.buyer, block.trade_ticks > bid, block.trade_ticks < ask))
    assert np.all(np.isin(block.trade_time_ns + 1000, block.quote_time_ns))


def test_sigma_is_recovered(plain):
    squares = np.diff(np.log(plain.mid)) ** 2 / (np.diff(plain.quote_time_ns) / 1e9)
    assert within_four_errors(squares, (1.0 * BPS) ** 2)


def test_the_flow_at_every_depth_is_exponential(plain):
    # An order at this depth would have been reached: rate A exp(-k depth) on each side.
    bid, ask = touch_at(plain, plain.trade_time_ns)
    centre = (bid + ask) / 2
    for buyer in (True, False):
        depth = np.abs(plain.trade_ticks - centre)[plain.buyer == buyer]
        for ticks in (0, 1, 2, 5, 10):
            expected = 0.5 * math.exp(-0.25 * ticks) * 7200
            assert abs((depth >= ticks).sum() - expected) < 4 * math.sqrt(expected)


def test_rate_and_decay_are_recovered(plain):
    for buyer in (True, False):
        reach = plain.reach_bps[plain.buyer == buyer]
        assert abs(len(reach) / 7200 - 0.5) < 4 * math.sqrt(0.5 / 7200)
        assert within_four_errors(reach, 4.0)


def test_sizes_have_their_means(plain):
    assert within_four_errors(plain.bid_qty, 20.0)
    assert within_four_errors(plain.ask_qty, 20.0)
    assert within_four_errors(plain.trade_qty, 5.0)


def test_uninformed_flow_leaves_the_mid_alone(plain):
    assert within_four_errors(markouts_bps(plain, 5), 0.0)


@pytest.mark.parametrize("seconds", [0.001, 1, 5])
def test_informed_flow_moves_the_mid_for_good(informed, seconds):
    assert within_four_errors(markouts_bps(informed, seconds), 0.30 * 2.0)


def test_informed_share_is_recovered(informed):
    share, count = informed.informed.mean(), len(informed.informed)
    assert abs(share - 0.30) < 4 * math.sqrt(0.3 * 0.7 / count)


def markouts_bps(block, seconds):
    """Return the move of the true mid after each trade in the direction of the trade, apart by more than `seconds`."""
    whole = block.trade_time_ns < block.quote_time_ns[-1] - seconds * 1e9
    times = block.trade_time_ns[whole]
    before = np.log(block.mid[np.searchsorted(block.quote_time_ns, times) - 1])
    after = np.log(block.mid[np.searchsorted(block.quote_time_ns, times + seconds * 1e9) - 1])
    return np.where(block.buyer[whole], 1, -1) * (after - before) / BPS


def test_the_volatility_shown_includes_impact_and_jumps(informed):
    model = replace(MODEL, informed_pct=30.0, jumps_per_hour=60.0)
    block = market(informed_pct=30.0, jumps_per_hour=60.0)[0]
    grid = np.arange(0, 7200 * 10**9, 10**10)
    moves = np.diff(np.log(block.mid[np.searchsorted(block.quote_time_ns, grid, side="right") - 1]))
    assert within_four_errors(moves**2 / 10, (model.shown_sigma_bps_per_sqrt_s * BPS) ** 2)


def test_mean_reversion_has_its_half_life():
    block = market(7200 * 2, mean_reversion_half_life_secs=30.0, sigma_bps_per_sqrt_s=3.0)[0]
    assert_half_life(block.quote_time_ns, np.log(block.mid / 100.0), 30.0, math.sqrt(9 * 30 / (2 * math.log(2))))


def test_assets_are_cointegrated():
    first, second = market(7200 * 2, ticks=(0.01, 0.01), hedge_ratio=1.5, informed_pct=30.0)
    # The first asset's mid is F itself; the second's quotes know it as of the last quote before.
    known = np.searchsorted(first.quote_time_ns, second.quote_time_ns, side="right") - 1
    fresh = second.quote_time_ns - first.quote_time_ns[known] < 2 * 10**7
    gap = np.log(second.mid / 100.0) - 1.5 * np.log(first.mid[known] / 100.0)
    assert_half_life(second.quote_time_ns[fresh], gap[fresh], 60.0, 10.0)


def assert_half_life(times, path, half_life_secs, sigma_bps):
    """Check the autoregression of the path on a grid of 5 s against its law, and its variance."""
    grid = np.arange(0, times[-1], 5 * 10**9)
    x = path[np.searchsorted(times, grid, side="right") - 1]
    slope = np.dot(x[:-1], x[1:]) / np.dot(x[:-1], x[:-1])
    expected = 2.0 ** (-5 / half_life_secs)
    assert abs(slope - expected) < 4 * math.sqrt((1 - expected**2) / len(x))
    effective = len(x) * (1 - expected**2) / (1 + expected**2)
    assert abs(np.mean(x**2) / (sigma_bps * BPS) ** 2 - 1) < 4 * math.sqrt(2 / effective)


def test_blocks_join_without_a_seam():
    block = market(3 * 3600.0, market_orders_per_s=0.1)[0]
    seams = np.searchsorted(block.quote_time_ns, [HOUR_NS, 2 * HOUR_NS])
    assert np.all(np.abs(np.diff(np.log(block.mid))[seams - 1]) < 10 * BPS)
    assert len(block.mid) == pytest.approx(3 * 3600 * 4.2, rel=0.03)


def test_a_change_of_the_informed_share_leaves_the_arrivals_alone(plain, informed):
    assert np.array_equal(plain.trade_time_ns, informed.trade_time_ns)
    assert np.array_equal(plain.reach_bps, informed.reach_bps)


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan])
def test_the_length_must_be_positive(seconds):
    with pytest.raises(ValueError, match="seconds"):
        next(generate(MODEL, seconds, 1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sigma_bps_per_sqrt_s": 100.0, "start_price": 0.03}, "below one tick"),
        ({"sigma_bps_per_sqrt_s": 10_000.0}, "ran away"),
    ],
)
def test_prices_that_no_market_has_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        market(**changes)


def test_a_market_without_orders_has_quotes_only():
    block = market(600.0, market_orders_per_s=0.0)[0]
    assert len(block.trade_time_ns) == 0
    assert len(block.quote_time_ns) > 2000

"""Faults of the market data: what is changed, what is not, and that the cut into chunks does not matter."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.model.data import QuoteTick

from bad_input import BadInput
from data_catalog.instruments import find_instrument
from runtime.drills.faults import FAULTS, Fault, parse_injection
from runtime.drills.market import FaultyMarket
from tests.engine_kit import START_NS, Market

SECOND = 10**9
AT = START_NS + 30 * SECOND
PERPETUAL = find_instrument("SYNUSDT-PERP.BINANCE")
OTHER = find_instrument("BTCUSDT-PERP.BINANCE")
TICK = PERPETUAL.price_increment.raw


def ticks_of(seed: int = 3) -> list[Any]:
    market, other = Market(PERPETUAL), Market(OTHER)
    market.random(seed, seconds=60)
    other.random(seed + 1, seconds=60, mid=60_000, tick=0.1)
    return sorted((*market.ticks, *other.ticks), key=lambda tick: tick.ts_init)


def faulty(name: str, secs: float = 0, pct: float = 0, instruments: Any = (PERPETUAL,)) -> FaultyMarket:
    ticks = {instrument.id.value: instrument.price_increment.raw for instrument in instruments}
    fault = Fault(FAULTS[name], AT, Decimal(str(secs)), Decimal(str(pct)), frozenset(ticks))
    return FaultyMarket(fault, ticks, 10 * SECOND)


def passed(market: FaultyMarket, ticks: list[Any], cuts: list[int] | None = None) -> list[Any]:
    edges = [0, *sorted(set(cuts or [])), len(ticks)]
    chunks = [ticks[a:b] for a, b in pairwise(edges) if a < b]
    return [tick for chunk in market.apply(chunks) for tick in chunk]


def said(ticks: list[Any]) -> list[dict[str, Any]]:
    return [type(tick).to_dict(tick) for tick in ticks]


def prices(tick: Any) -> list[int]:
    found = (tick.bid_price, tick.ask_price) if isinstance(tick, QuoteTick) else (tick.price,)
    return [price.raw // TICK for price in found]


def ours(ticks: list[Any]) -> list[Any]:
    return [tick for tick in ticks if tick.instrument_id == PERPETUAL.id]


@pytest.mark.parametrize(("name", "pct"), [("gap", -8), ("gap", 8), ("crash", -8), ("price-spike", -8)])
@pytest.mark.parametrize("secs", [0, 10])
@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.integers(1, 600), max_size=6))
def test_chunks_do_not_matter_and_nothing_else_is_touched(name: str, pct: int, secs: int, cuts: list[int]) -> None:
    ticks = ticks_of()

    result = passed(faulty(name, secs, pct), ticks, cuts)

    assert said(result) == said(passed(faulty(name, secs, pct), ticks))
    assert [tick.ts_init for tick in result] == sorted(tick.ts_init for tick in result)
    assert said([t for t in result if t.ts_init < AT]) == said([t for t in ticks if t.ts_init < AT])
    assert said([t for t in result if t.instrument_id == OTHER.id]) == said(
        [t for t in ticks if t.instrument_id == OTHER.id]
    )


@pytest.mark.parametrize("pct", [-8.0, 12.5])
def test_a_gap_moves_every_price_by_the_same_ticks(pct: float) -> None:
    ticks = ours(ticks_of())
    first = next(tick for tick in ticks if tick.ts_init >= AT)

    result = passed(faulty("gap", pct=pct), ticks)

    moves = {
        after - before
        for old, new in zip(ticks, result, strict=True)
        for before, after in zip(prices(old), prices(new), strict=True)
        if old.ts_init >= AT
    }
    (move,) = moves
    assert move == pytest.approx(prices(first)[0] * pct / 100, abs=1)


def test_a_crash_falls_in_a_straight_line_and_stays_down() -> None:
    ticks = ours(ticks_of())
    first = prices(next(tick for tick in ticks if tick.ts_init >= AT))[0]

    result = passed(faulty("crash", secs=20, pct=-10), ticks)

    for old, new in zip(ticks, result, strict=True):
        share = min(max((old.ts_init - AT) / SECOND / 20, 0), 1)
        assert prices(new)[0] - prices(old)[0] == pytest.approx(-first * 0.1 * share, abs=1.01)


def test_no_fall_takes_a_price_below_one_tick() -> None:
    market = Market(PERPETUAL)
    for second in range(60):
        mid = 100.0 if second < 40 else 2.0
        market.quote(second, mid - 0.01, mid + 0.01)

    result = passed(faulty("gap", pct=-99), market.ticks)

    assert all(0 < prices(tick)[0] < prices(tick)[1] for tick in result)


def test_a_spike_is_one_quote_at_one_point_of_the_grid() -> None:
    ticks = ours(ticks_of())

    result = passed(faulty("price-spike", pct=-10), ticks)

    before = said(ticks)
    (bad,) = [tick for tick in result if type(tick).to_dict(tick) not in before]
    last = [tick for tick in ticks if isinstance(tick, QuoteTick) and tick.ts_init <= bad.ts_init][-1]
    assert bad.ts_init == AT
    assert prices(bad)[0] == pytest.approx(prices(last)[0] * 0.9, abs=1)
    assert prices(bad)[1] - prices(bad)[0] == prices(last)[1] - prices(last)[0]


def test_every_instrument_has_its_spike_though_one_is_silent() -> None:
    lively, silent = Market(PERPETUAL), Market(OTHER)
    lively.random(seed=1, seconds=60)
    for second in (1, 50):
        silent.quote(second, 60_000, 60_000.1)
    ticks = sorted((*lively.ticks, *silent.ticks), key=lambda tick: tick.ts_init)

    result = passed(faulty("price-spike", pct=-10, instruments=(PERPETUAL, OTHER)), ticks)

    before = said(ticks)
    added = [tick for tick in result if type(tick).to_dict(tick) not in before]
    seconds = {tick.instrument_id: [] for tick in added}
    for tick in added:
        seconds[tick.instrument_id].append((tick.ts_init - AT) / SECOND)
    assert seconds == {PERPETUAL.id: [0], OTHER.id: [0, 5]}
    assert [tick.ts_init for tick in result] == sorted(tick.ts_init for tick in result)


def test_a_spike_ends_before_the_next_point_of_the_grid_though_the_market_is_silent() -> None:
    market = Market(PERPETUAL)
    for second in (1, 58):
        market.quote(second, 99.99, 100.01)
    market.quote(59, 99.98, 100.02)

    result = passed(faulty("price-spike", pct=-10), market.ticks)

    seconds = [(tick.ts_init - START_NS) / SECOND for tick in result]
    assert seconds == [1, 30, 35, 58, 59]
    assert [prices(tick)[0] for tick in result] == [9999, 8999, 9999, 9999, 9998]


def test_a_stalled_feed_says_nothing_and_then_the_truth() -> None:
    ticks = ours(ticks_of())

    result = passed(faulty("feed-stall", secs=20), ticks)

    assert said(result) == said([t for t in ticks if not AT <= t.ts_init < AT + 20 * SECOND])


def test_a_crossed_market_has_its_bid_above_its_ask_while_it_lasts() -> None:
    ticks = ours(ticks_of())

    result = passed(faulty("equity-unknown", secs=20), ticks)

    for tick in (tick for tick in result if isinstance(tick, QuoteTick)):
        assert (tick.bid_price > tick.ask_price) == (AT <= tick.ts_init < AT + 20 * SECOND)


def test_events_are_counted_from_the_fault_on() -> None:
    ticks = ticks_of()
    market = faulty("feed-stall", secs=10)

    passed(market, ticks)

    stalled = [t for t in ticks if t.instrument_id == PERPETUAL.id and AT <= t.ts_init < AT + 10 * SECOND]
    until = AT + 15 * SECOND
    assert market.events_until(until) == len([t for t in ticks if AT <= t.ts_init <= until]) - len(stalled)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("crsh", 'did you mean "crash"?'),
        ("gap:pct=abc", 'pct was "abc", expected a number above 0 and below 100'),
        ("gap:pct=0", 'pct was "0"'),
        ("gap:pct=100", 'pct was "100"'),
        ("gap:secs=5", 'gap has no "secs=5"'),
        ("crash:sec=5", 'did you mean "secs"?'),
        ("crash:secs", 'crash has no "secs"'),
        ("crash:pct=5,pct=6", "pct stands twice"),
        ("gap:side=left", 'side was "left", expected up or down'),
        ("gap:instrument=SYNUSD-PERP.BINANCE", 'did you mean "SYNUSDT-PERP.BINANCE"?'),
        ("feed-stall:secs=nan", 'secs was "nan"'),
    ],
)
def test_bad_faults_are_one_line(text: str, complaint: str) -> None:
    with pytest.raises(BadInput) as error:
        parse_injection(text, ["SYNUSDT-PERP.BINANCE"])

    assert str(error.value).startswith("--inject: ")
    assert complaint in str(error.value)


def test_a_fault_says_what_is_asked_for() -> None:
    injection = parse_injection("crash:pct=8, secs=60,side=up", ["SYNUSDT-PERP.BINANCE"])

    assert (injection.kind.name, injection.pct, injection.secs, injection.side) == ("crash", 8, 60, "up")

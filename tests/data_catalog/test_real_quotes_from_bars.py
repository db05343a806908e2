"""How far quotes rebuilt from bars are from recorded ones, and estimated spreads; docs/data.md states these figures."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from data_catalog.columns import Bars, Quotes, Trades
from data_catalog.counts import Grid
from data_catalog.instruments import find_instrument
from data_catalog.klines import parse_klines
from data_catalog.rebuilt_quotes.from_bars import quotes_from_bars, usual_spread_ticks
from data_catalog.rebuilt_quotes.from_trades import touch_error
from data_catalog.recordings.parser import RecordingParser

pytestmark = pytest.mark.real_data

SECOND = 10**9


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> dict[type, Quotes | Trades]:
    """Return the recorded quotes and trades of NEXOUSDT, 24.3 hours."""
    paths = sorted((shared_data / "ticks_nexousdt_spot_202407").glob("*.gz"))
    parser = RecordingParser(paths, find_instrument("NEXOUSDT.BINANCE"))
    parts: dict[type, list] = {Quotes: [], Trades: []}
    for columns in parser.batches():
        parts.get(type(columns), []).append(columns)
    return {kind: kind.concat(some) for kind, some in parts.items()}


def bars_of(trades: Trades, interval_ns: int) -> Bars:
    """Return the bars that an exchange would make of trades; minutes without a trade are left out."""
    opens, first = np.unique(trades.ts_init // interval_ns, return_index=True)
    high, low = np.maximum.reduceat(trades.price, first), np.minimum.reduceat(trades.price, first)
    last = np.append(first[1:], len(trades)) - 1
    close_ns = (opens + 1) * interval_ns
    volume = np.add.reduceat(trades.size, first)
    return Bars(trades.price[first], high, low, trades.price[last], volume, close_ns, close_ns)


@pytest.mark.parametrize(
    ("minutes", "spread_ticks", "mid_bps", "same_touch", "spread_bias"),
    [(1, None, 3.58, 0.546, -0.22), (1, 2, 4.86, 0.146, 0.78), (5, None, 7.67, 0.371, -0.22)],
)
def test_quotes_from_bars_are_as_far_off_as_documented(
    recorded, minutes, spread_ticks, mid_bps, same_touch, spread_bias
):
    interval_ns = minutes * 60 * SECOND
    bars = bars_of(recorded[Trades], interval_ns)
    spread = spread_ticks or usual_spread_ticks(bars, interval_ns, 1)
    rebuilt = Quotes.concat(list(quotes_from_bars(bars, interval_ns, 1, spread)))
    error = touch_error(recorded[Quotes], rebuilt, 1)
    assert error.hours > 24
    assert error.mid_error_bps == pytest.approx(mid_bps, abs=0.01)
    assert error.same_touch_share == pytest.approx(same_touch, abs=0.002)
    assert error.spread_bias_ticks == pytest.approx(spread_bias, abs=0.01)


def volatility(quotes: Quotes, step_ns: int, start: int, end: int) -> float:
    """Return the root mean square of the moves of the mid over steps of one length."""
    at = np.searchsorted(quotes.ts_init, np.arange(start, end, step_ns), side="right") - 1
    return float(np.sqrt(np.mean(np.diff(quotes.bid_price[at] + quotes.ask_price[at]) ** 2)))


@pytest.mark.parametrize(("seconds", "ratio"), [(15, 1.75), (60, 1.48), (300, 1.23)])
def test_rebuilt_path_is_wilder_than_the_market_the_more_the_closer_one_looks(recorded, seconds, ratio):
    quotes = recorded[Quotes]
    rebuilt = Quotes.concat(list(quotes_from_bars(bars_of(recorded[Trades], 60 * SECOND), 60 * SECOND, 1, 1)))
    start, end = int(max(quotes.ts_init[0], rebuilt.ts_init[0])), int(min(quotes.ts_init[-1], rebuilt.ts_init[-1]))
    both = [volatility(one, seconds * SECOND, start, end) for one in (rebuilt, quotes)]
    assert both[0] / both[1] == pytest.approx(ratio, abs=0.02)


def test_spread_of_a_recorded_market_is_found_in_its_bars(recorded):
    quotes = recorded[Quotes]
    spread = np.average((quotes.ask_price - quotes.bid_price)[:-1], weights=np.diff(quotes.ts_init))
    assert spread == pytest.approx(1.22, abs=0.01)
    assert usual_spread_ticks(bars_of(recorded[Trades], 60 * SECOND), 60 * SECOND, 1) == round(spread)


@pytest.mark.parametrize(("archive", "spread", "silent"), [("iota_tooyipjee", 5, 1_045), ("iota_agustin", 4, 1_094)])
def test_candles_of_a_thin_pair_show_a_spread_of_several_ticks(shared_data, tmp_path, archive, spread, silent):
    instrument = find_instrument("IOTABTC.BINANCE")
    with tarfile.open(shared_data / "iota_klines" / f"{archive}.tar.xz") as packed:
        packed.extract("IOTA_BTC-1m.json", tmp_path, filter="data")
    bars = parse_klines(tmp_path / "IOTA_BTC-1m.json", instrument).bars
    tick = Grid.of(instrument).tick
    assert usual_spread_ticks(bars, 60 * SECOND, tick) == spread
    quotes = Quotes.concat(list(quotes_from_bars(bars, 60 * SECOND, tick, spread)))
    assert len(quotes) == 4 * (len(bars) - silent)

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from bad_input import BadInput
from data_catalog.columns import Bars, Quotes
from data_catalog.commands.import_files import command
from data_catalog.rebuilt_quotes.from_bars import bar_path, quotes_from_bars, usual_spread_ticks
from data_catalog.store.contents import contents
from data_catalog.store.data_types import DATA_TYPES, data_folder, files_in
from data_catalog.store.origin import Origin, Source, record_of
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig

MINUTE = 60 * 10**9
START_MS = 1_618_085_580_000
IOTA = "IOTABTC.BINANCE"


def bars(*rows: tuple[int, int, int, int, int], interval_ns: int = MINUTE) -> Bars:
    """Return bars of (open, high, low, close, volume), one after the other from time 0."""
    prices = np.array(rows, np.int64).reshape(-1, 5).T
    ts = (np.arange(prices.shape[1]) + 1) * interval_ns
    return Bars(*prices, ts, ts)


def rebuild(source: Bars, spread_ticks: int = 1, tick: int = 1, interval_ns: int = MINUTE) -> Quotes:
    return Quotes.concat(list(quotes_from_bars(source, interval_ns, tick, spread_ticks)))


def touches(quotes: Quotes) -> list[tuple[int, int]]:
    return list(zip(quotes.bid_price.tolist(), quotes.ask_price.tolist(), strict=True))


# -- The path inside a bar --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bar", "path"),
    [
        ((100, 110, 98, 105), [100, 98, 110, 105]),
        ((100, 103, 90, 105), [100, 103, 90, 105]),
        ((100, 105, 95, 102), [100, 95, 105, 102]),
        ((100, 105, 95, 98), [100, 105, 95, 98]),
        ((100, 105, 95, 100), [100, 95, 105, 100]),
        ((100, 100, 100, 100), [100, 100, 100, 100]),
        ((100, 108, 100, 107), [100, 100, 108, 107]),
    ],
)
def test_extreme_nearer_to_the_open_comes_first_and_then_the_one_away_from_the_close(bar, path):
    assert bar_path(bars((*bar, 8))).tolist() == [path]


def test_path_stands_inside_its_bar_in_the_middle_of_its_quarters():
    quotes = rebuild(bars((100, 110, 98, 105, 80), (105, 105, 105, 105, 80)))
    assert (quotes.ts_init / (MINUTE / 8)).tolist() == [1, 3, 5, 7, 9, 11, 13, 15]
    assert quotes.ts_event.tolist() == quotes.ts_init.tolist()


def test_bars_without_volume_are_silent():
    quotes = rebuild(bars((100, 100, 100, 100, 8), (100, 120, 80, 100, 0), (100, 100, 100, 100, 8)))
    assert len(quotes) == 8
    assert set(touches(quotes)) == {(100, 101)}
    assert quotes.ts_init[4] > 2 * MINUTE


# -- The touch --------------------------------------------------------------------------------------------------------


def test_touch_moves_only_as_far_as_prices_push_it():
    quotes = rebuild(bars((100, 103, 98, 99, 8)), spread_ticks=2)
    # 100 is in the middle of 99 and 101; 98 lowers the bid, 103 lifts the ask, 99 lowers the bid again.
    assert touches(quotes) == [(99, 101), (98, 100), (101, 103), (99, 101)]


def test_bounce_between_bid_and_ask_moves_nothing():
    quotes = rebuild(bars((100, 101, 100, 101, 8), (101, 101, 100, 100, 8), (100, 101, 100, 101, 8)))
    assert set(touches(quotes)) == {(100, 101)}


def test_prices_are_on_the_grid_of_the_tick():
    quotes = rebuild(bars((1000, 1050, 950, 1025, 8)), spread_ticks=3, tick=25)
    assert touches(quotes) == [(975, 1050), (950, 1025), (975, 1050), (975, 1050)]


rows_of_bars = st.lists(
    st.tuples(st.lists(st.integers(200, 300), min_size=4, max_size=4), st.integers(0, 1_000)), min_size=1, max_size=30
)


def from_rows(rows: list[tuple[list[int], int]]) -> Bars:
    return bars(*((p[0], max(p), min(p), p[1], volume) for p, volume in rows))


@given(rows_of_bars, st.integers(1, 20))
def test_every_price_of_the_path_lies_in_its_quote_and_nothing_moves_without_need(rows, spread):
    source = from_rows(rows)
    if not source.volume.any():
        return
    quotes, prices = rebuild(source, spread), bar_path(source.take(source.volume > 0)).ravel()
    bid, ask = quotes.bid_price, quotes.ask_price
    assert np.all(ask - bid == spread)
    assert np.all((bid <= prices) & (prices <= ask))
    assert np.all(np.diff(quotes.ts_init) > 0)
    moved = np.flatnonzero(np.diff(bid)) + 1
    assert np.all(np.where(np.diff(bid)[moved - 1] > 0, ask[moved], bid[moved]) == prices[moved])


@given(rows_of_bars, st.integers(1, 20))
def test_ask_reaches_a_bid_only_after_a_trade_a_whole_spread_below_it(rows, spread):
    """What a resting order needs to be filled is stricter than trading through it."""
    source = from_rows(rows)
    if not source.volume.any():
        return
    quotes, prices = rebuild(source, spread), bar_path(source.take(source.volume > 0)).ravel()
    fell = np.flatnonzero(np.diff(quotes.ask_price) < 0) + 1
    assert np.all(prices[fell] <= quotes.ask_price[fell] - spread)


@given(rows_of_bars)
def test_one_side_of_a_bar_offers_no_more_than_half_of_its_volume(rows):
    source = from_rows(rows)
    if not source.volume.any():
        return
    quotes = rebuild(source)
    offered = quotes.ask_size.reshape(-1, 4).sum(axis=1)
    volume = source.volume[source.volume > 0]
    assert np.all(offered <= np.maximum(volume / 2, 4))  # no size is below a step
    assert np.all(quotes.bid_size == quotes.ask_size)
    assert np.all(quotes.bid_size >= 1)


def test_batches_join_without_a_seam(monkeypatch):
    rng = np.random.default_rng(3)
    source = bars(*((int(c), int(c) + 3, int(c) - 3, int(c) + 1, 50) for c in 500 + np.cumsum(rng.integers(-2, 3, 50))))
    whole = touches(rebuild(source, 4))
    monkeypatch.setattr("data_catalog.rebuilt_quotes.from_bars.BATCH", 7)
    assert touches(rebuild(source, 4)) == whole


@pytest.mark.parametrize(
    ("source", "spread_ticks", "problem"),
    [
        (bars((100, 100, 100, 100, 0)), 1, "--quotes-from-bars: no bar has a volume"),
        (bars((100, 100, 100, 100, 8)), 200, "--spread-ticks: was 200, but the first price is only 100 ticks"),
    ],
)
def test_bars_that_give_no_quotes_are_refused(source, spread_ticks, problem):
    with pytest.raises(BadInput, match=problem):
        rebuild(source, spread_ticks)


@pytest.mark.parametrize(("low", "filled"), [(1195, 0), (1194, 0), (1193, 10), (1180, 10)])
def test_order_fills_when_the_ask_has_reached_it_and_no_more_than_is_offered(low, filled, market_of, replay, spot):
    """A bid of 50 at 1.195, a spread of two ticks, and a bar of 80 that is an eighth at its low."""
    market = market_of(spot)
    quotes = rebuild(bars((1200, 1200, 1200, 1200, 8_000), (1200, 1200, low, 1200, 8_000)), spread_ticks=2)
    for bid, ask, size, ts in zip(quotes.bid_price, quotes.ask_price, quotes.bid_size, quotes.ts_init, strict=True):
        market.quote(ts / 1e9, bid / 1000, ask / 1000, size / 100, size / 100)
    config = FixedSpreadConfig(
        instrument_id=spot.id, order_qty=50, max_position=500, half_spread_quote=0.005, requote_threshold_bps=1_000
    )
    done = replay(market, [FixedSpread(config)], balances=["1000 USDT", "1000 NEXO"])
    assert [(str(fill.price), float(fill.quantity)) for fill in done.ledger.fills] == [("1.195", filled)] * (filled > 0)


# -- The spread -------------------------------------------------------------------------------------------------------


def trades_into_bars(spread: int, volatility: float, minutes: int = 3_000, trades: int = 30, gap: int = 0) -> Bars:
    """Return bars of trades at the bid or the ask, at random, around a random walk; `gap` bars are left out of two."""
    rng = np.random.default_rng(5)
    mid = 5_000 + np.cumsum(rng.normal(0, volatility, (minutes, trades))).reshape(minutes, trades)
    price = np.rint(mid + rng.choice([-spread / 2, spread / 2], (minutes, trades))).astype(np.int64)
    rows = zip(price[:, 0], price.max(axis=1), price.min(axis=1), price[:, -1], strict=True)
    source = bars(*((int(o), int(h), int(low), int(c), 8) for o, h, low, c in rows))
    return source.take(np.arange(minutes) % (gap + 1) == 0)


@pytest.mark.parametrize("spread", [2, 4, 8, 20])
def test_spread_is_found_in_bars_of_a_random_walk_with_a_bounce(spread):
    assert usual_spread_ticks(trades_into_bars(spread, volatility=0.3), MINUTE, 1) == pytest.approx(spread, rel=0.15)


def test_spread_is_in_ticks():
    source = trades_into_bars(8, volatility=0.3)
    assert usual_spread_ticks(source, MINUTE, 2) == 4


@pytest.mark.parametrize(
    "source",
    [
        trades_into_bars(8, volatility=0.3, minutes=100),
        trades_into_bars(8, volatility=0.3, gap=1),
        trades_into_bars(2, volatility=50),
        bars((100, 100, 100, 100, 8)),
    ],
    ids=["few bars", "no two in a row", "too wild", "one bar"],
)
def test_spread_that_bars_do_not_show_is_a_tick(source):
    assert usual_spread_ticks(source, MINUTE, 1) == 1


# -- The import -------------------------------------------------------------------------------------------------------


def candles(folder: Path, name: str = "IOTA_BTC-1m.json", first: int = 0, step_ms: int = 60_000) -> Path:
    path = folder / name
    row = (3.424e-05, 3.43e-05, 3.412e-05, 3.42e-05, 2102.0)
    path.write_text(json.dumps([[START_MS + (first + n) * step_ms, *row] for n in range(5)]))
    return path


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return tmp_path / "catalog"


def run(catalog: Path, *arguments: object) -> Result:
    words = [*map(str, arguments), "--instrument", IOTA, "--catalog", str(catalog)]
    return CliRunner().invoke(command, words)


def done(catalog: Path, *arguments: object) -> str:
    result = run(catalog, *arguments)
    assert result.exception is None, result.exception
    return result.stdout


def quotes_origin(catalog: Path) -> Origin:
    (stored,) = files_in(data_folder(catalog, DATA_TYPES["quotes"], IOTA))
    return record_of(catalog, stored.path).origin


def test_candles_give_bars_and_rebuilt_quotes_that_are_marked(catalog, tmp_path):
    text = done(catalog, candles(tmp_path), "--quotes-from-bars", "--spread-ticks", 4)
    entries = {entry.data_type: entry for entry in contents(catalog)}
    assert {name: (entry.rows, entry.reconstructed) for name, entry in entries.items()} == {
        "bars": (5, False),
        "quotes": (20, True),
    }
    assert entries["quotes"].first_ns == START_MS * 10**6 + MINUTE // 8
    assert entries["quotes"].last_ns == entries["bars"].last_ns - MINUTE // 8
    assert "spread of the rebuilt quotes is 4 tick(s)" in text
    assert "rebuilt from bars" in text
    assert (quotes_origin(catalog).kind, quotes_origin(catalog).notes["spread_ticks"]) == ("klines", 4)


def test_spread_is_estimated_where_none_is_given(catalog, tmp_path):
    done(catalog, candles(tmp_path), "--quotes-from-bars")
    assert quotes_origin(catalog).notes["spread_ticks"] == 1  # five bars tell nothing


def test_files_of_one_interval_become_one_series_of_quotes(catalog, tmp_path):
    late = candles(tmp_path, "IOTA_BTC-1m-spot.json", first=5)
    done(catalog, late, candles(tmp_path), "--quotes-from-bars")
    assert {entry.data_type: (entry.rows, entry.files) for entry in contents(catalog)} == {
        "bars": (10, 1),
        "quotes": (40, 1),
    }


def test_bars_first_and_their_quotes_later(catalog, tmp_path):
    path = candles(tmp_path)
    done(catalog, path)
    text = done(catalog, path, "--quotes-from-bars")
    assert "unchanged: bars." in text
    assert "written: quotes." in text


def test_same_import_changes_nothing_and_another_spread_must_replace(catalog, tmp_path):
    path = candles(tmp_path)
    done(catalog, path, "--quotes-from-bars", "--spread-ticks", 2)
    assert "held all of it already" in done(catalog, path, "--quotes-from-bars", "--spread-ticks", 2)
    refused = run(catalog, path, "--quotes-from-bars", "--spread-ticks", 6)
    assert "overlap with stored" in str(refused.exception)
    done(catalog, path, "--quotes-from-bars", "--spread-ticks", 6, "--replace")
    assert quotes_origin(catalog).notes["spread_ticks"] == 6


def test_quotes_rebuilt_in_another_way_are_another_source():
    sources = [Source("IOTA_BTC-1m.json", "0" * 64)]
    two, four = (Origin("klines", reconstructed=True, sources=sources, notes={"spread_ticks": n}) for n in (2, 4))
    assert two.same_source(two)
    assert not two.same_source(four)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["IOTA_BTC-1m.json", "--spread-ticks", "4"], "--spread-ticks: goes with --quotes-from-bars alone"),
        (
            ["IOTA_BTC-1m.json", "--quotes-from-bars", "--quotes-from-trades"],
            "--quotes-from-bars: goes without --quotes-from-trades",
        ),
        (["IOTA_BTC-1m.json", "IOTA_BTC-5m.json", "--quotes-from-bars"], "expected one interval"),
        (["ticks.dat", "--quotes-from-bars"], "--quotes-from-bars: there are no bars to rebuild quotes from"),
        (["IOTABTC-1mo-2021-05.csv", "--quotes-from-bars"], "--quotes-from-bars: months are not of one length"),
    ],
)
def test_options_and_files_that_do_not_fit_are_refused(monkeypatch, catalog, tmp_path, arguments, problem):
    candles(tmp_path)
    candles(tmp_path, "IOTA_BTC-5m.json", step_ms=300_000)
    trade = {"e": "trade", "E": 1, "s": "IOTABTC", "t": 1, "p": "0.00003", "q": "1", "T": 1, "m": False}
    (tmp_path / "ticks.dat").write_text(f"{START_MS * 1000} {json.dumps(trade)}\n")
    month = "1619827200000,0.00003424,0.00003430,0.00003412,0.00003420,2102,1622505599999,0.07,9,1000,0.03,0\n"
    (tmp_path / "IOTABTC-1mo-2021-05.csv").write_text(month)
    monkeypatch.chdir(tmp_path)
    result = run(catalog, *arguments)
    assert isinstance(result.exception, BadInput), result.output
    assert problem in str(result.exception)
    assert not catalog.exists()


def test_spread_of_no_tick_is_refused_by_the_command_line(catalog, tmp_path):
    result = run(catalog, candles(tmp_path), "--quotes-from-bars", "--spread-ticks", 0)
    assert (result.exit_code, catalog.exists()) == (2, False)

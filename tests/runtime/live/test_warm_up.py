"""Prices from before the start: the venue's candles, at the moments that a backtest would have seen them."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from actors.history import HISTORY, HistoryRow, HistoryWanted, encode_history
from models.portfolio.rules import weights_from_prices
from tests.engine_kit import START_NS
from tests.pair_kit import MINUTE, markets_of, pairs, perpetuals, reverting
from tests.portfolio_kit import FULL_HOUR_S, HOUR_NS, rebalancer, walk
from tests.portfolio_kit import markets_of as hourly_markets_of

MINUTE_MS = 60_000
SPOT, OTHER = "NEXOUSDT.BINANCE", "BTCUSDT.BINANCE"
LOOKBACK = 40


# -- From the venue --------------------------------------------------------------------------------------------------


@pytest.fixture
def double() -> Iterator[Any]:
    from binance_double.clock import Clock
    from binance_double.double import BinanceDouble
    from data_catalog.instruments import find_instrument

    now_ns = 1_700_000_030_000_000_000 // 3_600_000_000_000 * 3_600_000_000_000 + 30_000_000_000
    clock = Clock(lambda: now_ns)  # half a minute after a full hour
    with BinanceDouble([find_instrument(SPOT), find_instrument(OTHER)], {}, clock=clock) as double:
        yield double


@pytest.fixture
def rest(double: Any) -> Any:
    from binance_double.rules import Product
    from runtime.live.pace import Pace
    from runtime.live.rest import Rest

    class Then(Pace):
        def now_ns(self) -> int:
            return double.clock.ms() * 1_000_000

    return Rest(double.addresses(Product.SPOT).http, pace=Then())


def remember(double: Any, name: str, minutes: int, first: float, every: int = 1) -> None:
    """Let one trade have happened in the middle of every so many of the last minutes; each is dearer than the last."""
    from binance_double.orders import PublicTrade, Side

    hour_ms = double.clock.ms() // MINUTE_MS * MINUTE_MS
    double.remember(
        name,
        [
            PublicTrade(i, Decimal(str(first + i)), Decimal(1), Side.BUY, hour_ms - (minutes - i) * MINUTE_MS + 30_000)
            for i in range(0, minutes, every)
        ],
    )


def wanted(interval_secs: int, samples: int) -> HistoryWanted:
    from nautilus_trader.model.identifiers import InstrumentId

    return HistoryWanted((InstrumentId.from_str(SPOT), InstrumentId.from_str(OTHER)), interval_secs, samples)


@pytest.mark.parametrize(("interval_secs", "samples"), [(60, 5), (300, 3), (600, 3), (60, 1_200)])
def test_prices_are_the_last_ones_before_whole_multiples_of_the_interval(
    double: Any, rest: Any, interval_secs: int, samples: int
) -> None:
    from runtime.live.warm_up import fetch

    remember(double, SPOT, 1_500, 1)
    remember(double, OTHER, 1_500, 20_001)

    rows = fetch(rest, True, wanted(interval_secs, samples))

    hour_ns = double.clock.ms() // MINUTE_MS * MINUTE_MS * 1_000_000
    minutes = interval_secs // 60
    expected = [
        HistoryRow(hour_ns - back * interval_secs * 10**9, (1_500.0 - back * minutes, 21_500.0 - back * minutes))
        for back in range(samples - 1, -1, -1)
    ]
    assert rows == expected


def test_an_interval_without_trades_has_the_price_before_it(double: Any, rest: Any) -> None:
    from runtime.live.warm_up import fetch

    remember(double, SPOT, 100, 1, every=7)
    remember(double, OTHER, 100, 1)

    rows = fetch(rest, True, wanted(60, 10))

    assert [row.prices for row in rows] == [(float(i // 7 * 7 + 1), float(i + 1)) for i in range(90, 100)]


def test_what_is_missing_at_the_beginning_is_left_out_and_nothing_at_the_end(double: Any, rest: Any) -> None:
    from runtime.live.warm_up import NoHistory, fetch

    remember(double, SPOT, 100, 1)
    with pytest.raises(NoHistory, match="no candles that end at"):
        fetch(rest, True, wanted(60, 10))

    remember(double, OTHER, 4, 1)

    assert [row.prices for row in fetch(rest, True, wanted(60, 10))] == [(97, 1), (98, 2), (99, 3), (100, 4)]


def test_what_cannot_be_had_is_said() -> None:
    from runtime.live.rest import Rest
    from runtime.live.warm_up import NoHistory, fetch

    with pytest.raises(NoHistory, match="futures have no candles"):
        fetch(Rest("http://127.0.0.1:1"), False, wanted(90, 10))
    with pytest.raises(NoHistory, match="more than 100 requests"):
        fetch(Rest("http://127.0.0.1:1"), True, wanted(60, 200_000))


# -- As if it had been seen ------------------------------------------------------------------------------------------


def test_pairs_that_were_warmed_up_trade_as_if_they_had_seen_it(replay: Any) -> None:
    from datetime import UTC, datetime

    samples, cut = 200, 80
    first_ns = (START_NS // (MINUTE * 10**9) + 1) * MINUTE * 10**9  # the sample after the first quotes
    cut_ns = first_ns + cut * MINUTE * 10**9 - MINUTE * 10**9 // 4
    config = {
        "watched": {"hedge_ratio": "ols", "lookback": LOOKBACK, "fixed_ratio": None, "fixed_sd": None}
        | {"fixed_intercept": 0.0, "retest_every_secs": 600, "coint_pvalue": 1.0},
        "entry_z": 1.0,
        "trade_after": datetime.fromtimestamp(cut_ns / 1e9, UTC),
    }
    markets = markets_of(perpetuals(), reverting(3, samples, 0.2, 0.02), list(5.0 + np.sin(np.arange(samples) / 9)))
    seen = replay(markets, [pairs(**config)]).ledger.pair_trades
    history = [
        HistoryRow(ts_ns, tuple(_mid_at(market, ts_ns) for market in markets))
        for ts_ns in range(first_ns + (cut - LOOKBACK) * MINUTE * 10**9, cut_ns, MINUTE * 10**9)
    ]
    for market in markets:
        market.ticks[:] = [tick for tick in market.ticks if tick.ts_init > cut_ns]
    strategy = pairs(**config)
    strategy.load({HISTORY: encode_history(history)})

    warmed = replay(markets, [strategy]).ledger.pair_trades

    assert len(history) == LOOKBACK
    assert len(seen) > 10
    assert [(trade.ts_ns, trade.reason) for trade in warmed] == [(trade.ts_ns, trade.reason) for trade in seen]
    assert [trade.z for trade in warmed] == pytest.approx([trade.z for trade in seen])
    assert type(strategy).history_wanted(strategy.config) == (strategy.config.pair.legs, MINUTE, LOOKBACK)


def _mid_at(market: Any, ts_ns: int) -> float:
    quote = [tick for tick in market.ticks if tick.ts_init <= ts_ns][-1]
    return (quote.bid_price.as_double() + quote.ask_price.as_double()) / 2


def test_a_rebalancer_that_was_warmed_up_trades_at_its_first_check(replay: Any) -> None:
    lookback = 30
    prices = walk(5, 60)
    markets = hourly_markets_of(prices[50:])
    config = {"weights": "inverse_volatility", "lookback": lookback, "rebalance_threshold_pct": 1.0}
    first_ns = START_NS + FULL_HOUR_S * 10**9
    history = [
        HistoryRow(first_ns - (50 - hour) * HOUR_NS, tuple(prices[hour].tolist())) for hour in range(49 - lookback, 50)
    ]
    cold, warm = rebalancer(**config), rebalancer(**config)
    warm.load({HISTORY: encode_history(history)})

    waited = replay(markets, [cold], grid_secs=3_600).ledger.rebalances
    traded = replay(markets, [warm], grid_secs=3_600).ledger.rebalances

    assert len(history) == type(warm).history_wanted(warm.config).samples
    assert not waited
    weights = weights_from_prices("inverse_volatility", prices[49 - lookback : 50])
    assert [asset.target for asset in traded[0].assets] == pytest.approx(weights)
    assert traded[0].started_ns == first_ns + HOUR_NS  # the first check

"""Candles, tickers and partial books of the replayed market."""

import asyncio
from decimal import Decimal
from typing import Any

import aiohttp
import numpy as np
import pandas as pd
import pytest

from binance_double.candles import INTERVALS_MS, Candles
from binance_double.orders import PublicTrade, Side
from binance_double.rules import Product
from tests.binance_double.conftest import PERPETUAL, SPOT
from tests.binance_double.raw_client import RawClient

MINUTE = 60_000


@pytest.mark.parametrize("interval", ["1m", "5m", "1h"])
def test_candles_are_those_of_pandas(interval: str) -> None:
    rng = np.random.default_rng(1)
    times = np.sort(rng.integers(0, 6 * 60 * MINUTE, 400))
    prices, sizes, buys = rng.integers(900, 1100, 400), rng.integers(1, 50, 400), rng.integers(0, 2, 400) == 1
    candles = Candles()
    for n in range(400):
        side = Side.BUY if buys[n] else Side.SELL
        candles.add(PublicTrade(n, Decimal(int(prices[n])), Decimal(int(sizes[n])), side, int(times[n])))
    frame = pd.DataFrame({"price": prices, "size": sizes, "taken": sizes * buys, "value": prices * sizes})
    groups = frame.groupby(times - times % INTERVALS_MS[interval])
    expected = groups["price"].agg(["first", "max", "min", "last"]).join(groups[["size", "taken", "value"]].sum())
    got = candles.between(INTERVALS_MS[interval], 0, 10**9)
    assert [one.open_ms for one in got] == list(expected.index)
    fields = [(o.open, o.high, o.low, o.close, o.volume, o.taken_volume, o.quote_volume) for o in got]
    assert np.array_equal(np.array(fields, dtype=float), expected.to_numpy(dtype=float))


def test_klines_over_rest(double: Any) -> None:
    client = RawClient(double, Product.SPOT)
    for price in ("1.201", "1.203", "1.200"):
        double.trade(SPOT, price, "10", Side.BUY)
    rows = client.public("/api/v3/klines", symbol="NEXOUSDT", interval="1d")[1]
    assert [row[1:6] for row in rows] == [["1.20100000", "1.20300000", "1.20000000", "1.20000000", "30.00000000"]]
    assert client.public("/api/v3/klines", symbol="NEXOUSDT", interval="7m")[1]["code"] == -1120


@pytest.mark.parametrize(("product", "instrument_id"), [(Product.SPOT, SPOT), (Product.FUTURES, PERPETUAL)])
def test_the_day_in_figures(double: Any, product: Product, instrument_id: str) -> None:
    client, symbol = RawClient(double, product), instrument_id.partition(".")[0].removesuffix("-PERP")
    path = client.order_path.replace("order", "ticker/24hr")
    assert client.public(path, symbol=symbol)[1]["count"] == 0
    first, last = ("1.250", "1.200") if product == Product.SPOT else ("62500.0", "60000.0")
    for price in (first, last):
        double.trade(instrument_id, price, "2", Side.SELL)
    day = client.public(path, symbol=symbol)[1]
    assert (Decimal(day["openPrice"]), Decimal(day["lastPrice"])) == (Decimal(first), Decimal(last))
    assert (day["priceChangePercent"], Decimal(day["volume"]), day["count"]) == ("-4.000", 4, 2)


def test_a_candle_is_closed_when_its_time_is_over(double: Any) -> None:
    async def scenario() -> list[Any]:
        address = f"{double.addresses(Product.SPOT).market_ws}/stream?streams=nexousdt@kline_1m"
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
            await asyncio.to_thread(double.trade, SPOT, "1.201", "3", Side.BUY)
            await asyncio.to_thread(double.call, double.spot.tick)
            double.set_clock_skew(MINUTE)
            await asyncio.to_thread(double.call, double.spot.tick)
            return [(await asyncio.wait_for(socket.receive_json(), 5))["data"]["k"] for _ in range(2)]

    running, closed = asyncio.run(scenario())
    assert (running["x"], closed["x"]) == (False, True)
    assert running["t"] == closed["t"]
    assert closed["v"] == "3.00000000"


@pytest.mark.parametrize(("product", "instrument_id"), [(Product.SPOT, SPOT), (Product.FUTURES, PERPETUAL)])
def test_a_market_known_in_depth(double: Any, product: Product, instrument_id: str) -> None:
    symbol = instrument_id.partition(".")[0].removesuffix("-PERP")
    levels = [(Side.BUY, Decimal(100 - n), Decimal(1 + n)) for n in range(8)]
    levels += [(Side.SELL, Decimal(101 + n), Decimal(1 + n)) for n in range(8)]

    async def scenario() -> Any:
        address = f"{double.addresses(product).market_ws}/stream?streams={symbol.lower()}@depth5@100ms"
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
            await asyncio.to_thread(double.call, double.venue(instrument_id).on_depth, symbol, levels, True)
            return (await asyncio.wait_for(socket.receive_json(), 5))["data"]

    message = asyncio.run(scenario())
    bids = message["bids"] if product == Product.SPOT else message["b"]
    assert [float(price) for price, _ in bids] == [100, 99, 98, 97, 96]
    client = RawClient(double, product)
    depth = client.public(client.order_path.replace("order", "depth"), symbol=symbol, limit=3)[1]
    assert [float(size) for _, size in depth["asks"]] == [1, 2, 3]

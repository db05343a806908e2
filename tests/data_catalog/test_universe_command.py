"""`data_catalog universe`: from the bars of a catalog, and from an exchange that answers."""

import asyncio
import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from bad_input import BadInput
from command_line import Failed
from data_catalog.__main__ import data_catalog
from data_catalog.columns import Bars
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter
from data_catalog.traded_volume import volumes_of_tickers

DAY_NS = 86_400 * 10**9
FIRST_DAY_NS = 18_628 * DAY_NS  # 2021-01-01
TICKERS = [
    {"symbol": "BTCUSDT", "quoteVolume": "1000.5", "lastPrice": "60000"},
    {"symbol": "USDCUSDT", "quoteVolume": "2000"},
    {"symbol": "ETHUSDT", "quoteVolume": "1500.25"},
    {"symbol": "ETHBTC", "quoteVolume": "9999"},
    {"symbol": "BTCDOWNUSDT", "quoteVolume": "5000"},
]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(data_catalog, ["universe", *map(str, arguments)])


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a catalog of two days' bars: at first more of ether is traded, later more of bitcoin."""
    folder = tmp_path_factory.mktemp("universe") / "catalog"
    closes = FIRST_DAY_NS + np.arange(1, 49) * 3600 * 10**9
    with CatalogWriter(folder) as writer:
        for name, price, early, late in (("BTCUSDT.BINANCE", 30_000, 1, 9), ("ETHUSDT.BINANCE", 1_000, 60, 60)):
            instrument = find_instrument(name)
            close = np.full(48, price * 10**instrument.price_precision)
            volume = np.where(np.arange(48) < 24, early, late) * 10**instrument.size_precision
            bars = Bars(close, close, close, close, volume, closes, closes)
            writer.bars(f"{name}-1-HOUR-LAST-EXTERNAL", instrument, bars, Origin("klines"))
    return folder


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), {"BTCUSDT.BINANCE": 24 * 10 * 30_000, "ETHUSDT.BINANCE": 48 * 60 * 1_000}),
        (("--to", "2021-01-01"), {"ETHUSDT.BINANCE": 24 * 60_000, "BTCUSDT.BINANCE": 24 * 30_000}),
        (("--from", "2021-01-02", "--exclude", "ETH", "--top", 1), {"BTCUSDT.BINANCE": 24 * 270_000}),
    ],
)
def test_the_bars_of_a_period_tell_what_was_traded(catalog: Path, options: Any, expected: Any) -> None:
    result = run("--catalog", catalog, "--top", 2, "--json", *options)

    found = {row["instrument"]: row["volume"] for row in json.loads(result.output)}
    assert list(found.items()) == list(expected.items())


def test_the_list_is_one_for_a_setup(catalog: Path) -> None:
    lines = run("--catalog", catalog, "--top", 2).output.splitlines()

    assert lines[-3:] == ["instruments:", "  - BTCUSDT.BINANCE", "  - ETHUSDT.BINANCE"]
    assert any("BTCUSDT.BINANCE" in line and "7,200,000" in line for line in lines)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--top", 3), "--top: was 3, but only 2 assets"),
        (("--quote", "EUR"), "no bars of spot pairs quoted in EUR"),
        (("--from", "2021-02-01"), "no bars of spot pairs"),
        (("--from", "yesterday"), '--from: "yesterday" is not a day'),
        (("--from", "2021-01-02", "--to", "2021-01-01"), "--from: 2021-01-02 is after"),
        (("--live", "--to", "2021-01-01"), "--live: goes without"),
        (("--catalog", "nowhere"), "nowhere: no such catalog"),
    ],
)
def test_what_cannot_be_is_refused(catalog: Path, options: Any, problem: str) -> None:
    result = run("--catalog", catalog, "--top", 2, *options)

    assert isinstance(result.exception, BadInput)
    assert problem in str(result.exception)


# -- The exchange -----------------------------------------------------------------------------------------------------


def test_tickers_of_the_quote_currency_alone_count():
    volumes = volumes_of_tickers(json.dumps(TICKERS).encode(), "USDT")

    assert volumes == {
        "BTC": Decimal("1000.5"), "USDC": Decimal(2000), "ETH": Decimal("1500.25"), "BTCDOWN": Decimal(5000),
    }  # fmt: skip


def test_an_answer_of_another_shape_is_refused():
    with pytest.raises(BadInput, match="is not an answer"):
        volumes_of_tickers(b'{"code": -1003}', "USDT")


@pytest.fixture
def exchange() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the address of a server that answers with statistics, and what it answers with."""
    answer: dict[str, Any] = {"body": TICKERS, "status": 200}
    loop = asyncio.new_event_loop()

    async def tickers(_: web.Request) -> web.Response:
        return web.json_response(answer["body"], status=answer["status"])

    async def serve() -> tuple[web.AppRunner, int]:
        app = web.Application()
        app.router.add_get("/api/v3/ticker/24hr", tickers)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, runner.addresses[0][1]

    runner, port = loop.run_until_complete(serve())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield f"http://127.0.0.1:{port}", answer
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_live_asks_the_exchange(exchange: Any) -> None:
    result = run("--live", "--top", 2, "--base-url", exchange[0], "--json")

    assert [row["instrument"] for row in json.loads(result.output)] == ["ETHUSDT.BINANCE", "BTCUSDT.BINANCE"]


def test_an_exchange_that_refuses_or_is_not_there_is_a_failure(exchange: Any) -> None:
    exchange[1]["status"] = 418

    refused = run("--live", "--base-url", exchange[0])
    absent = run("--live", "--base-url", "http://127.0.0.1:1")

    assert isinstance(refused.exception, Failed)
    assert "answered 418" in str(refused.exception)
    assert isinstance(absent.exception, Failed)

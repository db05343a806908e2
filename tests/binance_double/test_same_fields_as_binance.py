"""The local exchange's answers and messages have the fields, and kinds of values, of recorded and documented ones."""

import asyncio
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from binance_double.orders import Side
from binance_double.rules import Product
from tests.binance_double.conftest import PERPETUAL, SPOT
from tests.binance_double.raw_client import RawClient

pytestmark = pytest.mark.real_data

DOCUMENTED = "crates/adapters/binance/test_data"
LATER = {"ps", "st"}
"""Fields of messages that Binance added after the recordings and the adapter does not read."""


@pytest.fixture(scope="module")
def captures(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captures")
    for archive in ("cryptofeed_binance_captures.tar.xz", "nautilus_binance_fixtures.tar.xz"):
        with tarfile.open(shared_data / "api_captures" / archive) as stored:
            stored.extractall(folder, filter="data")
    return folder


@pytest.fixture
def documented(captures: Path) -> Callable[[str], Any]:
    def read(name: str) -> Any:
        found = json.loads((captures / DOCUMENTED / name).read_text())
        return found[0] if isinstance(found, list) else found

    return read


@pytest.fixture
def told(double: Any) -> dict[str, Any]:
    """Return the latest user-data event of each kind after orders on both products."""
    for product in Product:
        client = RawClient(double, product)
        price, quantity = ("1.19", "50") if product == Product.SPOT else ("59000.0", "0.01")
        for name in ("a", "b"):
            client.order("BUY", price, quantity, name)
        double.fill("a")
        double.cancel("b")
    events: dict[str, Any] = {}
    for exchange in double.exchanges:
        for event in exchange.users.happened:
            order = event.get("o")
            execution = order["x"] if isinstance(order, dict) else event.get("x")
            events[f"{event['e']} {execution}" if execution else event["e"]] = event
    return events


def recorded_messages(captures: Path, name: str) -> Iterator[tuple[str, Any]]:
    for line in (captures / name).read_text().splitlines()[1:]:
        if line.strip():
            message = json.loads(line.partition(": ")[2])
            yield message["stream"].partition("@")[2], message["data"]


def shape(value: Any) -> Any:
    """Return the value's kind; of an object its fields with theirs, of a list the kind of its first element."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items() if key not in LATER}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def missing(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Return the fields of theirs that ours lacks or has in another kind."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        gone = [f"{path}.{key}" for key in theirs if key not in ours]
        return gone + [
            found for key in theirs if key in ours for found in missing(ours[key], theirs[key], f"{path}.{key}")
        ]
    if isinstance(theirs, list) and isinstance(ours, list):
        return missing(ours[0], theirs[0], f"{path}[]") if ours and theirs else []
    same = ours == theirs or "NoneType" in {ours, theirs}
    return [] if same else [f"{path}: {ours}, theirs is {theirs}"]


def assert_same_fields(ours: Any, theirs: Any, but: frozenset[str] = frozenset()) -> None:
    assert set(missing(shape(ours), shape(theirs))) == but


@pytest.mark.parametrize("name", ["BINANCE.0", "BINANCE_FUTURES.0"])
def test_exchange_info_as_recorded(captures: Path, double: Any, name: str) -> None:
    product = Product.FUTURES if "FUTURES" in name else Product.SPOT
    path = "/fapi/v1/exchangeInfo" if product == Product.FUTURES else "/api/v3/exchangeInfo"
    theirs = json.loads((captures / name).read_text().splitlines()[0].partition(": ")[2])
    ours = RawClient(double, product).public(path)[1]
    symbol = "BTCUSDT" if product == Product.FUTURES else "NKNUSDT"
    theirs["symbols"] = [one for one in theirs["symbols"] if one["symbol"] == symbol]
    filters = [{one["filterType"]: one for one in info["symbols"][0].pop("filters")} for info in (ours, theirs)]
    # Spot has renamed two filters since 2021; what stands in them is in the newer ones.
    renamed = {".MIN_NOTIONAL", ".PERCENT_PRICE"} if product == Product.SPOT else set()
    assert_same_fields(*filters, but=frozenset(renamed))
    assert_same_fields(ours, theirs)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("BINANCE.ws.1.0", {"depth@100ms", "bookTicker", "aggTrade", "kline_1m"}),
        ("BINANCE_FUTURES.ws.1.0", {"depth@100ms", "bookTicker", "aggTrade", "kline_1m"}),
    ],
)
def test_market_streams_as_recorded(captures: Path, double: Any, name: str, kinds: set[str]) -> None:
    product = Product.FUTURES if "FUTURES" in name else Product.SPOT
    instrument_id, symbol, price = (
        (PERPETUAL, "btcusdt", "60000.0") if product == Product.FUTURES else (SPOT, "nexousdt", "1.201")
    )
    theirs = dict(recorded_messages(captures, name))
    assert set(theirs) == kinds
    ours = asyncio.run(heard(double, product, [f"{symbol}@{kind}" for kind in kinds], instrument_id, price))
    for kind, message in theirs.items():
        assert_same_fields(ours[f"{symbol}@{kind}"], message)


async def heard(double: Any, product: Product, streams: list[str], instrument_id: str, price: str) -> dict[str, Any]:
    """Return a message of each stream after a quote and a trade."""
    messages: dict[str, Any] = {}
    address = f"{double.addresses(product).market_ws}/stream?streams={'/'.join(streams)}"
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        await asyncio.to_thread(double.quote, instrument_id, price, price, "2", "2")
        await asyncio.to_thread(double.trade, instrument_id, price, "1", Side.BUY)
        while len(messages) < len(streams):
            message = await asyncio.wait_for(socket.receive_json(), 5)
            messages[message["stream"]] = message["data"]
    return messages


@pytest.mark.parametrize("name", ["BINANCE.http.0.0", "BINANCE_FUTURES.http.0.0"])
def test_depth_as_recorded(captures: Path, double: Any, name: str) -> None:
    product = Product.FUTURES if "FUTURES" in name else Product.SPOT
    client = RawClient(double, product)
    symbol = "BTCUSDT" if product == Product.FUTURES else "NEXOUSDT"
    theirs = json.loads((captures / name).read_text().splitlines()[0].partition(": ")[2])
    assert_same_fields(client.public(client.order_path.replace("order", "depth"), symbol=symbol)[1], theirs)


@pytest.mark.parametrize(
    ("name", "path", "params"),
    [
        ("account_response", "/api/v3/account", {}),
        ("account_trades_response", "/api/v3/myTrades", {"symbol": "NEXOUSDT"}),
        ("all_orders_response", "/api/v3/allOrders", {"symbol": "NEXOUSDT"}),
        ("order_response", "/api/v3/order", {"symbol": "NEXOUSDT", "origClientOrderId": "a"}),
    ],
)
def test_spot_answers_as_documented(
    documented: Any, told: Any, double: Any, name: str, path: str, params: dict[str, str]
) -> None:
    answer = RawClient(double, Product.SPOT).signed("GET", path, **params)[1]
    assert_same_fields(answer[0] if isinstance(answer, list) else answer, documented(f"spot/http_json/{name}.json"))


def test_spot_order_and_cancel_answers_as_documented(documented: Any, double: Any) -> None:
    client = RawClient(double, Product.SPOT)
    market = {"symbol": "NEXOUSDT", "side": "BUY", "type": "MARKET", "quantity": "50"}
    assert_same_fields(
        client.signed("POST", "/api/v3/order", **market)[1], documented("spot/http_json/new_order_full_response.json")
    )
    client.order("BUY", "1.19", "50", "a")
    cancelled = client.signed("DELETE", "/api/v3/order", symbol="NEXOUSDT", origClientOrderId="a")[1]
    assert_same_fields(cancelled, documented("spot/http_json/cancel_order_response.json"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("execution_report_new", "executionReport NEW"),
        ("execution_report_trade", "executionReport TRADE"),
        ("execution_report_canceled", "executionReport CANCELED"),
        ("account_position", "outboundAccountPosition"),
    ],
)
def test_spot_user_data_as_documented(documented: Any, told: Any, name: str, kind: str) -> None:
    assert_same_fields(told[kind], documented(f"spot/user_data_json/{name}.json"))


def test_a_whole_execution_report_as_documented(documented: Any, told: Any) -> None:
    assert_same_fields(
        told["executionReport NEW"], documented("spot/user_data_json/execution_report_wrapped.json")["event"]
    )


@pytest.mark.parametrize(
    ("name", "path", "params"),
    [
        ("account_info_v2", "/fapi/v2/account", {}),
        ("balance", "/fapi/v2/balance", {}),
        ("order_response", "/fapi/v1/order", {"symbol": "BTCUSDT", "origClientOrderId": "a"}),
    ],
)
def test_futures_answers_as_documented(
    documented: Any, told: Any, double: Any, name: str, path: str, params: dict[str, str]
) -> None:
    answer = RawClient(double, Product.FUTURES).signed("GET", path, **params)[1]
    assert_same_fields(answer[0] if isinstance(answer, list) else answer, documented(f"futures/http_json/{name}.json"))


def test_a_futures_position_as_documented(documented: Any, told: Any, double: Any) -> None:
    position = RawClient(double, Product.FUTURES).signed("GET", "/fapi/v3/positionRisk")[1][0]
    only_v2 = {".leverage", ".maxNotionalValue", ".marginType", ".isAutoAddMargin"}
    assert_same_fields(position, documented("futures/http_json/position_risk.json"), but=frozenset(only_v2))


@pytest.mark.parametrize(
    ("name", "kind"), [("order_update_trade", "ORDER_TRADE_UPDATE TRADE"), ("account_update", "ACCOUNT_UPDATE")]
)
def test_futures_user_data_as_documented(documented: Any, told: Any, name: str, kind: str) -> None:
    trailing_stops_only = {".o.AP", ".o.cr"} if kind.startswith("ORDER") else set()
    assert_same_fields(
        told[kind], documented(f"futures/user_data_json/{name}.json"), but=frozenset(trailing_stops_only)
    )


def test_what_is_missing_is_noticed() -> None:
    theirs = {"a": 1, "b": [{"c": "x", "d": 2}]}
    assert missing(shape({"a": "1", "b": [{"c": "x"}]}), shape(theirs)) == [".a: str, theirs is int", ".b[].d"]

"""Plain REST requests: who may ask, what is refused, and with which code."""

from decimal import Decimal
from typing import Any

import pytest

from tests.binance_double.conftest import SPOT


@pytest.fixture
def spot(double: Any) -> Any:
    return _client(double, "spot")


@pytest.fixture
def futures(double: Any) -> Any:
    return _client(double, "futures")


@pytest.fixture(params=["spot", "futures"])
def client(double: Any, request: pytest.FixtureRequest) -> Any:
    return _client(double, request.param)


def _client(double: Any, product: str, key: Any = None) -> Any:
    from binance_double.rules import Product
    from tests.binance_double.raw_client import RawClient

    return RawClient(double, Product(product), key)


def _account_path(client: Any) -> str:
    return client.order_path.replace("order", "account").replace("fapi/v1", "fapi/v2")


def test_a_stranger_is_refused(client: Any) -> None:
    from binance_double.keys import KeyType, new_key

    client.key = new_key(KeyType.HMAC)
    status, answer = client.signed("GET", _account_path(client))
    assert (status, answer["code"]) == (401, -2015)


@pytest.mark.parametrize("key_type", ["Ed25519", "HMAC"])
def test_a_wrong_signature_is_refused(client: Any, key_type: str) -> None:
    from dataclasses import replace

    from binance_double.keys import KeyType, new_key

    key = client.double.key if key_type == "Ed25519" else client.double.hmac_key
    client.key = replace(new_key(KeyType(key_type)), key=key.key)
    status, answer = client.signed("GET", _account_path(client))
    assert (status, answer["code"]) == (400, -1022)


@pytest.mark.parametrize("key_type", ["Ed25519", "HMAC"])
def test_both_types_of_key_sign(client: Any, key_type: str) -> None:
    client.key = client.double.key if key_type == "Ed25519" else client.double.hmac_key
    status, answer = client.signed("GET", _account_path(client))
    assert status == 200
    assert answer["canTrade"] is True


def test_a_key_without_permission_reads_but_does_not_trade(client: Any) -> None:
    from binance_double.keys import KeyType

    client.key = client.double.add_key(KeyType.HMAC, can_trade=False)
    assert client.signed("GET", _account_path(client))[1]["canTrade"] is False
    status, answer = client.order("BUY", "1.19", "50", "a")
    assert (status, answer["code"]) == (401, -2015)


@pytest.mark.parametrize(("skew_ms", "code"), [(-6_000, -1021), (2_000, -1021), (-4_000, None), (900, None)])
def test_requests_must_come_in_time(client: Any, skew_ms: int, code: int | None) -> None:
    answer = client.signed("GET", _account_path(client), skew_ms=skew_ms)[1]
    assert answer.get("code") == code


def test_an_unsigned_request_names_what_is_missing(client: Any) -> None:
    status, answer = client.public(_account_path(client))
    assert (status, answer["code"]) == (400, -1102)
    assert "signature" in answer["msg"]


@pytest.mark.parametrize(
    ("params", "code", "filter_name"),
    [
        ({"price": "1.1905"}, -1013, "PRICE_FILTER"),
        ({"quantity": "50.001"}, -1013, "LOT_SIZE"),
        ({"quantity": "5"}, -1013, "NOTIONAL"),
        ({"price": "0.1", "quantity": "1000"}, -1013, "PERCENT_PRICE_BY_SIDE"),
        ({"quantity": "9000"}, -2010, "insufficient balance"),
        ({"price": "1.202"}, -2010, "immediately match"),
        ({"symbol": "NOSUCH"}, -1121, "Invalid symbol"),
        ({"type": "STOP_LOSS"}, -1116, "Invalid orderType"),
        ({"side": "HOLD"}, -1117, "Invalid side"),
        ({"price": "much"}, -1100, "price"),
    ],
)
def test_spot_refuses_orders_that_break_a_rule(spot: Any, params: dict[str, str], code: int, filter_name: str) -> None:
    status, answer = spot.order(**({"side": "BUY", "price": "1.19", "quantity": "50", "name": "a"} | params))
    assert (status, answer["code"]) == (400, code)
    assert filter_name in answer["msg"]
    assert not spot.double.open_orders()


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"price": "59000.05"}, -4014),
        ({"quantity": "0.0005"}, -1111),
        ({"quantity": "0.001"}, -4164),
        ({"price": "400"}, -4013),
        ({"price": "1000"}, -4024),
        ({"price": "60000.1"}, -5022),
        ({"quantity": "10"}, -2019),
        ({"reduceOnly": "true"}, -2022),
        ({"positionSide": "LONG"}, -4061),
        ({"timeInForce": "SOON"}, -1115),
    ],
)
def test_futures_refuse_orders_that_break_a_rule(futures: Any, params: dict[str, str], code: int) -> None:
    asked = {"side": "BUY", "price": "59000.0", "quantity": "0.01", "name": "a"}
    status, answer = futures.order(**(asked | params))
    assert (status, answer["code"]) == (400, code)
    assert not futures.double.open_orders()


def test_a_client_order_id_is_unique_among_the_open_orders(client: Any) -> None:
    price, quantity = ("1.19", "50") if client.double.requests() == [] and client._spot else ("59000.0", "0.01")
    assert client.order("BUY", price, quantity, "a")[0] == 200
    assert client.order("BUY", price, quantity, "a")[1]["code"] in {-2010, -4116}
    client.double.cancel("a")
    assert client.order("BUY", price, quantity, "a")[0] == 200


def test_used_weight_is_told_and_its_limit_kept(client: Any) -> None:
    path = client.order_path.replace("order", "time")
    client.public(path)
    first = int(client.headers["x-mbx-used-weight-1m"])
    client.public(path)
    assert int(client.headers["x-mbx-used-weight-1m"]) == first + 1
    exchange = client.double.spot if client._spot else client.double.futures
    client.double.call(exchange.counter.count, exchange.counter.limits[0], 100_000)
    status, answer = client.public(path)
    assert (status, answer["code"]) == (429, -1003)
    assert int(client.headers["retry-after"]) > 0
    for _ in range(10):
        status = client.public(path)[0]
    assert status == 418


def test_new_orders_are_counted(client: Any) -> None:
    exchange = client.double.spot if client._spot else client.double.futures
    limit = exchange.counter.limits[1]
    client.double.call(exchange.counter.count, limit, limit.limit)
    status, answer = client.order("BUY", "1.19", "50", "a")
    assert (status, answer["code"]) == (429, -1015)


def test_leverage_is_what_margin_is_computed_with(futures: Any) -> None:
    assert futures.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=10)[1]["leverage"] == 10
    futures.order("BUY", "59000.0", "0.01", "a")
    account = futures.signed("GET", "/fapi/v2/account")[1]
    assert Decimal(account["totalOpenOrderInitialMargin"]) == Decimal("59.0")
    assert Decimal(account["availableBalance"]) == Decimal("9941.0")
    assert futures.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=126)[1]["code"] == -4028


def test_a_count_down_cancels_unless_it_is_called_off(futures: Any) -> None:
    def count_down(milliseconds: int) -> int:
        path = "/fapi/v1/countdownCancelAll"
        return int(futures.signed("POST", path, symbol="BTCUSDT", countdownTime=milliseconds)[0])

    venue = futures.double.futures.venue
    futures.order("BUY", "59000.0", "0.01", "a")
    assert count_down(60_000) == count_down(0) == 200
    futures.double.set_clock_skew(61_000)
    futures.double.call(venue.tick)
    assert futures.double.open_orders()
    futures.double.set_clock_skew(0)
    count_down(60_000)
    futures.double.set_clock_skew(61_000)
    futures.double.call(venue.tick)
    assert not futures.double.open_orders()


def test_rules_may_change_while_trading_goes_on(spot: Any) -> None:
    assert spot.order("BUY", "1.191", "50", "a")[0] == 200
    spot.double.change_rules(SPOT, tick=Decimal("0.01"))
    filters = spot.public("/api/v3/exchangeInfo", symbol="NEXOUSDT")[1]["symbols"][0]["filters"]
    assert next(one for one in filters if one["filterType"] == "PRICE_FILTER")["tickSize"] == "0.01000000"
    assert spot.order("BUY", "1.191", "50", "b")[1]["msg"] == "Filter failure: PRICE_FILTER"
    assert [order.asked.client_order_id for order in spot.double.open_orders()] == ["a"]

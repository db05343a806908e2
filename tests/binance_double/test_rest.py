"""Plain REST requests: who may ask, what is refused, and with which code."""

from decimal import Decimal
from typing import Any

import pytest

from binance_double.orders import Side
from tests.binance_double.conftest import PERPETUAL, SPOT


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
    price, quantity = ("1.19", "50") if client.product == "spot" else ("59000.0", "0.01")
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
    exchange = client.double.spot if client.product == "spot" else client.double.futures
    client.double.call(exchange.counter.count, exchange.counter.limits[0], 100_000)
    status, answer = client.public(path)
    assert (status, answer["code"]) == (429, -1003)
    assert int(client.headers["retry-after"]) > 0
    for _ in range(10):
        status = client.public(path)[0]
    assert status == 418


def test_new_orders_are_counted(client: Any) -> None:
    exchange = client.double.spot if client.product == "spot" else client.double.futures
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


def test_hedge_mode_holds_both_sides_at_once(futures: Any) -> None:
    mode = {"method": "POST", "path": "/fapi/v1/positionSide/dual"}
    assert futures.signed(**mode, dualSidePosition="true")[0] == 200
    assert futures.signed(**mode, dualSidePosition="true")[1]["code"] == -4059
    futures.order("BUY", "59000.0", "0.01", "long", positionSide="LONG")
    futures.order("SELL", "61000.0", "0.02", "short", positionSide="SHORT")
    assert futures.signed(**mode, dualSidePosition="false")[1]["code"] == -4067
    futures.double.fill("long")
    futures.double.fill("short")
    positions = futures.signed("GET", "/fapi/v3/positionRisk")[1]
    assert {row["positionSide"]: row["positionAmt"] for row in positions} == {"LONG": "0.010", "SHORT": "-0.020"}
    assert futures.signed(**mode, dualSidePosition="false")[1]["code"] == -4068
    close = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.03", "positionSide": "LONG"}
    futures.signed("POST", "/fapi/v1/order", **close)
    assert futures.double.futures.venue.account.position("BTCUSDT", "LONG").amount == 0


def test_only_the_larger_side_of_the_orders_needs_margin(futures: Any) -> None:
    futures.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=10)
    futures.order("BUY", "59000.0", "0.01", "a")
    futures.order("SELL", "61000.0", "0.02", "b")
    account = futures.signed("GET", "/fapi/v2/account")[1]
    assert Decimal(account["totalOpenOrderInitialMargin"]) == Decimal("122")
    futures.double.fill("a")
    account = futures.signed("GET", "/fapi/v2/account")[1]
    held = Decimal("0.01") * Decimal("60000.05")
    assert Decimal(account["totalPositionInitialMargin"]) == held / 10
    assert Decimal(account["totalUnrealizedProfit"]) == held - 590
    # What the sells would leave short is larger than what is held.
    assert Decimal(account["totalInitialMargin"]) == (Decimal(1220) - held) / 10


def test_several_orders_are_cancelled_at_once(futures: Any) -> None:
    for name in ("a", "b"):
        futures.order("BUY", "59000.0", "0.01", name)
    batch = {"method": "DELETE", "path": "/fapi/v1/batchOrders", "symbol": "BTCUSDT"}
    answers = futures.signed(**batch, origClientOrderIdList='["a","c"]')[1]
    assert (answers[0]["status"], answers[1]["code"]) == ("CANCELED", -2011)
    order_id = futures.double.open_orders()[0].order_id
    assert futures.signed(**batch, orderIdList=f"[{order_id}]")[1][0]["clientOrderId"] == "b"
    assert futures.signed(**batch)[1]["code"] == -4032
    assert futures.signed(**batch, orderIdList="[a]")[1]["code"] == -1102


def test_an_order_is_amended(futures: Any) -> None:
    futures.order("BUY", "59000.0", "0.01", "a")
    amend = {"method": "PUT", "path": "/fapi/v1/order", "symbol": "BTCUSDT", "origClientOrderId": "a", "side": "BUY"}
    answer = futures.signed(**amend, quantity="0.02", price="59100.0")[1]
    assert (answer["price"], answer["origQty"], answer["status"]) == ("59100.0", "0.020", "NEW")
    assert futures.signed(**amend, quantity="0.02", price="59100.0")[1]["code"] == -5027
    assert futures.signed(**amend, quantity="0.02", price="59100.05")[1]["code"] == -4014
    assert futures.signed(**(amend | {"origClientOrderId": "z"}), quantity="1", price="1.0")[1]["code"] == -2013
    assert futures.double.open_orders()[0].asked.price == Decimal("59100.0")


def test_what_changed_the_wallet_is_listed(futures: Any) -> None:
    futures.order("BUY", "59000.0", "0.01", "a")
    futures.double.fill("a")
    futures.double.call(futures.double.futures.venue.settle_funding, "BTCUSDT", Decimal("0.0001"))
    rows = futures.signed("GET", "/fapi/v1/income", symbol="BTCUSDT")[1]
    assert [row["incomeType"] for row in rows] == ["COMMISSION", "FUNDING_FEE"]
    wallet = futures.signed("GET", "/fapi/v2/balance")[1][0]["balance"]
    assert Decimal(wallet) == 10_000 + sum(Decimal(row["income"]) for row in rows)
    only = futures.signed("GET", "/fapi/v1/income", incomeType="FUNDING_FEE")[1]
    assert Decimal(only[0]["income"]) == -Decimal("0.01") * Decimal("60000.05") * Decimal("0.0001")


def test_deposits_and_withdrawals_are_told(futures: Any) -> None:
    futures.double.set_wallet("USDT", "12000")
    futures.double.set_wallet("USDT", "11000")
    updates = [event["a"] for event in futures.double.futures.users.happened]
    assert [(one["m"], one["B"][0]["bc"]) for one in updates] == [
        ("DEPOSIT", "2000.00000000"),
        ("WITHDRAW", "-1000.00000000"),
    ]


def test_a_margin_type_is_remembered(futures: Any) -> None:
    change = {"method": "POST", "path": "/fapi/v1/marginType", "symbol": "BTCUSDT"}
    assert futures.signed(**change, marginType="CROSSED")[1]["code"] == -4046
    assert futures.signed(**change, marginType="ISOLATED")[0] == 200
    config = futures.signed("GET", "/fapi/v1/symbolConfig", symbol="BTCUSDT")[1][0]
    assert (config["marginType"], config["leverage"]) == ("ISOLATED", 20)


def test_an_order_that_is_good_till_a_date_ends_then(futures: Any) -> None:
    until = futures.double.clock.ms() + 700_000
    futures.order("BUY", "59000.0", "0.01", "a", timeInForce="GTD", goodTillDate=until)
    futures.double.call(futures.double.futures.venue.tick)
    assert futures.double.open_orders()
    futures.double.set_clock_skew(701_000)
    futures.double.call(futures.double.futures.venue.tick)
    status = next(iter(futures.double.futures.venue.orders.values())).status
    assert (futures.double.open_orders(), status) == ([], "EXPIRED")


def test_all_orders_of_a_symbol_are_cancelled(client: Any) -> None:
    spot = client.product == "spot"
    path, symbol, price, quantity = (
        ("/api/v3/openOrders", "NEXOUSDT", "1.19", "50")
        if spot
        else ("/fapi/v1/allOpenOrders", "BTCUSDT", "59000", "0.01")
    )
    for name in ("a", "b"):
        client.order("BUY", price, quantity, name)
    status, answer = client.signed("DELETE", path, symbol=symbol)
    assert status == 200
    assert len(answer) == 2
    assert not client.double.open_orders()
    assert client.signed("DELETE", path, symbol=symbol)[1]["code"] == (-2011 if spot else 200)


def test_open_orders_on_a_symbol_are_limited(client: Any) -> None:
    instrument_id = SPOT if client.product == "spot" else PERPETUAL
    price, quantity = ("1.19", "50") if client.product == "spot" else ("59000.0", "0.01")
    client.double.change_rules(instrument_id, max_orders=1)
    assert client.order("BUY", price, quantity, "a")[0] == 200
    assert client.order("BUY", price, quantity, "b")[1]["code"] == (-1013 if client.product == "spot" else -2025)


def test_a_symbol_that_does_not_trade_takes_no_orders(client: Any) -> None:
    instrument_id = SPOT if client.product == "spot" else PERPETUAL
    client.double.change_rules(instrument_id, status="HALT")
    price, quantity = ("1.19", "50") if client.product == "spot" else ("59000.0", "0.01")
    assert client.order("BUY", price, quantity, "a")[1]["code"] == (-1013 if client.product == "spot" else -4140)


def test_conditional_orders_are_refused_and_never_found(futures: Any) -> None:
    path = "/fapi/v1/algoOrder"
    assert futures.signed("POST", path, symbol="BTCUSDT", type="STOP_MARKET")[1]["code"] == -1116
    assert futures.signed("GET", path, clientAlgoId="a")[1]["code"] == -2013
    assert futures.signed("DELETE", path, clientAlgoId="a")[1]["code"] == -2011
    assert futures.signed("DELETE", "/fapi/v1/algoOpenOrders", symbol="BTCUSDT")[1]["code"] == 200


@pytest.mark.parametrize("path", ["/api/v3/account/commission", "/fapi/v1/commissionRate"])
def test_fees_are_those_of_the_instruments(double: Any, path: str) -> None:
    client = _client(double, "spot" if "api/v3" in path else "futures")
    answer = client.signed("GET", path, symbol="NEXOUSDT" if client.product == "spot" else "BTCUSDT")[1]
    rate = answer["standardCommission"]["maker"] if client.product == "spot" else answer["makerCommissionRate"]
    assert Decimal(rate) == (Decimal("0.001") if client.product == "spot" else Decimal("0.0002"))


def test_prices_over_rest(client: Any) -> None:
    symbol = "NEXOUSDT" if client.product == "spot" else "BTCUSDT"
    root = client.order_path.removesuffix("order")
    bid = Decimal("1.2") if client.product == "spot" else Decimal(60000)
    assert Decimal(client.public(f"{root}ticker/bookTicker", symbol=symbol)[1]["bidPrice"]) == bid
    client.double.trade(SPOT if client.product == "spot" else PERPETUAL, str(bid), "3", Side.SELL)
    assert Decimal(client.public(f"{root}ticker/price", symbol=symbol)[1]["price"]) == bid
    trade = client.public(f"{root}trades", symbol=symbol)[1][0]
    assert (Decimal(trade["price"]), Decimal(trade["qty"]), trade["isBuyerMaker"]) == (bid, 3, True)


def test_funding_over_rest(futures: Any) -> None:
    futures.double.call(futures.double.futures.venue.settle_funding, "BTCUSDT", Decimal("0.0002"))
    index = futures.public("/fapi/v1/premiumIndex", symbol="BTCUSDT")[1]
    assert (Decimal(index["markPrice"]), Decimal(index["lastFundingRate"])) == (Decimal("60000.05"), Decimal("0.0002"))
    assert index["nextFundingTime"] % (8 * 3600 * 1000) == 0

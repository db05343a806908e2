"""Every fault that can be asked for happens, once and no more."""

import asyncio
import http.client
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
import pytest

from binance_double.orders import Side
from binance_double.rules import Product
from tests.binance_double.conftest import PERPETUAL, SPOT
from tests.binance_double.raw_client import RawClient


@pytest.fixture(params=["spot", "futures"])
def client(double: Any, request: pytest.FixtureRequest) -> RawClient:
    return RawClient(double, Product(request.param))


def submit(client: RawClient, name: str = "a") -> tuple[int, Any]:
    return client.order("BUY", *(("1.19", "50") if client.product == Product.SPOT else ("59000.0", "0.01")), name)


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, -1003), (418, -1003), (400, -1021), (400, -1013), (429, -1015), (400, -2010), (503, None)],
)
def test_a_request_is_answered_as_told_and_the_next_one_properly(
    client: RawClient, status: int, code: int | None
) -> None:
    client.double.faults.answer("submit", status, code, headers={"Retry-After": "7"})
    answered, body = submit(client)
    assert (answered, body["code"] if code else None) == (status, code)
    assert client.headers["retry-after"] == "7"
    assert not client.double.open_orders()
    assert submit(client)[0] == 200


@pytest.mark.parametrize(("status", "code"), [(504, -1007), (503, None), (502, -1001)])
def test_an_order_is_live_though_the_answer_is_an_error(client: RawClient, status: int, code: int | None) -> None:
    client.double.faults.answer("submit", status, code, processed=True)
    assert submit(client)[0] == status
    assert [order.asked.client_order_id for order in client.double.open_orders()] == ["a"]


@pytest.mark.parametrize("processed", [False, True])
def test_a_connection_is_cut_before_or_after_the_order_is_live(client: RawClient, processed: bool) -> None:
    client.double.faults.drop("submit", processed=processed)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        submit(client)
    assert len(client.double.open_orders()) == processed
    assert [request.status for request in client.double.requests("submit")] == [0]


def test_a_cancel_fails_and_the_order_stays(client: RawClient) -> None:
    submit(client)
    client.double.faults.answer("cancel", 503)
    symbol = "NEXOUSDT" if client.product == Product.SPOT else "BTCUSDT"
    cancel = {"method": "DELETE", "path": client.order_path, "symbol": symbol, "origClientOrderId": "a"}
    assert client.signed(**cancel)[0] == 503
    assert client.double.open_orders()
    assert client.signed(**cancel)[1]["status"] == "CANCELED"
    assert client.signed(**cancel)[1]["code"] == -2011


def test_a_fault_lasts_until_it_is_cleared(client: RawClient) -> None:
    client.double.faults.answer("*", 418, -1003, times=None)
    ping = client.order_path.replace("order", "ping")
    assert [client.public(ping)[0] for _ in range(3)] == [418, 418, 418]
    client.double.faults.clear()
    assert client.public(ping)[0] == 200


def test_the_clock_can_be_wrong(client: RawClient) -> None:
    client.double.set_clock_skew(-3_000)
    assert submit(client)[1]["code"] == -1021
    client.double.set_clock_skew(0)
    assert submit(client)[0] == 200


def test_an_outage_refuses_connections_and_keeps_orders(client: RawClient) -> None:
    submit(client)
    client.double.vanish()
    with pytest.raises(ConnectionRefusedError):
        submit(client, "b")
    client.double.resume()
    path = client.order_path.replace("order", "openOrders")
    assert [row["clientOrderId"] for row in client.signed("GET", path)[1]] == ["a"]


# Streams


type Scenario = Callable[["Sockets"], Awaitable[None]]


class Sockets:
    """WebSockets of a test."""

    def __init__(self, session: aiohttp.ClientSession, double: Any) -> None:
        self.session = session
        self.double = double

    async def market(self, *streams: str, product: Product = Product.SPOT) -> aiohttp.ClientWebSocketResponse:
        where = self.double.addresses(product).market_ws
        return await self.session.ws_connect(f"{where}/stream?streams={'/'.join(streams)}")

    async def api(self, product: Product = Product.SPOT) -> aiohttp.ClientWebSocketResponse:
        return await self.session.ws_connect(self.double.addresses(product).api_ws)

    async def logged_on(self) -> aiohttp.ClientWebSocketResponse:
        """Return a spot connection that gets user data."""
        socket = await self.api()
        assert (await self.ask(socket, "session.logon", **self.logon()))["status"] == 200
        assert (await self.ask(socket, "userDataStream.subscribe"))["result"] == {"subscriptionId": 0}
        return socket

    def logon(self, key: Any = None) -> dict[str, Any]:
        key = key or self.double.key
        now = self.double.clock.ms()
        return {"apiKey": key.key, "timestamp": now, "signature": key.sign(f"apiKey={key.key}&timestamp={now}")}

    @staticmethod
    async def ask(socket: aiohttp.ClientWebSocketResponse, method: str, **params: Any) -> Any:
        await socket.send_json({"id": "1", "method": method, "params": params})
        return await asyncio.wait_for(socket.receive_json(), 5)

    async def events(self, socket: aiohttp.ClientWebSocketResponse, last: str) -> list[Any]:
        """Return the user-data events up to the first of a kind."""
        events = []
        while not events or last not in {events[-1].get("e"), events[-1].get("x")}:
            events.append((await asyncio.wait_for(socket.receive_json(), 5))["event"])
        return events

    async def do(self, action: Callable[..., Any], *arguments: Any) -> Any:
        """Call the exchange without holding this loop up."""
        return await asyncio.to_thread(action, *arguments)


@pytest.fixture
def run(double: Any) -> Callable[[Scenario], None]:
    def run_scenario(scenario: Scenario) -> None:
        async def main() -> None:
            async with aiohttp.ClientSession() as session:
                await scenario(Sockets(session, double))

        asyncio.run(main())

    return run_scenario


def trades_of(events: list[Any]) -> list[Any]:
    return [event["t"] for event in events if event.get("x") == "TRADE"]


@pytest.mark.parametrize(("fault", "copies"), [("lose_events", 0), ("duplicate_events", 2)])
def test_a_fill_is_lost_or_told_twice(run: Any, fault: str, copies: int) -> None:
    async def scenario(sockets: Sockets) -> None:
        double, socket = sockets.double, await sockets.logged_on()
        client = RawClient(double, Product.SPOT)
        await sockets.do(submit, client)
        getattr(double.faults, fault)("TRADE")
        await sockets.do(double.fill, "a", "10")
        await sockets.do(double.fill, "a", "15")
        await sockets.do(double.cancel, "a")
        told = trades_of(await sockets.events(socket, "CANCELED"))
        first, second = (fill.trade_id for fill in double.spot.venue.fills)
        assert told == [first] * copies + [second]

    run(scenario)


def test_a_cancel_is_lost(run: Any) -> None:
    async def scenario(sockets: Sockets) -> None:
        double, socket = sockets.double, await sockets.logged_on()
        await sockets.do(submit, RawClient(double, Product.SPOT))
        double.faults.lose_events("CANCELED")
        await sockets.do(double.cancel, "a")
        await sockets.do(submit, RawClient(double, Product.SPOT), "b")
        kinds = [event.get("x") for event in await sockets.events(socket, "outboundAccountPosition")]
        rest = [event.get("x") for event in await sockets.events(socket, "NEW")]
        assert "CANCELED" not in kinds + rest

    run(scenario)


def test_silence_of_user_data_loses_what_happens(run: Any) -> None:
    async def scenario(sockets: Sockets) -> None:
        double, socket = sockets.double, await sockets.logged_on()
        double.faults.users_silent = True
        await sockets.do(submit, RawClient(double, Product.SPOT))
        double.faults.users_silent = False
        await sockets.do(double.cancel, "a")
        assert [event.get("x") for event in await sockets.events(socket, "CANCELED")] == ["CANCELED"]

    run(scenario)


def test_logons_are_refused_as_often_as_told(run: Any) -> None:
    async def scenario(sockets: Sockets) -> None:
        sockets.double.faults.refuse_logons(1)
        socket = await sockets.api()
        assert (await sockets.ask(socket, "session.logon", **sockets.logon()))["status"] == 500
        assert (await sockets.ask(socket, "session.logon", **sockets.logon()))["status"] == 200

    run(scenario)


@pytest.mark.parametrize("product", list(Product))
def test_hmac_keys_cannot_log_on(run: Any, product: Product) -> None:
    async def scenario(sockets: Sockets) -> None:
        socket = await sockets.api(product)
        answer = await sockets.ask(socket, "session.logon", **sockets.logon(sockets.double.hmac_key))
        assert (answer["status"], answer["error"]["code"]) == (400, -4056)
        answer = await sockets.ask(socket, f"userDataStream.{'subscribe' if product == Product.SPOT else 'start'}")
        assert answer["error"]["code"] == -1002

    run(scenario)


def test_a_subscription_may_be_signed_without_a_logon(run: Any) -> None:
    async def scenario(sockets: Sockets) -> None:
        socket = await sockets.api()
        params = sockets.logon(sockets.double.hmac_key)
        assert (await sockets.ask(socket, "userDataStream.subscribe.signature", **params))["status"] == 200
        await sockets.do(sockets.double.set_balance, "USDT", "3")
        events = await sockets.events(socket, "outboundAccountPosition")
        assert events[-1]["B"] == [{"a": "USDT", "f": "3.00000000", "l": "0.00000000"}]

    run(scenario)


def test_user_data_connections_are_cut(run: Any) -> None:
    async def scenario(sockets: Sockets) -> None:
        socket = await sockets.logged_on()
        await sockets.do(lambda: sockets.double.disconnect_users(abort=True))
        assert (await asyncio.wait_for(socket.receive(), 5)).type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}

    run(scenario)


def test_a_terminated_subscription_says_so_and_can_be_renewed(run: Any) -> None:
    async def scenario(sockets: Sockets) -> None:
        socket = await sockets.logged_on()
        await sockets.do(sockets.double.terminate_user_stream)
        await sockets.events(socket, "eventStreamTerminated")
        assert (await sockets.ask(socket, "userDataStream.subscribe"))["result"] == {"subscriptionId": 1}

    run(scenario)


def test_a_listen_key_expires(run: Any) -> None:
    async def scenario(sockets: Sockets) -> None:
        double, client = sockets.double, RawClient(sockets.double, Product.FUTURES, sockets.double.hmac_key)
        key = (await sockets.do(client.keyed, "POST", "/fapi/v1/listenKey"))[1]["listenKey"]
        address = f"{double.addresses(Product.FUTURES).user_ws}/ws?listenKey={key}"
        socket = await sockets.session.ws_connect(address)
        await sockets.do(double.expire_listen_key)
        message = await asyncio.wait_for(socket.receive_json(), 5)
        assert (message["e"], message["listenKey"]) == ("listenKeyExpired", key)
        assert (await sockets.do(client.keyed, "PUT", "/fapi/v1/listenKey"))[1]["code"] == -1125
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await sockets.session.ws_connect(address)

    run(scenario)


def test_a_listen_key_is_refused_as_often_as_told(double: Any) -> None:
    client = RawClient(double, Product.FUTURES)
    double.faults.refuse_logons(1)
    assert [client.keyed("POST", "/fapi/v1/listenKey")[0] for _ in range(2)] == [500, 200]


def test_a_port_that_is_taken_is_said(double: Any) -> None:
    from binance_double.double import BinanceDouble

    port = int(double.addresses(Product.SPOT).http.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        BinanceDouble([], port=port).start()


def test_what_takes_long_takes_long(client: RawClient) -> None:
    client.double.faults.delay("submit", 0.2)
    begun = time.monotonic()
    assert submit(client)[0] == 200
    assert time.monotonic() - begun >= 0.2


def test_a_restart_forgets_listen_keys_and_keeps_orders(double: Any) -> None:
    client = RawClient(double, Product.FUTURES)
    submit(client)
    client.keyed("POST", "/fapi/v1/listenKey")
    double.restart()
    assert client.keyed("PUT", "/fapi/v1/listenKey")[1]["code"] == -1125
    assert len(double.open_orders()) == 1


def test_a_listen_key_that_is_not_kept_alive_expires_after_an_hour(double: Any) -> None:
    client = RawClient(double, Product.FUTURES)
    client.keyed("POST", "/fapi/v1/listenKey")
    double.set_clock_skew(50 * 60_000)
    assert client.keyed("PUT", "/fapi/v1/listenKey")[0] == 200
    for minutes, status in ((100, 200), (170, 400)):
        double.set_clock_skew(minutes * 60_000)
        double.call(double.futures.tick)
        assert client.keyed("PUT", "/fapi/v1/listenKey")[0] == status


@pytest.mark.parametrize("text", ["{", '{"e":"news"}', "null"])
def test_any_text_can_be_sent_on_the_market_streams(run: Any, text: str) -> None:
    async def scenario(sockets: Sockets) -> None:
        socket = await sockets.market("nexousdt@bookTicker")
        await sockets.do(sockets.double.send_market_text, text)
        assert (await asyncio.wait_for(socket.receive_str(), 5)) == text

    run(scenario)


def test_the_market_falls_silent_and_speaks_again(run: Any) -> None:
    async def scenario(sockets: Sockets) -> None:
        double, socket = sockets.double, await sockets.market("nexousdt@bookTicker")
        double.faults.market_silent = True
        await sockets.do(double.quote, SPOT, "1.190", "1.192")
        double.faults.market_silent = False
        await sockets.do(double.quote, SPOT, "1.210", "1.209")
        data = (await asyncio.wait_for(socket.receive_json(), 5))["data"]
        assert (data["b"], data["a"]) == ("1.21000000", "1.20900000"), "a crossed book, and nothing of the silence"

    run(scenario)


def test_streams_are_subscribed_and_unsubscribed(run: Any) -> None:
    async def scenario(sockets: Sockets) -> None:
        double, socket = sockets.double, await sockets.market("btcusdt@bookTicker", product=Product.FUTURES)
        for method, streams in (("SUBSCRIBE", ["btcusdt@aggTrade"]), ("UNSUBSCRIBE", ["btcusdt@bookTicker"])):
            await socket.send_json({"method": method, "params": streams, "id": 4})
            assert await socket.receive_json() == {"result": None, "id": 4}
        await sockets.do(double.quote, PERPETUAL, "59000.0", "59000.1")
        await sockets.do(double.trade, PERPETUAL, "59000.1", "0.5", Side.BUY)
        message = await asyncio.wait_for(socket.receive_json(), 5)
        assert message["stream"] == "btcusdt@aggTrade"
        assert message["data"]["q"] == "0.500"

    run(scenario)


def test_one_side_hears_nothing_of_the_other_product(run: Any) -> None:
    async def scenario(sockets: Sockets) -> None:
        double = sockets.double
        socket = await sockets.market("btcusdt@bookTicker", "nexousdt@bookTicker")
        await sockets.do(double.quote, PERPETUAL, "59000.0", "59000.1")
        await sockets.do(double.quote, SPOT, "1.190", "1.192")
        assert msgspec.json.decode(await socket.receive_str())["stream"] == "nexousdt@bookTicker"

    run(scenario)

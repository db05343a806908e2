"""What of the venue's answers is certain, and what of a request may be written down."""

import asyncio
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("status", "code", "refused"),
    [
        (400, -1013, True),
        (400, -2010, True),
        (429, -1003, True),
        (418, -1003, True),
        (403, None, True),
        (400, -1006, False),
        (400, -1007, False),
        (408, -1007, False),
        (408, None, False),
    ],
)
def test_only_a_refusal_says_that_an_order_was_not_taken(status: int, code: int | None, refused: bool) -> None:
    from nautilus_trader.adapters.binance.http.error import BinanceClientError

    from runtime.live.adapter import is_refusal

    message = "<html>" if code is None else {"code": code, "msg": "words"}

    assert is_refusal(BinanceClientError(status, message, {})) is refused


def test_a_server_error_and_a_cut_connection_say_nothing() -> None:
    from nautilus_trader.adapters.binance.http.error import BinanceServerError

    from runtime.live.adapter import is_refusal

    assert not is_refusal(BinanceServerError(503, {"code": -1008, "msg": "busy"}, {}))
    assert not is_refusal(ConnectionResetError())


@pytest.mark.parametrize(
    "words",
    [
        "error sending request for url (https://x/api/v3/order?symbol=A&signature=QkWA%2BYscIW)",
        "error sending request for url (https://x/api/v3/order?signature=QkWA%2BYscIW&symbol=A)",
        "https://x/ws?listenKey=QkWA%2BYscIW",
    ],
)
def test_an_error_does_not_hold_what_a_request_was_signed_with(words: str) -> None:
    from nautilus_trader.core.nautilus_pyo3 import HttpError

    from runtime.live.adapter import keep_signatures_out

    class Connection:
        async def send_request(self, *arguments: Any) -> None:
            raise HttpError(words)

    connection = Connection()
    keep_signatures_out(connection)

    with pytest.raises(HttpError) as caught:
        asyncio.run(connection.send_request("GET"))
    assert "QkWA" not in str(caught.value)
    assert str(caught.value).startswith(words.split("?", maxsplit=1)[0])


ORDERS = {
    "O-20260101-120000-{tag}-000-7": False,
    "O-20260101-120000-{tag}-wide-7": False,
    "autoclose-1768000000000": False,  # a liquidation
    "adl_autoclose": False,
    "settlement_autoclose-17": False,
    "O-20260101-120000-0000-000-7": True,  # another setup
    "web_5fGh": True,
    "by-hand": True,
    "x-O-20260101-120000-{tag}-000-7": True,
}


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_of_somebody_else_is_known_by_its_name(name: str) -> None:
    from runtime.live.own_orders import Owner

    owner = Owner.of("live_spot")

    assert owner.is_of_others(name.format(tag=owner.tag)) is ORDERS[name]

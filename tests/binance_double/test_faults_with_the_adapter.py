"""
What the real adapter makes of the faults. Some of it is wrong: these are the holes that a live run has to close, kept
here so that an upgrade of the engine shows what changed.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from binance_double.orders import Side
from tests.binance_double.conftest import PERPETUAL, SPOT, running_double


@pytest.fixture(scope="module")
def shared_double() -> Iterator[Any]:
    yield from running_double()


@pytest.fixture(scope="module")
def spot_node(shared_double: Any) -> Iterator[Any]:
    yield from _running_node(shared_double, SPOT)


@pytest.fixture(scope="module")
def futures_node(shared_double: Any) -> Iterator[Any]:
    yield from _running_node(shared_double, PERPETUAL, shared_double.hmac_key)


def _running_node(double: Any, instrument_id: str, key: Any = None) -> Iterator[Any]:
    from tests.binance_double.node_kit import LiveNode

    node = LiveNode(double, instrument_id, key)
    node.until(lambda: node.strategy.is_running and len(node.streams()) == 2)
    yield node
    node.stop()


@pytest.fixture
def bid(spot_node: Any) -> Iterator[Any]:
    """Yield an open buy order; whatever is open afterwards is cancelled at the exchange."""
    from nautilus_trader.model.enums import OrderSide

    double = spot_node.double
    order = spot_node.strategy.limit(OrderSide.BUY, "1.150", "50")
    spot_node.until(lambda: order.is_open)
    yield order
    double.faults.clear()
    for left in double.open_orders():
        double.cancel(left.asked.client_order_id)
    spot_node.until(lambda: not spot_node.cache.orders_open())


def probe(node: Any) -> None:
    """Place and cancel an order: what was told before it has arrived by then."""
    from nautilus_trader.model.enums import OrderSide

    order = node.strategy.limit(OrderSide.BUY, "1.140", "50")
    node.until(lambda: order.is_open)
    node.strategy.cancel_order(order)
    node.until(lambda: order.is_closed)


def test_an_order_that_is_live_is_called_rejected_after_an_error(spot_node: Any, bid: Any) -> None:
    from nautilus_trader.model.enums import OrderSide

    spot_node.double.faults.lose_events("NEW")
    spot_node.double.faults.answer("submit", 504, -1007, processed=True)
    order = spot_node.strategy.limit(OrderSide.BUY, "1.151", "50")
    spot_node.until(lambda: order.status_string() == "REJECTED")
    assert order.client_order_id.value in {o.asked.client_order_id for o in spot_node.double.open_orders()}


def test_a_cancel_that_fails_leaves_the_order_open(spot_node: Any, bid: Any) -> None:
    spot_node.double.faults.answer("cancel", 503)
    spot_node.strategy.cancel_order(bid)
    spot_node.until(lambda: "OrderCancelRejected" in spot_node.strategy.names())
    assert bid.is_open


def test_a_lost_fill_is_not_noticed(spot_node: Any, bid: Any) -> None:
    spot_node.double.faults.lose_events("TRADE")
    spot_node.double.fill(bid.client_order_id.value, "20")
    probe(spot_node)
    assert bid.filled_qty == 0
    assert spot_node.double.open_orders()[0].executed == 20


def test_a_fill_told_twice_counts_once(spot_node: Any, bid: Any) -> None:
    spot_node.double.faults.duplicate_events("TRADE")
    spot_node.double.fill(bid.client_order_id.value, "20")
    probe(spot_node)
    assert bid.filled_qty == 20


@pytest.mark.parametrize("text", ["{", '{"e":"news"}', '{"stream":"nexousdt@news","data":{}}'])
def test_nonsense_on_the_streams_stops_nothing(spot_node: Any, bid: Any, text: str) -> None:
    spot_node.double.send_market_text(text)
    spot_node.double.send_user_text(text)
    probe(spot_node)
    heard = len(spot_node.strategy.quotes)
    spot_node.double.quote(SPOT, "1.200", "1.202")
    spot_node.until(lambda: len(spot_node.strategy.quotes) > heard)


def test_a_crossed_book_is_passed_on(spot_node: Any) -> None:
    spot_node.double.quote(SPOT, "1.205", "1.202")
    spot_node.until(lambda: spot_node.strategy.quotes[-1].bid_price > spot_node.strategy.quotes[-1].ask_price)
    spot_node.double.quote(SPOT, "1.200", "1.202")


def test_what_happened_while_user_data_were_cut_is_found_afterwards(spot_node: Any, bid: Any) -> None:
    spot_node.double.faults.users_silent = True
    spot_node.double.disconnect_users(abort=True)
    spot_node.double.fill(bid.client_order_id.value, "20")
    spot_node.double.faults.users_silent = False
    spot_node.until(lambda: bid.filled_qty == 20)
    assert spot_node.exec_client._ws_client.subscription_id is not None


def test_an_outage_is_survived(spot_node: Any, bid: Any) -> None:
    double, heard = spot_node.double, len(spot_node.strategy.quotes)
    double.vanish()
    double.resume()
    spot_node.until(lambda: len(spot_node.streams()) == 2 and double.spot.users.count == 1)
    double.quote(SPOT, "1.201", "1.203")
    spot_node.until(lambda: len(spot_node.strategy.quotes) > heard)
    double.fill(bid.client_order_id.value, "20")
    spot_node.until(lambda: bid.filled_qty == 20)


def test_a_listen_key_that_expires_is_replaced(futures_node: Any) -> None:
    from nautilus_trader.model.enums import OrderSide

    double = futures_node.double
    before = futures_node.exec_client._ws_client.subscription_id
    order = futures_node.strategy.limit(OrderSide.BUY, "59000.0", "0.010")
    futures_node.until(lambda: order.is_open)
    double.expire_listen_key()
    futures_node.until(lambda: futures_node.exec_client._ws_client.subscription_id not in {before, None})
    futures_node.until(lambda: double.futures.users.count == 1)
    double.trade(PERPETUAL, "58999.0", "0.5", Side.SELL)
    futures_node.until(lambda: order.filled_qty == Decimal("0.010"))


def test_after_one_failed_logon_the_node_is_blind_for_ever(spot_node: Any, bid: Any) -> None:
    double, client = spot_node.double, spot_node.exec_client._ws_client
    double.faults.refuse_logons(1)
    double.disconnect_users(abort=True)
    spot_node.until(lambda: client._is_recovery_failed)
    assert spot_node.exec_client.is_connected, "it says so all the same"
    assert double.spot.users.count == 0
    double.fill(bid.client_order_id.value)
    spot_node.strategy.query_order(bid)
    spot_node.until(lambda: bid.is_closed)

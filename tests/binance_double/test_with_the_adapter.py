"""The real trading node with the real Binance adapter trades against the local exchange."""

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


@pytest.fixture(scope="module", params=["Ed25519", "HMAC"])
def futures_node(shared_double: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    key = shared_double.key if request.param == "Ed25519" else shared_double.hmac_key
    yield from _running_node(shared_double, PERPETUAL, key)


def _running_node(double: Any, instrument_id: str, key: Any = None) -> Iterator[Any]:
    from tests.binance_double.node_kit import LiveNode

    node = LiveNode(double, instrument_id, key)
    node.until(lambda: node.strategy.is_running)
    node.until(lambda: len(node.streams()) == 2)
    yield node
    node.stop()
    assert not double.open_orders()


def test_spot_quotes_and_trades_arrive(spot_node: Any) -> None:
    strategy = spot_node.strategy
    spot_node.double.quote(SPOT, "1.200", "1.202", "7.5", "8.25")
    spot_node.until(lambda: bool(strategy.quotes))
    spot_node.double.trade(SPOT, "1.202", "3.5", Side.BUY)
    spot_node.until(lambda: bool(strategy.trades))
    quote, trade = strategy.quotes[-1], strategy.trades[-1]
    assert (float(quote.bid_price), float(quote.ask_price), float(quote.bid_size), float(quote.ask_size)) == (
        1.2,
        1.202,
        7.5,
        8.25,
    )
    assert (float(trade.price), float(trade.size), trade.aggressor_side.name) == (1.202, 3.5, "BUYER")
    assert strategy.instrument.maker_fee == Decimal("0.001")


def test_spot_quotes_both_sides_fill_and_cancel(spot_node: Any) -> None:
    from nautilus_trader.model.enums import OrderSide

    strategy, double = spot_node.strategy, spot_node.double
    bid, ask = strategy.limit(OrderSide.BUY, "1.199", "50"), strategy.limit(OrderSide.SELL, "1.203", "40")
    spot_node.until(lambda: bid.is_open and ask.is_open)
    double.trade(SPOT, "1.198", "20", Side.SELL)
    spot_node.until(lambda: bid.filled_qty == 20)
    double.fill(bid.client_order_id.value)
    spot_node.until(lambda: bid.is_closed)
    strategy.cancel_order(ask)
    spot_node.until(lambda: ask.is_closed)
    _assert_balances_agree(spot_node)
    position = spot_node.cache.positions_open()[0]
    assert position.quantity == Decimal("49.95"), "a buyer pays a tenth of a percent in the base asset"
    assert double.spot.venue.account.balances["NEXO"].free == Decimal("1049.95")


def test_spot_post_only_that_would_take_is_rejected_as_such(spot_node: Any) -> None:
    from nautilus_trader.model.enums import OrderSide

    order = spot_node.strategy.limit(OrderSide.BUY, "1.202", "50")
    spot_node.until(lambda: order.status_string() == "REJECTED")
    rejection = spot_node.strategy.heard[-1]
    assert rejection.due_post_only
    assert "-2010" in rejection.reason


def test_spot_market_order_takes_what_is_there(spot_node: Any) -> None:
    from nautilus_trader.model.enums import OrderSide

    spot_node.double.quote(SPOT, "1.200", "1.202", "7.5", "8")
    order = spot_node.strategy.market(OrderSide.SELL, "10")
    spot_node.until(lambda: order.is_closed)
    assert order.avg_px == pytest.approx((7.5 * 1.200 + 2.5 * 1.199) / 10)
    _assert_balances_agree(spot_node)


def test_spot_cancel_all_leaves_nothing(spot_node: Any) -> None:
    from nautilus_trader.model.enums import OrderSide

    orders = [spot_node.strategy.limit(OrderSide.BUY, price, "20") for price in ("1.190", "1.191", "1.192")]
    spot_node.until(lambda: all(order.is_open for order in orders))
    spot_node.strategy.cancel_all_orders(spot_node.strategy.instrument_id)
    spot_node.until(lambda: all(order.is_closed for order in orders))
    assert not spot_node.double.open_orders()
    _assert_balances_agree(spot_node)


def test_futures_quotes_modifies_and_fills(futures_node: Any) -> None:
    from nautilus_trader.model.enums import OrderSide

    strategy, double, cache = futures_node.strategy, futures_node.double, futures_node.cache
    bid, ask = strategy.limit(OrderSide.BUY, "59999.0", "0.050"), strategy.limit(OrderSide.SELL, "60001.0", "0.050")
    futures_node.until(lambda: bid.is_open and ask.is_open)
    double.trade(PERPETUAL, "59998.9", "0.020", Side.SELL)
    futures_node.until(lambda: bid.filled_qty == Decimal("0.020"))
    strategy.modify_order(bid, strategy.instrument.make_qty(0.06), strategy.instrument.make_price(59999.5))
    futures_node.until(lambda: bid.price == Decimal("59999.5"))
    assert bid.quantity == Decimal("0.060")
    double.fill(bid.client_order_id.value)
    futures_node.until(lambda: bid.is_closed)
    assert cache.positions_open()[0].signed_qty == pytest.approx(0.06)
    double.fill(ask.client_order_id.value)
    futures_node.until(lambda: ask.is_closed)
    close = strategy.market(OrderSide.SELL, "0.010")
    futures_node.until(lambda: close.is_closed and not cache.positions_open())
    assert double.futures.venue.account.position("BTCUSDT").amount == 0
    _assert_balances_agree(futures_node)


def test_futures_post_only_that_would_take_is_rejected_as_such(futures_node: Any) -> None:
    from nautilus_trader.model.enums import OrderSide

    order = futures_node.strategy.limit(OrderSide.SELL, "60000.0", "0.010")
    futures_node.until(lambda: order.status_string() == "REJECTED")
    rejection = futures_node.strategy.heard[-1]
    assert rejection.due_post_only
    assert "-5022" in rejection.reason


def test_futures_funding_reaches_the_node(futures_node: Any) -> None:
    from nautilus_trader.model.enums import OrderSide

    strategy, double = futures_node.strategy, futures_node.double
    opened = strategy.market(OrderSide.BUY, "0.010")
    futures_node.until(lambda: opened.is_closed)
    before = double.futures.venue.account.wallet["USDT"]
    double.call(double.futures.venue.settle_funding, "BTCUSDT", Decimal("0.0001"))
    paid = before - double.futures.venue.account.wallet["USDT"]
    assert paid == Decimal("0.01") * Decimal("60000.05") * Decimal("0.0001")
    _assert_balances_agree(futures_node)
    closed = strategy.market(OrderSide.SELL, "0.010")
    futures_node.until(lambda: closed.is_closed and not futures_node.cache.positions_open())


def _assert_balances_agree(node: Any) -> None:
    """Wait until the node's balances are those of the exchange, to the last decimal."""

    def of_the_node() -> dict[str, Decimal]:
        return {str(asset): money.as_decimal() for asset, money in node.cache.accounts()[0].balances_total().items()}

    node.until(lambda: of_the_node() == node.totals())


def test_spot_book_is_followed(spot_node: Any) -> None:
    from nautilus_trader.model.enums import BookType

    strategy, double = spot_node.strategy, spot_node.double
    strategy.subscribe_order_book_deltas(strategy.instrument_id, BookType.L2_MBP)
    spot_node.until(lambda: len(spot_node.streams()) == 3)
    spot_node.until(lambda: spot_node.cache.order_book(strategy.instrument_id).best_ask_price() is not None)
    double.quote(SPOT, "1.180", "1.183", "4", "5")
    book = spot_node.cache.order_book(strategy.instrument_id)
    spot_node.until(lambda: (book.best_bid_price(), book.best_ask_size()) == (Decimal("1.180"), Decimal(5)))
    double.quote(SPOT, "1.200", "1.202")


def test_an_order_placed_by_hand_is_seen(futures_node: Any) -> None:
    double, cache = futures_node.double, futures_node.cache
    double.place(PERPETUAL, Side.BUY, "58000.0", "0.010", "by-hand")
    futures_node.until(lambda: [order.client_order_id.value for order in cache.orders_open()] == ["by-hand"])
    double.cancel("by-hand")
    futures_node.until(lambda: not cache.orders_open())

"""How resting orders meet the market, and that money neither appears nor vanishes."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_double.clock import Clock
from binance_double.errors import ApiError
from binance_double.futures_venue import FuturesVenue
from binance_double.margin import is_reducing
from binance_double.orders import NewOrder, Order, Side
from binance_double.rules import Product, Rules
from binance_double.spot_venue import SpotVenue

SYMBOL = "ABCUSDT"
D = Decimal


def rules(product: Product) -> Rules:
    return Rules(
        product=product,
        symbol=SYMBOL,
        base="ABC",
        quote="USDT",
        tick=D("0.01"),
        step=D("0.1"),
        min_price=D("0.01"),
        max_price=D(1000),
        min_quantity=D("0.1"),
        max_quantity=D(10_000),
        min_notional=D(5),
        maker_fee=D("0.0002"),
        taker_fee=D("0.0005"),
        multiplier_down=D("0.2"),
        multiplier_up=D(5),
    )


@pytest.fixture
def spot() -> SpotVenue:
    venue = SpotVenue([rules(Product.SPOT)], Clock(), {"USDT": D(10_000), "ABC": D(1_000)})
    venue.on_quote(SYMBOL, D("10.00"), D("10.02"), D(5), D(5))
    return venue


@pytest.fixture
def futures() -> FuturesVenue:
    venue = FuturesVenue([rules(Product.FUTURES)], Clock(), {"USDT": D(10_000)})
    venue.on_quote(SYMBOL, D("10.00"), D("10.02"), D(5), D(5))
    return venue


def limit(venue: Any, side: Side, price: str, quantity: str, **options: Any) -> Order:
    name = f"n{len(venue.orders)}"
    asked = {"symbol": SYMBOL, "side": side, "type": "LIMIT", "client_order_id": name, "quantity": D(quantity)}
    return venue.submit(NewOrder(**(asked | {"price": D(price)} | options)))


def test_a_trade_at_the_price_fills_what_stood_before_first(spot: SpotVenue) -> None:
    order = limit(spot, Side.BUY, "10.00", "3")
    spot.on_trade(SYMBOL, D("10.00"), D(4), Side.SELL)
    assert order.executed == 0
    spot.on_trade(SYMBOL, D("10.00"), D(2), Side.SELL)
    assert order.executed == 1
    spot.on_trade(SYMBOL, D("10.00"), D(9), Side.SELL)
    assert order.status == "FILLED"


def test_that_somebody_in_front_cancels_is_not_known(spot: SpotVenue) -> None:
    order = limit(spot, Side.BUY, "10.00", "3")
    spot.on_quote(SYMBOL, D("10.00"), D("10.02"), D(1), D(5))
    assert order.queue_ahead == 5
    spot.on_quote(SYMBOL, D("10.01"), D("10.02"), D(1), D(5))
    spot.on_quote(SYMBOL, D("10.00"), D("10.02"), D(2), D(5))
    assert order.queue_ahead == 2, "when the market comes back, no more stands there than it shows"
    spot.on_quote(SYMBOL, D("9.99"), D("10.02"), D(2), D(5))
    assert order.queue_ahead == 0, "and nobody once it has left"


def test_who_was_not_first_waits_behind_own_orders_too(spot: SpotVenue) -> None:
    limit(spot, Side.BUY, "10.00", "3")
    spot.on_quote(SYMBOL, D("10.00"), D("10.02"), D(1), D(5))
    assert limit(spot, Side.BUY, "10.00", "3").queue_ahead == 5


def test_who_improves_the_market_is_first(spot: SpotVenue) -> None:
    order = limit(spot, Side.BUY, "10.01", "3")
    spot.on_trade(SYMBOL, D("10.01"), D(2), Side.SELL)
    assert order.executed == 2


def test_a_place_behind_the_quotes_is_unknown_until_they_come_there(spot: SpotVenue) -> None:
    order = limit(spot, Side.BUY, "9.99", "3")
    spot.on_trade(SYMBOL, D("9.99"), D(50), Side.SELL)
    assert order.executed == 0
    spot.on_quote(SYMBOL, D("9.99"), D("10.02"), D(4), D(5))
    spot.on_trade(SYMBOL, D("9.99"), D(5), Side.SELL)
    assert order.executed == 1


def test_a_trade_through_the_price_fills_no_more_than_its_size(spot: SpotVenue) -> None:
    better, worse = limit(spot, Side.BUY, "10.00", "3"), limit(spot, Side.BUY, "9.99", "3")
    spot.on_trade(SYMBOL, D("9.98"), D(4), Side.SELL)
    assert (better.executed, worse.executed) == (3, 1)


def test_two_orders_at_one_price_share_a_trade_by_age(spot: SpotVenue) -> None:
    older, younger = limit(spot, Side.SELL, "10.02", "2"), limit(spot, Side.SELL, "10.02", "2")
    spot.on_trade(SYMBOL, D("10.02"), D(8), Side.BUY)
    assert (older.executed, younger.executed) == (2, 1)


def test_a_trade_of_buyers_does_not_fill_buyers(spot: SpotVenue) -> None:
    order = limit(spot, Side.BUY, "10.00", "3")
    spot.on_trade(SYMBOL, D("9.90"), D(50), Side.BUY)
    assert order.executed == 0


def test_a_quote_that_crosses_fills_what_it_shows_once(spot: SpotVenue) -> None:
    first, second = limit(spot, Side.BUY, "10.01", "3"), limit(spot, Side.BUY, "10.00", "9")
    spot.on_quote(SYMBOL, D("9.98"), D("9.99"), D(5), D(4))
    assert (first.executed, second.executed) == (3, 1)
    assert first.average_price == D("10.01"), "a maker trades at its own price"
    spot.on_quote(SYMBOL, D("9.98"), D("9.99"), D(5), D(4))
    assert second.executed == 1, "what it shows counts once while the price stands"
    spot.on_quote(SYMBOL, D("9.98"), D("10.00"), D(5), D(4))
    assert second.executed == 5


def test_who_takes_more_than_the_top_walks_further_levels(spot: SpotVenue) -> None:
    order = limit(spot, Side.BUY, "10.03", "20", time_in_force="IOC")
    assert order.status == "EXPIRED"
    assert [(fill.price, fill.quantity) for fill in order.fills] == [(D("10.02"), 5), (D("10.03"), 5)]
    assert spot.account.balance("USDT").locked == 0


def test_what_was_taken_is_not_there_for_the_next(spot: SpotVenue) -> None:
    limit(spot, Side.BUY, "10.02", "5", time_in_force="IOC")
    second = limit(spot, Side.BUY, "10.02", "5", time_in_force="IOC")
    assert second.executed == 0
    assert spot.books[SYMBOL].levels(Side.SELL) == []


def test_a_fill_or_kill_that_finds_too_little_does_nothing(spot: SpotVenue) -> None:
    order = limit(spot, Side.BUY, "10.02", "6", time_in_force="FOK")
    assert (order.status, order.executed) == ("EXPIRED", 0)


def test_own_orders_do_not_trade_with_each_other(spot: SpotVenue) -> None:
    resting = limit(spot, Side.SELL, "10.01", "3")
    taker = limit(spot, Side.BUY, "10.01", "3")
    assert resting.status == "EXPIRED_IN_MATCH"
    assert taker.executed == 0
    assert taker.is_open
    with pytest.raises(ApiError, match="immediately match"):
        limit(spot, Side.SELL, "10.01", "3", type="LIMIT_MAKER")


def test_a_spot_buyer_pays_in_the_base_asset_and_a_seller_in_the_quote_asset(spot: SpotVenue) -> None:
    spot.inject_fill(limit(spot, Side.BUY, "9.90", "10"))
    assert spot.account.balance("ABC").total == D("1009.998")
    assert spot.account.balance("USDT").total == D("9901")
    spot.inject_fill(limit(spot, Side.SELL, "10.10", "10"))
    assert spot.account.balance("USDT").total == D("9901") + D("101") - D("0.0202")
    assert spot.account.fees_paid == {"ABC": D("0.002"), "USDT": D("0.0202")}


def test_a_spot_market_order_may_be_sized_in_the_quote_asset(spot: SpotVenue) -> None:
    asked = NewOrder(symbol=SYMBOL, side=Side.BUY, type="MARKET", client_order_id="m", quote_quantity=D("75"))
    order = spot.submit(asked)
    assert order.executed == D("7.4")  # 5 at 10.02, then what 24.90 buys at 10.03
    assert order.quote_executed == D("74.172")


def test_amending_keeps_the_place_only_when_the_order_shrinks(futures: FuturesVenue) -> None:
    order = limit(futures, Side.BUY, "10.00", "3", time_in_force="GTX")
    futures.on_trade(SYMBOL, D("10.00"), D(4), Side.SELL)
    arguments = (SYMBOL, order.order_id, None)
    futures.modify(*arguments, side=Side.BUY, quantity=D("2"), price=D("10.00"))
    assert order.queue_ahead == 1
    futures.modify(*arguments, side=Side.BUY, quantity=D("2.5"), price=D("10.00"))
    assert order.queue_ahead == 5
    with pytest.raises(ApiError, match="No need"):
        futures.modify(*arguments, side=Side.BUY, quantity=D("2.5"), price=D("10.00"))
    futures.modify(*arguments, side=Side.BUY, quantity=D("2.5"), price=D("10.02"))
    assert order.status == "CANCELED", "a post-only order that would take is cancelled"


def test_reduce_only_never_turns_a_position_over(futures: FuturesVenue) -> None:
    futures.inject_fill(limit(futures, Side.BUY, "9.90", "2"))
    order = limit(futures, Side.SELL, "10.05", "5", reduce_only=True)
    futures.inject_fill(order)
    assert futures.account.position(SYMBOL).amount == 0
    assert (order.status, order.executed) == ("EXPIRED", 2)


def test_funding_moves_money_from_longs(futures: FuturesVenue) -> None:
    futures.inject_fill(limit(futures, Side.BUY, "9.90", "2"))
    before = futures.account.wallet["USDT"]
    futures.settle_funding(SYMBOL, D("0.001"))
    assert futures.account.wallet["USDT"] == before - D("2") * D("10.01") * D("0.001")


def test_announced_funding_is_said_until_it_is_due_and_paid_once(futures: FuturesVenue) -> None:
    said: list[tuple[D, int]] = []
    futures.market_feed = lambda kind, symbol, message: (  # type: ignore[assignment]
        said.append((D(str(message["r"])), int(str(message["T"])))) if kind == "markPrice" else None
    )
    futures.inject_fill(limit(futures, Side.BUY, "9.90", "2"))
    due_ms = futures.clock.ms() + 3_600_000
    futures.announce_funding(SYMBOL, D("0.001"), due_ms)
    futures.tick()
    assert (futures.account.funding_received["USDT"], set(said)) == (0, {(D("0.001"), due_ms)})

    futures.clock.skew_ms = 3_600_000
    futures.tick()
    futures.tick()
    assert futures.account.funding_received["USDT"] == -D("2") * D("10.01") * D("0.001")
    usual_ms = 8 * 3_600_000
    assert said[-1][1] == due_ms - due_ms % usual_ms + usual_ms


PRICES = st.integers(992, 1008).map(lambda ticks: D(ticks) / 100)
SIZES = st.integers(5, 80).map(lambda lots: D(lots) / 10)
SIDES = st.sampled_from(list(Side))
ACTIONS = st.one_of(
    st.tuples(st.just("order"), SIDES, PRICES, SIZES, st.sampled_from(["GTC", "IOC", "FOK", "post", "market"])),
    st.tuples(st.just("quote"), PRICES, st.integers(1, 5), SIZES, SIZES),
    st.tuples(st.just("trade"), SIDES, PRICES, SIZES),
    st.tuples(st.just("cancel"), st.integers(0, 100)),
    st.tuples(st.just("fill"), st.integers(0, 100), SIZES),
    st.tuples(st.just("amend"), st.integers(0, 100), PRICES, SIZES),
    st.tuples(st.just("reduce"), SIDES, PRICES, SIZES),
)


def act(venue: Any, action: tuple[Any, ...]) -> None:
    """Do something to the venue and check that no market event fills more than it brings."""
    before, open_orders = len(venue.fills), venue.open_orders()
    match action:
        case ("order", side, price, size, kind):
            submit(venue, side, size, order_options(venue.product, price, kind))
        case ("reduce", side, price, size) if venue.product == Product.FUTURES:
            submit(venue, side, size, {"type": "LIMIT", "price": price, "reduce_only": True})
        case ("quote", bid, spread, bid_size, ask_size):
            venue.on_quote(SYMBOL, bid, bid + D(spread) / 100, bid_size, ask_size)
            for side, size in ((Side.SELL, bid_size), (Side.BUY, ask_size)):
                assert filled(venue, before, side) <= size
        case ("trade", side, price, size):
            venue.on_trade(SYMBOL, price, size, side)
            assert filled(venue, before, side.opposite) <= size
            assert filled(venue, before, side) == 0
        case ("cancel", n) if open_orders:
            venue.cancel(SYMBOL, open_orders[n % len(open_orders)].order_id, None)
        case ("fill", n, size) if open_orders:
            venue.inject_fill(open_orders[n % len(open_orders)], size)
        case ("amend", n, price, size) if open_orders and venue.product == Product.FUTURES:
            amend(venue, open_orders[n % len(open_orders)], price, size)


def order_options(product: Product, price: Decimal, kind: str) -> dict[str, Any]:
    if kind == "market":
        return {"type": "MARKET"}
    if kind == "post" and product == Product.SPOT:
        return {"type": "LIMIT_MAKER", "price": price}
    return {"type": "LIMIT", "price": price, "time_in_force": "GTX" if kind == "post" else kind}


def submit(venue: Any, side: Side, size: Decimal, options: dict[str, Any]) -> None:
    name = f"n{len(venue.orders)}"
    with allowed(-1013, -2010, -2019, -2022, -4164, -5022):
        venue.submit(NewOrder(symbol=SYMBOL, side=side, client_order_id=name, quantity=size, **options))


def amend(venue: Any, order: Order, price: Decimal, size: Decimal) -> None:
    with allowed(-2019, -2022, -4164, -5027):
        venue.modify(SYMBOL, order.order_id, None, side=order.asked.side, quantity=size, price=price)


@contextmanager
def allowed(*codes: int) -> Iterator[None]:
    """Let the exchange refuse with these codes."""
    try:
        yield
    except ApiError as error:
        if error.code not in codes:
            raise


def filled(venue: Any, since: int, side: Side) -> Decimal:
    return sum((fill.quantity for fill in venue.fills[since:] if fill.side is side), D(0))


def check_orders(venue: Any) -> None:
    """Check that our own orders never cross each other, and that no order does more than was asked of it."""
    bids = [order.asked.price for order in venue.open_orders() if order.asked.side is Side.BUY]
    asks = [order.asked.price for order in venue.open_orders() if order.asked.side is Side.SELL]
    assert not bids or not asks or max(bids) < min(asks)
    for order in venue.orders.values():
        assert order.is_open == (order in list(venue.resting[SYMBOL]))
        assert order.executed == sum((fill.quantity for fill in order.fills), D(0)) <= order.asked.quantity
        worst = [(fill.price - order.asked.price) * order.asked.side.sign for fill in order.fills if order.asked.price]
        assert not worst or max(worst) <= 0 or venue.product == Product.FUTURES  # an amendment may move the limit


@settings(max_examples=120, deadline=None)
@given(st.lists(ACTIONS, min_size=15, max_size=40))
def test_spot_money_is_conserved(actions: list[tuple[Any, ...]]) -> None:
    start = {"USDT": D(500), "ABC": D(50)}
    venue = SpotVenue([rules(Product.SPOT)], Clock(), start)
    venue.on_quote(SYMBOL, D("10.00"), D("10.02"), D(5), D(5))
    for action in actions:
        act(venue, action)
        check_orders(venue)
        locked: dict[str, Decimal] = defaultdict(lambda: D(0))
        for order in venue.open_orders():
            asset = "USDT" if order.asked.side is Side.BUY else "ABC"
            locked[asset] += order.leaves * (order.asked.price if asset == "USDT" else 1)
        signed = [(fill.side.sign, fill) for fill in venue.fills]
        moved = {
            "ABC": sum((sign * fill.quantity for sign, fill in signed), D(0)),
            "USDT": -sum((sign * fill.price * fill.quantity for sign, fill in signed), D(0)),
        }
        for asset, amount in start.items():
            balance = venue.account.balance(asset)
            assert balance.locked == locked[asset]
            assert balance.free >= 0
            assert balance.total == amount + moved[asset] - venue.account.fees_paid.get(asset, D(0))


@settings(max_examples=120, deadline=None)
@given(st.lists(ACTIONS, min_size=15, max_size=40), st.integers(-30, 30))
def test_futures_money_is_conserved(actions: list[tuple[Any, ...]], funding: int) -> None:
    venue = FuturesVenue([rules(Product.FUTURES)], Clock(), {"USDT": D(100)})
    venue.on_quote(SYMBOL, D("10.00"), D("10.02"), D(5), D(5))
    for action in actions:
        act(venue, action)
        check_orders(venue)
        venue.settle_funding(SYMBOL, D(funding) / 10_000)
        position, account = venue.account.position(SYMBOL), venue.account
        realised = sum((fill.realised for fill in venue.fills), D(0))
        assert position.amount == sum((fill.side.sign * fill.quantity for fill in venue.fills), D(0))
        assert position.cost - realised == sum((fill.side.sign * fill.notional for fill in venue.fills), D(0))
        assert account.wallet["USDT"] == 100 + realised - account.fees_paid["USDT"] + account.funding_received["USDT"]
        income = sum((item.amount for item in venue.income), D(0))
        assert account.wallet["USDT"] == 100 + income
        assert position.amount or not position.cost
        assert all(
            order.asked.side.sign * position.amount < 0 for order in venue.open_orders() if is_reducing(order.asked)
        )

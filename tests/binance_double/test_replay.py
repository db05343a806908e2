"""A catalog's market, played to the exchange."""

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from binance_double.orders import Side
from tests.binance_double.conftest import PERPETUAL, SPOT


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Return a catalog with ten seconds of quotes and trades, and a funding rate at the end."""
    from nautilus_trader.model.data import FundingRateUpdate, QuoteTick, TradeTick
    from nautilus_trader.model.enums import AggressorSide
    from nautilus_trader.model.identifiers import TradeId
    from nautilus_trader.persistence.catalog import ParquetDataCatalog

    from data_catalog.instruments import find_instrument

    instrument = find_instrument(PERPETUAL)
    price, size = instrument.make_price, instrument.make_qty
    start = 1_700_000_000_000_000_000
    quotes, trades = [], []
    for n in range(10):
        ts = start + n * 1_000_000_000
        quotes.append(
            QuoteTick(instrument.id, price(50_000 + n), price(50_001 + n), size(1 + n), size(2), ts, ts),
        )
        side = AggressorSide.SELLER if n % 2 else AggressorSide.BUYER
        trades.append(TradeTick(instrument.id, price(50_000 + n), size(0.5), side, TradeId(str(n)), ts + 1, ts + 1))
    funding = [FundingRateUpdate(instrument.id, Decimal("0.0001"), start + 10**10, start + 10**10)]
    stored = ParquetDataCatalog(tmp_path)
    for data in ([instrument], quotes, trades, funding):
        stored.write_data(data)
    return tmp_path


def test_a_step_plays_events_in_their_order(double: Any, catalog: Path) -> None:
    from binance_double.replay import Replay

    replay = Replay(double, catalog, [PERPETUAL])
    book = double.futures.venue.books["BTCUSDT"]
    assert replay.step() == 1
    assert (book.levels(Side.BUY), book.levels(Side.SELL)) == ([(Decimal(50_000), 1)], [(Decimal(50_001), 2)])
    assert replay.step(100) == 20, "nineteen ticks are left, and the funding rate"
    assert book.last_price == Decimal(50_009)
    assert double.futures.venue.funding_rates["BTCUSDT"] == Decimal("0.0001")
    assert replay.step() == 0


@pytest.mark.parametrize(("after_s", "count"), [(0, 0), (5, 5), (3_600, 10)])
def test_what_is_remembered_is_what_the_catalog_has_from_before(
    double: Any, catalog: Path, after_s: int, count: int
) -> None:
    from binance_double.history import remember

    until_ns = 1_700_000_000_000_000_000 + after_s * 1_000_000_000
    assert remember(double, catalog, PERPETUAL, (until_ns - 3_600_000_000_000, until_ns - 1), 0) == count


def test_resting_orders_meet_the_replayed_market(double: Any, catalog: Path) -> None:
    from binance_double.replay import Replay
    from binance_double.rules import Product
    from tests.binance_double.raw_client import RawClient

    replay, client = Replay(double, catalog, [PERPETUAL]), RawClient(double, Product.FUTURES)
    replay.step()
    client.order("SELL", "50004.0", "0.6", "a")
    replay.step(7)
    order = double.open_orders()[0]
    assert order.executed == 0
    replay.step()
    assert order.status == "FILLED", "the bid has come to 50004"


def test_the_market_is_played_at_the_wanted_speed(double: Any, catalog: Path) -> None:
    from binance_double.replay import Replay

    replay = Replay(double, catalog, [PERPETUAL], speed=50.0)
    begun = time.monotonic()
    replay.start()
    replay.wait(10)
    assert time.monotonic() - begun >= 10 / 50
    assert replay.progress.events == 21


def test_a_replay_can_be_stopped_and_continued(double: Any, catalog: Path) -> None:
    from binance_double.replay import Replay

    replay = Replay(double, catalog, [PERPETUAL], speed=1.0)
    replay.start()
    replay.stop()
    assert not replay.finished
    fast = Replay(double, catalog, [PERPETUAL], speed=None)
    fast.start()
    fast.wait(10)
    assert fast.finished


def test_a_market_is_played_in_depth(double: Any, tmp_path: Path) -> None:
    from nautilus_trader.model.data import BookOrder, OrderBookDelta
    from nautilus_trader.model.enums import BookAction, OrderSide, RecordFlag
    from nautilus_trader.persistence.catalog import ParquetDataCatalog

    from binance_double.replay import Replay
    from data_catalog.instruments import find_instrument

    instrument = find_instrument(PERPETUAL)

    def change(n: int, action: BookAction, side: OrderSide, price: int, size: int, last: bool) -> OrderBookDelta:
        order = BookOrder(side, instrument.make_price(price), instrument.make_qty(size), 0)
        flags = RecordFlag.F_LAST if last else 0
        return OrderBookDelta(instrument.id, action, order, flags, n, n, n)

    deltas = [
        OrderBookDelta.clear(instrument.id, 1, 1, 1),
        change(1, BookAction.ADD, OrderSide.BUY, 50_000, 3, False),
        change(1, BookAction.ADD, OrderSide.BUY, 49_999, 2, False),
        change(1, BookAction.ADD, OrderSide.SELL, 50_001, 1, True),
        change(2, BookAction.DELETE, OrderSide.BUY, 50_000, 0, True),
    ]
    stored = ParquetDataCatalog(tmp_path)
    stored.write_data([instrument])
    stored.write_data(deltas)
    replay = Replay(double, tmp_path, [PERPETUAL], data_types=["deltas"])
    book = double.futures.venue.books["BTCUSDT"]
    replay.step()
    assert book.levels(Side.BUY) == [(Decimal(50_000), 3), (Decimal(49_999), 2)]
    replay.step()
    assert (book.best(Side.BUY), book.best(Side.SELL)) == (Decimal(49_999), Decimal(50_001))


def test_what_the_catalog_does_not_have_is_said(double: Any, catalog: Path) -> None:
    from bad_input import BadInput
    from binance_double.replay import Replay

    with pytest.raises(BadInput, match=r"has no quotes, trades or funding_rates of NEXOUSDT\.BINANCE"):
        Replay(double, catalog, [SPOT])


def test_what_ends_a_replay_is_raised_to_who_waits(double: Any, catalog: Path, monkeypatch: Any) -> None:
    from binance_double.replay import Replay

    def fails(*_: Any) -> None:
        raise ArithmeticError("not a trade")

    replay = Replay(double, catalog, [PERPETUAL], speed=None)
    monkeypatch.setattr(double.futures.venue, "on_trade", fails)
    replay.start()
    with pytest.raises(ArithmeticError, match="not a trade"):
        replay.wait(10)
    slow = Replay(double, catalog, [PERPETUAL], speed=0.001)
    with pytest.raises(TimeoutError):
        slow.wait(0.01)


def test_what_the_exchange_does_not_list_is_said(double: Any, catalog: Path) -> None:
    from binance_double.replay import Replay

    del double.futures.venue.rules["BTCUSDT"]
    with pytest.raises(LookupError, match="does not list BTCUSDT-PERP"):
        Replay(double, catalog, [PERPETUAL])

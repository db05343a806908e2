"""
What the engine does with resting orders, quotes and trades, and what the project makes of it.

The `stock` tests keep the engine's own behaviour that the corrections rely on: an upgrade that changes it shows here.
"""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType, OrderSide
from nautilus_trader.model.identifiers import TradeId, Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.trading.strategy import Strategy

from data_catalog.instruments import currency, find_instrument
from runtime.fills import FILL_ASSUMPTIONS
from runtime.setup import Latency

INSTRUMENT = find_instrument("SYNUSDT-PERP.BINANCE")
START = 1_700_000_000_000_000_000
STOCK = {"latency_model": LatencyModel(1), "trade_execution": True}


def quote(at_s: float, bid: str, ask: str, size: str = "100") -> QuoteTick:
    ts = START + round(at_s * 1e9)
    make_price, quantity = INSTRUMENT.make_price, INSTRUMENT.make_qty(Decimal(size))
    return QuoteTick(INSTRUMENT.id, make_price(Decimal(bid)), make_price(Decimal(ask)), quantity, quantity, ts, ts)


def trade(at_s: float, price: str, size: str, aggressor: AggressorSide) -> TradeTick:
    ts = START + round(at_s * 1e9)
    price_, size_ = INSTRUMENT.make_price(Decimal(price)), INSTRUMENT.make_qty(Decimal(size))
    return TradeTick(INSTRUMENT.id, price_, size_, aggressor, TradeId(str(ts)), ts, ts)


SELLER, BUYER = AggressorSide.SELLER, AggressorSide.BUYER


class Scripted(Strategy):
    """Sends post-only orders at given times and writes down what becomes of them."""

    def __init__(self, script: list[tuple[float, OrderSide, str, str]]) -> None:
        super().__init__()
        self.script = script
        self.fills: list[tuple[float, str, str]] = []
        self.rejections = 0

    def on_start(self) -> None:
        for i, (at_s, side, price, size) in enumerate(self.script):
            when = START + round(at_s * 1e9)

            def send(event: Any, side: OrderSide = side, price: str = price, size: str = size) -> None:
                quantity, limit = INSTRUMENT.make_qty(Decimal(size)), INSTRUMENT.make_price(Decimal(price))
                self.submit_order(self.order_factory.limit(INSTRUMENT.id, side, quantity, limit, post_only=True))

            self.clock.set_time_alert_ns(f"send-{i}", when, send)

    def on_order_filled(self, event: Any) -> None:
        self.fills.append(((event.ts_event - START) / 1e9, str(event.last_qty.as_decimal()), str(event.last_px)))

    def on_order_rejected(self, event: Any) -> None:
        self.rejections += 1


def run(ticks: list[Any], script: list[tuple[float, OrderSide, str, str]], options: dict[str, Any]) -> Scripted:
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    engine.add_venue(
        Venue("BINANCE"), OmsType.NETTING, AccountType.MARGIN, [Money(100_000, currency("USDT"))], **options
    )
    engine.add_instrument(INSTRUMENT)
    strategy = Scripted(script)
    engine.add_strategy(strategy)
    engine.add_data_iterator("ticks", iter([ticks]))
    engine.run(start=START, end=ticks[-1].ts_init)
    engine.dispose()
    return strategy


def under(name: str, ms: int = 50) -> dict[str, Any]:
    return FILL_ASSUMPTIONS[name].venue_options(Latency(insert_ms=ms, modify_ms=ms, cancel_ms=ms), seed=1)  # type: ignore[index]


AFTER_A_TRADE = [quote(0, "99.90", "100.10"), trade(1, "99.90", "1", SELLER), trade(2, "99.90", "1", SELLER)]


def test_stock_fills_an_order_that_came_after_the_trade_because_the_trade_set_both_sides() -> None:
    ticks = [*AFTER_A_TRADE, quote(3, "99.90", "100.10")]

    strategy = run(ticks, [(1.5, OrderSide.BUY, "99.95", "9")], STOCK)

    assert strategy.fills[0] == (2.0, "1", "99.95")
    assert sum(Decimal(quantity) for _, quantity, _ in strategy.fills) == 9


@pytest.mark.parametrize("name", FILL_ASSUMPTIONS)
def test_an_order_inside_the_spread_rests_after_a_trade(name: str) -> None:
    ticks = [
        quote(0, "99.90", "100.10"),
        trade(1, "99.90", "1", SELLER),
        *[quote(at, "99.90", "100.10") for at in (3, 4)],
    ]

    strategy = run(ticks, [(1.5, OrderSide.BUY, "99.95", "9"), (1.5, OrderSide.SELL, "99.95", "9")], under(name))

    assert strategy.rejections == 0
    assert strategy.fills == []


def test_an_order_that_has_arrived_meets_the_next_trade() -> None:
    ticks = [quote(0, "99.90", "100.10"), trade(2, "99.90", "1", SELLER), quote(3, "99.90", "100.10")]

    on_time = run(ticks, [(1.0, OrderSide.BUY, "99.95", "2")], under("queue_latency", ms=900))
    too_late = run(ticks, [(1.0, OrderSide.BUY, "99.95", "2")], under("queue_latency", ms=1100))

    assert on_time.fills == [(2.0, "1", "99.95")]
    assert too_late.fills == []


def test_two_trades_of_one_size_fill_twice() -> None:
    ticks = [
        quote(0, "99.90", "100.10"),
        *[trade(at, "99.90", "0.5", SELLER) for at in (2, 3)],
        quote(4, "99.9", "100.1"),
    ]

    strategy = run(ticks, [(1, OrderSide.BUY, "99.95", "2")], under("queue"))

    assert [quantity for _, quantity, _ in strategy.fills] == ["0.5", "0.5"]


@pytest.mark.parametrize(("name", "filled"), [("optimistic", "2"), ("queue", "0.5"), ("pessimistic", "0.5")])
def test_a_small_trade_through_the_price_fills_no_more_than_its_size(name: str, filled: str) -> None:
    ticks = [quote(0, "99.90", "100.10"), trade(2, "99.90", "0.5", SELLER), quote(3, "99.90", "100.10")]

    strategy = run(ticks, [(1, OrderSide.BUY, "99.95", "2")], under(name))

    assert sum(Decimal(quantity) for _, quantity, _ in strategy.fills) == Decimal(filled)


@pytest.mark.parametrize("name", ["queue", "queue_latency", "pessimistic"])
def test_a_trade_on_the_other_side_fills_nothing(name: str) -> None:
    ticks = [quote(0, "99.90", "100.10"), trade(2, "100.00", "5", SELLER), quote(3, "99.90", "100.10")]

    strategy = run(ticks, [(1, OrderSide.SELL, "100.00", "2")], under(name))

    assert strategy.fills == []


def test_what_stood_at_the_price_first_trades_first() -> None:
    ticks = [
        quote(0, "99.90", "100.10", size="10"),
        trade(2, "99.90", "8", SELLER),
        trade(3, "99.90", "3", SELLER),
        trade(4, "99.90", "4", SELLER),
        quote(5, "99.90", "100.10"),
    ]

    queued = run(ticks, [(1, OrderSide.BUY, "99.90", "2")], under("queue"))
    first = run(ticks, [(1, OrderSide.BUY, "99.90", "2")], under("optimistic"))
    never = run(ticks, [(1, OrderSide.BUY, "99.90", "2")], under("pessimistic"))

    assert queued.fills == [(3.0, "1", "99.90"), (4.0, "1", "99.90")]
    assert first.fills[0][0] == 2.0
    assert never.fills == []


def test_a_quote_that_crosses_fills_no_more_than_it_shows() -> None:
    ticks = [
        quote(0, "99.90", "100.10"),
        quote(2, "99.80", "99.85", size="1.5"),
        quote(3, "99.80", "99.85", size="1.5"),
        quote(4, "99.90", "100.10"),
    ]

    strategy = run(ticks, [(1, OrderSide.BUY, "99.95", "2")], under("queue"))

    assert strategy.fills == [(2.0, "1.5", "99.95"), (3.0, "0.5", "99.95")]


@pytest.mark.parametrize(("name", "fills"), [("queue_latency", 1), ("pessimistic", 0)])
def test_a_quote_at_the_price_is_not_yet_beyond_it(name: str, fills: int) -> None:
    ticks = [quote(0, "99.90", "100.10"), quote(2, "99.80", "99.95"), quote(3, "99.96", "100.10")]

    strategy = run(ticks, [(1, OrderSide.BUY, "99.95", "2")], under(name))

    assert len(strategy.fills) == fills


def test_without_latency_the_trade_that_fills_an_order_does_not_fill_its_replacement() -> None:
    class Refilling(Scripted):
        def on_order_filled(self, event: Any) -> None:
            super().on_order_filled(event)
            self.submit_order(
                self.order_factory.limit(INSTRUMENT.id, OrderSide.BUY, event.last_qty, event.last_px, post_only=True)
            )

    ticks = [quote(0, "99.90", "100.10"), trade(2, "99.80", "50", SELLER), quote(3, "99.90", "100.10")]
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    engine.add_venue(
        Venue("BINANCE"), OmsType.NETTING, AccountType.MARGIN, [Money(100_000, currency("USDT"))], **under("optimistic")
    )
    engine.add_instrument(INSTRUMENT)
    strategy = Refilling([(1, OrderSide.BUY, "99.95", "2")])
    engine.add_strategy(strategy)
    engine.add_data_iterator("ticks", iter([ticks]))
    engine.run(start=START, end=ticks[-1].ts_init)
    engine.dispose()

    assert strategy.fills == [(2.0, "2", "99.95")]

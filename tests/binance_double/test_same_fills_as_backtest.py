"""Resting orders fill at the local exchange as they do in a backtest that assumes a queue: two codes, one answer."""

import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from binance_double.clock import Clock
from binance_double.orders import NewOrder, Side
from binance_double.rules import rules_of
from binance_double.spot_venue import SpotVenue

type Fill = tuple[int, str, Decimal]
"""Time in ns, client order id, quantity."""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_orders_get_the_same_fills(replay: Any, market_of: Any, spot: Any, seed: int) -> None:
    market = market_of(spot)
    market.random(seed, seconds=240, mid=1.2, tick=0.001)
    market.ticks.sort(key=lambda tick: tick.ts_init)
    strategy = random_quotes(spot, seed)
    finished = replay(market, [strategy], fills="queue", balances=("100000 USDT", "100000 NEXO"))
    fills = [
        (event.ts_event, event.client_order_id.value, event.last_qty.as_decimal())
        for order in finished.orders()
        for event in order.events
        if type(event).__name__ == "OrderFilled"
    ]
    assert len(fills) > 50
    assert sorted(at_the_exchange(spot, market, strategy.commands)) == sorted(fills)


def random_quotes(instrument: Any, seed: int) -> Any:
    """Return a strategy that places and cancels post-only orders around the touch, and writes down when."""
    from nautilus_trader.config import StrategyConfig
    from nautilus_trader.model.enums import OrderSide
    from nautilus_trader.trading.strategy import Strategy

    tick = instrument.price_increment.as_decimal()

    class RandomQuotes(Strategy):
        def __init__(self) -> None:
            super().__init__(StrategyConfig(order_id_tag="R"))
            self.random = random.Random(seed)
            self.commands: list[tuple[int, Any]] = []
            self.seen = 0

        def on_start(self) -> None:
            self.subscribe_quote_ticks(instrument.id)

        def on_quote_tick(self, quote: Any) -> None:
            self.seen += 1
            if self.seen % 6:
                return
            for order in self.cache.orders_open(strategy_id=self.id):
                if self.random.random() < 0.3:
                    self.commands.append((quote.ts_init, order.client_order_id.value))
                    self.cancel_order(order)
            side = self.random.choice([OrderSide.BUY, OrderSide.SELL])
            away = self.random.randrange(-1, 4) * tick
            buys = side == OrderSide.BUY
            price = quote.bid_price.as_decimal() - away if buys else quote.ask_price.as_decimal() + away
            if not self.crosses(buys, price, quote):
                order = self.order_factory.limit(
                    instrument.id, side, instrument.make_qty(20), instrument.make_price(price), post_only=True
                )
                self.commands.append((quote.ts_init, asked(order)))
                self.submit_order(order)

        def crosses(self, buys: bool, price: Decimal, quote: Any) -> bool:
            """Say whether the order would trade with the market, or with one of our own, which an engine lets pass."""
            others = [order.price.as_decimal() for order in self.cache.orders_open() if order.is_buy != buys]
            others.append((quote.ask_price if buys else quote.bid_price).as_decimal())
            return price >= min(others) if buys else price <= max(others)

    return RandomQuotes()


def asked(order: Any) -> NewOrder:
    return NewOrder(
        symbol=order.instrument_id.symbol.value,
        side=Side.BUY if order.is_buy else Side.SELL,
        type="LIMIT_MAKER",
        client_order_id=order.client_order_id.value,
        quantity=order.quantity.as_decimal(),
        price=order.price.as_decimal(),
    )


def at_the_exchange(instrument: Any, market: Any, commands: list[tuple[int, Any]]) -> list[Fill]:
    """Return the fills when the exchange sees the same market and is told the same after each quote."""
    venue = SpotVenue([rules_of(instrument)], Clock(lambda: 0), {"USDT": Decimal(100_000), "NEXO": Decimal(100_000)})
    due: dict[int, list[Any]] = defaultdict(list)
    for time_ns, command in commands:
        due[time_ns].append(command)
    times: list[int] = []
    for tick in market.ticks:
        see(venue, tick)
        times += [tick.ts_init] * (len(venue.fills) - len(times))
        for command in due.pop(tick.ts_init, []):
            if isinstance(command, NewOrder):
                venue.submit(command)
            else:
                venue.cancel("NEXOUSDT", None, command)
    names = [venue.orders[fill.order_id].asked.client_order_id for fill in venue.fills]
    return [(time, name, fill.quantity) for time, name, fill in zip(times, names, venue.fills, strict=True)]


def see(venue: SpotVenue, tick: Any) -> None:
    if hasattr(tick, "bid_price"):
        prices = (tick.bid_price, tick.ask_price, tick.bid_size, tick.ask_size)
        venue.on_quote("NEXOUSDT", *(value.as_decimal() for value in prices))
    else:
        aggressor = Side.BUY if tick.aggressor_side.name == "BUYER" else Side.SELL
        venue.on_trade("NEXOUSDT", tick.price.as_decimal(), tick.size.as_decimal(), aggressor)

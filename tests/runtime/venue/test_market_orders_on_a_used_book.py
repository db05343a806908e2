"""A market order that finds the quoted size used up by another order is not lost: it fills once there is something."""

from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy


class SeveralAtOnce(Strategy):
    """Sends market orders of the quoted size, all in one moment."""

    def __init__(self, instrument: Any, count: int) -> None:
        super().__init__(StrategyConfig())
        self.instrument = instrument
        self.count = count

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.instrument.id)

    def on_quote_tick(self, tick: Any) -> None:
        while self.count:
            self.count -= 1
            order = self.order_factory.market(self.instrument.id, OrderSide.BUY, tick.ask_size)
            self.submit_order(order)


@pytest.mark.parametrize("fills", ["optimistic", "queue", "queue_latency", "pessimistic"])
def test_every_market_order_is_answered(fills: str, market_of: Any, replay: Any, perpetual: Any) -> None:
    market = market_of(perpetual)
    for second, size in enumerate((5, 5, 6, 7, 8, 9)):
        market.quote(second, 99.99, 100.01, size, size)

    run = replay(market, [SeveralAtOnce(perpetual, 3)], fills=fills)

    assert [order.status for order in run.orders()] == [OrderStatus.FILLED] * 3
    assert sum(fill.quantity for fill in run.ledger.fills) == 15

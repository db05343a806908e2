"""The engine fills a resting order at the very trade that reaches it: so an order sees the flow that the docs state."""

from decimal import Decimal

import numpy as np
import pytest
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.enums import AccountType, BookType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.persistence.catalog import ParquetDataCatalog
from nautilus_trader.trading.strategy import Strategy

from data_catalog.synth import SyntheticMarket, write_synthetic_market

SYN = InstrumentId.from_str("SYNUSDT-PERP.BINANCE")
EPISODE_NS = 20 * 10**9


class RestingOrders(Strategy):
    """Rests one buy and one sale per episode, ever further from the touch, and notes when they fill."""

    def __init__(self) -> None:
        super().__init__()
        self.episode = -1
        self.placed: list[tuple[bool, int, int]] = []
        self.filled: dict[int, int] = {}
        self.working: dict[str, int] = {}

    def on_start(self) -> None:
        self.subscribe_quote_ticks(SYN)

    def on_quote_tick(self, tick) -> None:
        episode = tick.ts_init // EPISODE_NS
        if episode == self.episode:
            return
        self.episode = episode
        self.cancel_all_orders(SYN)
        behind = Decimal(len(self.placed) // 2 % 6) / 100
        for side, price in (
            (OrderSide.BUY, tick.bid_price.as_decimal() - behind),
            (OrderSide.SELL, tick.ask_price.as_decimal() + behind),
        ):
            instrument = self.cache.instrument(SYN)
            order = self.order_factory.limit(
                SYN, side, instrument.make_qty(0.001), instrument.make_price(price), post_only=True
            )
            self.working[order.client_order_id.value] = len(self.placed)
            self.placed.append((side == OrderSide.BUY, round(price * 100), tick.ts_init))
            self.submit_order(order)

    def on_order_filled(self, event) -> None:
        self.filled[self.working[event.client_order_id.value]] = event.ts_event


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    catalog = tmp_path_factory.mktemp("fills")
    write_synthetic_market(catalog, SyntheticMarket(hours=0.5, informed_pct=60.0, spread_ticks=3))
    stored = ParquetDataCatalog(str(catalog))
    return stored.instruments()[0], stored.quote_ticks([str(SYN)]), stored.trade_ticks([str(SYN)])


def replay(instrument, quotes, trades) -> RestingOrders:
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        Venue("BINANCE"),
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(1_000_000, USDT)],
        book_type=BookType.L1_MBP,
        trade_execution=True,
    )
    engine.add_instrument(instrument)
    engine.add_data([*quotes, *trades])
    strategy = RestingOrders()
    engine.add_strategy(strategy)
    engine.run()
    engine.dispose()
    return strategy


def first_reached(buy, price, since, quotes, trades) -> int | None:
    """Return when the first trade or opposite touch at the price or beyond comes, within the episode."""
    episode_end = (since // EPISODE_NS + 1) * EPISODE_NS
    sign = 1 if buy else -1
    aggressor = 2 if buy else 1
    moments = [
        trade.ts_init
        for trade in trades
        if trade.aggressor_side.value == aggressor and sign * (price - round(float(trade.price) * 100)) >= 0
    ]
    moments += [
        quote.ts_init
        for quote in quotes
        if sign * (price - round(float(quote.ask_price if buy else quote.bid_price) * 100)) >= 0
    ]
    times = np.array(moments, dtype=np.int64)
    times = times[(times > since) & (times < episode_end)]
    return int(times.min()) if len(times) else None


def test_an_order_fills_at_the_trade_that_reaches_it(market):
    instrument, quotes, trades = market
    strategy = replay(instrument, quotes, trades)
    expected = {
        number: moment
        for number, order in enumerate(strategy.placed)
        if (moment := first_reached(*order, quotes, trades)) is not None
    }
    assert strategy.filled == expected
    assert 30 < len(expected) < len(strategy.placed)

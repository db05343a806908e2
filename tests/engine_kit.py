"""A small market and the real engine, for the tests of strategies and actors; the fixtures stand in conftest.py."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType
from nautilus_trader.model.identifiers import TradeId, Venue
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Money

from actors.ledger import Ledger, LedgerConfig
from data_catalog.instruments import currency
from runtime.setup.sections import Fees, Latency
from runtime.venue.fees import fee_model, is_spot
from runtime.venue.fills import FILL_ASSUMPTIONS

START_NS = 1_700_000_000_000_000_000


@dataclass
class Market:
    """Ticks of one instrument, written down one after the other; times in seconds from the start."""

    instrument: Instrument
    ticks: list[Any] = field(default_factory=list)

    def quote(self, at_s: float, bid: float, ask: float, bid_size: float = 100, ask_size: float = 100) -> None:
        """Add a quote."""
        make_price, make_qty = self.instrument.make_price, self.instrument.make_qty
        ts = START_NS + round(at_s * 1e9)
        prices = (make_price(bid), make_price(ask), make_qty(bid_size), make_qty(ask_size))
        self.ticks.append(QuoteTick(self.instrument.id, *prices, ts, ts))

    def trade(self, at_s: float, price: float, size: float, buyer: bool) -> None:
        """Add a trade; `buyer` says whether the buyer took liquidity."""
        aggressor = AggressorSide.BUYER if buyer else AggressorSide.SELLER
        ts = START_NS + round(at_s * 1e9)
        trade_id = TradeId(str(len(self.ticks)))
        make_price, make_qty = self.instrument.make_price, self.instrument.make_qty
        self.ticks.append(TradeTick(self.instrument.id, make_price(price), make_qty(size), aggressor, trade_id, ts, ts))

    def random(self, seed: int, seconds: int = 300, mid: float = 100.0, tick: float = 0.01) -> None:
        """Add a random walk of the touch, with trades at it and sometimes through it."""
        rng = np.random.default_rng(seed)
        for i in range(seconds * 4):
            mid += tick * rng.integers(-3, 4)
            half = tick * rng.integers(1, 4)
            self.quote(i / 4, mid - half, mid + half, rng.integers(1, 50), rng.integers(1, 50))
            if rng.random() < 0.4:
                buyer = bool(rng.random() < 0.5)
                reach = half + tick * rng.integers(0, 5)
                self.trade(i / 4 + 0.1, mid + reach if buyer else mid - reach, rng.integers(1, 30), buyer)


@dataclass
class Replay:
    """A finished run: the engine with its cache, and the ledger."""

    engine: BacktestEngine
    ledger: Ledger

    def orders(self) -> list[Any]:
        """Return all orders in the order of their creation."""
        return sorted(self.engine.cache.orders(), key=lambda order: (order.ts_init, order.client_order_id.value))


def replays() -> Iterator[Callable[..., Replay]]:
    """Yield a function that runs strategies over a market in the real engine; dispose of the engines afterwards."""
    engines: list[BacktestEngine] = []

    def run(
        market: Market | Sequence[Market],
        strategies: Sequence[Any],
        fills: str = "queue",
        balances: Sequence[str] = ("100000 USDT",),
        latency: Latency | None = None,
        fees: Fees | None = None,
        with_instrument: bool = True,
        grid_secs: int = 1,
        on_engine: Callable[[BacktestEngine], None] = lambda engine: None,
    ) -> Replay:
        markets = [market] if isinstance(market, Market) else market
        instruments = [one.instrument for one in markets]
        ticks = sorted((tick for one in markets for tick in one.ticks), key=lambda tick: tick.ts_init)
        cash = is_spot(instruments[0])
        engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
        engines.append(engine)
        FILL_ASSUMPTIONS[fills].add_venue(  # type: ignore[index]
            engine,
            latency or Latency(),
            1,
            venue=Venue("BINANCE"),
            oms_type=OmsType.NETTING,
            account_type=AccountType.CASH if cash else AccountType.MARGIN,
            starting_balances=[Money(Decimal(text.split()[0]), currency(text.split()[1])) for text in balances],
            base_currency=None if cash else currency("USDT"),
            fee_model=fee_model(fees or Fees(), cash),
            bar_execution=False,
        )
        ids = tuple(instrument.id for instrument in instruments)
        ledger = Ledger(LedgerConfig(instrument_ids=ids, currency="USDT", interval_secs=grid_secs))
        if with_instrument:
            for instrument in instruments:
                engine.add_instrument(instrument)
            engine.add_actor(ledger)
            engine.add_data_iterator("market", iter([ticks]))
        for strategy in strategies:
            engine.add_strategy(strategy)
        on_engine(engine)
        engine.run(start=ticks[0].ts_init, end=ticks[-1].ts_init)
        return Replay(engine, ledger)

    yield run
    for engine in engines:
        engine.dispose()

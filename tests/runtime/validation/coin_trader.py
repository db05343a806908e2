"""A strategy that tosses a coin every minute, and a market in which one of the coins knows something."""

from pathlib import Path

import numpy as np
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy
from numpy.typing import NDArray

from data_catalog.columns import Quotes
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter

START_NS = 1_767_225_600_000_000_000
SPREAD_TICKS, STEP_TICKS = 1, 40.0
SETUP = """\
name: coin
instruments: [SYNUSDT-PERP.BINANCE]
strategies:
  - path: tests.runtime.validation.coin_trader:CoinTrader
    config:
      instrument_id: SYNUSDT-PERP.BINANCE
      coin: 1   # which of them
ledger: {interval_secs: 60}
backtest:
  catalog: CATALOG
  data: [quotes]
  fills: optimistic
  fees: {maker_bps: 0, taker_bps: 0}
  starting_balances: [10_000 USDT]
"""


def tosses(coin: int, count: int) -> NDArray[np.int64]:
    """Return the tosses of a coin, -1 or 1."""
    return np.random.default_rng(coin).choice([-1, 1], count)


class CoinTraderConfig(StrategyConfig, frozen=True, kw_only=True):
    """Which coin is tossed."""

    instrument_id: InstrumentId
    coin: int


class CoinTrader(Strategy):
    """Is long or short one unit for a minute, as the coin says."""

    def __init__(self, config: CoinTraderConfig) -> None:
        super().__init__(config)
        self._tosses = tosses(config.coin, 10_000)
        self._seen = 0
        self._held = 0

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.config.instrument_id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        wanted = int(self._tosses[self._seen])
        self._seen += 1
        change = wanted - self._held
        if not change:
            return
        self._held = wanted
        instrument = self.cache.instrument(self.config.instrument_id)
        side = OrderSide.BUY if change > 0 else OrderSide.SELL
        self.submit_order(self.order_factory.market(instrument.id, side, instrument.make_qty(abs(change))))


def write_market(
    folder: Path, minutes: int, *, edge: float = 0.0, coin: int = 0, seed: int = 1, changed_from: int | None = None
) -> Path:
    """
    Write a random walk by the minute, on which the tosses of one coin are right by `edge` standard deviations.

    From the minute `changed_from` on it goes another way.
    """
    random = np.random.default_rng(seed)
    steps = random.standard_normal(minutes - 1) + edge * tosses(coin, minutes)[:-1]
    if changed_from is not None:
        steps[changed_from - 1 :] *= -3
    bid = 10_000 + np.concatenate([[0], np.cumsum(steps) * STEP_TICKS]).round().astype(np.int64)
    ts = START_NS + np.arange(minutes, dtype=np.int64) * 60_000_000_000
    sizes = np.full(minutes, 1_000_000, dtype=np.int64)
    with CatalogWriter(folder) as writer:
        writer.quotes(
            find_instrument("SYNUSDT-PERP.BINANCE"),
            Quotes(bid, bid + SPREAD_TICKS, sizes, sizes, ts, ts),
            Origin("recorded"),
        )
    return folder

"""Strategies that look ahead, each by another door, and one that does not: what `--check-lookahead` must tell apart."""

import csv
from bisect import bisect_left
from pathlib import Path

from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Quantity
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

AHEAD_NS = 5 * 10**9


class PeekingConfig(StrategyConfig, frozen=True, kw_only=True):
    """
    What is traded and where the strategy looks.

    Parameters
    ----------
    instrument_id : InstrumentId
        What it trades.
    source : str
        A folder of a catalog, or a CSV file of times and mids.

    """

    instrument_id: InstrumentId
    source: str = ""


class MovesWithThePrice(Strategy):
    """Buys or sells one lot when the mid has moved since the quote before; honest."""

    def __init__(self, config: PeekingConfig) -> None:
        super().__init__(config)
        self._last = 0

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.config.instrument_id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        now = tick.bid_price.raw + tick.ask_price.raw
        move = self.foreseen(tick.ts_event, now)
        if move and self.clock.timestamp_ns() % 7 == 0:
            self._trade(OrderSide.BUY if move > 0 else OrderSide.SELL)
        self._last = now

    def foreseen(self, ts_ns: int, now: int) -> int:
        return now - self._last if self._last else 0

    def _trade(self, side: OrderSide) -> None:
        order = self.order_factory.market(self.config.instrument_id, side, Quantity.from_str("0.100"))
        self.submit_order(order)


class KnowsTheNextMids(MovesWithThePrice):
    """Trades by the mid of five seconds later; where it finds that out is up to a subclass."""

    times: list[int]
    mids: list[int]

    def foreseen(self, ts_ns: int, now: int) -> int:
        here, later = (bisect_left(self.times, at) for at in (ts_ns, ts_ns + AHEAD_NS))
        if later >= len(self.times):
            return 0
        return self.mids[later] - self.mids[here]


class ReadsTheCatalog(KnowsTheNextMids):
    """Looks into the catalog that it is replayed from."""

    def on_start(self) -> None:
        from data_catalog.store.column_reader import read_columns

        self.times, self.mids = [], []
        files = sorted(Path(self.config.source).glob(f"data/quote_tick/{self.config.instrument_id}/*.parquet"))
        for file in files:
            for columns in read_columns(file, "quotes"):
                self.times += columns.ts_event.tolist()
                self.mids += (columns.bid_price + columns.ask_price).tolist()
        super().on_start()


class ReadsAColumn(KnowsTheNextMids):
    """Looks into a table that was computed from all of the data before."""

    def on_start(self) -> None:
        with Path(self.config.source).open(newline="") as file:
            rows = [(int(ts_ns), int(mid)) for ts_ns, mid in csv.reader(file)]
        self.times, self.mids = [row[0] for row in rows], [row[1] for row in rows]
        super().on_start()

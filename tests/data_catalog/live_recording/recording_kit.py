"""A recorder and a local exchange in one test: what was played is known, and what the catalog holds is read."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from binance_double.orders import Side
from binance_double.rules import Product
from data_catalog.checks.catalog import check_instrument
from data_catalog.live_recording.feed import Timing
from data_catalog.live_recording.imports import import_pending
from data_catalog.live_recording.recorder import Recorder, Recording
from data_catalog.live_recording.routes import Addresses
from data_catalog.store.column_reader import read_columns
from data_catalog.store.contents import Entry, contents
from data_catalog.store.data_types import DATA_TYPES, DataTypeName, data_folder, files_in

SPOT, PERPETUAL = "NEXOUSDT.BINANCE", "BTCUSDT-PERP.BINANCE"
HOUR_NS = 3600 * 10**9
QUICK = Timing(overlap_secs=0.3, first_delay_secs=0.01, longest_delay_secs=0.05, flush_secs=0.01, attempts=2)


class MovableClock:
    """The machine's clock, moved by a test."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def __call__(self) -> int:
        return time.time_ns() + self.ahead_ns


async def until(condition: Callable[[], Any], secs: float = 20.0) -> None:
    """Return as soon as something is so."""
    async with asyncio.timeout(secs):
        while not condition():
            await asyncio.sleep(0.005)


def local(double: Any) -> Addresses:
    return Addresses.local(double.addresses(Product.SPOT).http)


@asynccontextmanager
async def recording(
    double: Any, catalog: Path, *ids: str, timing: Timing = QUICK, clock: Callable[[], int] = time.time_ns, **more: Any
) -> AsyncIterator[Recorder]:
    """Record while the block runs; then stop and import."""
    what = Recording(catalog, ids, addresses=local(double), timing=timing, now_ns=clock, **more)
    stop = asyncio.Event()
    with ThreadPoolExecutor(1) as executor:
        recorder = Recorder(what, executor, lambda line: None)
        task = asyncio.create_task(recorder.run(stop))
        try:
            await until(lambda: recorder.feeds and all(feed.connected for feed in recorder.feeds))
            yield recorder
        finally:
            stop.set()
            await task
    for id_ in ids:
        recorder.add_import(id_, import_pending(catalog, id_))


class Played:
    """Quotes and trades that the exchange played, as counts of price and size units."""

    def __init__(self, double: Any, instrument_id: str) -> None:
        self._double, self._id = double, instrument_id
        self._base, self._digits = (1200, 3) if instrument_id == SPOT else (600_000, 1)
        self._size_digits = 2 if instrument_id == SPOT else 3
        self.quotes: list[tuple[int, int, int, int]] = []
        self.trades: list[tuple[int, int, int]] = []

    def go_on(self, rows: int) -> None:
        """Let as many quotes and trades happen at once, each unlike the one before."""
        self._double.call(self._go_on, rows)

    def miss(self, rows: int) -> None:
        """Let trades happen of which the recording cannot know."""
        self._double.call(self._go_on, rows)
        del self.quotes[-rows:], self.trades[-rows:]

    def _go_on(self, rows: int) -> None:
        venue, symbol = self._double.venue(self._id), self._id.partition(".")[0].removesuffix("-PERP")
        for _ in range(rows):
            number = venue._next_trade_id
            bid, bid_size, ask_size = self._base + number % 9, number % 50 + 1, number % 7 + 1
            price = [self._price(count) for count in (bid, bid + 2)]
            venue.on_quote(symbol, *price, self._size(bid_size), self._size(ask_size))
            self.quotes.append((bid, bid + 2, bid_size, ask_size))
            buys = number % 2 == 0
            traded = bid + 2 if buys else bid
            venue.on_trade(symbol, self._price(traded), self._size(1), Side.BUY if buys else Side.SELL)
            self.trades.append((number, traded, 1 if buys else 2))

    def _price(self, count: int) -> Any:
        return Decimal(count).scaleb(-self._digits)

    def _size(self, count: int) -> Any:
        return Decimal(count).scaleb(-self._size_digits)


def stored(catalog: Path, instrument_id: str, data_type: DataTypeName) -> Any:
    """Return all rows that a catalog has of one kind."""
    folder = data_folder(catalog, DATA_TYPES[data_type], instrument_id)
    parts = [columns for file in files_in(folder) for columns in read_columns(file.path, data_type)]
    return type(parts[0]).concat(parts)


def stored_quotes(catalog: Path, instrument_id: str) -> list[tuple[int, ...]]:
    rows = stored(catalog, instrument_id, "quotes")
    columns = (rows.bid_price, rows.ask_price, rows.bid_size, rows.ask_size)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def stored_trades(catalog: Path, instrument_id: str) -> list[tuple[int, ...]]:
    rows = stored(catalog, instrument_id, "trades")
    return list(zip(*(column.tolist() for column in (rows.trade_id, rows.price, rows.aggressor)), strict=True))


def entry_of(catalog: Path, instrument_id: str, data_type: DataTypeName) -> Entry:
    return next(e for e in contents(catalog) if (e.instrument_id, e.data_type) == (instrument_id, data_type))


def checked(catalog: Path, instrument_id: str) -> Any:
    entries = [entry for entry in contents(catalog) if entry.instrument_id == instrument_id]
    return check_instrument(catalog, instrument_id, entries, 10**9, lambda rows: None)

"""A recorded market, played to the exchange at a chosen speed."""

import asyncio
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from nautilus_trader.core.data import Data
from nautilus_trader.model.data import FundingRateUpdate, OrderBookDeltas, QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide, BookAction, OrderSide

from bad_input import BadInput
from binance_double.double import BinanceDouble
from binance_double.orders import Side
from binance_double.rules import symbol_of
from data_catalog.store.contents import contents
from data_catalog.store.data_types import DataTypeName
from data_catalog.store.stream import DataRequest, stream

QUOTES_AND_TRADES: tuple[DataTypeName, ...] = ("quotes", "trades", "funding_rates")
"""What a market is played from unless said otherwise."""

_SOON_SECS = 0.002
_ROWS_AT_ONCE = 50


@dataclass
class Progress:
    """How far a replay has come: events played, and the time of the last one in the recording, UNIX ns."""

    events: int = 0
    time_ns: int = 0


class Replay:
    """
    Plays quotes, trades, book updates and funding rates of a catalog.

    Messages carry the exchange's present time, not that of the recording: the adapter and the guards of a live run
    compare them with the clock. Funding is paid when the recording has a rate.

    Parameters
    ----------
    double : BinanceDouble
        The exchange, which must list the instruments.
    catalog : Path
        The Parquet catalog.
    instrument_ids : sequence of str
        What to play.
    data_types : sequence of str
        What to play of them. A market is known by its quotes or in depth (deltas): do not play both.
    start_ns, end_ns : int
        The period, both inclusive.
    speed : float, optional
        Seconds of the recording per second; as fast as it goes if None.

    Raises
    ------
    BadInput
        If the catalog has nothing of an instrument in the period.
    LookupError
        If the exchange does not list an instrument.

    """

    def __init__(
        self,
        double: BinanceDouble,
        catalog: Path,
        instrument_ids: Sequence[str],
        *,
        data_types: Sequence[DataTypeName] = QUOTES_AND_TRADES,
        start_ns: int = 0,
        end_ns: int = 2**63 - 1,
        speed: float | None = 1.0,
    ) -> None:
        for instrument_id in instrument_ids:
            if symbol_of(instrument_id) not in double.venue(instrument_id).rules:
                raise LookupError(f"the local exchange does not list {instrument_id}")
        self._double = double
        self._speed = speed
        self._rows = _rows(catalog, instrument_ids, data_types, (start_ns, end_ns))
        # The reader of a catalog aborts the process when two threads touch it: it lives on the server's thread.
        self._next = double.call(next, self._rows, None)
        double.at_stop(self._close)
        self._task: asyncio.Task[None] | None = None
        self._finished = threading.Event()
        self._error: BaseException | None = None
        self.progress = Progress()

    @property
    def finished(self) -> bool:
        """Whether it has come to its end."""
        return self._finished.is_set()

    def step(self, events: int = 1) -> int:
        """Play the next events at once and return how many there were."""
        return self._double.call(self._play_next, events)

    def start(self) -> None:
        """Begin to play in the background."""

        def begin() -> None:
            self._task = asyncio.get_running_loop().create_task(self._run())
            self._task.add_done_callback(self._ended)

        self._double.call(begin)

    def wait(self, seconds: float) -> None:
        """Wait until all of it was played, and raise TimeoutError if that takes longer, or what made it end."""
        if not self._finished.wait(seconds):
            raise TimeoutError(f"the replay has come to {self.progress.time_ns} ns in {seconds} s")
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Stop playing; it can be started again where it stopped."""

        def end() -> None:
            if self._task is not None:
                self._task.cancel()
                self._task = None

        self._double.call(end)

    def _close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._rows.close()

    async def _run(self) -> None:
        begun, first_ns = time.monotonic(), None
        while self._next is not None:
            time_ns = self._next.ts_init
            first_ns = time_ns if first_ns is None else first_ns
            if self._speed is not None:
                wait = (time_ns - first_ns) / 1e9 / self._speed - (time.monotonic() - begun)
                if wait > _SOON_SECS:
                    await asyncio.sleep(wait)
            if self._play_next(1) and self.progress.events % _ROWS_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._error = task.exception()
            self._finished.set()

    def _play_next(self, events: int) -> int:
        played = 0
        while played < events and self._next is not None:
            play(self._double, self._next)
            self.progress.events += 1
            self.progress.time_ns = self._next.ts_init
            self._next = next(self._rows, None)
            played += 1
        return played


def play(double: BinanceDouble, event: Data) -> None:
    """Let one recorded event happen; only on the server's thread."""
    venue, symbol = double.venue(event.instrument_id.value), symbol_of(event.instrument_id.value)
    match event:
        case QuoteTick():
            prices = (event.bid_price, event.ask_price, event.bid_size, event.ask_size)
            venue.on_quote(symbol, *(value.as_decimal() for value in prices))
        case TradeTick():
            aggressor = Side.BUY if event.aggressor_side == AggressorSide.BUYER else Side.SELL
            venue.on_trade(symbol, event.price.as_decimal(), event.size.as_decimal(), aggressor)
        case OrderBookDeltas():
            venue.on_depth(symbol, *_levels(event))
        case FundingRateUpdate():
            double.futures.venue.settle_funding(symbol, event.rate)


def _levels(update: OrderBookDeltas) -> tuple[list[tuple[Side, Decimal, Decimal]], bool]:
    """Return the changed levels of a book update, and whether the book is emptied before."""
    clear = False
    changes: list[tuple[Side, Decimal, Decimal]] = []
    for delta in update.deltas:
        if delta.action == BookAction.CLEAR:
            clear, changes = True, []
            continue
        side = Side.BUY if delta.order.side == OrderSide.BUY else Side.SELL
        size = Decimal(0) if delta.action == BookAction.DELETE else delta.order.size.as_decimal()
        changes.append((side, delta.order.price.as_decimal(), size))
    return changes, clear


def _rows(
    catalog: Path, instrument_ids: Sequence[str], data_types: Sequence[DataTypeName], period: tuple[int, int]
) -> Generator[Data]:
    available = [entry for entry in contents(catalog) if entry.data_type in data_types]
    for instrument_id in instrument_ids:
        if all(entry.instrument_id != instrument_id for entry in available):
            types = " or ".join((", ".join(data_types[:-1]), data_types[-1]))
            raise BadInput(f"the catalog has no {types} of {instrument_id}", file=catalog)
    wanted = [
        DataRequest(entry.instrument_id, entry.data_type)
        for entry in available
        if entry.instrument_id in instrument_ids
    ]
    for chunk in stream(catalog, wanted, *period):
        yield from chunk

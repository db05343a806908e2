"""
Recorded websocket files as columns: bookTicker, trade, depth diffs with a REST snapshot, and mark price.

Both times of every row are the time at which the recorder received the message, made non-decreasing. The exchange's
own times are not used: spot bookTicker has none, and mixing two clocks would put trades and quotes out of order.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from nautilus_trader.model.instruments import CurrencyPair, Instrument

from data_catalog.columns import Columns
from data_catalog.counts import Grid
from data_catalog.recordings.clock_offset import ClockOffset
from data_catalog.recordings.gaps import GAP_EVENT, GapLog
from data_catalog.recordings.lines import BATCH_LINES, LineBatch, Payload, first_received_ns, read_batches
from data_catalog.recordings.streams import (
    NANOS_PER_MS,
    DepthStream,
    FundingStream,
    QuoteStream,
    Received,
    TradeStream,
)
from data_catalog.store.data_types import DataTypeName
from data_catalog.store.origin import Gap

PARTIAL_DEPTH = tuple(f"@depth{levels}" for levels in (5, 10, 20))
STREAM_OF_KIND = {
    "bookTicker": "quotes",
    "trade": "trades",
    "aggTrade": "trades",
    "depthUpdate": "deltas",
    "snapshot": "deltas",
    "markPriceUpdate": "funding_rates",
}


@dataclass(slots=True)
class RecordingStats:
    """
    What was found in the recorded files.

    Attributes
    ----------
    events : Counter[str]
        Messages by event type.
    ignored : Counter[str]
        Messages of event types that are not imported.
    clock : ClockOffset
        Receive time minus the exchange's event time.

    """

    events: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    clock: ClockOffset = field(default_factory=ClockOffset)


class RecordingParser:
    """
    Turns the recorded files of one instrument into columns, in the order received.

    Parameters
    ----------
    paths : Sequence[Path]
        Files in any order; they become one series.
    instrument : Instrument
        Gives the symbol, the market (spot or futures), the tick and the decimals.
    batch_lines : int
        Lines held in memory at a time.

    """

    def __init__(self, paths: Sequence[Path], instrument: Instrument, batch_lines: int = BATCH_LINES) -> None:
        self.paths = sorted(paths, key=first_received_ns)
        self.stats = RecordingStats()
        self._symbol = instrument.raw_symbol.value
        self._is_futures = not isinstance(instrument, CurrencyPair)
        self._batch_lines = batch_lines
        self._last_ns = 0
        grid = Grid.of(instrument)
        self.depth = DepthStream(grid)
        self._trades = TradeStream(grid)
        self._gaps = GapLog()
        self._streams: dict[str, QuoteStream | TradeStream | DepthStream | FundingStream] = {
            "quotes": QuoteStream(grid),
            "trades": self._trades,
            "deltas": self.depth,
            "funding_rates": FundingStream(),
        }

    @property
    def dropped(self) -> dict[str, Counter[str]]:
        """Messages left out, by data type and reason."""
        return {name: stream.dropped for name, stream in self._streams.items()}

    @property
    def rounded(self) -> dict[str, int]:
        """Sizes with more decimals than the step, which were rounded, by data type."""
        return {name: stream.rounded for name, stream in self._streams.items()}

    @property
    def gaps(self) -> dict[DataTypeName, list[Gap]]:
        """What is missing, by data type: marked by the recorder, or seen by ids that are not there."""
        return {
            "quotes": self._gaps.of("quotes"),
            "trades": self._gaps.of("trades", self._trades.missing),
            "deltas": self._gaps.of("deltas", self.depth.chain.missing),
            "funding_rates": self._gaps.of("funding_rates"),
        }

    def batches(self, on_bytes: Callable[[int], None] | None = None) -> Iterator[Columns]:
        """
        Yield `Quotes`, `Trades`, `Deltas` and `FundingRates`, each in the order received.

        Parameters
        ----------
        on_bytes : Callable[[int], None], optional
            Called with the bytes on disk read since the last call.

        Raises
        ------
        BadInput
            With file and line number, at the first line that cannot be used.

        """
        for path in self.paths:
            end_of_previous = self._last_ns
            for number, batch in enumerate(read_batches(path, self._batch_lines, on_bytes)):
                if number == 0 and batch.received_ns[0] < end_of_previous:
                    raise batch.bad(0, "starts before the file before it ends", "import only one of the two")
                yield from self._columns(batch)
        self.depth.chain.finish()

    def _columns(self, batch: LineBatch) -> Iterator[Columns]:
        ts = np.maximum.accumulate(np.array([self._last_ns, *batch.received_ns], np.int64))[1:]
        self._last_ns = int(ts[-1])
        rows: defaultdict[str, list[int]] = defaultdict(list)
        payloads: defaultdict[str, list[Payload]] = defaultdict(list)
        for row, payload in enumerate(batch.payloads):
            kind = message_kind(payload, batch.streams[row])
            self.stats.events[kind] += 1
            if payload is not None and kind == GAP_EVENT:
                self._gaps.add(batch, row, payload)
                continue
            stream = STREAM_OF_KIND.get(kind)
            if payload is None or stream is None:
                self.stats.ignored[kind] += 1
                continue
            self._check(batch, row, payload, kind)
            rows[stream].append(row)
            payloads[stream].append(payload)
        self._measure_clock(batch)
        for name, handler in self._streams.items():
            if rows[name]:
                columns = handler.columns(Received(batch, rows[name], payloads[name], ts[rows[name]]))
                if len(columns):
                    yield columns

    def _check(self, batch: LineBatch, row: int, payload: Payload, kind: str) -> None:
        """Raise where a message belongs to another symbol or has the fields of the other market."""
        if payload.s is not None and payload.s != self._symbol:
            raise batch.bad(
                row, f'the symbol is "{payload.s}", but the instrument "{self._symbol}"', "give another --instrument"
            )
        is_futures = self._is_futures
        if kind == "bookTicker":
            is_futures = payload.T is not None
        elif kind == "depthUpdate":
            is_futures = payload.pu is not None
        if is_futures != self._is_futures:
            found, expected = ("a futures", "a spot") if is_futures else ("a spot", "a futures")
            raise batch.bad(
                row,
                f"{found} message, but {expected} instrument",
                f"spot ids look like {self._symbol}.BINANCE, perpetual ids like {self._symbol}-PERP.BINANCE",
            )

    def _measure_clock(self, batch: LineBatch) -> None:
        both = [
            (received, payload.E)
            for received, payload in zip(batch.received_ns, batch.payloads, strict=True)
            if payload is not None and payload.E is not None
        ]
        if both:
            pairs = np.array(both, np.int64)
            self.stats.clock.add(pairs[:, 0] - pairs[:, 1] * NANOS_PER_MS)


def message_kind(payload: Payload | None, stream: str | None) -> str:
    """Return the event type; spot bookTicker and snapshots do not say theirs."""
    if stream is not None and any(part in stream for part in PARTIAL_DEPTH):
        return "partial depth"
    if payload is None:
        return "unknown"
    if payload.e is not None:
        return payload.e
    if payload.lastUpdateId is not None:
        return "snapshot"
    if payload.u is not None and isinstance(payload.b, str) and isinstance(payload.a, str):
        return "bookTicker"
    return "unknown"

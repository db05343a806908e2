"""The streams of a recording, each turned into its columns: bookTicker, trades, depth and mark price."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

import numpy as np

from data_catalog.columns import BUYER, SELLER, Deltas, FundingRates, Int64, Quotes, Trades
from data_catalog.counts import GRID_HINT, Grid, NotOnGrid
from data_catalog.recordings.book_chain import BookChain, Depth, deltas_of
from data_catalog.recordings.gaps import add_gap
from data_catalog.recordings.lines import LineBatch, Payload
from data_catalog.store.origin import Gap

NANOS_PER_MS = 1_000_000
FUNDING_PRECISION = 16


@dataclass(frozen=True, slots=True)
class Received:
    """Messages of one kind of stream within a batch: their positions, payloads and times (UNIX nanoseconds)."""

    batch: LineBatch
    rows: list[int]
    payloads: list[Payload]
    ts: Int64

    def counts[T](self, name: str, to_counts: Callable[[list[str]], T]) -> T:
        """Return a field of decimal texts as `to_counts` turns it; raises `BadInput` with the line of a bad one."""
        texts: list[str] = []
        for row, payload in zip(self.rows, self.payloads, strict=True):
            text = getattr(payload, name)
            if not isinstance(text, str):
                raise self.batch.bad(row, f'"{name}" was {text!r}, expected a number as text')
            texts.append(text)
        try:
            return to_counts(texts)
        except NotOnGrid as error:
            raise self.batch.bad(self.rows[error.row], error.problem, GRID_HINT) from error

    def take(self, kept: list[int]) -> "Received":
        """Return the messages at these positions of this selection."""
        return Received(
            self.batch, [self.rows[i] for i in kept], [self.payloads[i] for i in kept], self.ts[np.array(kept, int)]
        )


@dataclass(slots=True)
class QuoteStream:
    """bookTicker messages; those with an empty side are left out and counted in `dropped`."""

    grid: Grid
    dropped: Counter[str] = field(default_factory=Counter)
    rounded: int = 0

    def columns(self, received: Received) -> Quotes:
        """Return the quotes of some messages."""
        bid_size, bids_rounded = received.counts("B", self.grid.sizes)
        ask_size, asks_rounded = received.counts("A", self.grid.sizes)
        self.rounded += bids_rounded + asks_rounded
        quotes = Quotes(
            received.counts("b", self.grid.prices),
            received.counts("a", self.grid.prices),
            bid_size,
            ask_size,
            received.ts,
            received.ts,
        )
        two_sided = (quotes.bid_price > 0) & (quotes.ask_price > 0)
        if one_sided := int(np.count_nonzero(~two_sided)):
            self.dropped["one side empty"] += one_sided
            return quotes.take(two_sided)
        return quotes


@dataclass(slots=True)
class TradeStream:
    """
    Trade or aggTrade messages.

    Left out and counted in `dropped`: what did not trade on the market (`X` other than MARKET, such as
    INSURANCE_FUND), ids that were there before, sizes of 0, and the second kind of stream where a recording has both.
    `missing` holds the places where ids are not there, although the exchange numbers trades without gaps.
    """

    grid: Grid
    dropped: Counter[str] = field(default_factory=Counter)
    rounded: int = 0
    missing: list[Gap] = field(default_factory=list)
    _kind: str | None = None
    _last_id: int = -1
    _seen: tuple[int, int] | None = None

    def columns(self, received: Received) -> Trades:
        """Return the trades of some messages."""
        kept, ids = [], []
        for position, payload in enumerate(received.payloads):
            trade_id = payload.t if payload.e == "trade" else payload.a
            if not isinstance(trade_id, int) or payload.m is None:
                raise received.batch.bad(received.rows[position], "a trade without an id or without its side (m)")
            reason = self._why_dropped(payload, trade_id)
            if payload.e == self._kind:
                self._see(trade_id, int(received.ts[position]))
            if reason is None:
                self._last_id = trade_id
                kept.append(position)
                ids.append(trade_id)
            else:
                self.dropped[reason] += 1
        trades = received.take(kept)
        size, rounded = trades.counts("q", self.grid.sizes)
        self.rounded += rounded
        buyer_made = np.array([payload.m for payload in trades.payloads], bool)
        columns = Trades(
            trades.counts("p", self.grid.prices),
            size,
            np.where(buyer_made, SELLER, BUYER).astype(np.uint8),
            np.array(ids, np.int64),
            trades.ts,
            trades.ts,
        )
        if empty := int(np.count_nonzero(size == 0)):
            self.dropped["size 0"] += empty
            return columns.take(size > 0)
        return columns

    def _see(self, trade_id: int, ts: int) -> None:
        """Note the ids missing between this trade and the one before; one that was not traded on the market counts."""
        if self._seen is not None and trade_id <= self._seen[0]:
            return
        if self._seen is not None and trade_id > self._seen[0] + 1:
            add_gap(self.missing, Gap(self._seen[1], ts, "trade ids missing"))
        self._seen = trade_id, ts

    def _why_dropped(self, payload: Payload, trade_id: int) -> str | None:
        if self._kind is None:
            self._kind = payload.e
        if payload.X is not None and payload.X != "MARKET":
            return payload.X
        if payload.e != self._kind:
            return f"{payload.e} beside {self._kind}"
        return "repeated id" if trade_id <= self._last_id else None


@dataclass(slots=True)
class DepthStream:
    """Depth diffs and REST snapshots, joined by `chain`."""

    grid: Grid
    chain: BookChain = field(default_factory=BookChain)
    rounded: int = 0

    def columns(self, received: Received) -> Deltas:
        """Return the changes of the book that some messages bring."""
        changes: list[Depth] = []
        for row, payload, ts in zip(received.rows, received.payloads, received.ts.tolist(), strict=True):
            place = (received.batch.path, received.batch.numbers[row])
            if (last_id := payload.lastUpdateId) is not None:
                bids, asks = payload.bids or [], payload.asks or []
                changes += self.chain.snapshot(Depth(place, ts, last_id, last_id, None, bids, asks, clears=True))
            elif (
                payload.U is not None
                and payload.u is not None
                and isinstance(payload.b, list)
                and isinstance(payload.a, list)
            ):
                changes += self.chain.diff(Depth(place, ts, payload.U, payload.u, payload.pu, payload.b, payload.a))
            else:
                raise received.batch.bad(row, "a depthUpdate without U, u, b or a")
        deltas, rounded = deltas_of(changes, self.grid)
        self.rounded += rounded
        return deltas

    @property
    def dropped(self) -> Counter[str]:
        """Diffs left out, by reason."""
        reasons = {"outside a known book": self.chain.unusable, "already in the snapshot": self.chain.outdated}
        return Counter({reason: number for reason, number in reasons.items() if number})


@dataclass(slots=True)
class FundingStream:
    """
    markPriceUpdate messages: the last rate before each settlement inside the recording.

    The exchange announces a rate and the time at which it settles; when the announced time moves on, the rate said
    last was the one that settled.
    """

    dropped: Counter[str] = field(default_factory=Counter)
    rounded: int = 0
    _settles_ms: int | None = None
    _rate: int = 0

    def columns(self, received: Received) -> FundingRates:
        """Return the rates that settled."""
        rates: list[int] = []
        times: list[int] = []
        for row, payload in zip(received.rows, received.payloads, strict=True):
            if not payload.r or payload.T is None:
                continue
            if self._settles_ms is not None and self._settles_ms < payload.T:
                rates.append(self._rate)
                times.append(self._settles_ms * NANOS_PER_MS)
            try:
                self._rate = int(Decimal(payload.r).scaleb(FUNDING_PRECISION))
            except InvalidOperation as error:
                raise received.batch.bad(row, f'funding rate "{payload.r}" is not a number') from error
            self._settles_ms = payload.T
        if unused := len(received.rows) - len(rates):
            self.dropped["mark prices between settlements"] += unused
        ts = np.array(times, np.int64)
        return FundingRates(np.array(rates, np.int64), ts, ts)

"""The order book rebuilt from its changes, held against recorded quotes."""

from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from data_catalog.columns import Deltas, Int64, Quotes
from data_catalog.recordings.book_chain import BID, CLEAR, DELETE, F_LAST

QUIET_NS = 20_000_000


@dataclass(slots=True)
class _Side:
    """The levels of one side; a heap finds the best, skipping prices that are gone."""

    sign: int
    levels: dict[int, int] = field(default_factory=dict)
    _heap: list[int] = field(default_factory=list)

    def put(self, price: int, size: int) -> None:
        if price not in self.levels:
            heappush(self._heap, self.sign * price)
            if len(self._heap) > 4 * len(self.levels) + 1_000:
                self._heap = sorted({self.sign * price, *(self.sign * level for level in self.levels)})
        self.levels[price] = size

    def best(self) -> tuple[int, int] | None:
        """Return price and size of the best level."""
        heap = self._heap
        while heap and self.sign * heap[0] not in self.levels:
            heappop(heap)
        return (self.sign * heap[0], self.levels[self.sign * heap[0]]) if heap else None


@dataclass(slots=True)
class BookTouch:
    """Keeps an order book from deltas and gives its best bid and ask after each message."""

    _bids: _Side = field(default_factory=lambda: _Side(-1))
    _asks: _Side = field(default_factory=lambda: _Side(1))

    def add(self, deltas: Deltas) -> Quotes:
        """Return the touch after each message that ends in `deltas` and leaves both sides with a level."""
        rows: list[tuple[int, int, int, int, int]] = []
        columns = (deltas.action, deltas.side, deltas.price, deltas.size, deltas.flags, deltas.ts_init)
        for action, side, price, size, flags, ts in zip(*(column.tolist() for column in columns), strict=True):
            if action == CLEAR:
                self._bids, self._asks = _Side(-1), _Side(1)
            elif action == DELETE:
                (self._bids if side == BID else self._asks).levels.pop(price, None)
            else:
                (self._bids if side == BID else self._asks).put(price, size)
            if flags & F_LAST:
                bid, ask = self._bids.best(), self._asks.best()
                if bid is not None and ask is not None:
                    rows.append((bid[0], ask[0], bid[1], ask[1], ts))
        table = np.array(rows, np.int64).reshape(-1, 5)
        return Quotes(*(table[:, column].copy() for column in (0, 1, 2, 3, 4, 4)))


@dataclass(slots=True)
class BookAgreement:
    """
    Compares the touch of the rebuilt book with the recorded quotes.

    The two come over separate streams, and diffs gather what happened in 100 ms (spot), so a comparison point is the
    end of a depth message with no quote in the `quiet_ns` before and after it: there the touch is unambiguous.

    Attributes
    ----------
    points : int
        Comparison points.
    agreeing : int
        Those where both prices and both sizes are equal.
    crossed : int
        Messages, at any time, that left the book with the bid at or above the ask.

    """

    quiet_ns: int = QUIET_NS
    points: int = 0
    agreeing: int = 0
    crossed: int = 0
    _book: BookTouch = field(default_factory=BookTouch)
    _quotes: list[Quotes] = field(default_factory=list)
    _touches: list[Quotes] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        """The share of points that agree, or None without a point."""
        return self.agreeing / self.points if self.points else None

    def add(self, quotes: Quotes | None, deltas: Deltas | None, until_ns: int) -> None:
        """Take in rows, after which those up to `until_ns` are complete."""
        if quotes is not None:
            self._quotes.append(quotes)
        if deltas is not None:
            touches = self._book.add(deltas)
            self.crossed += int(np.count_nonzero(touches.bid_price >= touches.ask_price))
            self._touches.append(touches)
        self._compare(until_ns - self.quiet_ns)

    def finish(self) -> None:
        """Compare what still waited for quotes after it."""
        self._compare(None)

    def _compare(self, before_ns: int | None) -> None:
        """Compare at the messages earlier than `before_ns`, for which all quotes are there, or at all."""
        if not self._touches or not self._quotes:
            return
        touches, quotes = Quotes.concat(self._touches), Quotes.concat(self._quotes)
        ready = len(touches) if before_ns is None else int(np.searchsorted(touches.ts_init, before_ns))
        if ready:
            self._count(touches.slice(0, ready), quotes)
        rest = touches.slice(ready, len(touches))
        self._touches = [rest]
        needed_ns = int(rest.ts_init[0]) if len(rest) else (before_ns or 0)
        oldest = max(0, int(np.searchsorted(quotes.ts_init, needed_ns - self.quiet_ns, side="right")) - 1)
        self._quotes = [quotes.slice(oldest, len(quotes))]

    def _count(self, touches: Quotes, quotes: Quotes) -> None:
        following: Int64 = np.searchsorted(quotes.ts_init, touches.ts_init - self.quiet_ns)
        is_quiet = following == np.searchsorted(quotes.ts_init, touches.ts_init + self.quiet_ns, side="right")
        is_quiet &= following > 0
        book, quote = touches.take(is_quiet), quotes.take(following[is_quiet] - 1)
        same = (book.bid_price == quote.bid_price) & (book.ask_price == quote.ask_price)
        same &= (book.bid_size == quote.bid_size) & (book.ask_size == quote.ask_size)
        self.points += len(same)
        self.agreeing += int(np.count_nonzero(same))

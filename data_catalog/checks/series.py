"""
Checks of one series of market data, fed chunk by chunk: what is missing, doubled, out of order or nonsense.

Nothing is held but the last row and a few counts, so memory does not depend on the length of the series.
"""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from data_catalog.checks.in_step import times_of
from data_catalog.columns import Bars, Columns, Deltas, Int64, Quotes, Trades
from data_catalog.recordings.book_chain import CLEAR, F_LAST
from data_catalog.store.column_reader import NO_ID

LONGEST = 3
SPIKE_BPS = 100.0
REBUILT_SPIKE_BPS = 1000.0
"""A quote that stands alone by less than so many basis points is ordinary; between closes of bars more is."""


@dataclass(slots=True)
class Silences:
    """The longest stretches of time without an event: `longest` holds (length, start) in nanoseconds, longest first."""

    longest: list[tuple[int, int]] = field(default_factory=list)
    _last_ns: int | None = None

    def add(self, times: Int64) -> None:
        """Take in the times of more events, in order."""
        if not len(times):
            return
        joined = times if self._last_ns is None else np.concatenate([[self._last_ns], times])
        lengths = np.diff(joined)
        if len(lengths):
            top = _longest(lengths)
            found = [(int(lengths[row]), int(joined[row])) for row in top if lengths[row] > 0]
            self.longest = sorted([*self.longest, *found], key=lambda item: (-item[0], item[1]))[:LONGEST]
        self._last_ns = int(joined.max())


def _longest(lengths: Int64) -> NDArray[np.intp]:
    """Return where the `LONGEST` longest stand, the first of equal ones; sorting all of them takes far longer."""
    if len(lengths) <= LONGEST:
        return np.arange(len(lengths))
    least = np.partition(lengths, -LONGEST)[-LONGEST]
    return np.concatenate([np.flatnonzero(lengths > least), np.flatnonzero(lengths == least)[:LONGEST]])


@dataclass(slots=True)
class Spikes:
    """
    Prices that stand alone: away from the one before and from the one after, to the same side, by more than a limit.

    Attributes
    ----------
    limit_bps : float
        By how much at least.
    count : int
        How many there are.
    furthest_bps, furthest_ns : float and int
        How far the worst is from the nearer of its neighbours, in basis points, and when (UNIX nanoseconds).

    """

    limit_bps: float = SPIKE_BPS
    count: int = 0
    furthest_bps: float = 0.0
    furthest_ns: int = 0
    _prices: Int64 = field(default_factory=lambda: np.empty(0, np.int64), compare=False)
    _times: Int64 = field(default_factory=lambda: np.empty(0, np.int64), compare=False)

    def add(self, prices: Int64, times: Int64) -> None:
        """Take in more prices, in any unit, with their times."""
        prices, times = np.concatenate([self._prices, prices]), np.concatenate([self._times, times])
        self._prices, self._times = prices[-2:], times[-2:]
        if len(prices) < 3 or prices.min() <= 0:
            return
        steps = np.diff(prices) / prices[:-1]
        far = np.abs(steps) > self.limit_bps * 1e-4
        if not far.any():
            return
        alone = np.minimum(np.abs(steps[:-1]), np.abs(steps[1:])) * (steps[:-1] * steps[1:] < 0) * far[:-1] * far[1:]
        self.count += int(np.count_nonzero(alone))
        if (worst := float(alone.max()) * 1e4) > self.furthest_bps:
            self.furthest_bps, self.furthest_ns = worst, int(times[int(alone.argmax()) + 1])


@dataclass(slots=True)
class SeriesChecks:
    """
    What is wrong with a series.

    Attributes
    ----------
    rows : int
        Rows seen.
    first_ns, last_ns : int
        Times of the first and the last row, UNIX nanoseconds.
    duplicates : int
        Rows that repeat the row before: the same trade id, the same time of a bar, or all columns alike.
    disorder : int
        Rows earlier than the row before, and trade ids or update ids that go back.
    backwards : int
        Rows earlier than the row before.
    nonpositive : int
        Quotes and trades with a price of 0 or less.
    gaps, missing : int or None
        Places where trade ids or bars are missing, and how many; None where that cannot be told.
    crossed, locked : int or None
        Quotes with the bid above the ask, and with both at one price.
    sequence_breaks, snapshots : int or None
        Places where the order book was lost, and where it was started afresh.
    silences : Silences
        The longest stretches without a row.
    spikes : Spikes
        Mids of quotes that stand alone.

    """

    bar_ns: int | None = None
    rows: int = 0
    first_ns: int = 0
    last_ns: int = 0
    duplicates: int = 0
    disorder: int = 0
    backwards: int = 0
    nonpositive: int = 0
    gaps: int | None = None
    missing: int | None = None
    crossed: int | None = None
    locked: int | None = None
    sequence_breaks: int | None = None
    snapshots: int | None = None
    silences: Silences = field(default_factory=Silences)
    spikes: Spikes = field(default_factory=Spikes)
    _last: Columns | None = None

    def add(self, columns: Columns) -> None:
        """Take in more rows."""
        times = times_of(columns)
        if not self.rows:
            self.first_ns = int(times[0])
        self.rows += len(columns)
        self.last_ns = int(times[-1])
        self.silences.add(times)
        joined = columns if self._last is None else type(columns).concat([self._last, columns])
        self._last = columns.slice(len(columns) - 1, len(columns))
        back = int(np.count_nonzero(np.diff(times_of(joined)) < 0))
        self.disorder += back
        self.backwards += back
        match columns, joined:
            case Quotes(), _:
                self._add_quotes(columns)
                self.duplicates += _repeated(joined)
            case Trades(), Trades():
                self.nonpositive += int(np.count_nonzero(columns.price <= 0))
                self._add_trades(joined)
            case Deltas(), Deltas():
                self._add_deltas(columns, joined)
            case Bars(), Bars():
                self._add_bars(joined)
            case _:
                self.duplicates += _repeated(joined)

    def _add_quotes(self, quotes: Quotes) -> None:
        self.crossed = (self.crossed or 0) + int(np.count_nonzero(quotes.bid_price > quotes.ask_price))
        self.locked = (self.locked or 0) + int(np.count_nonzero(quotes.bid_price == quotes.ask_price))

        self.nonpositive += int(np.count_nonzero(np.minimum(quotes.bid_price, quotes.ask_price) <= 0))
        self.spikes.add(quotes.bid_price + quotes.ask_price, quotes.ts_init)

    def _add_trades(self, joined: Trades) -> None:
        known = joined.trade_id != NO_ID
        if not known.all():
            self.duplicates += _repeated(joined)
            return
        steps = np.diff(joined.trade_id)
        self.duplicates += int(np.count_nonzero(steps == 0))
        self.disorder += int(np.count_nonzero(steps < 0))
        self._add_gaps(steps - 1)

    def _add_deltas(self, deltas: Deltas, joined: Deltas) -> None:
        clears = deltas.action == CLEAR
        alone = (deltas.flags & F_LAST) != 0
        self.sequence_breaks = (self.sequence_breaks or 0) + int(np.count_nonzero(clears & alone))
        self.snapshots = (self.snapshots or 0) + int(np.count_nonzero(clears & ~alone))
        self.disorder += int(np.count_nonzero(np.diff(joined.sequence) < 0))

    def _add_bars(self, joined: Bars) -> None:
        steps = np.diff(joined.ts_init)
        self.duplicates += int(np.count_nonzero(steps == 0))
        if self.bar_ns is not None:
            self._add_gaps(steps // self.bar_ns - 1)

    def _add_gaps(self, missing: NDArray[np.int64]) -> None:
        found = missing[missing > 0]
        self.gaps = (self.gaps or 0) + len(found)
        self.missing = (self.missing or 0) + int(found.sum())


def _repeated(joined: Columns) -> int:
    """Return how many rows equal the row before; the catalog stores rows of one time a nanosecond apart."""
    if len(joined) < 2:
        return 0
    same = np.ones(len(joined) - 1, bool)
    for column in fields(joined):
        values = getattr(joined, column.name)
        same &= np.diff(values) <= 1 if column.name in ("ts_event", "ts_init") else values[1:] == values[:-1]
    return int(np.count_nonzero(same))

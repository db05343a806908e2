"""Trades held against the quotes around them: a trade beyond both is an error of the data."""

from dataclasses import dataclass, field

import numpy as np

from data_catalog.columns import Int64, Quotes, Trades

WINDOW_NS = 1_000_000_000


@dataclass(slots=True)
class TradesInQuotes:
    """
    Counts trades outside the quotes.

    A trade is outside where its price lies below every bid or above every ask that stood at any moment from
    `window_ns` before it until `window_ns` after it. The window forgives that trades and quotes come over separate
    streams, and that a large order trades at prices at which only the next quote stands.

    Attributes
    ----------
    compared : int
        Trades with a quote around them.
    outside : int
        Those that were outside.
    furthest_bps, furthest_ns : float and int
        How far outside the worst was, relative to its price, and when (UNIX nanoseconds).

    """

    window_ns: int = WINDOW_NS
    compared: int = 0
    outside: int = 0
    furthest_bps: float = 0.0
    furthest_ns: int = 0
    _quotes: list[Quotes] = field(default_factory=list)
    _trades: list[Trades] = field(default_factory=list)

    def add(self, quotes: Quotes | None, trades: Trades | None, until_ns: int) -> None:
        """Take in rows, after which those up to `until_ns` are complete."""
        if quotes is not None:
            self._quotes.append(quotes)
        if trades is not None:
            self._trades.append(trades)
        self._compare(until_ns - self.window_ns)

    def finish(self) -> None:
        """Compare what still waited for quotes after it."""
        self._compare(None)

    def _compare(self, before_ns: int | None) -> None:
        """Compare the trades earlier than `before_ns`, for which all quotes are there, or all trades."""
        if not self._trades or not self._quotes:
            return
        trades, quotes = Trades.concat(self._trades), Quotes.concat(self._quotes)
        ready = len(trades) if before_ns is None else int(np.searchsorted(trades.ts_init, before_ns))
        if ready:
            self._count(trades.slice(0, ready), quotes)
        rest = trades.slice(ready, len(trades))
        self._trades = [rest] if len(rest) else []
        needed_ns = int(rest.ts_init[0]) if len(rest) else (before_ns or 0) + self.window_ns
        oldest = max(0, int(np.searchsorted(quotes.ts_init, needed_ns - self.window_ns, side="right")) - 1)
        self._quotes = [quotes.slice(oldest, len(quotes))]

    def _count(self, trades: Trades, quotes: Quotes) -> None:
        times = trades.ts_init
        start = np.maximum(np.searchsorted(quotes.ts_init, times - self.window_ns, side="right") - 1, 0)
        stop = np.searchsorted(quotes.ts_init, times + self.window_ns, side="right")
        known = stop > start
        trades, start, stop = trades.take(known), start[known], stop[known]
        if not len(trades):
            return
        beyond = np.maximum(
            trades.price - _extreme(np.maximum, quotes.ask_price, start, stop),
            _extreme(np.minimum, quotes.bid_price, start, stop) - trades.price,
        )
        self.compared += len(trades)
        self.outside += int(np.count_nonzero(beyond > 0))
        relative = beyond / np.maximum(trades.price, 1)
        worst = int(relative.argmax())
        if (bps := float(relative[worst]) * 1e4) > self.furthest_bps:
            self.furthest_bps, self.furthest_ns = bps, int(trades.ts_init[worst])


def _extreme(function: np.ufunc, values: Int64, start: Int64, stop: Int64) -> Int64:
    """Return the extreme of values[start:stop] for each pair; no pair is empty."""
    # reduceat takes the stretches between its positions too, hence every other result; a stop may be the length.
    padded = np.append(values, values[-1])
    positions = np.stack([start, stop], axis=1).reshape(-1)
    result: Int64 = function.reduceat(padded, positions)[::2]
    return result

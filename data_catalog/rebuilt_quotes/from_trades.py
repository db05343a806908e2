"""
Best bid and ask rebuilt from trades alone, for archives that hold no quotes; docs/data.md states how far they are off.

A buyer pays the ask and a seller receives the bid, so each trade shows one side. The other side stays where it was,
unless it would be crossed or further away than the usual spread: then it follows at that distance. The usual spread
is the median of the last three bounces, the distances between a trade and the next one of the other side. Of the
rules measured this one had the smallest errors (docs/data.md).
"""

from collections import deque
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from data_catalog.columns import BUYER, Int64, Quotes, Trades

BOUNCES = 3
LEVELS = 100


@dataclass(slots=True)
class _LevelVolume:
    """The mean volume that trades at one price before the touch of that side moves on."""

    _mean: float = 0.0
    _finished: int = 0
    _price: dict[int, int] = field(default_factory=dict)
    _volume: dict[int, int] = field(default_factory=dict)

    def add(self, side: int, price: int, size: int) -> int:
        """Take in a trade and return the mean, in size counts; while no price is finished, the volume so far."""
        if self._price.get(side) == price:
            self._volume[side] += size
        else:
            if side in self._price:
                self._finished += 1
                self._mean += (self._volume[side] - self._mean) / min(self._finished, LEVELS)
            self._price[side], self._volume[side] = price, size
        return max(1, round(self._mean)) if self._finished else self._volume[side]


@dataclass(slots=True)
class TouchRebuilder:
    """
    Rebuilds quotes from trades that come in parts.

    A quote is one nanosecond later than its trade, so that a replay sees the trade first, at the touch it hit. Sizes
    cannot be known from trades; both sides carry the mean volume that traded at one price before the touch moved,
    over about the last hundred prices. Real touches are larger.

    Parameters
    ----------
    tick : int
        The tick as a count of the price unit.

    """

    tick: int
    _bid: int = 0
    _ask: int = 0
    _bounces: deque[int] = field(default_factory=lambda: deque(maxlen=BOUNCES))
    _last_price: int = 0
    _last_side: int = 0
    _levels: _LevelVolume = field(default_factory=_LevelVolume)
    _held: tuple[int, int, int, int] | None = None
    _sent: tuple[int, int, int] | None = None

    def add(self, trades: Trades) -> Quotes:
        """Return the quotes that more trades show, except the last, which a trade of the same time may still change."""
        rows: list[tuple[int, int, int, int]] = []
        for price, size, side, ts in zip(
            trades.price.tolist(), trades.size.tolist(), trades.aggressor.tolist(), trades.ts_init.tolist(), strict=True
        ):
            self._move(price, side)
            traded = self._levels.add(side, price, size)
            if self._held is not None and self._held[0] != ts:
                self._send(rows)
            self._held = (ts, self._bid, self._ask, traded)
        return _quotes(rows)

    def finish(self) -> Quotes:
        """Return the last quote."""
        rows: list[tuple[int, int, int, int]] = []
        self._send(rows)
        self._held = None
        return _quotes(rows)

    def _send(self, rows: list[tuple[int, int, int, int]]) -> None:
        """Add the held quote, unless it says what the one before said or the bid would be below the first tick."""
        if self._held is not None and self._held[1:] != self._sent and self._held[1] > 0:
            rows.append(self._held)
            self._sent = self._held[1:]

    def _move(self, price: int, side: int) -> None:
        if self._last_side not in {0, side}:
            self._bounces.append(price - self._last_price if side == BUYER else self._last_price - price)
        self._last_price, self._last_side = price, side
        spread = self._spread()
        if side == BUYER:
            self._ask = price
            if not price - spread <= self._bid < price:
                self._bid = price - spread
        else:
            self._bid = price
            if not price < self._ask <= price + spread:
                self._ask = price + spread

    def _spread(self) -> int:
        """Return the usual spread in price counts, a whole number of ticks and at least one."""
        if not self._bounces:
            return self.tick
        return max(1, round(median(self._bounces) / self.tick)) * self.tick


def _quotes(rows: list[tuple[int, int, int, int]]) -> Quotes:
    table = np.array(rows, np.int64).reshape(-1, 4)
    ts = table[:, 0] + 1
    bid, ask, size = (table[:, column].copy() for column in (1, 2, 3))
    return Quotes(bid, ask, size, size, ts, ts)


@dataclass(frozen=True, slots=True)
class TouchError:
    """
    How far rebuilt quotes are from recorded ones, weighted by time.

    Attributes
    ----------
    hours : float
        Time compared.
    mid_error_bps, mid_error_ticks : float
        Mean absolute error of the mid.
    same_touch_share : float
        Share of time with both bid and ask right.
    spread_ticks : float
        Mean recorded spread.
    spread_bias_ticks : float
        Mean rebuilt spread minus mean recorded spread.
    size_ratio : float
        Mean rebuilt size of the touch over the mean recorded one.

    """

    hours: float
    mid_error_bps: float
    mid_error_ticks: float
    same_touch_share: float
    spread_ticks: float
    spread_bias_ticks: float
    size_ratio: float


def touch_error(recorded: Quotes, rebuilt: Quotes, tick: int) -> TouchError:
    """
    Compare rebuilt quotes with recorded ones of the same instrument, over the time in which there are both.

    Parameters
    ----------
    recorded, rebuilt : Quotes
        In the order of time.
    tick : int
        The tick as a count of the price unit.

    Raises
    ------
    ValueError
        If there is no time with both.

    """
    ts = np.union1d(recorded.ts_init, rebuilt.ts_init)
    start = max(recorded.ts_init[0], rebuilt.ts_init[0])
    ts = ts[(ts >= start) & (ts <= min(recorded.ts_init[-1], rebuilt.ts_init[-1]))]
    if len(ts) < 2:
        raise ValueError("recorded and rebuilt quotes have no time in common")
    real, guess = _at(recorded, ts[:-1]), _at(rebuilt, ts[:-1])
    weight = np.diff(ts) / (ts[-1] - ts[0])
    real_mid, guess_mid = (real.bid_price + real.ask_price) / 2, (guess.bid_price + guess.ask_price) / 2
    mid_error = np.abs(guess_mid - real_mid)
    spread, rebuilt_spread = real.ask_price - real.bid_price, guess.ask_price - guess.bid_price
    right = (real.bid_price == guess.bid_price) & (real.ask_price == guess.ask_price)
    return TouchError(
        hours=float(ts[-1] - ts[0]) / 3.6e12,
        mid_error_bps=float(weight @ (mid_error / real_mid)) * 1e4,
        mid_error_ticks=float(weight @ mid_error) / tick,
        same_touch_share=float(weight @ right),
        spread_ticks=float(weight @ spread) / tick,
        spread_bias_ticks=float(weight @ (rebuilt_spread - spread)) / tick,
        size_ratio=float(weight @ (guess.bid_size + guess.ask_size)) / float(weight @ (real.bid_size + real.ask_size)),
    )


def _at(quotes: Quotes, ts: Int64) -> Quotes:
    """Return the quotes that stood at some times."""
    return quotes.take(np.searchsorted(quotes.ts_init, ts, side="right") - 1)

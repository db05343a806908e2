"""Candles of the replayed trades, and what is computed from them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby

from binance_double.orders import ZERO, PublicTrade, Side

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000

INTERVALS_MS = {
    **{f"{n}m": n * _MINUTE_MS for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * 60 * _MINUTE_MS for n in (1, 2, 4, 6, 8, 12)},
    "1d": _DAY_MS,
}
"""The lengths of the candles that can be asked for."""


@dataclass(frozen=True)
class Candle:
    """Prices and volumes of an interval; `taken` are those of trades in which the buyer took."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    quote_volume: Decimal = ZERO
    taken_volume: Decimal = ZERO
    taken_quote_volume: Decimal = ZERO
    count: int = 0
    first_id: int = -1
    last_id: int = -1

    def followed_by(self, later: "Candle") -> "Candle":
        """Return both together, from the start of this one."""
        return replace(
            self,
            high=max(self.high, later.high),
            low=min(self.low, later.low),
            close=later.close,
            volume=self.volume + later.volume,
            quote_volume=self.quote_volume + later.quote_volume,
            taken_volume=self.taken_volume + later.taken_volume,
            taken_quote_volume=self.taken_quote_volume + later.taken_quote_volume,
            count=self.count + later.count,
            first_id=self.first_id if self.count else later.first_id,
            last_id=later.last_id if later.count else self.last_id,
        )


def candle_of(trade: PublicTrade) -> Candle:
    """Return the candle of one trade, in its minute."""
    value = trade.price * trade.size
    taken = trade.aggressor is Side.BUY
    prices = (trade.price,) * 4
    volumes = (trade.size, value, trade.size if taken else ZERO, value if taken else ZERO)
    return Candle(trade.time_ms - trade.time_ms % _MINUTE_MS, *prices, *volumes, 1, trade.trade_id, trade.trade_id)


class Candles:
    """The candles of one symbol, kept by the minute."""

    def __init__(self) -> None:
        self._minutes: list[Candle] = []

    def add(self, trade: PublicTrade) -> None:
        """Count a trade."""
        candle = candle_of(trade)
        if self._minutes and self._minutes[-1].open_ms >= candle.open_ms:
            self._minutes[-1] = self._minutes[-1].followed_by(candle)
        else:
            self._minutes.append(candle)

    def between(self, interval_ms: int, start_ms: int, end_ms: int) -> list[Candle]:
        """Return the candles that open in a period, both ends included; intervals without trades have none."""
        first = start_ms - start_ms % interval_ms
        chosen = [one for one in self._minutes if first <= one.open_ms < end_ms + interval_ms]
        groups = groupby(chosen, key=lambda one: one.open_ms - one.open_ms % interval_ms)
        candles = [replace(_joined(minutes), open_ms=open_ms) for open_ms, minutes in groups]
        return [one for one in candles if start_ms <= one.open_ms <= end_ms]

    def filled(self, interval_ms: int, start_ms: int, end_ms: int) -> list[Candle]:
        """Return the same with flat candles for intervals without trades, from the first trade ever on."""
        if not self._minutes:
            return []
        earliest = self._minutes[0].open_ms - self._minutes[0].open_ms % interval_ms
        first = max(-(-start_ms // interval_ms) * interval_ms, earliest)
        traded = {one.open_ms: one for one in self.between(interval_ms, first, end_ms)}
        before = self.one(interval_ms, first)
        candles: list[Candle] = []
        for open_ms in range(first, end_ms + 1, interval_ms):
            last = candles[-1] if candles else before
            assert last is not None
            candles.append(traded.get(open_ms) or Candle(open_ms, *(last.close,) * 4))
        return candles

    def one(self, interval_ms: int, open_ms: int) -> Candle | None:
        """Return the candle that opens at a time: a flat one if nothing traded in it, None if nothing ever did."""
        found = self.between(interval_ms, open_ms, open_ms)
        if found:
            return found[0]
        before = next((minute for minute in reversed(self._minutes) if minute.open_ms < open_ms), None)
        return None if before is None else Candle(open_ms, *(before.close,) * 4)

    def last_day(self, now_ms: int) -> Candle | None:
        """Return the last 24 hours as one candle, None if nothing traded."""
        minutes = [one for one in self._minutes if one.open_ms > now_ms - _DAY_MS]
        return _joined(minutes) if minutes else None


def _joined(candles: Iterable[Candle]) -> Candle:
    first, *rest = candles
    for later in rest:
        first = first.followed_by(later)
    return first

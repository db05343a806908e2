"""Faults of the market data, applied to the rows of the catalog on their way to the engine."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from nautilus_trader.core.data import Data
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.objects import Price

from runtime.drills.faults import Fault

_time_of = attrgetter("ts_init")


class FaultyMarket:
    """
    Passes market data on, as the fault has it, and counts what passes from the fault on.

    Prices move by whole ticks, the same number for bid, ask and trades, so that the spread stays what it was.

    Parameters
    ----------
    fault : Fault
        What happens. A fault of the venue changes no data.
    ticks : mapping
        By instrument id, its tick as a raw integer of the engine.
    grid_ns : int
        The interval of the ledger's grid, in ns.

    """

    def __init__(self, fault: Fault, ticks: Mapping[str, int], grid_ns: int) -> None:
        self._fault = fault
        self._ticks = ticks
        self._moves: dict[str, int] = {}
        self._last: dict[str, QuoteTick] = {}
        self._bad: set[str] | None = None
        self._back_ns = fault.at_ns + grid_ns // 2
        self._times = array("q")
        self._change = {
            "gap": self._moved,
            "crash": self._moved,
            "price-spike": self._spiked,
            "feed-stall": self._stalled,
            "equity-unknown": self._crossed,
        }.get(fault.kind.name, lambda event: (event,))

    def events_until(self, ts_ns: int) -> int:
        """Return how many market events passed from the fault to a moment, both included."""
        return bisect_right(self._times, ts_ns)

    def apply(self, chunks: Iterable[list[Data]]) -> Iterator[list[Data]]:
        """Yield the rows as the fault has them; none before it is changed."""
        at_ns = self._fault.at_ns
        every = self._fault.kind.name == "price-spike"  # what is put in must stand before whatever comes after it
        for chunk in chunks:
            first = 0 if chunk[0].ts_init >= at_ns else bisect_left(chunk, at_ns, key=_time_of)
            self._remember(chunk[:first])
            passed = chunk[:first]
            for event in chunk[first:]:
                passed += self._change(event) if every or self._concerns(event) else (event,)
            self._times.extend(event.ts_init for event in passed if event.ts_init >= at_ns)
            if passed:
                yield passed

    def _concerns(self, event: Data) -> bool:
        return event.instrument_id.value in self._fault.instruments

    def _remember(self, events: list[Data]) -> None:
        """Keep the last quote of each instrument."""
        wanted = set(self._fault.instruments)
        for event in reversed(events):
            if not wanted:
                return
            name = event.instrument_id.value
            if name in wanted and type(event) is QuoteTick:
                self._last[name] = event
                wanted.discard(name)

    # -- Prices that move ---------------------------------------------------------------------------------------------

    def _moved(self, event: Any) -> tuple[Data, ...]:
        return (self._shifted(event, event.ts_init),)

    def _shifted(self, event: Any, ts_ns: int) -> Data:
        """Return an event with its prices where the fault has them at `ts_ns`."""
        fault, name = self._fault, event.instrument_id.value
        if type(event) is QuoteTick:
            lowest = event.bid_price
        elif type(event) is TradeTick:
            lowest = event.price
        else:
            return event
        if name not in self._moves:
            self._moves[name] = self._whole_move(name, lowest.raw)
        tick = self._ticks[name]
        move = self._moves[name]
        if fault.secs and ts_ns < fault.end_ns:
            move = move * (ts_ns - fault.at_ns) // (fault.end_ns - fault.at_ns)
        # A price is at least one tick, however far the market falls by itself.
        raw = max(move, 1 - lowest.raw // tick) * tick
        if type(event) is QuoteTick:
            return _quote(event, event.bid_price.raw + raw, event.ask_price.raw + raw, event.ts_init)
        price = Price.from_raw(event.price.raw + raw, event.price.precision)
        return TradeTick(
            event.instrument_id,
            price,
            event.size,
            event.aggressor_side,
            event.trade_id,
            event.ts_event,
            event.ts_init,
        )

    def _whole_move(self, name: str, raw: int) -> int:
        """Return the whole change in ticks, from the price at the fault, rounded away from nothing."""
        numerator, denominator = (self._fault.change_pct / 100).as_integer_ratio()
        ticks, rest = divmod(abs(numerator) * raw, denominator * self._ticks[name])
        return (ticks + bool(rest)) * (1 if numerator > 0 else -1)

    # -- One bad price ------------------------------------------------------------------------------------------------

    def _spiked(self, event: Any) -> tuple[Data, ...]:
        """Put a bad quote of each instrument in at the spike, and the last true one back if none comes by itself."""
        inserted: list[Data] = []
        if self._bad is None and event.ts_init > self._fault.at_ns:
            inserted += [self._at_spike(quote) for quote in self._last.values()]
            self._bad = set(self._last)
        if self._bad and event.ts_init > self._back_ns:
            right = [self._last[name] for name in sorted(self._bad)]
            inserted += [_quote(quote, quote.bid_price.raw, quote.ask_price.raw, self._back_ns) for quote in right]
            self._bad = set()
        name = event.instrument_id.value
        if type(event) is QuoteTick and name in self._fault.instruments:
            self._last[name] = event
            if self._bad:
                self._bad.discard(name)
        return (*inserted, event)

    def _at_spike(self, quote: QuoteTick) -> Data:
        bad: Any = self._shifted(quote, self._fault.at_ns)
        return _quote(quote, bad.bid_price.raw, bad.ask_price.raw, self._fault.at_ns)

    # -- No data, data that contradict themselves ---------------------------------------------------------------------

    def _stalled(self, event: Data) -> tuple[Data, ...]:
        return () if event.ts_init < self._fault.end_ns else (event,)

    def _crossed(self, event: Any) -> tuple[Data, ...]:
        if type(event) is not QuoteTick or event.ts_init >= self._fault.end_ns:
            return (event,)
        tick = self._ticks[event.instrument_id.value]
        bid = max(event.ask_price.raw, event.bid_price.raw + tick)
        return (_quote(event, bid, event.bid_price.raw, event.ts_init),)


def _quote(quote: QuoteTick, bid_raw: int, ask_raw: int, ts_ns: int) -> QuoteTick:
    """Return `quote` at other prices and another time."""
    return QuoteTick(
        quote.instrument_id,
        Price.from_raw(bid_raw, quote.bid_price.precision),
        Price.from_raw(ask_raw, quote.ask_price.precision),
        quote.bid_size,
        quote.ask_size,
        ts_ns,
        ts_ns,
    )

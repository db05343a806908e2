"""One glance at an order: whole numbers alone tell that it breaks no rule; who cannot tell so asks the rules."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId

from models.pre_trade import OrderBounds
from models.rate_limits import Duplicates, OrderRate
from models.risk_exposure import InstrumentExposure

_NEVER: Final = -1
_REMEMBERED: Final = 3
"""The median of so many points of the ledger's grid is a price that no single bad quote has moved."""
_MIDDLE: Final = _REMEMBERED // 2


class OrderGlance:
    """
    Approves orders of one instrument that are plainly harmless: False only means that the rules have to be asked.

    Nearly every order of a maker is such a one, and most only move. Prices and quantities are in the engine's
    fixed-point units.

    Parameters
    ----------
    instrument_id : InstrumentId
        What is traded.
    quote_of, now : callable
        Return the last quote of an instrument, and the time in UNIX ns.
    book : InstrumentExposure
        What is held and open.
    bounds : OrderBounds
        What the limits leave for one order.
    max_position : int, optional
        The largest position either way, in units.
    has_room : callable, optional
        Returns whether the limits of values surely have room for a quantity more; None where there is no such limit.
    rate : OrderRate, optional
        How many orders may be sent.
    duplicates : Duplicates, optional
        Knows the orders that were sent shortly before.
    fresh_ns : int
        Up to which age a quote is plainly fresh.
    permits : mapping
        What a reduced or halted scope may do; empty while all trade.
    passes : set of str
        Takes the ids of orders that may pass the gate.

    """

    __slots__ = (
        "_book",
        "_bounds",
        "_duplicates",
        "_fresh_ns",
        "_fresh_until_ns",
        "_has_room",
        "_highest_buy",
        "_instrument_id",
        "_lowest_sale",
        "_marks",
        "_max_position",
        "_now",
        "_orders",
        "_passes",
        "_permits",
        "_quote",
        "_quote_of",
        "_rate",
        "_twice_median",
    )

    def __init__(
        self,
        instrument_id: InstrumentId,
        *,
        quote_of: Callable[[InstrumentId], QuoteTick | None],
        now: Callable[[], int],
        book: InstrumentExposure,
        bounds: OrderBounds,
        max_position: int | None,
        has_room: Callable[[int], bool] | None,
        rate: OrderRate | None,
        duplicates: Duplicates | None,
        fresh_ns: int,
        permits: Mapping[str, str],
        passes: set[str],
    ) -> None:
        self._instrument_id, self._quote_of, self._now = instrument_id, quote_of, now
        self._book, self._orders, self._bounds = book, book.orders, bounds
        self._max_position, self._has_room = max_position, has_room
        self._rate, self._duplicates = rate, duplicates
        self._fresh_ns, self._permits, self._passes = fresh_ns, permits, passes
        self._marks: deque[QuoteTick] = deque(maxlen=_REMEMBERED)
        self._twice_median: int | None = None
        self._quote: QuoteTick | None = None
        self._fresh_until_ns = _NEVER
        self._highest_buy = self._lowest_sale = 0.0

    def remember_quote(self) -> None:
        """Take the last quote as that of a point of the ledger's grid."""
        quote = self._quote_of(self._instrument_id)
        if quote is not None:
            self._marks.append(quote)
            self._twice_median = None
            self._quote = None

    def twice_median(self) -> int | None:
        """Return twice the median of the mids at the last points of the grid; None while they are too few."""
        if self._twice_median is None and len(self._marks) == _REMEMBERED:
            self._twice_median = sorted(mark.bid_price.raw + mark.ask_price.raw for mark in self._marks)[_MIDDLE]
        return self._twice_median

    def moves(self, order_id: str, price: int, quantity: int) -> bool:
        """Approve an open order's new price, and a quantity that is no larger than what it counts with, if harmless."""
        order = self._orders.get(order_id)
        if order is None or quantity > order.held:
            return False
        now_ns = self._now()
        if not self.is_harmless(order.side, price, quantity, now_ns):
            return False
        if self._rate is not None and not self._rate.take(now_ns):
            return False
        self._passes.add(order_id)
        self._book.modifying(order, price, quantity)
        return True

    def opens(self, strategy: str, order_id: str, side: int, price: int, quantity: int) -> bool:
        """Approve a strategy's new order if harmless."""
        now_ns = self._now()
        if not (self.is_harmless(side, price, quantity, now_ns) and self.fits(side, quantity)):
            return False
        duplicates, said = self._duplicates, (strategy, side, price, quantity)
        if duplicates is not None and duplicates.check(now_ns, said) is not None:
            return False
        if self._rate is not None and not self._rate.take(now_ns):
            return False
        if duplicates is not None:
            duplicates.remember(now_ns, said, order_id)
        self._passes.add(order_id)
        self._book.submitting(order_id, strategy, side, price, quantity)
        return True

    def fits(self, side: int, quantity: int) -> bool:
        """Return whether a new order fits under the limits of positions, and surely under those of values."""
        if self._max_position is not None:
            total = self._book.total
            worst = (total.held + total.buying if side > 0 else total.selling - total.held) + quantity
            if worst > self._max_position:
                return False
        return self._has_room is None or self._has_room(quantity)

    def is_harmless(self, side: int, price: int, quantity: int, now_ns: int) -> bool:
        """Return whether state, market, price, own orders, size and value allow an order, whatever is held."""
        quote = self._quote_of(self._instrument_id)
        if quote is not self._quote:  # both sides of a maker ask at the same quote
            self._look_at(quote)
        if now_ns > self._fresh_until_ns or self._permits:
            return False
        book = self._book
        if side > 0:
            if price > self._highest_buy or (price >= book.lowest_sell and book.meets_own(side, price)):
                return False
        elif price < self._lowest_sale or (price <= book.highest_buy and book.meets_own(side, price)):
            return False
        return self._bounds.size_holds(price, quantity)

    def _look_at(self, quote: QuoteTick | None) -> None:
        self._quote = quote
        bid, ask = (0, 0) if quote is None else (quote.bid_price.raw, quote.ask_price.raw)
        if quote is None or not 0 < bid < ask:
            self._fresh_until_ns = _NEVER
            return
        twice_mid = bid + ask
        median = self.twice_median() or twice_mid
        self._highest_buy, self._lowest_sale = self._bounds.collar(min(twice_mid, median), max(twice_mid, median))
        self._fresh_until_ns = quote.ts_init + self._fresh_ns

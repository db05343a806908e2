"""What is known of an order when it is filled: the market when it was sent, and since when it has rested."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NamedTuple

from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.common.component import MessageBus
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.events import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderSubmitted,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId

WINDOW_SECS: Final = 10
"""Venues count orders in windows of the clock of this length."""

_WINDOW_NS: Final = WINDOW_SECS * 1_000_000_000
_OVER: Final = frozenset((OrderCanceled, OrderExpired, OrderRejected))


class Trace(NamedTuple):
    """
    An order so far.

    Parameters
    ----------
    sent_at : QuoteTick, optional
        The market when it was sent; None where nobody saw that.
    rests_at : QuoteTick, optional
        The market when it took its place at its present price; None where it never rested.
    rests_since_ns : int
        When that was, UNIX ns.

    """

    sent_at: QuoteTick | None = None
    rests_at: QuoteTick | None = None
    rests_since_ns: int = 0


class Messages(NamedTuple):
    """How many orders were new, changed or cancelled by strategy; new and changed ones by window of the clock too."""

    by_strategy: Counter[str]
    by_window: Counter[int]


class OrderTraces:
    """
    Follows every order from its sending to its end, with as little as a look at the last quote.

    Parameters
    ----------
    cache : CacheFacade
        Has the last quotes.

    """

    def __init__(self, cache: CacheFacade) -> None:
        self._cache = cache
        self._quote_of: Callable[[InstrumentId], QuoteTick | None]
        self._sent: dict[ClientOrderId, QuoteTick | None] = {}
        self._rests: dict[ClientOrderId, tuple[QuoteTick | None, int]] = {}

    def listen(self, msgbus: MessageBus) -> None:
        """Hear of every order."""
        self._quote_of = self._cache.quote_tick
        msgbus.subscribe("events.order.*", self.on_event)

    def of(self, order_id: ClientOrderId) -> Trace:
        """Return what is known of an order; nothing of one that came from elsewhere."""
        if order_id not in self._sent:
            return Trace()
        return Trace(self._sent[order_id], *self._rests.get(order_id, ()))

    def on_event(self, event: Any) -> None:
        """Follow an order."""
        kind = type(event)
        if kind is OrderUpdated or kind is OrderAccepted:  # asked first: most events of a maker on futures are changes
            self._rests[event.client_order_id] = (self._quote_of(event.instrument_id), event.ts_event)
        elif kind is OrderSubmitted:
            self._sent[event.client_order_id] = self._quote_of(event.instrument_id)
        elif kind in _OVER:
            self._sent.pop(event.client_order_id, None)
            self._rests.pop(event.client_order_id, None)

    def messages(self) -> Messages:
        """Count what was sent to the venue so far, by what the engine knows of every order."""
        by_strategy, by_window = Counter[str](), Counter[int]()
        for order in self._cache.orders():
            for event in order.events:
                kind = type(event)
                if kind is OrderSubmitted or kind is OrderUpdated:
                    by_window[event.ts_event // _WINDOW_NS] += 1
                    by_strategy[event.strategy_id.value] += 1
                elif kind is OrderCanceled:
                    by_strategy[event.strategy_id.value] += 1
        return Messages(by_strategy, by_window)


def mid_of(quote: QuoteTick | None) -> Decimal | None:
    """Return the middle of a quote."""
    return None if quote is None else (quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2

"""What every open order of every strategy could still do, kept up to date from the engine's events."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import (
    OrderCanceled,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import FIXED_PRECISION

from models.risk_exposure import InstrumentExposure

UNIT: Final = Decimal(1).scaleb(-FIXED_PRECISION)
"""What the engine counts prices, quantities and money in (`raw`)."""


class GuardBooks:
    """
    The open orders and positions of each instrument.

    Parameters
    ----------
    instrument_ids : iterable of InstrumentId
        What is traded; events of anything else are not booked.
    ended, answered : callable
        Called, once it is booked, with the event of an order that ended without a fill, and with each fill and each
        refusal by the venue.

    """

    def __init__(
        self,
        instrument_ids: Iterable[InstrumentId],
        ended: Callable[[OrderEvent], None],
        answered: Callable[[OrderEvent], None],
    ) -> None:
        self._books = {instrument_id: InstrumentExposure(UNIT) for instrument_id in instrument_ids}
        self.by_name = {instrument_id.value: book for instrument_id, book in self._books.items()}
        self._ended = ended
        self._answered = answered

    def take_over(self, instrument: Instrument, cache: CacheFacade) -> None:
        """Open the book of an instrument with what is held and open already."""
        book = self._books[instrument.id]
        book.base = instrument.base_currency.code
        for position in cache.positions_open(instrument_id=instrument.id):
            book.filled("", position.strategy_id.value, 1 if position.is_long else -1, position.quantity.raw)
        for order in [*cache.orders_open(instrument_id=instrument.id), *cache.orders_inflight()]:
            if order.instrument_id == instrument.id:
                side = 1 if order.side == OrderSide.BUY else -1
                price = order.price.raw if order.has_price else None
                book.submitting(order.client_order_id.value, order.strategy_id.value, side, price, order.leaves_qty.raw)
                book.orders[order.client_order_id.value].filled = order.filled_qty.raw

    def on_event(self, event: OrderEvent) -> None:
        """Book what has become of an order."""
        kind = type(event)
        if kind is OrderUpdated:  # looked at first: nearly all changes of a maker on futures are
            book = self._books.get(event.instrument_id)
            if book is not None:
                price = event.price
                book.updated(event.client_order_id.value, None if price is None else price.raw, event.quantity.raw)
            return
        handler = _HANDLERS.get(kind)
        if handler is None:
            return
        book = self._books.get(event.instrument_id)
        if book is not None:
            handler(book, event)
            if kind in _ENDS:
                self._ended(event)
        if kind in _ANSWERS:
            self._answered(event)


def _on_filled(book: InstrumentExposure, event: OrderFilled) -> None:
    side = 1 if event.order_side == OrderSide.BUY else -1
    fee = 0
    if event.commission is not None and event.commission.currency.code == book.base:
        fee = event.commission.raw  # spot: taken from the base asset, and so from the position
    book.filled(event.client_order_id.value, event.strategy_id.value, side, event.last_qty.raw, fee)


def _on_gone(book: InstrumentExposure, event: OrderEvent) -> None:
    book.gone(event.client_order_id.value)


def _on_unchanged(book: InstrumentExposure, event: OrderEvent) -> None:
    book.unchanged(event.client_order_id.value)


_ENDS: Final = frozenset((OrderCanceled, OrderRejected, OrderDenied, OrderExpired))
_ANSWERS: Final = frozenset((OrderFilled, OrderRejected, OrderModifyRejected))
_HANDLERS: Final[dict[type, Callable[[InstrumentExposure, Any], None]]] = {
    OrderFilled: _on_filled,
    OrderModifyRejected: _on_unchanged,
    **dict.fromkeys(_ENDS, _on_gone),
}

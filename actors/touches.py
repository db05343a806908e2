"""The last quotes of the instruments as exact numbers."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId

from models.attribution import EXACT

_TWO: Final = Decimal(2)


class Touch(NamedTuple):
    """A quote, its bid and ask, and the middle between them."""

    quote: QuoteTick
    bid: Decimal
    ask: Decimal
    mid: Decimal

    @property
    def is_sound(self) -> bool:
        """Whether the bid is above 0 and the ask not below it."""
        return 0 < self.bid <= self.ask


class Touches:
    """
    Looks up last quotes. Each is turned into exact numbers once: its `Touch` is the same object until the next quote.

    Parameters
    ----------
    cache : CacheFacade
        Has the last quotes.
    instrument_ids : sequence of InstrumentId
        Of these instruments.

    """

    def __init__(self, cache: CacheFacade, instrument_ids: Sequence[InstrumentId]) -> None:
        self._quote_of = cache.quote_tick
        self._ids = {instrument_id.value: instrument_id for instrument_id in instrument_ids}
        self._last: dict[str, Touch] = {}

    def of(self, instrument: str) -> Touch:
        """Return the touch of an instrument that has had a quote."""
        quote = self._quote_of(self._ids[instrument])
        touch = self._last.get(instrument)
        if touch is None or touch.quote is not quote:
            touch = self._last[instrument] = touch_of(quote)
        return touch


def touch_of(quote: QuoteTick) -> Touch:
    """Return a quote as exact numbers."""
    bid, ask = quote.bid_price.as_decimal(), quote.ask_price.as_decimal()
    return Touch(quote, bid, ask, EXACT.divide(bid + ask, _TWO))

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
    """The best bid, the best ask and the middle between them."""

    bid: Decimal
    ask: Decimal
    mid: Decimal


class _Seen(NamedTuple):
    """A quote, its prices in the engine's units, and the touch that it shows."""

    quote: QuoteTick
    bid_raw: int
    ask_raw: int
    touch: Touch


class Touches:
    """
    Looks up last quotes and turns them into exact numbers, as a `Touch` that is the same object until a price changes.

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
        self._seen: dict[str, _Seen] = {}

    def of(self, instrument: str) -> Touch:
        """Return the touch of an instrument that has had a quote."""
        quote = self._quote_of(self._ids[instrument])
        seen = self._seen.get(instrument)
        if seen is not None and seen.quote is quote:
            return seen.touch
        bid, ask = quote.bid_price, quote.ask_price
        if seen is not None and seen.bid_raw == bid.raw and seen.ask_raw == ask.raw:
            touch = seen.touch
        else:
            touch = _touch(bid.as_decimal(), ask.as_decimal())
        self._seen[instrument] = _Seen(quote, bid.raw, ask.raw, touch)
        return touch


def _touch(bid: Decimal, ask: Decimal) -> Touch:
    return Touch(bid, ask, EXACT.divide(bid + ask, _TWO))

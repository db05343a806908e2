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
        self._quotes: dict[str, QuoteTick] = {}
        self._raw: dict[str, tuple[int, int]] = {}
        self._touches: dict[str, Touch] = {}

    def of(self, instrument: str) -> Touch:
        """Return the touch of an instrument that has had a quote."""
        quote = self._quote_of(self._ids[instrument])
        if self._quotes.get(instrument) is not quote:
            self._quotes[instrument] = quote
            bid, ask = quote.bid_price, quote.ask_price
            raw = (bid.raw, ask.raw)
            if self._raw.get(instrument) != raw:
                self._raw[instrument] = raw
                self._touches[instrument] = _touch(bid.as_decimal(), ask.as_decimal())
        return self._touches[instrument]


def _touch(bid: Decimal, ask: Decimal) -> Touch:
    return Touch(bid, ask, EXACT.divide(bid + ask, _TWO))

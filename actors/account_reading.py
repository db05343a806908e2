"""What an account holds at a moment, and what that is worth."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.instruments import CurrencyPair, Instrument
from nautilus_trader.model.objects import Currency
from nautilus_trader.portfolio.base import PortfolioFacade

from actors.books import HOLDINGS
from actors.kept_books import OpenedBook
from actors.touches import Touches
from models.attribution import EXACT


@dataclass(frozen=True, slots=True)
class Holdings:
    """An account's cash, what it holds (on futures with the strategy that holds it), and its value."""

    cash: Decimal
    books: tuple[OpenedBook, ...]
    equity: Decimal


@dataclass(frozen=True, slots=True)
class AccountReader:
    """
    Reads the engine's account.

    Parameters
    ----------
    cache : CacheFacade
        Has the positions.
    portfolio : PortfolioFacade
        Has the account.
    currency : str
        Everything is valued in it.
    instruments : mapping
        What may be held, by name; all trade at one venue.
    touches : Touches
        Has the mids.
    entry_prices : mapping
        By instrument: the venue's average price of the position that is held; the engine's own is a guess.

    """

    cache: CacheFacade
    portfolio: PortfolioFacade
    currency: str
    instruments: Mapping[str, Instrument]
    touches: Touches
    entry_prices: Mapping[str, Decimal]

    def read(self) -> Holdings:
        """Return what is held now; every instrument must have had a quote."""
        cash = equity = self._balance(Currency.from_str(self.currency))
        held: dict[str, OpenedBook] = {}
        for name, instrument in self.instruments.items():
            mid = self.touches.of(name).mid
            if isinstance(instrument, CurrencyPair):
                base = instrument.base_currency
                if base.code not in held:
                    owned = self._balance(base)
                    held[base.code] = OpenedBook(HOLDINGS, name, owned, mid)
                    equity = EXACT.add(equity, EXACT.multiply(owned, mid))
                continue
            for position in self.cache.positions_open(instrument_id=instrument.id):
                owned = position.signed_decimal_qty()
                entry = self.entry_prices.get(name, Decimal(repr(position.avg_px_open)))
                gain = EXACT.multiply(owned, EXACT.subtract(mid, entry))
                equity = EXACT.add(equity, gain)
                held[position.id.value] = OpenedBook(position.strategy_id.value, name, owned, mid)
        return Holdings(cash, tuple(held.values()), equity)

    def _balance(self, currency: Currency) -> Decimal:
        balance = self.portfolio.account(self._venue()).balance_total(currency)
        return Decimal(0) if balance is None else Decimal(balance.as_decimal())

    def _venue(self) -> Venue:
        return next(iter(self.instruments.values())).id.venue

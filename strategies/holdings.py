"""What a strategy's spot assets and its cash are worth together."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Currency
from nautilus_trader.trading.strategy import Strategy
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Portfolio:
    """
    What is held at one moment, in the quote currency.

    Parameters
    ----------
    values : tuple of Decimal
        Of each asset, at its mid.
    cash : Decimal
        The balance of the quote currency.

    """

    values: tuple[Decimal, ...]
    cash: Decimal

    @property
    def equity(self) -> Decimal:
        """All of it."""
        return sum(self.values, self.cash)

    @property
    def weights(self) -> NDArray[np.float64]:
        """The share of each asset; what is missing to 1 is the cash."""
        equity = self.equity
        return np.array([float(value / equity) for value in self.values])


def balance(strategy: Strategy, instrument: CurrencyPair, currency: Currency, *, free: bool = False) -> Decimal:
    """Return the account's balance of a currency, 0 where it has none: all of it, or what no open order holds back."""
    account = strategy.portfolio.account(instrument.id.venue)
    amount = account.balance_free(currency) if free else account.balance_total(currency)
    return Decimal(0) if amount is None else Decimal(amount.as_decimal())

"""All books of an account, and what they add up to."""

from collections.abc import Mapping
from decimal import Decimal
from functools import reduce
from typing import Final, NamedTuple

from models.attribution import EXACT, ZERO, Parts, PositionLedger

HOLDINGS: Final = "(holdings)"
"""The book of what was held before the first trade; its profit belongs to no strategy."""

type Owner = tuple[str, str]
"""A strategy, or `HOLDINGS`, and an instrument."""


class Sums(NamedTuple):
    """
    What all books add up to at the last marks.

    Parameters
    ----------
    equity : Decimal
        The account's value, counted from cash and positions, apart from the parts.
    parts : Parts
        Where its change comes from.
    holdings : Decimal
        How much of the change belongs to what was held before the first trade.

    """

    equity: Decimal
    parts: Parts
    holdings: Decimal


class _Settled(NamedTuple):
    """What only a booking changes: the parts but for the inventory, and those of the holdings in one sum."""

    spread: Decimal
    fees: Decimal
    funding: Decimal
    holdings: Decimal
    positions: dict[str, Decimal]


class Books:
    """
    The books by owner.

    Attributes
    ----------
    by_owner : dict
        To be read; what is to be booked goes through `to_book`.
    equity_start : Decimal
        The account's value when they were opened, and what came or went without a trade since.

    """

    def __init__(self) -> None:
        self.by_owner: dict[Owner, PositionLedger] = {}
        self.equity_start = ZERO
        self._settled: _Settled | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing was booked since the last marks."""
        return self._settled is not None

    def open(self, owner: str, instrument: str, position: Decimal, mid: Decimal) -> None:
        """Open the book of what somebody holds already."""
        self._settled = None
        self.by_owner[owner, instrument] = PositionLedger(position=position, mid=mid)

    def to_book(self, owner: str, instrument: str) -> PositionLedger:
        """Return a book that is about to change, an empty one where there is none."""
        self._settled = None
        book = self.by_owner.get((owner, instrument))
        if book is None:
            book = self.by_owner[owner, instrument] = PositionLedger()
        return book

    def receive(self, instrument: str, amount: Decimal, mid: Decimal) -> None:
        """Take in what came without a trade: `instrument` is empty for the account's currency."""
        self._settled = None
        self.equity_start = EXACT.add(self.equity_start, EXACT.multiply(amount, mid))
        if instrument:
            self.to_book(HOLDINGS, instrument).receive(amount, mid)

    # -- At the marks -------------------------------------------------------------------------------------------------

    def mark(self, mids: Mapping[str, Decimal]) -> Sums:
        """Mark every book to the mid of its instrument and return what they add up to."""
        settled = self._settled
        if settled is None:
            settled = self._settled = self._settle()
        add = EXACT.add
        equity, inventory, holdings = self.equity_start, ZERO, settled.holdings
        for (owner, instrument), book in self.by_owner.items():
            book.mark(mids[instrument])
            equity = add(equity, book.equity_change)
            inventory = add(inventory, book.inventory)
            if owner == HOLDINGS:
                holdings = add(holdings, book.inventory)
        return Sums(equity, Parts(settled.spread, inventory, settled.fees, settled.funding), holdings)

    def _settle(self) -> _Settled:
        of_all, of_holdings = self.parts(), self.parts(HOLDINGS)
        return _Settled(
            spread=of_all.spread,
            fees=of_all.fees,
            funding=of_all.funding,
            holdings=sum_exactly(of_holdings.spread, of_holdings.fees, of_holdings.funding),
            positions={name: self._count_position(name) for _, name in self.by_owner},
        )

    def position(self, instrument: str) -> Decimal:
        """Return all that is held of `instrument`: what was there at the start and what every strategy traded."""
        if self._settled is None:
            return self._count_position(instrument)
        return self._settled.positions.get(instrument, ZERO)

    def _count_position(self, instrument: str) -> Decimal:
        return sum_exactly(*(book.position for (_, name), book in self.by_owner.items() if name == instrument))

    def equity(self) -> Decimal:
        """Return the account's value at the last marks."""
        return sum_exactly(self.equity_start, *(book.equity_change for book in self.by_owner.values()))

    def parts(self, owner: str | None = None, instrument: str | None = None) -> Parts:
        """Return the profit and loss by origin, of one owner or instrument or of all."""
        chosen = [
            book.parts
            for (whose, name), book in self.by_owner.items()
            if (owner is None or whose == owner) and (instrument is None or name == instrument)
        ]
        return Parts(*(sum_exactly(*column) for column in zip(*chosen, strict=True))) if chosen else Parts(*[ZERO] * 4)


def sum_exactly(*numbers: Decimal) -> Decimal:
    """Add up without rounding."""
    return reduce(EXACT.add, numbers, ZERO)

"""What the ledger's books are made of, so that a later process can go on with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from actors.ledger_records import EquityPoint, FillRecord
from messages.ledger import FundingPaid


@dataclass(frozen=True, slots=True)
class OpenedBook:
    """What a book held when it was opened, in the base asset, and the mid that valued it."""

    strategy: str
    instrument: str
    position: Decimal
    mid: Decimal


@dataclass(frozen=True, slots=True)
class Opening:
    """
    The books at their beginning.

    Parameters
    ----------
    ts_ns : int
        When, UNIX ns.
    equity : Decimal
        The account's value, in the ledger's currency.
    cash : Decimal
        The balance of that currency.
    books : tuple of OpenedBook
        What was held.

    """

    ts_ns: int
    equity: Decimal
    cash: Decimal
    books: tuple[OpenedBook, ...]


@dataclass(frozen=True, slots=True)
class Transfer:
    """
    What came or went without a trade of ours: a deposit, a withdrawal, a trade by hand. It is no profit and no loss.

    Parameters
    ----------
    ts_ns : int
        When it was noticed, UNIX ns.
    instrument : str
        Whose base asset or contract; empty for the ledger's currency.
    amount : Decimal
        Positive when received.
    mid : Decimal
        What a unit was worth.

    """

    ts_ns: int
    instrument: str
    amount: Decimal
    mid: Decimal


type Entry = FillRecord | FundingPaid | Transfer


@dataclass(slots=True)
class KeptBooks:
    """The books of an earlier process: their opening, every entry since in order, and the equity on the grid."""

    opening: Opening
    entries: list[Entry] = field(default_factory=list)
    points: list[EquityPoint] = field(default_factory=list)


class Keeper(Protocol):
    """Keeps books beyond the process."""

    def opened(self, opening: Opening) -> None:
        """Keep how the books begin."""

    def entered(self, entry: Entry) -> None:
        """Keep what was booked."""

    def marked(self, point: EquityPoint) -> None:
        """Keep a point of the equity."""


@dataclass(frozen=True, slots=True)
class EarlierBooks:
    """Books to go on with, and what says, once the instruments are known, what they have missed."""

    kept: KeptBooks
    missed: Callable[[], Sequence[Entry]] = tuple

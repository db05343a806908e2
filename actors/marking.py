"""Marking to market: the books at the last quotes, counted anew only when a price or a book has changed."""

from collections.abc import Iterable
from decimal import Decimal
from operator import is_
from typing import NamedTuple

from actors.books import Books
from actors.touches import Touch, Touches
from models.attribution import Parts


class Marks(NamedTuple):
    """
    What the books say at the quotes of one moment.

    Parameters
    ----------
    equity, parts, holdings
        As of `EquityPoint`.
    positions : list of (str, Touch, Decimal)
        Each instrument, its touch and what is held of it in all.
    sound : bool
        Whether every quote is one: a bid above 0, and no ask below it.

    """

    equity: Decimal
    parts: Parts
    holdings: Decimal
    positions: list[tuple[str, Touch, Decimal]]
    sound: bool


class Marking:
    """
    Marks books to the last quotes.

    Parameters
    ----------
    books : Books
        These.
    touches : Touches
        Has the last quotes.
    instruments : iterable of str
        The names of all instruments in the books.

    """

    def __init__(self, books: Books, touches: Touches, instruments: Iterable[str]) -> None:
        self._books = books
        self._touches = touches
        self._instruments = tuple(instruments)
        self._marked_at: list[Touch] = []
        self._marks: Marks | None = None

    def marks(self) -> Marks:
        """Return what the books say now."""
        touches = list(map(self._touches.of, self._instruments))
        if self._marks is None or not (self._books.is_settled and all(map(is_, touches, self._marked_at))):
            self._marks, self._marked_at = self._mark(touches), touches
        return self._marks

    def _mark(self, touches: list[Touch]) -> Marks:
        names = self._instruments
        equity, parts, holdings = self._books.mark(
            {name: touch.mid for name, touch in zip(names, touches, strict=True)}
        )
        positions = [(name, touch, self._books.position(name)) for name, touch in zip(names, touches, strict=True)]
        sound = all([0 < touch.bid <= touch.ask for touch in touches])
        return Marks(equity, parts, holdings, positions, sound)

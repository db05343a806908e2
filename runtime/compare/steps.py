"""What each maker wanted, as steps over the market's events."""

from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal

from data_catalog.run_recordings.rows import Decided
from runtime.compare.log import Output, Placed

type Maker = tuple[str, str]
"""Strategy and instrument."""
type Quotes = tuple[tuple[str, Decimal, Decimal], ...]
"""Side ("BID" or "ASK"), price and quantity of each."""


class Steps:
    """
    The quotes that were in force after each market event, by maker.

    Parameters
    ----------
    outputs : iterable of Placed
        What was done.

    """

    def __init__(self, outputs: Iterable[Placed[Output]]) -> None:
        self._places: dict[Maker, list[int]] = {}
        self._quotes: dict[Maker, list[Quotes]] = {}
        for placed in outputs:
            row = placed.row
            if isinstance(row, Decided):
                maker = row.strategy, row.instrument
                quotes = tuple((side, Decimal(price), Decimal(quantity)) for side, price, quantity in row.quotes)
                self._places.setdefault(maker, []).append(placed.after)
                self._quotes.setdefault(maker, []).append(quotes)

    @property
    def makers(self) -> list[Maker]:
        """Everybody who decided anything."""
        return list(self._places)

    def at(self, maker: Maker, after: int) -> Quotes:
        """Return what a maker wanted once a market event had been answered."""
        place = bisect_right(self._places.get(maker, []), after)
        return self._quotes[maker][place - 1] if place else ()

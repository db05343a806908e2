"""Decimal texts and floats turned into exact whole counts of an instrument's price and size units."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
import pyarrow as pa
from nautilus_trader.model.instruments import Instrument
from numpy.typing import NDArray

from data_catalog.columns import Int64

RESIDUAL_STEPS = 1e-6
# The exchange writes sizes with at most eight decimals.
FINEST = 8
GRID_HINT = "is the definition of another time? give that one by --exchange-info"


class NotOnGrid(Exception):  # noqa: N818 (reads as what it is at every raise)
    """
    A text that is not a number or not a multiple of the unit.

    Parameters
    ----------
    row : int
        Position of the first such text, from 0.
    problem : str
        The text quoted, and what was expected.

    """

    def __init__(self, row: int, problem: str) -> None:
        self.row = row
        self.problem = problem
        super().__init__(problem)


@dataclass(frozen=True, slots=True)
class Grid:
    """
    The units in which an instrument's prices and sizes are counted.

    Attributes
    ----------
    price_precision, size_precision : int
        Decimals: a price count is worth 10^-price_precision.
    tick : int
        The price increment as a count.

    """

    price_precision: int
    size_precision: int
    tick: int

    @classmethod
    def of(cls, instrument: Instrument) -> "Grid":
        """Return the grid of `instrument`."""
        precision = instrument.price_precision
        tick = int(Decimal(str(instrument.price_increment)).scaleb(precision))
        return cls(precision, instrument.size_precision, tick)

    def prices(self, texts: Sequence[str]) -> Int64:
        """Return prices as counts; raises `NotOnGrid` for a text that is no number or no multiple of the tick."""
        counts = exact_counts(texts, self.price_precision, "price")
        if self.tick > 1 and (off := np.flatnonzero(counts % self.tick)).size:
            row = int(off[0])
            raise NotOnGrid(row, f'price "{texts[row]}" is not a multiple of the tick {self._tick_text()}')
        return counts

    def sizes(self, texts: Sequence[str]) -> tuple[Int64, int]:
        """
        Return sizes as counts, and how many were rounded; raises `NotOnGrid` for a text that is no number.

        Orders placed before a symbol's step was made coarser still rest in its book, with more decimals than the
        step has. Their sizes become the nearest count, and never 0, which would mean an empty level.
        """
        try:
            return exact_counts(texts, self.size_precision, "size"), 0
        except NotOnGrid:
            fine = exact_counts(texts, FINEST, "size")
        unit = 10 ** (FINEST - self.size_precision)
        counts, rest = np.divmod(fine, unit)
        counts += rest * 2 >= unit
        return np.where((counts == 0) & (fine > 0), 1, counts), int(np.count_nonzero(rest))

    def _tick_text(self) -> str:
        return f"{Decimal(self.tick).scaleb(-self.price_precision):f}"


def exact_counts(texts: Sequence[str], precision: int, what: str) -> Int64:
    """
    Return decimal texts as whole counts of 10^-precision, exactly.

    Parameters
    ----------
    texts : Sequence[str]
        Such as "1.21400000"; trailing zeros beyond `precision` are fine, other digits are not.
    precision : int
        Decimals of the unit.
    what : str
        Word for the message, "price" or "size".

    Raises
    ------
    NotOnGrid
        At the first text that is negative, is no number or has more decimals than the unit.

    """
    if not texts:
        return np.empty(0, np.int64)
    try:
        decimals = pa.array(texts, pa.string()).cast(pa.decimal128(38, precision))
    except pa.ArrowInvalid as error:
        raise _first_off_grid(texts, precision, what) from error
    # A decimal128 is a little-endian 128-bit integer; the low half is the count while the high half is 0.
    words = np.frombuffer(decimals.buffers()[1], np.int64, 2 * len(texts)).reshape(-1, 2)
    if words[:, 1].any() or (words[:, 0] < 0).any():
        raise _first_off_grid(texts, precision, what)
    return words[:, 0].copy()


def _first_off_grid(texts: Sequence[str], precision: int, what: str) -> NotOnGrid:
    unit = Decimal(1).scaleb(-precision)
    for row, text in enumerate(texts):
        try:
            value = Decimal(text)
        except InvalidOperation:
            return NotOnGrid(row, f'{what} "{text}" is not a number')
        if not value.is_finite() or value < 0 or value.scaleb(precision) >= 2**63:
            return NotOnGrid(row, f'{what} "{text}" is out of range')
        if value % unit:
            return NotOnGrid(row, f'{what} "{text}" is not a multiple of {unit:f}')
    return NotOnGrid(0, f"a {what} is not written as a decimal number")


def rounded_counts(values: NDArray[np.float64], precision: int, unit: int = 1) -> tuple[Int64, int]:
    """
    Return floats as whole counts of 10^-precision, and how many were not on the grid.

    Parameters
    ----------
    values : NDArray[np.float64]
        Finite and not negative.
    precision : int
        Decimals of the unit.
    unit : int
        The step of the grid as a count of 10^-precision.

    Returns
    -------
    tuple[Int64, int]
        The nearest counts on the grid, and the number of values further from it than 1e-6 of a step beyond what a
        64-bit float leaves open.

    """
    steps = values * (10.0**precision / unit)
    nearest = np.rint(steps)
    open_by_float = 4 * np.finfo(np.float64).eps * np.abs(steps)
    off = np.abs(steps - nearest) > RESIDUAL_STEPS + open_by_float
    return nearest.astype(np.int64) * unit, int(np.count_nonzero(off))

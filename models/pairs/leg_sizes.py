"""A position in a pair as whole lots of both legs."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple


class PairLots(NamedTuple):
    """Signed lots of y and of x."""

    y: int
    x: int


def pair_lots(side: int, value: Decimal, beta: Decimal, lot_value_y: Decimal, lot_value_x: Decimal) -> PairLots:
    """
    Return the lots of a position: y as near to its value as lots allow, x as near to beta times what y then is.

    Parameters
    ----------
    side : {-1, 0, 1}
        +1: long y and, with a beta above 0, short x.
    value : Decimal
        Of y, in the quote currency.
    beta : Decimal
        The hedge ratio.
    lot_value_y, lot_value_x : Decimal
        Value of one lot of each, in the quote currency, above 0.

    """
    y = _nearest(value / lot_value_y)
    x = _nearest(beta * y * lot_value_y / lot_value_x)
    return PairLots(side * y, -side * x)


def rounding_residual(lots: PairLots, beta: Decimal, lot_value_y: Decimal, lot_value_x: Decimal) -> Decimal:
    """Return the value that whole lots leave unhedged, in the quote currency; above 0 when x is longer than asked."""
    return lots.x * lot_value_x + beta * lots.y * lot_value_y


def _nearest(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_HALF_EVEN))

"""
Several quotes a side: prices in ticks and sizes in lots from the first quote.

Everything that comes out is a whole number. Prices are rounded outward and sizes down, so a ladder never quotes better
or larger than was asked for.
"""

import math
from collections.abc import Sequence
from enum import Enum

from models.market_making.quote_plan import Quote, Side

# A product this close to a whole number, relative to itself, is that number: 100 * 0.7 * 0.7 is 48.99999999999999.
RELATIVE_TOLERANCE = 1e-9


class SizeShape(Enum):
    """How sizes change from level to level: by a number of lots, or by a factor."""

    LINEAR = "linear"
    GEOMETRIC = "geometric"


def whole_lots(lots: float) -> int:
    """
    Return the whole lots in a quantity.

    Parameters
    ----------
    lots : float
        At least 0, finite.

    Returns
    -------
    int
        Rounded down, but for what is a whole number within rounding.

    Raises
    ------
    ValueError
        If `lots` is negative or not finite.

    """
    if not 0.0 <= lots < math.inf:
        raise ValueError(f"lots was {lots}, expected at least 0 and finite")
    nearest = round(lots)
    return nearest if abs(lots - nearest) <= RELATIVE_TOLERANCE * nearest else math.floor(lots)


def ladder_prices(side: Side, first: int, levels: int, spacing: float) -> list[int]:
    """
    Return the prices of one side, from the first quote outwards.

    Parameters
    ----------
    side : Side
        Bids go down, asks go up.
    first : int
        The price of the first level, in ticks.
    levels : int
        How many, at least 0.
    spacing : float
        From level to level, in ticks, above 0. Level i is i spacings away, rounded outward, and at least i ticks: no
        two levels share a price.

    Returns
    -------
    list[int]
        In ticks; fewer than `levels` where bids would reach zero.

    Raises
    ------
    ValueError
        If `levels` is negative or `spacing` is not positive and finite.

    """
    if levels < 0:
        raise ValueError(f"levels was {levels}, expected at least 0")
    if not 0.0 < spacing < math.inf:
        raise ValueError(f"spacing was {spacing}, expected above 0 and finite")
    prices = [first - side.sign * max(level, _outward(level * spacing)) for level in range(levels)]
    return [price for price in prices if price > 0]


def ladder_sizes(
    first_lots: float, levels: int, step: float, shape: SizeShape = SizeShape.LINEAR, room: float = math.inf
) -> list[int]:
    """
    Return the sizes of one side, from the first quote outwards.

    Parameters
    ----------
    first_lots : float
        Size of the first level in lots, at least 0.
    levels : int
        How many, at least 0.
    step : float
        LINEAR: lots added per level, negative for sizes that fall. GEOMETRIC: the factor per level, above 0.
    shape : SizeShape
        Which of the two.
    room : float
        The most that all levels may hold together, in lots: what the inventory limit leaves. The level that would
        exceed it is cut, and those behind it are 0.

    Returns
    -------
    list[int]
        `levels` sizes in lots, 0 where a level has none.

    Raises
    ------
    ValueError
        If `first_lots` or `levels` is negative, a size is not finite, a factor is not positive or `room` is NaN.

    """
    if levels < 0:
        raise ValueError(f"levels was {levels}, expected at least 0")
    if shape is SizeShape.GEOMETRIC and not step > 0.0:
        raise ValueError(f"step was {step}, expected a factor above 0")
    if math.isnan(room):
        raise ValueError("room was not a number")
    if first_lots < 0.0:
        raise ValueError(f"first_lots was {first_lots}, expected at least 0")
    left = room if room == math.inf else whole_lots(room) if room > 0.0 else 0
    sizes = []
    for level in range(levels):
        wanted = first_lots * step**level if shape is SizeShape.GEOMETRIC else first_lots + level * step
        size = 0 if wanted <= 0.0 else whole_lots(wanted)
        if size > left:
            size = int(left)
        left -= size
        sizes.append(size)
    return sizes


def ladder_quotes(
    first_bid: int | None,
    first_ask: int | None,
    bid_sizes: Sequence[int],
    ask_sizes: Sequence[int],
    spacing: float,
) -> list[Quote]:
    """
    Return the quotes of both sides.

    Parameters
    ----------
    first_bid, first_ask : int or None
        Prices of the first levels in ticks, bid below ask; None for a side that does not quote.
    bid_sizes, ask_sizes : sequence of int
        Sizes from the first level outwards, in lots. A size of 0 leaves its level out; the others stay where they are.
    spacing : float
        From level to level, in ticks, above 0.

    Returns
    -------
    list[Quote]
        Bids from the best downwards, then asks from the best upwards. Every bid is below every ask.

    Raises
    ------
    ValueError
        If the first bid is not below the first ask, a size is negative or `spacing` is not positive.

    """
    if first_bid is not None and first_ask is not None and first_bid >= first_ask:
        raise ValueError(f"the first bid, {first_bid}, was not below the first ask, {first_ask}")
    quotes: list[Quote] = []
    for side, first, sizes in ((Side.BID, first_bid, bid_sizes), (Side.ASK, first_ask, ask_sizes)):
        if sizes and min(sizes) < 0:
            raise ValueError("a size was negative")
        if first is not None:
            quotes += _ladder(side, first, sizes, spacing)
    return quotes


def _ladder(side: Side, first: int, sizes: Sequence[int], spacing: float) -> list[Quote]:
    if len(sizes) == 1:  # most makers have one level: its price is known
        return [Quote(side, first, sizes[0])] if sizes[0] and first > 0 else []
    prices = ladder_prices(side, first, len(sizes), spacing)
    return [Quote(side, price, size) for price, size in zip(prices, sizes, strict=False) if size]


def _outward(ticks: float) -> int:
    nearest = round(ticks)
    return nearest if abs(ticks - nearest) <= RELATIVE_TOLERANCE * nearest else math.ceil(ticks)

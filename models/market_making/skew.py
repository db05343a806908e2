"""
Inventory skew: prices and sizes that lean against the position.

Inventory is measured as its distance from the target in units of the largest distance wanted, from -1 to 1: positive
when there is too much. Price skew moves both quotes the other way; size skew makes the quote that would add to the
inventory smaller. Both are mirror symmetric: minus the inventory exchanges the sides.
"""

import math

BPS = 1e-4


def normalised_inventory(position: float, target: float, max_deviation: float) -> float:
    """
    Return how far the position is from its target, as a share of the largest deviation wanted.

    Parameters
    ----------
    position, target : float
        In any one unit (lots, units of the asset, value).
    max_deviation : float
        In the same unit, above 0.

    Returns
    -------
    float
        Between -1 and 1; beyond the largest deviation it stays there.

    Raises
    ------
    ValueError
        If `max_deviation` is not positive.

    """
    if not max_deviation > 0.0:
        raise ValueError("max_deviation was not positive")
    return min(max((position - target) / max_deviation, -1.0), 1.0)


def skewed_price(price: float, inventory: float, skew_bps: float) -> float:
    """
    Return a reference price moved against the inventory: price (1 - skew inventory).

    Quotes around the result have unchanged distances from each other. This is the linear skew that both
    Avellaneda-Stoikov and GLFT have, with the slope as a parameter instead of as a formula.

    Parameters
    ----------
    price : float
        The fair value.
    inventory : float
        Normalised, from -1 to 1.
    skew_bps : float
        The shift at an inventory of 1, in basis points of the price, 0 to 10,000.

    Returns
    -------
    float
        Below `price` when there is too much, above it when there is too little, by at most `skew_bps`.

    Raises
    ------
    ValueError
        If `skew_bps` or `inventory` is out of its range.

    """
    if not 0.0 <= skew_bps <= 1.0 / BPS:
        raise ValueError(f"skew_bps was {skew_bps}, expected 0 to 10000")
    return price * (1.0 - skew_bps * BPS * _checked(inventory))


def linear_size_factors(inventory: float, strength: float) -> tuple[float, float]:
    """
    Return the factors of bid and ask size: 1 - strength |inventory| on the side that adds, 1 on the other.

    Parameters
    ----------
    inventory : float
        Normalised, from -1 to 1.
    strength : float
        0 (sizes do not change) to 1 (at the largest deviation the side that adds does not quote).

    Returns
    -------
    tuple[float, float]
        Factors of bid and ask, each from 0 to 1.

    Raises
    ------
    ValueError
        If `strength` or `inventory` is out of its range.

    """
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"strength was {strength}, expected 0 to 1")
    held = _checked(inventory)
    return 1.0 - strength * max(held, 0.0), 1.0 - strength * max(-held, 0.0)


def exponential_size_factors(inventory: float, eta: float) -> tuple[float, float]:
    """
    Return the factors of bid and ask size: exp(-eta |inventory|) on the side that adds, 1 on the other.

    The order size of Fushimi, González Rojas and Herman, "Optimal high-frequency market making" (Stanford, 2018),
    section 2.2, in normalised inventory. Unlike the linear one it never reaches 0.

    Parameters
    ----------
    inventory : float
        Normalised, from -1 to 1.
    eta : float
        At least 0; at the largest deviation the size is exp(-eta).

    Returns
    -------
    tuple[float, float]
        Factors of bid and ask, each above 0 and at most 1.

    Raises
    ------
    ValueError
        If `eta` is negative or `inventory` out of its range.

    """
    if not eta >= 0.0:
        raise ValueError("eta was negative")
    held = _checked(inventory)
    return math.exp(-eta * max(held, 0.0)), math.exp(-eta * max(-held, 0.0))


def _checked(inventory: float) -> float:
    if not -1.0 <= inventory <= 1.0:
        raise ValueError(f"inventory was {inventory}, expected -1 to 1")
    return inventory

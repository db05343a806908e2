"""
Quotes by inventory, computed once and looked up at every decision.

Units: inventory in lots, prices and distances in the quote currency.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_LOTS = 500

# An inventory this close to a whole number of lots is that number: 0.3/0.1 is 2.9999999999999996.
WHOLE_LOT_TOLERANCE = 1e-9

type Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class InventoryQuotes:
    """
    Distances of the quotes from the mid by inventory.

    Parameters
    ----------
    max_lots : int
        Q, the inventory limit in lots.
    bid_distances : tuple of float
        mid - bid at q = -Q, ..., Q - 1.
    ask_distances : tuple of float
        ask - mid at q = -Q + 1, ..., Q.

    """

    max_lots: int
    bid_distances: tuple[float, ...]
    ask_distances: tuple[float, ...]

    def distances(self, inventory: float) -> tuple[float, float]:
        """
        Return the distances at an inventory; between whole lots they are interpolated.

        Parameters
        ----------
        inventory : float
            q, in lots; negative when short.

        Returns
        -------
        tuple[float, float]
            mid - bid and ask - mid; inf for a side on which one more lot would exceed the limit. Beyond the limit the
            side that reduces the inventory quotes as at the limit.

        """
        last = self.max_lots - 1 + WHOLE_LOT_TOLERANCE
        below = math.inf if inventory > last else _interpolate(self.bid_distances, inventory + self.max_lots)
        above = math.inf if inventory < -last else _interpolate(self.ask_distances, inventory + self.max_lots - 1)
        return below, above

    def quotes(self, mid: float, inventory: float) -> tuple[float, float]:
        """
        Return the bid and ask at an inventory.

        Parameters
        ----------
        mid : float
            The mid price.
        inventory : float
            q, in lots; negative when short.

        Returns
        -------
        tuple[float, float]
            Bid and ask, bid below ask; -inf (no bid) or +inf (no ask) where one more lot would exceed the limit.

        """
        below, above = self.distances(inventory)
        return mid - below, mid + above


def quotes_from_log_ratios(log_ratios: Vector, kappa: float, premium: float) -> InventoryQuotes:
    """
    Return the table of `premium` + ln(v_q/v_{q+1})/k for the bid and `premium` + ln(v_q/v_{q-1})/k for the ask.

    Parameters
    ----------
    log_ratios : ndarray, shape (2Q,)
        ln(v_q/v_{q+1}) at q = -Q, ..., Q - 1.
    kappa : float
        k, per unit of price, above 0.
    premium : float
        In price.

    Returns
    -------
    InventoryQuotes
        The table, in price.

    """
    bids = premium + log_ratios / kappa
    asks = premium - log_ratios / kappa
    return InventoryQuotes(len(log_ratios) // 2, tuple(bids.tolist()), tuple(asks.tolist()))


def check_max_lots(max_lots: int) -> None:
    """
    Raise ValueError unless `max_lots` is 1 to 500.

    Parameters
    ----------
    max_lots : int
        Q, in lots.

    Raises
    ------
    ValueError
        If it is not.

    """
    if not 1 <= max_lots <= MAX_LOTS:
        raise ValueError(f"max_lots was {max_lots}, expected 1 to {MAX_LOTS}")


def _interpolate(values: tuple[float, ...], position: float) -> float:
    nearest = round(position)
    if abs(position - nearest) <= WHOLE_LOT_TOLERANCE or not 0.0 < position < len(values) - 1:
        return values[min(max(nearest, 0), len(values) - 1)]
    index = math.floor(position)
    share = position - index
    return (1.0 - share) * values[index] + share * values[index + 1]

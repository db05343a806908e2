"""
Quotes of Cartea, Jaimungal and Penalva, "Algorithmic and High-Frequency Trading" (2015), section 10.2.

The maker maximises its expected cash at the end, less alpha q^2 for closing its inventory and less phi times the
integral of q^2: it is averse to inventory, not to the randomness of its profit. Market orders to buy come at a rate
lambda+ and those to sell at lambda-, and one reaches a quote at distance d with probability exp(-kappa d). With
omega = exp(kappa h) the equations of the value h become linear: omega(tau) = exp(A tau) z, where A has -phi kappa q^2
on its diagonal, lambda+/e below and lambda-/e above it, and z = exp(-alpha kappa q^2).

With lambda+ = lambda- = A and phi = gamma sigma^2/2 these are the quotes of Guéant, Lehalle and Fernandez-Tapia in the
limit of no aversion to random fills (`GlftModel(..., xi=0)`).

Units: prices and distances in the quote currency; inventory in lots; `kappa` per unit of price; `buy_rate` and
`sell_rate` in market orders per time unit; `phi` in price per lot and time unit; `alpha` in price per lot.
"""

import math

import numpy as np

from models.market_making.glft_spectral import evolved_log_ratios, ground_state_log_ratios
from models.market_making.inventory_quotes import InventoryQuotes, Vector, check_max_lots, quotes_from_log_ratios


def finite_horizon_quotes(  # noqa: PLR0917 (the parameters of the formula)
    max_lots: int, phi: float, alpha: float, kappa: float, buy_rate: float, sell_rate: float, time_left: float
) -> InventoryQuotes:
    """
    Return the quotes at a time before the end of trading.

    The ask is at 1/kappa - h(q - 1) + h(q) and the bid at 1/kappa - h(q + 1) + h(q).

    Parameters
    ----------
    max_lots : int
        The inventory limit in lots, 1 to 500.
    phi : float
        Running penalty on inventory, at least 0.
    alpha : float
        Cost of closing the inventory at the end, at least 0.
    kappa : float
        Decay of the fill probability with distance, above 0.
    buy_rate : float
        lambda+, market orders to buy (they fill our ask), above 0.
    sell_rate : float
        lambda-, market orders to sell (they fill our bid), above 0.
    time_left : float
        T - t, at least 0 and finite.

    Returns
    -------
    InventoryQuotes
        The table.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the outermost inventories are worth less than a double can hold.

    """
    lots, hop, tilt = _linear_system(max_lots, phi, kappa, buy_rate, sell_rate)
    if not alpha >= 0.0:
        raise ValueError("alpha was negative")
    final = -alpha * kappa * lots * lots - tilt * lots
    ratios = evolved_log_ratios(phi * kappa * lots * lots, hop, final, time_left)
    return quotes_from_log_ratios(ratios - tilt, kappa, 1.0 / kappa)


def stationary_quotes(max_lots: int, phi: float, kappa: float, buy_rate: float, sell_rate: float) -> InventoryQuotes:
    """
    Return the quotes far from the end of trading, from the eigenvector of the largest eigenvalue of A.

    Parameters
    ----------
    max_lots : int
        The inventory limit in lots, 1 to 500.
    phi, kappa, buy_rate, sell_rate : float
        As in `finite_horizon_quotes`.

    Returns
    -------
    InventoryQuotes
        The table.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    """
    lots, hop, tilt = _linear_system(max_lots, phi, kappa, buy_rate, sell_rate)
    ratios = ground_state_log_ratios(phi * kappa * lots * lots, hop)
    return quotes_from_log_ratios(ratios - tilt, kappa, 1.0 / kappa)


def _linear_system(
    max_lots: int, phi: float, kappa: float, buy_rate: float, sell_rate: float
) -> tuple[Vector, float, float]:
    """
    Return the inventories, the coupling of the symmetric system and the tilt that makes it symmetric.

    omega_q = exp(tilt q) g_q with tilt = ln(lambda+/lambda-)/2 turns both couplings into sqrt(lambda+ lambda-)/e.
    """
    check_max_lots(max_lots)
    for name, value in (("kappa", kappa), ("buy_rate", buy_rate), ("sell_rate", sell_rate)):
        if not value > 0.0:
            raise ValueError(f"{name} was not positive")
    if not phi >= 0.0:
        raise ValueError("phi was negative")
    lots = np.arange(-max_lots, max_lots + 1, dtype=np.float64)
    return lots, math.sqrt(buy_rate) * math.sqrt(sell_rate) / math.e, 0.5 * math.log(buy_rate / sell_rate)

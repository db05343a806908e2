"""
Closed-form quotes of Guéant, Lehalle and Fernandez-Tapia, and of Guéant.

GLFT is "Dealing with the inventory risk: a solution to the market making problem" (Mathematics and Financial Economics
7(4), 2013, arXiv:1105.3115v5); Guéant is "Optimal market making" (Applied Mathematical Finance 24(2), 2017,
arXiv:1605.01862). A quote at distance d from the mid is filled A exp(-k d) times per unit of time. Far from the end of
trading the best quotes stop depending on time, and near an inventory of zero they are close to these formulas. Near the
inventory limit they are not: with sigma = 0.3, A = 0.9, k = 0.3, gamma = 0.01 and a limit of 10 lots the half-spread is
3.31 ticks, and the formula misses the exact quote by 0.20 ticks at 5 lots and by 1.69 at 9. `glft_spectral` is exact.

Units, everywhere in this file: prices and distances in the quote currency (or in ticks, if everything is); `sigma` is
the ABSOLUTE volatility of the price, in price per square root of the time unit; `intensity` (A) in fills per time unit
of a quote at the mid; `kappa` (k) per unit of price; `risk_aversion` (gamma) and `xi` per unit of money, which for lots
of one unit is per unit of price. Every function takes and returns plain floats. A distance may be negative: with a
large inventory the quote that reduces it lies beyond the mid.
"""

import math

from models.market_making.avellaneda_stoikov import liquidity_premium

# The largest kappa * impact: a quote that far out is filled e^-500 times as often, which is never.
MAX_IMPACT = 1000.0


def skew_per_unit(  # noqa: PLR0917 (the parameters of the formula)
    risk_aversion: float, sigma: float, intensity: float, kappa: float, xi: float, lot: float
) -> float:
    """
    Return how far both quotes move per unit of inventory: sigma c2 of Guéant (4.6) and (4.7).

    c2 = sqrt(gamma / (2 A D k) (1 + xi D/k)^(k/(xi D) + 1)) with D the lot; at xi = 0 the power is e. With xi = gamma
    and D = 1 it is the square root in the approximations of GLFT, section 4.

    Parameters
    ----------
    risk_aversion : float
        gamma, at least 0. At 0 inventory does not move the quotes.
    sigma : float
        Absolute volatility, at least 0.
    intensity : float
        A, above 0.
    kappa : float
        k, above 0.
    xi : float
        Aversion to the risk that fills come at random, at least 0; gamma in GLFT.
    lot : float
        D, the quantity of one order in units of the asset, above 0.

    Returns
    -------
    float
        In price per unit of the asset, at least 0.

    Raises
    ------
    ValueError
        If `intensity`, `kappa` or `lot` is not positive, or one of the others is negative.

    """
    if not risk_aversion >= 0.0:
        raise ValueError("risk_aversion was negative")
    if not sigma >= 0.0:
        raise ValueError("sigma was negative")
    if not intensity > 0.0:
        raise ValueError("intensity was not positive")
    if not lot > 0.0:
        raise ValueError("lot was not positive")
    # The logarithm of (1 + x)^(1/x + 1), which keeps its precision as x = xi D/k goes to 0.
    power = kappa * liquidity_premium(xi * lot, kappa) + math.log1p(xi * lot / kappa)
    return sigma * math.sqrt(risk_aversion / (2.0 * intensity * lot * kappa) * math.exp(power))


def gueant_distances(  # noqa: PLR0917 (the parameters of the formula)
    inventory: float, risk_aversion: float, sigma: float, intensity: float, kappa: float, xi: float, lot: float
) -> tuple[float, float]:
    """
    Return the distances of bid and ask from the mid, Guéant (4.6) and (4.7).

    c1 + (2q + D)/2 sigma c2 and c1 - (2q - D)/2 sigma c2, where c1 = ln(1 + xi D/k)/(xi D), which is 1/k at xi = 0.
    xi = gamma is the maker with exponential utility (Model A), xi = 0 the one that maximises its profit less
    gamma/2 times the variance of its inventory (Model B).

    Parameters
    ----------
    inventory : float
        q, in units of the asset; negative when short.
    risk_aversion, sigma, intensity, kappa, xi, lot : float
        As in `skew_per_unit`.

    Returns
    -------
    tuple[float, float]
        mid - bid and ask - mid, in price. Their sum, the spread, does not depend on the inventory.

    Raises
    ------
    ValueError
        If `intensity`, `kappa` or `lot` is not positive, or `risk_aversion`, `sigma` or `xi` is negative.

    """
    skew = skew_per_unit(risk_aversion, sigma, intensity, kappa, xi, lot)
    half_spread = liquidity_premium(xi * lot, kappa) + 0.5 * lot * skew
    return half_spread + skew * inventory, half_spread - skew * inventory


def gueant_quotes(  # noqa: PLR0917 (the parameters of the formula)
    mid: float,
    inventory: float,
    risk_aversion: float,
    sigma: float,
    intensity: float,
    kappa: float,
    xi: float,
    lot: float,
) -> tuple[float, float]:
    """
    Return the bid and ask of Guéant's model.

    Parameters
    ----------
    mid : float
        The mid price.
    inventory : float
        q, in units of the asset; negative when short.
    risk_aversion, sigma, intensity, kappa, xi, lot : float
        As in `skew_per_unit`.

    Returns
    -------
    tuple[float, float]
        Bid and ask, bid below ask.

    Raises
    ------
    ValueError
        If `intensity`, `kappa` or `lot` is not positive, or `risk_aversion`, `sigma` or `xi` is negative.

    """
    below, above = gueant_distances(inventory, risk_aversion, sigma, intensity, kappa, xi, lot)
    return mid - below, mid + above


def glft_distances(  # noqa: PLR0917 (the parameters of the formula)
    inventory: float,
    risk_aversion: float,
    sigma: float,
    intensity: float,
    kappa: float,
    drift: float = 0.0,
    impact: float = 0.0,
) -> tuple[float, float]:
    """
    Return the distances of bid and ask from the mid, GLFT section 4, with the drift of 5.1 and the impact of 5.2.

    half + (q - mu/(gamma sigma^2)) skew and half - (q - mu/(gamma sigma^2)) skew, where half = (1/gamma) ln(1 +
    gamma/k) + xi/2 + skew/2 and skew = exp(k xi/4) sqrt(sigma^2 gamma/(2 k A) (1 + gamma/k)^(1 + k/gamma)). The paper
    has drift or impact; the eigenproblem with both gives the two changes together.

    Parameters
    ----------
    inventory : float
        q, in lots; negative when short.
    risk_aversion, sigma, intensity, kappa : float
        gamma, sigma, A and k, as in `skew_per_unit`. At `risk_aversion` 0 both distances are 1/k + xi/2.
    drift : float
        mu, the expected rise of the price per time unit: a drift upward raises both quotes.
    impact : float
        xi of section 5.2 (not Guéant's): the mid falls by it after each of our buys and rises by it after each of our
        sells, in price. This is adverse selection. At least 0.

    Returns
    -------
    tuple[float, float]
        mid - bid and ask - mid, in price. Their sum, the spread, does not depend on the inventory.

    Raises
    ------
    ValueError
        If `intensity` or `kappa` is not positive, one of the others but `drift` is negative, `impact` is above
        1000/`kappa`, or there is a drift without risk aversion or volatility: nothing then bounds the position that it
        is worth taking.

    """
    if not impact >= 0.0:
        raise ValueError("impact was negative")
    if not kappa * impact <= MAX_IMPACT:
        raise ValueError("impact was too large: nothing would be filled")
    skew = skew_per_unit(risk_aversion, sigma, intensity, kappa, risk_aversion, 1.0) * math.exp(0.25 * kappa * impact)
    half_spread = liquidity_premium(risk_aversion, kappa) + 0.5 * impact + 0.5 * skew
    excess = inventory
    if drift != 0.0:
        risk = risk_aversion * sigma * sigma
        if not risk > 0.0:
            raise ValueError("risk_aversion or sigma was not positive: with a drift the inventory would have no bound")
        excess -= drift / risk
    return half_spread + skew * excess, half_spread - skew * excess


def glft_quotes(  # noqa: PLR0917 (the parameters of the formula)
    mid: float,
    inventory: float,
    risk_aversion: float,
    sigma: float,
    intensity: float,
    kappa: float,
    drift: float = 0.0,
    impact: float = 0.0,
) -> tuple[float, float]:
    """
    Return the bid and ask of Guéant, Lehalle and Fernandez-Tapia.

    Parameters
    ----------
    mid : float
        The mid price.
    inventory : float
        q, in lots; negative when short.
    risk_aversion, sigma, intensity, kappa, drift, impact : float
        As in `glft_distances`.

    Returns
    -------
    tuple[float, float]
        Bid and ask, bid below ask.

    Raises
    ------
    ValueError
        As `glft_distances`.

    """
    below, above = glft_distances(inventory, risk_aversion, sigma, intensity, kappa, drift, impact)
    return mid - below, mid + above

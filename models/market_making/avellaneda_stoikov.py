"""
Quotes of Avellaneda and Stoikov, "High-frequency trading in a limit order book" (Quantitative Finance 8(3), 2008).

Units, everywhere in this file: prices and `mid` in the quote currency; `inventory` in quote lots (an inventory of 1 is
one order filled); `sigma` is the ABSOLUTE volatility of the price, in price per square root of the time unit;
`time_left` in that same time unit; `risk_aversion` (gamma) and `kappa` (k, the decay of the order flow with depth) per
unit of price. Every function takes and returns plain floats.

Equation numbers are those of the journal article.
"""

import math


def liquidity_premium(risk_aversion: float, kappa: float) -> float:
    """
    Return the half-spread that pays for liquidity alone: (1/gamma) ln(1 + gamma/k), and 1/k when gamma is 0.

    Parameters
    ----------
    risk_aversion : float
        gamma, per unit of price, at least 0.
    kappa : float
        k, per unit of price, above 0.

    Returns
    -------
    float
        The distance from the indifference price, in price.

    Raises
    ------
    ValueError
        If `kappa` is not positive or `risk_aversion` is negative.

    """
    if not kappa > 0.0:
        raise ValueError("kappa was not positive")
    if not risk_aversion >= 0.0:
        raise ValueError("risk_aversion was negative")
    ratio = risk_aversion / kappa
    if ratio < 1e-8:
        # The series of ln(1 + x)/x to first order: exact to rounding here, and safe where the ratio underflows.
        return (1.0 - 0.5 * ratio) / kappa
    return math.log1p(ratio) / risk_aversion


def reservation_price(mid: float, inventory: float, risk_aversion: float, sigma: float, time_left: float) -> float:
    """
    Return the price at which the maker is indifferent to its inventory: s - q gamma sigma^2 (T - t), equation (29).

    Parameters
    ----------
    mid : float
        The mid price.
    inventory : float
        q, in quote lots; negative when short.
    risk_aversion : float
        gamma, per unit of price, at least 0.
    sigma : float
        Absolute volatility in price per square root of the time unit, at least 0.
    time_left : float
        T - t in the time unit of `sigma`, at least 0.

    Returns
    -------
    float
        Below the mid when long, above it when short.

    Raises
    ------
    ValueError
        If `risk_aversion`, `sigma` or `time_left` is negative.

    """
    if not risk_aversion >= 0.0:
        raise ValueError("risk_aversion was negative")
    if not sigma >= 0.0:
        raise ValueError("sigma was negative")
    if not time_left >= 0.0:
        raise ValueError("time_left was negative")
    return mid - inventory * risk_aversion * sigma * sigma * time_left


def total_spread(risk_aversion: float, sigma: float, kappa: float, time_left: float) -> float:
    """
    Return the spread from bid to ask: gamma sigma^2 (T - t) + (2/gamma) ln(1 + gamma/k), equation (30).

    It is continuous through gamma = 0, where it is 2/k.

    Parameters
    ----------
    risk_aversion : float
        gamma, per unit of price, at least 0.
    sigma : float
        Absolute volatility in price per square root of the time unit, at least 0.
    kappa : float
        k, per unit of price, above 0.
    time_left : float
        T - t in the time unit of `sigma`, at least 0.

    Returns
    -------
    float
        The TOTAL spread in price: each quote is half of it away from the reservation price.

    Raises
    ------
    ValueError
        If `kappa` is not positive, or one of the others is negative.

    """
    if not sigma >= 0.0:
        raise ValueError("sigma was negative")
    if not time_left >= 0.0:
        raise ValueError("time_left was negative")
    return risk_aversion * sigma * sigma * time_left + 2.0 * liquidity_premium(risk_aversion, kappa)


def finite_horizon_quotes(  # noqa: PLR0917 (the parameters of the formula)
    mid: float, inventory: float, risk_aversion: float, sigma: float, kappa: float, time_left: float
) -> tuple[float, float]:
    """
    Return the bid and ask of the finite horizon: the reservation price -/+ half the total spread.

    Parameters
    ----------
    mid : float
        The mid price.
    inventory : float
        q, in quote lots; negative when short.
    risk_aversion : float
        gamma, per unit of price, at least 0.
    sigma : float
        Absolute volatility in price per square root of the time unit, at least 0.
    kappa : float
        k, per unit of price, above 0.
    time_left : float
        T - t in the time unit of `sigma`, at least 0.

    Returns
    -------
    tuple[float, float]
        Bid and ask, bid below ask. With a large inventory one of them may lie beyond the mid.

    Raises
    ------
    ValueError
        If `kappa` is not positive, or `risk_aversion`, `sigma` or `time_left` is negative.

    """
    centre = reservation_price(mid, inventory, risk_aversion, sigma, time_left)
    half_spread = 0.5 * total_spread(risk_aversion, sigma, kappa, time_left)
    return centre - half_spread, centre + half_spread


def infinite_horizon_indifference(
    mid: float, inventory: float, risk_aversion: float, max_inventory: float
) -> tuple[float, float]:
    """
    Return the prices at which one more lot bought or sold leaves the infinite-horizon maker as well off.

    From the value function -exp(-gamma (x + q s)) / (omega - gamma^2 sigma^2 q^2 / 2), with the article's
    omega = gamma^2 sigma^2 (q_max + 1)^2 / 2. Buying is neutral at r_b = s + (1/gamma) ln(d(q + 1)/d(q)) and selling at
    r_a = s - (1/gamma) ln(d(q - 1)/d(q)), where d(n) = (q_max + 1)^2 - n^2. The volatility cancels: this choice of
    omega measures inventory against the limit only. (The ask printed in the preprint of October 2006 breaks the mirror
    symmetry r_a(q) - s = s - r_b(-q); this is the derived one.)

    Parameters
    ----------
    mid : float
        The mid price.
    inventory : float
        q, in quote lots; negative when short.
    risk_aversion : float
        gamma, per unit of price, above 0.
    max_inventory : float
        q_max, in quote lots, above 0.

    Returns
    -------
    tuple[float, float]
        r_b and r_a. r_b is -inf (do not buy) from q = q_max on, and r_a is +inf (do not sell) from q = -q_max down:
        there the logarithm diverges. Beyond the limit, where the value function does not exist, the price of the
        side that reduces the position is that at the limit.

    Raises
    ------
    ValueError
        If `risk_aversion` or `max_inventory` is not positive.

    """
    if not risk_aversion > 0.0:
        raise ValueError("risk_aversion was not positive: without it there is no infinite-horizon quote")
    if not max_inventory > 0.0:
        raise ValueError("max_inventory was not positive")
    held = min(max(inventory, -max_inventory), max_inventory)
    room = (max_inventory + 1.0) * (max_inventory + 1.0) - held * held
    buy = sell = math.inf
    if held < max_inventory:
        buy = -math.log1p(-(2.0 * held + 1.0) / room) / risk_aversion
    if held > -max_inventory:
        sell = -math.log1p((2.0 * held - 1.0) / room) / risk_aversion
    return mid - buy, mid + sell


def infinite_horizon_quotes(  # noqa: PLR0917 (the parameters of the formula)
    mid: float, inventory: float, risk_aversion: float, sigma: float, kappa: float, max_inventory: float
) -> tuple[float, float]:
    """
    Return the bid and ask of the infinite horizon with an inventory limit.

    The indifference prices of `infinite_horizon_indifference`, moved outward by (1/gamma) ln(1 + gamma/k) each.

    Parameters
    ----------
    mid : float
        The mid price.
    inventory : float
        q, in quote lots; negative when short.
    risk_aversion : float
        gamma, per unit of price, above 0.
    sigma : float
        Absolute volatility, at least 0. It is checked and then cancels: see `infinite_horizon_indifference`.
    kappa : float
        k, per unit of price, above 0.
    max_inventory : float
        q_max, in quote lots, above 0.

    Returns
    -------
    tuple[float, float]
        Bid and ask. The bid is -inf (no bid) at or above q_max; the ask is +inf (no ask) at or below -q_max.

    Raises
    ------
    ValueError
        If `risk_aversion`, `kappa` or `max_inventory` is not positive, or `sigma` is negative.

    """
    if not sigma >= 0.0:
        raise ValueError("sigma was negative")
    buy, sell = infinite_horizon_indifference(mid, inventory, risk_aversion, max_inventory)
    premium = liquidity_premium(risk_aversion, kappa)
    return buy - premium, sell + premium

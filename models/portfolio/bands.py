"""The band around a target weight within which nothing is traded."""

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]


def no_trade_halfwidth(target: float, risk_aversion: float, cost_per_side: float) -> float:
    """
    Return how far a weight may drift before trading it back is worth what it costs.

    [3/(4 gamma) w^2 (1 - w)^2]^(1/3) eps^(1/3) for one risky asset beside cash, with eps the relative bid-ask spread
    of a sale at (1 - eps) times the price; a cost of lambda on each side counts as eps = 2 lambda (Gerhold, Guasoni,
    Muhle-Karbe and Schachermayer 2014, "Transaction costs, trading volume, and the liquidity premium", Finance and
    Stochastics 18; leading order: Janecek and Shreve 2004). For several assets each is taken alone, as if they moved
    independently. At a target of 0 or 1 the width is 0.

    Parameters
    ----------
    target : float
        The target weight, 0 to 1.
    risk_aversion : float
        The relative risk aversion gamma, above 0; 1 for logarithmic utility.
    cost_per_side : float
        Fee and half the spread as a share of what is traded; 0.001 is 10 bps.

    Raises
    ------
    ValueError
        If a value is out of its range.

    """
    if not 0.0 <= target <= 1.0:
        raise ValueError(f"target was {target}, expected 0 to 1")
    if not risk_aversion > 0.0:
        raise ValueError(f"risk_aversion was {risk_aversion}, expected above 0")
    if not cost_per_side >= 0.0:
        raise ValueError(f"cost_per_side was {cost_per_side}, expected at least 0")
    cube = 3.0 / (4.0 * risk_aversion) * (target * (1.0 - target)) ** 2 * 2.0 * cost_per_side
    return float(cube ** (1.0 / 3.0))


def band(targets: Floats, halfwidths: Floats) -> tuple[Floats, Floats]:
    """Return the lower and upper edges of the bands, kept between 0 and 1."""
    return np.maximum(targets - halfwidths, 0.0), np.minimum(targets + halfwidths, 1.0)


def outside(weights: Floats, lower: Floats, upper: Floats) -> NDArray[np.bool_]:
    """Return which weights are beyond an edge; on it is within."""
    return (weights < lower) | (weights > upper)

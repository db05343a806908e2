"""Target weights from past prices, by the name of the rule."""

from collections.abc import Callable, Mapping
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.portfolio.covariance import ledoit_wolf, sample_covariance, simple_returns
from models.portfolio.weights import (
    bayes_stein_means,
    inverse_volatility,
    minimum_variance,
    naive_return_weights,
    risk_parity,
)

type Floats = NDArray[np.float64]
type PriceRule = Literal["naive_returns", "shrunk_returns", "inverse_volatility", "risk_parity", "minimum_variance"]

PRICE_RULES: Final[Mapping[PriceRule, Callable[[Floats], Floats]]] = {
    "naive_returns": lambda returns: naive_return_weights(returns.mean(axis=0)),
    "shrunk_returns": lambda returns: naive_return_weights(bayes_stein_means(returns)[0]),
    "inverse_volatility": lambda returns: inverse_volatility(sample_covariance(returns)),
    "risk_parity": lambda returns: risk_parity(ledoit_wolf(returns)[0]),
    "minimum_variance": lambda returns: minimum_variance(ledoit_wolf(returns)[0]),
}
"""Each takes returns of shape (T, n), per period, and returns n weights."""


def weights_from_prices(rule: PriceRule, prices: Floats) -> Floats:
    """
    Return the weights that a rule gives to prices of shape (T + 1, n), in the order of time.

    Raises
    ------
    ValueError
        If the rule cannot be computed: too few prices, or one that never moved.

    """
    return PRICE_RULES[rule](simple_returns(prices))

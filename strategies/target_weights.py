"""A portfolio's target weights over time: fixed, or computed anew from the prices of the last checks."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from models.portfolio.rules import PriceRule, weights_from_prices
from models.portfolio.weights import equal_weights
from strategies.rebalance_config import RebalanceConfig

_PCT = 0.01
_SECOND_NS = 1_000_000_000


class TargetWeights:
    """
    The target weights of one portfolio.

    Parameters
    ----------
    config : RebalanceConfig
        Names the rule and its assets.

    """

    def __init__(self, config: RebalanceConfig) -> None:
        self._config = config
        self._prices: list[Sequence[float]] = []
        self._computed_ns: int | None = None
        self.now: NDArray[np.float64] | None = None
        """The target weights, in the order of `instrument_ids`; None while there are too few prices."""
        if config.weights == "fixed":
            weights = [config.target_weights_pct[str(instrument_id)] for instrument_id in config.instrument_ids]
            self.now = np.array(weights) * _PCT
        elif config.weights == "equal":
            self.now = equal_weights(len(config.instrument_ids)) * config.invested_pct * _PCT

    @property
    def noted(self) -> int:
        """The prices of how many checks are known."""
        return len(self._prices)

    @property
    def next_ns(self) -> int | None:
        """From when on the next check computes the weights anew, UNIX ns; None where nothing is, or at the first."""
        if self._computed_ns is None:
            return None
        return self._computed_ns + round(self._config.reweight_interval_secs * _SECOND_NS)

    def take(self, prices: Sequence[float], now_ns: int) -> None:
        """
        Note the prices of a check, and compute the weights anew where that is due.

        Raises
        ------
        ValueError
            If they cannot be computed; the old weights stay.

        """
        config = self._config
        if not config.from_prices:
            return
        self._prices.append(prices)
        del self._prices[: -config.lookback - 1]
        if len(self._prices) <= config.lookback or not self._due(now_ns):
            return
        weights = weights_from_prices(cast("PriceRule", config.weights), np.array(self._prices))
        self._computed_ns = now_ns
        self.now = weights * config.invested_pct * _PCT

    def _due(self, now_ns: int) -> bool:
        next_ns = self.next_ns
        return next_ns is None or now_ns >= next_ns

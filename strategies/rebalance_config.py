"""What the rebalancer can be told."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from nautilus_trader.common.config import NonNegativeFloat, PositiveFloat
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.config import StrategyConfig

from models.portfolio.rebalance import Destination
from models.portfolio.rules import PRICE_RULES

type WeightRule = Literal[
    "fixed", "equal", "naive_returns", "shrunk_returns", "inverse_volatility", "risk_parity", "minimum_variance"
]
type Percent = Annotated[float, Meta(ge=0, le=100)]


class RebalanceConfig(StrategyConfig, frozen=True, kw_only=True):
    """
    The parameters of the rebalancer. Weights are shares of the account's value, in per cent; cash is what is left.

    Parameters
    ----------
    instrument_ids : tuple of InstrumentId
        The assets, each by the spot pair that trades it; all pairs have the same quote currency, which is the cash.
    weights : str, default "fixed"
        Where the target weights come from: "fixed" (`target_weights_pct`), "equal", or the last `lookback` prices:
        "naive_returns" (in proportion to mean returns above zero), "shrunk_returns" (the same with Bayes-Stein means),
        "inverse_volatility", "risk_parity" (every asset adds the same to the volatility), "minimum_variance".
    target_weights_pct : dict
        Goes with "fixed": the weight of each instrument.
    invested_pct : float, default 100
        Goes with all other rules: what share of the account all assets together get.
    check_interval_secs : float, default 3600
        How often weights are looked at, at whole multiples of it in UTC; prices for the weights are noted then too.
    lookback : int, default 720
        Goes with weights from prices: how many checks back their returns reach. Nothing is traded before.
    reweight_interval_secs : float, default 86400
        Goes with weights from prices: how often the target weights are computed anew.
    rebalance_threshold_pct : float, optional
        The band: an asset is traded when its weight is more than so many percentage points from its target.
    risk_aversion : float, optional
        In place of the threshold: each asset's band is as wide as its costs imply for this relative risk aversion
        (`models.portfolio.bands.no_trade_halfwidth`).
    rebalance_to : {"target", "edge"}, default "target"
        When a weight is outside its band: all assets go to their targets, or those outside to the nearer edge.
    rebalance_interval_secs : float, default 0
        Above 0, so often all assets go to their targets, whatever the bands say.
    min_trade_quote : float, default 0
        The smallest trade, in the quote currency; the venue's minimum counts in any case.
    max_slippage_bps : float, default 50
        Orders take what is there up to this far beyond the touch; the rest is cancelled.
    order_timeout_secs : float, default 10
        An order that is not answered by then is cancelled.
    maker_instrument_ids : tuple of InstrumentId
        Assets that a maker of the same setup quotes: its target inventory follows the weights, and they are traded
        here only beyond `hard_threshold_pct`.
    hard_threshold_pct : float, optional
        Goes with `maker_instrument_ids`: their band, in percentage points.

    """

    instrument_ids: Annotated[tuple[InstrumentId, ...], Meta(min_length=1)]
    weights: WeightRule = "fixed"
    target_weights_pct: dict[str, Percent] = msgspec.field(default_factory=dict)
    invested_pct: Percent = 100.0
    check_interval_secs: PositiveFloat = 3_600.0
    lookback: Annotated[int, Meta(ge=2, le=100_000)] = 720
    reweight_interval_secs: PositiveFloat = 86_400.0
    rebalance_threshold_pct: Percent | None = None
    risk_aversion: PositiveFloat | None = None
    rebalance_to: Destination = "target"
    rebalance_interval_secs: NonNegativeFloat = 0.0
    min_trade_quote: NonNegativeFloat = 0.0
    max_slippage_bps: Annotated[float, Meta(ge=0, le=1_000)] = 50.0
    order_timeout_secs: PositiveFloat = 10.0
    maker_instrument_ids: tuple[InstrumentId, ...] = ()
    hard_threshold_pct: Percent | None = None

    def __post_init__(self) -> None:
        """
        Check what no single bound can.

        Raises
        ------
        ValueError
            As `key: problem`.

        """
        seen = set()
        for instrument_id in self.instrument_ids:
            if instrument_id in seen:
                raise ValueError(f"instrument_ids: {instrument_id} stands twice")
            seen.add(instrument_id)
        self._check_targets({str(instrument_id) for instrument_id in self.instrument_ids})
        if (self.rebalance_threshold_pct is None) == (self.risk_aversion is None):
            raise ValueError("rebalance_threshold_pct: expected either rebalance_threshold_pct or risk_aversion")
        self._check_maker_instruments(seen)

    def _check_targets(self, assets: set[str]) -> None:
        if self.weights != "fixed":
            if self.target_weights_pct:
                raise ValueError(f"target_weights_pct: goes with weights: fixed alone, and weights is {self.weights}")
            return
        for name in self.target_weights_pct:
            if name not in assets:
                raise ValueError(f"target_weights_pct: {name} is not among instrument_ids")
        for name in sorted(assets - set(self.target_weights_pct)):
            raise ValueError(f"target_weights_pct: has no weight of {name}")
        total = sum(self.target_weights_pct.values())
        if total > 100 + 1e-9:
            raise ValueError(f"target_weights_pct: the weights are {total:g} % in sum, expected at most 100")

    def _check_maker_instruments(self, assets: set[InstrumentId]) -> None:
        for instrument_id in self.maker_instrument_ids:
            if instrument_id not in assets:
                raise ValueError(f"maker_instrument_ids: {instrument_id} is not among instrument_ids")
        if bool(self.maker_instrument_ids) != (self.hard_threshold_pct is not None):
            raise ValueError("hard_threshold_pct: goes with maker_instrument_ids, and they with it")
        hard, soft = self.hard_threshold_pct, self.rebalance_threshold_pct
        if hard is not None and soft is not None and hard < soft:
            raise ValueError(f"hard_threshold_pct: was {hard}, expected at least rebalance_threshold_pct, {soft}")

    @property
    def from_prices(self) -> bool:
        """Whether the weights come from past prices."""
        return self.weights in PRICE_RULES

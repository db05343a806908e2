"""A maker that prices from supply and demand and quotes no side whose edge does not pay for itself."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated

from msgspec import Meta
from nautilus_trader.common.config import NonNegativeFloat, PositiveFloat
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import CurrencyPair, Instrument

from models.adverse_selection import AdverseSelection
from models.market_making import fair_price
from models.market_making.quote_plan import Quote
from models.trend import TrendGap
from models.volatility import TimeDecayedVariance
from strategies.fair_prices import FairPriceName, fair_price_of
from strategies.quoting import QuotingStrategy
from strategies.quoting_config import QuotingConfig

_BPS = 1e-4
_NS = 1e-9


class FairValueMakerConfig(QuotingConfig, frozen=True, kw_only=True):
    """
    Where the price comes from, how wide and how large the quotes are, and what each must earn.

    Parameters
    ----------
    half_spread_bps : float
        The least distance of each quote from the fair value, before skew, in basis points.
    volatility_spread_factor : float, default 0
        Quotes are at least this many times as far as the price wanders in `volatility_horizon_secs`, one standard
        deviation.
    volatility_horizon_secs : float, default 10
        See above, in seconds.
    volatility_window_secs : float, default 120
        The memory of the volatility estimate, in seconds.
    fair_value : {"mid", "weighted_mid", "micro_price", "flow_adjusted"}, default "mid"
        What quotes stand around.
    flow_window_secs : float, default 5
        The window of the order flow for "flow_adjusted", in seconds.
    fair_value_refit_secs : float, default 600
        How often "micro_price" and "flow_adjusted" learn anew, in seconds.
    trend_weight : float, default 0
        How much of the gap between the fast and the slow moving average of the mid is added to the fair value.
    trend_fast_secs, trend_slow_secs : float, default 30 and 300
        The windows of the moving averages, in seconds.
    min_edge_over_fees_bps : float, default 0
        What a quote must earn on top of the maker fee and the adverse selection that is expected; a quote that does not
        is left out.
    adverse_selection_weight : float, default 1
        How much of the measured adverse selection counts; 0 leaves it out.
    adverse_selection_horizon_secs : float, default 5
        How long after a trade the mid is looked at, in seconds.
    adverse_selection_window_secs : float, default 900
        The memory of the measurement, in seconds.
    calm_volatility_bps : float, default 0
        Above 0, sizes shrink in proportion when the volatility, in bps per square root of a second, is above this.
    target_weight_pct : float, optional
        Spot only: the share of the account's value that the base asset should have, in per cent; it takes the place of
        `target_base_qty`. The skews of inventory pull towards it.

    """

    half_spread_bps: PositiveFloat
    volatility_spread_factor: NonNegativeFloat = 0.0
    volatility_horizon_secs: PositiveFloat = 10.0
    volatility_window_secs: PositiveFloat = 120.0
    fair_value: FairPriceName = "mid"
    flow_window_secs: PositiveFloat = 5.0
    fair_value_refit_secs: PositiveFloat = 600.0
    trend_weight: Annotated[float, Meta(ge=-5, le=5)] = 0.0
    trend_fast_secs: PositiveFloat = 30.0
    trend_slow_secs: PositiveFloat = 300.0
    min_edge_over_fees_bps: NonNegativeFloat = 0.0
    adverse_selection_weight: NonNegativeFloat = 1.0
    adverse_selection_horizon_secs: PositiveFloat = 5.0
    adverse_selection_window_secs: PositiveFloat = 900.0
    calm_volatility_bps: NonNegativeFloat = 0.0
    target_weight_pct: Annotated[float, Meta(ge=0, le=100)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.trend_fast_secs >= self.trend_slow_secs:
            problem = f"was {self.trend_fast_secs}, expected below trend_slow_secs, which is {self.trend_slow_secs}"
            raise ValueError(f"trend_fast_secs: {problem}")
        if self.target_weight_pct is not None and self.target_base_qty is not None:
            raise ValueError("target_weight_pct: expected at most one of target_weight_pct and target_base_qty")


class FairValueMaker(QuotingStrategy):
    """Quotes around a fair value, as wide as volatility and costs demand, and leans to its target inventory."""

    DECIDES_BY_FEE = True

    def __init__(self, config: FairValueMakerConfig) -> None:
        super().__init__(config)

    @classmethod
    def check_config(cls, config: QuotingConfig, instruments: Mapping[InstrumentId, Instrument]) -> None:
        """Also refuse a target weight where there is no balance to weigh."""
        super().check_config(config, instruments)
        weight = getattr(config, "target_weight_pct", None)
        if weight is not None and not isinstance(instruments[config.instrument_id], CurrencyPair):
            raise ValueError(f"target_weight_pct: was {weight}, expected none: {config.instrument_id} is not spot")

    def _forget(self) -> None:
        super()._forget()
        config = self.config
        self.uses_sizes = config.fair_value != "mid"
        self._fair = fair_price_of(config.fair_value, config.flow_window_secs, config.fair_value_refit_secs)
        self._trend = TrendGap(config.trend_fast_secs, config.trend_slow_secs)
        self._variance = TimeDecayedVariance(config.volatility_window_secs)
        self._adverse = AdverseSelection(config.adverse_selection_horizon_secs, config.adverse_selection_window_secs)
        self._touch: fair_price.Quote | None = None
        self._mid_seen = 0.0
        self._planned_for = 0.0
        self._maker_fee_bps = 0.0

    def on_start(self) -> None:
        """Note the fee, and listen to trades where they are measured."""
        super().on_start()
        if self._quoting:
            self._maker_fee_bps = float(self.cache.instrument(self.config.instrument_id).maker_fee) / _BPS
            if self.config.adverse_selection_weight:
                self.subscribe_trade_ticks(self.config.instrument_id)

    # -- The market ---------------------------------------------------------------------------------------------------

    def on_market_move(self) -> None:
        """Update fair value, trend, volatility and adverse selection."""
        assert self.quote is not None
        assert self._grid is not None
        step = self._grid.step_raw
        sizes = self.quote.bid_size.raw // step, self.quote.ask_size.raw // step
        self._touch = fair_price.Quote(self.bid, self.ask, *sizes)
        now = self.now_ns * _NS
        self._fair.update(self._touch, now)
        if self.mid != self._mid_seen:
            if not self._mid_seen:
                self._mid_seen = self.mid
                self._retarget()
            self._mid_seen = self.mid
            self._trend.update(self.mid, now)
            self._variance.update(self.mid, now)
            self._adverse.on_mid(self.mid, now)

    def is_news(self) -> bool:
        """Return whether the fair value has moved by a quarter of a tick, or of the tolerance, since the last plan."""
        fair = self.fair_value()
        tolerance = self.mid * self.config.requote_threshold_bps * _BPS
        return fair is not None and abs(fair - self._planned_for) >= 0.25 * max(1.0, tolerance)

    def on_trade_tick(self, tick: TradeTick) -> None:
        """Measure what the flow knows."""
        self._adverse.on_trade(tick.aggressor_side == AggressorSide.BUYER, tick.ts_init * _NS)

    def on_order_filled(self, event: OrderFilled) -> None:
        """Also move the target, which is a share of the account."""
        self._retarget()
        super().on_order_filled(event)

    def _retarget(self) -> None:
        weight = self.config.target_weight_pct
        if weight is not None and self._inventory is not None and self._grid is not None and self.bid:
            price = self._grid.tick * (self.bid + self.ask) / 2
            self._inventory.retarget(Decimal(repr(weight)) / 100, price)

    # -- The quotes ---------------------------------------------------------------------------------------------------

    def fair_value(self) -> float | None:
        """Return the fair value in ticks: from the touch, the trend and the signals."""
        if self._touch is None:
            return None
        value = self._fair.price(self._touch) + self.config.trend_weight * self._trend.value
        return float(value * (1.0 + self.alpha_bps() * _BPS))

    def quote_prices(self) -> tuple[float, float] | None:
        """Return prices as far from the fair value as volatility and the configuration demand."""
        fair = self.fair_value()
        if fair is None:
            return None
        config = self.config
        half_spread = config.half_spread_bps
        if config.volatility_spread_factor:
            if not self._variance.ready:
                return None
            wander = self.sigma_bps * math.sqrt(config.volatility_horizon_secs)
            half_spread = max(half_spread, config.volatility_spread_factor * wander)
        return fair * (1.0 - half_spread * _BPS), fair * (1.0 + half_spread * _BPS)

    def desired_quotes(self) -> Sequence[Quote]:
        """
        Return only the quotes whose edge covers fee, expected adverse selection and the margin asked for.

        The edge of a quote that adds to the inventory is its distance from the fair value. One that takes inventory
        back is measured from the fair value after the skew: getting rid of inventory is worth the skew.
        """
        fair = self.fair_value()
        self._planned_for = fair or 0.0
        quotes = super().desired_quotes()
        if fair is None or not quotes:
            return ()
        assert self._shaper is not None
        needed = self.needed_edge_bps * _BPS * fair
        shift = self._shaper.price_shift(self.mid)
        return [quote for quote in quotes if _edge(quote, fair, shift) >= needed]

    def size_factors(self) -> tuple[float, float]:
        """Return the skew of sizes, smaller when the market is wilder than calm."""
        bid, ask = super().size_factors()
        calm = self.config.calm_volatility_bps
        if calm == 0 or not self._variance.ready or self.sigma_bps <= calm:
            return bid, ask
        return bid * calm / self.sigma_bps, ask * calm / self.sigma_bps

    @property
    def sigma_bps(self) -> float:
        """The volatility, in basis points per square root of a second."""
        return self._variance.sigma / (self.mid * _BPS)

    @property
    def needed_edge_bps(self) -> float:
        """What the distance from the fair value must be at least, in basis points."""
        config = self.config
        expected = self._adverse.value / (self.mid * _BPS) if self._adverse.ready else 0.0
        return float(
            self._maker_fee_bps + config.min_edge_over_fees_bps + config.adverse_selection_weight * max(expected, 0.0)
        )


def _edge(quote: Quote, fair: float, shift: float) -> float:
    """Return what a fill earns, in ticks; `shift` is what the skew takes off both quotes' prices."""
    side = quote.side.sign
    return side * (fair - quote.price) + max(0.0, -side * shift)

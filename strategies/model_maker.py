"""The base of makers whose model needs the market's volatility and flow."""

from abc import abstractmethod
from decimal import Decimal

from nautilus_trader.common.config import NonNegativeFloat, PositiveFloat
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import AggressorSide

from models.market_making.avellaneda_stoikov import liquidity_premium
from strategies.market_estimates import MarketEstimates
from strategies.quoting import QuotingStrategy
from strategies.quoting_config import QuotingConfig


class ModelConfig(QuotingConfig, frozen=True, kw_only=True):
    """
    What models of the flow need to know of the market; what is left out is estimated while the maker runs.

    Parameters
    ----------
    kappa_per_bps : float, optional
        k: how fast the flow of fills thins out with the distance of a quote from the mid, per basis point.
    sigma_bps : float, optional
        The volatility, in basis points per square root of a second.
    volatility_window_secs : float, default 120
        The memory of the volatility estimate, in seconds.
    intensity_window_secs : float, default 600
        The memory of the estimate of the flow, in seconds.
    intensity_min_depth_bps : float, default 1
        Market orders that end nearer to the mid than this say nothing of the flow where one quotes: on a market whose
        spread is one tiny tick nearly all of them do.

    """

    kappa_per_bps: PositiveFloat | None = None
    sigma_bps: PositiveFloat | None = None
    volatility_window_secs: PositiveFloat = 120.0
    intensity_window_secs: PositiveFloat = 600.0
    intensity_min_depth_bps: NonNegativeFloat = 1.0


class ModelMaker(QuotingStrategy):
    """A maker whose model needs volatility and flow: it quotes nothing before it knows what the model needs."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)

    def _forget(self) -> None:
        super()._forget()
        config = self.config
        self.estimates = MarketEstimates(
            volatility_window_secs=config.volatility_window_secs,
            intensity_window_secs=config.intensity_window_secs,
            sigma_bps=config.sigma_bps,
            intensity_per_s=getattr(config, "intensity_per_s", None),
            kappa_per_bps=config.kappa_per_bps,
            min_depth_bps=config.intensity_min_depth_bps,
        )

    @classmethod
    def least_half_spread_bps(cls, config: QuotingConfig, price: Decimal) -> float | None:
        """Return what the model quotes for the flow alone, without risk; None where k is estimated."""
        assert isinstance(config, ModelConfig)
        if config.kappa_per_bps is None:
            return None
        return liquidity_premium(getattr(config, "risk_aversion_per_bps", 0.0), config.kappa_per_bps)

    def on_start(self) -> None:
        """Listen to trades too where the flow is estimated."""
        super().on_start()
        if self._quoting and self.needs_flow():
            self.subscribe_trade_ticks(self.config.instrument_id)

    def needs_flow(self) -> bool:
        """Return whether trades have to be listened to."""
        return bool(self.config.kappa_per_bps is None)

    def on_market_move(self) -> None:
        """Update the volatility."""
        self.estimates.on_mid(self.mid, self.now_ns)

    def on_trade_tick(self, tick: TradeTick) -> None:
        """Update the flow with a market order, once the touch that it met is known."""
        if self.bid:
            price = tick.price.raw / self._tick_raw
            self.estimates.on_trade(
                price, (self.bid, self.ask), tick.aggressor_side == AggressorSide.BUYER, tick.ts_init
            )

    @property
    def _tick_raw(self) -> int:
        assert self._grid is not None
        return self._grid.tick_raw

    @abstractmethod
    def offsets_bps(self) -> tuple[float, float] | None:
        """Return the distances of bid (negative) and ask from the reference price in bps; None while unknown."""

    def quote_prices(self) -> tuple[float, float] | None:
        """Return the prices of the model; None while it does not know enough of the market."""
        offsets = self.offsets_bps()
        if offsets is None:
            return None
        per_bps = self.mid * 1e-4
        return self.reference + offsets[0] * per_bps, self.reference + offsets[1] * per_bps

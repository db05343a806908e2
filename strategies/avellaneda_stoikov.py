"""The market maker of Avellaneda and Stoikov, "High-frequency trading in a limit order book" (2008)."""

from typing import Literal

from nautilus_trader.common.config import NonNegativeFloat, PositiveFloat

from models.market_making.avellaneda_stoikov import finite_horizon_quotes, infinite_horizon_quotes
from models.volatility import TimeDecayedVariance
from strategies.quoting import QuotingStrategy
from strategies.quoting_config import QuotingConfig


class AvellanedaStoikovConfig(QuotingConfig, frozen=True, kw_only=True):
    """
    The parameters of the model, in basis points of the mid so that they carry over from one market to another.

    Parameters
    ----------
    risk_aversion_per_bps : float
        gamma, per basis point of price and lot of `order_qty`. 0 quotes symmetrically; the higher, the more the quotes
        lean against the inventory.
    kappa_per_bps : float
        k: how fast the flow of fills thins out with the distance of a quote from the mid, per basis point. With little
        risk aversion each quote stands 1/k basis points from the reservation price.
    horizon : {"finite", "infinite"}, default "finite"
        "finite" restarts a session of `horizon_secs` again and again: the lean is strongest at its start. "infinite"
        leans by the distance to the inventory limit alone, whatever the volatility.
    horizon_secs : float, default 300
        The length of a session of the finite horizon, in seconds.
    volatility_window_secs : float, default 120
        The memory of the volatility estimate (finite horizon), in seconds.

    """

    risk_aversion_per_bps: NonNegativeFloat
    kappa_per_bps: PositiveFloat
    horizon: Literal["finite", "infinite"] = "finite"
    horizon_secs: PositiveFloat = 300.0
    volatility_window_secs: PositiveFloat = 120.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.horizon == "infinite" and self.risk_aversion_per_bps == 0:
            raise ValueError("risk_aversion_per_bps: was 0, expected above 0 with an infinite horizon")


class AvellanedaStoikov(QuotingStrategy):
    """
    Quotes around a reservation price that leans against the inventory, as wide as risk and flow demand.

    The finite horizon needs the market's volatility and quotes nothing until the estimate has seen one full window.
    """

    def __init__(self, config: AvellanedaStoikovConfig) -> None:
        super().__init__(config)

    def _forget(self) -> None:
        super()._forget()
        self._variance = TimeDecayedVariance(self.config.volatility_window_secs)
        self._first_ns = 0

    def on_market_move(self) -> None:
        """Update the volatility with the new mid."""
        if not self._first_ns:
            self._first_ns = self.now_ns
        self._variance.update(self.mid, self.now_ns * 1e-9)

    def quote_prices(self) -> tuple[float, float] | None:
        """Return the prices of the model; None while the volatility is not known."""
        offsets = self._offsets_bps()
        if offsets is None:
            return None
        per_bps = self.mid * 1e-4
        bid, ask = offsets
        return self.reference + bid * per_bps, self.reference + ask * per_bps

    def _offsets_bps(self) -> tuple[float, float] | None:
        """Return the distances of bid and ask from the mid, in basis points: the model with one bp as unit of price."""
        config = self.config
        if config.horizon == "infinite":
            return infinite_horizon_quotes(
                0.0,
                self.inventory,
                config.risk_aversion_per_bps,
                1.0,
                config.kappa_per_bps,
                self.max_inventory,
            )
        if not self._variance.ready:
            return None
        sigma_bps = self._variance.sigma / self.mid * 1e4
        elapsed = (self.now_ns - self._first_ns) * 1e-9
        time_left = config.horizon_secs - elapsed % config.horizon_secs
        return finite_horizon_quotes(
            0.0, self.inventory, config.risk_aversion_per_bps, sigma_bps, config.kappa_per_bps, time_left
        )

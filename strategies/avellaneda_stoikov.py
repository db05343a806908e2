"""The market maker of Avellaneda and Stoikov, "High-frequency trading in a limit order book" (2008)."""

from typing import Literal

from nautilus_trader.common.config import NonNegativeFloat, PositiveFloat

from models.market_making.avellaneda_stoikov import finite_horizon_quotes, infinite_horizon_quotes
from strategies.model_maker import ModelConfig, ModelMaker


class AvellanedaStoikovConfig(ModelConfig, frozen=True, kw_only=True):
    """
    The parameters of the model, in basis points of the mid so that they carry over from one market to another.

    Parameters
    ----------
    risk_aversion_per_bps : float
        gamma, per basis point of price and lot of `order_qty`. With little of it each quote stands 1/k basis points
        from the reservation price. Finite horizon: 0 quotes symmetrically; the higher, the more the quotes lean against
        the inventory. Infinite horizon: the LOWER, the more they lean, about 2 / (gamma (limit + 1)²) bps per lot held.
    horizon : {"finite", "infinite"}, default "finite"
        "finite" restarts a session of `horizon_secs` again and again: the lean is strongest at its start. "infinite"
        leans by the distance to the inventory limit alone, whatever the volatility.
    horizon_secs : float, default 300
        The length of a session of the finite horizon, in seconds.

    """

    risk_aversion_per_bps: NonNegativeFloat
    horizon: Literal["finite", "infinite"] = "finite"
    horizon_secs: PositiveFloat = 300.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.horizon == "infinite" and self.risk_aversion_per_bps == 0:
            raise ValueError("risk_aversion_per_bps: was 0, expected above 0 with an infinite horizon")


class AvellanedaStoikov(ModelMaker):
    """Quotes around a reservation price that leans against the inventory, as wide as risk and flow demand."""

    def __init__(self, config: AvellanedaStoikovConfig) -> None:
        super().__init__(config)

    def _forget(self) -> None:
        super()._forget()
        self._first_ns = 0

    def offsets_bps(self) -> tuple[float, float] | None:
        """Return the distances of the model, whose unit of price is one basis point of the mid."""
        config = self.config
        kappa = self.estimates.kappa_per_bps
        if kappa is None:
            return None
        if config.horizon == "infinite":
            gamma, limit = config.risk_aversion_per_bps, self.max_inventory
            return infinite_horizon_quotes(0.0, self.inventory, gamma, 1.0, kappa, limit)
        sigma = self.estimates.sigma_bps
        if sigma is None:
            return None
        self._first_ns = self._first_ns or self.now_ns
        elapsed = (self.now_ns - self._first_ns) * 1e-9
        time_left = config.horizon_secs - elapsed % config.horizon_secs
        return finite_horizon_quotes(0.0, self.inventory, config.risk_aversion_per_bps, sigma, kappa, time_left)

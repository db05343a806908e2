"""The maker of the experiment of Avellaneda and Stoikov (2008, section 3.3), in the paper's own units."""

from nautilus_trader.common.config import NonNegativeFloat, PositiveFloat

from models.market_making.avellaneda_stoikov import finite_horizon_quotes
from strategies.quoting import QuotingStrategy
from strategies.quoting_config import QuotingConfig

_SECOND_NS = 1_000_000_000


class PaperMakerConfig(QuotingConfig, frozen=True, kw_only=True):
    """
    The parameters of the finite horizon, all of them known: nothing is estimated.

    Parameters
    ----------
    risk_aversion_per_quote : float
        gamma, per unit of price and lot of `order_qty`.
    kappa_per_quote : float
        k: how fast the flow of fills thins out with the distance of a quote from the mid, per unit of price.
    sigma_quote_per_sqrt_sec : float
        The absolute volatility of the price, per square root of a second.
    horizon_secs : float
        T, in seconds from the first quote of the market. There is one session: after it nothing is quoted.

    """

    risk_aversion_per_quote: NonNegativeFloat
    kappa_per_quote: PositiveFloat
    sigma_quote_per_sqrt_sec: NonNegativeFloat
    horizon_secs: PositiveFloat


class PaperMaker(QuotingStrategy):
    """
    Quotes around the reservation price, decided anew only when the market moves.

    A move of the market is a step of the paper: both quotes of a step are those of the inventory at its start,
    whichever of them is filled first. To make markets with parameters that are estimated use `AvellanedaStoikov`.
    """

    def __init__(self, config: PaperMakerConfig) -> None:
        super().__init__(config)

    def _forget(self) -> None:
        super()._forget()
        self._first_ns = 0
        self._prices: tuple[float, float] | None = None

    def on_market_move(self) -> None:
        """Decide the quotes of this step."""
        if not self._first_ns:
            self._first_ns = self.now_ns
        self._prices = self._prices_of_step()

    def quote_prices(self) -> tuple[float, float] | None:
        """Return the prices of this step; None after the horizon."""
        return self._prices

    def _prices_of_step(self) -> tuple[float, float] | None:
        config = self.config
        time_left = config.horizon_secs - (self.now_ns - self._first_ns) / _SECOND_NS
        if time_left <= 0.0:
            return None
        bid, ask = finite_horizon_quotes(
            0.0,
            self.inventory,
            config.risk_aversion_per_quote,
            config.sigma_quote_per_sqrt_sec,
            config.kappa_per_quote,
            time_left,
        )
        return self.reference + bid / self.tick, self.reference + ask / self.tick

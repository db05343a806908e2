"""The maker of the experiment of Avellaneda and Stoikov (2008): every parameter is known, in units of price."""

from nautilus_trader.common.config import NonNegativeFloat, PositiveFloat

from models.market_making.avellaneda_stoikov import finite_horizon_quotes
from strategies.quoting import QuotingStrategy
from strategies.quoting_config import QuotingConfig

_SECOND_NS = 1_000_000_000


class PaperMakerConfig(QuotingConfig, frozen=True, kw_only=True):
    risk_aversion_per_quote: NonNegativeFloat
    kappa_per_quote: PositiveFloat
    sigma_quote_per_sqrt_sec: NonNegativeFloat
    horizon_secs: PositiveFloat


class PaperMaker(QuotingStrategy):
    def __init__(self, config: PaperMakerConfig) -> None:
        super().__init__(config)

    def _forget(self) -> None:
        super()._forget()
        self._first_ns = 0
        self._prices: tuple[float, float] | None = None

    def on_market_move(self) -> None:
        if not self._first_ns:
            self._first_ns = self.now_ns
        self._prices = self._prices_now()

    def quote_prices(self) -> tuple[float, float] | None:
        return self._prices

    def _prices_now(self) -> tuple[float, float] | None:
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

"""A maker that quotes at a fixed distance from the mid."""

from decimal import Decimal

from nautilus_trader.common.config import PositiveFloat

from models.market_making.fixed_spread import fixed_spread_quotes
from strategies.quoting import QuotingStrategy
from strategies.quoting_config import QuotingConfig


class FixedSpreadConfig(QuotingConfig, frozen=True, kw_only=True):
    """
    The distance of both quotes from the mid: give exactly one of the two.

    Parameters
    ----------
    half_spread_bps : float, optional
        In basis points of the mid.
    half_spread_quote : float, optional
        In the quote currency.

    """

    half_spread_bps: PositiveFloat | None = None
    half_spread_quote: PositiveFloat | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.half_spread_bps is None) == (self.half_spread_quote is None):
            raise ValueError("half_spread_bps: expected exactly one of half_spread_bps and half_spread_quote")


class FixedSpread(QuotingStrategy):
    """Quotes at mid ± half spread, whatever it holds; inventory is bounded by `max_position` alone."""

    def __init__(self, config: FixedSpreadConfig) -> None:
        super().__init__(config)

    @classmethod
    def least_half_spread_bps(cls, config: QuotingConfig, price: Decimal) -> float | None:
        """Return the configured distance."""
        assert isinstance(config, FixedSpreadConfig)
        if config.half_spread_bps is not None:
            return config.half_spread_bps
        return float(config.half_spread_quote or 0) / float(price) * 1e4

    def quote_prices(self) -> tuple[float, float]:
        """Return prices at the same distance from the reference price."""
        config = self.config
        if config.half_spread_quote is not None:
            half_spread = config.half_spread_quote / self.tick
        else:
            half_spread = self.mid * config.half_spread_bps * 1e-4
        return fixed_spread_quotes(self.reference, half_spread)

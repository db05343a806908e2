"""The market maker of Guéant, Lehalle and Fernandez-Tapia, "Dealing with the inventory risk" (2013)."""

from typing import Literal

from nautilus_trader.common.config import PositiveFloat

from models.market_making.glft import glft_distances
from models.market_making.glft_spectral import GlftModel, stationary_quotes
from models.market_making.inventory_quotes import InventoryQuotes
from strategies.model_maker import ModelConfig, ModelMaker

_SECOND_NS = 1_000_000_000


class GlftConfig(ModelConfig, frozen=True, kw_only=True):
    """
    The parameters of the model, in basis points of the mid; what is left out is estimated while the maker runs.

    Parameters
    ----------
    risk_aversion_per_bps : float
        gamma, per basis point of price and lot of `order_qty`: the higher, the wider the quotes and the more they lean
        against the inventory.
    intensity_per_s : float, optional
        A: market orders per second on each side.
    solution : {"closed_form", "exact"}, default "closed_form"
        "closed_form" is the published approximation, good while the inventory is far from its limit. "exact" solves
        for the limit `max_position`: the quotes lean harder as it comes near, and the side that would pass it is left
        out.
    resolve_secs : float, default 60
        With "exact": how often the solution follows the estimates, in seconds.

    """

    risk_aversion_per_bps: PositiveFloat
    intensity_per_s: PositiveFloat | None = None
    solution: Literal["closed_form", "exact"] = "closed_form"
    resolve_secs: PositiveFloat = 60.0


class Glft(ModelMaker):
    """Quotes for a maker without an end in sight: the lean against the inventory does not fade with time."""

    def __init__(self, config: GlftConfig) -> None:
        super().__init__(config)

    def _forget(self) -> None:
        super()._forget()
        self._table: InventoryQuotes | None = None
        self._solved_ns = 0

    def needs_flow(self) -> bool:
        """Return whether A or k is estimated."""
        return self.estimates.needs_trades

    def offsets_bps(self) -> tuple[float, float] | None:
        """Return the distances of the model, whose unit of price is one basis point of the mid."""
        sigma, flow, kappa = self.estimates.sigma_bps, self.estimates.intensity_per_s, self.estimates.kappa_per_bps
        if sigma is None or flow is None or kappa is None:
            return None
        gamma = self.config.risk_aversion_per_bps
        if self.config.solution == "closed_form":
            below, above = glft_distances(self.inventory, gamma, sigma, flow, kappa)
        else:
            table = self._solution(GlftModel(gamma, sigma, flow, kappa))
            below, above = table.distances(self.inventory)
        return -below, above

    def _solution(self, model: GlftModel) -> InventoryQuotes:
        due = self._solved_ns + int(self.config.resolve_secs * _SECOND_NS)
        if self._table is None or self.now_ns >= due:
            self._table = stationary_quotes(model, max(1, int(self.max_inventory)))
            self._solved_ns = self.now_ns
        return self._table

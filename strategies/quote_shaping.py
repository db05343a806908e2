"""From the two prices that a maker wants to the quotes that may stand: skew, bounds, levels, sizes, limits."""

from collections.abc import Sequence

from models.market_making.ladder import ladder_quotes, ladder_sizes
from models.market_making.quote_plan import Quote, Side, WorkingOrder
from models.market_making.quote_rounding import ask_to_ticks, bid_to_ticks, keep_post_only
from models.market_making.skew import linear_size_factors
from strategies.grid import Grid
from strategies.inventory import Inventory
from strategies.quoting_config import QuotingConfig

_BPS = 1e-4
_INF = float("inf")
_LADDERS_KEPT = 100


class QuoteShaper:
    """
    Applies a maker's configuration to the prices that its model wants.

    Parameters
    ----------
    config : QuotingConfig
        What applies.
    grid : Grid
        Ticks and lots of the instrument.
    inventory : Inventory
        What is held.

    """

    def __init__(self, config: QuotingConfig, grid: Grid, inventory: Inventory) -> None:
        self._config = config
        self._grid = grid
        self._inventory = inventory
        self._ladders: dict[tuple[float, int], list[int]] = {}

    @property
    def normalised_inventory(self) -> float:
        """The inventory as a share of the largest, from -1 to 1; positive when there is too much."""
        return min(max(self._inventory.lots / self._grid.max_position_lots, -1.0), 1.0)

    def quotes(
        self,
        prices: tuple[float, float],
        touch: tuple[int, int],
        size_factors: tuple[float, float],
        orders: Sequence[WorkingOrder],
    ) -> list[Quote]:
        """
        Return the quotes that may stand, from the best of each side outwards.

        Parameters
        ----------
        prices : tuple[float, float]
            The nearest bid and ask that the model wants, in ticks; -inf or +inf for a side that is not wanted.
        touch : tuple[int, int]
            The market's best bid and ask, in ticks.
        size_factors : tuple[float, float]
            What to multiply the sizes of bid and ask with.
        orders : sequence of WorkingOrder
            Own orders: those that hang count into the inventory limit, the others make room.

        """
        mid = (touch[0] + touch[1]) / 2
        shift = self.price_shift(mid)
        bid, ask = self._bounded(prices[0] - shift, prices[1] - shift, mid)
        first_bid = bid_to_ticks(bid, 1.0) if bid > 0 else None
        first_ask = ask_to_ticks(ask, 1.0) if ask < _INF else None
        first_bid, first_ask = keep_post_only(first_bid, first_ask, *touch)
        if first_bid is not None and first_bid <= 0:
            first_bid = None
        return ladder_quotes(
            first_bid,
            first_ask,
            self._sizes(Side.BID, first_bid, size_factors[0], orders),
            self._sizes(Side.ASK, first_ask, size_factors[1], orders),
            max(1.0, self._config.level_spacing_bps * _BPS * mid),
        )

    def default_size_factors(self) -> tuple[float, float]:
        """Return the factors that the configured skew of sizes asks for."""
        if self._config.inventory_size_skew == 0:
            return 1.0, 1.0
        return linear_size_factors(self.normalised_inventory, self._config.inventory_size_skew)

    def price_shift(self, mid: float) -> float:
        """Return by how much both prices are lowered, in ticks, to lean against the inventory."""
        if self._config.inventory_skew_bps == 0:
            return 0.0
        return self._config.inventory_skew_bps * _BPS * mid * self.normalised_inventory

    def _bounded(self, bid: float, ask: float, mid: float) -> tuple[float, float]:
        """Return the prices with their distance kept within the bounds; both move alike."""
        low, high = self._config.min_spread_bps, self._config.max_spread_bps
        spread = ask - bid
        if (low == 0 and high == 0) or spread == _INF:
            return bid, ask
        wanted = max(spread, low * _BPS * mid)
        if high > 0:
            wanted = min(wanted, high * _BPS * mid)
        outward = (wanted - spread) / 2
        return bid - outward, ask + outward

    def _sizes(self, side: Side, first: int | None, factor: float, orders: Sequence[WorkingOrder]) -> list[int]:
        if first is None:
            return []
        grid = self._grid
        room = grid.max_position_lots - side.sign * self._inventory.lots
        for order in orders:
            if order.hanging and order.side is side:
                room -= order.quantity
        if room > 0 and self._inventory.is_spot:
            movable = [order for order in orders if order.side is side and not order.hanging]
            room = min(room, self._inventory.affordable_lots(side, first, movable))
        smallest = grid.min_lots(first)
        return [size if size >= smallest else 0 for size in self._ladder(factor, room)]

    def _ladder(self, factor: float, room: int) -> list[int]:
        """Return the sizes of one side; computed once for each inventory, not at every move of the market."""
        key = factor, room
        sizes = self._ladders.get(key)
        if sizes is None:
            grid = self._grid
            first_lots, step = grid.order_lots * factor, grid.level_step_lots * factor
            sizes = ladder_sizes(first_lots, self._config.order_levels, step, room=room)
            if len(self._ladders) >= _LADDERS_KEPT:
                self._ladders.clear()
            self._ladders[key] = sizes
        return sizes

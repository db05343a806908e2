"""What a maker does when risk controls reduce or halt trading."""

from collections.abc import Sequence

from messages.risk import ACCOUNT, PERMITS, RiskStateChanged
from models.market_making.quote_plan import Quote
from strategies.grid import Grid
from strategies.order_adapter import OrderAdapter
from strategies.working_orders import WorkingOrders


class RiskObedience:
    """
    Holds one maker to the state of the account and to its own.

    Parameters
    ----------
    strategy_id : str
        Whose states count, besides the account's.
    adapter : OrderAdapter
        Sends what closes the position.
    grid : Grid
        The instrument's ticks and lots.

    """

    def __init__(self, strategy_id: str, adapter: OrderAdapter, grid: Grid) -> None:
        self._adapter = adapter
        self._grid = grid
        self._by_scope = {ACCOUNT: "all", strategy_id: "all"}
        self._permits = "all"
        self._closing: str | None = None
        self._refused = False

    def take(self, change: RiskStateChanged) -> bool:
        """Take a new state; return whether it concerns this maker."""
        if change.scope not in self._by_scope:
            return False
        self._by_scope[change.scope] = change.permits
        self._refused = False
        self._permits = min(self._by_scope.values(), key=PERMITS.index)
        return True

    @property
    def restricted(self) -> bool:
        """Whether less than everything is allowed."""
        return self._permits != "all"

    @property
    def withdrawn(self) -> bool:
        """Whether no quote may stand."""
        return self._permits in ("closing", "none")

    def permitted(self, quotes: Sequence[Quote]) -> Sequence[Quote]:
        """Return the quotes that may stand: while reducing, what brings the position nearer to nothing."""
        if self._permits == "all":
            return quotes
        lots = self._adapter.traded_lots()
        left, reducing = abs(lots), []
        for quote in quotes:
            quantity = min(quote.quantity, left)
            if quote.side.sign * lots < 0 and quantity >= self._grid.min_lots(quote.price):
                reducing.append(quote._replace(quantity=quantity))
                left -= quantity
        return reducing

    def withdraw(self, orders: WorkingOrders) -> None:
        """
        Cancel every order; once they are gone, close the position at the market if that is asked for.

        Called again on every event, it does what is left to do: nothing is sent while a closing order is on its way,
        and what the guard refused waits for the next word of the kill switch.
        """
        if orders.all():
            orders.cancel_all()
            return
        if self._permits != "closing" or self._refused:
            return
        if self._closing is not None and not self._adapter.is_gone(self._closing):
            return
        lots = self._adapter.traded_lots()
        if lots:
            self._closing = self._adapter.close(lots)
            self._refused = self._closing is None

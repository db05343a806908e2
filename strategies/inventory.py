"""What a maker holds: on spot the account's balance against a target, on futures its position."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from nautilus_trader.model.instruments import CurrencyPair, Instrument
from nautilus_trader.trading.strategy import Strategy

from models.market_making.quote_plan import Side, WorkingOrder
from strategies.grid import Grid


class Inventory(Protocol):
    """The inventory of one instrument, in lots relative to its target; `refresh` it after each fill."""

    lots: int
    is_spot: bool

    @property
    def target(self) -> Decimal | None:
        """What counts as no inventory, where a restart must not choose it anew; None elsewhere."""

    def refresh(self) -> None:
        """Read the inventory anew from the engine's books."""

    def aim_at(self, target: Decimal) -> None:
        """Count from another target, in the base asset."""

    def retarget(self, weight: Decimal, price: Decimal) -> None:
        """Make the target that share of the account's value, at this price of the base asset; spot only."""

    def affordable_lots(self, side: Side, price_ticks: int, own_orders: Sequence[WorkingOrder]) -> int:
        """Return the largest quote that the account can pay for, when `own_orders` on that side make room for it."""


def inventory_of(
    strategy: Strategy, instrument: Instrument, grid: Grid, target: float | None, kept_target: Decimal | None = None
) -> Inventory:
    """
    Return the inventory of `instrument` as `strategy` holds it, counted from `target` (in the base asset).

    On spot without a target, `kept_target` is what an earlier run chose.
    """
    wanted = None if target is None else Decimal(repr(target))
    if isinstance(instrument, CurrencyPair):
        return SpotInventory(strategy, instrument, grid, kept_target if wanted is None else wanted)
    return PositionInventory(strategy, instrument, grid, wanted or Decimal(0))


class SpotInventory:
    """The account's balance of the base asset against a target, which is the balance at the start unless given."""

    is_spot = True

    def __init__(self, strategy: Strategy, instrument: Instrument, grid: Grid, target: Decimal | None) -> None:
        self._strategy = strategy
        self._instrument = instrument
        self._grid = grid
        self._target = self._total(instrument.base_currency) if target is None else target
        self.lots = 0
        self.refresh()

    @property
    def target(self) -> Decimal | None:
        """The balance that counts as no inventory."""
        return self._target

    def refresh(self) -> None:
        """Read the balance."""
        self.lots = self._grid.lots(self._total(self._instrument.base_currency) - self._target)

    def aim_at(self, target: Decimal) -> None:
        """Count from another target."""
        self._target = target
        self.refresh()

    def retarget(self, weight: Decimal, price: Decimal) -> None:
        """Make the target that share of what base and quote balance are worth together."""
        base, quote = self._total(self._instrument.base_currency), self._total(self._instrument.quote_currency)
        self.aim_at(weight * (base + quote / price))

    def affordable_lots(self, side: Side, price_ticks: int, own_orders: Sequence[WorkingOrder]) -> int:
        """Return the lots that the free balance and what `own_orders` hold back can pay for."""
        if side is Side.ASK:
            held_back = sum(order.quantity for order in own_orders)
            return self._grid.lots(self._free(self._instrument.base_currency)) + held_back
        held_value = sum((self._grid.price(o.price) * self._grid.quantity(o.quantity) for o in own_orders), Decimal(0))
        budget = self._free(self._instrument.quote_currency) + held_value
        return self._grid.lots(budget / self._grid.price(price_ticks))

    def _total(self, currency: object) -> Decimal:
        balance = self._strategy.portfolio.account(self._instrument.venue).balance_total(currency)
        return Decimal(0) if balance is None else balance.as_decimal()

    def _free(self, currency: object) -> Decimal:
        balance = self._strategy.portfolio.account(self._instrument.venue).balance_free(currency)
        return Decimal(0) if balance is None else balance.as_decimal()


class PositionInventory:
    """The strategy's own position against a target."""

    is_spot = False

    def __init__(self, strategy: Strategy, instrument: Instrument, grid: Grid, target: Decimal) -> None:
        self._strategy = strategy
        self._instrument = instrument
        self._grid = grid
        self._target = target
        self.lots = 0
        self.refresh()

    @property
    def target(self) -> Decimal | None:
        """Nothing that would have to be kept: it stands in the configuration."""
        return None

    def refresh(self) -> None:
        """Add up the open positions of this strategy."""
        positions = self._strategy.cache.positions_open(
            instrument_id=self._instrument.id, strategy_id=self._strategy.id
        )
        held = sum((position.signed_decimal_qty() for position in positions), Decimal(0))
        self.lots = self._grid.lots(held - self._target)

    def aim_at(self, target: Decimal) -> None:
        """Count from another target."""
        self._target = target
        self.refresh()

    def retarget(self, weight: Decimal, price: Decimal) -> None:
        """
        Refuse: a futures position has no weight.

        Raises
        ------
        ValueError
            Always.

        """
        raise ValueError(f"{self._instrument.id} is not spot: its position has no weight in the account")

    def affordable_lots(self, side: Side, price_ticks: int, own_orders: Sequence[WorkingOrder]) -> int:
        """Return the largest position: margin is not counted here."""
        return self._grid.max_position_lots

"""An instrument's prices and quantities as whole ticks and lots."""

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import Self

from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Price, Quantity

from strategies.quoting_config import QuotingConfig


@dataclass(frozen=True, slots=True)
class Grid:
    """
    The steps of prices and quantities of one instrument, and a maker's sizes on them.

    Parameters
    ----------
    tick, step : Decimal
        The smallest change of price and of quantity.
    tick_raw, step_raw : int
        The same, in the engine's fixed-point units.
    price_precision, size_precision : int
        Decimals of the engine's prices and quantities.
    order_lots, level_step_lots, max_position_lots : int
        The size of the first quote, what each further level adds, and the largest inventory, in lots.
    smallest_lots : int
        The smallest quantity that the venue takes, in lots.
    min_value : int
        The smallest value of an order that the venue takes, in ticks × lots; 0 where it has none.

    """

    tick: Decimal
    step: Decimal
    tick_raw: int
    step_raw: int
    price_precision: int
    size_precision: int
    order_lots: int
    level_step_lots: int
    max_position_lots: int
    smallest_lots: int
    min_value: int

    @classmethod
    def steps_of(cls, instrument: Instrument) -> Self:
        """Return the grid of `instrument` for a strategy that does not quote: its sizes are 0."""
        tick, step = instrument.price_increment.as_decimal(), instrument.size_increment.as_decimal()
        min_notional = instrument.min_notional.as_decimal() if instrument.min_notional else Decimal(0)
        return cls(
            tick=tick,
            step=step,
            tick_raw=instrument.price_increment.raw,
            step_raw=instrument.size_increment.raw,
            price_precision=instrument.price_precision,
            size_precision=instrument.size_precision,
            order_lots=0,
            level_step_lots=0,
            max_position_lots=0,
            smallest_lots=int((_smallest(instrument) / step).to_integral_value(ROUND_CEILING)),
            min_value=int((min_notional / (tick * step)).to_integral_value(ROUND_CEILING)),
        )

    @classmethod
    def of(cls, instrument: Instrument, config: QuotingConfig) -> Self:
        """
        Return the grid of `instrument` with the sizes of `config`.

        Raises
        ------
        ValueError
            As `key: problem`, if a size is not a whole number of lots or below the venue's minimum.

        """
        smallest = _smallest(instrument)
        if Decimal(repr(config.order_qty)) < smallest:
            raise ValueError(f"order_qty: was {config.order_qty}, expected at least {instrument.id}'s {smallest}")
        steps = cls.steps_of(instrument)
        return replace(
            steps,
            order_lots=_whole_lots(config, "order_qty", instrument),
            level_step_lots=_whole_lots(config, "level_qty_step", instrument),
            max_position_lots=int(Decimal(repr(config.max_position)) / steps.step),
        )

    def price(self, ticks: int) -> Decimal:
        """Return a price in ticks as a Decimal."""
        return self.tick * ticks

    def quantity(self, lots: int) -> Decimal:
        """Return a quantity in lots as a Decimal."""
        return self.step * lots

    def lots(self, quantity: Decimal) -> int:
        """Return the whole lots in `quantity`, towards zero: what is left over cannot be traded."""
        return int(quantity / self.step)

    def min_lots(self, price_ticks: int) -> int:
        """Return the smallest quantity, in lots, that the venue takes at this price."""
        return max(self.smallest_lots, -(-self.min_value // price_ticks))

    def engine_price(self, ticks: int) -> Price:
        """Return a price in ticks as the engine's type."""
        return Price.from_raw(ticks * self.tick_raw, self.price_precision)

    def engine_quantity(self, lots: int) -> Quantity:
        """Return a quantity in lots as the engine's type."""
        return Quantity.from_raw(lots * self.step_raw, self.size_precision)


def _smallest(instrument: Instrument) -> Decimal:
    return Decimal((instrument.min_quantity or instrument.size_increment).as_decimal())


def _whole_lots(config: QuotingConfig, key: str, instrument: Instrument) -> int:
    quantity, step = getattr(config, key), instrument.size_increment.as_decimal()
    lots = Decimal(repr(quantity)) / step
    if lots != lots.to_integral_value():
        raise ValueError(f"{key}: was {quantity}, expected a multiple of {instrument.id}'s step {step}")
    return int(lots)

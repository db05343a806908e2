"""Why a maker has no order on a side: found when somebody asks, from what its last plan left behind."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from messages.views import Level, Scale, Silence
from models.market_making.quote_plan import OrderState, Quote, Side, WorkingOrder
from strategies.grid import Grid
from strategies.order_pacing import OrderPacing


class Steps(NamedTuple):
    """What the last plan was made of, from the model's prices to the quotes that may stand."""

    prices: tuple[float, float] | None = None
    shaped: Sequence[Quote] = ()
    wanted: Sequence[Quote] = ()
    permitted: Sequence[Quote] = ()


@dataclass(frozen=True, slots=True)
class MakerState:
    """
    A maker at one moment.

    Parameters
    ----------
    quoting : bool
        Whether it runs.
    heard : bool
        Whether it has had a quote of the market.
    withdrawn : bool
        Whether a risk control lets no quote stand.
    steps : Steps
        Its last plan.
    inventory_lots : int
        What it holds more than its target.
    grid : Grid, optional
        Its ticks, lots and sizes; None before its start.
    pacing : OrderPacing
        Its delays and its budget.
    now_ns : int
        Now, UNIX ns.

    """

    quoting: bool
    heard: bool
    withdrawn: bool
    steps: Steps
    inventory_lots: int
    grid: Grid | None
    pacing: OrderPacing
    now_ns: int


def silences(maker: MakerState, orders: Sequence[WorkingOrder]) -> tuple[Silence, ...]:
    """Return why each side without a standing order has none; empty when both have one."""
    standing = {order.side for order in orders if order.state is not OrderState.SUBMITTING}
    return tuple(_silence(side, maker, orders) for side in Side if side not in standing)


def inventory_scale(inventory_qty: Decimal | None, max_position_qty: Decimal) -> Scale:
    """Return the inventory between its limits; None before the start."""
    most = float(max_position_qty)
    levels = (Level(name="limit", at=-most), Level(name="limit", at=most))
    label = "Inventory against its target"
    return Scale(name="inventory", label=label, value=inventory_qty, low=-most, high=most, levels=levels)


def _silence(side: Side, maker: MakerState, orders: Sequence[WorkingOrder]) -> Silence:
    reason, text = _before_the_plan(maker) or _in_the_plan(side, maker) or _after_the_plan(side, maker, orders)
    return Silence(side="bid" if side is Side.BID else "ask", reason=reason, text=text)


def _before_the_plan(maker: MakerState) -> tuple[str, str] | None:
    if not maker.quoting:
        return "not_running", "the strategy does not run"
    if not maker.heard:
        return "no_market_data", "no quote of the market has come yet"
    if maker.withdrawn:
        return "risk_control", "a risk control lets no quote stand"
    if maker.steps.prices is None:
        return "warming_up", "the model has no price: it does not know enough of the market yet, or its time is over"
    return None


def _in_the_plan(side: Side, maker: MakerState) -> tuple[str, str] | None:
    steps, grid = maker.steps, maker.grid
    assert steps.prices is not None
    assert grid is not None
    price = steps.prices[0 if side is Side.BID else 1]
    if math.isinf(price):
        return "not_wanted", "the model wants no quote on this side"
    if not _has(side, steps.shaped):
        room = grid.max_position_lots - side.sign * maker.inventory_lots
        if room < grid.min_lots(max(1, int(price))):
            return "inventory_limit", "the inventory is at max_position"
        return "cannot_pay", "the free balance pays for less than the smallest order"
    if not _has(side, steps.wanted):
        return "no_edge", "a quote here would not earn its costs"
    if not _has(side, steps.permitted):
        return "risk_control", "a risk control allows only what reduces the position"
    return None


def _after_the_plan(side: Side, maker: MakerState, orders: Sequence[WorkingOrder]) -> tuple[str, str]:
    if any(order.side is side for order in orders):
        return "on_its_way", "the venue has not answered yet"
    if maker.pacing.is_delayed(side, maker.now_ns):
        return "delay_after_fill", "waits after a fill (filled_order_delay_secs)"
    if maker.pacing.is_spent(maker.now_ns):
        return "order_budget", "the order budget is used up"
    return "not_sent", "the order was refused, or the next move of the market sends it"


def _has(side: Side, quotes: Sequence[Quote]) -> bool:
    return any(quote.side is side for quote in quotes)

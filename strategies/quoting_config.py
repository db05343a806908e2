"""What every market maker can be told."""

from typing import Annotated

from msgspec import Meta
from nautilus_trader.common.config import NonNegativeFloat, PositiveFloat
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.config import StrategyConfig

type Levels = Annotated[int, Meta(ge=1, le=20)]
type Share = Annotated[float, Meta(ge=0, le=1)]


class QuotingConfig(StrategyConfig, frozen=True, kw_only=True):
    """
    The parameters of the quoting base. Names carry their units; quantities are in the base asset.

    Parameters
    ----------
    instrument_id : InstrumentId
        The instrument that is quoted, such as `NEXOUSDT.BINANCE` or `BTCUSDT-PERP.BINANCE`.
    order_qty : float
        The quantity of the quote nearest to the market; a multiple of the instrument's step.
    max_position : float
        The largest inventory either way: quotes that could lead beyond it are made smaller or left out.
    target_base_qty : float, optional
        What counts as no inventory. On spot a balance of the base asset, the one at the start where left out; on
        futures a position, 0 where left out.
    order_levels : int, default 1
        Quotes per side.
    level_spacing_bps : float, default 0
        The distance from one level to the next; needed above 0 with several levels.
    level_qty_step : float, default 0
        How much larger each further level is; a multiple of the step, or 0.
    min_spread_bps, max_spread_bps : float, default 0
        The distance of the nearest bid from the nearest ask is kept at or between these; 0 leaves the bound out.
    inventory_skew_bps : float, default 0
        At the largest inventory both quotes are shifted by this much against it; in proportion below.
    inventory_size_skew : float, default 0
        At the largest inventory the side that would add to it is smaller by this share; in proportion below.
    requote_threshold_bps : float, default 0
        A working order stays as long as it is within this distance of where it should be.
    order_refresh_secs : float, default 0
        Every so many seconds orders are put exactly where they should be; 0 leaves that out.
    max_order_age_secs : float, default 0
        An order older than this has no tolerance: it is moved exactly when its turn comes. 0 for no such age.
    filled_order_delay_secs : float, default 0
        After a fill no new order is sent on that side for this long.
    hanging_orders_cancel_bps : float, default 0
        Above 0, the order opposite to a fill is left hanging where it is, beside new quotes, until it fills or stands
        farther than this from the mid.
    order_budget : int, default 0
        At most this many new and changed orders per `order_budget_window_secs`: the tolerance widens as it runs out, so
        that nothing is sent that the venue would refuse. 0 for no budget.
    order_budget_window_secs : float, default 10
        The window of the budget.
    alpha_weight : float, default 0
        How much of the signals (`messages.signals.AlphaSignal`) for this instrument shifts the price that quotes stand
        around.
    alpha_max_age_secs : float, default 60
        Older signals count as 0.

    """

    instrument_id: InstrumentId
    order_qty: PositiveFloat
    max_position: PositiveFloat
    target_base_qty: NonNegativeFloat | None = None
    order_levels: Levels = 1
    level_spacing_bps: NonNegativeFloat = 0.0
    level_qty_step: NonNegativeFloat = 0.0
    min_spread_bps: NonNegativeFloat = 0.0
    max_spread_bps: NonNegativeFloat = 0.0
    inventory_skew_bps: Annotated[float, Meta(ge=0, le=1_000)] = 0.0
    inventory_size_skew: Share = 0.0
    requote_threshold_bps: NonNegativeFloat = 0.0
    order_refresh_secs: NonNegativeFloat = 0.0
    max_order_age_secs: NonNegativeFloat = 0.0
    filled_order_delay_secs: NonNegativeFloat = 0.0
    hanging_orders_cancel_bps: NonNegativeFloat = 0.0
    order_budget: Annotated[int, Meta(ge=0)] = 0
    order_budget_window_secs: PositiveFloat = 10.0
    alpha_weight: Annotated[float, Meta(ge=-10, le=10)] = 0.0
    alpha_max_age_secs: PositiveFloat = 60.0

    def __post_init__(self) -> None:
        """
        Check what no single bound can.

        Raises
        ------
        ValueError
            As `key: problem`.

        """
        if self.order_levels > 1 and self.level_spacing_bps == 0:
            raise ValueError("level_spacing_bps: was 0, expected above 0 with several levels")
        if 0 < self.max_spread_bps < self.min_spread_bps:
            problem = f"was {self.max_spread_bps}, expected at least min_spread_bps, which is {self.min_spread_bps}"
            raise ValueError(f"max_spread_bps: {problem}")
        if self.max_position < self.order_qty:
            problem = f"was {self.max_position}, expected at least order_qty, which is {self.order_qty}"
            raise ValueError(f"max_position: {problem}")

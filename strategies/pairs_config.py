"""What the pairs strategy can be told."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta
from nautilus_trader.common.config import NonNegativeFloat, PositiveFloat, PositiveInt
from nautilus_trader.trading.config import StrategyConfig

from actors.watched_pair import PairSettings


class PairsConfig(StrategyConfig, frozen=True, kw_only=True):
    """
    The parameters of the pairs strategy.

    Parameters
    ----------
    pair : PairSettings
        The two legs and how they are watched.
    notional_quote : float
        Value of y in a full position, in the quote currency; x has beta times that.
    entry_z : float
        Standard deviations from its mean at which the gap is entered.
    exit_z : float, default 0
        Where a position is left: 0 at the mean, below 0 beyond it.
    stop_z : float, optional
        Where a position is given up; nothing is entered until the gap has come back to where it would have been left.
    max_holding_secs : int, default 0
        After so long a position is given up in the same way; 0 for no such limit.
    min_edge_bps : float, default 0
        A position is entered only if the reversion expected over a half-life exceeds the fees of both legs twice, half
        the spreads and the funding by so much of the value of y.
    funding_bps_per_day : float, default 0
        What holding a position is expected to cost in funding.
    execution : {"take_both", "rest_y"}, default "take_both"
        Both legs cross the spread at once, or y rests at the touch and x crosses as y fills.
    rest_secs : int, default 60
        How long y may rest. An entry ends there with what it has, an exit crosses with the rest.
    max_unhedged_quote : float, default 0
        No part of a trade is worth more: so much of y at most can be without its hedge. 0 for a single part.
    max_unhedged_secs : float, default 5
        How long one leg may lack the other before an entry is unwound.
    max_leg_attempts : int, default 3
        Orders in a row for one leg that come to nothing before an entry is unwound sooner.
    max_slippage_bps : float, default 20
        Orders that cross take what is there up to this far beyond the touch.
    order_timeout_secs : float, default 10
        An order that crosses and is not answered by then is cancelled.
    trade_after : datetime, optional
        Nothing is entered before, so that a backtest can warm up on earlier data.

    """

    pair: PairSettings
    notional_quote: PositiveFloat
    entry_z: PositiveFloat
    exit_z: float = 0.0
    stop_z: PositiveFloat | None = None
    max_holding_secs: Annotated[int, Meta(ge=0)] = 0
    min_edge_bps: float = 0.0
    funding_bps_per_day: NonNegativeFloat = 0.0
    execution: Literal["take_both", "rest_y"] = "take_both"
    rest_secs: PositiveInt = 60
    max_unhedged_quote: NonNegativeFloat = 0.0
    max_unhedged_secs: PositiveFloat = 5.0
    max_leg_attempts: PositiveInt = 3
    max_slippage_bps: Annotated[float, Meta(ge=0, le=1_000)] = 20.0
    order_timeout_secs: PositiveFloat = 10.0
    trade_after: datetime | None = None

    def __post_init__(self) -> None:
        """
        Check what no single bound can.

        Raises
        ------
        ValueError
            As `key: problem`.

        """
        if not -self.entry_z <= self.exit_z < self.entry_z:
            raise ValueError(f"exit_z: was {self.exit_z}, expected from -entry_z to below entry_z, {self.entry_z}")
        if self.stop_z is not None and self.stop_z <= self.entry_z:
            raise ValueError(f"stop_z: was {self.stop_z}, expected above entry_z, which is {self.entry_z}")
        if self.trade_after is not None and self.trade_after.tzinfo is None:
            raise ValueError(f"trade_after: was {self.trade_after}, expected a time with its zone, such as ...T00:00Z")

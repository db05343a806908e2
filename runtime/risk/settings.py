"""The `risk:` section of a setup: limits, and what happens when one trips."""

from decimal import Decimal
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from bad_input import nearest_name
from models.risk_state import ACTIONS, ActionName

type Count = Annotated[int, Meta(ge=1)]

USER_STREAM_RULE: Final = "user_stream_lost"
"""Live only: the account's events are not heard, so nobody knows what is filled."""

DEFAULT_ACTIONS: Final[dict[str, ActionName]] = {
    "max_drawdown_pct": "flatten",
    "max_loss_pct": "flatten",
    "max_daily_loss_pct": "flatten",
    "stop_loss_pct": "flatten",
    "trailing_stop_pct": "flatten",
    "max_position_qty": "flatten_passively",
    "max_fills_per_window": "cancel",
    "max_rejections_per_window": "cancel",
    "max_instrument_notional_quote": "stop_quoting",
    "max_strategy_notional_quote": "stop_quoting",
    "max_strategy_net_notional_quote": "stop_quoting",
    "max_gross_notional_quote": "stop_quoting",
    "max_net_notional_quote": "stop_quoting",
    "max_leverage": "stop_quoting",
    "max_data_age_secs": "cancel",
    "max_clock_skew_secs": "cancel",
    "max_price_move_bps": "cancel",
    "equity_unknown": "cancel",
    "max_unhedged_secs": "stop_quoting",
    USER_STREAM_RULE: "cancel",
    "manual": "flatten",
}
"""What a control asks for when it trips, where `on_trip` says nothing else."""

_BELOW_100: Final = (
    "min_free_margin_pct",
    "max_drawdown_pct",
    "max_loss_pct",
    "max_daily_loss_pct",
    "stop_loss_pct",
    "trailing_stop_pct",
)
_ABOVE_0: Final = (
    *_BELOW_100,
    "max_order_notional_quote",
    "max_instrument_notional_quote",
    "max_strategy_notional_quote",
    "max_strategy_net_notional_quote",
    "max_gross_notional_quote",
    "max_net_notional_quote",
    "max_leverage",
    "price_collar_bps",
    "max_data_age_secs",
    "max_clock_skew_secs",
    "max_price_move_bps",
    "price_move_window_secs",
    "duplicate_window_secs",
    "fill_window_secs",
    "rejection_window_secs",
    "check_interval_secs",
)


class RiskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """
    Limits of a trading system. What is left out is not limited. Quantities are in the base asset.

    Parameters
    ----------
    max_position_qty, max_order_qty : dict
        By instrument: the largest position either way, all strategies and open orders counted, and the largest order.
    max_order_notional_quote : Decimal, optional
        The largest value of one order.
    max_instrument_notional_quote, max_strategy_notional_quote, max_gross_notional_quote : Decimal, optional
        The largest worst-case value of what is held and open: of an instrument, a strategy, the account.
    max_net_notional_quote, max_strategy_net_notional_quote : Decimal, optional
        The same for the sum with signs, longs against shorts: of the account, of a strategy.
    max_leverage : Decimal, optional
        Gross notional against equity.
    min_free_margin_pct : Decimal, optional
        Futures: how much of the equity no margin may use.
    price_collar_bps : Decimal, optional
        How far beyond the mid an order may buy or sell.
    max_orders_per_10s : int, optional
        New and changed orders in any ten seconds.
    order_reserve : int, default 0
        How many of these only the closing of positions may use.
    duplicate_window_secs : Decimal, optional
        For so long the same order (side, price, quantity) is not sent again, unless it was cancelled or refused.
    max_data_age_secs : Decimal, optional
        A market that has been silent for longer is not traded; it is traded again when it speaks.
    max_clock_skew_secs : Decimal, optional
        While the venue's time of the last event and its arrival are further apart, nothing is traded.
    max_price_move_bps, price_move_window_secs : Decimal
        A mid that has moved further within so many seconds (default 60) is not traded until the window is calm.
    max_drawdown_pct, max_loss_pct : Decimal, optional
        The fall of the equity from its peak, and from the start, that trips.
    drawdown_confirmations : int, default 1
        So many points of the ledger's grid in a row must be beyond it.
    max_daily_loss_pct : Decimal, optional
        The fall from the first equity of the UTC day; holds until the day ends.
    stop_loss_pct, trailing_stop_pct : Decimal, optional
        Of each position of each strategy: from its average entry, and from its best mark.
    stop_confirmations : int, default 1
        So many looks in a row, each at another quote, must be beyond a stop; a new best mark needs as many.
    max_fills_per_window, fill_window_secs : int and Decimal
        More fills of one strategy in so many seconds (default 10) trip.
    max_rejections_per_window, rejection_window_secs : int and Decimal
        More orders of one strategy refused by the venue in so many seconds (default 10) trip.
    check_interval_secs : Decimal, default 1
        How often stops, positions and the age of data are looked at, in market time.
    on_trip : dict
        By rule, what to do: warn, stop_quoting, cancel, flatten_passively, flatten.

    """

    max_position_qty: dict[str, Decimal] = {}
    max_order_qty: dict[str, Decimal] = {}
    max_order_notional_quote: Decimal | None = None
    max_instrument_notional_quote: Decimal | None = None
    max_strategy_notional_quote: Decimal | None = None
    max_strategy_net_notional_quote: Decimal | None = None
    max_gross_notional_quote: Decimal | None = None
    max_net_notional_quote: Decimal | None = None
    max_leverage: Decimal | None = None
    min_free_margin_pct: Decimal | None = None
    price_collar_bps: Decimal | None = None
    max_orders_per_10s: Count | None = None
    order_reserve: Annotated[int, Meta(ge=0)] = 0
    duplicate_window_secs: Decimal | None = None
    max_data_age_secs: Decimal | None = None
    max_clock_skew_secs: Decimal | None = None
    max_price_move_bps: Decimal | None = None
    price_move_window_secs: Decimal = Decimal(60)
    max_drawdown_pct: Decimal | None = None
    max_loss_pct: Decimal | None = None
    drawdown_confirmations: Count = 1
    max_daily_loss_pct: Decimal | None = None
    stop_loss_pct: Decimal | None = None
    trailing_stop_pct: Decimal | None = None
    stop_confirmations: Count = 1
    max_fills_per_window: Count | None = None
    fill_window_secs: Decimal = Decimal(10)
    max_rejections_per_window: Count | None = None
    rejection_window_secs: Decimal = Decimal(10)
    check_interval_secs: Decimal = Decimal(1)
    on_trip: dict[str, ActionName] = {}

    def __post_init__(self) -> None:
        """
        Check what no single bound can.

        Raises
        ------
        ValueError
            As `key: problem`.

        """
        for key in _ABOVE_0:
            value = getattr(self, key)
            if value is not None and not value > 0:
                raise ValueError(f'{key}: was "{value}", expected above 0')
            if value is not None and key in _BELOW_100 and value >= 100:
                raise ValueError(f'{key}: was "{value}", expected below 100: there is no more to lose')
        self._check_quantities()
        self._check_windows()
        self._check_order()
        self._check_actions()
        self._check_losses()

    def _check_actions(self) -> None:
        for rule in self.on_trip:
            if rule not in DEFAULT_ACTIONS:
                hint = nearest_name(rule, DEFAULT_ACTIONS)
                raise ValueError(f'on_trip: "{rule}" trips nothing' + (f"; {hint}" if hint else ""))
        if self.action("manual") in ("warn", "stop_quoting"):
            was = self.action("manual")
            raise ValueError(
                f'on_trip: manual was "{was}", expected cancel, flatten_passively or flatten: a halt by hand'
            )

    def _check_losses(self) -> None:
        """Refuse a limit of losses that another, which is always reached before it, makes meaningless."""
        nested = (
            ("max_loss_pct", "max_drawdown_pct"),  # the peak is at least the start
            ("max_daily_loss_pct", "max_drawdown_pct"),
            ("stop_loss_pct", "trailing_stop_pct"),  # the best mark is at least the entry
        )
        for later, sooner in nested:
            late, soon = getattr(self, later), getattr(self, sooner)
            if late is None or soon is None or late <= soon:
                continue
            if ACTIONS.index(self.action(sooner)) >= ACTIONS.index(self.action(later)):
                raise ValueError(f'{later}: was "{late}", expected at most {sooner}, which is {soon} and trips before')

    def _check_windows(self) -> None:
        """Refuse a window of prices that no two looks fall into: nothing moves within one."""
        if self.max_price_move_bps is not None and self.price_move_window_secs <= self.check_interval_secs:
            window, check = self.price_move_window_secs, self.check_interval_secs
            raise ValueError(f'price_move_window_secs: was "{window}", expected above check_interval_secs, {check}')

    def _check_quantities(self) -> None:
        for key in ("max_position_qty", "max_order_qty"):
            for instrument, quantity in getattr(self, key).items():
                if not quantity > 0:
                    raise ValueError(f'{key}: was "{quantity}" for {instrument}, expected above 0')
        for instrument, quantity in self.max_order_qty.items():
            most = self.max_position_qty.get(instrument)
            if most is not None and quantity > most:
                raise ValueError(f"max_order_qty: {quantity} of {instrument} is above its max_position_qty {most}")

    def _check_order(self) -> None:
        """Refuse limits that contradict each other: one that another makes impossible to reach."""
        nested = (
            ("max_order_notional_quote", "max_instrument_notional_quote"),
            ("max_order_notional_quote", "max_strategy_notional_quote"),
            ("max_order_notional_quote", "max_gross_notional_quote"),
            ("max_instrument_notional_quote", "max_gross_notional_quote"),
            ("max_strategy_notional_quote", "max_gross_notional_quote"),
            ("max_net_notional_quote", "max_gross_notional_quote"),
            ("max_strategy_net_notional_quote", "max_strategy_notional_quote"),
            ("max_strategy_net_notional_quote", "max_gross_notional_quote"),
        )
        for smaller, larger in nested:
            small, large = getattr(self, smaller), getattr(self, larger)
            if small is not None and large is not None and small > large:
                raise ValueError(f'{smaller}: was "{small}", expected at most {larger}, which is {large}')
        if self.max_orders_per_10s is not None and self.order_reserve >= self.max_orders_per_10s:
            most = self.max_orders_per_10s
            raise ValueError(f"order_reserve: was {self.order_reserve}, expected below max_orders_per_10s, {most}")
        if self.max_orders_per_10s is None and self.order_reserve:
            raise ValueError("order_reserve: goes with max_orders_per_10s alone")

    def action(self, rule: str) -> ActionName:
        """Return what happens when `rule` trips."""
        return self.on_trip.get(rule, DEFAULT_ACTIONS[rule])

    @property
    def actions(self) -> dict[str, ActionName]:
        """What happens when each rule trips."""
        return {rule: self.action(rule) for rule in DEFAULT_ACTIONS}

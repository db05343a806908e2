"""Watches positions: the stop losses of each strategy's, and the limit of all together."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor
from typing import Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig, PositiveInt
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import FIXED_PRECISION

from actors.looks import look_at_times
from messages.risk import ACCOUNT, ALARM_TOPIC, RiskAlarm
from models.loss_limits import PositionStop
from models.risk_limits import Breach, at_most

_CHECK: Final = "position-check"
_NOWHERE: Final = (0, 0)
_HALF_UNIT: Final = Decimal(1).scaleb(-FIXED_PRECISION) / 2
"""Half of the engine's fixed-point unit, of which a quote's bid and ask are whole numbers."""


class PositionWatchConfig(ActorConfig, frozen=True, kw_only=True):
    """The limits of positions; None leaves one out. See `runtime.risk.settings` for their meaning."""

    instrument_ids: tuple[InstrumentId, ...]
    stop_loss_pct: Decimal | None = None
    trailing_stop_pct: Decimal | None = None
    stop_confirmations: PositiveInt = 1
    max_position_qty: Mapping[str, Decimal] = {}
    check_interval_secs: Decimal = Decimal(1)


class PositionWatch(Actor):
    """
    Holds what was traded against its limits.

    Stops are looked at on a timer, with the mid as the mark. The position limit is looked at on each fill: the guard
    keeps every order within it, so what passes it came from somewhere else.
    """

    def __init__(self, config: PositionWatchConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        self._held: dict[tuple[str, InstrumentId], _Held] = {}

    def on_start(self) -> None:
        """Listen to fills, and look at marks on a timer where there are stops."""
        self._quote_of = self.cache.quote_tick
        for instrument_id in self.config.instrument_ids:
            self.msgbus.subscribe(f"events.fills.{instrument_id}", self._on_fill)
            for position in self.cache.positions_open(instrument_id=instrument_id):
                entry = Decimal(repr(position.avg_px_open))
                held = self._held_by(position.strategy_id.value, instrument_id)
                held.stop.fill(position.signed_decimal_qty(), entry)
        if self.config.stop_loss_pct is not None or self.config.trailing_stop_pct is not None:
            look_at_times(self.clock, _CHECK, self.config.check_interval_secs, self._on_check)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    @property
    def stops(self) -> Mapping[tuple[str, InstrumentId], PositionStop]:
        """The stops of what each strategy holds of each instrument."""
        return {key: held.stop for key, held in self._held.items()}

    def _held_by(self, strategy: str, instrument_id: InstrumentId) -> "_Held":
        held = self._held.get((strategy, instrument_id))
        if held is None:
            config = self.config
            stop = PositionStop(config.stop_loss_pct, config.trailing_stop_pct, config.stop_confirmations)
            held = self._held[strategy, instrument_id] = _Held(strategy, instrument_id, stop)
        return held

    def _on_fill(self, event: OrderFilled) -> None:
        quantity = event.last_qty.as_decimal()
        signed = quantity if event.order_side == OrderSide.BUY else -quantity
        base = self.cache.instrument(event.instrument_id).base_currency
        if event.commission is not None and event.commission.currency == base:
            signed -= event.commission.as_decimal()  # spot: taken from the base asset, and so from the position
        held = self._held_by(event.strategy_id.value, event.instrument_id)
        if self.config.stop_confirmations == 1:  # a second look at the same quote confirms nothing
            held.looked_at = None
        held.calm = _NOWHERE
        held.stop.fill(signed, event.last_px.as_decimal())
        limit = self.config.max_position_qty.get(event.instrument_id.value)
        if limit is not None:
            traded = (each.stop for each in self._held.values() if each.instrument_id == event.instrument_id)
            position = sum((stop.position for stop in traded), Decimal(0))
            self._alarm(ACCOUNT, at_most("max_position_qty", abs(position), limit), event.ts_event)

    def _on_check(self, event: TimeEvent) -> None:
        for held in self._held.values():
            quote = self._quote_of(held.instrument_id)
            if quote is not None and quote is not held.looked_at:
                held.looked_at = quote
                twice_mid = quote.bid_price.raw + quote.ask_price.raw
                low, high = held.calm
                if not low < twice_mid < high and held.stop.position:
                    self._look(held, twice_mid, event.ts_event)

    def _look(self, held: "_Held", twice_mid: int, ts_ns: int) -> None:
        self._alarm(held.strategy, held.stop.check(twice_mid * _HALF_UNIT), ts_ns)
        calm = held.stop.calm()
        held.calm = _NOWHERE if calm is None else (ceil(calm[0] / _HALF_UNIT), floor(calm[1] / _HALF_UNIT))

    def _alarm(self, scope: str, breach: Breach | None, ts_ns: int) -> None:
        if breach is not None:
            self.msgbus.publish(ALARM_TOPIC, RiskAlarm(ts_ns=ts_ns, scope=scope, breach=breach))


@dataclass(slots=True)
class _Held:
    """
    What a strategy holds of an instrument.

    `calm` is between which sums of bid and ask, in units of the engine, the next look changes nothing.
    """

    strategy: str
    instrument_id: InstrumentId
    stop: PositionStop
    looked_at: QuoteTick | None = None
    calm: tuple[int, int] = _NOWHERE

"""Watches how fast prices move: a maker does not know in a spike what anything is worth."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.identifiers import InstrumentId

from messages import ACCOUNT, ALARM_TOPIC, RiskAlarm
from models.price_moves import PriceRange
from models.risk_limits import Breach

_CHECK: Final = "price-check"
_CHECKS_PER_WINDOW: Final = 12


class PriceWatchConfig(ActorConfig, frozen=True, kw_only=True):
    """
    How far a mid may move within a window.

    That is looked at a dozen times in each window, but no more often than `check_interval_secs`: timers cost.
    """

    instrument_ids: tuple[InstrumentId, ...]
    max_price_move_bps: Decimal
    price_move_window_secs: Decimal = Decimal(60)
    check_interval_secs: Decimal = Decimal(1)


class PriceWatch(Actor):
    """Raises an alarm when a mid has moved too far within the window, and ends it when all windows are calm again."""

    def __init__(self, config: PriceWatchConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        window_ns = int(self.config.price_move_window_secs.scaleb(9))
        limit = self.config.max_price_move_bps
        self._ranges = {name: PriceRange(limit, window_ns) for name in self.config.instrument_ids}
        self._moving = False

    def on_start(self) -> None:
        """Look at the mids on a timer."""
        interval = timedelta(
            seconds=float(max(self.config.check_interval_secs, self.config.price_move_window_secs / _CHECKS_PER_WINDOW))
        )
        self.clock.set_timer(_CHECK, interval, callback=self._on_check)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    def _on_check(self, event: TimeEvent) -> None:
        breach = self._largest(event.ts_event)
        moving = breach is not None
        if moving is not self._moving:
            self._moving = moving
            said = breach or Breach("max_price_move_bps", Decimal(0), self.config.max_price_move_bps)
            alarm = RiskAlarm(ts_ns=event.ts_event, scope=ACCOUNT, breach=said, latched=False, over=not moving)
            self.msgbus.publish(ALARM_TOPIC, alarm)

    def _largest(self, now_ns: int) -> Breach | None:
        found = []
        for name, price_range in self._ranges.items():
            quote = self.cache.quote_tick(name)
            if quote is None:
                continue
            bid, ask = quote.bid_price.raw, quote.ask_price.raw
            if 0 < bid < ask:
                breach = price_range.update(now_ns, bid + ask)  # the unit of prices does not matter
                if breach is not None:
                    found.append(breach)
        return max(found, key=lambda breach: breach.value, default=None)

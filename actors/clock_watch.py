"""Watches the time between an event at the venue and its arrival here: a wrong clock, or a feed that lags."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.identifiers import InstrumentId

from messages import ACCOUNT, ALARM_TOPIC, RiskAlarm
from models.risk_limits import Breach, clock_skew_breach

_CHECK: Final = "clock-check"


class ClockWatchConfig(ActorConfig, frozen=True, kw_only=True):
    """
    How far the venue's time and the local one may be apart.

    That is looked at as often as they may be apart, but no more often than `check_interval_secs`: timers cost.
    """

    instrument_ids: tuple[InstrumentId, ...]
    max_clock_skew_secs: Decimal
    check_interval_secs: Decimal = Decimal(1)


class ClockWatch(Actor):
    """
    Raises an alarm while the last quote or trade of an instrument was stamped too far from when it arrived.

    A venue's stream without times of its own says nothing: its events carry the time of arrival twice.
    """

    def __init__(self, config: ClockWatchConfig) -> None:
        super().__init__(config)
        self._skewed = False

    def on_start(self) -> None:
        """Look at the clocks on a timer."""
        interval = timedelta(seconds=float(max(self.config.check_interval_secs, self.config.max_clock_skew_secs)))
        self.clock.set_timer(_CHECK, interval, callback=self._on_check)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._skewed = False

    def _on_check(self, event: TimeEvent) -> None:
        breach = self._largest()
        skewed = breach is not None
        if skewed is not self._skewed:
            self._skewed = skewed
            said = breach or Breach("max_clock_skew_secs", Decimal(0), self.config.max_clock_skew_secs)
            alarm = RiskAlarm(ts_ns=event.ts_event, scope=ACCOUNT, breach=said, latched=False, over=not skewed)
            self.msgbus.publish(ALARM_TOPIC, alarm)

    def _largest(self) -> Breach | None:
        limit, cache, found = self.config.max_clock_skew_secs, self.cache, []
        for name in self.config.instrument_ids:
            for tick in (cache.quote_tick(name), cache.trade_tick(name)):
                if tick is not None and tick.ts_init != tick.ts_event:  # in recorded data they mostly are the same
                    found.append(clock_skew_breach(tick.ts_init, tick.ts_event, limit))
        return max((breach for breach in found if breach), key=lambda breach: breach.value, default=None)

"""Watches the age of market data: quotes must not stand in a market that nobody hears."""

from decimal import Decimal
from typing import Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.identifiers import InstrumentId

from messages.risk import ACCOUNT, ALARM_TOPIC, RiskAlarm
from models.risk_limits import Breach, stale_breach

_CHECK: Final = "data-age-check"


class DataWatchConfig(ActorConfig, frozen=True, kw_only=True):
    """How old the last quote of any instrument may be, and how often that is looked at."""

    instrument_ids: tuple[InstrumentId, ...]
    max_data_age_secs: Decimal
    check_interval_secs: Decimal = Decimal(1)


class DataWatch(Actor):
    """Raises an alarm when an instrument has been silent for too long, and ends it when all are heard again."""

    def __init__(self, config: DataWatchConfig) -> None:
        super().__init__(config)
        self._silent = False
        self._started_ns = 0
        self._interval_ns = int(config.check_interval_secs.scaleb(9))
        self._max_age_ns = int(config.max_data_age_secs.scaleb(9))

    def on_start(self) -> None:
        """Begin to look at the age of the data."""
        self._started_ns = self.clock.timestamp_ns()
        self._look_at(self._started_ns + self._interval_ns)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._silent = False
        self._started_ns = 0

    def _look_at(self, earliest_ns: int) -> None:
        """Look at the first multiple of the interval since the start that is not before a time."""
        if _CHECK in self.clock.timer_names:  # a live clock still has the alert that is being answered
            self.clock.cancel_timer(_CHECK)
        intervals = -(-(earliest_ns - self._started_ns) // self._interval_ns)
        self.clock.set_time_alert_ns(_CHECK, self._started_ns + intervals * self._interval_ns, self._on_check)

    def _on_check(self, event: TimeEvent) -> None:
        heard_ns = self._oldest()
        breach = None if heard_ns is None else self._breach(event.ts_event, heard_ns)
        # What was heard cannot be too old before its time: there is nothing to look at until then.
        may_be_stale_ns = 0 if heard_ns is None or breach is not None else heard_ns + self._max_age_ns
        self._look_at(max(event.ts_event + self._interval_ns, may_be_stale_ns))
        silent = breach is not None
        if silent is not self._silent:
            self._silent = silent
            said = breach or Breach("max_data_age_secs", Decimal(0), self.config.max_data_age_secs)
            alarm = RiskAlarm(ts_ns=event.ts_event, scope=ACCOUNT, breach=said, latched=False, over=not silent)
            self.msgbus.publish(ALARM_TOPIC, alarm)

    def _oldest(self) -> int | None:
        quotes = (self.cache.quote_tick(instrument_id) for instrument_id in self.config.instrument_ids)
        return min((quote.ts_init for quote in quotes if quote is not None), default=None)

    def _breach(self, now_ns: int, heard_ns: int) -> Breach | None:
        return stale_breach(now_ns, heard_ns, self.config.max_data_age_secs)

"""Watches the age of market data: quotes must not stand in a market that nobody hears."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.identifiers import InstrumentId

from messages import ACCOUNT, ALARM_TOPIC, RiskAlarm
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

    def on_start(self) -> None:
        """Look at the age of the data on a timer."""
        interval = timedelta(seconds=float(self.config.check_interval_secs))
        self.clock.set_timer(_CHECK, interval, callback=self._on_check)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._silent = False

    def _on_check(self, event: TimeEvent) -> None:
        breach = self._oldest(event.ts_event)
        silent = breach is not None
        if silent is not self._silent:
            self._silent = silent
            said = breach or Breach("max_data_age_secs", Decimal(0), self.config.max_data_age_secs)
            alarm = RiskAlarm(ts_ns=event.ts_event, scope=ACCOUNT, breach=said, latched=False, over=not silent)
            self.msgbus.publish(ALARM_TOPIC, alarm)

    def _oldest(self, now_ns: int) -> Breach | None:
        quotes = (self.cache.quote_tick(instrument_id) for instrument_id in self.config.instrument_ids)
        heard = [quote.ts_init for quote in quotes if quote is not None]
        return stale_breach(now_ns, min(heard), self.config.max_data_age_secs) if heard else None

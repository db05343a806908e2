"""Watches the market data themselves: whether their clock is ours, and how fast prices move."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.identifiers import InstrumentId

from messages import ACCOUNT, ALARM_TOPIC, RiskAlarm
from models.price_moves import PriceRange
from models.risk_limits import Breach, clock_skew_breach

_CHECK: Final = "market-check"
_CHECKS_PER_WINDOW: Final = 12


class MarketWatchConfig(ActorConfig, frozen=True, kw_only=True):
    """
    How far the venue's time and the local one may be apart, and how far a mid may move within a window.

    A limit that is None is not held. Both are looked at a dozen times in each window or as often as the times may be
    apart, whichever is more, but no more often than `check_interval_secs`: timers cost.
    """

    instrument_ids: tuple[InstrumentId, ...]
    max_clock_skew_secs: Decimal | None = None
    max_price_move_bps: Decimal | None = None
    price_move_window_secs: Decimal = Decimal(60)
    check_interval_secs: Decimal = Decimal(1)


class MarketWatch(Actor):
    """
    Raises an alarm while market data are stamped too far from when they arrived, or a mid has moved too far.

    A clock that is wrong and a feed that lags look the same. A venue's stream without times of its own says nothing:
    its events carry the time of arrival twice. An alarm of prices ends when all windows are calm again: a maker does
    not know in a spike what anything is worth.
    """

    def __init__(self, config: MarketWatchConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        limit, window_ns = self.config.max_price_move_bps, int(self.config.price_move_window_secs.scaleb(9))
        self._names, self._max_skew_secs = self.config.instrument_ids, self.config.max_clock_skew_secs
        names = () if limit is None else self._names
        self._ranges = {name: PriceRange(limit, window_ns) for name in names if limit is not None}
        self._raised: set[str] = set()

    def on_start(self) -> None:
        """Look at the last quotes and trades on a timer."""
        self._quote_of, self._trade_of = self.cache.quote_tick, self.cache.trade_tick
        interval = timedelta(seconds=float(self._interval_secs()))
        self.clock.set_timer(_CHECK, interval, callback=self._on_check)

    def _interval_secs(self) -> Decimal:
        config = self.config
        wanted = [config.price_move_window_secs / _CHECKS_PER_WINDOW] if self._ranges else []
        if config.max_clock_skew_secs is not None:
            wanted.append(config.max_clock_skew_secs)
        interval_secs: Decimal = max(config.check_interval_secs, min(wanted))
        return interval_secs

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    def _on_check(self, event: TimeEvent) -> None:
        skewed = self._skewed()
        if skewed or "max_clock_skew_secs" in self._raised:
            self._tell("max_clock_skew_secs", skewed, event.ts_event)
        moved = self._moved(event.ts_event) if self._ranges else []
        if moved or "max_price_move_bps" in self._raised:
            self._tell("max_price_move_bps", moved, event.ts_event)

    def _tell(self, rule: str, found: list[Breach], now_ns: int) -> None:
        """Raise the alarm of a rule when its first breach is found, and end it when there is none any more."""
        if bool(found) is not (rule in self._raised):
            self._raised ^= {rule}
            calm = Breach(rule, Decimal(0), getattr(self.config, rule))
            worst = max(found, key=lambda breach: breach.value, default=calm)
            alarm = RiskAlarm(ts_ns=now_ns, scope=ACCOUNT, breach=worst, latched=False, over=not found)
            self.msgbus.publish(ALARM_TOPIC, alarm)

    def _skewed(self) -> list[Breach]:
        found = []
        limit = self._max_skew_secs
        for name in self._names if limit is not None else ():
            for tick in (self._quote_of(name), self._trade_of(name)):
                if tick is not None and tick.ts_init != tick.ts_event:  # in recorded data they mostly are the same
                    found.append(clock_skew_breach(tick.ts_init, tick.ts_event, limit))
        return [breach for breach in found if breach is not None]

    def _moved(self, now_ns: int) -> list[Breach]:
        found = []
        for name, price_range in self._ranges.items():
            quote = self._quote_of(name)
            if quote is not None:
                bid, ask = quote.bid_price.raw, quote.ask_price.raw
                if 0 < bid < ask:
                    found.append(price_range.update(now_ns, bid + ask))  # the unit of prices does not matter
        return [breach for breach in found if breach is not None]

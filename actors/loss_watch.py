"""Watches the account's equity: drawdown, loss of the day, and whether it can be computed at all."""

from decimal import Decimal
from typing import Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig, PositiveInt
from nautilus_trader.common.events import TimeEvent

from messages import ACCOUNT, ALARM_TOPIC, EQUITY_TOPIC, EquityMark, RiskAlarm
from models.loss_limits import DailyLoss, DrawdownKill
from models.risk_limits import Breach

_INTERVALS_WITHOUT_EQUITY: Final = 3
_SILENCE: Final = "equity-silence"
_SECOND_NS: Final = 1_000_000_000


class LossWatchConfig(ActorConfig, frozen=True, kw_only=True):
    """
    The limits of losses, in percent; None leaves one out. See `runtime.risk_settings` for their meaning.

    `equity_interval_secs` is the ledger's grid: after three of its intervals without equity, it is not known.
    """

    max_drawdown_pct: Decimal | None = None
    max_loss_pct: Decimal | None = None
    drawdown_confirmations: PositiveInt = 1
    max_daily_loss_pct: Decimal | None = None
    equity_interval_secs: PositiveInt = 10


class LossWatch(Actor):
    """Raises an alarm at the first point of the equity that is at or beyond a limit, and while there is no equity."""

    def __init__(self, config: LossWatchConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        config = self.config
        self._drawdown = DrawdownKill(config.max_drawdown_pct, config.max_loss_pct, config.drawdown_confirmations)
        self._daily = None if config.max_daily_loss_pct is None else DailyLoss(config.max_daily_loss_pct)
        self._interval_ns = config.equity_interval_secs * _SECOND_NS
        self._heard_ns = 0
        self._unknown = False

    def on_start(self) -> None:
        """Listen to the ledger."""
        self.msgbus.subscribe(EQUITY_TOPIC, self._on_equity)
        self._heard_ns = self.clock.timestamp_ns()
        self.clock.set_timer_ns(_SILENCE, self._interval_ns, self._heard_ns, 0, self._on_check)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    def _on_check(self, event: TimeEvent) -> None:
        if event.ts_event - self._heard_ns > _INTERVALS_WITHOUT_EQUITY * self._interval_ns:
            self._set_unknown(True, event.ts_event)

    def _on_equity(self, mark: EquityMark) -> None:
        self._heard_ns = mark.ts_ns
        self._set_unknown(mark.equity is None, mark.ts_ns)
        if mark.equity is None:
            return
        self._alarm(self._drawdown.update(mark.equity), mark.ts_ns)
        if self._daily is not None:
            held = self._daily.tripped
            breach = self._daily.update(mark.ts_ns, mark.equity)
            if held and not self._daily.tripped:
                over = Breach("max_daily_loss_pct", Decimal(0), Decimal(0))
                alarm = RiskAlarm(ts_ns=mark.ts_ns, scope=ACCOUNT, breach=over, latched=False, over=True)
                self.msgbus.publish(ALARM_TOPIC, alarm)
            self._alarm(breach, mark.ts_ns, latched=False)

    def _set_unknown(self, unknown: bool, ts_ns: int) -> None:
        if unknown is not self._unknown:
            self._unknown = unknown
            breach = Breach("equity_unknown", Decimal(1), Decimal(0))
            alarm = RiskAlarm(ts_ns=ts_ns, scope=ACCOUNT, breach=breach, latched=False, over=not unknown)
            self.msgbus.publish(ALARM_TOPIC, alarm)

    def _alarm(self, breach: Breach | None, ts_ns: int, latched: bool = True) -> None:
        if breach is not None:
            alarm = RiskAlarm(ts_ns=ts_ns, scope=ACCOUNT, breach=breach, latched=latched)
            self.msgbus.publish(ALARM_TOPIC, alarm)

"""Watches the account's equity: drawdown, loss of the day, and whether it can be computed at all."""

from decimal import Decimal
from typing import Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig, PositiveInt
from nautilus_trader.common.events import TimeEvent

from messages.ledger import EQUITY_TOPIC, EquityMark
from messages.risk import ACCOUNT, ALARM_TOPIC, RESUMED_TOPIC, RiskAlarm
from models.loss_limits import DAY_NS, NEVER_CALM, DailyLoss, DrawdownKill
from models.risk_limits import Breach

_INTERVALS_WITHOUT_EQUITY: Final = 3
_SILENCE: Final = "equity-silence"
_SECOND_NS: Final = 1_000_000_000


class LossWatchConfig(ActorConfig, frozen=True, kw_only=True):
    """
    The limits of losses, in percent; None leaves one out. See `runtime.risk.settings` for their meaning.

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
        self._arm()
        self._interval_ns = self.config.equity_interval_secs * _SECOND_NS
        self._patience_ns = _INTERVALS_WITHOUT_EQUITY * self._interval_ns
        self._heard_ns = 0
        self._looks = 0
        self._unknown = False
        self._day = 0
        self._kept: dict[str, Decimal] = {}

    def _arm(self) -> None:
        config = self.config
        self._drawdown = DrawdownKill(config.max_drawdown_pct, config.max_loss_pct, config.drawdown_confirmations)
        daily_pct, confirmations = config.max_daily_loss_pct, config.drawdown_confirmations
        self._daily = None if daily_pct is None else DailyLoss(daily_pct, confirmations)
        self._calm, self._calm_until_ns = NEVER_CALM, 0

    def on_start(self) -> None:
        """Listen to the ledger."""
        self.msgbus.subscribe(EQUITY_TOPIC, self._on_equity)
        self.msgbus.subscribe(RESUMED_TOPIC, self._on_resumed)
        self._heard_ns = self.clock.timestamp_ns()
        self._look_at(self._heard_ns + self._patience_ns)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    def on_save(self) -> dict[str, bytes]:
        """Return what losses are measured from: a restart on the same day must not forget them."""
        drawdown = self._drawdown
        if drawdown.start is None or drawdown.peak is None:
            return {}
        marks = {"day": Decimal(self._day), "start": drawdown.start, "peak": drawdown.peak}
        if self._daily is not None:
            marks["day_start"] = self._daily.start
        return {name: str(value).encode() for name, value in marks.items()}

    def on_load(self, state: dict[str, bytes]) -> None:
        """Take over what an earlier run has measured from."""
        self._kept = {name: Decimal(value.decode()) for name, value in state.items()}

    def _go_on(self, day: int) -> None:
        """Go on from an earlier run of the same UTC day, or one that was killed: elsewhere money may have come."""
        kept, self._kept = self._kept, {}
        same_day = kept.get("day") == day
        if not (same_day or "unbroken" in kept):
            return
        self._drawdown.go_on_from(kept["start"], kept["peak"])
        if self._daily is not None and same_day and "day_start" in kept:
            self._daily.go_on_from(day, kept["day_start"])

    def _on_check(self, event: TimeEvent) -> None:
        patient_until_ns = self._heard_ns + self._patience_ns
        if event.ts_event > patient_until_ns:
            self._set_unknown(True, event.ts_event)
        # What was heard cannot be missed before its time: there is nothing to look at until then.
        self._look_at(max(event.ts_event, patient_until_ns) + self._interval_ns)

    def _look_at(self, ts_ns: int) -> None:
        self._looks += 1  # a live clock still has the alert that is being answered, under its name
        self.clock.set_time_alert_ns(f"{_SILENCE}-{self._looks % 2}", ts_ns, self._on_check)

    def _on_equity(self, mark: EquityMark) -> None:
        ts_ns, equity = mark.ts_ns, mark.equity
        self._heard_ns = ts_ns
        low, high = self._calm
        if equity is not None and low < equity <= high and ts_ns < self._calm_until_ns and not self._unknown:
            return
        self._set_unknown(equity is None, ts_ns)
        if equity is None:
            return
        self._day = ts_ns // DAY_NS
        if self._kept:
            self._go_on(self._day)
        breach = self._drawdown.update(equity)
        if breach is not None:
            self._alarm(breach, ts_ns)
        breach = None if self._daily is None else self._daily.update(ts_ns, equity)
        if breach is not None:
            self._alarm(breach, ts_ns, until_ns=(self._day + 1) * DAY_NS)
        self._note_calm()

    def _note_calm(self) -> None:
        """Note between which equities, and until when, the next point changes nothing."""
        self._calm, self._calm_until_ns = self._drawdown.calm(), (self._day + 1) * DAY_NS
        if self._daily is not None:
            low, high = self._calm
            self._calm = (max(low, self._daily.calm_above()), high)

    def _on_resumed(self, scope: str) -> None:
        """Measure losses from here: those so far are what a person has accepted."""
        if scope == ACCOUNT:
            self._arm()

    def _set_unknown(self, unknown: bool, ts_ns: int) -> None:
        if unknown is not self._unknown:
            self._unknown = unknown
            breach = Breach("equity_unknown", Decimal(1), Decimal(0))
            alarm = RiskAlarm(ts_ns=ts_ns, scope=ACCOUNT, breach=breach, latched=False, over=not unknown)
            self.msgbus.publish(ALARM_TOPIC, alarm)

    def _alarm(self, breach: Breach, ts_ns: int, until_ns: int | None = None) -> None:
        latched = until_ns is None
        alarm = RiskAlarm(ts_ns=ts_ns, scope=ACCOUNT, breach=breach, latched=latched, until_ns=until_ns)
        self.msgbus.publish(ALARM_TOPIC, alarm)

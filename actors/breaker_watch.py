"""Watches for strategies that run away: too many fills, too many orders that the venue refuses."""

from decimal import Decimal

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig, PositiveInt
from nautilus_trader.model.events import OrderEvent, OrderFilled

from messages.risk import ACCOUNT, ALARM_TOPIC, ANSWERS_TOPIC, RESUMED_TOPIC, RiskAlarm
from models.rate_limits import Breaker


class BreakerWatchConfig(ActorConfig, frozen=True, kw_only=True):
    """The limits per window and strategy; None leaves one out. See `runtime.risk.settings` for their meaning."""

    max_fills_per_window: PositiveInt | None = None
    fill_window_secs: Decimal = Decimal(10)
    max_rejections_per_window: PositiveInt | None = None
    rejection_window_secs: Decimal = Decimal(10)


class BreakerWatch(Actor):
    """
    Counts fills and rejections of each strategy.

    A post-only order that would have taken liquidity is refused by design, and does not count.
    """

    def __init__(self, config: BreakerWatchConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        self._fills: dict[str, Breaker] = {}
        self._rejections: dict[str, Breaker] = {}

    def on_start(self) -> None:
        """Listen to the guard."""
        self.msgbus.subscribe(ANSWERS_TOPIC, self._on_answer)
        self.msgbus.subscribe(RESUMED_TOPIC, self._on_resumed)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    def counts(self) -> dict[tuple[str, str], int]:
        """Return what the windows that end now have, by rule and strategy."""
        now_ns = self.clock.timestamp_ns()
        by_rule = {"max_fills_per_window": self._fills, "max_rejections_per_window": self._rejections}
        return {
            (rule, strategy): breaker.seen(now_ns)
            for rule, breakers in by_rule.items()
            for strategy, breaker in breakers.items()
        }

    def _on_resumed(self, scope: str) -> None:
        """Count anew: what was counted so far is what a person has accepted."""
        if scope == ACCOUNT:
            self._forget()
        for breakers in (self._fills, self._rejections):
            breakers.pop(scope, None)

    def _on_answer(self, event: OrderEvent) -> None:
        config = self.config
        if type(event) is OrderFilled:
            rule, limit, window = "max_fills_per_window", config.max_fills_per_window, config.fill_window_secs
            self._count(self._fills, rule, limit, window, event)
        elif not _would_take(event):
            rule, limit = "max_rejections_per_window", config.max_rejections_per_window
            self._count(self._rejections, rule, limit, config.rejection_window_secs, event)

    def _count(
        self, breakers: dict[str, Breaker], rule: str, limit: int | None, window_secs: Decimal, event: OrderEvent
    ) -> None:
        if limit is None:
            return
        strategy = event.strategy_id.value
        breaker = breakers.get(strategy)
        if breaker is None:
            breaker = breakers[strategy] = Breaker(rule, limit, int(window_secs.scaleb(9)))
        breach = breaker.count(event.ts_event)
        if breach is not None:
            self.msgbus.publish(ALARM_TOPIC, RiskAlarm(ts_ns=event.ts_event, scope=strategy, breach=breach))


def _would_take(event: OrderEvent) -> bool:
    return bool(getattr(event, "due_post_only", False)) or "POST_ONLY" in event.reason

"""What losses are measured from survives a restart on the same day, and no longer."""

from decimal import Decimal
from typing import Any

import pytest

DAY_NS = 86_400_000_000_000


def watch_of(alarms: list[Any]) -> Any:
    """Return a watch that begins to listen, and lets its alarms be heard."""
    from nautilus_trader.common.component import MessageBus, TestClock
    from nautilus_trader.model.identifiers import TraderId
    from nautilus_trader.test_kit.stubs.component import TestComponentStubs

    from actors.loss_watch import LossWatch, LossWatchConfig
    from messages.risk import ALARM_TOPIC

    clock = TestClock()
    msgbus = MessageBus(TraderId("TESTER-000"), clock)
    limits = {"max_drawdown_pct": Decimal(4), "max_daily_loss_pct": Decimal(3)}
    watch = LossWatch(LossWatchConfig(equity_interval_secs=10, **limits))
    watch.register_base(TestComponentStubs.portfolio(), msgbus, TestComponentStubs.cache(), clock)
    msgbus.subscribe(ALARM_TOPIC, alarms.append)
    return watch


def mark(watch: Any, ts_ns: int, equity: str) -> None:
    from messages.ledger import EquityMark

    watch._on_equity(EquityMark(ts_ns=ts_ns, equity=Decimal(equity), interval_secs=10))


@pytest.mark.parametrize(
    ("restarted_ns", "rules"),
    [(DAY_NS + 5, ["max_drawdown_pct", "max_daily_loss_pct"]), (2 * DAY_NS + 5, [])],
)
def test_losses_go_on_on_the_same_day_alone(restarted_ns: int, rules: list[str]) -> None:
    alarms: list[Any] = []
    before = watch_of(alarms)
    for equity in ("1000", "1010", "990"):
        mark(before, DAY_NS + 1, equity)
    kept = before.on_save()

    after = watch_of(alarms)
    after.on_load(kept)
    mark(after, restarted_ns, "969")

    assert [alarm.breach.rule for alarm in alarms] == rules


def test_a_watch_that_has_seen_nothing_keeps_nothing() -> None:
    assert watch_of([]).on_save() == {}

"""A clock whose timers fire when the recording says so, and never by themselves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import override
from unittest.mock import patch

from nautilus_trader.common.component import TestClock
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.system import kernel

type OnTime = Callable[[TimeEvent], None]


class ReplayClock(TestClock):
    """The engine's clock of a backtest, which nobody advances: it is set."""

    def __init__(self) -> None:
        super().__init__()
        self._default: OnTime | None = None
        self._callbacks: dict[str, OnTime | None] = {}
        self._alerts: set[str] = set()

    @override
    def register_default_handler(self, callback: OnTime) -> None:
        super().register_default_handler(callback)
        self._default = callback

    @override
    def set_time_alert_ns(
        self, name: str, alert_time_ns: int, callback: OnTime | None = None, allow_past: bool = True
    ) -> None:
        super().set_time_alert_ns(name, alert_time_ns, callback, allow_past)
        self._callbacks[name] = callback
        self._alerts.add(name)

    @override
    def set_timer_ns(
        self,
        name: str,
        interval_ns: int,
        start_time_ns: int,
        stop_time_ns: int,
        callback: OnTime | None = None,
        allow_past: bool = True,
        fire_immediately: bool = False,
    ) -> None:
        times = (interval_ns, start_time_ns, stop_time_ns)
        super().set_timer_ns(name, *times, callback, allow_past, fire_immediately)
        self._callbacks[name] = callback
        self._alerts.discard(name)

    def fire(self, name: str, due_ns: int, now_ns: int) -> bool:
        """Answer a timer as it was answered in the run; return whether it is set here, too."""
        if name not in self.timer_names:
            return False
        callback = self._callbacks[name] or self._default
        assert callback is not None
        if name in self._alerts:
            self.cancel_timer(name)
        callback(TimeEvent(name, UUID4(), due_ns, now_ns))
        return True


@contextmanager
def replay_clocks() -> Iterator[None]:
    """Give every component of a system that is made in this block a `ReplayClock`."""
    with patch.object(kernel, "TestClock", ReplayClock):  # the kernel takes no clock from outside
        yield

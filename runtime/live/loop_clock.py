"""
Timers that fire on the event loop.

The engine's live clock (1.231) calls back from a thread of its own, in the middle of whatever strategies, the ledger
and the risk actors are doing on the event loop; tests/runtime/live/test_same_system.py keeps the proof. Here a timer
that is due is handed to the loop, so that everything happens on one thread, as it does in a backtest. In a rehearsal at
speed the clocks go by its pace, so that every window of every part is as long in market time as it would be live.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, override
from unittest.mock import patch

from nautilus_trader.common.component import LiveClock
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.system import kernel

from runtime.live.pace import REAL, Pace

type OnTime = Callable[[TimeEvent], None]
type OnTimer = Callable[[LiveClock, TimeEvent], None]

_EARLIEST_SECS: Final = 0.01
"""The engine's timers go by another clock of the machine than its time, and may be a little early: that is waited for.
Where more is missing the machine's time was set back, and whoever watches must not be kept waiting."""


@contextmanager
def clocks_on(loop: asyncio.AbstractEventLoop, on_timer: OnTimer | None = None, pace: Pace = REAL) -> Iterator[None]:
    """
    Give every component of the node that is made in this block a clock whose timers fire on `loop`.

    `on_timer` is told of each, on the loop, before it is answered; the clocks go by `pace`.
    """
    kind = _loop_clock(loop, on_timer)
    with patch.object(
        kernel, "LiveClock", kind if pace.is_real else type("PacedClock", (_Paced, kind), {"pace": pace})
    ):
        yield  # the kernel takes no clock from outside


def _on_loop(loop: asyncio.AbstractEventLoop, on_timer: OnTimer | None, clock: Any, callback: OnTime) -> OnTime:
    """Return what the engine calls from its thread in place of a callback, which is called on the loop in its time."""

    def answer(event: TimeEvent) -> None:
        early_secs = clock.pace.machine_secs((event.ts_event - clock.timestamp_ns()) / 1e9)
        if 0 < early_secs <= _EARLIEST_SECS:
            loop.call_later(early_secs, answer, event)
            return
        if on_timer is not None:
            on_timer(clock, event)
        callback(event)

    def take(event: TimeEvent) -> None:
        answer(clock.in_time(event))

    def hand_over(event: TimeEvent) -> None:
        with suppress(RuntimeError):  # the loop is closed: nothing is left to be told
            loop.call_soon_threadsafe(take, event)

    return hand_over


def _loop_clock(loop: asyncio.AbstractEventLoop, on_timer: OnTimer | None) -> type[Any]:
    def on_loop(clock: Any, callback: OnTime) -> OnTime:
        return _on_loop(loop, on_timer, clock, callback)

    class LoopClock(LiveClock):
        """A live clock whose callbacks run on the event loop."""

        pace: Pace = REAL

        def in_time(self, event: TimeEvent) -> TimeEvent:
            """Return an event with the times of this clock."""
            return event

        @override
        def register_default_handler(self, callback: OnTime) -> None:
            super().register_default_handler(on_loop(self, callback))

        @override
        def set_time_alert_ns(
            self,
            name: str,
            alert_time_ns: int,
            callback: OnTime | None = None,
            allow_past: bool = True,
        ) -> None:
            handler = None if callback is None else on_loop(self, callback)
            super().set_time_alert_ns(name, alert_time_ns, handler, allow_past)

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
            handler = None if callback is None else on_loop(self, callback)
            times = (interval_ns, start_time_ns, stop_time_ns)
            super().set_timer_ns(name, *times, handler, allow_past, fire_immediately)

        @override
        def cancel_timer(self, name: str) -> None:
            with suppress(KeyError):  # it has fired since it was looked for
                super().cancel_timer(name)

    return LoopClock


class _Paced(LiveClock):
    """A clock of another speed than the machine's; events have exactly the times that were asked for."""

    pace: Pace

    def __init__(self) -> None:
        super().__init__()
        self._due: dict[str, tuple[int, int]] = {}

    @override
    def timestamp_ns(self) -> int:
        return self.pace.now_ns()

    @override
    def timestamp_us(self) -> int:
        return self.pace.now_ns() // 1_000

    @override
    def timestamp_ms(self) -> int:
        return self.pace.now_ns() // 1_000_000

    @override
    def timestamp(self) -> float:
        return self.pace.now_ns() / 1e9

    @override
    def next_time_ns(self, name: str) -> int:
        return self.pace.of_machine(super().next_time_ns(name))

    @override
    def set_time_alert_ns(
        self, name: str, alert_time_ns: int, callback: OnTime | None = None, allow_past: bool = True
    ) -> None:
        self._due[name] = (max(alert_time_ns, self.pace.now_ns()), 0)
        super().set_time_alert_ns(name, self.pace.to_machine(alert_time_ns), callback, True)

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
        start_ns = start_time_ns or self.pace.now_ns()
        self._due[name] = (start_ns, interval_ns)
        stop_ns = self.pace.to_machine(stop_time_ns) if stop_time_ns else 0
        interval = max(1, round(interval_ns / self.pace.speed))
        super().set_timer_ns(name, interval, self.pace.to_machine(start_ns), stop_ns, callback, True, fire_immediately)

    def in_time(self, event: TimeEvent) -> TimeEvent:
        due_ns, interval_ns = self._due[event.name]
        if interval_ns:
            due_ns += round((self.pace.of_machine(event.ts_event) - due_ns) / interval_ns) * interval_ns
        return TimeEvent(event.name, event.id, due_ns, max(due_ns, self.pace.now_ns()))

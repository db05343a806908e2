"""
Timers that fire on the event loop.

The engine's live clock (1.231) calls back from a thread of its own, in the middle of whatever strategies, the ledger
and the risk actors are doing on the event loop; tests/runtime/live/test_loop_clock.py keeps the proof. Here a timer
that is due is handed to the loop, so that everything happens on one thread, as it does in a backtest.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import override
from unittest.mock import patch

from nautilus_trader.common.component import LiveClock
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.system import kernel

type OnTime = Callable[[TimeEvent], None]
type OnTimer = Callable[[LiveClock, TimeEvent], None]


@contextmanager
def clocks_on(loop: asyncio.AbstractEventLoop, on_timer: OnTimer = lambda clock, event: None) -> Iterator[None]:
    """
    Give every component of the node that is made in this block a clock whose timers fire on `loop`.

    `on_timer` is told of each, on the loop, before it is answered.
    """

    def on_loop(clock: LiveClock, callback: OnTime) -> OnTime:
        def answer(event: TimeEvent) -> None:
            on_timer(clock, event)
            callback(event)

        def hand_over(event: TimeEvent) -> None:
            with suppress(RuntimeError):  # the loop is closed: nothing is left to be told
                loop.call_soon_threadsafe(answer, event)

        return hand_over

    class LoopClock(LiveClock):
        """A live clock whose callbacks run on the event loop."""

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

    with patch.object(kernel, "LiveClock", LoopClock):  # the kernel takes no clock from outside
        yield

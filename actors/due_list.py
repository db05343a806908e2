"""What is to be done with a fill later, at an exact time."""

import heapq
from collections.abc import Callable
from typing import Final

from nautilus_trader.common.component import Clock
from nautilus_trader.common.events import TimeEvent

from actors.ledger_records import FillRecord

_ALERT: Final = "ledger-due"


class DueList:
    """
    Hands fills back when they are due, the earliest first.

    It keeps one alert, at the earliest time: the engine's clock looks at every alert on every tick.

    Parameters
    ----------
    clock : Clock
        Of the actor whose fills these are.
    settle : callable
        Is given each fill when it is due, with the horizon in seconds that it was put down for.

    """

    def __init__(self, clock: Clock, settle: Callable[[FillRecord, int], None]) -> None:
        self._clock = clock
        self._settle = settle
        self._due: list[tuple[int, int, FillRecord, int]] = []
        self._sequence = 0
        self._alert_ns = 0

    def put(self, ts_ns: int, fill: FillRecord, horizon: int) -> None:
        """Hand `fill` back at `ts_ns`."""
        self._sequence += 1
        heapq.heappush(self._due, (ts_ns, self._sequence, fill, horizon))
        self._set_alert()

    def settle(self, now_ns: int) -> None:
        """Hand back all that is due, without waiting for the alert."""
        due = self._due
        while due and due[0][0] <= now_ns:
            _, _, fill, horizon = heapq.heappop(due)
            self._settle(fill, horizon)
        self._set_alert()

    def settle_all(self, horizon: int) -> None:
        """Hand back all that were put down for `horizon`, due or not."""
        waiting = sorted(due for due in self._due if due[3] == horizon)
        self._due = [due for due in self._due if due[3] != horizon]
        heapq.heapify(self._due)
        for _, _, fill, _ in waiting:
            self._settle(fill, horizon)

    def _set_alert(self) -> None:
        if not self._due or self._due[0][0] == self._alert_ns:
            return
        if _ALERT in self._clock.timer_names:
            self._clock.cancel_timer(_ALERT)
        self._alert_ns = self._due[0][0]
        self._clock.set_time_alert_ns(_ALERT, self._alert_ns, self._on_alert)

    def _on_alert(self, event: TimeEvent) -> None:
        self._alert_ns = 0
        self.settle(self._clock.timestamp_ns())

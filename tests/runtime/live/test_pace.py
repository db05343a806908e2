"""A rehearsal at speed: the engine's clocks and the exchange's go by one time, and every window is as long as live."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.live.pace import REAL, Pace

SECOND_NS = 1_000_000_000


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


@given(
    speed=st.floats(0.1, 1_000),
    machine_ns=st.integers(0, 10**15),
    secs=st.integers(1, 10_000),
)
def test_time_is_proportional_to_the_machines(speed: float, machine_ns: int, secs: int) -> None:
    begun_ns = 1_700_000_000 * SECOND_NS
    pace = Pace(speed, begun_ns)

    assert pace.of_machine(begun_ns) == begun_ns
    assert pace.of_machine(begun_ns + secs * SECOND_NS) - begun_ns == pytest.approx(secs * SECOND_NS * speed)
    assert pace.to_machine(pace.of_machine(begun_ns + machine_ns)) == pytest.approx(begun_ns + machine_ns, abs=10)
    assert REAL.of_machine(machine_ns) == REAL.to_machine(machine_ns) == machine_ns


def test_timers_have_exactly_the_times_that_were_asked_for(loop: Any) -> None:
    from nautilus_trader.system import kernel

    from runtime.live.loop_clock import clocks_on

    pace = Pace.from_now(100.0)
    with clocks_on(loop, pace=pace):
        clock = kernel.LiveClock()
    times: list[int] = []
    over = asyncio.Event()

    def note(event: Any) -> None:
        times.append(event.ts_event)
        if len(times) == 5:
            over.set()

    now_ns = clock.timestamp_ns()
    start_ns = now_ns - now_ns % SECOND_NS
    clock.set_timer("grid", timedelta(seconds=1), callback=lambda event: None)
    clock.set_timer_ns("whole seconds", SECOND_NS, start_ns, 0, note)
    before = loop.time()
    loop.run_until_complete(asyncio.wait_for(over.wait(), 10))
    took = loop.time() - before
    clock.cancel_timers()

    seconds = [(time_ns - start_ns) / SECOND_NS for time_ns in times]
    assert seconds == [seconds[0] + number for number in range(5)]
    assert seconds[0] in range(1, 100)
    assert took < 2.0  # five seconds of the run are a twentieth of the machine's


class Hasty(Pace):
    """Lets the engine's timers fire a little early, as they sometimes do."""

    def to_machine(self, time_ns: int) -> int:
        return super().to_machine(time_ns) - 2_000_000


@pytest.mark.parametrize("kind", [Pace, Hasty])
def test_an_alert_comes_at_its_time_and_not_before(loop: Any, kind: type[Pace]) -> None:
    from nautilus_trader.system import kernel

    from runtime.live.loop_clock import clocks_on

    with clocks_on(loop, pace=kind.from_now(50.0)):
        clock = kernel.LiveClock()
    came: list[tuple[int, int]] = []
    over = asyncio.Event()

    def note(event: Any) -> None:
        came.append((event.ts_event, clock.timestamp_ns()))
        over.set()

    due_ns = clock.timestamp_ns() + 3 * SECOND_NS
    clock.set_time_alert_ns("due", due_ns, note)
    loop.run_until_complete(asyncio.wait_for(over.wait(), 10))

    [(ts_event, at)] = came
    assert ts_event == due_ns
    assert at >= due_ns
    assert abs(clock.utc_now().timestamp() - clock.timestamp()) < 5

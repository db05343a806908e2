"""Processes that die, raise, and end with their parent."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import CancelledError, as_completed
from pathlib import Path

import pytest

from bad_input import BadInput
from runtime.workers.pool import WorkerDied, WorkerPool


def die_once(marker: Path, value: int) -> int:
    """Kill the process at the first call, and answer the second."""
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(value: int) -> None:
    raise BadInput(f"{value} was refused", key="value")


def sleep_long(marker: Path) -> None:
    marker.write_text(str(os.getpid()))
    time.sleep(600)


def wait_until(condition, within: float = 20.0) -> None:  # type: ignore[no-untyped-def]
    """Look again and again for what another process does."""
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_calls_are_answered_whatever_becomes_of_the_process_of_one(tmp_path: Path) -> None:
    with WorkerPool(2) as pool:
        futures = {pool.submit(die_once, tmp_path / "marker", n): n for n in range(6)}
        answers = {futures[future]: future.result() for future in as_completed(futures)}

    assert answers == {n: n for n in range(6)}
    assert pool.deaths == 1
    assert pool.pids == []


def test_a_call_that_kills_every_process_is_given_up_and_the_others_go_on() -> None:
    with WorkerPool(1, retries=1) as pool:
        deadly, harmless = pool.submit(die), pool.submit(abs, -3)

        with pytest.raises(WorkerDied, match="died 2 times"):
            deadly.result()
        assert harmless.result() == 3
        assert pool.deaths == 2


def test_what_a_call_raises_is_raised_where_its_result_is_asked_for() -> None:
    with WorkerPool(1) as pool:
        with pytest.raises(BadInput, match="value: 7 was refused"):
            pool.submit(refuse, 7).result()
        with pytest.raises(RuntimeError, match="could not be sent"):
            pool.submit(compile, "1", "name", "eval").result()
        assert pool.submit(abs, -1).result() == 1


def test_an_exception_ends_the_processes_at_once(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    with contextlib.suppress(KeyboardInterrupt), WorkerPool(1) as pool:
        busy, waiting = pool.submit(sleep_long, marker), pool.submit(abs, -1)
        wait_until(lambda: marker.exists() and marker.read_text())
        raise KeyboardInterrupt

    assert not is_running(int(marker.read_text()))
    with pytest.raises(WorkerDied):
        busy.result()
    with pytest.raises(CancelledError):
        waiting.result()


PARENT = """
    import sys
    from pathlib import Path
    from runtime.workers.pool import WorkerPool
    from tests.runtime.workers.test_pool import sleep_long

    if __name__ == "__main__":
        with WorkerPool(2) as pool:
            calls = [pool.submit(sleep_long, Path(sys.argv[1]) / str(n)) for n in range(2)]
            for call in calls:
                call.result()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_its_parent(tmp_path: Path, project: Path, how: signal.Signals) -> None:
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent(PARENT))
    environment = {**os.environ, "PYTHONPATH": str(project)}
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)], env=environment, stderr=subprocess.PIPE, start_new_session=True
    )
    markers = [tmp_path / "0", tmp_path / "1"]
    wait_until(lambda: all(marker.exists() and marker.read_text() for marker in markers))

    if how is signal.SIGINT:
        os.killpg(parent.pid, how)  # as a terminal does: every process of the group gets it
    else:
        parent.send_signal(how)

    parent.communicate(timeout=20)
    wait_until(lambda: not any(is_running(int(marker.read_text())) for marker in markers))

"""Rows come to disk, survive a kill, and a disk that is full ends the recording, not the run."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from data_catalog.run_recordings import rows


def _wait(condition: Any, seconds: float = 10.0) -> None:
    """Poll until a condition of another thread holds."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError("did not happen")


def _run(at: int = 1) -> rows.Run:
    return rows.Run(at, rows.FORMAT, "run", "paper", {}, "0", "BALLAST-1", "USDT", "1", True)


def _timers(count: int) -> list[rows.TimerFired]:
    return [rows.TimerFired(2 + n, "Ledger", "grid", 2 + n) for n in range(count)]


def test_rows_come_back_in_their_order(tmp_path: Path) -> None:
    from data_catalog.run_recordings.reading import open_recording
    from runtime.recording.tape import Tape

    said: list[str] = []
    tape = Tape(tmp_path / rows.FOLDER, said.append)
    tape.start()
    for row in (_run(), *_timers(500)):
        tape.append(row)
    tape.close()

    recording = open_recording(tmp_path)
    *read, end = recording.rows()
    assert recording.run == _run()
    assert read == _timers(500)
    assert isinstance(end, rows.Ended)
    assert (tape.rows, tape.incomplete, said) == (502, None, [])


def test_a_full_disk_ends_the_recording_and_not_the_run(tmp_path: Path) -> None:
    from runtime.recording.tape import Tape

    folder = tmp_path / rows.FOLDER
    folder.mkdir()
    (folder / "0001.open").symlink_to("/dev/full")
    said: list[str] = []
    tape = Tape(folder, said.append)
    tape.start()

    tape.append(_run(at=1_795_190_961_000_000_000))
    _wait(lambda: tape.incomplete)
    for row in _timers(10):
        tape.append(row)  # as a run does that goes on
    tape.close()

    assert tape.incomplete.since_ns == 1_795_190_961_000_000_000
    assert "No space left on device" in tape.incomplete.reason
    assert said == [f"{tape.incomplete} Trading goes on."]
    assert tape.rows == 0


KILLED = """
import sys, time
from pathlib import Path
from data_catalog.run_recordings import rows
from runtime.recording.tape import Tape

tape = Tape(Path(sys.argv[1]) / rows.FOLDER, print)
tape.start()
tape.append(rows.Run(1, rows.FORMAT, "run", "paper", {}, "0", "BALLAST-1", "USDT", "1", True))
while True:
    tape.append(rows.TimerFired(time.time_ns(), "Ledger", "grid", 0))
    print(time.time_ns(), flush=True)
    time.sleep(0.01)
"""


def test_a_kill_costs_no_more_than_the_flush_time(tmp_path: Path, project: Path) -> None:
    from data_catalog.run_recordings.reading import open_recording
    from runtime.recording.tape import FLUSH_SECS

    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(project)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        times = [int(process.stdout.readline())]
        while times[-1] - times[0] < 2.5e9:
            times.append(int(process.stdout.readline()))
        process.send_signal(signal.SIGKILL)

    read = list(open_recording(tmp_path).rows())
    assert not any(isinstance(row, rows.Ended) for row in read)
    lost_secs = (times[-1] - read[-1].at) / 1e9
    busy_secs = max(later - earlier for earlier, later in pairwise(times)) / 1e9
    assert lost_secs < FLUSH_SECS + 0.5 + 2 * busy_secs  # the time that the machine takes to get round to it


@pytest.mark.parametrize("cut", [1, 2, 37])
def test_a_torn_end_is_left_out(tmp_path: Path, cut: int) -> None:
    from data_catalog.run_recordings.reading import open_recording
    from runtime.recording.tape import Tape

    tape = Tape(tmp_path / rows.FOLDER, print)
    tape.start()
    for row in (_run(), *_timers(50)):
        tape.append(row)
    tape.close()
    [file] = (tmp_path / rows.FOLDER).iterdir()
    file.write_bytes(file.read_bytes()[:-cut])

    read = list(open_recording(tmp_path).rows())

    assert read[: len(_timers(50))] == _timers(50)[: len(read)]


def test_what_is_no_recording_says_so(tmp_path: Path) -> None:
    from bad_input import BadInput
    from data_catalog.run_recordings.reading import open_recording

    with pytest.raises(BadInput, match="no recording"):
        open_recording(tmp_path)

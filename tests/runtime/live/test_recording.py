"""The recording of a run whose disk is full: it ends, says so everywhere, and trading goes on."""

import json
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Any]:
    """Yield a run on an exchange of its own; both end with the test."""
    from tests.runtime.live.live_kit import Live, new_double

    with new_double() as double:
        live = Live("spot", double, tmp_path)
        tee = ["tee", str(tmp_path / "stderr")]  # what limits the files of the process must not limit what it says
        with subprocess.Popen(tee, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as ear:
            live.process = subprocess.Popen(**live.command("--local"), stderr=ear.stdin, stdout=subprocess.DEVNULL)
            yield live
            live.kill()


def recorded_bytes(live: Any) -> int:
    return sum(file.stat().st_size for file in live.run.glob("recording/*"))


def test_trading_goes_on_when_the_disk_takes_no_more(live: Any) -> None:
    from data_catalog.run_recordings.reading import open_recording
    from data_catalog.run_recordings.rows import Ended

    live.until_quoting()
    live.until(lambda: recorded_bytes(live) > 1_024)
    pid = live.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (1_024, resource.RLIM_INFINITY))
    live.until(lambda: "The recording is incomplete from" in live.errors())
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    names = {order.asked.client_order_id for order in live.orders()}
    live.move(3)
    live.until(lambda: not names & {order.asked.client_order_id for order in live.orders()})
    live.until_quoting()
    assert live.stop() == 0

    [warning] = [each for each in live.summary()["warnings"] if "recording" in each]
    ending = json.loads((live.run / "manifest.json").read_text())["ending"]["recording"]
    assert ending["complete"] is False
    assert ending["incomplete_from"] in warning
    assert ending["reason"] in warning
    recording = open_recording(live.run)
    assert recording.run.mode == "local"
    rows = list(recording.rows())
    assert not any(isinstance(row, Ended) for row in rows)
    assert not any(word in str([recording.run, *rows]) for word in (live.double.key.key, live.double.key.secret))

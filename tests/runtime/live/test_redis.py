"""Redis beside the files: it brings orders back after a kill, and its death keeps no run from ending."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server on this machine")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start a Redis on a free port; its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    yield f"127.0.0.1:{port}", server
    server.kill()
    server.wait()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["spot", "perpetual"])
def test_a_killed_run_goes_on_with_what_redis_has_kept(kind: str, redis: Any, tmp_path: Path) -> None:
    from tests.runtime.live.live_kit import Live, new_double

    options = ("--set", f"live.redis={redis[0]}", "--set", "live.positions_at_start=adopt")
    with new_double() as double:
        live = Live(kind, double, tmp_path)
        try:
            live.start(*options).until_quoting()
            live.double.fill(live.orders()[0].asked.client_order_id)
            live.until(live.fills)
            live.process.send_signal(signal.SIGKILL)
            live.ended()
            live.until_swept()
            live.start(*options).until_quoting()
            before = len(double.requests("open_orders"))
            live.until(lambda: len(double.requests("open_orders")) > before + 12)  # the books were compared in between
            assert live.stop() == 0
            assert not live.orders()
            summary = live.summary()
            assert summary["fills"] == 1  # of the run that was killed, once
            assert Decimal(repr(summary["equity_end"])) == pytest.approx(live.venue_equity(), abs=Decimal("0.005"))
        finally:
            live.kill()


@pytest.mark.slow
def test_a_run_ends_though_redis_has_died(redis: Any, tmp_path: Path) -> None:
    from tests.runtime.live.live_kit import Live, new_double

    address, server = redis
    with new_double() as double:
        live = Live("spot", double, tmp_path)
        try:
            live.start("--set", f"live.redis={address}", "--set", "live.stop_timeout_secs=4").until_quoting()
            server.kill()
            server.wait()
            live.move(3)
            live.until_quoting()
            assert live.stop() in (0, 1)
            assert not live.orders()
        finally:
            live.kill()

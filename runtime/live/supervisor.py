"""
The process beside the trading process: when that dies or hangs, its orders are cancelled.

It listens to a pipe. `beat` comes every second, `stopping` when an orderly stop begins, `done` when it has ended with a
clean sweep. The end of the pipe without `done`, or silence, means that nobody else will cancel anything.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from runtime.live.account import BinanceAccount
from runtime.live.environment import Credentials, Environment, Venue, credentials_of
from runtime.live.own_orders import Owner
from runtime.live.pace import Pace
from runtime.live.rest import Rest
from runtime.live.sweep import sweep

BEAT_SECS: Final = 1.0
"""How often the trading process says that it lives."""

LOG_NAME: Final = "supervisor.log"
_PROJECT: Final = Path(__file__).parents[2]
_GRACE_SECS: Final = 1.0
_STOP_GRACE_SECS: Final = 10.0


@dataclass(frozen=True)
class Orders:
    """
    What the supervisor needs to know; no secret is among it.

    Parameters
    ----------
    environment, spot, local_url
        As in `Venue`.
    owner_tag : str
        Whose orders.
    symbols : tuple of str
        Where they are.
    heartbeat_secs : float
        How long a silence is too long.
    stop_secs : float
        How long an orderly stop may take.
    sweep_secs : float
        For how long to try.
    recv_window_ms : int
        How late an order that was sent may still arrive.
    log : str
        Where to write what happened.
    speed, begun_ns
        As in `Pace`.

    """

    environment: str
    spot: bool
    local_url: str | None
    owner_tag: str
    symbols: tuple[str, ...]
    heartbeat_secs: float
    stop_secs: float
    sweep_secs: float
    recv_window_ms: int
    log: str
    speed: float = 1.0
    begun_ns: int = 0


class Supervisor:
    """
    The trading process's end of the pipe.

    Parameters
    ----------
    orders : Orders
        What to look after.
    credentials : Credentials
        Given to the process through its environment.
    lock : int
        The descriptor of the run's lock: no other run may start before the supervisor has finished.

    """

    def __init__(self, orders: Orders, credentials: Credentials, lock: int) -> None:
        venue = Venue(Environment(orders.environment), orders.spot, orders.local_url)
        key, secret = venue.key_variables
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runtime.live.supervisor", json.dumps(asdict(orders))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=_PROJECT,
            env={**os.environ, key: credentials.key, secret: credentials.secret},
            start_new_session=True,  # the keyboard's interrupt is not for it
            pass_fds=(lock,),
        )

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it is there."""
        return self._process.poll() is None

    def say(self, word: str) -> None:
        """Send a word; one that nobody hears is lost."""
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):
            self._process.stdin.write(f"{word}\n".encode())
            self._process.stdin.flush()

    def leave_to_it(self) -> None:
        """Leave what could not be cancelled to it: it tries again."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def release(self, timeout_secs: float = 5.0) -> None:
        """Send it home: nothing is left to look after."""
        self.say("done")
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_secs)


def watch(orders: Orders, pipe: IO[bytes], trader_pid: int) -> int:
    """Listen until it is all over; return the exit status: 0 if nothing is left, 4 if something is."""
    problem = _listen(orders, pipe)
    if problem is None:
        return 0
    _write(orders, problem)
    if problem.startswith("silent") and os.getppid() == trader_pid:
        _write(orders, f"killing the trading process {trader_pid}: it must not send orders behind the sweep")
        with suppress(ProcessLookupError):
            os.kill(trader_pid, signal.SIGKILL)
    venue = Venue(Environment(orders.environment), orders.spot, orders.local_url)
    credentials = credentials_of(venue)
    assert credentials is not None
    pace = Pace(orders.speed, orders.begun_ns)
    rest = Rest(venue.http, credentials, recv_window_ms=orders.recv_window_ms, pace=pace)
    account = BinanceAccount(rest, orders.spot)
    late_secs = pace.machine_secs(orders.recv_window_ms / 1_000) + _GRACE_SECS
    started = time.monotonic()
    swept = sweep(account, orders.symbols, Owner(orders.owner_tag), orders.sweep_secs, late_secs)
    _write(orders, f"{swept} (after {time.monotonic() - started:.1f} s)")
    return 0 if swept.is_clean else 4


def _listen(orders: Orders, pipe: IO[bytes]) -> str | None:
    """Return what is wrong; None when the trading process has said that it is done."""
    patience, buffer = orders.heartbeat_secs, b""
    heard = time.monotonic()
    while True:
        ready, _, _ = select.select([pipe], [], [], max(0.0, heard + patience - time.monotonic()))
        if not ready:
            return f"silent for {patience:.0f} s"
        chunk = os.read(pipe.fileno(), 4096)
        if not chunk:
            return "the trading process is gone"
        heard = time.monotonic()
        *words, buffer = (buffer + chunk).split(b"\n")
        if b"done" in words:
            return None
        if b"stopping" in words:
            patience = orders.stop_secs + orders.sweep_secs + _STOP_GRACE_SECS


def _write(orders: Orders, text: str) -> None:
    with Path(orders.log).open("a", encoding="utf-8") as log:
        log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}\n")


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    values = json.loads(sys.argv[1])
    sys.exit(watch(Orders(**values), sys.stdin.buffer, os.getppid()))

"""One run of a setup at a time: a second one would take the first one's orders for leftovers, and cancel them."""

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from command_line import Failed

_LOOK_SECS: Final = 0.25


class RunLock(AbstractContextManager["RunLock"]):
    """
    A lock that is held as long as the run or its supervisor lives, and that the system takes back from the dead.

    Parameters
    ----------
    folder : Path
        The state of the setup.
    wait_secs : float
        For how long an earlier run's supervisor is waited for.
    say : callable
        Tells the user that it waits.

    """

    def __init__(self, folder: Path, wait_secs: float, say: Callable[[str], None]) -> None:
        self._file = folder / "running.lock"
        self._wait_secs = wait_secs
        self._say = say
        self.descriptor = -1
        """For the supervisor, which holds the lock as well."""

    def __enter__(self) -> Self:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o644)
        if not self._taken():
            self._wait()
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{os.getpid()}\n".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(self) -> None:
        """Wait for the supervisor of a run that has died; a run that lives is not waited for."""
        owner = os.pread(self.descriptor, 32, 0).decode().strip()
        if owner and _lives(int(owner)):
            os.close(self.descriptor)
            raise Failed(f"this setup is running already, as process {owner}")
        self._say("waiting for the supervisor of an earlier run, which cancels its orders")
        end = time.monotonic() + self._wait_secs
        while not self._taken():
            if time.monotonic() > end:
                os.close(self.descriptor)
                raise Failed(f"an earlier run is still being cleaned up after {self._wait_secs:.0f} s: {self._file}")
            time.sleep(_LOOK_SECS)


def is_running(folder: Path) -> bool:
    """Return whether a run of the setup whose state `folder` is lives, or its supervisor does."""
    try:
        descriptor = os.open(folder / "running.lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

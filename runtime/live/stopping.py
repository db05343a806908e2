"""Why and since when a session is ending, and the timer that ends it whatever hangs."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from typing import Final

from nautilus_trader.live.node import TradingNode

_LOOK_SECS: Final = 0.25


class Ending:
    """
    Ends a node once, and keeps the first reason.

    Parameters
    ----------
    node : TradingNode
        What is stopped.
    main : Task
        What runs it.
    say : callable
        Tells the user.

    """

    def __init__(self, node: TradingNode, main: asyncio.Task[None], say: Callable[[str], None]) -> None:
        self._node = node
        self._main = main
        self._say = say
        self.failure: str | None = None
        """What went wrong; None while nothing has, and when a person asked for the end."""
        self.reason: str | None = None
        """Why it ends; None while it does not."""
        self.started: float | None = None
        """When the end began, on the monotonic clock."""

    def fail(self, reason: str) -> None:
        """Stop because something is wrong."""
        if self._note(reason):
            self.failure = reason
            self._stop()

    def failed(self, reason: str) -> None:
        """Note that the engine stops by itself because something is wrong."""
        if self._note(reason):
            self.failure = reason

    def ask(self, reason: str) -> None:
        """Stop because a person or the machine wants it."""
        if self._note(reason):
            self._stop()

    def _note(self, reason: str) -> bool:
        if self.started is not None:
            return False
        self._say(f"stopping: {reason}")
        self.reason = reason
        self.started = time.monotonic()
        return True

    def _stop(self) -> None:
        if self._node.trader.is_running:
            self._node.stop()
        else:
            self._main.cancel()  # a stop would let the start go on beside it


class HardExit:
    """
    A thread that ends the process when an orderly stop takes too long.

    Parameters
    ----------
    ending : Ending
        Says when the stop began.
    timeout_secs : float
        How long it may take.
    last_words : callable
        Called before the process ends; returns its exit status.
    leave : callable
        Ends the process.

    """

    def __init__(
        self,
        ending: Ending,
        timeout_secs: float,
        last_words: Callable[[], int],
        leave: Callable[[int], None] = os._exit,
    ) -> None:
        self._ending = ending
        self._timeout_secs = timeout_secs
        self._last_words = last_words
        self._leave = leave
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="hard-exit", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def disarm(self) -> None:
        """Let the process end by itself."""
        self._over.set()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECS):
            started = self._ending.started
            if started is not None and time.monotonic() - started > self._timeout_secs:
                self._leave(self._last_words())
                return

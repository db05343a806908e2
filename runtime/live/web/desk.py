"""Where the thread that serves meets the loop that trades: one question at a time, and only when somebody asks."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

import msgspec

from runtime.live.web.snapshot import Observer
from runtime.live.web.state import Reason, State

_FRESH_SECS: Final = 0.25
_PATIENCE_SECS: Final = 2.0


class NoAnswerError(RuntimeError):
    """The loop that trades does not answer, or looking at it failed."""


class Desk:
    """
    Gives out states of a run, none older than a quarter of a second, to however many ask.

    Looking happens on the loop that trades, because nothing else may read the engine's books; encoding and serving do
    not. Where nobody asks, nothing happens at all.

    Parameters
    ----------
    observer : Observer
        Looks at the run.

    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_ending: Callable[[], bool] = lambda: False
        self._last: State | None = None
        self._made_at = 0.0
        self._asking: asyncio.Task[State] | None = None

    def open(self, loop: asyncio.AbstractEventLoop, is_ending: Callable[[], bool]) -> None:
        """Ask on this loop from now on; while the run ends, the loop may stand still."""
        self._is_ending = is_ending
        self._loop = loop

    async def state(self) -> State:
        """
        Return what the run is doing.

        Raises
        ------
        NoAnswerError
            If the loop that trades says nothing for two seconds.

        """
        if self._last is not None and time.monotonic() - self._made_at < _FRESH_SECS:
            return self._last
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> State:
        if self._loop is None:
            return self._observer.look()
        answer: Future[State] = Future()
        try:
            self._loop.call_soon_threadsafe(self._answer, answer)
            self._last = await asyncio.wait_for(asyncio.wrap_future(answer), _PATIENCE_SECS)
        except (TimeoutError, RuntimeError) as error:  # RuntimeError: the loop is closed
            if isinstance(error, NoAnswerError):
                raise
            return self._while_silent()
        self._made_at = time.monotonic()
        return self._last

    def _answer(self, answer: Future[State]) -> None:
        """Look, on the loop that trades: whatever goes wrong with the page must not reach it."""
        if not answer.set_running_or_notify_cancel():
            return
        try:
            answer.set_result(self._observer.look())
        except Exception as error:  # noqa: BLE001 (a page that cannot be drawn must not end trading)
            answer.set_exception(NoAnswerError(f"the run cannot be looked at: {error!r}"))

    def _while_silent(self) -> State:
        if not self._is_ending() or self._last is None:
            raise NoAnswerError(f"the loop that trades has not answered for {_PATIENCE_SECS:.0f} s")
        reason = Reason(reason="stopping", text="stopping: what is left on the venue is looked for")
        return msgspec.structs.replace(self._last, status="STOPPING", why_not=[reason])

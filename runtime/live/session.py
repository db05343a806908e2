"""A live run from the first request to the last: everything that is started here is ended here."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from nautilus_trader.adapters.binance import factories
from nautilus_trader.common.actor import Actor

from actors.history import HISTORY, encode_history
from messages.risk import RISK_STATE_TOPIC, RiskStateChanged
from runtime.live.adapter import UNKNOWN_ORDER_TOPIC
from runtime.live.bookkeeping import Bookkeeping
from runtime.live.guards import Guards, NoGuards, VenueGuards
from runtime.live.node import LiveSystem, NodeOptions, build_node
from runtime.live.outcome import FAILED, LEFT_ON_VENUE, RunTimes, exit_status, liquidation_said, write_outcome
from runtime.live.prepare import PreparedLive
from runtime.live.recording import RunRecording
from runtime.live.rest import VenueError
from runtime.live.run_folder import RunFolder
from runtime.live.state import KeptState, give
from runtime.live.stopping import Ending, HardExit
from runtime.live.supervisor import BEAT_SECS
from runtime.live.sweep import Swept
from runtime.live.warm_up import of_parts

_STATE_SECS: Final = 0.2
_LOOK_SECS: Final = 0.05
_DISPOSE_SECS: Final = 15.0


class Session:
    """
    One run.

    Parameters
    ----------
    prepared : PreparedLive
        What is traded where, checked.
    options : NodeOptions
        What else the node needs to know.
    folder : RunFolder
        Where results go.
    lock : int
        The descriptor of the run's lock.
    recording : RunRecording
        Writes it down.

    """

    is_over: Callable[[], bool] | None = None
    """Asked again and again where a run has an end of its own."""

    on_built: Callable[[LiveSystem, Ending, asyncio.AbstractEventLoop], None] | None = None
    """Told of the system before it starts, by whoever looks on."""

    def __init__(
        self, prepared: PreparedLive, options: NodeOptions, folder: RunFolder, lock: int, recording: RunRecording
    ) -> None:
        self._prepared = prepared
        self._options = options
        self._folder = folder
        self._settings = prepared.settings
        self._guards: Guards = NoGuards() if prepared.paper else VenueGuards(prepared, folder, lock)
        self._books = None if prepared.paper else Bookkeeping(prepared, folder.say)
        self._states = KeptState(prepared.strategy_folder)
        self._recording = recording
        self._system: LiveSystem | None = None
        self._times = RunTimes.now(prepared.pace)
        self.running = threading.Event()
        """Set once the strategies run."""

    # -- From beginning to end ----------------------------------------------------------------------------------------

    def run(self) -> int:
        """Trade until something or somebody ends it; return the exit status."""
        failure: str | None = None
        try:
            self._guards.clear_the_way()
            if self._books is not None:
                self._books.begin()
            failure = self._trade()
        except (VenueError, RuntimeError) as error:
            failure = str(error)
            self._folder.say(f"failed: {failure}")
        except Exception as error:  # noqa: BLE001 (whatever broke: the sweep has to come)
            failure = repr(error)
            self._folder.say(f"failed: {failure}")
        except KeyboardInterrupt:
            self._folder.say("stopping: the keyboard says so")
        return self._end(failure)

    def _trade(self) -> str | None:
        """Run the node; return what went wrong."""
        _forget_connections()
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        system = self._system = build_node(self._prepared, self._options, loop, self._folder.log, self._recording)
        if self._books is not None:
            self._books.give_to(system)
        main = loop.create_task(system.node.run_async())
        ending = Ending(system.node, main, self._folder.say)
        hard_exit = HardExit(ending, self._settings.stop_timeout_secs, self._last_words)
        hard_exit.start()
        try:
            self._listen(system, ending, loop)
            if self.on_built is not None:
                self.on_built(system, ending, loop)
            unbroken = self._books is not None and self._books.goes_on
            self._recording.resumed = unbroken
            kept = self._states.load(_parts(system), unbroken=unbroken)
            for part, values in kept.items():
                self._folder.say(f"{part} goes on with {values}; --fresh starts anew")
            self._recording.kept = self._with_history(system, kept)
            jobs = (self._beat(ending), self._start(system, ending), self._keep_state(system))
            tasks = [loop.create_task(_reporting(job, ending)) for job in jobs]
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(main)
            self._finish(system, loop, tasks)
            self._states.save(_parts(system))
        finally:
            hard_exit.disarm()
        return ending.failure

    def _with_history(self, system: LiveSystem, kept: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        """Give prices from before the start to who looks back; return what each part goes on with."""
        found = of_parts(_parts(system), self._options.histories)
        given = {name: kept.get(name, {}) | {HISTORY: encode_history(rows).decode()} for name, rows in found.items()}
        give(_parts(system), given)
        return kept | given

    def _listen(self, system: LiveSystem, ending: Ending, loop: asyncio.AbstractEventLoop) -> None:
        msgbus = system.node.kernel.msgbus
        msgbus.subscribe("events.fills.*", self._folder.keep_fill)
        msgbus.subscribe(RISK_STATE_TOPIC, _RiskTeller(self._folder.say).tell)
        msgbus.subscribe("commands.system.shutdown", lambda command: ending.failed(str(command.reason)))
        msgbus.subscribe(UNKNOWN_ORDER_TOPIC, lambda name: ending.fail(f"nobody knows whether {name} is live"))
        loop.set_exception_handler(lambda _, context: ending.fail(_said(context)))
        if system.paper is not None and system.paper.margin is not None:
            system.paper.margin.on_liquidated = self._on_liquidated(system, ending, loop)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, ending.ask, f"{signal.Signals(number).name} says so")

    def _on_liquidated(
        self, system: LiveSystem, ending: Ending, loop: asyncio.AbstractEventLoop
    ) -> Callable[[int], None]:
        """Return what ends the run when the venue on paper has liquidated: nothing is traded any further."""

        def end() -> None:
            ending.ask(liquidation_said(system, self._options.currency))

        def on_liquidated(ts_ns: int) -> None:
            loop.call_soon(end)  # the market event that did it is to be over

        return on_liquidated

    # -- While it runs ------------------------------------------------------------------------------------------------

    async def _start(self, system: LiveSystem, ending: Ending) -> None:
        """Wait until strategies run, then watch over them; the engine itself would wait for ever."""
        deadline = time.monotonic() + self._settings.start_timeout_secs
        while not system.node.trader.is_running:
            if time.monotonic() > deadline:
                secs = self._settings.start_timeout_secs
                ending.fail(f"the strategies were not running after {secs} s; {self._folder.log} says why")
                return
            await asyncio.sleep(_LOOK_SECS)
        self._folder.say("running")
        self.running.set()
        async with asyncio.TaskGroup() as group:
            for watch in self._guards.watches(system, ending):
                group.create_task(watch)

    async def _beat(self, ending: Ending) -> None:
        """Say that the event loop turns, until the end begins."""
        while ending.started is None:
            if self.is_over is not None and self.is_over():
                ending.ask("the market has come to its end")
            elif not self._guards.beat():
                ending.fail("the supervisor is gone, and nobody would cancel orders after a kill")
            else:
                await asyncio.sleep(BEAT_SECS)
        self._guards.announce_the_end()

    async def _keep_state(self, system: LiveSystem) -> None:
        while True:
            if system.node.trader.is_running:
                self._states.save(_parts(system))
                if self._books is not None:
                    self._books.check()
            await asyncio.sleep(_STATE_SECS)

    # -- The end ------------------------------------------------------------------------------------------------------

    def _finish(self, system: LiveSystem, loop: asyncio.AbstractEventLoop, tasks: list[asyncio.Task[None]]) -> None:
        """End what is left on the loop: the watches, and the rest of the node's stop."""
        for task in tasks:
            task.cancel()
        kernel = system.node.kernel
        end = time.monotonic() + self._settings.stop_timeout_secs

        async def rest_of_the_stop() -> None:
            if kernel.is_running() and not kernel._is_stopping:
                await kernel.stop_async()
            while kernel.is_running() and time.monotonic() < end:
                await asyncio.sleep(_LOOK_SECS)
            left = asyncio.all_tasks(loop) - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

        loop.set_exception_handler(None)
        loop.run_until_complete(rest_of_the_stop())

    def _end(self, failure: str | None) -> int:
        self._guards.announce_the_end()
        swept = self._guards.sweep(self._system)
        if not self._prepared.paper:
            self._folder.say(str(swept))
        self._guards.release(swept)
        self._recording.close()
        status = exit_status(swept, self._system, failure)
        unasked = self._close_books(swept)
        if self._books is not None:
            self._books.end(as_asked=failure is None and swept.is_clean and unasked is None)
        if self._system is not None:
            ending: dict[str, Any] = {"failure": failure, "exit_status": status, "sweep": str(swept)}
            ending["unasked"] = unasked
            ending["recording"] = self._recording.as_dict()
            try:
                write_outcome(self._prepared, self._system, self._folder, self._times, ending)
            except OSError as error:
                self._folder.say(f"the results could not be written: {error}")
                status = status or FAILED
        self._dispose(status)
        return status

    def _close_books(self, swept: Swept) -> str | None:
        """Book what came during the stop and the sweep; return why the venue could not be asked what that was."""
        if self._system is None:
            return None
        ledger = self._system.ledger
        if self._books is None or not ledger.is_open:
            ledger.close()
            return None
        unasked = None
        try:
            ledger.close(self._books.missed_at_the_end() if swept.is_clean else ())
        except (VenueError, RuntimeError) as error:
            unasked = str(error)
            ledger.close()
            self._folder.say(f"nobody knows whether anything was filled during the stop: {unasked}")
        return unasked

    def _dispose(self, status: int) -> None:
        """Let the node go; one that hangs now, with everything done, is left."""
        if self._system is None:
            return
        leave = threading.Timer(_DISPOSE_SECS, os._exit, (status,))
        leave.daemon = True
        leave.start()
        self._system.node.dispose()
        asyncio.set_event_loop(None)
        leave.cancel()

    def _last_words(self) -> int:
        """Do what counts when an orderly stop has not ended in time."""
        self._folder.say(f"the stop took longer than {self._settings.stop_timeout_secs} s: leaving without the rest")
        swept = self._guards.sweep()
        self._folder.say(str(swept))
        self._guards.release(swept)
        return FAILED if swept.is_clean else LEFT_ON_VENUE


class _RiskTeller:
    """Tells the user of each new state of trading; the kill switch repeats it while something is left to do."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told: dict[str, str] = {}

    def tell(self, change: RiskStateChanged) -> None:
        """Tell of a state that is news."""
        cause = "" if change.cause is None else f" ({change.cause.rule} was {change.cause.value}: {change.action})"
        text = f"{change.scope} is {change.state}{cause}"
        if self._told.get(change.scope) != text:
            self._told[change.scope] = text
            self._say(text)


def _parts(system: LiveSystem) -> list[Actor]:
    """Return everything that may keep something over a restart."""
    return [*system.node.trader.actors(), *system.node.trader.strategies()]


async def _reporting(job: Coroutine[Any, Any, None], ending: Ending) -> None:
    """Run a job; one that breaks ends the session."""
    try:
        await job
    except Exception as error:  # noqa: BLE001 (whatever broke, nobody watches any more)
        ending.fail(f"a watch broke: {error!r}")


def _said(context: dict[str, Any]) -> str:
    return repr(context["exception"]) if "exception" in context else str(context.get("message"))


def _forget_connections() -> None:
    """Let the adapter make new connections: it would give this node those of an earlier one of the process."""
    factories.get_cached_binance_http_client.cache_clear()
    factories.get_cached_binance_spot_instrument_provider.cache_clear()
    factories.get_cached_binance_futures_instrument_provider.cache_clear()

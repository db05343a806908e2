"""A live run from the first request to the last: everything that is started here is ended here."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from nautilus_trader.adapters.binance import factories

from command_line import Failed
from messages import RISK_STATE_TOPIC, RiskStateChanged
from runtime.live.account import BinanceAccount
from runtime.live.adapter import UNKNOWN_ORDER_TOPIC
from runtime.live.books_check import BooksCheck
from runtime.live.dead_man import DeadManSwitch
from runtime.live.node import LiveSystem, build_node
from runtime.live.outcome import LEFT_ON_VENUE, RunTimes, exit_status, write_outcome
from runtime.live.prepare import PreparedLive, require_credentials
from runtime.live.rest import Rest, VenueError
from runtime.live.run_folder import RunFolder
from runtime.live.state import StrategyStates
from runtime.live.stopping import Ending, HardExit
from runtime.live.supervisor import BEAT_SECS, LOG_NAME, Orders, Supervisor
from runtime.live.sweep import Swept, sweep, synchronise
from runtime.live.user_stream import UserStreamWatch

_LATE_GRACE_SECS: Final = 1.0
_STATE_SECS: Final = 0.2


class Session:
    """
    One run.

    Parameters
    ----------
    prepared : PreparedLive
        What is traded where, checked.
    currency : str
        The currency that everything is valued in.
    folder : RunFolder
        Where results go.
    redis_password : str, optional
        For `live.redis`.

    """

    is_over: Callable[[], bool] | None = None
    """Asked again and again where a run has an end of its own."""

    def __init__(
        self, prepared: PreparedLive, currency: str, folder: RunFolder, redis_password: str | None = None
    ) -> None:
        self._prepared = prepared
        self._currency = currency
        self._folder = folder
        self._redis_password = redis_password
        self._settings = prepared.settings
        credentials = require_credentials(prepared)
        rest = Rest(prepared.venue.http, credentials, recv_window_ms=self._settings.recv_window_ms)
        self._account = BinanceAccount(rest, prepared.venue.spot)
        self._states = StrategyStates(prepared.state_folder)
        self._dead_man: DeadManSwitch | None = None
        if not prepared.venue.spot and self._settings.dead_man_secs:
            secs = self._settings.dead_man_secs
            self._dead_man = DeadManSwitch(self._account, prepared.symbols, secs, folder.say)
        self._supervisor: Supervisor | None = None
        self._system: LiveSystem | None = None
        self._ending: Ending | None = None
        self._times = RunTimes.now()
        self.running = threading.Event()
        """Set once the strategies run."""

    # -- From beginning to end ----------------------------------------------------------------------------------------

    def run(self) -> int:
        """Trade until something or somebody ends it; return the exit status."""
        failure: str | None = None
        try:
            self._clear_the_way()
            self._supervisor = self._start_supervisor()
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

    def _clear_the_way(self) -> None:
        """Cancel what an earlier run left behind, and arm the venue's own switch."""
        synchronise(self._account)
        swept = self._sweep()
        if swept.cancelled:
            self._folder.say(f"cancelled {len(swept.cancelled)} orders that an earlier run had left behind")
        if not swept.is_clean:
            raise Failed(f"an earlier run's orders: {swept}")
        if self._dead_man is not None:
            self._dead_man.arm()

    def _start_supervisor(self) -> Supervisor:
        prepared, settings = self._prepared, self._settings
        orders = Orders(
            environment=prepared.venue.environment.value,
            spot=prepared.venue.spot,
            local_url=prepared.venue.local_url,
            owner_tag=prepared.owner.tag,
            symbols=prepared.symbols,
            heartbeat_secs=settings.heartbeat_timeout_secs,
            stop_secs=settings.stop_timeout_secs,
            sweep_secs=settings.sweep_timeout_secs,
            recv_window_ms=settings.recv_window_ms,
            log=str((self._folder.path / LOG_NAME).resolve()),
        )
        return Supervisor(orders, require_credentials(prepared))

    def _trade(self) -> str | None:
        """Run the node; return what went wrong."""
        _forget_connections()
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        system = build_node(self._prepared, self._currency, loop, self._folder.log, self._redis_password)
        self._system = system
        main = loop.create_task(system.node.run_async())
        ending = self._ending = Ending(system.node, main, self._folder.say)
        hard_exit = HardExit(ending, self._settings.stop_timeout_secs, self._last_words)
        hard_exit.start()
        try:
            self._listen(system, ending, loop)
            for strategy, values in self._states.load(system.node.trader.strategies()).items():
                self._folder.say(f"{strategy} goes on with {values}; --fresh starts anew")
            tasks = [loop.create_task(_reporting(job, ending)) for job in self._jobs(system, ending)]
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(main)
            self._finish(loop, tasks)
            self._states.save(system.node.trader.strategies())
        finally:
            hard_exit.disarm()
        return ending.failure

    def _listen(self, system: LiveSystem, ending: Ending, loop: asyncio.AbstractEventLoop) -> None:
        msgbus = system.node.kernel.msgbus
        msgbus.subscribe("events.fills.*", self._folder.keep_fill)
        msgbus.subscribe(RISK_STATE_TOPIC, _RiskTeller(self._folder.say).tell)
        msgbus.subscribe("commands.system.shutdown", lambda command: ending.failed(str(command.reason)))
        msgbus.subscribe(UNKNOWN_ORDER_TOPIC, lambda name: ending.fail(f"nobody knows whether {name} is live"))
        loop.set_exception_handler(lambda _, context: ending.fail(_said(context)))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, ending.ask, f"{signal.Signals(number).name} says so")

    def _jobs(self, system: LiveSystem, ending: Ending) -> list[Coroutine[Any, Any, None]]:
        return [
            self._beat(),
            self._start(system, ending),
            self._keep_state(system),
            *([] if self._dead_man is None else [self._dead_man.run()]),
        ]

    def _watches(self, system: LiveSystem, ending: Ending) -> list[Coroutine[Any, Any, None]]:
        kernel, settings, say = system.node.kernel, self._settings, self._folder.say
        bus = (kernel.msgbus, kernel.clock)
        stream = UserStreamWatch(system.exec_client, bus, ending, settings.user_stream_timeout_secs, say)
        books = BooksCheck(system, self._account, self._prepared, ending, say)
        return [stream.run(), books.run()]

    # -- While it runs ------------------------------------------------------------------------------------------------

    async def _start(self, system: LiveSystem, ending: Ending) -> None:
        """Wait until strategies run, then watch over them; the engine itself would wait for ever."""
        deadline = time.monotonic() + self._settings.start_timeout_secs
        while not system.node.trader.is_running:
            if time.monotonic() > deadline:
                secs = self._settings.start_timeout_secs
                ending.fail(f"the strategies were not running after {secs} s; {self._folder.log} says why")
                return
            await asyncio.sleep(0.05)
        self._folder.say("running")
        self.running.set()
        async with asyncio.TaskGroup() as group:
            for watch in self._watches(system, ending):
                group.create_task(watch)

    async def _beat(self) -> None:
        """Tell the supervisor that the event loop turns."""
        assert self._supervisor is not None
        assert self._ending is not None
        while self._ending.started is None:
            if not self._supervisor.is_alive:
                self._ending.fail("the supervisor is gone, and nobody would cancel orders after a kill")
                return
            if self.is_over is not None and self.is_over():
                self._ending.ask("the market has come to its end")
                continue
            self._supervisor.say("beat")
            await asyncio.sleep(BEAT_SECS)
        self._supervisor.say("stopping")

    async def _keep_state(self, system: LiveSystem) -> None:
        while True:
            await asyncio.sleep(_STATE_SECS)
            if system.node.trader.is_running:
                self._states.save(system.node.trader.strategies())

    # -- The end ------------------------------------------------------------------------------------------------------

    def _finish(self, loop: asyncio.AbstractEventLoop, tasks: list[asyncio.Task[None]]) -> None:
        """End what is left on the loop: the watches, and the rest of the node's stop."""
        assert self._system is not None
        for task in tasks:
            task.cancel()
        kernel = self._system.node.kernel
        end = time.monotonic() + self._settings.stop_timeout_secs

        async def rest_of_the_stop() -> None:
            if kernel.is_running() and not kernel._is_stopping:
                await kernel.stop_async()
            while kernel.is_running() and time.monotonic() < end:
                await asyncio.sleep(0.05)
            left = asyncio.all_tasks(loop) - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

        loop.set_exception_handler(None)
        loop.run_until_complete(rest_of_the_stop())

    def _end(self, failure: str | None) -> int:
        if self._supervisor is not None:
            self._supervisor.say("stopping")
        swept = self._sweep(late=self._has_orders_on_their_way())
        self._folder.say(str(swept))
        status = exit_status(swept, self._system, failure)
        ending = {"failure": failure, "exit_status": status, "sweep": str(swept)}
        if self._system is not None:
            try:
                write_outcome(self._prepared, self._system, self._folder, self._times, ending)
            except OSError as error:
                self._folder.say(f"the results could not be written: {error}")
                status = status or 1
        self._disarm(swept)
        self._dispose()
        return status

    def _sweep(self, late: bool = False) -> Swept:
        prepared, settings = self._prepared, self._settings
        late_secs = settings.recv_window_ms / 1_000 + _LATE_GRACE_SECS if late else 0.0
        return sweep(self._account, prepared.symbols, prepared.owner, settings.sweep_timeout_secs, late_secs)

    def _has_orders_on_their_way(self) -> bool:
        """Return whether an order was sent of which the venue has not said anything."""
        if self._system is None:
            return False
        return any(order.status_string() == "SUBMITTED" for order in self._system.node.cache.orders_inflight())

    def _disarm(self, swept: Swept) -> None:
        """End the guards, but leave them where there is something to guard."""
        if swept.is_clean and self._dead_man is not None:
            with suppress(VenueError):
                self._dead_man.disarm()
        if self._supervisor is not None:
            self._supervisor.release()

    def _dispose(self) -> None:
        if self._system is not None:
            self._system.node.dispose()
            asyncio.set_event_loop(None)

    def _last_words(self) -> int:
        """Do what counts when an orderly stop has not ended in time."""
        self._folder.say(f"the stop took longer than {self._settings.stop_timeout_secs} s: leaving without the rest")
        swept = self._sweep()
        self._folder.say(str(swept))
        if self._supervisor is not None:
            self._supervisor.release(0.0)
        return 1 if swept.is_clean else LEFT_ON_VENUE


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

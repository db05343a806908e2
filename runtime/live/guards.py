"""Who sees to it that nothing of ours stays on a venue: before, while and after a run."""

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, Protocol

from command_line import Failed
from runtime.live.account import BinanceAccount
from runtime.live.books_check import BooksCheck
from runtime.live.dead_man import DeadManSwitch
from runtime.live.node import LiveSystem
from runtime.live.prepare import PreparedLive, require_credentials
from runtime.live.rest import VenueError
from runtime.live.run_folder import RunFolder
from runtime.live.stopping import Ending
from runtime.live.supervisor import LOG_NAME, Orders, Supervisor
from runtime.live.sweep import Swept, sweep, synchronise
from runtime.live.user_stream import UserStreamWatch

_LATE_GRACE_SECS: Final = 1.0

type Watch = Coroutine[Any, Any, None]


class Guards(Protocol):
    """What a session asks of its guards."""

    def clear_the_way(self) -> None:
        """Do what must be done before the first order."""

    def watches(self, system: LiveSystem, ending: Ending) -> list[Watch]:
        """Return what watches while it runs."""

    def beat(self) -> bool:
        """Say that the session lives; return whether somebody listens."""

    def announce_the_end(self) -> None:
        """Say that the session ends orderly."""

    def sweep(self, system: LiveSystem | None = None) -> Swept:
        """Cancel what is open; with the system, wait for what is on its way."""

    def release(self, swept: Swept) -> None:
        """End guarding."""


class NoGuards:
    """On paper there is nothing to guard."""

    def clear_the_way(self) -> None:
        """Do nothing."""

    def watches(self, system: LiveSystem, ending: Ending) -> list[Watch]:
        """Return none."""
        return []

    def beat(self) -> bool:
        """Say nothing."""
        return True

    def announce_the_end(self) -> None:
        """Say nothing."""

    def sweep(self, system: LiveSystem | None = None) -> Swept:
        """Find nothing."""
        return Swept()

    def release(self, swept: Swept) -> None:
        """Do nothing."""


class VenueGuards:
    """
    Supervisor, dead-man switch, watches and sweep.

    Parameters
    ----------
    prepared : PreparedLive
        What is traded where.
    folder : RunFolder
        Where the supervisor writes, and how the user is told.
    lock : int
        The descriptor of the run's lock.

    """

    def __init__(self, prepared: PreparedLive, folder: RunFolder, lock: int) -> None:
        self._prepared = prepared
        self._lock = lock
        self._folder = folder
        self._settings = prepared.settings
        self._credentials = require_credentials(prepared)
        self._account = BinanceAccount(prepared.rest, prepared.venue.spot)
        self._supervisor: Supervisor | None = None
        self._dead_man: DeadManSwitch | None = None
        if not prepared.venue.spot and self._settings.dead_man_secs:
            secs = self._settings.dead_man_secs
            self._dead_man = DeadManSwitch(self._account, prepared.symbols, secs, folder.say, prepared.pace)

    def clear_the_way(self) -> None:
        """
        Cancel what an earlier run left behind, arm the venue's own switch, start the supervisor.

        Raises
        ------
        VenueError
            If the venue does not answer or does not take it.
        Failed
            If an earlier run's orders cannot be cancelled.

        """
        synchronise(self._account)
        swept = self.sweep()
        if swept.cancelled:
            self._folder.say(f"cancelled {len(swept.cancelled)} orders that an earlier run had left behind")
        if not swept.is_clean:
            raise Failed(f"an earlier run's orders: {swept}")
        if self._dead_man is not None:
            self._dead_man.arm()
        self._supervisor = Supervisor(self._orders(), self._credentials, self._lock)

    def _orders(self) -> Orders:
        prepared, settings = self._prepared, self._settings
        return Orders(
            environment=prepared.venue.environment.value,
            spot=prepared.venue.spot,
            local_url=prepared.venue.local_url,
            owner_tag=prepared.owner.tag,
            symbols=prepared.symbols,
            heartbeat_secs=settings.heartbeat_timeout_secs,
            stop_secs=settings.stop_timeout_secs,
            sweep_secs=settings.sweep_timeout_secs,
            recv_window_ms=prepared.recv_window_ms,
            speed=prepared.pace.speed,
            begun_ns=prepared.pace.begun_ns,
            log=str((self._folder.path / LOG_NAME).resolve()),
        )

    def watches(self, system: LiveSystem, ending: Ending) -> list[Watch]:
        """Return the watch over the account's events, the comparison of the books, and the winding of the switch."""
        kernel, say = system.node.kernel, self._folder.say
        bus = (kernel.msgbus, kernel.clock)
        stream = UserStreamWatch(system.exec_client, bus, ending, self._settings.user_stream_timeout_secs, say)
        books = BooksCheck(system, self._account, self._prepared, ending, say)
        return [stream.run(), books.run(), *([] if self._dead_man is None else [self._dead_man.run()])]

    def beat(self) -> bool:
        """Tell the supervisor that the event loop turns; return whether it is there."""
        assert self._supervisor is not None
        self._supervisor.say("beat")
        return self._supervisor.is_alive

    def announce_the_end(self) -> None:
        """Tell the supervisor that the session ends orderly."""
        if self._supervisor is not None:
            self._supervisor.say("stopping")

    def sweep(self, system: LiveSystem | None = None) -> Swept:
        """Cancel every order of ours; where one is on its way, look until it can no longer arrive."""
        prepared, settings = self._prepared, self._settings
        window_secs = prepared.pace.machine_secs(prepared.recv_window_ms / 1_000)
        late_secs = window_secs + _LATE_GRACE_SECS if _has_orders_on_their_way(system) else 0.0
        return sweep(self._account, prepared.symbols, prepared.owner, settings.sweep_timeout_secs, late_secs)

    def release(self, swept: Swept) -> None:
        """End guarding; where something is left, the venue's own switch stays armed and the supervisor tries again."""
        if swept.is_clean and self._dead_man is not None:
            with suppress(VenueError):
                self._dead_man.disarm()
        if self._supervisor is None:
            return
        if swept.is_clean:
            self._supervisor.release()
        else:
            self._supervisor.leave_to_it()


def _has_orders_on_their_way(system: LiveSystem | None) -> bool:
    if system is None:
        return False
    return any(order.status_string() == "SUBMITTED" for order in system.node.cache.orders_inflight())

"""Keeps one route connected, through reconnects and the exchange's limit of a day, and hands its messages to tapes."""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import aiohttp

from command_line import Failed
from data_catalog.live_recording.link import Link
from data_catalog.live_recording.messages import SHUTDOWN, UnusableError, Update, read_update
from data_catalog.live_recording.rest import TROUBLE, PublicRest, RestError, why
from data_catalog.live_recording.routes import Route, symbol_of
from data_catalog.live_recording.tape import NANOS, Tape

_LAGS_KEPT = 1000
_NOTED = 5


@dataclass(frozen=True, slots=True)
class Timing:
    """
    When to give a connection up, and how patiently to make another one.

    Attributes
    ----------
    silence_secs : float
        A connection without a message for this long is given up.
    renew_secs : float
        A connection this old gives way to a new one; the exchange ends it after 24 hours.
    overlap_secs : float
        How long both are read then; also how long after a connection begins its messages may be repetitions.
    attempts : int
        How often the first connection is tried for. Later ones are tried for without end.
    first_delay_secs, longest_delay_secs : float
        The pause after a failed attempt; it doubles with each further one.
    flush_secs : float
        How often what was received is handed to the operating system: what the death of the process can cost.

    """

    silence_secs: float = 60.0
    renew_secs: float = 23.5 * 3600
    overlap_secs: float = 5.0
    attempts: int = 5
    first_delay_secs: float = 1.0
    longest_delay_secs: float = 10.0
    flush_secs: float = 1.0

    def delay_secs(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row."""
        return min(self.first_delay_secs * 2.0 ** min(failures - 1, 30), self.longest_delay_secs)


class Feed:
    """
    One route of a recording.

    Parameters
    ----------
    route : Route
        Where to connect to.
    tapes : mapping
        By instrument id.
    session : aiohttp.ClientSession
        Carries the connections.
    rest : PublicRest
        Gives snapshots of the book.
    now_ns : callable
        Returns UNIX nanoseconds.
    timing : Timing
        When to give up.
    note : callable
        Takes a line for the user.
    sleep : callable
        Waits for a number of seconds.

    Attributes
    ----------
    reconnects, renewals : int
        Connections made after one was lost, and in good time before.
    skipped : Counter[str]
        Messages left out, by reason.
    connected : bool
        Whether there is a connection.

    """

    def __init__(
        self,
        route: Route,
        tapes: Mapping[str, Tape],
        session: aiohttp.ClientSession,
        rest: PublicRest,
        *,
        now_ns: Callable[[], int],
        timing: Timing,
        note: Callable[[str], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.route = route
        self.reconnects = self.renewals = 0
        self.skipped: Counter[str] = Counter()
        self.connected = False
        self._tapes = {symbol_of(id_): tapes[id_] for id_ in route.instrument_ids}
        self._session = session
        self._rest = rest
        self._now_ns = now_ns
        self._timing = timing
        self._note = note
        self._sleep = sleep
        self._lags_ms: deque[float] = deque(maxlen=_LAGS_KEPT)
        self._renewal_asked = False
        self._books: dict[str, asyncio.Task[None]] = {}
        self._links: list[Link] = []

    @property
    def lag_ms(self) -> float | None:
        """The median of receive time minus the exchange's time over the last messages, or None before the first."""
        return sorted(self._lags_ms)[len(self._lags_ms) // 2] if self._lags_ms else None

    async def run(self) -> None:
        """
        Record until cancelled.

        Raises
        ------
        Failed
            If no first connection can be made.
        OSError
            If a tape cannot be written.

        """
        try:
            link = await self._connect(None)
            renew_at = link.opened_at + self._timing.renew_secs
            while True:
                if ended := await self._take_in(link, renew_at):
                    await link.close()
                    self.reconnects += 1
                    link = await self._connect(link, ended)
                elif (successor := await self._hand_over(link)) is not None:
                    link = successor
                else:
                    renew_at = asyncio.get_running_loop().time() + self._timing.longest_delay_secs
                    continue
                renew_at = link.opened_at + self._timing.renew_secs
        finally:
            await self._stop()

    async def _connect(self, lost: Link | None, reason: str = "not recording") -> Link:
        """Make a connection, however long it takes, and mark what was missed; the first one only so often."""
        self.connected = False
        failures = 0
        if lost is not None:
            self._note(f"{self.route.name}: {reason}, connecting again")
        while True:
            try:
                link = await Link.open(self._session, self.route.url, self._now_ns)
            except TROUBLE as error:
                failures += 1
                host = self.route.url.partition("/stream")[0]
                if lost is None and failures >= self._timing.attempts:
                    raise Failed(f"no connection to {host} ({why(error)}), given up") from error
                if failures in {1, _NOTED}:
                    self._note(f"{self.route.name}: no connection to {host} ({why(error)}), trying again")
                await self._sleep(self._timing.delay_secs(failures))
                continue
            self._links, self.connected = [link], True
            for tape in self._tapes.values():
                since = max((tape.until.get(name, 0) for name in self.route.data_types), default=0)
                since = since if lost is None else max(since, lost.heard_ns)
                if since:
                    tape.mark_gap(since, link.opened_ns, self.route.data_types, reason)
                tape.lose_book()
            return link

    async def _hand_over(self, link: Link) -> Link | None:
        """Open a connection beside an old one, read both for a while, and return the new one, if there is one."""
        self._renewal_asked = False
        try:
            successor = await Link.open(self._session, self.route.url, self._now_ns)
        except TROUBLE as error:
            self._note(f"{self.route.name}: no second connection ({why(error)}), going on with the first")
            return None
        self._links = [link, successor]
        self.renewals += 1
        await self._take_in(link, successor.opened_at + self._timing.overlap_secs)
        await link.close()
        self._drain(link)
        if link.ended and link.ended_ns < successor.opened_ns:
            for tape in self._tapes.values():
                tape.mark_gap(link.heard_ns, successor.opened_ns, self.route.data_types, link.ended)
        self._links = [successor]
        return successor

    async def _take_in(self, link: Link, until: float) -> str:
        """Handle messages until a time of the loop's clock; return why the connection ended before, or nothing."""
        loop = asyncio.get_running_loop()
        while not self._renewal_asked:
            silent_at = link.heard_at + self._timing.silence_secs
            try:
                async with asyncio.timeout_at(min(until, silent_at)):
                    received = await link.queue.get()
            except TimeoutError:
                if loop.time() >= until:
                    return ""
                if loop.time() >= link.heard_at + self._timing.silence_secs:
                    return f"nothing heard for {self._timing.silence_secs:g} s"
                continue
            if received is None:
                return link.ended
            self._take(link, *received)
        return ""

    def _drain(self, link: Link) -> None:
        while not link.queue.empty():
            if (received := link.queue.get_nowait()) is not None:
                self._take(link, *received)

    def _take(self, link: Link, received_ns: int, text: str) -> None:
        try:
            update = read_update(text, futures=self.route.futures)
            if update is None:
                return
            tape = self._tape_of(update)
        except UnusableError as error:
            self._skip(str(error), text)
            return
        if tape is None:
            self._renewal_asked = True
            return
        line = text.replace("\n", " ").encode()
        tape.take(update, line, received_ns, link.opened_ns + int(self._timing.overlap_secs * NANOS))
        if update.event_ms is not None:
            self._lags_ms.append(received_ns / 1e6 - update.event_ms)
        if update.kind == "depthUpdate" and tape.wants_book and tape.instrument_id not in self._books:
            task = asyncio.create_task(self._fetch_book(tape))
            self._books[tape.instrument_id] = task

    def _tape_of(self, update: Update) -> Tape | None:
        if update.kind == SHUTDOWN:
            return None
        if update.symbol not in self._tapes:
            raise UnusableError("a symbol that was not asked for")
        return self._tapes[update.symbol]

    def _skip(self, reason: str, text: str) -> None:
        self.skipped[reason] += 1
        if self.skipped.total() <= _NOTED:
            self._note(f"{self.route.name}: left out a message ({reason}): {text[:80]}")

    async def _fetch_book(self, tape: Tape) -> None:
        """Get a snapshot that fits the changes of the book, however many attempts it takes."""
        failures = 0
        try:
            while tape.wants_book:
                try:
                    last_id, text = await self._rest.book(tape.instrument_id)
                    if tape.take_book(last_id, text, self._now_ns()):
                        return
                except (RestError, OSError) as error:
                    self._note(f"{tape.instrument_id}: no snapshot of the book: {error}")
                failures += 1
                await self._sleep(self._timing.delay_secs(failures))
        finally:
            del self._books[tape.instrument_id]

    async def _stop(self) -> None:
        """End all connections, take in what came before, and note that nothing is missing up to now."""
        books = list(self._books.values())
        for task in books:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*books)
        for link in self._links:
            await link.close()
            self._drain(link)
        if self.connected and not self._links[-1].ended:
            for tape in self._tapes.values():
                tape.covered(max(self._now_ns(), tape.last_ns), self.route.data_types)

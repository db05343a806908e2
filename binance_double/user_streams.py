"""Who hears of the account, and what he hears: less or more than happened if a fault says so."""

import secrets
from collections import deque
from collections.abc import Callable

import msgspec

from binance_double.clock import Clock
from binance_double.connection import Connection, end_all
from binance_double.errors import ApiError
from binance_double.faults import Faults

type Json = dict[str, object]

EVENTS_KEPT = 10_000
"""How many of the last events are remembered."""

LISTEN_KEY_MS = 60 * 60 * 1000
"""How long a listen key lives without being kept alive."""


class UserStreams:
    """
    The user-data stream of one product.

    Parameters
    ----------
    faults : Faults
        What goes wrong.
    clock : Clock
        The exchange's.

    """

    def __init__(self, faults: Faults, clock: Clock) -> None:
        self._faults = faults
        self._clock = clock
        self._subscribers: dict[int, tuple[Connection, Callable[[Json], Json]]] = {}
        self._next_id = 0
        self._listen_keys: dict[str, int] = {}
        self.issued: set[str] = set()
        """Every listen key that there ever was."""
        self.happened: deque[Json] = deque(maxlen=EVENTS_KEPT)
        """The last events, whether they were sent or lost."""

    @property
    def connections(self) -> set[Connection]:
        """The connections of everyone who listens."""
        return {connection for connection, _ in self._subscribers.values()}

    @property
    def count(self) -> int:
        """How many subscriptions there are."""
        return len(self._subscribers)

    def subscribe(self, connection: Connection, wrap: Callable[[int, Json], Json]) -> int:
        """Send events to a connection from now on, each wrapped together with the subscription's number."""
        number, self._next_id = self._next_id, self._next_id + 1
        self._subscribers[number] = (connection, lambda event: wrap(number, event))
        return number

    def unsubscribe(self, number: int) -> None:
        """End a subscription; it may have ended already."""
        self._subscribers.pop(number, None)

    def publish(self, event: Json) -> None:
        """Tell everyone who listens of an event."""
        self.happened.append(event)
        for _ in range(self._faults.copies_of(_kinds(event))):
            self.send(event)

    def send(self, event: Json) -> None:
        """Send an event past all faults."""
        for connection, wrap in self._subscribers.values():
            connection.send(msgspec.json.encode(wrap(event)).decode())

    def send_text(self, text: str) -> None:
        """Send a text as it is to everyone who listens."""
        for connection, _ in self._subscribers.values():
            connection.send(text)

    # Listen keys, futures only

    def create_listen_key(self) -> str:
        """Return the account's listen key, a new one if there is none."""
        if self._faults.logon_refused():
            raise ApiError(-1000, "An unknown error occurred while processing the request.", 500)
        key = next(iter(self._listen_keys), None) or secrets.token_hex(32)
        self._listen_keys[key] = self._clock.ms() + LISTEN_KEY_MS
        self.issued.add(key)
        return key

    def keep_listen_key(self) -> str:
        """Prolong the listen key; -1125 if there is none."""
        if not self._listen_keys:
            raise ApiError(-1125, "This listenKey does not exist.")
        return self.create_listen_key()

    def close_listen_key(self) -> None:
        """Forget the listen key and end its connections."""
        self._listen_keys.clear()
        end_all(self.connections, abort=False)

    def knows(self, listen_key: str) -> bool:
        """Return whether this is the listen key."""
        return listen_key in self._listen_keys

    def expire_listen_keys(self) -> None:
        """Let the listen key expire now: who listens is told and hears nothing more."""
        for key in self._listen_keys:
            self.send({"e": "listenKeyExpired", "E": self._clock.ms(), "listenKey": key})
        self._listen_keys.clear()
        self._subscribers.clear()

    def forget_listen_keys(self) -> None:
        """Forget the listen key without a word."""
        self._listen_keys.clear()

    def terminate(self, now_ms: int) -> None:
        """End all subscriptions with word of it, while the connections stay."""
        self.send({"e": "eventStreamTerminated", "E": now_ms})
        self._subscribers.clear()

    def tick(self) -> None:
        """Let the listen key expire when its time has come."""
        if any(end <= self._clock.ms() for end in self._listen_keys.values()):
            self.expire_listen_keys()


def _kinds(event: Json) -> set[str]:
    """Return the names by which faults know an event: its type, and an order's execution type."""
    order = event.get("o")
    execution = order.get("x") if isinstance(order, dict) else event.get("x")
    return {str(name) for name in (event["e"], execution) if name is not None}

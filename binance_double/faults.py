"""What goes wrong on request."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

WORDS = {
    -1001: "Internal error; unable to process your request. Please try again.",
    -1003: "Too many requests; please use the websocket for live updates.",
    -1007: "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    -1008: "Server is currently overloaded with other requests. Please try again in a few minutes.",
    -1013: "Filter failure: PRICE_FILTER",
    -1015: "Too many new orders; current limit is 100 orders per 10 SECOND.",
    -1021: "Timestamp for this request is outside of the recvWindow.",
    -1022: "Signature for this request is not valid.",
    -2010: "Account has insufficient balance for requested action.",
    -2011: "Unknown order sent.",
    -2013: "Order does not exist.",
    -2015: "Invalid API-key, IP, or permissions for action.",
    -2019: "Margin is insufficient.",
}
"""What the exchange says with a code."""


@dataclass(kw_only=True)
class RestFault:
    """
    What happens to the next requests on a route.

    Parameters
    ----------
    route : str
        The name of a route, such as submit or cancel; `*` for all.
    times : int, optional
        How many requests it happens to; for ever if None.
    processed : bool
        Whether the exchange does what it was asked before.
    status : int, optional
        The HTTP status of the answer; the connection is cut without one.
    body : object
        JSON, or a text that is none.
    headers : mapping
        Of the answer.
    seconds : float
        How long it takes before anything happens.
    proceed : bool
        Whether the request is answered properly after all: it was only late.

    """

    route: str
    times: int | None = 1
    processed: bool = False
    status: int | None = None
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    proceed: bool = False


@dataclass(kw_only=True)
class EventFault:
    """What happens to the next user-data events of a kind: they are lost (0 copies) or sent twice (2)."""

    kind: str
    times: int | None
    copies: int


class Faults:
    """
    The faults that are due. All of its methods may be called from any thread.

    Routes are named in `rest_spot`, `rest_futures` and `rest_futures_orders`. Kinds of user-data events are the
    execution types of orders (NEW, TRADE, CANCELED, EXPIRED, AMENDMENT), the event types (outboundAccountPosition,
    ACCOUNT_UPDATE), or `*`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rest: list[RestFault] = []
        self._events: list[EventFault] = []
        self._refused_logons = 0
        self.market_silent = False
        """Whether the market streams say nothing."""
        self.users_silent = False
        """Whether the user-data streams say nothing; what happens meanwhile is lost."""

    def answer(
        self,
        route: str,
        status: int,
        code: int | None = None,
        message: str | None = None,
        *,
        times: int | None = 1,
        processed: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """
        Answer the next requests on a route with an error.

        Without a code the answer is a page of HTML, as a proxy in front of the exchange sends it. With `processed`
        the exchange does what it was asked before, so that an order is live of which nobody was told.
        """
        words = message if message is not None else WORDS.get(code or 0, "An unknown error occurred.")
        body: object = {"code": code, "msg": words} if code is not None else f"<html>{status}</html>"
        fault = RestFault(
            route=route, times=times, processed=processed, status=status, body=body, headers=headers or {}
        )
        self._add(fault)

    def drop(self, route: str, *, times: int | None = 1, processed: bool = False) -> None:
        """Cut the connection of the next requests on a route, before or after doing what was asked."""
        self._add(RestFault(route=route, times=times, processed=processed))

    def delay(self, route: str, seconds: float, *, times: int | None = 1) -> None:
        """Let the next requests on a route wait before they are looked at."""
        self._add(RestFault(route=route, times=times, seconds=seconds, proceed=True))

    def lose_events(self, kind: str, *, times: int | None = 1) -> None:
        """Lose the next user-data events of a kind."""
        with self._lock:
            self._events.append(EventFault(kind=kind, times=times, copies=0))

    def duplicate_events(self, kind: str, *, times: int | None = 1) -> None:
        """Send the next user-data events of a kind twice."""
        with self._lock:
            self._events.append(EventFault(kind=kind, times=times, copies=2))

    def refuse_logons(self, times: int = 1) -> None:
        """Refuse the next `session.logon` requests, and the next requests for a listen key."""
        with self._lock:
            self._refused_logons += times

    def clear(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._rest.clear()
            self._events.clear()
            self._refused_logons = 0
        self.market_silent = self.users_silent = False

    def next_for(self, route: str) -> RestFault | None:
        """Return what happens to this request, None if nothing does."""
        with self._lock:
            for fault in self._rest:
                if fault.route in {"*", route}:
                    if self._spent(fault):
                        self._rest.remove(fault)
                    return fault
        return None

    def copies_of(self, kinds: set[str]) -> int:
        """Return how often a user-data event of these kinds is sent."""
        if self.users_silent:
            return 0
        with self._lock:
            for fault in self._events:
                if fault.kind in kinds | {"*"}:
                    if self._spent(fault):
                        self._events.remove(fault)
                    return fault.copies
        return 1

    def logon_refused(self) -> bool:
        """Return whether this logon is refused."""
        with self._lock:
            refused = self._refused_logons > 0
            self._refused_logons -= refused
            return refused

    def _add(self, fault: RestFault) -> None:
        with self._lock:
            self._rest.append(fault)

    @staticmethod
    def _spent(fault: RestFault | EventFault) -> bool:
        if fault.times is None:
            return False
        fault.times -= 1
        return fault.times <= 0

"""
How much may happen in a window of time: orders sent, fills received, orders refused by the venue.

Windows slide and are open on the left: at time t, what happened in (t - window, t] counts.
"""

from collections import deque
from collections.abc import Hashable
from decimal import Decimal

from models.risk_limits import Breach


class OrderRate:
    """
    At most so many orders per window, a part of which only the kill path may use.

    Refused orders do not count.

    Parameters
    ----------
    limit : int
        Orders per window, at least 1.
    window_ns : int
        The window in nanoseconds, above 0.
    reserve : int, default 0
        How many of them are kept for closing positions; below `limit`.

    Raises
    ------
    ValueError
        If a number is out of its bounds.

    """

    __slots__ = ("_accepted", "_limit", "_reserve", "_window_ns")

    def __init__(self, limit: int, window_ns: int, reserve: int = 0) -> None:
        if limit < 1 or window_ns < 1 or not 0 <= reserve < limit:
            raise ValueError(f"limit was {limit} per {window_ns} ns with a reserve of {reserve}")
        self._limit = limit
        self._window_ns = window_ns
        self._reserve = reserve
        self._accepted: deque[int] = deque(maxlen=limit)

    def used(self, now_ns: int) -> int:
        """Return how many orders the window that ends now has."""
        return sum(ts_ns > now_ns - self._window_ns for ts_ns in self._accepted)

    def check(self, now_ns: int, closing: bool = False) -> Breach | None:
        """Return a breach if no order may be sent now; `closing` says that it may use the reserve."""
        accepted = self._accepted
        limit = self._limit if closing else self._limit - self._reserve
        if len(accepted) < limit or accepted[-limit] <= now_ns - self._window_ns:
            return None
        return Breach("max_orders_per_10s", Decimal(self.used(now_ns) + 1), Decimal(limit))

    def count(self, now_ns: int) -> None:
        """Count an order that was sent."""
        self._accepted.append(now_ns)

    def take(self, now_ns: int) -> bool:
        """Count an order that closes nothing, if it may be sent now; return whether it may."""
        accepted, limit = self._accepted, self._limit - self._reserve
        if len(accepted) >= limit and accepted[-limit] > now_ns - self._window_ns:
            return False
        accepted.append(now_ns)
        return True


class Breaker:
    """
    Tells of each event that is one too many within a window; what a second one changes is for the hearer to know.

    Parameters
    ----------
    rule : str
        The name of the limit.
    limit : int
        Events per window that are allowed, at least 1.
    window_ns : int
        The window in nanoseconds, above 0.

    Raises
    ------
    ValueError
        If a number is out of its bounds.

    """

    def __init__(self, rule: str, limit: int, window_ns: int) -> None:
        if limit < 1 or window_ns < 1:
            raise ValueError(f"{rule}: was {limit} per {window_ns} ns, expected both above 0")
        self._rule = rule
        self._limit = limit
        self._window_ns = window_ns
        self._events: deque[int] = deque()

    def seen(self, now_ns: int) -> int:
        """Return how many events the window that ends now has."""
        return sum(ts_ns > now_ns - self._window_ns for ts_ns in self._events)

    def count(self, now_ns: int) -> Breach | None:
        """Count one event; return a breach if its window holds more than the limit."""
        events = self._events
        events.append(now_ns)
        while events[0] <= now_ns - self._window_ns:
            events.popleft()
        return None if len(events) <= self._limit else Breach(self._rule, Decimal(len(events)), Decimal(self._limit))


class Duplicates:
    """
    Finds orders that say the same as one sent shortly before: the mark of a loop that runs away.

    An order that the venue has cancelled or refused is forgotten: sending it again is no duplicate.

    Parameters
    ----------
    window_ns : int
        How long an order is remembered, in nanoseconds, above 0.

    """

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._sent: dict[Hashable, tuple[int, str]] = {}
        self._keys: dict[str, Hashable] = {}

    def check(self, now_ns: int, key: Hashable) -> Breach | None:
        """Return a breach if an order with this `key` was sent within the window; the values are seconds."""
        known = self._sent.get(key)
        if known is None:
            return None
        age_ns = now_ns - known[0]
        if age_ns >= self._window_ns:
            return None
        return Breach("duplicate_window_secs", Decimal(age_ns).scaleb(-9), Decimal(self._window_ns).scaleb(-9))

    def remember(self, now_ns: int, key: Hashable, order_id: str) -> None:
        """Remember an order that was sent, and nothing that is older than the window."""
        while self._sent:
            oldest, (sent_ns, sent_id) = next(iter(self._sent.items()))
            if now_ns - sent_ns < self._window_ns:
                break
            del self._sent[oldest]
            self._keys.pop(sent_id, None)
        self._sent.pop(key, None)
        self._sent[key] = (now_ns, order_id)
        self._keys[order_id] = key

    def forget(self, order_id: str) -> None:
        """Let go of an order that was cancelled or refused: it may be sent again."""
        key = self._keys.pop(order_id, None)
        if key in self._sent and self._sent[key][1] == order_id:
            del self._sent[key]

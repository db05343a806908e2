"""How often the exchange may be asked."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from binance_double.clock import Clock
from binance_double.errors import ApiError
from binance_double.rules import Product

_SECONDS = {"SECOND": 1, "MINUTE": 60, "DAY": 86_400}
_TOO_MANY_REQUESTS = "Too much request weight used; current limit is {limit} request weight per {window}."
_BANNED = "Way too much request weight used; IP banned until {until}."
_IGNORED_WARNINGS = 10
_BAN_SECS = 120


@dataclass(frozen=True)
class RateLimit:
    """
    A limit over a fixed window.

    Parameters
    ----------
    kind : str
        REQUEST_WEIGHT or ORDERS.
    interval : str
        SECOND, MINUTE or DAY.
    count : int
        How many intervals the window has.
    limit : int
        The sum allowed in a window.

    """

    kind: str
    interval: str
    count: int
    limit: int

    @property
    def window_ms(self) -> int:
        """The window's length, ms."""
        return _SECONDS[self.interval] * self.count * 1000

    @property
    def description(self) -> dict[str, object]:
        """What exchangeInfo says of it."""
        return {
            "rateLimitType": self.kind,
            "interval": self.interval,
            "intervalNum": self.count,
            "limit": self.limit,
        }

    @property
    def header(self) -> str:
        """The header that tells how much was used."""
        name = "USED-WEIGHT" if self.kind == "REQUEST_WEIGHT" else "ORDER-COUNT"
        return f"X-MBX-{name}-{self.count}{self.interval[0]}"


RATE_LIMITS = {
    Product.SPOT: (
        RateLimit("REQUEST_WEIGHT", "MINUTE", 1, 6000),
        RateLimit("ORDERS", "SECOND", 10, 100),
        RateLimit("ORDERS", "DAY", 1, 200_000),
    ),
    Product.FUTURES: (
        RateLimit("REQUEST_WEIGHT", "MINUTE", 1, 2400),
        RateLimit("ORDERS", "SECOND", 10, 300),
        RateLimit("ORDERS", "MINUTE", 1, 1200),
    ),
}
"""The limits of an ordinary account."""


class RateCounter:
    """
    Counts requests against limits, warns with 429 and bans with 418 who does not listen.

    Parameters
    ----------
    clock : Clock
        The exchange's.
    limits : iterable of RateLimit
        What to hold.

    """

    def __init__(self, clock: Clock, limits: Iterable[RateLimit]) -> None:
        self._clock = clock
        self.limits = tuple(limits)
        self._used: dict[RateLimit, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self._warnings = 0
        self._banned_until_ms = 0

    def charge(self, weight: int) -> None:
        """
        Count a request of this weight.

        Raises
        ------
        ApiError
            429 with Retry-After over the limit, 418 for two minutes after ten warnings.

        """
        now = self._clock.ms()
        if now < self._banned_until_ms:
            raise self._ban(now)
        for limit in self.limits:
            if limit.kind == "REQUEST_WEIGHT" and self.count(limit, weight) > limit.limit:
                self._warnings += 1
                if self._warnings > _IGNORED_WARNINGS:
                    self._banned_until_ms = now + _BAN_SECS * 1000
                    raise self._ban(now)
                window = f"{limit.count} {limit.interval}"
                message = _TOO_MANY_REQUESTS.format(limit=limit.limit, window=window)
                raise ApiError(-1003, message, 429, {"Retry-After": str(self._seconds_left(limit, now))})

    def charge_order(self) -> None:
        """
        Count a new order.

        Raises
        ------
        ApiError
            -1015 over the limit.

        """
        now = self._clock.ms()
        for limit in self.limits:
            if limit.kind == "ORDERS" and self.count(limit, 1) > limit.limit:
                window = f"{limit.count} {limit.interval}"
                message = f"Too many new orders; current limit is {limit.limit} orders per {window}."
                raise ApiError(-1015, message, 429, {"Retry-After": str(self._seconds_left(limit, now))})

    def headers(self, with_orders: bool) -> dict[str, str]:
        """Return the headers that tell what was used."""
        kinds = {"REQUEST_WEIGHT", "ORDERS"} if with_orders else {"REQUEST_WEIGHT"}
        return {limit.header: str(self._in_window(limit)) for limit in self.limits if limit.kind in kinds}

    def count(self, limit: RateLimit, weight: int) -> int:
        """Count a weight against one limit and return what its window has by now."""
        used = self._in_window(limit) + weight
        self._used[limit] = (self._clock.ms() // limit.window_ms, used)
        return used

    def _in_window(self, limit: RateLimit) -> int:
        window, used = self._used[limit]
        return used if window == self._clock.ms() // limit.window_ms else 0

    def _seconds_left(self, limit: RateLimit, now_ms: int) -> int:
        return (limit.window_ms - now_ms % limit.window_ms) // 1000 + 1

    def _ban(self, now_ms: int) -> ApiError:
        seconds = (self._banned_until_ms - now_ms) // 1000 + 1
        return ApiError(-1003, _BANNED.format(until=self._banned_until_ms), 418, {"Retry-After": str(seconds)})

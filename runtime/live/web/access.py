"""
Who may ask the live page for what.

The page must not serve another site that the user's browser has open: a name that was pointed at this machine
(DNS rebinding) fails by its Host, a request that another site makes by its Origin or Sec-Fetch-Site. A token travels
in the Authorization header, which no other site can set, and never in a cookie or an address.
"""

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "ballast",
}
"""Of every answer: nothing from elsewhere, no script but the page's own file, no frame around it, nothing kept."""

_BEARER: Final = "Bearer "
_LONGEST_WAIT_SECS: Final = 2.0


@dataclass(frozen=True)
class Access:
    """
    The rules of one page.

    Parameters
    ----------
    host : str
        The address that the page is served on; as a name, it is one that may be asked for.
    public : bool
        Whether reading needs the token.
    token : str, optional
        The token; without one nothing needs it and nobody may halt.

    """

    host: str
    public: bool
    token: str | None = field(default=None, repr=False)

    def is_foreign(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request was made to another name or by another site."""
        host = headers.get("Host", "")
        if not self._is_ours(host):
            return True
        if headers.get("Origin", f"http://{host}") != f"http://{host}":
            return True
        return headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")

    def may_read(self, headers: Mapping[str, str]) -> bool:
        """Return whether figures may be given out."""
        return not self.public or self.knows_token(headers)

    def knows_token(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request carries the token; False where there is none."""
        given = headers.get("Authorization", "")
        if self.token is None or not given.startswith(_BEARER):
            return False
        return hmac.compare_digest(given.removeprefix(_BEARER).encode(), self.token.encode())

    def _is_ours(self, host: str) -> bool:
        """Return whether a Host header names this machine: by the given name, as localhost or by a number."""
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        name = name.removeprefix("[").removesuffix("]").lower()
        if name in ("localhost", self.host.lower()):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.public or address.is_loopback


class Turnstile:
    """
    Lets a burst through and then so many requests a second, whoever makes them; the others wait.

    Each request takes a little of the interpreter, which the loop that trades needs as well.

    Parameters
    ----------
    per_second : float
        How many pass.
    burst : int
        How many pass at once after a pause.

    """

    def __init__(self, per_second: float = 40.0, burst: int = 20) -> None:
        self._gap_secs = 1 / per_second
        self._burst_secs = burst / per_second
        self._next = 0.0

    def wait_secs(self, now: float) -> float | None:
        """Return for how long a request that comes now has to wait; None where the queue is too long for it."""
        turn = max(self._next, now - self._burst_secs) + self._gap_secs
        wait = max(0.0, turn - now)
        if wait > _LONGEST_WAIT_SECS:
            return None
        self._next = turn
        return wait

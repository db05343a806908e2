"""
Signed requests to Binance's REST interface, one at a time.

What must work when the trading system does not, asks the venue here: the check before the start, the sweep at the end,
the supervisor, the dead-man switch. Nothing is retried; whoever asks decides.
"""

import base64
import hashlib
import hmac
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Final

from nautilus_trader.core.nautilus_pyo3 import ed25519_signature

from runtime.live.environment import Credentials
from runtime.live.pace import REAL, Pace

_SEED_BYTES: Final = 32


class VenueError(Exception):
    """The venue did not do what it was asked."""


class Refused(VenueError):  # noqa: N818 (reads as what it is at every raise)
    """
    The venue answered with an error.

    Parameters
    ----------
    status : int
        The HTTP status.
    code : int, optional
        Binance's number, such as -2011.
    message : str
        Binance's words.
    retry_after_secs : float
        How long it wants to be left alone.

    """

    def __init__(self, status: int, code: int | None, message: str, retry_after_secs: float = 0.0) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_secs = retry_after_secs
        super().__init__(f"{message} (HTTP {status}{'' if code is None else f', {code}'})")


class Unreachable(VenueError):  # noqa: N818 (reads as what it is at every raise)
    """No answer came, so nobody knows what was done."""


class Rest:
    """
    One account's way to the venue. Each request opens a connection of its own, so that it may be used by any thread.

    Parameters
    ----------
    base_url : str
        Such as https://api.binance.com.
    credentials : Credentials, optional
        For signed requests.
    timeout_secs : float
        For one request.
    recv_window_ms : int
        For how long the venue may act on a request.
    pace : Pace
        How fast time passes.

    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials | None = None,
        timeout_secs: float = 5.0,
        recv_window_ms: int = 5_000,
        pace: Pace = REAL,
    ) -> None:
        self.base_url = base_url
        self._credentials = credentials
        self._timeout_secs = timeout_secs
        self._recv_window_ms = recv_window_ms
        self._pace = pace
        self.clock_offset_ms = 0
        """What to add to this machine's time for the venue's."""
        self.used_weight: int | None = None
        """How much of the minute's weight the venue has counted so far."""

    def now_ms(self) -> int:
        """Return our time, UNIX ms."""
        return self._pace.now_ns() // 1_000_000

    def get(self, path: str, **params: object) -> Any:
        """Ask for what is public; VenueError says why there is no answer."""
        return self._send("GET", path, urllib.parse.urlencode(params))

    def signed(self, method: str, path: str, **params: object) -> Any:
        """Ask in the name of the account; VenueError says why there is no answer."""
        assert self._credentials is not None
        now_ms = self.now_ms() + self.clock_offset_ms
        query = urllib.parse.urlencode({**params, "recvWindow": self._recv_window_ms, "timestamp": now_ms})
        signature = urllib.parse.quote(_signature(self._credentials, query), safe="")
        return self._send(method, path, f"{query}&signature={signature}")

    def _send(self, method: str, path: str, query: str) -> Any:
        request = urllib.request.Request(f"{self.base_url}{path}{'?' if query else ''}{query}", method=method)
        if self._credentials is not None:
            request.add_header("X-MBX-APIKEY", self._credentials.key)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_secs) as response:
                self._count(response.headers)
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                self._count(error.headers)
                raise _refusal(error) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise Unreachable(f"{self.base_url} did not answer: {reason}") from None
        except ValueError:
            raise Unreachable(f"{self.base_url}{path} answered with something that is not JSON") from None

    def _count(self, headers: Any) -> None:
        used = headers.get("X-MBX-USED-WEIGHT-1M")
        if used is not None and used.isdigit():
            self.used_weight = int(used)


def _refusal(error: urllib.error.HTTPError) -> Refused:
    after = error.headers.get("Retry-After", "")
    wait = float(after) if after.replace(".", "", 1).isdigit() else 0.0
    try:
        body = json.loads(error.read())
        return Refused(error.code, int(body["code"]), str(body["msg"]), wait)
    except (ValueError, KeyError, TypeError, OSError):
        return Refused(error.code, None, str(error.reason or "an error without words"), wait)


def _signature(credentials: Credentials, query: str) -> str:
    if credentials.is_ed25519:
        body = "".join(line for line in credentials.secret.splitlines() if not line.startswith("-----"))
        return str(ed25519_signature(base64.b64decode(body)[-_SEED_BYTES:], query))
    return hmac.new(credentials.secret.encode(), query.encode(), hashlib.sha256).hexdigest()

"""Where a setup trades: Binance itself, its test venues or an exchange on this machine; and the keys for it."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Environment(StrEnum):
    """Whose exchange it is."""

    REAL = "real money"
    TESTNET = "testnet"
    DEMO = "demo"
    LOCAL = "local"


REST_ADDRESSES: Final = {
    (Environment.REAL, True): "https://api.binance.com",
    (Environment.REAL, False): "https://fapi.binance.com",
    (Environment.TESTNET, True): "https://testnet.binance.vision",
    (Environment.TESTNET, False): "https://demo-fapi.binance.com",
    (Environment.DEMO, True): "https://demo-api.binance.com",
    (Environment.DEMO, False): "https://demo-fapi.binance.com",
}
"""Where requests go, by environment and by whether it is spot; a test holds them against the engine's adapter, which
knows the addresses of the streams."""

_ED25519_OID: Final = bytes.fromhex("06032b6570")


@dataclass(frozen=True)
class Venue:
    """
    The exchange and the account on it.

    Parameters
    ----------
    environment : Environment
        Whose exchange.
    spot : bool
        Whether it is the spot account; otherwise that of USD-M futures.
    local_url : str, optional
        The address of a local exchange.

    """

    environment: Environment
    spot: bool
    local_url: str | None = None

    @property
    def http(self) -> str:
        """The base of all REST addresses."""
        if self.local_url is not None:
            return self.local_url
        return REST_ADDRESSES[self.environment, self.spot]

    @property
    def market_ws(self) -> str | None:
        """Where market data come from; the adapter's own address where None."""
        return None if self._local_ws is None else self._local_ws + ("" if self.spot else "/fstream")

    @property
    def api_ws(self) -> str | None:
        """The WebSocket API; the adapter's own address where None."""
        return None if self._local_ws is None else self._local_ws + ("/ws-api/v3" if self.spot else "/ws-fapi/v1")

    @property
    def user_ws(self) -> str | None:
        """Where the account's events come from on futures; the adapter's own address where None."""
        return None if self._local_ws is None or self.spot else f"{self._local_ws}/private"

    @property
    def _local_ws(self) -> str | None:
        return None if self.local_url is None else self.local_url.replace("http", "ws", 1)

    @property
    def key_variables(self) -> tuple[str, str]:
        """The environment variables that hold key and secret."""
        infix = {
            Environment.REAL: "",
            Environment.TESTNET: "TESTNET_" if self.spot else "FUTURES_TESTNET_",
            Environment.DEMO: "DEMO_",
            Environment.LOCAL: "LOCAL_",
        }[self.environment]
        return f"BINANCE_{infix}API_KEY", f"BINANCE_{infix}API_SECRET"


@dataclass(frozen=True)
class Credentials:
    """A key and its secret, which no text of this object shows."""

    key: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def is_ed25519(self) -> bool:
        """Whether the secret is an Ed25519 private key."""
        body = "".join(line for line in self.secret.splitlines() if not line.startswith("-----"))
        try:
            return _ED25519_OID in base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            return False


def credentials_of(venue: Venue, variables: Mapping[str, str] = os.environ) -> Credentials | None:
    """Return the keys for a venue from the environment; None where either is missing."""
    key, secret = (variables.get(name, "").strip() for name in venue.key_variables)
    return Credentials(key, secret.replace("\\n", "\n")) if key and secret else None

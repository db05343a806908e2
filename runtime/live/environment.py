"""Where a setup trades: Binance itself, its test venues or an exchange on this machine; and the keys for it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from nautilus_trader.adapters.binance.common.credentials import is_ed25519_private_key
from nautilus_trader.adapters.binance.common.enums import BinanceAccountType, BinanceEnvironment
from nautilus_trader.adapters.binance.common.urls import get_http_base_url


class Environment(StrEnum):
    """Whose exchange it is."""

    REAL = "real money"
    TESTNET = "testnet"
    DEMO = "demo"
    LOCAL = "local"


ADAPTER_ENVIRONMENTS: Final = {
    Environment.REAL: BinanceEnvironment.LIVE,
    Environment.TESTNET: BinanceEnvironment.TESTNET,
    Environment.DEMO: BinanceEnvironment.DEMO,
    Environment.LOCAL: BinanceEnvironment.LIVE,
}


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
    def account_type(self) -> BinanceAccountType:
        """The adapter's name of the account."""
        return BinanceAccountType.SPOT if self.spot else BinanceAccountType.USDT_FUTURES

    @property
    def http(self) -> str:
        """The base of all REST addresses."""
        if self.local_url is not None:
            return self.local_url
        return str(get_http_base_url(self.account_type, ADAPTER_ENVIRONMENTS[self.environment], False))

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
        return bool(is_ed25519_private_key(self.secret))


def credentials_of(venue: Venue, variables: Mapping[str, str] = os.environ) -> Credentials | None:
    """Return the keys for a venue from the environment; None where either is missing."""
    key, secret = (variables.get(name, "").strip() for name in venue.key_variables)
    return Credentials(key, secret.replace("\\n", "\n")) if key and secret else None

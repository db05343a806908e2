"""API keys, and the check of what was signed with them."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from nautilus_trader.core.nautilus_pyo3 import ed25519_signature

_PKCS8_OF_A_SEED = bytes.fromhex("302e020100300506032b657004220420")


class KeyType(StrEnum):
    """How a key signs."""

    HMAC = "HMAC"
    ED25519 = "Ed25519"


@dataclass(frozen=True)
class ApiKey:
    """
    A key of the account.

    Parameters
    ----------
    key : str
        What goes into the header X-MBX-APIKEY.
    secret : str
        The HMAC secret, or an Ed25519 private key in PEM.
    type : KeyType
        How it signs.
    can_trade : bool
        Whether it may send orders.

    """

    key: str
    secret: str
    type: KeyType
    can_trade: bool = True

    def verifies(self, payload: str, signature: str) -> bool:
        """Return whether `signature` (as it stands in the query) was made over `payload` with this key."""
        given = unquote(signature)
        if self.type == KeyType.HMAC:
            return hmac.compare_digest(
                hmac.new(self.secret.encode(), payload.encode(), hashlib.sha256).hexdigest(), given
            )
        # Ed25519 signatures are deterministic, so that signing again verifies.
        return hmac.compare_digest(ed25519_signature(_seed(self.secret), payload), given)

    def sign(self, payload: str) -> str:
        """Return the signature of `payload`, not quoted for a URL."""
        if self.type == KeyType.HMAC:
            return hmac.new(self.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        return str(ed25519_signature(_seed(self.secret), payload))


def new_key(key_type: KeyType, can_trade: bool = True) -> ApiKey:
    """Return a fresh random key."""
    if key_type == KeyType.HMAC:
        return ApiKey(secrets.token_urlsafe(48), secrets.token_urlsafe(48), key_type, can_trade)
    body = base64.b64encode(_PKCS8_OF_A_SEED + secrets.token_bytes(32)).decode()
    pem = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
    return ApiKey(secrets.token_urlsafe(48), pem, key_type, can_trade)


def _seed(pem: str) -> bytes:
    body = "".join(line for line in pem.splitlines() if not line.startswith("-----"))
    return base64.b64decode(body)[-32:]

"""Whether a request comes from the account's owner, and in time."""

from collections.abc import Iterable

from binance_double.clock import Clock
from binance_double.errors import ApiError, missing
from binance_double.keys import ApiKey
from binance_double.params import Params

_MAX_AHEAD_MS = 1000
_MAX_WINDOW_MS = 60_000
_LATE = "Timestamp for this request is outside of the recvWindow."
_EARLY = "Timestamp for this request was 1000ms ahead of the server's time."


class Authentication:
    """
    Checks keys, signatures and timestamps.

    Parameters
    ----------
    clock : Clock
        The exchange's.
    keys : iterable of ApiKey
        The account's.

    """

    def __init__(self, clock: Clock, keys: Iterable[ApiKey]) -> None:
        self._clock = clock
        self._keys = {key.key: key for key in keys}

    def add(self, key: ApiKey) -> None:
        """Accept a further key."""
        self._keys[key.key] = key

    def key(self, text: str | None) -> ApiKey:
        """
        Return the key with this text.

        Raises
        ------
        ApiError
            -2014 without a key, -2015 if it is not one of the account's.

        """
        if not text:
            raise ApiError(-2014, "API-key format invalid.", 401)
        if text not in self._keys:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return self._keys[text]

    def check_signed(self, key: ApiKey, payload: str, signature: str | None, params: Params) -> None:
        """
        Check the signature over `payload` and the timestamp.

        Raises
        ------
        ApiError
            -1102 if something is missing, -1021 out of the window, -1022 if the signature is wrong.

        """
        if not signature:
            raise missing("signature")
        self._check_time(params)
        if not key.verifies(payload, signature):
            raise ApiError(-1022, "Signature for this request is not valid.")

    def _check_time(self, params: Params) -> None:
        sent = params.integer("timestamp")
        window = params.maybe_integer("recvWindow") or 5000
        if window > _MAX_WINDOW_MS:
            raise ApiError(-1131, "recvWindow must be less than 60000.")
        now = self._clock.ms()
        if sent > now + _MAX_AHEAD_MS:
            raise ApiError(-1021, _EARLY)
        if now - sent > window:
            raise ApiError(-1021, _LATE)

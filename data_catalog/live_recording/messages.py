"""
Messages of the streams, checked before they are kept.

The import refuses a whole file for one line that it cannot use, so nothing of that kind may get into a recording.
"""

import re
from dataclasses import dataclass

import msgspec

from data_catalog.recordings.lines import Level, Message, Payload
from data_catalog.recordings.parser import STREAM_OF_KIND, message_kind
from data_catalog.store.data_types import DataTypeName

SHUTDOWN = "serverShutdown"
"""The event by which the exchange announces that it will end a connection."""

_decode = msgspec.json.Decoder(Message).decode
_is_number = re.compile(r"\d{1,18}(\.\d{1,18})?").fullmatch


class UnusableError(Exception):
    """A message that a recording must not hold; the text says why."""


@dataclass(frozen=True, slots=True)
class Update:
    """
    A message worth keeping, or word of a shutdown.

    Attributes
    ----------
    kind : str
        bookTicker, trade, aggTrade, depthUpdate, markPriceUpdate or serverShutdown.
    symbol : str
        Whose; empty for a shutdown.
    last_id : int
        Of the update or the trade; the event time for mark prices.
    first_id : int
        Where a change of the book begins, otherwise `last_id`.
    previous_id : int or None
        Where the change of the book before ends, on futures.
    event_ms : int or None
        The exchange's time, which spot's bookTicker does not have.

    """

    kind: str
    symbol: str
    last_id: int
    first_id: int
    previous_id: int | None
    event_ms: int | None

    @property
    def data_type(self) -> DataTypeName:
        """Which rows it becomes."""
        return DATA_TYPE_OF_KIND[self.kind]


DATA_TYPE_OF_KIND: dict[str, DataTypeName] = {
    "bookTicker": "quotes",
    "trade": "trades",
    "aggTrade": "trades",
    "depthUpdate": "deltas",
    "markPriceUpdate": "funding_rates",
}
assert DATA_TYPE_OF_KIND.items() <= STREAM_OF_KIND.items()


def read_update(text: str, *, futures: bool) -> Update | None:
    """
    Return what a message is; None for an answer to a request.

    Parameters
    ----------
    text : str
        The message.
    futures : bool
        Whether it came over a connection to futures.

    Raises
    ------
    UnusableError
        If it is malformed, of another market or of an unknown kind.

    """
    try:
        message = _decode(text)
    except msgspec.DecodeError as error:
        raise UnusableError(str(error)) from error
    payload: Payload = message if message.data is None else message.data
    kind = message_kind(payload, message.stream)
    if kind == SHUTDOWN:
        return Update(kind, "", 0, 0, None, payload.E)
    if kind not in DATA_TYPE_OF_KIND:
        if message.stream is None and message.data is None and kind == "unknown":
            return None
        raise UnusableError(f'unknown kind of message "{kind}"')
    last_id = _checked(kind, payload, futures=futures)
    if not payload.s:
        raise UnusableError("no symbol")
    first_id = last_id if payload.U is None else payload.U
    return Update(kind, payload.s, last_id, first_id, payload.pu, payload.E)


def _checked(kind: str, payload: Payload, *, futures: bool) -> int:
    """Return the id of a message whose fields are those that the import needs."""
    found: object
    numbers: tuple[object, ...]
    match kind:
        case "bookTicker":
            found, numbers = payload.u, (payload.b, payload.B, payload.a, payload.A)
            right_market = (payload.T is not None) == futures
        case "depthUpdate":
            found, numbers = payload.u, _level_texts(payload)
            right_market = (payload.pu is not None) == futures and payload.U is not None
        case "markPriceUpdate":
            found, numbers = payload.E, ()
            right_market = futures and payload.T is not None and _is_rate(payload.r)
        case _:
            found, numbers = (payload.t if kind == "trade" else payload.a), (payload.p, payload.q)
            right_market = payload.m is not None
    if not isinstance(found, int) or not right_market:
        raise UnusableError(f"a {kind} with missing fields, or of another market")
    if not all(isinstance(number, str) and _is_number(number) for number in numbers):
        raise UnusableError(f"a {kind} with something that is not a number")
    return found


def _level_texts(payload: Payload) -> tuple[object, ...]:
    sides: list[list[Level]] = []
    for side in (payload.b, payload.a):
        if not isinstance(side, list):
            return (None,)
        sides.append(side)
    return tuple(text for side in sides for level in side for text in level)


def _is_rate(text: str | None) -> bool:
    return text is not None and (text == "" or _is_number(text.removeprefix("-")) is not None)

"""The exchange's public requests that a recording needs: definitions of instruments, and snapshots of the book."""

from http import HTTPStatus
from pathlib import Path

import aiohttp
import msgspec

from bad_input import BadInput, nearest_name
from data_catalog.archive.client import why_no_connection
from data_catalog.exchange_info import ExchangeInfo
from data_catalog.live_recording.routes import Addresses, is_futures, symbol_of

DEPTH_LEVELS = 1000
UNKNOWN_SYMBOL = -1121

TROUBLE = (aiohttp.ClientError, TimeoutError, OSError)
"""What a network does."""


def why(error: BaseException) -> str:
    """Return in a few words what the network did."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return why_no_connection(error)
    return str(error) or "no answer in time"


class RestError(Exception):
    """A request that the exchange did not answer, or not as expected; the text says how."""


class _Raw(msgspec.Struct, frozen=True):
    """An exchangeInfo answer whose symbols stay as they are."""

    symbols: list[msgspec.Raw]


class _Refusal(msgspec.Struct, frozen=True):
    code: int = 0
    msg: str = ""


class _Snapshot(msgspec.Struct, frozen=True):
    lastUpdateId: int  # noqa: N815 (the exchange's name)


class PublicRest:
    """
    Requests without keys.

    Parameters
    ----------
    session : aiohttp.ClientSession
        Carries them.
    addresses : Addresses
        Where to.

    """

    def __init__(self, session: aiohttp.ClientSession, addresses: Addresses) -> None:
        self._session = session
        self._addresses = addresses

    async def define(self, instrument_ids: list[str]) -> dict[str, bytes]:
        """
        Return the definition of each instrument: an exchangeInfo answer with one symbol.

        Raises
        ------
        BadInput
            If the exchange does not list one of them.
        RestError
            If the exchange cannot be asked.

        """
        found: dict[str, bytes] = {}
        perpetuals = [id_ for id_ in instrument_ids if is_futures(id_)]
        for id_ in instrument_ids:
            if id_ not in perpetuals:
                found |= _definitions(await self._spot_info(id_), [id_])
        if perpetuals:
            answer = await self._get(f"{self._addresses.futures_rest}/fapi/v1/exchangeInfo", {})
            found |= _definitions(answer, perpetuals)
        return found

    async def book(self, instrument_id: str) -> tuple[int, bytes]:
        """Return the last update id of the order book, and the answer in one line; raises RestError."""
        base = f"{self._addresses.spot_rest}/api/v3"
        if is_futures(instrument_id):
            base = f"{self._addresses.futures_rest}/fapi/v1"
        answer = await self._get(f"{base}/depth", {"symbol": symbol_of(instrument_id), "limit": str(DEPTH_LEVELS)})
        try:
            return msgspec.json.decode(answer, type=_Snapshot).lastUpdateId, answer.replace(b"\n", b" ")
        except msgspec.DecodeError as error:
            raise RestError(f"the answer is no order book ({error})") from error

    async def _spot_info(self, instrument_id: str) -> bytes:
        url = f"{self._addresses.spot_rest}/api/v3/exchangeInfo"
        return await self._get(url, {"symbol": symbol_of(instrument_id)}, instrument_id)

    async def _get(self, url: str, params: dict[str, str], instrument_id: str = "") -> bytes:
        try:
            async with self._session.get(url, params=params) as response:
                answer = await response.read()
        except TROUBLE as error:
            raise RestError(f"{url} could not be asked ({why(error)})") from error
        if response.status == HTTPStatus.OK:
            return answer
        try:
            refusal = msgspec.json.decode(answer, type=_Refusal)
        except msgspec.DecodeError:
            refusal = _Refusal()
        if instrument_id and refusal.code == UNKNOWN_SYMBOL:
            raise BadInput(f'the exchange does not list "{instrument_id}"', hint=_PERPETUALS_HINT)
        raise RestError(f"{url} answered {response.status} {refusal.msg or response.reason or ''}".rstrip())


_PERPETUALS_HINT = "spot ids look like NEXOUSDT.BINANCE, perpetuals like BTCUSDT-PERP.BINANCE"


def _definitions(answer: bytes, instrument_ids: list[str]) -> dict[str, bytes]:
    try:
        parsed = msgspec.json.decode(answer, type=ExchangeInfo)
        raw = msgspec.json.decode(answer, type=_Raw)
    except msgspec.DecodeError as error:
        raise RestError(f"the answer is no exchangeInfo ({error})") from error
    by_id = {info.instrument_id: one for info, one in zip(parsed.symbols, raw.symbols, strict=True)}
    for id_ in instrument_ids:
        if id_ not in by_id:
            hint = nearest_name(id_, [known for known in by_id if known]) or _PERPETUALS_HINT
            raise BadInput(f'the exchange does not list "{id_}"', hint=hint)
    return {id_: msgspec.json.encode(_Raw([by_id[id_]])) for id_ in instrument_ids}


def store_definition(folder: Path, definition: bytes) -> Path:
    """Keep a definition beside the recordings that it describes, and return where."""
    folder.mkdir(parents=True, exist_ok=True)
    path = definition_path(folder)
    draft = path.with_suffix(".draft")
    draft.write_bytes(definition)
    draft.replace(path)
    return path


def definition_path(folder: Path) -> Path:
    """Return where the definition of an instrument's recordings is kept."""
    return folder / "exchangeInfo.json"

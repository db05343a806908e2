"""How much was traded of each asset: from the bars of a catalog, or from Binance's 24 h statistics."""

from decimal import Decimal
from http import HTTPStatus
from pathlib import Path

import aiohttp
import msgspec
import numpy as np

from bad_input import BadInput
from command_line import Failed
from data_catalog.columns import Bars
from data_catalog.store.column_reader import read_columns
from data_catalog.store.contents import contents, load_instruments
from data_catalog.store.data_types import DATA_TYPES, data_folder, files_in

SPOT_API = "https://api.binance.com"
TICKER_PATH = "/api/v3/ticker/24hr"

_TIMEOUT = aiohttp.ClientTimeout(total=60)


class Ticker(msgspec.Struct, frozen=True):
    """What the exchange says of one symbol over the last 24 hours."""

    symbol: str
    quoteVolume: Decimal  # noqa: N815 (the exchange's name)


def volumes_of_tickers(answer: bytes, quote: str) -> dict[str, Decimal]:
    """
    Return the traded value of each base asset in the exchange's answer, of the symbols quoted in `quote`.

    Raises
    ------
    BadInput
        If the answer has another shape.

    """
    try:
        tickers = msgspec.json.decode(answer, type=list[Ticker], strict=False)
    except msgspec.DecodeError as error:
        raise BadInput(f"is not an answer of {TICKER_PATH} ({error})") from error
    return {
        ticker.symbol.removesuffix(quote): ticker.quoteVolume
        for ticker in tickers
        if ticker.symbol.endswith(quote) and ticker.symbol != quote
    }


async def fetch_tickers(base_url: str = SPOT_API) -> bytes:
    """
    Return the exchange's 24 h statistics of every spot symbol; needs no key.

    Raises
    ------
    Failed
        If the exchange does not answer, or not with statistics.

    """
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(f"{base_url}{TICKER_PATH}") as response,
        ):
            if response.status != HTTPStatus.OK:
                raise Failed(f"{base_url} answered {response.status} {response.reason or ''}".rstrip())
            return await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Failed(f"{base_url} could not be asked ({error or 'no answer in time'})") from error


def volumes_of_catalog(catalog: Path, quote: str, start_ns: int, end_ns: int) -> dict[str, Decimal]:
    """
    Return the traded value of each spot asset that a catalog has bars of, in a period, valued at the closes.

    Of several bar lengths of one instrument the one with the fewest bars is read.

    Raises
    ------
    BadInput
        If there is no such catalog, or it has no bars of pairs quoted in `quote` in the period.

    """
    entries = [entry for entry in contents(catalog) if entry.data_type == "bars" and entry.bar_type is not None]
    shortest = {entry.instrument_id: entry for entry in sorted(entries, key=lambda entry: -entry.rows)}
    volumes: dict[str, Decimal] = {}
    for instrument in load_instruments(catalog, list(shortest)):
        if instrument.quote_currency.code != quote or "-PERP" in instrument.id.value:
            continue
        bar_type = shortest[instrument.id.value].bar_type
        assert bar_type is not None
        units = instrument.price_precision + instrument.size_precision
        value = _value(catalog, bar_type, start_ns, end_ns)
        if value:
            volumes[instrument.base_currency.code] = Decimal(value).scaleb(-units)
    if not volumes:
        raise BadInput(f"has no bars of spot pairs quoted in {quote} in the period", file=catalog)
    return volumes


def _value(catalog: Path, bar_type: str, start_ns: int, end_ns: int) -> int:
    """Return the sum of close times volume, in counts of both."""
    total = 0
    for file in files_in(data_folder(catalog, DATA_TYPES["bars"], bar_type)):
        if file.intersects(start_ns, end_ns):
            for bars in read_columns(file.path, "bars"):
                assert isinstance(bars, Bars)
                inside = (bars.ts_init > start_ns) & (bars.ts_init <= end_ns)  # stamped with their close
                total += int(bars.close[inside].astype(np.object_) @ bars.volume[inside].astype(np.object_) or 0)
    return total

"""Where the exchange's public data come from, and what one connection carries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from data_catalog.store.data_types import DataTypeName

PERPETUAL: Final = "-PERP.BINANCE"
SPOT: Final = ".BINANCE"


@dataclass(frozen=True, slots=True)
class Addresses:
    """
    The exchange's public addresses.

    Attributes
    ----------
    spot_rest, futures_rest : str
        Where requests go.
    spot_streams : str
        All streams of spot.
    futures_public, futures_market : str
        The streams of USD-M futures: those of the order book, and those of trades and mark prices.

    """

    spot_rest: str = "https://api.binance.com"
    futures_rest: str = "https://fapi.binance.com"
    spot_streams: str = "wss://stream.binance.com:9443"
    futures_public: str = "wss://fstream.binance.com/public"
    futures_market: str = "wss://fstream.binance.com/market"

    @classmethod
    def local(cls, url: str) -> "Addresses":
        """Return the addresses of a local exchange (`binance_double`) at an http address."""
        streams = url.rstrip("/").replace("http", "ws", 1)
        return cls(url.rstrip("/"), url.rstrip("/"), streams, f"{streams}/fstream", f"{streams}/fstream")


@dataclass(frozen=True, slots=True)
class Route:
    """
    What comes over one connection.

    Attributes
    ----------
    name : str
        For messages.
    url : str
        Where to connect to.
    futures : bool
        Whether messages are those of futures.
    instrument_ids : tuple of str
        Whose.
    data_types : tuple of str
        Which data are missing while there is no connection.

    """

    name: str
    url: str
    futures: bool
    instrument_ids: tuple[str, ...]
    data_types: tuple[DataTypeName, ...]


def is_futures(instrument_id: str) -> bool:
    """Return whether an id is that of a perpetual."""
    return instrument_id.endswith(PERPETUAL)


def symbol_of(instrument_id: str) -> str:
    """Return the exchange's symbol of an instrument."""
    return instrument_id.removesuffix(PERPETUAL if is_futures(instrument_id) else SPOT)


def routes_of(instrument_ids: Sequence[str], addresses: Addresses, *, depth: bool) -> list[Route]:
    """Return the connections needed to record instruments: quotes, trades, on futures mark prices, and the book."""
    spot = [id_ for id_ in instrument_ids if not is_futures(id_)]
    futures = [id_ for id_ in instrument_ids if is_futures(id_)]
    book: tuple[str, ...] = ("depth@100ms",) if depth else ()
    deltas: tuple[DataTypeName, ...] = ("deltas",) if depth else ()
    plan: list[tuple[str, str, list[str], tuple[str, ...], tuple[DataTypeName, ...]]] = [
        ("spot", addresses.spot_streams, spot, ("bookTicker", "trade", *book), ("quotes", "trades", *deltas)),
        ("futures quotes", addresses.futures_public, futures, ("bookTicker", *book), ("quotes", *deltas)),
        ("futures trades", addresses.futures_market, futures, ("aggTrade", "markPrice"), ("trades", "funding_rates")),
    ]
    return [
        Route(name, _url(base, ids, kinds), name != "spot", tuple(ids), data_types)
        for name, base, ids, kinds, data_types in plan
        if ids
    ]


def _url(base: str, instrument_ids: Sequence[str], kinds: Sequence[str]) -> str:
    names = (f"{symbol_of(id_).lower()}@{kind}" for id_ in instrument_ids for kind in kinds)
    return f"{base}/stream?streams={'/'.join(names)}"

"""Binance's exchangeInfo answers (spot and USD-M futures): the trading rules of each symbol, as far as needed here."""

from pathlib import Path

import msgspec

from bad_input import BadInput

PERPETUAL_CONTRACTS = frozenset({"PERPETUAL", "PERPETUAL_DELIVERING", "TRADIFI_PERPETUAL"})


class Filter(msgspec.Struct, frozen=True):
    """One trading rule of a symbol; which fields are there depends on `filterType`."""

    filterType: str  # noqa: N815 (the exchange's name)
    tickSize: str | None = None  # noqa: N815
    minPrice: str | None = None  # noqa: N815
    maxPrice: str | None = None  # noqa: N815
    stepSize: str | None = None  # noqa: N815
    minQty: str | None = None  # noqa: N815
    maxQty: str | None = None  # noqa: N815
    minNotional: str | None = None  # noqa: N815
    notional: str | None = None


class SymbolInfo(msgspec.Struct, frozen=True):
    """What exchangeInfo says of one symbol, as far as it is needed; `contractType` is None on spot."""

    symbol: str
    baseAsset: str  # noqa: N815
    quoteAsset: str  # noqa: N815
    filters: list[Filter]
    contractType: str | None = None  # noqa: N815
    marginAsset: str | None = None  # noqa: N815

    @property
    def instrument_id(self) -> str | None:
        """The Nautilus id, or None for a dated or not yet listed futures contract."""
        if self.contractType is None:
            return f"{self.symbol}.BINANCE"
        return f"{self.symbol}-PERP.BINANCE" if self.contractType in PERPETUAL_CONTRACTS else None


class ExchangeInfo(msgspec.Struct, frozen=True):
    """An exchangeInfo answer."""

    symbols: list[SymbolInfo]


def read_exchange_info(path: Path) -> dict[str, SymbolInfo]:
    """
    Return the symbols of a saved exchangeInfo answer by instrument id.

    Raises
    ------
    BadInput
        If the file is missing, is not JSON or has another shape.

    """
    try:
        info = msgspec.json.decode(path.read_bytes(), type=ExchangeInfo)
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", file=path) from error
    except msgspec.DecodeError as error:
        raise BadInput(f"is not an exchangeInfo answer ({error})", file=path) from error
    return {symbol.instrument_id: symbol for symbol in info.symbols if symbol.instrument_id is not None}

"""What a catalog has from before a replay: trades that the exchange remembers, so that its candles can be asked for."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from nautilus_trader.core.data import Data
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide

from binance_double.double import BinanceDouble
from binance_double.orders import PublicTrade, Side
from data_catalog.store.data_types import DATA_TYPES, DataTypeName, data_folder, files_in
from data_catalog.store.stream import DataRequest, stream

_MS = 1_000_000
_TYPES: tuple[DataTypeName, ...] = ("trades", "quotes")


def remember(double: BinanceDouble, catalog: Path, instrument_id: str, period: tuple[int, int], later_ms: int) -> int:
    """
    Let the exchange remember an instrument's trades, or the mids of its quotes where there are none; return how many.

    Parameters
    ----------
    double : BinanceDouble
        The exchange, which must list the instrument.
    catalog : Path
        The Parquet catalog.
    instrument_id : str
        Whose.
    period : (int, int)
        From when to when, both inclusive, UNIX ns.
    later_ms : int
        By how much later they happened, to the exchange.

    """
    for data_type in _TYPES:
        files = files_in(data_folder(catalog, DATA_TYPES[data_type], instrument_id))
        if any(file.intersects(*period) for file in files):
            request = DataRequest(instrument_id, data_type)
            # The reader of a catalog aborts the process when two threads touch it: it lives on the server's thread.
            trades = double.call(lambda request=request: list(_trades(catalog, request, period, later_ms)))
            if trades:
                double.remember(instrument_id, trades)
                return len(trades)
    return 0


def _trades(catalog: Path, request: DataRequest, period: tuple[int, int], later_ms: int) -> Iterator[PublicTrade]:
    for chunk in stream(catalog, [request], *period):
        for number, event in enumerate(chunk):
            yield _trade(event, number, later_ms)


def _trade(event: Data, number: int, later_ms: int) -> PublicTrade:
    time_ms = event.ts_init // _MS + later_ms
    if isinstance(event, TradeTick):
        side = Side.BUY if event.aggressor_side == AggressorSide.BUYER else Side.SELL
        return PublicTrade(number, event.price.as_decimal(), event.size.as_decimal(), side, time_ms)
    assert isinstance(event, QuoteTick)
    mid = (event.bid_price.as_decimal() + event.ask_price.as_decimal()) / 2
    return PublicTrade(number, mid, Decimal(0), Side.BUY, time_ms)

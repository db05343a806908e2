"""
The columns of each kind of archive file, in the order that files without a header row have.

Source: the README of github.com/binance/binance-public-data; header rows as found in the files.
"""

from nautilus_trader.model.instruments import Instrument

from data_catalog.archive.csv_tables import CsvFormat, Field
from data_catalog.archive.index import ArchiveKind

FUNDING_RATE_DECIMALS = 16


def csv_format(kind: ArchiveKind, instrument: Instrument) -> CsvFormat:
    """Return the columns of files of `kind`, with prices and sizes in the precision of `instrument`."""
    price, size = instrument.price_precision, instrument.size_precision
    if kind is ArchiveKind.AGG_TRADES:
        # Spot files have an eighth column: whether the trade was the best price match.
        return CsvFormat(
            kind,
            (7, 8),
            (
                Field("id", 0, ("agg_trade_id",)),
                Field("price", 1, ("price",), price),
                Field("size", 2, ("quantity", "qty"), size),
                Field("time", 5, ("transact_time", "time")),
                Field("buyer_is_maker", 6, ("is_buyer_maker",), flag=True),
            ),
        )
    if kind is ArchiveKind.TRADES:
        return CsvFormat(
            kind,
            (6, 7),
            (
                Field("id", 0, ("id", "trade_id")),
                Field("price", 1, ("price",), price),
                Field("size", 2, ("qty", "quantity"), size),
                Field("time", 4, ("time", "transact_time")),
                Field("buyer_is_maker", 5, ("is_buyer_maker",), flag=True),
            ),
        )
    if kind is ArchiveKind.BOOK_TICKER:
        return CsvFormat(
            kind,
            (7,),
            (
                Field("id", 0, ("update_id",)),
                Field("bid_price", 1, ("best_bid_price",), price),
                Field("bid_size", 2, ("best_bid_qty",), size),
                Field("ask_price", 3, ("best_ask_price",), price),
                Field("ask_size", 4, ("best_ask_qty",), size),
                Field("time", 5, ("transaction_time",)),
            ),
        )
    if kind is ArchiveKind.KLINES:
        return CsvFormat(
            kind,
            (12,),
            (
                Field("time", 0, ("open_time",)),
                *(Field(name, 1 + at, (name,), price) for at, name in enumerate(("open", "high", "low", "close"))),
                Field("volume", 5, ("volume",), size),
            ),
        )
    return CsvFormat(
        kind,
        (3,),
        (Field("time", 0, ("calc_time",)), Field("rate", 2, ("last_funding_rate",), FUNDING_RATE_DECIMALS)),
    )

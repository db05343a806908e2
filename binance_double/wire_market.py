"""Market data on the wire that look the same on spot and on futures."""

from decimal import Decimal

from binance_double.candles import Candle
from binance_double.market_book import MarketBook
from binance_double.orders import ZERO, PublicTrade, Side
from binance_double.rules import Product, Rules, amount_text

type Json = dict[str, object]

_DAY_MS = 86_400_000


def kline(rules: Rules, candle: Candle, interval: str, length_ms: int, *, closed: bool, now_ms: int) -> Json:
    """Return the stream message of a candle."""
    return {
        "e": "kline",
        "E": now_ms,
        "s": rules.symbol,
        "k": {
            "t": candle.open_ms,
            "T": candle.open_ms + length_ms - 1,
            "s": rules.symbol,
            "i": interval,
            "f": candle.first_id,
            "L": candle.last_id,
            "o": rules.price_text(candle.open),
            "c": rules.price_text(candle.close),
            "h": rules.price_text(candle.high),
            "l": rules.price_text(candle.low),
            "v": rules.quantity_text(candle.volume),
            "n": candle.count,
            "x": closed,
            "q": amount_text(candle.quote_volume),
            "V": rules.quantity_text(candle.taken_volume),
            "Q": amount_text(candle.taken_quote_volume),
            "B": "0",
        },
    }


def kline_row(rules: Rules, candle: Candle, length_ms: int) -> list[object]:
    """Return a candle as REST shows it."""
    return [
        candle.open_ms,
        rules.price_text(candle.open),
        rules.price_text(candle.high),
        rules.price_text(candle.low),
        rules.price_text(candle.close),
        rules.quantity_text(candle.volume),
        candle.open_ms + length_ms - 1,
        amount_text(candle.quote_volume),
        candle.count,
        rules.quantity_text(candle.taken_volume),
        amount_text(candle.taken_quote_volume),
        "0",
    ]


def public_trade(rules: Rules, trade: PublicTrade) -> Json:
    """Return a trade as REST shows it."""
    return {
        "id": trade.trade_id,
        "price": rules.price_text(trade.price),
        "qty": rules.quantity_text(trade.size),
        "quoteQty": amount_text(trade.price * trade.size),
        "time": trade.time_ms,
        "isBuyerMaker": trade.aggressor is Side.SELL,
        "isBestMatch": True,
    }


def ticker_24h(rules: Rules, day: Candle | None, last: PublicTrade | None, book: MarketBook, now_ms: int) -> Json:
    """Return what changed in 24 hours; spot shows the top of the book too."""
    candle = day or Candle(now_ms, *(last.price if last else ZERO,) * 4)
    change = candle.close - candle.open
    ticker: Json = {
        "symbol": rules.symbol,
        "priceChange": rules.price_text(change),
        "priceChangePercent": f"{change / candle.open * 100 if candle.open else ZERO:.3f}",
        "weightedAvgPrice": rules.price_text(candle.quote_volume / candle.volume if candle.volume else ZERO),
        "lastPrice": rules.price_text(candle.close),
        "lastQty": rules.quantity_text(last.size if last else ZERO),
        "openPrice": rules.price_text(candle.open),
        "highPrice": rules.price_text(candle.high),
        "lowPrice": rules.price_text(candle.low),
        "volume": rules.quantity_text(candle.volume),
        "quoteVolume": amount_text(candle.quote_volume),
        "openTime": now_ms - _DAY_MS,
        "closeTime": now_ms,
        "firstId": candle.first_id,
        "lastId": candle.last_id,
        "count": candle.count,
    }
    if rules.product == Product.SPOT:
        ticker |= {"prevClosePrice": rules.price_text(candle.open)} | top_of_book(rules, book)
    return ticker


def top_of_book(rules: Rules, book: MarketBook) -> Json:
    """Return the best prices and their sizes by REST's names, zeros for an empty side."""
    (bid, bid_size), (ask, ask_size) = (_best(book, side) for side in Side)
    return {
        "bidPrice": rules.price_text(bid),
        "bidQty": rules.quantity_text(bid_size),
        "askPrice": rules.price_text(ask),
        "askQty": rules.quantity_text(ask_size),
    }


def _best(book: MarketBook, side: Side) -> tuple[Decimal, Decimal]:
    return next(iter(book.levels(side, 1)), (ZERO, ZERO))

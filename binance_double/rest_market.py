"""The public requests that spot and futures share."""

from decimal import Decimal

from binance_double import wire_market
from binance_double.candles import INTERVALS_MS
from binance_double.errors import ApiError
from binance_double.params import Params
from binance_double.routes import Asked
from binance_double.venue import Venue


class MarketRequests:
    """
    Answers about the market.

    Parameters
    ----------
    venue : Venue
        Whose market.

    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def ping(self, asked: Asked) -> object:
        """Answer that the exchange is there."""
        return {}

    def time(self, asked: Asked) -> object:
        """Return the exchange's time."""
        return {"serverTime": self._venue.clock.ms()}

    def price(self, asked: Asked) -> object:
        """Return the last price of a symbol."""
        symbol = asked.params.text("symbol")
        rules = self._venue.rules_for(symbol)
        return {"symbol": symbol, "price": rules.price_text(self._last(symbol)), "time": self._venue.clock.ms()}

    def book_ticker(self, asked: Asked) -> object:
        """Return the top of a symbol's book."""
        symbol = asked.params.text("symbol")
        top = wire_market.top_of_book(self._venue.rules_for(symbol), self._venue.books[symbol])
        return {"symbol": symbol, **top, "time": self._venue.clock.ms()}

    def ticker_24h(self, asked: Asked) -> object:
        """Return what changed in 24 hours, of one symbol or of several."""
        tickers = [self._ticker_24h(symbol) for symbol in self.symbols(asked.params)]
        return tickers[0] if asked.params.maybe("symbol") else tickers

    def _ticker_24h(self, symbol: str) -> object:
        venue = self._venue
        now, trades = venue.clock.ms(), venue.trades[symbol]
        day, last = venue.candles[symbol].last_day(now), trades[-1] if trades else None
        return wire_market.ticker_24h(venue.rules[symbol], day, last, venue.books[symbol], now)

    def trades(self, asked: Asked) -> object:
        """Return the last trades of others."""
        symbol = asked.params.text("symbol")
        rules, trades = self._venue.rules_for(symbol), list(self._venue.trades[symbol])
        chosen = trades[-(asked.params.maybe_integer("limit") or 500) :]
        return [wire_market.public_trade(rules, trade) for trade in chosen]

    def klines(self, asked: Asked) -> object:
        """Return candles of the trades so far; intervals without trades have flat ones."""
        params = asked.params
        symbol, interval = params.text("symbol"), params.text("interval")
        rules = self._venue.rules_for(symbol)
        if interval not in INTERVALS_MS:
            raise ApiError(-1120, "Invalid interval.")
        length, limit = INTERVALS_MS[interval], params.maybe_integer("limit") or 500
        start, end = params.maybe_integer("startTime"), params.maybe_integer("endTime") or self._venue.clock.ms()
        candles = self._venue.candles[symbol].filled(length, start or 0, end)
        chosen = candles[-limit:] if start is None else candles[:limit]
        return [wire_market.kline_row(rules, candle, length) for candle in chosen]

    def symbols(self, params: Params) -> list[str]:
        """Return the symbols that a request names by `symbol` or `symbols`; all if by neither."""
        one, several = params.maybe("symbol"), params.maybe("symbols")
        if several is not None:
            named = [text.strip().strip('"') for text in several.strip("[]").split(",")]
        else:
            named = [one] if one is not None else list(self._venue.rules)
        for symbol in named:
            self._venue.rules_for(symbol)
        return named

    def depth_limit(self, params: Params) -> int:
        """Return how many levels are asked for."""
        limit = params.maybe_integer("limit") or 100
        if not 0 < limit <= 5000:
            raise ApiError(-1130, "Data sent for parameter 'limit' is not valid.")
        return limit

    def _last(self, symbol: str) -> Decimal:
        return self._venue.books[symbol].last_price or self._venue.books[symbol].mid() or Decimal(0)


def depth_weight(params: Params) -> int:
    """Return what a request for the order book weighs on spot."""
    limit = params.maybe_integer("limit") or 100
    return next(weight for most, weight in ((100, 5), (500, 25), (1000, 50), (10**9, 250)) if limit <= most)

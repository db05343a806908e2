"""The public requests that spot and futures share."""

from decimal import Decimal

from binance_double.errors import ApiError
from binance_double.orders import Side
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
        rules, book = self._venue.rules_for(symbol), self._venue.books[symbol]
        (bid, bid_size), (ask, ask_size) = ((book.levels(side, 1) or [(Decimal(0), Decimal(0))])[0] for side in Side)
        return {
            "symbol": symbol,
            "bidPrice": rules.price_text(bid),
            "bidQty": rules.quantity_text(bid_size),
            "askPrice": rules.price_text(ask),
            "askQty": rules.quantity_text(ask_size),
            "time": self._venue.clock.ms(),
        }

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

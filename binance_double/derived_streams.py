"""Streams that are computed from others for those who want them: candles and partial books."""

from binance_double import wire_futures, wire_market, wire_spot
from binance_double.candles import INTERVALS_MS
from binance_double.market_streams import MarketStreams
from binance_double.orders import Side
from binance_double.rules import Product
from binance_double.venue import Venue

type Json = dict[str, object]

_PARTIAL_DEPTHS = {"5": 5, "10": 10, "20": 20}


class DerivedStreams:
    """
    Passes a venue's market data on, and adds what is computed from them.

    Parameters
    ----------
    venue : Venue
        Whose market.
    streams : MarketStreams
        Who listens.

    """

    def __init__(self, venue: Venue, streams: MarketStreams) -> None:
        self._venue = venue
        self._streams = streams
        self._open_ms: dict[tuple[str, str], int] = {}

    def publish(self, kind: str, symbol: str, message: Json) -> None:
        """Pass a message on; a trade changes candles, a change of depth partial books."""
        self._streams.publish(kind, symbol, message)
        if kind == "aggTrade":
            for interval in self._streams.wanted_of(symbol, "kline_") & INTERVALS_MS.keys():
                length = INTERVALS_MS[interval]
                now = self._venue.clock.ms()
                self._publish_candle(symbol, interval, now - now % length, closed=False)
        elif kind == "depth":
            for levels in self._streams.wanted_of(symbol, "depth") & _PARTIAL_DEPTHS.keys():
                self._streams.publish(f"depth{levels}", symbol, self._partial_book(symbol, _PARTIAL_DEPTHS[levels]))

    def tick(self) -> None:
        """Close the candles whose time is over."""
        now = self._venue.clock.ms()
        for symbol in self._venue.rules:
            for interval in self._streams.wanted_of(symbol, "kline_") & INTERVALS_MS.keys():
                current = now - now % INTERVALS_MS[interval]
                last = self._open_ms.setdefault((symbol, interval), current)
                if last < current:
                    self._publish_candle(symbol, interval, last, closed=True)
                    self._open_ms[symbol, interval] = current

    def _publish_candle(self, symbol: str, interval: str, open_ms: int, closed: bool) -> None:
        length, rules = INTERVALS_MS[interval], self._venue.rules[symbol]
        candle = self._venue.candles[symbol].one(length, open_ms)
        if candle is not None:
            now = self._venue.clock.ms()
            message = wire_market.kline(rules, candle, interval, length, closed=closed, now_ms=now)
            self._streams.publish(f"kline_{interval}", symbol, message)

    def _partial_book(self, symbol: str, levels: int) -> Json:
        venue, rules, book = self._venue, self._venue.rules[symbol], self._venue.books[symbol]
        if venue.product == Product.SPOT:
            return wire_spot.depth(rules, book, levels)
        shown = [(side, price, size) for side in Side for price, size in book.levels(side, levels)]
        return wire_futures.depth_update(rules, book.update_id, book.update_id - 1, shown, venue.clock.ms())

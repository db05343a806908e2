"""One product put together: the venue, its REST gateway and its streams."""

from collections.abc import Callable, Iterable

from aiohttp import web

from binance_double.authentication import Authentication
from binance_double.clock import Clock
from binance_double.connection import Connection, end_all
from binance_double.derived_streams import DerivedStreams
from binance_double.faults import Faults
from binance_double.gateway import Gateway
from binance_double.market_streams import MarketStreams
from binance_double.rate_limits import RATE_LIMITS, RateCounter
from binance_double.routes import Route
from binance_double.user_streams import UserStreams
from binance_double.venue import Venue
from binance_double.websocket_api import WebSocketApi


class Exchange[V: Venue]:
    """
    A venue and the ways to it.

    Parameters
    ----------
    venue : Venue
        Spot or futures.
    make_routes : callable
        Returns the REST endpoints, given the counter of requests and the user streams.
    authentication : Authentication
        The account's keys.
    faults : Faults
        What goes wrong.
    clock : Clock
        The time.

    """

    def __init__(
        self,
        venue: V,
        make_routes: Callable[[RateCounter, UserStreams], Iterable[Route]],
        authentication: Authentication,
        faults: Faults,
        clock: Clock,
    ) -> None:
        self.venue = venue
        self.counter = RateCounter(clock, RATE_LIMITS[venue.product])
        self.users = UserStreams(faults, clock)
        self.market = MarketStreams(faults)
        self.gateway = Gateway(make_routes(self.counter, self.users), self.counter, authentication, faults, clock)
        self.api = WebSocketApi(venue.product, self.users, authentication, faults, clock)
        venue.user_feed = self.users.publish
        self._derived = DerivedStreams(venue, self.market)
        venue.market_feed = self._derived.publish

    def tick(self) -> None:
        """Do what is due at this time."""
        self.venue.tick()
        self.users.tick()
        self._derived.tick()

    def disconnect_market(self, abort: bool) -> None:
        """End the market-data connections, properly or by cutting them."""
        end_all(self.market.connections, abort)

    def disconnect_users(self, abort: bool) -> None:
        """End the connections for user data and to the WebSocket API, each once."""
        end_all(self.users.connections | self.api.connections, abort)

    async def serve_market(self, request: web.Request) -> web.StreamResponse:
        """Serve a connection to `/stream?streams=a/b`: messages come with the names of their streams."""
        names = [name for name in request.query.get("streams", "").split("/") if name]
        return await self._serve_market(request, names, combined=True)

    async def serve_raw_market(self, request: web.Request) -> web.StreamResponse:
        """Serve a connection to `/ws/a`: messages come alone."""
        names = [name for name in request.match_info.get("stream", "").split("/") if name]
        return await self._serve_market(request, names, combined=False)

    async def serve_users(self, request: web.Request) -> web.StreamResponse:
        """Serve a connection to the user data of a listen key."""
        connection = Connection(request)
        if not self.users.knows(request.query.get("listenKey") or request.match_info.get("stream", "")):
            return web.Response(status=401)
        number = self.users.subscribe(connection, lambda number, event: event)

        async def on_text(text: str) -> None:
            pass

        try:
            return await connection.serve(on_text)
        finally:
            self.users.unsubscribe(number)

    async def _serve_market(self, request: web.Request, names: list[str], combined: bool) -> web.StreamResponse:
        return await self.market.serve(Connection(request), names, combined)

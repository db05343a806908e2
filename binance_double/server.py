"""The HTTP server for both products, which can go away and come back."""

import asyncio
from contextlib import suppress

from aiohttp import web

from binance_double.exchange import Exchange
from binance_double.futures_venue import FuturesVenue
from binance_double.spot_venue import SpotVenue

_HOST = "127.0.0.1"
_TICK_SECS = 0.1


class Server:
    """
    Serves spot and futures on one port of the loopback.

    Parameters
    ----------
    spot, futures : Exchange
        The products.
    port : int
        Where to listen; 0 for any free port, which is kept when the server goes away and comes back.

    """

    def __init__(self, spot: Exchange[SpotVenue], futures: Exchange[FuturesVenue], port: int) -> None:
        self._spot = spot
        self._futures = futures
        self.port = port
        self._runner: web.AppRunner | None = None
        self._ticker: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        """Begin to listen; nothing happens if it does already."""
        if self._runner is not None:
            return
        self._runner = web.AppRunner(
            self._application(), handler_cancellation=True, shutdown_timeout=0.1, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, _HOST, self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]
        if self._ticker is None:
            self._ticker = asyncio.create_task(self._tick())

    async def vanish(self) -> None:
        """Cut all connections and refuse new ones; orders stay where they are."""
        for exchange in (self._spot, self._futures):
            exchange.disconnect_market(abort=True)
            exchange.disconnect_users(abort=True)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def close(self) -> None:
        """Vanish for good."""
        await self.vanish()
        if self._ticker is not None:
            self._ticker.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticker

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECS)
            for exchange in (self._spot, self._futures):
                exchange.tick()

    def _application(self) -> web.Application:
        application = web.Application()
        spot, futures, router = self._spot, self._futures, application.router
        spot.gateway.add_to(application)
        futures.gateway.add_to(application)
        router.add_get("/ws-api/v3", spot.api.serve)
        router.add_get("/ws-fapi/v1", futures.api.serve)
        router.add_get("/stream", spot.serve_market)
        router.add_get("/ws/{stream:.*}", spot.serve_raw_market)
        router.add_get("/fstream/stream", futures.serve_market)
        router.add_get("/fstream/ws/{stream:.*}", futures.serve_raw_market)
        router.add_get("/private/ws", futures.serve_users)
        router.add_get("/private/ws/{stream}", futures.serve_users)
        return application

"""WebSocket connections that can be written to from anywhere in the loop, and cut."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from aiohttp import WSMsgType, web

_PING_SECS = 20.0


class Connection:
    """
    One client's WebSocket.

    Parameters
    ----------
    request : web.Request
        The request that opens it.

    """

    def __init__(self, request: web.Request) -> None:
        self.api_key = request.headers.get("X-MBX-APIKEY")
        self._request = request
        self._socket = web.WebSocketResponse(heartbeat=_PING_SECS)
        self._outgoing: asyncio.Queue[str | None] = asyncio.Queue()

    def send(self, text: str) -> None:
        """Send a text as soon as the client takes it."""
        self._outgoing.put_nowait(text)

    def close(self) -> None:
        """Close properly, after what was sent before."""
        self._outgoing.put_nowait(None)

    def abort(self) -> None:
        """Cut the TCP connection."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def serve(self, on_text: Callable[[str], Awaitable[None]]) -> web.StreamResponse:
        """Handle what the client sends until either side ends it."""
        await self._socket.prepare(self._request)
        writer = asyncio.create_task(self._write())
        try:
            async for message in self._socket:
                if message.type == WSMsgType.TEXT:
                    await on_text(message.data)
        finally:
            writer.cancel()
        return self._socket

    async def _write(self) -> None:
        with suppress(ConnectionError):
            while (text := await self._outgoing.get()) is not None:
                await self._socket.send_str(text)
            await self._socket.close()


def end_all(connections: Iterable[Connection], abort: bool) -> None:
    """End connections, properly or by cutting them."""
    for connection in list(connections):
        if abort:
            connection.abort()
        else:
            connection.close()

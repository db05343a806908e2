"""One connection to the exchange's streams, read into a queue with the time at which each message came."""

import asyncio
import contextlib
from collections.abc import Callable

import aiohttp

HEARTBEAT_SECS = 20.0
_CLOSE_SECS = 2.0


class Link:
    """
    An open connection.

    Messages are read, and get their time, as soon as they come, however long their handling takes. The exchange's
    pings are answered, and its host is pinged in turn: a connection without an answer ends.

    Attributes
    ----------
    opened_ns : int
        When it was opened, UNIX nanoseconds.
    heard_ns : int
        When the last message came, UNIX nanoseconds; `opened_ns` before the first.
    opened_at, heard_at : float
        The same on the event loop's clock, seconds.
    ended : str
        Why it ended, or empty.
    ended_ns : int
        When it ended, UNIX nanoseconds; 0 before.
    queue : asyncio.Queue
        Times and messages; None after the last one.

    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, now_ns: Callable[[], int]) -> None:
        self._socket = socket
        self._now_ns = now_ns
        self.opened_ns = self.heard_ns = now_ns()
        self.opened_at = self.heard_at = asyncio.get_running_loop().time()
        self.ended = ""
        self.ended_ns = 0
        self.queue: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, session: aiohttp.ClientSession, url: str, now_ns: Callable[[], int]) -> "Link":
        """Connect; raises what a network does (`rest.TROUBLE`)."""
        timeout = aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECS)
        socket = await session.ws_connect(url, heartbeat=HEARTBEAT_SECS, timeout=timeout)
        return cls(socket, now_ns)

    async def close(self) -> None:
        """End it; messages that have come stay in the queue."""
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._socket.close()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                self.heard_ns, self.heard_at = self._now_ns(), loop.time()
                self.queue.put_nowait((self.heard_ns, message.data))
            elif message.type is not aiohttp.WSMsgType.BINARY:
                why = message.data if isinstance(message.data, BaseException) else self._socket.close_code
                self.ended = f"connection ended ({why})" if why else "connection ended"
                self.ended_ns = self._now_ns()
                self.queue.put_nowait(None)
                return

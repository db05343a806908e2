"""A local copy of the public archive that misbehaves on request, in a thread of its own."""

import asyncio
import hashlib
import io
import threading
import zipfile
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from data_catalog.archive.index import ArchiveFile, Market

type Act = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    path: str
    range: str | None
    if_range: str | None


class ArchiveServer:
    """
    Serves files with checksums, ETags and byte ranges, and does once for each request what it was told before.

    `cut_after`, `stall_after`, `answer`, `ignore_range` and `say` queue one misbehaviour each for a path; requests
    beyond those are answered properly. `asked` lists the requests, `sent` the bytes of the answers by path.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[Asked] = []
        self.sent: dict[str, int] = defaultdict(int)
        self.stalled = threading.Event()
        self._acts: dict[str, deque[Act]] = defaultdict(deque)
        self._loop = asyncio.SelectorEventLoop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(10)

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def add(self, file: ArchiveFile, market: Market, text: str) -> str:
        """Put a CSV into the archive and return its path there."""
        buffer = io.BytesIO()
        member = zipfile.ZipInfo(file.name.replace(".zip", ".csv"))  # a fixed date: the same text, the same bytes
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(member, text)
        return self.add_bytes(file.path(market), buffer.getvalue())

    def add_bytes(self, path: str, content: bytes) -> str:
        self.files[path] = content
        name = path.rsplit("/", 1)[1]
        self.files[f"{path}.CHECKSUM"] = f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode()
        return path

    def cut_after(self, path: str, sent: int) -> None:
        """Close the connection after `sent` bytes of the body."""

        async def act(request: web.Request, content: bytes) -> web.StreamResponse:
            response = await self._begin(request, content, sent)
            assert request.transport is not None
            request.transport.close()
            return response

        self._acts[path].append(act)

    def stall_after(self, path: str, sent: int) -> None:
        """Send `sent` bytes of the body, set `stalled` and send nothing more for as long as the server runs."""

        async def act(request: web.Request, content: bytes) -> web.StreamResponse:
            response = await self._begin(request, content, sent)
            self.stalled.set()
            await self._stop.wait()
            return response

        self._acts[path].append(act)

    def answer(self, path: str, status: int, headers: dict[str, str] | None = None) -> None:
        """Answer with a status and no file."""

        async def act(request: web.Request, content: bytes) -> web.StreamResponse:
            return web.Response(status=status, headers=headers)

        self._acts[path].append(act)

    def ignore_range(self, path: str) -> None:
        """Answer with the whole file whatever part is asked for."""

        async def act(request: web.Request, content: bytes) -> web.StreamResponse:
            return self._whole(request, content)

        self._acts[path].append(act)

    def say(self, path: str, content: bytes) -> None:
        """Answer with another content."""

        async def act(request: web.Request, _: bytes) -> web.StreamResponse:
            return self._whole(request, content)

        self._acts[path].append(act)

    def times_asked(self, path: str) -> int:
        return sum(asked.path == path for asked in self.asked)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        application = web.Application()
        application.router.add_get("/{path:.*}", self._handle)
        runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.asked.append(Asked(path, request.headers.get("Range"), request.headers.get("If-Range")))
        content = self.files.get(path)
        if self._acts[path]:
            return await self._acts[path].popleft()(request, content or b"")
        if content is None:
            return web.Response(status=404)
        start = _range_start(request, content)
        if start is None:
            return self._whole(request, content)
        if start >= len(content):
            return web.Response(status=416)
        return self._part(request, content, start)

    def _whole(self, request: web.Request, content: bytes) -> web.Response:
        self.sent[request.match_info["path"]] += len(content)
        return web.Response(body=content, headers={"ETag": etag(content)})

    def _part(self, request: web.Request, content: bytes, start: int) -> web.Response:
        self.sent[request.match_info["path"]] += len(content) - start
        headers = {"ETag": etag(content), "Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        return web.Response(status=206, body=content[start:], headers=headers)

    async def _begin(self, request: web.Request, content: bytes, sent: int) -> web.StreamResponse:
        """Send the head of an answer, and `sent` bytes of its body."""
        start = _range_start(request, content) or 0
        headers = {"ETag": etag(content), "Content-Length": str(len(content) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        response = web.StreamResponse(status=206 if start else 200, headers=headers)
        await response.prepare(request)
        await response.write(content[start : start + sent])
        self.sent[request.match_info["path"]] += len(content[start : start + sent])
        return response


def etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _range_start(request: web.Request, content: bytes) -> int | None:
    """Return where the range starts that is asked for, or None if all is to be sent."""
    wanted = request.headers.get("Range")
    condition = request.headers.get("If-Range", etag(content))
    if wanted is None or condition != etag(content):
        return None
    return int(wanted.removeprefix("bytes=").removesuffix("-"))

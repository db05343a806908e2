"""Serves the live page from a thread of its own, so that no slow or hostile reader ever holds trading up."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Annotated, Final, Self

import msgspec
from aiohttp import web
from msgspec import Meta

import reports
from bad_input import BadInput
from command_line import Failed
from reports.format import printable
from runtime.live.web.access import HEADERS, Access, Turnstile
from runtime.live.web.address import TOKEN_VARIABLE, Place
from runtime.live.web.desk import Desk, NoAnswerError
from runtime.live.web.metrics import CONTENT_TYPE, MISSING, metrics_text

_HERE: Final = Path(__file__).parent
_FILES: Final = {
    "/": (_HERE / "page.html", "text/html"),
    "/page.css": (_HERE / "page.css", "text/css"),
    "/page.js": (_HERE / "page.js", "text/javascript"),
    "/report.css": (Path(reports.__file__).parent / "style.css", "text/css"),
}
_MOST_BYTES: Final = 4_096
_START_SECS: Final = 10.0
_STOP_SECS: Final = 5.0

type _Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HaltRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What POST /halt takes."""

    reason: Annotated[str, Meta(min_length=1, max_length=300)]
    strategy: str | None = None


class PageServer:
    """
    The page, /state, /metrics and /halt on a socket that is bound already.

    Parameters
    ----------
    place : Place
        The socket, and who may ask.
    desk : Desk
        Where states come from.
    halt : callable, optional
        Halts the run, or a strategy that is named, for a reason; BadInput where there is no such strategy. None where
        nothing would obey. May be called from the serving thread.

    """

    def __init__(self, place: Place, desk: Desk, halt: Callable[[str, str | None], None] | None) -> None:
        self._place = place
        self._desk = desk
        self._halt = halt
        self._access = Access(place.host, place.public, place.token)
        self._turnstile = Turnstile()
        self._over: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-page", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_START_SECS):
            raise Failed("the live page could not be served")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(_STOP_SECS)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(self._app(), access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        await web.SockSite(runner, self._place.socket).start()
        self._ready.set()
        await self._over.wait()
        await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=_MOST_BYTES, middlewares=[self._guarded])
        for path in _FILES:
            app.router.add_get(path, _file)
        app.router.add_get("/state", self._state)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_post("/halt", self._halt_by_hand)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        wait = self._turnstile.wait_secs(asyncio.get_running_loop().time())
        try:
            if wait is None:
                raise web.HTTPTooManyRequests
            await asyncio.sleep(wait)
            if self._access.is_foreign(request.headers):
                answer: web.StreamResponse = _error(403, "asked for by another site, or by another name")
            else:
                answer = await handler(request)
        except web.HTTPException as error:
            answer = _error(error.status, error.reason)
        except NoAnswerError as error:
            answer = _error(503, str(error))
        answer.headers.update(HEADERS)
        return answer

    async def _state(self, request: web.Request) -> web.Response:
        if not self._access.may_read(request.headers):
            return _error(401, "needs the token")
        state = await self._desk.state()
        return web.Response(body=msgspec.json.encode(state), content_type="application/json")

    async def _metrics(self, request: web.Request) -> web.Response:
        if not self._access.may_read(request.headers):
            return _error(401, "needs the token")
        text = metrics_text(await self._desk.state())
        if text is None:
            return web.Response(status=501, text=f"{MISSING}\n")
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})

    async def _halt_by_hand(self, request: web.Request) -> web.Response:
        forbidden = self._why_not_halt(request)
        if forbidden is not None:
            return forbidden
        assert self._halt is not None
        try:
            asked = msgspec.json.decode(await request.read(), type=HaltRequest)
        except msgspec.DecodeError as error:
            return _error(400, f'expected {{"reason": "…"}}, with a "strategy" or without: {error}')
        reason = printable(asked.reason).strip()
        if not reason:
            return _error(400, "the reason, which is written down, was empty")
        try:
            await asyncio.to_thread(self._halt, reason, asked.strategy)
        except BadInput as error:
            return _error(400, str(error))
        except OSError as error:
            return _error(500, f"the halt could not be asked for: {error}")
        return web.json_response({"halting": reason}, status=202)

    def _why_not_halt(self, request: web.Request) -> web.Response | None:
        if self._place.token is None:
            return _error(403, f"this page cannot halt: {TOKEN_VARIABLE} is not set where the run was started")
        if not self._access.knows_token(request.headers):
            return _error(403, "not the token")
        if self._halt is None:
            return _error(409, "nothing would obey: the setup has no risk: section")
        return None


async def _file(request: web.Request) -> web.Response:
    file, content_type = _FILES[request.path]
    return web.Response(body=file.read_bytes(), content_type=content_type, charset="utf-8")


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)

"""REST requests of one product: limits, faults, keys, then the answer."""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from binance_double.authentication import Authentication
from binance_double.clock import Clock
from binance_double.errors import ApiError
from binance_double.faults import Faults, RestFault
from binance_double.params import Params
from binance_double.rate_limits import RateCounter
from binance_double.routes import Asked, Route, Security

_SIGNATURE = re.compile(r"&?signature=(?P<signature>[^&]*)$")
REQUESTS_KEPT = 50_000
"""How many of the last requests are remembered."""

_SECRET_PARAMETERS = {"signature"}


@dataclass(frozen=True)
class LoggedRequest:
    """A request as it came in, without its signature, and the status of its answer (0 if the connection was cut)."""

    time_ms: int
    name: str
    params: dict[str, str]
    status: int


class Gateway:
    """
    Answers the REST requests of one product.

    Parameters
    ----------
    routes : iterable of Route
        The endpoints.
    counter : RateCounter
        Counts their weight.
    authentication : Authentication
        Checks keys and signatures.
    faults : Faults
        What goes wrong.
    clock : Clock
        The exchange's.

    """

    def __init__(
        self,
        routes: Iterable[Route],
        counter: RateCounter,
        authentication: Authentication,
        faults: Faults,
        clock: Clock,
    ) -> None:
        self.routes = list(routes)
        self._counter = counter
        self._authentication = authentication
        self._faults = faults
        self._clock = clock
        self.log: deque[LoggedRequest] = deque(maxlen=REQUESTS_KEPT)

    def add_to(self, application: web.Application) -> None:
        """Register the endpoints."""
        for route in self.routes:
            application.router.add_route(route.method, route.path, self._handler(route))

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            query = await _query(request)
            response = await self._respond(route, request, query)
            status = 0 if request.transport is None or request.transport.is_closing() else response.status
            params = {name: value for name, value in parse_qsl(query) if name not in _SECRET_PARAMETERS}
            self.log.append(LoggedRequest(self._clock.ms(), route.name, params, status))
            return response

        return handle

    async def _respond(self, route: Route, request: web.Request, query: str) -> web.StreamResponse:
        fault = self._faults.next_for(route.name)
        if fault is None:
            return self._answer(route, request, query)
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
        if fault.proceed:
            return self._answer(route, request, query)
        if fault.processed:
            self._answer(route, request, query)
        return _faulty(request, fault)

    def _answer(self, route: Route, request: web.Request, query: str) -> web.Response:
        params = Params(dict(parse_qsl(query)))
        try:
            self._counter.charge(route.weight_of(params))
            body, status, headers = route.answer(self._authenticated(route, request, query, params)), 200, {}
        except ApiError as error:
            body, status, headers = error.body, error.status, error.headers
        return _json(body, status, headers | self._counter.headers(with_orders=route.security is Security.TRADE))

    def _authenticated(self, route: Route, request: web.Request, query: str, params: Params) -> Asked:
        if route.security is Security.NONE:
            return Asked(params, None)
        key = self._authentication.key(request.headers.get("X-MBX-APIKEY"))
        if route.security is not Security.KEY:
            found = _SIGNATURE.search(query)
            payload = query[: found.start()] if found else query
            self._authentication.check_signed(key, payload, found["signature"] if found else None, params)
        if route.security is Security.TRADE and not key.can_trade:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return Asked(params, key)


async def _query(request: web.Request) -> str:
    """Return the parameters as they were signed: those of the URL, then those of the body."""
    body = await request.text() if request.can_read_body else ""
    return request.raw_path.partition("?")[2] + body


def _faulty(request: web.Request, fault: RestFault) -> web.StreamResponse:
    if fault.status is None:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    if isinstance(fault.body, str):
        return web.Response(text=fault.body, status=fault.status, headers=fault.headers, content_type="text/html")
    return _json(fault.body, fault.status, dict(fault.headers))


def _json(body: object, status: int, headers: dict[str, str]) -> web.Response:
    encoded = msgspec.json.encode(body)
    return web.Response(body=encoded, status=status, headers=headers, content_type="application/json")

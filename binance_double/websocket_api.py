"""The WebSocket API, as far as the adapter uses it: logging on and user data."""

from collections.abc import Callable
from urllib.parse import quote

import msgspec
from aiohttp import web

from binance_double.authentication import Authentication
from binance_double.clock import Clock
from binance_double.connection import Connection
from binance_double.errors import ApiError
from binance_double.faults import Faults
from binance_double.keys import ApiKey, KeyType
from binance_double.params import Params
from binance_double.rules import Product
from binance_double.user_streams import UserStreams

type Json = dict[str, object]


class WebSocketApi:
    """
    Serves connections to the WebSocket API.

    Parameters
    ----------
    product : Product
        Spot sends user data on the same connection; futures gives a listen key for another.
    streams : UserStreams
        The user data.
    authentication : Authentication
        Checks keys and signatures.
    faults : Faults
        What goes wrong.
    clock : Clock
        The exchange's.

    """

    def __init__(
        self, product: Product, streams: UserStreams, authentication: Authentication, faults: Faults, clock: Clock
    ) -> None:
        self._product = product
        self._streams = streams
        self._authentication = authentication
        self._faults = faults
        self._clock = clock
        self.connections: set[Connection] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        connection = Connection(request)
        session = _Session(self._clock, connection)
        self.connections.add(connection)

        async def on_text(text: str) -> None:
            connection.send(msgspec.json.encode(self._answer(session, text)).decode())

        try:
            return await connection.serve(on_text)
        finally:
            self.connections.discard(connection)
            for number in session.subscriptions:
                self._streams.unsubscribe(number)

    def _answer(self, session: "_Session", text: str) -> Json:
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
        except msgspec.DecodeError:
            return _error(None, ApiError(-1000, "Invalid request: not JSON."))
        values = request.get("params")
        params = Params(values if isinstance(values, dict) else {})
        try:
            return {"id": request.get("id"), "status": 200, "result": self._do(session, request, params)}
        except ApiError as error:
            return _error(request.get("id"), error)

    def _do(self, session: "_Session", request: Json, params: Params) -> Json:
        methods: dict[str, Callable[[_Session, Params], Json]] = {
            "ping": lambda session, params: {},
            "time": lambda session, params: {"serverTime": self._clock.ms()},
            "session.logon": self._logon,
            "session.status": lambda session, params: session.status(),
            "session.logout": self._logout,
        }
        if self._product == Product.SPOT:
            methods |= {"userDataStream.subscribe": self._subscribe, "userDataStream.unsubscribe": self._unsubscribe}
            methods |= {"userDataStream.subscribe.signature": self._subscribe_signed}
        else:
            methods |= {"userDataStream.start": self._start, "userDataStream.ping": self._ping}
            methods |= {"userDataStream.stop": self._stop}
        method = str(request.get("method"))
        if method not in methods:
            raise ApiError(-1000, f"Invalid method '{method}'.")
        return methods[method](session, params)

    def _logon(self, session: "_Session", params: Params) -> Json:
        if self._faults.logon_refused():
            raise ApiError(-1000, "An unknown error occurred while processing the request.", 500)
        key = self._authentication.key(params.maybe("apiKey"))
        if key.type != KeyType.ED25519:
            raise ApiError(-4056, "HMAC_SHA256 API key is not supported.")
        self._check_signature(key, params)
        session.key, session.since_ms = key, self._clock.ms()
        return session.status()

    def _logout(self, session: "_Session", params: Params) -> Json:
        session.key = None
        return session.status()

    def _subscribe(self, session: "_Session", params: Params) -> Json:
        session.require_key()
        number = self._streams.subscribe(session.connection, _wrapped)
        session.subscriptions.append(number)
        return {"subscriptionId": number}

    def _subscribe_signed(self, session: "_Session", params: Params) -> Json:
        """Subscribe without logging on; this takes keys of any type."""
        self._check_signature(self._authentication.key(params.maybe("apiKey")), params)
        number = self._streams.subscribe(session.connection, _wrapped)
        session.subscriptions.append(number)
        return {"subscriptionId": number}

    def _unsubscribe(self, session: "_Session", params: Params) -> Json:
        chosen = params.maybe_integer("subscriptionId")
        for number in list(session.subscriptions) if chosen is None else [chosen]:
            self._streams.unsubscribe(number)
        return {}

    def _start(self, session: "_Session", params: Params) -> Json:
        session.require_key()
        return {"listenKey": self._streams.create_listen_key()}

    def _ping(self, session: "_Session", params: Params) -> Json:
        session.require_key()
        return {"listenKey": self._streams.keep_listen_key()}

    def _stop(self, session: "_Session", params: Params) -> Json:
        session.require_key()
        self._streams.close_listen_key()
        return {}

    def _check_signature(self, key: ApiKey, params: Params) -> None:
        payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()) if name != "signature")
        self._authentication.check_signed(key, payload, quote(params.text("signature")), params)


class _Session:
    """What the exchange knows of a connection."""

    def __init__(self, clock: Clock, connection: Connection) -> None:
        self._clock = clock
        self.connection = connection
        self.connected_ms = self.since_ms = clock.ms()
        self.key: ApiKey | None = None
        self.subscriptions: list[int] = []

    def require_key(self) -> None:
        if self.key is None:
            raise ApiError(-1002, "You are not authorized to execute this request.", 401)

    def status(self) -> Json:
        return {
            "apiKey": self.key.key if self.key else None,
            "authorizedSince": self.since_ms if self.key else None,
            "connectedSince": self.connected_ms,
            "returnRateLimits": False,
            "serverTime": self._clock.ms(),
            "userDataStream": bool(self.subscriptions),
        }


def _wrapped(number: int, event: Json) -> Json:
    return {"subscriptionId": number, "event": event}


def _error(request_id: object, error: ApiError) -> Json:
    return {"id": request_id, "status": error.status, "error": error.body}

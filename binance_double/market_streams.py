"""The public streams of one product."""

import msgspec
from aiohttp import web

from binance_double.connection import Connection
from binance_double.faults import Faults

type Json = dict[str, object]


class MarketStreams:
    """
    Connections and the streams that each wants.

    Streams are named as on the exchange: `btcusdt@bookTicker`, `btcusdt@depth@100ms`. The exchange gathers changes of
    depth for 100 ms; here each is sent at once.

    Parameters
    ----------
    faults : Faults
        What goes wrong.

    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._wanted: dict[Connection, set[str]] = {}
        self._combined: dict[Connection, bool] = {}

    @property
    def connections(self) -> set[Connection]:
        """The connections that there are."""
        return set(self._wanted)

    @property
    def names(self) -> set[str]:
        """The streams that anyone wants."""
        return set().union(*self._wanted.values())

    async def serve(self, connection: Connection, streams: list[str], combined: bool) -> web.StreamResponse:
        """Serve a connection; `combined` ones get each message together with its stream's name."""
        self._wanted[connection] = set(streams)
        self._combined[connection] = combined

        async def on_text(text: str) -> None:
            connection.send(msgspec.json.encode(self._request(connection, text)).decode())

        try:
            return await connection.serve(on_text)
        finally:
            del self._wanted[connection], self._combined[connection]

    def publish(self, kind: str, symbol: str, message: Json) -> None:
        """Send a message of a kind (bookTicker, trade, kline_1m, …) to everyone who wants it."""
        if self._faults.market_silent:
            return
        name = f"{symbol.lower()}@{kind}"
        texts: dict[tuple[str, bool], str] = {}
        for connection, wanted in self._wanted.items():
            for stream in wanted:
                if stream == name or stream.startswith(f"{name}@"):
                    connection.send(self._text(texts, stream, self._combined[connection], message))

    def wanted_of(self, symbol: str, kind: str) -> set[str]:
        """Return what is wanted of a symbol after `kind` in the streams' names: 1m of kline_1m, 5 of depth5@100ms."""
        prefix = f"{symbol.lower()}@{kind}"
        return {name.removeprefix(prefix).partition("@")[0] for name in self.names if name.startswith(prefix)}

    def send_text(self, text: str) -> None:
        """Send a text as it is on every connection."""
        for connection in self._wanted:
            connection.send(text)

    def _request(self, connection: Connection, text: str) -> Json:
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
        except msgspec.DecodeError as error:
            return {"error": {"code": 3, "msg": f"Invalid JSON: {error}"}}
        method, params, wanted = request.get("method"), request.get("params"), self._wanted[connection]
        streams = {str(name) for name in params} if isinstance(params, list) else set()
        if method == "SUBSCRIBE":
            wanted |= streams
        elif method == "UNSUBSCRIBE":
            wanted -= streams
        elif method == "LIST_SUBSCRIPTIONS":
            return {"result": sorted(wanted), "id": request.get("id")}
        else:
            return {
                "error": {"code": 2, "msg": f"Invalid request: unknown variant `{method}`"},
                "id": request.get("id"),
            }
        return {"result": None, "id": request.get("id")}

    @staticmethod
    def _text(texts: dict[tuple[str, bool], str], stream: str, combined: bool, message: Json) -> str:
        if (stream, combined) not in texts:
            whole: Json = {"stream": stream, "data": message} if combined else message
            texts[stream, combined] = msgspec.json.encode(whole).decode()
        return texts[stream, combined]

"""A client that speaks plain HTTP to the local exchange, signing as Binance's documents say."""

import http.client
import json
import time
from typing import Any
from urllib.parse import quote, urlencode

from binance_double.double import BinanceDouble
from binance_double.keys import ApiKey
from binance_double.rules import Product


class RawClient:
    """Requests of one product with one key."""

    def __init__(self, double: BinanceDouble, product: Product, key: ApiKey | None = None) -> None:
        self.double = double
        self.key = key or double.key
        self.product = product
        self._spot = product == Product.SPOT
        self._host = double.addresses(product).http.removeprefix("http://")
        self.headers: dict[str, str] = {}

    def public(self, path: str, **params: Any) -> tuple[int, Any]:
        return self._send("GET", path, urlencode(params))

    def signed(self, method: str, path: str, *, skew_ms: int = 0, **params: Any) -> tuple[int, Any]:
        """Send a signed request and return status and JSON of the answer."""
        payload = urlencode(params | {"timestamp": time.time_ns() // 1_000_000 + skew_ms})
        return self._send(method, path, f"{payload}&signature={quote(self.key.sign(payload), safe='')}")

    def keyed(self, method: str, path: str) -> tuple[int, Any]:
        """Send a request that needs a key and no signature."""
        return self._send(method, path, "")

    def order(self, side: str, price: str, quantity: str, name: str, **params: Any) -> tuple[int, Any]:
        """Send a post-only limit order."""
        kind = {"type": "LIMIT_MAKER"} if self._spot else {"type": "LIMIT", "timeInForce": "GTX"}
        symbol = "NEXOUSDT" if self._spot else "BTCUSDT"
        asked = {"symbol": symbol, "side": side, "price": price, "quantity": quantity, "newClientOrderId": name}
        return self.signed("POST", self.order_path, **(asked | kind | params))

    @property
    def order_path(self) -> str:
        return "/api/v3/order" if self._spot else "/fapi/v1/order"

    def _send(self, method: str, path: str, query: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self._host, timeout=10)
        try:
            connection.request(method, f"{path}?{query}", headers={"X-MBX-APIKEY": self.key.key})
            response = connection.getresponse()
            body = response.read()
            self.headers = {name.lower(): value for name, value in response.getheaders()}
        finally:
            connection.close()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(body) if is_json else body.decode()

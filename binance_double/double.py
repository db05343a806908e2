"""The local exchange: started in a thread of its own, and told from outside what happens."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any

from nautilus_trader.model.instruments import Instrument

from binance_double.authentication import Authentication
from binance_double.clock import Clock
from binance_double.exchange import Exchange
from binance_double.faults import Faults
from binance_double.futures_venue import FuturesVenue
from binance_double.gateway import LoggedRequest
from binance_double.keys import ApiKey, KeyType, new_key
from binance_double.orders import NewOrder, Order, PublicTrade, Side
from binance_double.rest_futures import FuturesRest
from binance_double.rest_spot import SpotRest
from binance_double.rules import Product, Rules, product_of, rules_of, symbol_of
from binance_double.server import Server
from binance_double.spot_venue import SpotVenue

_START_SECS = 10.0
_CALL_SECS = 30.0


@dataclass(frozen=True)
class Addresses:
    """
    Where the adapter finds a product; the names are those of the adapter's configuration.

    Parameters
    ----------
    http : str
        `base_url_http` of both clients.
    market_ws : str
        `base_url_ws` of the data client.
    api_ws : str
        `base_url_ws` of the execution client: the WebSocket API.
    user_ws : str
        `base_url_ws_stream` of the execution client on futures.

    """

    http: str
    market_ws: str
    api_ws: str
    user_ws: str


class BinanceDouble(AbstractContextManager["BinanceDouble"]):
    """
    A Binance on loopback with one account on spot and one on futures.

    All methods may be called from any thread but the server's own.

    Parameters
    ----------
    instruments : iterable of Instrument
        What it lists, with the fees that it charges: spot pairs and perpetuals.
    balances : mapping
        The free balances of the spot account.
    wallet : mapping
        The balances of the futures account.
    port : int
        Where to listen; any free port if 0.
    clock : Clock, optional
        The exchange's time.

    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        balances: Mapping[str, Decimal] | None = None,
        wallet: Mapping[str, Decimal] | None = None,
        port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        rules = [rules_of(instrument) for instrument in instruments]
        self.clock = clock or Clock()
        self.faults = Faults()
        self.key = new_key(KeyType.ED25519)
        """The account's key, which works everywhere."""
        self.hmac_key = new_key(KeyType.HMAC)
        """A key of the type that the WebSocket API does not take."""
        self._authentication = Authentication(self.clock, [self.key, self.hmac_key])
        self.spot = self._spot_exchange(_of(rules, Product.SPOT), balances or {})
        self.futures = self._futures_exchange(_of(rules, Product.FUTURES), wallet or {})
        self._server = Server(self.spot, self.futures, port)
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._run, name="binance-double", daemon=True)
        self._started = threading.Event()
        self._at_stop: list[Callable[[], None]] = []

    # Coming and going

    def start(self) -> None:
        """Begin to listen; OSError if the port is taken."""
        self._thread.start()
        if not self._started.wait(_START_SECS):
            raise RuntimeError("the local exchange did not start")
        try:
            self.resume()
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Go away for good."""
        if self._thread.is_alive():
            self._await(self._server.close())
            for action in self._at_stop:
                self.call(action)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_START_SECS)

    def at_stop(self, action: Callable[[], None]) -> None:
        """Run something on the server's thread when the exchange goes away for good."""
        self._at_stop.append(action)

    def __enter__(self) -> "BinanceDouble":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def vanish(self) -> None:
        """Begin an outage: connections are cut and new ones refused; orders stay where they are."""
        self._await(self._server.vanish())

    def resume(self) -> None:
        """End an outage, on the same port."""
        self._await(self._server.listen())

    def addresses(self, product: Product) -> Addresses:
        """Return where the adapter finds a product."""
        http, ws = f"http://127.0.0.1:{self._server.port}", f"ws://127.0.0.1:{self._server.port}"
        if product == Product.SPOT:
            return Addresses(http, ws, f"{ws}/ws-api/v3", ws)
        return Addresses(http, f"{ws}/fstream", f"{ws}/ws-fapi/v1", f"{ws}/private")

    def add_key(self, key_type: KeyType, can_trade: bool = True) -> ApiKey:
        """Return a further key of the account."""
        key = new_key(key_type, can_trade)
        self.call(self._authentication.add, key)
        return key

    # The market

    def quote(self, instrument_id: str, bid: str, ask: str, bid_size: str = "100", ask_size: str = "100") -> None:
        """Move the market."""
        prices = (Decimal(bid), Decimal(ask), Decimal(bid_size), Decimal(ask_size))
        self.call(self.venue(instrument_id).on_quote, symbol_of(instrument_id), *prices)

    def trade(self, instrument_id: str, price: str, size: str, aggressor: Side) -> None:
        """Let others trade."""
        arguments = (symbol_of(instrument_id), Decimal(price), Decimal(size), aggressor)
        self.call(self.venue(instrument_id).on_trade, *arguments)

    def place(self, instrument_id: str, side: Side, price: str, quantity: str, client_order_id: str) -> Order:
        """Place a limit order of the account, as its owner could by hand or a crashed run left behind."""
        asked = NewOrder(
            symbol=symbol_of(instrument_id),
            side=side,
            type="LIMIT",
            client_order_id=client_order_id,
            quantity=Decimal(quantity),
            price=Decimal(price),
        )
        return self.call(self.venue(instrument_id).submit, asked)

    def fill(self, client_order_id: str, quantity: str | None = None, price: str | None = None) -> None:
        """Fill an open order by hand, all of it at its own price unless said otherwise."""

        def fill() -> None:
            exchange, order = self._open_order(client_order_id)
            amounts = (Decimal(text) if text is not None else None for text in (quantity, price))
            exchange.venue.inject_fill(order, *amounts)

        self.call(fill)

    def cancel(self, client_order_id: str) -> None:
        """Cancel an open order, as its owner could by hand."""

        def cancel() -> None:
            exchange, order = self._open_order(client_order_id)
            exchange.venue.cancel(order.asked.symbol, order.order_id, None)

        self.call(cancel)

    def remember(self, instrument_id: str, trades: Iterable[PublicTrade]) -> None:
        """Let trades of others have happened earlier, in order of time: the candles have them."""
        candles = self.venue(instrument_id).candles[symbol_of(instrument_id)]

        def add() -> None:
            for trade in trades:
                candles.add(trade)

        self.call(add)

    # What there is

    def open_orders(self, product: Product | None = None) -> list[Order]:
        """Return the open orders, of one product or of both; they are the exchange's own: do not change them."""
        chosen = [exchange for exchange in self.exchanges if product in {None, exchange.venue.product}]
        return self.call(lambda: [order for exchange in chosen for order in exchange.venue.open_orders()])

    def requests(self, name: str | None = None, product: Product | None = None) -> list[LoggedRequest]:
        """Return the last REST requests, on one route or on all, of one product or of both."""
        chosen = [exchange for exchange in self.exchanges if product in {None, exchange.venue.product}]
        log = self.call(lambda: [request for exchange in chosen for request in exchange.gateway.log])
        return [request for request in log if name in {None, request.name}]

    def venue(self, instrument_id: str) -> SpotVenue | FuturesVenue:
        """Return the venue of an instrument."""
        return self.spot.venue if product_of(instrument_id) == Product.SPOT else self.futures.venue

    @property
    def exchanges(self) -> tuple[Exchange[SpotVenue], Exchange[FuturesVenue]]:
        """Both products."""
        return self.spot, self.futures

    # Faults that need the server

    def set_clock_skew(self, milliseconds: int) -> None:
        """Let the exchange's clock run ahead of the machine's."""
        self.clock.skew_ms = milliseconds

    def disconnect_users(self, *, abort: bool = False) -> None:
        """End all user-data connections, properly or by cutting them."""
        for exchange in self.exchanges:
            self.call(exchange.disconnect_users, abort)

    def disconnect_market(self, *, abort: bool = False) -> None:
        """End all market-data connections, properly or by cutting them."""
        for exchange in self.exchanges:
            self.call(exchange.disconnect_market, abort)

    def send_market_text(self, text: str) -> None:
        """Send a text as it is on every market-data connection: malformed JSON, or an unknown message."""
        for exchange in self.exchanges:
            self.call(exchange.market.send_text, text)

    def send_user_text(self, text: str) -> None:
        """Send a text as it is to everyone who listens to user data."""
        for exchange in self.exchanges:
            self.call(exchange.users.send_text, text)

    def expire_listen_key(self) -> None:
        """Let the futures listen key expire now."""
        self.call(self.futures.users.expire_listen_keys)

    def terminate_user_stream(self) -> None:
        """End spot's user-data subscriptions, with word of it, while the connection stays."""
        self.call(self.spot.users.terminate, self.clock.ms())

    def restart(self) -> None:
        """Go away and come back at once: connections, sessions and listen keys are gone, orders are not."""
        self.vanish()
        self.call(self.futures.users.forget_listen_keys)
        self.resume()

    def change_rules(self, instrument_id: str, **changes: object) -> None:
        """Change the rules of a symbol, such as its tick or its status."""
        self.call(lambda: self.venue(instrument_id).change_rules(symbol_of(instrument_id), **changes))

    def set_balance(self, asset: str, free: str) -> None:
        """Deposit to or withdraw from the spot account until this much of an asset is free."""
        self.call(self.spot.venue.set_balance, asset, Decimal(free))

    def set_wallet(self, asset: str, balance: str) -> None:
        """Deposit to or withdraw from the futures account."""
        self.call(self.futures.venue.set_wallet, asset, Decimal(balance))

    # The thread

    def call[T](self, action: Callable[..., T], *arguments: object) -> T:
        """Run something on the server's thread and return what it returns."""

        async def run() -> T:
            return action(*arguments)

        return self._await(run())

    def _await[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_CALL_SECS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.call_soon(self._started.set)
        self._loop.run_forever()
        self._loop.close()

    def _open_order(self, client_order_id: str) -> tuple[Exchange[SpotVenue] | Exchange[FuturesVenue], Order]:
        for exchange in self.exchanges:
            for order in exchange.venue.open_orders():
                if order.asked.client_order_id == client_order_id:
                    return exchange, order
        raise LookupError(f"there is no open order {client_order_id}")

    def _spot_exchange(self, rules: list[Rules], balances: Mapping[str, Decimal]) -> Exchange[SpotVenue]:
        venue = SpotVenue(rules, self.clock, balances)
        return Exchange(
            venue,
            lambda counter, users: SpotRest(venue, counter).routes(),
            self._authentication,
            self.faults,
            self.clock,
        )

    def _futures_exchange(self, rules: list[Rules], wallet: Mapping[str, Decimal]) -> Exchange[FuturesVenue]:
        venue = FuturesVenue(rules, self.clock, wallet)
        return Exchange(
            venue,
            lambda counter, users: FuturesRest(venue, counter, users).routes(),
            self._authentication,
            self.faults,
            self.clock,
        )


def _of(rules: Iterable[Rules], product: Product) -> list[Rules]:
    return [one for one in rules if one.product == product]

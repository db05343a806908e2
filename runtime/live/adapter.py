"""
The engine's Binance execution clients, with the holes closed that cost money.

Each point was seen on nautilus_trader 1.231 against the local exchange:

- A submission whose fate is unknown (5xx, -1006, -1007, no answer at all) is called rejected while the order is live.
  Here the venue is asked for the order by its client order id until it says yes, or until it can no longer accept it.
- A fill that the user stream lost is made up by the engine, at a price that it guesses and without a fee. Here the
  venue's own trades are brought in before the engine compares.
- An order of which the venue does not speak for some looks, as when its REST interface is away, is called rejected as
  well. Here nothing but the venue's own word ends an order.
- The end of an order of which no word came is never found while a maker goes on moving it: each refusal of the venue
  ("does not exist") counts as news of the order, and the engine looks at quiet orders alone. Here such a refusal makes
  it ask at once.
- Where a strategy adopts positions (`live.positions_at_start: adopt`), the engine gives it every order on the
  instrument, also one that somebody else sends while it runs, and a halt cancels it. Here nobody hears of those.
- Funding changes the balance, and nobody is told why: the ledger would miss it. Here it is told by position.
- On futures the engine asks for the trades of BTCUSDT and BTCUSDT-PERP, which are the same, and counts them twice.
- The words of a request that got no answer hold its address, signature and all, and stand in every log. Here they do
  not.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, override

from nautilus_trader.adapters.binance import factories
from nautilus_trader.adapters.binance.common.enums import BinanceEnvironment
from nautilus_trader.adapters.binance.common.symbol import BinanceSymbol
from nautilus_trader.adapters.binance.futures.execution import BinanceFuturesExecutionClient
from nautilus_trader.adapters.binance.http.error import BinanceClientError, BinanceError
from nautilus_trader.adapters.binance.spot.execution import BinanceSpotExecutionClient
from nautilus_trader.core.nautilus_pyo3 import HttpError, HttpTimeoutError
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import GenerateOrderStatusReport, GenerateOrderStatusReports
from nautilus_trader.execution.reports import OrderStatusReport
from nautilus_trader.live.factories import LiveExecClientFactory
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.identifiers import ClientOrderId, VenueOrderId
from nautilus_trader.model.orders import Order

from messages.ledger import FUNDING_TOPIC
from runtime.live.funding import funding_in
from runtime.live.own_orders import Owner

UNKNOWN_ORDER_TOPIC: Final = "ballast.live.unknown_order"
"""Carries the client order id of an order of which the venue does not say whether it is live."""

_NO_SUCH_ORDER: Final = -2013
_UNKNOWN_CODES: Final = (-1006, -1007)
_REQUEST_TIMEOUT: Final = 408
_GONE: Final = re.compile(r"-2011|-2013")
_SIGNATURE: Final = re.compile(r"(signature|listenKey)=[^&\s)'\"]+")
_GRACE_SECS: Final = 1.0
_FIRST_WAIT_SECS: Final = 0.2
_LONGEST_WAIT_SECS: Final = 2.0
_GIVE_UP_SECS: Final = 30.0


class NeverArrived(BinanceError):  # noqa: N818 (reads as what it is at every raise)
    """The venue has said that it does not have an order whose time has run out."""

    def __init__(self, message: str) -> None:
        super().__init__(0, message, {})  # type: ignore[no-untyped-call]


def is_refusal(error: BaseException) -> bool:
    """Return whether an error says for certain that the order was not taken."""
    if not isinstance(error, BinanceClientError):
        return False
    return error.status != _REQUEST_TIMEOUT and _code(error) not in _UNKNOWN_CODES


class _Careful:
    """What both clients do differently; stands in front of them."""

    _log: Any
    _cache: Any
    _clock: Any
    _msgbus: Any
    _http_account: Any
    _active_symbols_cache: Any
    _generate_order_status_retries: dict[ClientOrderId | None, int]
    _instrument_provider: Any
    _recv_window: int
    trader_id: Any

    # -- Orders of which nobody knows whether they are live -----------------------------------------------------------

    async def _submit_limit_order(self, order: Order, *arguments: object) -> None:
        await self._find_out_after(super()._submit_limit_order, order, *arguments)  # type: ignore[misc]

    async def _submit_market_order(self, order: Order, *arguments: object) -> None:
        await self._find_out_after(super()._submit_market_order, order, *arguments)  # type: ignore[misc]

    async def _find_out_after(self, submit: Callable[..., Awaitable[None]], order: Order, *arguments: object) -> None:
        try:
            await submit(order, *arguments)
        except (BinanceError, HttpError, HttpTimeoutError, OSError) as error:
            if is_refusal(error):
                raise
            self._log.warning(f"{order.client_order_id}: no word of its fate ({error}): asking the venue")
            if not await self._is_live(order):
                raise NeverArrived(f"the venue does not have it: {error}") from error

    async def _is_live(self, order: Order) -> bool:
        """Return whether the venue has taken an order, once that is certain; its state is taken over then."""
        asked_for, wait = 0.0, _FIRST_WAIT_SECS
        while True:
            await asyncio.sleep(wait)
            asked_for += wait
            wait = min(wait * 2, _LONGEST_WAIT_SECS)
            if order.status != OrderStatus.SUBMITTED:
                return True  # the user stream has told of it
            try:
                found = await self._http_account.query_order(
                    symbol=order.instrument_id.symbol.value, orig_client_order_id=order.client_order_id.value
                )
            except (BinanceError, HttpError, HttpTimeoutError, OSError) as error:
                if _code(error) == _NO_SUCH_ORDER and asked_for >= self._recv_window / 1_000 + _GRACE_SECS:
                    return False  # its time has run out: the venue can no longer take it
                if asked_for > _GIVE_UP_SECS and _code(error) != _NO_SUCH_ORDER:
                    self._msgbus.publish(UNKNOWN_ORDER_TOPIC, order.client_order_id.value)
                    return True  # nobody may send another in its place
                continue
            await self._take_over(order, found)
            return True

    async def _take_over(self, order: Order, found: Any) -> None:
        if order.status == OrderStatus.SUBMITTED:
            self.generate_order_accepted(  # type: ignore[attr-defined]
                order.strategy_id,
                order.instrument_id,
                order.client_order_id,
                VenueOrderId(str(found.orderId)),
                self._clock.timestamp_ns(),
            )
        [report] = self._parse_order_status_reports([found], None, None)  # type: ignore[attr-defined]
        await self._bring_fills(report)
        self._send_order_status_report(report)

    # -- Orders that the venue does not have any more -----------------------------------------------------------------

    def generate_order_modify_rejected(self, *event: Any) -> None:
        """Pass on that a change was refused, and look the order up if it is gone."""
        super().generate_order_modify_rejected(*event)  # type: ignore[misc]
        self._look_up_if_gone(event[2], event[4])

    def generate_order_cancel_rejected(self, *event: Any) -> None:
        """Pass on that a cancellation was refused, and look the order up if it is gone."""
        super().generate_order_cancel_rejected(*event)  # type: ignore[misc]
        self._look_up_if_gone(event[2], event[4])

    def _look_up_if_gone(self, client_order_id: ClientOrderId, reason: object) -> None:
        if _GONE.search(str(reason)):
            self.create_task(self._look_up(client_order_id))  # type: ignore[attr-defined]

    async def _look_up(self, client_order_id: ClientOrderId) -> None:
        """Take over the venue's state of an order, if the user stream has not told of it by then."""
        await asyncio.sleep(_LONGEST_WAIT_SECS / 4)
        order = self._known(client_order_id)
        if order is None or order.is_closed:
            return
        found = await self._http_account.query_order(
            symbol=order.instrument_id.symbol.value, orig_client_order_id=client_order_id.value
        )
        await self._take_over(order, found)

    async def generate_order_status_report(self, command: GenerateOrderStatusReport) -> OrderStatusReport | None:
        """
        Return the venue's state of an order, when its fills have been brought in; None if that is not to be had now.

        After three failures the adapter would call the order rejected.
        """
        self._generate_order_status_retries.pop(command.client_order_id, None)
        report: OrderStatusReport | None = await super().generate_order_status_report(command)  # type: ignore[misc]
        return report if report is not None and await self._has_its_fills(report) else None

    # -- What a look at the open orders costs -------------------------------------------------------------------------

    async def _build_active_symbols(self, symbol: str | None) -> tuple[set[str], list[Any]]:
        """Ask for the open orders of what is traded, symbol by symbol: all at once weigh 13 to 40 times more."""
        build = super()._build_active_symbols  # type: ignore[misc]
        if symbol is not None:
            asked: tuple[set[str], list[Any]] = await build(symbol)
            return asked
        symbols: set[str] = set()
        orders: list[Any] = []
        for instrument in self._instrument_provider.list_all():
            active, open_orders = await build(str(BinanceSymbol(instrument.id.symbol.value)))
            symbols |= active
            orders += open_orders
        self._active_symbols_cache = (None, symbols, orders)
        return symbols, orders

    # -- Orders of others ---------------------------------------------------------------------------------------------

    def _send_order_status_report(self, report: OrderStatusReport) -> None:
        if not self._is_of_others(report):
            super()._send_order_status_report(report)  # type: ignore[misc]

    def _is_of_others(self, report: OrderStatusReport) -> bool:
        """Return whether somebody else sent an order that is not known here."""
        name = report.client_order_id
        if name is None:
            return True
        return self._known(name) is None and Owner(self.trader_id.get_tag()).is_of_others(name.value)

    # -- Fills of which no word came ----------------------------------------------------------------------------------

    async def generate_order_status_reports(self, command: GenerateOrderStatusReports) -> list[OrderStatusReport]:
        """Return our orders at the venue whose fills have been brought in; the others are for the next look."""
        reports: list[OrderStatusReport] = await super().generate_order_status_reports(command)  # type: ignore[misc]
        ours = [report for report in reports if not self._is_of_others(report)]
        return [report for report in ours if await self._has_its_fills(report)]

    async def _has_its_fills(self, report: OrderStatusReport) -> bool:
        """Bring in the fills of an order; without them the engine would make them up."""
        try:
            await self._bring_fills(report)
        except (BinanceError, HttpError, HttpTimeoutError, OSError) as error:
            self._log.warning(f"the trades of {report.client_order_id} were not to be had: {error}")
            return False
        return True

    async def _bring_fills(self, report: OrderStatusReport) -> None:
        order = self._known(report.client_order_id)
        if order is None or order.is_closed or report.filled_qty <= order.filled_qty:
            return
        trades = await self._http_account.query_user_trades(
            symbol=report.instrument_id.symbol.value, order_id=int(report.venue_order_id.value)
        )
        for trade in trades:
            fill = trade.parse_to_fill_report(
                account_id=report.account_id,
                instrument_id=report.instrument_id,
                report_id=UUID4(),
                ts_init=self._clock.timestamp_ns(),
                use_position_ids=False,
            )
            if fill.trade_id not in order.trade_ids:
                self._log.warning(f"{order.client_order_id}: no word came of trade {fill.trade_id}: brought in")
                self._send_fill_report(fill)  # type: ignore[attr-defined]

    def _known(self, client_order_id: ClientOrderId | None) -> Order | None:
        return None if client_order_id is None else self._cache.order(client_order_id)


class CarefulSpotClient(_Careful, BinanceSpotExecutionClient):
    """The spot client."""


class CarefulFuturesClient(_Careful, BinanceFuturesExecutionClient):
    """The client of USD-M futures."""

    def _handle_account_update(self, raw: bytes) -> None:
        super()._handle_account_update(raw)
        update = self._decoder_futures_account_update.decode(raw)
        traded = [instrument.id for instrument in self._instrument_provider.list_all()]
        for paid in funding_in(update, self._cache, traded):
            self._msgbus.publish(FUNDING_TOPIC, paid)

    def _get_cache_active_symbols(self) -> set[str]:
        return {str(BinanceSymbol(symbol)) for symbol in super()._get_cache_active_symbols()}


class CarefulExecClientFactory(LiveExecClientFactory):
    """Makes the clients of this module in place of the engine's; needs keys and addresses in the configuration."""

    @override
    @staticmethod
    def create(
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: Any,
        msgbus: Any,
        cache: Any,
        clock: Any,
    ) -> CarefulSpotClient | CarefulFuturesClient:
        """Return an execution client, which shares the connection and the instruments of the data client."""
        environment = config.environment or BinanceEnvironment.LIVE
        http = factories.get_cached_binance_http_client(
            clock=clock,
            account_type=config.account_type,
            api_key=config.api_key,
            api_secret=config.api_secret,
            key_type=config.key_type,
            base_url=config.base_url_http,
            environment=environment,
            is_us=config.us,
            proxy_url=config.proxy_url,
        )
        keep_signatures_out(http)
        common = {
            "client": http,
            "clock": clock,
            "account_type": config.account_type,
            "config": config.instrument_provider,
            "venue": config.venue,
        }
        kind: type[CarefulSpotClient | CarefulFuturesClient]
        provider: Any
        if config.account_type.is_spot:
            provider = factories.get_cached_binance_spot_instrument_provider(environment=environment, **common)
            kind = CarefulSpotClient
        else:
            provider = factories.get_cached_binance_futures_instrument_provider(**common)
            kind = CarefulFuturesClient
        return kind(
            loop=loop,
            client=http,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=provider,
            base_url_ws=config.base_url_ws or "",
            account_type=config.account_type,
            name=name,
            config=config,
            environment=environment,
            api_key=config.api_key,
            api_secret=config.api_secret,
        )


def keep_signatures_out(http: Any) -> None:
    """Let a connection's errors name what was asked without the signature and the listen key."""
    send = http.send_request

    async def send_request(*arguments: object, **options: object) -> object:
        try:
            return await send(*arguments, **options)
        except (HttpError, HttpTimeoutError) as error:
            raise type(error)(_SIGNATURE.sub(r"\1=...", str(error))) from None

    http.send_request = send_request


def _code(error: BaseException) -> int | None:
    """Return Binance's number of an error."""
    message = getattr(error, "message", None)
    return int(message["code"]) if isinstance(message, dict) and "code" in message else None

"""What spot and futures share in reading requests about orders."""

import secrets

from binance_double.errors import ApiError
from binance_double.orders import Fill, Order
from binance_double.params import Params
from binance_double.venue import Venue

_DEFAULT_ROWS = 500
_MAX_ROWS = 1000
_FOREVER_MS = 2**62


def order_asked(params: Params) -> tuple[str, int | None, str | None]:
    """Return symbol, order id and client order id of a request about one order; one of the ids must be there."""
    symbol = params.text("symbol")
    order_id, client_order_id = params.maybe_integer("orderId"), params.maybe("origClientOrderId")
    if order_id is None and client_order_id is None:
        raise ApiError(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
    return symbol, order_id, client_order_id


def orders_asked(venue: Venue, params: Params) -> list[Order]:
    """Return the orders of a symbol that a request asks for, whatever their state."""
    symbol = params.text("symbol")
    venue.rules_for(symbol)
    start, end = _period(params)
    first = params.maybe_integer("orderId") or 0
    chosen = [
        order
        for order in venue.orders.values()
        if order.asked.symbol == symbol and order.order_id >= first and start <= order.created_ms <= end
    ]
    return chosen[-_rows(params) :]


def fills_asked(venue: Venue, params: Params) -> list[Fill]:
    """Return the fills that a request asks for."""
    symbol = params.text("symbol")
    venue.rules_for(symbol)
    start, end = _period(params)
    order_id, first = params.maybe_integer("orderId"), params.maybe_integer("fromId") or 0
    chosen = [
        fill
        for fill in venue.fills
        if fill.symbol == symbol
        and start <= fill.time_ms <= end
        and fill.trade_id >= first
        and order_id in {None, fill.order_id}
    ]
    return chosen[: _rows(params)] if first else chosen[-_rows(params) :]


def new_client_order_id(params: Params) -> str:
    """Return the client order id of a request, a new one if it has none."""
    return params.maybe("newClientOrderId") or secrets.token_urlsafe(16)


def _period(params: Params) -> tuple[int, int]:
    return params.maybe_integer("startTime") or 0, params.maybe_integer("endTime") or _FOREVER_MS


def _rows(params: Params) -> int:
    return min(params.maybe_integer("limit") or _DEFAULT_ROWS, _MAX_ROWS)

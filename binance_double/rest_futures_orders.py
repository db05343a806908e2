"""Orders of USD-M futures over REST."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from binance_double import wire_futures
from binance_double.errors import (
    INVALID_SIDE,
    INVALID_TIME_IN_FORCE,
    INVALID_TYPE,
    NO_SUCH_ORDER,
    UNKNOWN_ORDER,
    ApiError,
    missing,
)
from binance_double.futures_venue import FuturesVenue
from binance_double.orders import ZERO, NewOrder, Order, Side
from binance_double.params import Params
from binance_double.rate_limits import RateCounter
from binance_double.rest_orders import fills_asked, new_client_order_id, order_asked, orders_asked
from binance_double.routes import Asked, Route, Security

_ALL_CANCELLED = {"code": 200, "msg": "The operation of cancel all open order is done."}
_MAX_BATCH = 10


class FuturesType(StrEnum):
    """The order types that are taken; conditional ones are not."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"


class TimeInForce(StrEnum):
    """How long an order stands; GTX makes it post-only."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"
    GTD = "GTD"


class FuturesOrders:
    """
    Answers requests about orders.

    Parameters
    ----------
    venue : FuturesVenue
        The exchange.
    counter : RateCounter
        Counts new orders.

    """

    def __init__(self, venue: FuturesVenue, counter: RateCounter) -> None:
        self._venue = venue
        self._counter = counter

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return self._order_routes() + self._algo_routes()

    def _order_routes(self) -> list[Route]:
        signed, trade, api = Security.SIGNED, Security.TRADE, "/fapi/v1"
        return [
            Route("open_orders", "GET", f"{api}/openOrders", _open_orders_weight, signed, self.open_orders),
            Route("all_orders", "GET", f"{api}/allOrders", 5, signed, self.all_orders),
            Route("trades", "GET", f"{api}/userTrades", 5, signed, self.trades),
            Route("query_order", "GET", f"{api}/order", 1, signed, self.query_order),
            Route("submit", "POST", f"{api}/order", 0, trade, self.submit),
            Route("modify", "PUT", f"{api}/order", 1, trade, self.modify),
            Route("cancel", "DELETE", f"{api}/order", 1, trade, self.cancel),
            Route("cancel_batch", "DELETE", f"{api}/batchOrders", 1, trade, self.cancel_batch),
            Route("cancel_all", "DELETE", f"{api}/allOpenOrders", 1, trade, self.cancel_all),
            Route("countdown", "POST", f"{api}/countdownCancelAll", 10, trade, self.count_down),
        ]

    def _algo_routes(self) -> list[Route]:
        """Return the endpoints of conditional orders: none is taken, so there is none to be found or cancelled."""
        signed, trade, api = Security.SIGNED, Security.TRADE, "/fapi/v1"
        return [
            Route("open_algo_orders", "GET", f"{api}/openAlgoOrders", 1, signed, lambda asked: []),
            Route("all_algo_orders", "GET", f"{api}/allAlgoOrders", 5, signed, lambda asked: []),
            Route("query_algo_order", "GET", f"{api}/algoOrder", 1, signed, lambda asked: _refuse(NO_SUCH_ORDER)),
            Route("submit_algo", "POST", f"{api}/algoOrder", 1, trade, lambda asked: _refuse(INVALID_TYPE)),
            Route("cancel_algo", "DELETE", f"{api}/algoOrder", 1, trade, lambda asked: _refuse(UNKNOWN_ORDER)),
            Route("cancel_all_algo", "DELETE", f"{api}/algoOpenOrders", 1, trade, lambda asked: _ALL_CANCELLED),
        ]

    def open_orders(self, asked: Asked) -> object:
        """Return the open orders, of one symbol or of all."""
        return [self._row(order) for order in self._venue.open_orders(asked.params.maybe("symbol"))]

    def all_orders(self, asked: Asked) -> object:
        """Return the last orders of a symbol, whatever their state."""
        return [self._row(order) for order in orders_asked(self._venue, asked.params)]

    def trades(self, asked: Asked) -> object:
        """Return the last fills of a symbol."""
        rules = self._venue.rules
        return [wire_futures.trade_row(rules[fill.symbol], fill) for fill in fills_asked(self._venue, asked.params)]

    def query_order(self, asked: Asked) -> object:
        """Return one order."""
        return self._row(self._venue.order(*order_asked(asked.params)))

    def submit(self, asked: Asked) -> object:
        """Take a new order."""
        self._counter.charge_order()
        return self._row(self._venue.submit(_new_order(asked.params)))

    def modify(self, asked: Asked) -> object:
        """Change price and quantity of an open order."""
        self._counter.charge_order()
        params = asked.params
        side = params.choice("side", Side, INVALID_SIDE)
        quantity, price = params.decimal("quantity"), params.decimal("price")
        return self._row(self._venue.modify(*order_asked(params), side=side, quantity=quantity, price=price))

    def cancel(self, asked: Asked) -> object:
        """Cancel one order."""
        return self._row(self._venue.cancel(*order_asked(asked.params)))

    def cancel_batch(self, asked: Asked) -> object:
        """Cancel several orders; each answers for itself."""
        params = asked.params
        symbol = params.text("symbol")
        ids = [(order_id, None) for order_id in _listed(params, "orderIdList", int)]
        names = [(None, name) for name in _listed(params, "origClientOrderIdList", str)]
        chosen: list[tuple[int | None, str | None]] = [*ids, *names]
        if not 0 < len(chosen) <= _MAX_BATCH:
            raise ApiError(-4032, f"Exceed maximum cancel order size of {_MAX_BATCH}.")
        return [self._cancel_one(symbol, order_id, client_order_id) for order_id, client_order_id in chosen]

    def _cancel_one(self, symbol: str, order_id: int | None, client_order_id: str | None) -> object:
        try:
            return self._row(self._venue.cancel(symbol, order_id, client_order_id))
        except ApiError as error:
            return error.body

    def cancel_all(self, asked: Asked) -> object:
        """Cancel all orders of a symbol."""
        self._venue.cancel_all(asked.params.text("symbol"))
        return _ALL_CANCELLED

    def count_down(self, asked: Asked) -> object:
        """Cancel all orders of a symbol after a time unless told again."""
        symbol, milliseconds = asked.params.text("symbol"), asked.params.integer("countdownTime")
        self._venue.count_down(symbol, milliseconds)
        return {"symbol": symbol, "countdownTime": str(milliseconds)}

    def _row(self, order: Order) -> object:
        return wire_futures.order_row(self._venue.rules[order.asked.symbol], order)


def _new_order(params: Params) -> NewOrder:
    kind = params.choice("type", FuturesType, INVALID_TYPE)
    time_in_force = TimeInForce.GTC
    if kind is FuturesType.LIMIT:
        time_in_force = params.choice("timeInForce", TimeInForce, INVALID_TIME_IN_FORCE)
    position_side = params.maybe("positionSide") or "BOTH"
    if position_side != "BOTH" and params.maybe("reduceOnly"):
        raise ApiError(-1106, "Parameter 'reduceonly' sent when not required.")
    return NewOrder(
        symbol=params.text("symbol"),
        side=params.choice("side", Side, INVALID_SIDE),
        type=kind.value,
        client_order_id=new_client_order_id(params),
        time_in_force=time_in_force.value,
        quantity=params.decimal("quantity"),
        price=_price(params) if kind is FuturesType.LIMIT else ZERO,
        reduce_only=params.flag("reduceOnly"),
        position_side=position_side,
        good_till_ms=params.integer("goodTillDate") if time_in_force is TimeInForce.GTD else 0,
    )


def _price(params: Params) -> Decimal:
    price = params.decimal("price")
    if price <= 0:
        raise ApiError(-4001, "Price less than 0.")
    return price


def _listed[T](params: Params, name: str, kind: type[T]) -> list[T]:
    text = params.maybe(name)
    if text is None:
        return []
    try:
        return msgspec.json.decode(text, type=list[kind])  # type: ignore[valid-type]
    except msgspec.DecodeError:
        raise missing(name) from None


def _refuse(refusal: tuple[int, str]) -> object:
    raise ApiError(*refusal)


def _open_orders_weight(params: Params) -> int:
    return 1 if params.maybe("symbol") else 40

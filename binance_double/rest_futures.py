"""USD-M futures over REST."""

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
from binance_double.exchange_info import futures_exchange_info
from binance_double.futures_venue import FuturesVenue
from binance_double.orders import ZERO, NewOrder, Order, Side
from binance_double.params import Params
from binance_double.rate_limits import RateCounter
from binance_double.rest_market import MarketRequests
from binance_double.rest_orders import fills_asked, new_client_order_id, order_asked, orders_asked
from binance_double.routes import Asked, Route, Security
from binance_double.user_streams import UserStreams

type Json = dict[str, object]

_ALL_CANCELLED = {"code": 200, "msg": "The operation of cancel all open order is done."}
_DONE = {"code": 200, "msg": "success"}
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


class FuturesRest:
    """
    Answers futures requests.

    Parameters
    ----------
    venue : FuturesVenue
        The exchange.
    counter : RateCounter
        Counts new orders.
    users : UserStreams
        Where listen keys come from.

    """

    def __init__(self, venue: FuturesVenue, counter: RateCounter, users: UserStreams) -> None:
        self._venue = venue
        self._counter = counter
        self._users = users
        self._market = MarketRequests(venue)

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        return self._market_routes() + self._account_routes() + self._order_routes() + self._algo_routes()

    def _market_routes(self) -> list[Route]:
        none, key, api, market = Security.NONE, Security.KEY, "/fapi/v1", self._market
        return [
            Route("ping", "GET", f"{api}/ping", 1, none, market.ping),
            Route("time", "GET", f"{api}/time", 1, none, market.time),
            Route("exchange_info", "GET", f"{api}/exchangeInfo", 1, none, self.exchange_info),
            Route("depth", "GET", f"{api}/depth", _depth_weight, none, self.depth),
            Route("ticker_price", "GET", f"{api}/ticker/price", 1, none, market.price),
            Route("ticker_24h", "GET", f"{api}/ticker/24hr", 2, none, market.ticker_24h),
            Route("market_trades", "GET", f"{api}/trades", 5, none, market.trades),
            Route("klines", "GET", f"{api}/klines", 2, none, market.klines),
            Route("ticker_book", "GET", f"{api}/ticker/bookTicker", 2, none, market.book_ticker),
            Route("premium_index", "GET", f"{api}/premiumIndex", 1, none, self.premium_index),
            Route("listen_key", "POST", f"{api}/listenKey", 1, key, self.create_listen_key),
            Route("keep_listen_key", "PUT", f"{api}/listenKey", 1, key, self.keep_listen_key),
            Route("close_listen_key", "DELETE", f"{api}/listenKey", 1, key, self.close_listen_key),
        ]

    def _account_routes(self) -> list[Route]:
        signed, trade, api = Security.SIGNED, Security.TRADE, "/fapi/v1"
        return [
            Route("account", "GET", "/fapi/v2/account", 5, signed, self.account),
            Route("balance", "GET", "/fapi/v2/balance", 5, signed, self.balance),
            Route("positions", "GET", "/fapi/v2/positionRisk", 5, signed, self.positions),
            Route("positions", "GET", "/fapi/v3/positionRisk", 5, signed, self.positions),
            Route("symbol_config", "GET", f"{api}/symbolConfig", 5, signed, self.symbol_config),
            Route("commission_rate", "GET", f"{api}/commissionRate", 20, signed, self.commission_rate),
            Route("position_mode", "GET", f"{api}/positionSide/dual", 30, signed, self.position_mode),
            Route("set_position_mode", "POST", f"{api}/positionSide/dual", 1, trade, self.set_position_mode),
            Route("set_leverage", "POST", f"{api}/leverage", 1, trade, self.set_leverage),
            Route("set_margin_type", "POST", f"{api}/marginType", 1, trade, self.set_margin_type),
            Route("income", "GET", f"{api}/income", 30, signed, self.income),
        ]

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

    # The market

    def exchange_info(self, asked: Asked) -> object:
        """Return the rules of all contracts."""
        return futures_exchange_info(self._venue.rules.values(), self._counter.limits, self._venue.clock.ms())

    def depth(self, asked: Asked) -> object:
        """Return the order book."""
        symbol = asked.params.text("symbol")
        rules, limit = self._venue.rules_for(symbol), self._market.depth_limit(asked.params)
        return wire_futures.depth(rules, self._venue.books[symbol], limit, self._venue.clock.ms())

    def premium_index(self, asked: Asked) -> object:
        """Return mark price and funding rate, of one symbol or of all."""
        rows = [self._premium(symbol) for symbol in self._market.symbols(asked.params)]
        return rows[0] if asked.params.maybe("symbol") else rows

    def _premium(self, symbol: str) -> Json:
        venue = self._venue
        mark, rate = venue.mark_price(symbol) or ZERO, venue.funding_rates.get(symbol, ZERO)
        return wire_futures.premium_index(venue.rules[symbol], mark, rate, venue.clock.ms())

    # User data

    def create_listen_key(self, asked: Asked) -> object:
        """Return the listen key."""
        return {"listenKey": self._users.create_listen_key()}

    def keep_listen_key(self, asked: Asked) -> object:
        """Prolong the listen key."""
        return {"listenKey": self._users.keep_listen_key()}

    def close_listen_key(self, asked: Asked) -> object:
        """Forget the listen key."""
        self._users.close_listen_key()
        return {}

    # The account

    def account(self, asked: Asked) -> object:
        """Return wallets, margin and positions."""
        venue = self._venue
        positions = [
            wire_futures.account_position(
                venue.rules[symbol],
                side,
                venue.account.position(symbol, side),
                venue.mark_price(symbol) or ZERO,
                venue.account.leverage[symbol],
            )
            for symbol in venue.rules
            for side in venue.account.sides()
        ]
        can_trade = asked.key is not None and asked.key.can_trade
        return wire_futures.account(self._figures(), positions, can_trade, venue.clock.ms())

    def balance(self, asked: Asked) -> object:
        """Return the wallets."""
        names = {"balance": "walletBalance"} | {
            name: name for name in ("crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount")
        }
        return [
            {"accountAlias": "double", "asset": asset}
            | {name: figures[source] for name, source in names.items()}
            | {"marginAvailable": True, "updateTime": self._venue.clock.ms()}
            for asset, figures in self._figures().items()
        ]

    def _figures(self) -> dict[str, dict[str, str]]:
        venue = self._venue
        return {
            asset: wire_futures.margin_figures(wallet, venue.total_margin(asset), venue.available(asset))
            for asset, wallet in venue.account.wallet.items()
        }

    def positions(self, asked: Asked) -> object:
        """Return the positions that are open or have orders, of one symbol or of all."""
        venue, account = self._venue, self._venue.account
        return [
            wire_futures.position_risk(
                venue.rules[symbol],
                side,
                account.position(symbol, side),
                venue.mark_price(symbol) or ZERO,
                venue.margin(symbol),
            )
            for symbol in self._market.symbols(asked.params)
            for side in account.sides()
            if account.position(symbol, side).amount or len(venue.resting[symbol])
        ]

    def symbol_config(self, asked: Asked) -> object:
        """Return leverage and margin type, of one symbol or of all."""
        account = self._venue.account
        return [
            {
                "symbol": symbol,
                "marginType": account.margin_types[symbol],
                "isAutoAddMargin": False,
                "leverage": account.leverage[symbol],
                "maxNotionalValue": "100000000",
            }
            for symbol in self._market.symbols(asked.params)
        ]

    def commission_rate(self, asked: Asked) -> object:
        """Return what trading a symbol costs."""
        rules = self._venue.rules_for(asked.params.text("symbol"))
        rates = {"makerCommissionRate": f"{rules.maker_fee:f}", "takerCommissionRate": f"{rules.taker_fee:f}"}
        return {"symbol": rules.symbol, **rates}

    def position_mode(self, asked: Asked) -> object:
        """Return whether the account is in hedge mode."""
        return {"dualSidePosition": self._venue.account.hedge_mode}

    def set_position_mode(self, asked: Asked) -> object:
        """Change between one-way and hedge mode."""
        asked.params.text("dualSidePosition")
        self._venue.set_hedge_mode(asked.params.flag("dualSidePosition"))
        return _DONE

    def set_leverage(self, asked: Asked) -> object:
        """Change a symbol's leverage."""
        symbol, leverage = asked.params.text("symbol"), asked.params.integer("leverage")
        self._venue.set_leverage(symbol, leverage)
        return {"leverage": leverage, "maxNotionalValue": "100000000", "symbol": symbol}

    def set_margin_type(self, asked: Asked) -> object:
        """Change a symbol's margin type; it is remembered, but margin is always computed as cross."""
        symbol, margin_type = asked.params.text("symbol"), asked.params.text("marginType")
        self._venue.rules_for(symbol)
        if self._venue.account.margin_types[symbol] == margin_type:
            raise ApiError(-4046, "No need to change margin type.")
        self._venue.account.margin_types[symbol] = margin_type
        return _DONE

    def income(self, asked: Asked) -> object:
        """Return what changed the wallets: realised profit, commissions and funding."""
        params = asked.params
        start, end = params.maybe_integer("startTime") or 0, params.maybe_integer("endTime") or 2**62
        chosen = [
            item
            for item in self._venue.income
            if params.maybe("symbol") in {None, item.symbol}
            and params.maybe("incomeType") in {None, item.kind}
            and start <= item.time_ms <= end
        ]
        return [
            {
                "symbol": item.symbol,
                "incomeType": item.kind,
                "income": f"{item.amount:.8f}",
                "asset": item.asset,
                "info": str(item.trade_id or ""),
                "time": item.time_ms,
                "tranId": n,
                "tradeId": str(item.trade_id or ""),
            }
            for n, item in enumerate(chosen[-(params.maybe_integer("limit") or 100) :])
        ]

    # Orders

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


def _depth_weight(params: Params) -> int:
    limit = params.maybe_integer("limit") or 500
    return next(weight for most, weight in ((50, 2), (100, 5), (500, 10), (10**9, 20)) if limit <= most)

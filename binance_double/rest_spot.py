"""Spot over REST."""

from decimal import Decimal
from enum import StrEnum

from binance_double import wire_spot
from binance_double.errors import INVALID_SIDE, INVALID_TIME_IN_FORCE, INVALID_TYPE, UNKNOWN_ORDER, ApiError, missing
from binance_double.exchange_info import spot_exchange_info
from binance_double.orders import ZERO, NewOrder, Order, Side
from binance_double.params import Params
from binance_double.rate_limits import RateCounter
from binance_double.rest_market import MarketRequests, depth_weight
from binance_double.rest_orders import fills_asked, new_client_order_id, order_asked, orders_asked
from binance_double.routes import Asked, Route, Security
from binance_double.spot_venue import SpotVenue


class SpotType(StrEnum):
    """The order types that are taken; stop orders are not."""

    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    MARKET = "MARKET"


class TimeInForce(StrEnum):
    """How long an order stands."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class SpotRest:
    """
    Answers spot requests.

    Parameters
    ----------
    venue : SpotVenue
        The exchange.
    counter : RateCounter
        Counts new orders.

    """

    def __init__(self, venue: SpotVenue, counter: RateCounter) -> None:
        self._venue = venue
        self._counter = counter
        self._market = MarketRequests(venue)

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        none, signed, trade = Security.NONE, Security.SIGNED, Security.TRADE
        api, market = "/api/v3", self._market
        return [
            Route("ping", "GET", f"{api}/ping", 1, none, market.ping),
            Route("time", "GET", f"{api}/time", 1, none, market.time),
            Route("exchange_info", "GET", f"{api}/exchangeInfo", 20, none, self.exchange_info),
            Route("depth", "GET", f"{api}/depth", depth_weight, none, self.depth),
            Route("ticker_price", "GET", f"{api}/ticker/price", 2, none, market.price),
            Route("ticker_24h", "GET", f"{api}/ticker/24hr", 2, none, market.ticker_24h),
            Route("market_trades", "GET", f"{api}/trades", 5, none, market.trades),
            Route("klines", "GET", f"{api}/klines", 2, none, market.klines),
            Route("ticker_book", "GET", f"{api}/ticker/bookTicker", 2, none, market.book_ticker),
            Route("fees", "GET", "/sapi/v1/asset/tradeFee", 1, signed, self.trade_fees),
            Route("key_rights", "GET", "/sapi/v1/account/apiRestrictions", 1, signed, self.key_rights),
            Route("bnb_burn", "GET", "/sapi/v1/bnbBurn", 1, signed, self.bnb_burn),
            Route("commission_rate", "GET", f"{api}/account/commission", 20, signed, self.commission),
            Route("account", "GET", f"{api}/account", 20, signed, self.account),
            Route("open_orders", "GET", f"{api}/openOrders", _open_orders_weight, signed, self.open_orders),
            Route("all_orders", "GET", f"{api}/allOrders", 20, signed, self.all_orders),
            Route("trades", "GET", f"{api}/myTrades", 20, signed, self.trades),
            Route("query_order", "GET", f"{api}/order", 4, signed, self.query_order),
            Route("submit", "POST", f"{api}/order", 1, trade, self.submit),
            Route("cancel", "DELETE", f"{api}/order", 1, trade, self.cancel),
            Route("cancel_all", "DELETE", f"{api}/openOrders", 1, trade, self.cancel_all),
        ]

    def exchange_info(self, asked: Asked) -> object:
        """Return the rules of the symbols asked for."""
        rules = [self._venue.rules[symbol] for symbol in self._market.symbols(asked.params)]
        return spot_exchange_info(rules, self._counter.limits, self._venue.clock.ms())

    def depth(self, asked: Asked) -> object:
        """Return the order book."""
        symbol = asked.params.text("symbol")
        rules, limit = self._venue.rules_for(symbol), self._market.depth_limit(asked.params)
        return wire_spot.depth(rules, self._venue.books[symbol], limit)

    def key_rights(self, asked: Asked) -> object:
        """Return what the key may do."""
        assert asked.key is not None
        may_trade = asked.key.can_trade
        withdraws = self._venue.keys_withdraw
        return {"ipRestrict": True, "enableWithdrawals": withdraws, "enableSpotAndMarginTrading": may_trade}

    def bnb_burn(self, asked: Asked) -> object:
        """Return whether fees are paid in BNB, as the account asks; here they never are."""
        return {"spotBNBBurn": self._venue.pays_in_bnb, "interestBNBBurn": False}

    def trade_fees(self, asked: Asked) -> object:
        """Return what trading costs, by symbol."""
        rules = [self._venue.rules[symbol] for symbol in self._market.symbols(asked.params)]
        return [
            {"symbol": one.symbol, "makerCommission": f"{one.maker_fee:f}", "takerCommission": f"{one.taker_fee:f}"}
            for one in rules
        ]

    def commission(self, asked: Asked) -> object:
        """Return what trading a symbol costs."""
        rules = self._venue.rules_for(asked.params.text("symbol"))
        none = {"maker": "0.00000000", "taker": "0.00000000", "buyer": "0.00000000", "seller": "0.00000000"}
        standard = none | {"maker": f"{rules.maker_fee:.8f}", "taker": f"{rules.taker_fee:.8f}"}
        discount = {"enabledForAccount": False, "enabledForSymbol": False, "discountAsset": "BNB", "discount": "0.75"}
        return {"symbol": rules.symbol, "standardCommission": standard, "taxCommission": none, "discount": discount}

    def account(self, asked: Asked) -> object:
        """Return balances and permissions."""
        fees = max((rules.maker_fee, rules.taker_fee) for rules in self._venue.rules.values())
        can_trade = asked.key is not None and asked.key.can_trade
        return wire_spot.account(self._venue.account, fees, can_trade, self._venue.clock.ms())

    def open_orders(self, asked: Asked) -> object:
        """Return the open orders, of one symbol or of all."""
        return [self._row(order) for order in self._venue.open_orders(asked.params.maybe("symbol"))]

    def all_orders(self, asked: Asked) -> object:
        """Return the last orders of a symbol, whatever their state."""
        return [self._row(order) for order in orders_asked(self._venue, asked.params)]

    def trades(self, asked: Asked) -> object:
        """Return the last fills of a symbol."""
        rules = self._venue.rules
        return [wire_spot.trade_row(rules[fill.symbol], fill) for fill in fills_asked(self._venue, asked.params)]

    def query_order(self, asked: Asked) -> object:
        """Return one order."""
        return self._row(self._venue.order(*order_asked(asked.params)))

    def submit(self, asked: Asked) -> object:
        """Take a new order."""
        self._counter.charge_order()
        order = self._venue.submit(_new_order(asked.params))
        return wire_spot.new_order_answer(self._venue.rules[order.asked.symbol], order)

    def cancel(self, asked: Asked) -> object:
        """Cancel one order."""
        order = self._venue.cancel(*order_asked(asked.params), asked.params.maybe("newClientOrderId") or "")
        return wire_spot.cancel_answer(self._venue.rules[order.asked.symbol], order)

    def cancel_all(self, asked: Asked) -> object:
        """Cancel all orders of a symbol; -2011 if there are none."""
        cancelled = self._venue.cancel_all(asked.params.text("symbol"))
        if not cancelled:
            raise ApiError(*UNKNOWN_ORDER)
        return [wire_spot.cancel_answer(self._venue.rules[order.asked.symbol], order) for order in cancelled]

    def _row(self, order: Order) -> object:
        return wire_spot.order_row(self._venue.rules[order.asked.symbol], order)


def _new_order(params: Params) -> NewOrder:
    kind = params.choice("type", SpotType, INVALID_TYPE)
    time_in_force = TimeInForce.GTC
    if kind is SpotType.LIMIT:
        time_in_force = params.choice("timeInForce", TimeInForce, INVALID_TIME_IN_FORCE)
    quote_quantity = params.decimal("quoteOrderQty", ZERO) if kind is SpotType.MARKET else ZERO
    return NewOrder(
        symbol=params.text("symbol"),
        side=params.choice("side", Side, INVALID_SIDE),
        type=kind.value,
        client_order_id=new_client_order_id(params),
        time_in_force=time_in_force.value,
        quantity=ZERO if quote_quantity else _positive(params, "quantity"),
        price=ZERO if kind is SpotType.MARKET else _positive(params, "price"),
        quote_quantity=quote_quantity,
    )


def _positive(params: Params, name: str) -> Decimal:
    number = params.decimal(name)
    if number <= 0:
        raise missing(name)
    return number


def _open_orders_weight(params: Params) -> int:
    return 6 if params.maybe("symbol") else 80

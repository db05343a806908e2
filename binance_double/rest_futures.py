"""USD-M futures over REST: the market, the account, listen keys; orders stand in `rest_futures_orders`."""

from binance_double import wire_futures
from binance_double.errors import (
    ApiError,
)
from binance_double.exchange_info import futures_exchange_info
from binance_double.futures_venue import FuturesVenue
from binance_double.orders import ZERO
from binance_double.params import Params
from binance_double.rate_limits import RateCounter
from binance_double.rest_futures_orders import FuturesOrders
from binance_double.rest_market import MarketRequests
from binance_double.routes import Asked, Route, Security
from binance_double.user_streams import UserStreams

type Json = dict[str, object]

_DONE = {"code": 200, "msg": "success"}


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
        return self._market_routes() + self._account_routes() + FuturesOrders(self._venue, self._counter).routes()

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
        funding = (rate, venue.next_funding_ms(symbol))
        return wire_futures.premium_index(venue.rules[symbol], mark, funding, venue.clock.ms())

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
            (number, item)
            for number, item in enumerate(self._venue.income)
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
                "tranId": number,
                "tradeId": str(item.trade_id or ""),
            }
            for number, item in chosen[: params.maybe_integer("limit") or 100]
        ]


def _depth_weight(params: Params) -> int:
    limit = params.maybe_integer("limit") or 500
    return next(weight for most, weight in ((50, 2), (100, 5), (500, 10), (10**9, 20)) if limit <= most)

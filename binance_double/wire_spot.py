"""Spot on the wire: the fields and texts of Binance's answers and messages."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from binance_double.market_book import MarketBook
from binance_double.orders import ZERO, Fill, Order, PublicTrade, Side
from binance_double.rules import Rules, amount_text
from binance_double.spot_account import Balance, SpotAccount

type Json = dict[str, object]


def order_row(rules: Rules, order: Order) -> Json:
    """Return an order as queries show it."""
    asked = order.asked
    return {
        "symbol": asked.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": asked.client_order_id,
        **_amounts(rules, order),
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": order.created_ms,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def new_order_answer(rules: Rules, order: Order) -> Json:
    """Return the FULL answer to a new order."""
    asked = order.asked
    return {
        "symbol": asked.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": asked.client_order_id,
        "transactTime": order.created_ms,
        **_amounts(rules, order),
        "workingTime": order.created_ms,
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "fills": [
            {
                "price": rules.price_text(fill.price),
                "qty": rules.quantity_text(fill.quantity),
                "commission": amount_text(fill.commission),
                "commissionAsset": fill.commission_asset,
                "tradeId": fill.trade_id,
            }
            for fill in order.fills
        ],
    }


def cancel_answer(rules: Rules, order: Order) -> Json:
    """Return the answer to a cancel."""
    asked = order.asked
    return {
        "symbol": asked.symbol,
        "origClientOrderId": asked.client_order_id,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.cancel_id,
        "transactTime": order.updated_ms,
        **_amounts(rules, order),
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def _amounts(rules: Rules, order: Order) -> Json:
    asked = order.asked
    return {
        "price": rules.price_text(asked.price),
        "origQty": rules.quantity_text(asked.quantity),
        "executedQty": rules.quantity_text(order.executed),
        "origQuoteOrderQty": amount_text(asked.quote_quantity),
        "cummulativeQuoteQty": amount_text(order.quote_executed),
        "status": order.status,
        "timeInForce": asked.time_in_force,
        "type": asked.type,
        "side": asked.side.value,
    }


def trade_row(rules: Rules, fill: Fill) -> Json:
    """Return a fill as myTrades shows it."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": rules.price_text(fill.price),
        "qty": rules.quantity_text(fill.quantity),
        "quoteQty": amount_text(fill.notional),
        "commission": amount_text(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time_ms,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def account(spot: SpotAccount, fees: tuple[Decimal, Decimal], can_trade: bool, now_ms: int) -> Json:
    """Return the account; `fees` are the maker's and the taker's."""
    maker, taker = fees
    return {
        "makerCommission": int(maker * 10_000),
        "takerCommission": int(taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": amount_text(maker),
            "taker": amount_text(taker),
            "buyer": amount_text(ZERO),
            "seller": amount_text(ZERO),
        },
        "canTrade": can_trade,
        "canWithdraw": False,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": now_ms,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": amount_text(balance.free), "locked": amount_text(balance.locked)}
            for asset, balance in sorted(spot.balances.items())
        ],
        "permissions": ["SPOT"],
        "uid": 100001,
    }


def execution_report(rules: Rules, order: Order, execution_type: str, fill: Fill | None, now_ms: int) -> Json:
    """Return the user-data event of a change of an order; after a cancel `c` is the cancel's id, `C` the order's."""
    asked = order.asked
    cancelled = execution_type == "CANCELED"
    return {
        "e": "executionReport",
        "E": now_ms,
        "s": asked.symbol,
        "c": order.cancel_id if cancelled else asked.client_order_id,
        "S": asked.side.value,
        "o": asked.type,
        "f": asked.time_in_force,
        "q": rules.quantity_text(asked.quantity),
        "p": rules.price_text(asked.price),
        "P": "0.00000000",
        "F": "0.00000000",
        "g": -1,
        "C": asked.client_order_id if cancelled else "",
        "x": execution_type,
        "X": order.status,
        "r": "NONE",
        "i": order.order_id,
        "l": rules.quantity_text(fill.quantity if fill else ZERO),
        "z": rules.quantity_text(order.executed),
        "L": rules.price_text(fill.price if fill else ZERO),
        "n": amount_text(fill.commission) if fill else "0",
        "N": fill.commission_asset if fill else None,
        "T": order.updated_ms,
        "t": fill.trade_id if fill else -1,
        "I": order.order_id * 2,
        "w": order.is_open,
        "m": bool(fill and fill.is_maker),
        "M": fill is not None,
        "O": order.created_ms,
        "Z": amount_text(order.quote_executed),
        "Y": amount_text(fill.notional if fill else ZERO),
        "Q": amount_text(asked.quote_quantity),
        "W": order.created_ms,
        "V": "EXPIRE_MAKER",
    }


def account_position(balances: Mapping[str, Balance], now_ms: int) -> Json:
    """Return the user-data event of changed balances."""
    return {
        "e": "outboundAccountPosition",
        "E": now_ms,
        "u": now_ms,
        "B": [
            {"a": asset, "f": amount_text(balance.free), "l": amount_text(balance.locked)}
            for asset, balance in balances.items()
        ],
    }


def balance_update(asset: str, change: Decimal, now_ms: int) -> Json:
    """Return the user-data event of a deposit or withdrawal."""
    return {"e": "balanceUpdate", "E": now_ms, "a": asset, "d": amount_text(change), "T": now_ms}


def book_ticker(rules: Rules, update_id: int, bid: tuple[Decimal, Decimal], ask: tuple[Decimal, Decimal]) -> Json:
    """Return the stream message of the top of the book, which carries no time on spot."""
    return {
        "u": update_id,
        "s": rules.symbol,
        "b": rules.price_text(bid[0]),
        "B": rules.quantity_text(bid[1]),
        "a": rules.price_text(ask[0]),
        "A": rules.quantity_text(ask[1]),
    }


def public_trade(rules: Rules, trade: PublicTrade) -> Json:
    """Return the stream message of a trade; `m` says that the buyer was the maker."""
    return {
        "e": "trade",
        "E": trade.time_ms,
        "s": rules.symbol,
        "t": trade.trade_id,
        "p": rules.price_text(trade.price),
        "q": rules.quantity_text(trade.size),
        "T": trade.time_ms,
        "m": trade.aggressor is Side.SELL,
        "M": True,
    }


def aggregate_trade(rules: Rules, trade: PublicTrade) -> Json:
    """Return the stream message of an aggregate of one trade."""
    return {
        "e": "aggTrade",
        "E": trade.time_ms,
        "s": rules.symbol,
        "a": trade.trade_id,
        "p": rules.price_text(trade.price),
        "q": rules.quantity_text(trade.size),
        "f": trade.trade_id,
        "l": trade.trade_id,
        "T": trade.time_ms,
        "m": trade.aggressor is Side.SELL,
        "M": True,
    }


def depth_update(rules: Rules, update_id: int, changes: Iterable[tuple[Side, Decimal, Decimal]], now_ms: int) -> Json:
    """Return the stream message of changed levels."""
    bids, asks = split_levels(rules, changes)
    return {
        "e": "depthUpdate",
        "E": now_ms,
        "s": rules.symbol,
        "U": update_id,
        "u": update_id,
        "b": bids,
        "a": asks,
    }


def depth(rules: Rules, book: MarketBook, limit: int) -> Json:
    """Return the order book as REST and the partial-depth stream show it."""
    levels = [(side, price, size) for side in Side for price, size in book.levels(side, limit)]
    bids, asks = split_levels(rules, levels)
    return {"lastUpdateId": book.update_id, "bids": bids, "asks": asks}


def split_levels(
    rules: Rules, levels: Iterable[tuple[Side, Decimal, Decimal]]
) -> tuple[list[list[str]], list[list[str]]]:
    """Return levels as texts, bids and asks apart."""
    sides: dict[Side, list[list[str]]] = {Side.BUY: [], Side.SELL: []}
    for side, price, size in levels:
        sides[side].append([rules.price_text(price), rules.quantity_text(size)])
    return sides[Side.BUY], sides[Side.SELL]

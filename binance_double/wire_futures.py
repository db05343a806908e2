"""USD-M futures on the wire: the fields and texts of Binance's answers and messages."""

from collections.abc import Iterable
from decimal import Decimal

from binance_double.futures_account import Position
from binance_double.margin import Margin
from binance_double.market_book import MarketBook
from binance_double.orders import ZERO, Fill, Order, PublicTrade, Side
from binance_double.rules import Rules, amount_text
from binance_double.wire_spot import split_levels

type Json = dict[str, object]

_FUNDING_EVERY_MS = 8 * 60 * 60 * 1000
_NO_NOTIONAL_LIMIT = "100000000"


def order_row(rules: Rules, order: Order) -> Json:
    """Return an order as queries and answers show it."""
    asked = order.asked
    return {
        "orderId": order.order_id,
        "symbol": asked.symbol,
        "status": order.status,
        "clientOrderId": asked.client_order_id,
        "price": rules.price_text(asked.price),
        "avgPrice": _average(rules, order.average_price),
        "origQty": rules.quantity_text(asked.quantity),
        "executedQty": rules.quantity_text(order.executed),
        "cumQuote": amount_text(order.quote_executed),
        "timeInForce": asked.time_in_force,
        "type": asked.type,
        "reduceOnly": asked.reduce_only,
        "closePosition": False,
        "side": asked.side.value,
        "positionSide": asked.position_side,
        "stopPrice": rules.price_text(ZERO),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": asked.type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": asked.good_till_ms,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
    }


def trade_row(rules: Rules, fill: Fill) -> Json:
    """Return a fill as userTrades shows it."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side.value,
        "price": rules.price_text(fill.price),
        "qty": rules.quantity_text(fill.quantity),
        "realizedPnl": amount_text(fill.realised),
        "marginAsset": rules.quote,
        "quoteQty": amount_text(fill.notional),
        "commission": amount_text(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time_ms,
        "positionSide": fill.position_side,
        "buyer": fill.side is Side.BUY,
        "maker": fill.is_maker,
    }


def margin_figures(wallet: Decimal, margin: Margin, available: Decimal) -> dict[str, str]:
    """Return what a wallet is worth and how much of it is bound, as texts by Binance's names."""
    return {
        "walletBalance": amount_text(wallet),
        "unrealizedProfit": amount_text(margin.unrealised),
        "marginBalance": amount_text(wallet + margin.unrealised),
        "maintMargin": amount_text(margin.maintenance),
        "initialMargin": amount_text(margin.initial),
        "positionInitialMargin": amount_text(margin.position),
        "openOrderInitialMargin": amount_text(margin.orders),
        "crossWalletBalance": amount_text(wallet),
        "crossUnPnl": amount_text(margin.unrealised),
        "availableBalance": amount_text(available),
        "maxWithdrawAmount": amount_text(min(available, wallet)),
    }


def account(figures: dict[str, dict[str, str]], positions: list[Json], can_trade: bool, now_ms: int) -> Json:
    """Return the account; `figures` are those of each margin asset, the totals are USDT's."""
    totals = figures.get("USDT") or margin_figures(ZERO, Margin(), ZERO)
    return {
        "feeTier": 0,
        "canTrade": can_trade,
        "canDeposit": True,
        "canWithdraw": False,
        "updateTime": now_ms,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
        "totalInitialMargin": totals["initialMargin"],
        "totalMaintMargin": totals["maintMargin"],
        "totalWalletBalance": totals["walletBalance"],
        "totalUnrealizedProfit": totals["unrealizedProfit"],
        "totalMarginBalance": totals["marginBalance"],
        "totalPositionInitialMargin": totals["positionInitialMargin"],
        "totalOpenOrderInitialMargin": totals["openOrderInitialMargin"],
        "totalCrossWalletBalance": totals["crossWalletBalance"],
        "totalCrossUnPnl": totals["crossUnPnl"],
        "availableBalance": totals["availableBalance"],
        "maxWithdrawAmount": totals["maxWithdrawAmount"],
        "assets": [
            {"asset": asset, **texts, "marginAvailable": True, "updateTime": now_ms}
            for asset, texts in sorted(figures.items())
        ],
        "positions": positions,
    }


def account_position(rules: Rules, side: str, position: Position, mark: Decimal, leverage: int) -> Json:
    """Return a position as the account shows it."""
    value = position.amount * mark
    return {
        "symbol": rules.symbol,
        "initialMargin": amount_text(abs(value) / leverage),
        "maintMargin": amount_text(abs(value) * rules.maintenance_rate),
        "unrealizedProfit": amount_text(position.unrealised(mark)),
        "positionInitialMargin": amount_text(abs(value) / leverage),
        "openOrderInitialMargin": "0",
        "leverage": str(leverage),
        "isolated": False,
        "entryPrice": _average(rules, position.entry_price),
        "maxNotional": _NO_NOTIONAL_LIMIT,
        "bidNotional": "0",
        "askNotional": "0",
        "positionSide": side,
        "positionAmt": rules.quantity_text(position.amount),
        "updateTime": position.updated_ms,
    }


def position_risk(rules: Rules, side: str, position: Position, mark: Decimal, margin: Margin) -> Json:
    """Return a position as `GET /fapi/v3/positionRisk` shows it."""
    value = position.amount * mark
    return {
        "symbol": rules.symbol,
        "positionSide": side,
        "positionAmt": rules.quantity_text(position.amount),
        "entryPrice": _average(rules, position.entry_price),
        "breakEvenPrice": _average(rules, position.entry_price),
        "markPrice": amount_text(mark),
        "unRealizedProfit": amount_text(position.unrealised(mark)),
        "liquidationPrice": "0",
        "isolatedMargin": "0",
        "notional": amount_text(value),
        "marginAsset": rules.quote,
        "isolatedWallet": "0",
        "initialMargin": amount_text(margin.initial),
        "maintMargin": amount_text(margin.maintenance),
        "positionInitialMargin": amount_text(margin.position),
        "openOrderInitialMargin": amount_text(margin.orders),
        "adl": 2,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": position.updated_ms,
    }


def order_update(rules: Rules, order: Order, execution_type: str, fill: Fill | None, now_ms: int) -> Json:
    """Return the user-data event of a change of an order."""
    asked = order.asked
    update: Json = {
        "s": asked.symbol,
        "c": asked.client_order_id,
        "S": asked.side.value,
        "o": asked.type,
        "f": asked.time_in_force,
        "q": rules.quantity_text(asked.quantity),
        "p": rules.price_text(asked.price),
        "ap": _average(rules, order.average_price),
        "sp": "0",
        "x": execution_type,
        "X": order.status,
        "i": order.order_id,
        "l": rules.quantity_text(fill.quantity if fill else ZERO),
        "z": rules.quantity_text(order.executed),
        "L": rules.price_text(fill.price if fill else ZERO),
        "T": order.updated_ms,
        "t": fill.trade_id if fill else 0,
        "b": amount_text(order.leaves * asked.price if asked.side is Side.BUY and order.is_open else ZERO),
        "a": amount_text(order.leaves * asked.price if asked.side is Side.SELL and order.is_open else ZERO),
        "m": bool(fill and fill.is_maker),
        "R": asked.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": asked.type,
        "ps": asked.position_side,
        "cp": False,
        "pP": False,
        "si": 0,
        "ss": 0,
        "rp": amount_text(fill.realised if fill else ZERO),
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": asked.good_till_ms,
    }
    if fill is not None:
        update |= {"N": fill.commission_asset, "n": amount_text(fill.commission)}
    return {"e": "ORDER_TRADE_UPDATE", "E": now_ms, "T": order.updated_ms, "o": update}


def account_update(
    reason: str, asset: str, wallet: Decimal, change: Decimal, *, positions: list[Json], now_ms: int
) -> Json:
    """Return the user-data event of a changed wallet; `change` is what is neither profit nor commission."""
    balance = {"a": asset, "wb": amount_text(wallet), "cw": amount_text(wallet), "bc": amount_text(change)}
    changes = {"m": reason, "B": [balance], "P": positions}
    return {"e": "ACCOUNT_UPDATE", "E": now_ms, "T": now_ms, "a": changes}


def position_update(rules: Rules, side: str, position: Position, mark: Decimal) -> Json:
    """Return a position as account updates show it."""
    return {
        "s": rules.symbol,
        "pa": rules.quantity_text(position.amount),
        "ep": _average(rules, position.entry_price),
        "bep": _average(rules, position.entry_price),
        "cr": amount_text(position.realised),
        "up": amount_text(position.unrealised(mark)),
        "mt": "cross",
        "iw": "0",
        "ps": side,
    }


def book_ticker(
    rules: Rules, update_id: int, bid: tuple[Decimal, Decimal], ask: tuple[Decimal, Decimal], now_ms: int
) -> Json:
    """Return the stream message of the top of the book."""
    return {
        "e": "bookTicker",
        "u": update_id,
        "s": rules.symbol,
        "b": rules.price_text(bid[0]),
        "B": rules.quantity_text(bid[1]),
        "a": rules.price_text(ask[0]),
        "A": rules.quantity_text(ask[1]),
        "T": now_ms,
        "E": now_ms,
    }


def aggregate_trade(rules: Rules, trade: PublicTrade) -> Json:
    """Return the stream message of a trade; `m` says that the buyer was the maker."""
    return {
        "e": "aggTrade",
        "E": trade.time_ms,
        "a": trade.trade_id,
        "s": rules.symbol,
        "p": rules.price_text(trade.price),
        "q": rules.quantity_text(trade.size),
        "f": trade.trade_id,
        "l": trade.trade_id,
        "T": trade.time_ms,
        "m": trade.aggressor is Side.SELL,
    }


def depth_update(
    rules: Rules, update_id: int, previous: int, changes: Iterable[tuple[Side, Decimal, Decimal]], now_ms: int
) -> Json:
    """Return the stream message of changed levels."""
    bids, asks = split_levels(rules, changes)
    return {
        "e": "depthUpdate",
        "E": now_ms,
        "T": now_ms,
        "s": rules.symbol,
        "U": update_id,
        "u": update_id,
        "pu": previous,
        "b": bids,
        "a": asks,
    }


def depth(rules: Rules, book: MarketBook, limit: int, now_ms: int) -> Json:
    """Return the order book as REST shows it."""
    levels = [(side, price, size) for side in Side for price, size in book.levels(side, limit)]
    bids, asks = split_levels(rules, levels)
    return {"lastUpdateId": book.update_id, "E": now_ms, "T": now_ms, "bids": bids, "asks": asks}


def mark_price(rules: Rules, mark: Decimal, funding: tuple[Decimal, int], now_ms: int) -> Json:
    """Return the stream message of the mark price and the funding: its rate and next time."""
    return {
        "e": "markPriceUpdate",
        "E": now_ms,
        "s": rules.symbol,
        "p": amount_text(mark),
        "i": amount_text(mark),
        "P": amount_text(mark),
        "r": amount_text(funding[0]),
        "T": funding[1],
    }


def premium_index(rules: Rules, mark: Decimal, funding: tuple[Decimal, int], now_ms: int) -> Json:
    """Return mark price and funding (rate and next time) as REST shows them."""
    return {
        "symbol": rules.symbol,
        "markPrice": amount_text(mark),
        "indexPrice": amount_text(mark),
        "estimatedSettlePrice": amount_text(mark),
        "lastFundingRate": amount_text(funding[0]),
        "nextFundingTime": funding[1],
        "interestRate": "0.00010000",
        "time": now_ms,
    }


def next_funding_ms(now_ms: int) -> int:
    """Return the next of the times at which funding is paid: every eight hours."""
    return now_ms - now_ms % _FUNDING_EVERY_MS + _FUNDING_EVERY_MS


def _average(rules: Rules, price: Decimal) -> str:
    """Return an average price, which is finer than the tick."""
    return f"{price:.{max(8, rules.price_decimals)}f}"

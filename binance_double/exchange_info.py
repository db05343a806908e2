"""The answers to exchangeInfo."""

from collections.abc import Iterable
from decimal import Decimal

from binance_double.rate_limits import RateLimit
from binance_double.rules import Rules, decimals

_SPOT_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"]
_FUTURES_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]
_NEVER_MS = 4133404800000
_LISTED_MS = 1569398400000


def spot_exchange_info(rules: Iterable[Rules], limits: Iterable[RateLimit], now_ms: int) -> dict[str, object]:
    """Return what `GET /api/v3/exchangeInfo` answers."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": [limit.description for limit in limits],
        "exchangeFilters": [],
        "symbols": [_spot_symbol(one) for one in rules],
    }


def futures_exchange_info(rules: Iterable[Rules], limits: Iterable[RateLimit], now_ms: int) -> dict[str, object]:
    """Return what `GET /fapi/v1/exchangeInfo` answers."""
    listed = list(rules)
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [limit.description for limit in limits],
        "exchangeFilters": [],
        "assets": [
            {"asset": asset, "marginAvailable": True, "autoAssetExchange": "-10000"}
            for asset in sorted({one.quote for one in listed})
        ],
        "symbols": [_futures_symbol(one) for one in listed],
    }


def _spot_symbol(rules: Rules) -> dict[str, object]:
    return {
        "symbol": rules.symbol,
        "status": rules.status,
        "baseAsset": rules.base,
        "baseAssetPrecision": 8,
        "quoteAsset": rules.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": _SPOT_TYPES,
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _spot_filters(rules),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def _spot_filters(rules: Rules) -> list[dict[str, object]]:
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": rules.price_text(rules.min_price),
            "maxPrice": rules.price_text(rules.max_price),
            "tickSize": rules.price_text(rules.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": rules.quantity_text(rules.min_quantity),
            "maxQty": rules.quantity_text(rules.max_quantity),
            "stepSize": rules.quantity_text(rules.step),
        },
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": "0.00000000",
            "maxQty": rules.quantity_text(rules.max_quantity),
            "stepSize": "0.00000000",
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": _plain(rules.multiplier_up),
            "bidMultiplierDown": _plain(rules.multiplier_down),
            "askMultiplierUp": _plain(rules.multiplier_up),
            "askMultiplierDown": _plain(rules.multiplier_down),
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": rules.price_text(rules.min_notional),
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": rules.max_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
    ]


def _futures_symbol(rules: Rules) -> dict[str, object]:
    return {
        "symbol": rules.symbol,
        "pair": rules.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": _NEVER_MS,
        "onboardDate": _LISTED_MS,
        "status": rules.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": rules.base,
        "quoteAsset": rules.quote,
        "marginAsset": rules.quote,
        "pricePrecision": decimals(rules.tick),
        "quantityPrecision": decimals(rules.step),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "filters": _futures_filters(rules),
        "orderTypes": _FUTURES_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }


def _futures_filters(rules: Rules) -> list[dict[str, object]]:
    lot = {
        "maxQty": rules.quantity_text(rules.max_quantity),
        "minQty": rules.quantity_text(rules.min_quantity),
        "stepSize": rules.quantity_text(rules.step),
    }
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": rules.price_text(rules.min_price),
            "maxPrice": rules.price_text(rules.max_price),
            "tickSize": rules.price_text(rules.tick),
        },
        {"filterType": "LOT_SIZE", **lot},
        {"filterType": "MARKET_LOT_SIZE", **lot},
        {"filterType": "MAX_NUM_ORDERS", "limit": rules.max_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
        {"filterType": "MIN_NOTIONAL", "notional": _plain(rules.min_notional)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": f"{rules.multiplier_up:.4f}",
            "multiplierDown": f"{rules.multiplier_down:.4f}",
            "multiplierDecimal": "4",
        },
    ]


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"

"""Markets, own quotes and open orders of a system, as the engine's books have them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from nautilus_trader.cache.cache import Cache
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId

from actors.ledger import Ledger
from runtime.live.web.state import Market, OpenOrder, OwnQuote

MOST_ORDERS: Final = 100

_BPS: Final = Decimal(10_000)
_SECOND_NS: Final = 1_000_000_000


def market_of(cache: Cache, instrument_id: InstrumentId, ledger: Ledger, now_ns: int) -> Market:
    """Return an instrument's touch and what is held of it."""
    name = instrument_id.value
    quote = cache.quote_tick(instrument_id)
    held = ledger.position(name) if ledger.is_open else None
    if quote is None:
        return Market(
            instrument=name, bid=None, ask=None, mid=None, spread_bps=None, age_secs=None, held=held, value=None
        )
    bid, ask = quote.bid_price.as_decimal(), quote.ask_price.as_decimal()
    mid = (bid + ask) / 2
    return Market(
        instrument=name,
        bid=bid,
        ask=ask,
        mid=mid,
        spread_bps=round(float((ask - bid) / mid * _BPS), 3) if mid > 0 else None,
        age_secs=max(0, now_ns - quote.ts_init) / _SECOND_NS,
        held=held,
        value=None if held is None else held * mid,
    )


def orders_of(cache: Cache) -> list[Any]:
    """Return the engine's orders that may still fill, each once."""
    return list({order.client_order_id: order for order in (*cache.orders_open(), *cache.orders_inflight())}.values())


def open_order(order: Any, now_ns: int) -> OpenOrder:
    """Return an order of the engine as plain values."""
    return OpenOrder(
        id=order.client_order_id.value,
        strategy=order.strategy_id.value,
        instrument=order.instrument_id.value,
        side="buy" if order.side == OrderSide.BUY else "sell",
        price=order.price.as_decimal() if order.has_price else None,
        left=order.leaves_qty.as_decimal(),
        filled=order.filled_qty.as_decimal(),
        status=order.status_string(),
        age_secs=max(0, now_ns - order.ts_init) / _SECOND_NS,
    )


def own_quotes(orders: Sequence[OpenOrder], market: Market) -> tuple[OwnQuote | None, OwnQuote | None]:
    """Return the best standing bid and ask on a market among some orders; None for a side without one."""
    standing = [order for order in orders if order.instrument == market.instrument and order.status != "SUBMITTED"]
    return _best(standing, "buy", market), _best(standing, "sell", market)


def _best(orders: Sequence[OpenOrder], side: str, market: Market) -> OwnQuote | None:
    sign = 1 if side == "buy" else -1
    best = max(
        ((order.price, order.left) for order in orders if order.side == side and order.price is not None),
        key=lambda quote: sign * quote[0],
        default=None,
    )
    if best is None:
        return None
    price, quantity = best
    touch = market.bid if side == "buy" else market.ask
    return OwnQuote(
        price=price,
        quantity=quantity,
        to_touch_bps=_distance(touch, price, sign, market.mid),
        to_mid_bps=_distance(market.mid, price, sign, market.mid),
    )


def _distance(origin: Decimal | None, price: Decimal, sign: int, mid: Decimal | None) -> float | None:
    if origin is None or mid is None or mid <= 0:
        return None
    return round(float(sign * (origin - price) / mid * _BPS), 3)

"""
What one order may be, in exact decimals: each rule returns None, or a breach that names rule, value and limit.

The value is what was found, the limit what it was held against, both in the unit that the rule's name ends with. A
value that equals its limit is within it. Sides are signs: +1 buys, -1 sells. Semantics: RTS 6 Article 15 and SEC rule
15c3-5 ask for these controls; how boundaries are drawn is the project's convention, written at each rule.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from models.risk_exposure import Exposure

BPS = Decimal(10_000)


class Breach(NamedTuple):
    """
    A rule that was broken.

    Parameters
    ----------
    rule : str
        The rule's name; it is the key of the setup that gives the limit, where there is one.
    value, limit : Decimal
        What was found, and what it was held against.

    """

    rule: str
    value: Decimal
    limit: Decimal

    def __str__(self) -> str:
        return f"{self.rule}: was {plain(self.value)}, the limit is {plain(self.limit)}"


def plain(number: Decimal) -> str:
    """Return a number without exponent and without zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def allowed_quantity(side: int, quantity: Decimal, exposure: Exposure, limit: Decimal) -> Decimal:
    """
    Return how much of an order keeps the worst case within the position limit.

    The worst case is that every open order of the same side fills and none of the other. An order that reduces passes,
    one that flips the position is clipped.

    Parameters
    ----------
    side : int
        +1 or -1.
    quantity : Decimal
        What is wanted, in the base asset, not negative.
    exposure : Exposure
        What is held and what may still fill on either side, orders in flight included.
    limit : Decimal
        The largest position either way, not negative.

    """
    room = limit - exposure.net(side) if side > 0 else limit + exposure.net(side)
    return max(Decimal(0), min(quantity, room))


def position_breach(side: int, quantity: Decimal, exposure: Exposure, limit: Decimal) -> Breach | None:
    """Return a breach if an order does not fit under the position limit as it is; the value is the worst case."""
    if allowed_quantity(side, quantity, exposure, limit) == quantity:
        return None
    return Breach("max_position_qty", abs(exposure.net(side, quantity)), limit)


def exposure_breach(rule: str, before: Decimal, after: Decimal, limit: Decimal) -> Breach | None:
    """Return a breach if an order makes a worst-case exposure larger and leads it beyond `limit`."""
    return Breach(rule, after, limit) if after > limit and after > before else None


def leverage_breach(before: Decimal, after: Decimal, equity: Decimal, limit: Decimal) -> Breach | None:
    """
    Return a breach if an order makes the gross notional larger than `limit` times the equity.

    Without equity above 0 nothing larger is allowed; the value is then the gross notional itself.
    """
    if after <= before or (equity > 0 and after <= limit * equity):
        return None
    return Breach("max_leverage", after / equity if equity > 0 else after, limit if equity > 0 else Decimal(0))


def free_margin_breach(
    gross: tuple[Decimal, Decimal], equity: Decimal, account_leverage: Decimal, limit_pct: Decimal
) -> Breach | None:
    """
    Return a breach if an order leaves too little of the equity free of margin.

    `gross` is the gross notional without and with the order. The margin is gross notional / leverage of the account;
    what is free is a percentage of the equity.
    """
    before, after = gross
    if after <= before:
        return None
    if equity <= 0:
        return Breach("min_free_margin_pct", Decimal(0), limit_pct)
    free_pct = (equity - after / account_leverage) * 100 / equity
    return Breach("min_free_margin_pct", free_pct, limit_pct) if free_pct < limit_pct else None


def at_most(rule: str, value: Decimal, limit: Decimal) -> Breach | None:
    """Return a breach if `value` is above `limit`."""
    return Breach(rule, value, limit) if value > limit else None


def collar_breach(side: int, price: Decimal, reference: Decimal, band_bps: Decimal) -> Breach | None:
    """
    Return a breach if a buy is dearer than reference × (1 + band) or a sale cheaper than reference × (1 - band).

    The band is in basis points. Value and limit are prices.
    """
    edge = reference * (BPS + band_bps if side > 0 else BPS - band_bps)
    at = price * BPS
    if (at <= edge) if side > 0 else (at >= edge):
        return None
    return Breach("price_collar_bps", price, edge / BPS)


def self_trade_breach(side: int, price: Decimal, own_opposite: Iterable[Decimal]) -> Breach | None:
    """Return a breach if a buy is at or above an own ask, or a sale at or below an own bid; the limit is that price."""
    best = min(own_opposite, default=None) if side > 0 else max(own_opposite, default=None)
    if best is None or (price < best if side > 0 else price > best):
        return None
    return Breach("self_trade", price, best)


def stale_breach(now_ns: int, last_ns: int, max_age_secs: Decimal) -> Breach | None:
    """Return a breach if the last market event is older than `max_age_secs`; exactly as old is fresh."""
    if now_ns <= last_ns:  # most orders answer the very event that is asked about
        return None
    age_secs = Decimal(now_ns - last_ns).scaleb(-9)
    return Breach("max_data_age_secs", age_secs, max_age_secs) if age_secs > max_age_secs else None


def clock_skew_breach(local_ns: int, venue_ns: int, max_skew_secs: Decimal) -> Breach | None:
    """
    Return a breach if the venue's time of an event and the local time of its arrival lie further apart than allowed.

    Either a clock is wrong, or what arrives is old.
    """
    apart_secs = Decimal(abs(local_ns - venue_ns)).scaleb(-9)
    return at_most("max_clock_skew_secs", apart_secs, max_skew_secs)


def crossed_breach(bid: Decimal, ask: Decimal) -> Breach | None:
    """Return a breach if the market's bid is at or above its ask, or not a price; the limit is the ask."""
    return Breach("crossed_market", bid, ask) if bid >= ask or bid <= 0 else None

"""
All the rules that an order must pass before it leaves, in one order of precedence.

First whether the market can be trusted, then the order itself, then what it may lead to: position, notional, leverage.
A limit that is None is not held. Notional is valued at the mid. An order that makes no exposure larger passes the rules
of exposure, however far beyond its limit the exposure already is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor, inf
from typing import Final, NamedTuple, Self

from models.risk_exposure import ZERO, Exposure, InstrumentExposure
from models.risk_limits import (
    BPS,
    Breach,
    at_most,
    collar_breach,
    crossed_breach,
    exposure_breach,
    free_margin_breach,
    leverage_breach,
    position_breach,
    self_trade_breach,
    stale_breach,
)

_NEARLY: Final = 1e-12
"""By which part the collar of `OrderBounds` is narrower than the limit: more than floats may be wrong."""

_ENDLESS: Final = 10**100
"""More than any order is worth, in whatever unit."""
_INFINITY: Final = Decimal("Infinity")


class ProposedOrder(NamedTuple):
    """
    A new order, or an open one as it is to be.

    Parameters
    ----------
    order_id, strategy, instrument : str
        Which order of whom on what.
    side : int
        +1 buys, -1 sells.
    price : Decimal, optional
        Its limit; None for a market order.
    quantity : Decimal
        What is to be left to fill, in the base asset.
    closing : bool
        Whether it closes a position on the way to a halt: it may then only reduce, and only the market order's own
        rules are asked.

    """

    order_id: str
    strategy: str
    instrument: str
    side: int
    price: Decimal | None
    quantity: Decimal
    closing: bool = False


class Market(NamedTuple):
    """The last quote of an instrument with the middle of it, and when it came (UNIX ns)."""

    bid: Decimal
    ask: Decimal
    mid: Decimal
    ts_ns: int

    @classmethod
    def of(cls, bid: Decimal, ask: Decimal, ts_ns: int) -> Self:
        """Return the market of a quote."""
        return cls(bid, ask, (bid + ask) / 2, ts_ns)


@dataclass(frozen=True, slots=True)
class PreTradeLimits:
    """
    The limits; None leaves a rule out. Quantities are in the base asset, `_quote` in the quote currency.

    `max_position_qty` and `max_order_qty` are by instrument. `account_leverage` is what margin is computed with.
    """

    max_position_qty: Mapping[str, Decimal]
    max_order_qty: Mapping[str, Decimal]
    max_order_notional_quote: Decimal | None = None
    max_instrument_notional_quote: Decimal | None = None
    max_strategy_notional_quote: Decimal | None = None
    max_strategy_net_notional_quote: Decimal | None = None
    max_gross_notional_quote: Decimal | None = None
    max_net_notional_quote: Decimal | None = None
    max_leverage: Decimal | None = None
    min_free_margin_pct: Decimal | None = None
    account_leverage: Decimal = Decimal(1)
    price_collar_bps: Decimal | None = None
    max_data_age_secs: Decimal | None = None

    @property
    def limit_values(self) -> bool:
        """Whether a rule limits what positions are worth."""
        return self.max_leverage is not None or any(value is not None for value in self.notional_limits)

    @property
    def notional_limits(self) -> tuple[Decimal | None, ...]:
        """The limits in the quote currency of what positions are worth."""
        return (
            self.max_instrument_notional_quote,
            self.max_strategy_notional_quote,
            self.max_strategy_net_notional_quote,
            self.max_gross_notional_quote,
            self.max_net_notional_quote,
        )

    @property
    def needs_equity(self) -> bool:
        """Whether a rule compares with the equity."""
        return self.max_leverage is not None or self.min_free_margin_pct is not None


class Account(NamedTuple):
    """
    What all orders together could lead to.

    Parameters
    ----------
    exposures : mapping
        By instrument.
    mids : mapping
        The mid of every instrument of `exposures`.
    equity : Decimal, optional
        None while it is not known: then no exposure may grow that is limited by it.

    """

    exposures: Mapping[str, InstrumentExposure]
    mids: Mapping[str, Decimal]
    equity: Decimal | None


class ExposureRoom(NamedTuple):
    """
    What all that is held and open may be worth together without any limit of values being near.

    Every value that a limit holds - of an instrument, a strategy, net or gross - is at most the sum of what all
    strategies hold and have open on either side, at the mid. Where that sum has room, none of them needs to be known.

    Parameters
    ----------
    value : Decimal
        The least of the limits in the quote currency.
    times_equity : Decimal, optional
        The least of those that grow with the equity; None where there is none.

    """

    value: Decimal
    times_equity: Decimal | None

    @classmethod
    def of(cls, limits: PreTradeLimits) -> Self:
        """Return the room that the limits leave."""
        times = [] if limits.max_leverage is None else [limits.max_leverage]
        if limits.min_free_margin_pct is not None:
            times.append(limits.account_leverage * (100 - limits.min_free_margin_pct) / 100)
        values = [value for value in limits.notional_limits if value is not None]
        return cls(min(values, default=_INFINITY), min(times, default=None))

    def holds(self, value: Decimal, equity: Decimal | None) -> bool:
        """Return whether `value` of everything together is below every limit; False says to ask each."""
        if value >= self.value:
            return False
        return self.times_equity is None or (equity is not None and value < self.times_equity * equity)


def market_breach(market: Market | None, now_ns: int, limits: PreTradeLimits) -> Breach | None:
    """Return a breach if there is no market, or one that cannot be trusted."""
    if market is None:
        return Breach("no_market_data", ZERO, Decimal(1))
    breach = crossed_breach(market.bid, market.ask)
    if breach is None and limits.max_data_age_secs is not None:
        breach = stale_breach(now_ns, market.ts_ns, limits.max_data_age_secs)
    return breach


def order_breach(
    order: ProposedOrder,
    market: Market,
    exposure: InstrumentExposure,
    limits: PreTradeLimits,
    venue_minimum: tuple[Decimal, Decimal],
) -> Breach | None:
    """
    Return the first rule that the order itself breaks: size, value, price, own orders.

    Parameters
    ----------
    order : ProposedOrder
        The order.
    market : Market
        The last quote.
    exposure : InstrumentExposure
        The open orders of the instrument.
    limits : PreTradeLimits
        The limits.
    venue_minimum : tuple of Decimal
        The venue's smallest quantity and smallest value of an order.

    """
    _, _, instrument, side, price, quantity, _ = order
    value = (market.mid if price is None else price) * quantity
    min_qty, min_value = venue_minimum
    max_qty, max_value = limits.max_order_qty.get(instrument), limits.max_order_notional_quote
    if quantity < min_qty:
        return Breach("min_order_qty", quantity, min_qty)
    if value < min_value:
        return Breach("min_order_notional_quote", value, min_value)
    if max_qty is not None and quantity > max_qty:
        return Breach("max_order_qty", quantity, max_qty)
    if max_value is not None and value > max_value:
        return Breach("max_order_notional_quote", value, max_value)
    return None if price is None else _price_breach(side, price, market, exposure, limits)


class OrderBounds(NamedTuple):
    """
    What an order must keep within to pass its own rules without a closer look, in whole units of the books.

    That is the answer that nearly every change of a quote gets, at a fraction of what asking each rule costs.

    Parameters
    ----------
    min_quantity, max_quantity, min_value, max_value : int
        Of one order, bounds included; values in units × units.
    highest, lowest : float
        How many times twice the mid the price of a buy may be at most, and that of a sale at least.

    """

    min_quantity: int
    max_quantity: int
    min_value: int
    max_value: int
    highest: float
    lowest: float

    @classmethod
    def of(cls, instrument: str, limits: PreTradeLimits, venue_minimum: tuple[Decimal, Decimal], unit: Decimal) -> Self:
        """Return the bounds that the limits set for the orders of an instrument, rounded to the narrow side."""
        max_quantity, max_value = limits.max_order_qty.get(instrument), limits.max_order_notional_quote
        band, value_unit = limits.price_collar_bps, unit * unit
        return cls(
            ceil(venue_minimum[0] / unit),
            _ENDLESS if max_quantity is None else floor(max_quantity / unit),
            ceil(venue_minimum[1] / value_unit),
            _ENDLESS if max_value is None else floor(max_value / value_unit),
            inf if band is None else float((BPS + band) / (2 * BPS)) * (1 - _NEARLY),
            -inf if band is None else float((BPS - band) / (2 * BPS)) * (1 + _NEARLY),
        )

    def size_holds(self, price: int, quantity: int) -> bool:
        """Return whether an order keeps the rules of size and value."""
        return (
            self.min_quantity <= quantity <= self.max_quantity and self.min_value <= price * quantity <= self.max_value
        )

    def collar(self, lowest_twice: int, highest_twice: int) -> tuple[float, float]:
        """
        Return the highest price of a buy and the lowest of a sale that surely lie within the collar.

        Both are held against the worse of all references, of which the lowest and the highest are given, times two.
        """
        return lowest_twice * self.highest, highest_twice * self.lowest


def _price_breach(
    side: int, price: Decimal, market: Market, exposure: InstrumentExposure, limits: PreTradeLimits
) -> Breach | None:
    if limits.price_collar_bps is not None:
        breach = collar_breach(side, price, market.mid, limits.price_collar_bps)
        if breach is not None:
            return breach
    own = [standing * exposure.unit for standing in exposure.opposite_prices(side)]
    return self_trade_breach(side, price, own) if own else None


def exposure_of_order_breach(order: ProposedOrder, account: Account, limits: PreTradeLimits) -> Breach | None:
    """Return the first rule of exposure that an order breaks in the worst case: position, then notional, leverage."""
    more = order.quantity - account.exposures[order.instrument].held(order.order_id)
    if more <= 0:
        return None
    total = account.exposures[order.instrument].total
    limit = limits.max_position_qty.get(order.instrument)
    breach = None if limit is None else position_breach(order.side, more, total, limit)
    if breach is None and limits.max_instrument_notional_quote is not None:
        mid = account.mids[order.instrument]
        before, after = total.worst() * mid, total.worst(order.side, more) * mid
        breach = exposure_breach("max_instrument_notional_quote", before, after, limits.max_instrument_notional_quote)
    breach = breach or _strategy_breach(order, account, more, limits)
    breach = breach or _net_breach(order, account, more, limits)
    return breach or _gross_breach(order, account, more, limits)


def _strategy_breach(order: ProposedOrder, account: Account, more: Decimal, limits: PreTradeLimits) -> Breach | None:
    breach = None
    if limits.max_strategy_notional_quote is not None:
        books = {name: book.of(order.strategy) for name, book in account.exposures.items()}
        before, after = _gross(books, order, more, account.mids)
        breach = exposure_breach("max_strategy_notional_quote", before, after, limits.max_strategy_notional_quote)
    if breach is None and limits.max_strategy_net_notional_quote is not None:
        books = {name: book.of(order.strategy) for name, book in account.exposures.items()}
        before, after = _net(books, order, more, account.mids)
        breach = exposure_breach(
            "max_strategy_net_notional_quote", before, after, limits.max_strategy_net_notional_quote
        )
    return breach


def _net_breach(order: ProposedOrder, account: Account, more: Decimal, limits: PreTradeLimits) -> Breach | None:
    if limits.max_net_notional_quote is None:
        return None
    books = {name: book.total for name, book in account.exposures.items()}
    before, after = _net(books, order, more, account.mids)
    return exposure_breach("max_net_notional_quote", before, after, limits.max_net_notional_quote)


def _gross_breach(order: ProposedOrder, account: Account, more: Decimal, limits: PreTradeLimits) -> Breach | None:
    if limits.max_gross_notional_quote is None and not limits.needs_equity:
        return None
    books = {name: book.total for name, book in account.exposures.items()}
    before, after = _gross(books, order, more, account.mids)
    breach = None
    if limits.max_gross_notional_quote is not None:
        breach = exposure_breach("max_gross_notional_quote", before, after, limits.max_gross_notional_quote)
    if breach is not None or not limits.needs_equity:
        return breach
    if account.equity is None:
        return Breach("equity_unknown", after, ZERO) if after > before else None
    if limits.max_leverage is not None:
        breach = leverage_breach(before, after, account.equity, limits.max_leverage)
    if breach is None and limits.min_free_margin_pct is not None:
        margin = limits.account_leverage
        breach = free_margin_breach((before, after), account.equity, margin, limits.min_free_margin_pct)
    return breach


def _gross(
    books: Mapping[str, Exposure], order: ProposedOrder, more: Decimal, mids: Mapping[str, Decimal]
) -> tuple[Decimal, Decimal]:
    """Return the gross notional in the worst case, without and with the order."""
    before = sum((book.worst() * mids[name] for name, book in books.items()), ZERO)
    own = books[order.instrument]
    return before, before + (own.worst(order.side, more) - own.worst()) * mids[order.instrument]


def _net(
    books: Mapping[str, Exposure], order: ProposedOrder, more: Decimal, mids: Mapping[str, Decimal]
) -> tuple[Decimal, Decimal]:
    """Return the size of the net notional when all on the order's side fills, without and with the order."""
    before = sum((book.net(order.side) * mids[name] for name, book in books.items()), ZERO)
    return abs(before), abs(before + order.side * more * mids[order.instrument])


def reduce_only_breach(order: ProposedOrder, exposure: InstrumentExposure) -> Breach | None:
    """
    Return a breach if an order could do more than reduce its strategy's position.

    What the position leaves after the other open orders of that side bounds it. Used for every order while only
    reducing is allowed, and for orders that close a position.
    """
    book = exposure.of(order.strategy)
    room = max(-order.side * book.net(order.side) + exposure.held(order.order_id), ZERO)
    return at_most("reduce_only", order.quantity, room)


def closing_breach(order: ProposedOrder, exposure: InstrumentExposure, limits: PreTradeLimits) -> Breach | None:
    """
    Return a breach if an order that closes a strategy's position could do more than that.

    Closing a position that offset another strategy's leaves more in all; the limit of the position holds for it too.
    """
    limit = limits.max_position_qty.get(order.instrument)
    breach = reduce_only_breach(order, exposure)
    if breach is None and limit is not None:
        breach = position_breach(order.side, order.quantity, exposure.total, limit)
    return breach


def held_breaches(values: Mapping[str, Decimal], equity: Decimal | None, limits: PreTradeLimits) -> list[Breach]:
    """
    Return the limits of the account that what is held goes beyond, whatever is open.

    `values` are the signed values of the positions at the mid, by instrument.
    """
    gross = sum((abs(value) for value in values.values()), ZERO)
    largest = max((abs(value) for value in values.values()), default=ZERO)
    held = [
        ("max_instrument_notional_quote", largest, limits.max_instrument_notional_quote),
        ("max_gross_notional_quote", gross, limits.max_gross_notional_quote),
        ("max_net_notional_quote", abs(sum(values.values(), ZERO)), limits.max_net_notional_quote),
    ]
    breaches = [at_most(rule, value, limit) for rule, value, limit in held if limit is not None]
    if limits.max_leverage is not None and equity is not None:
        breaches.append(leverage_breach(ZERO, gross, equity, limits.max_leverage))
    return [breach for breach in breaches if breach is not None]


def held_breaches_of_strategy(values: Mapping[str, Decimal], limits: PreTradeLimits) -> list[Breach]:
    """Return the limits of a strategy that what it holds goes beyond; `values` as for `held_breaches`."""
    held = [
        ("max_strategy_notional_quote", sum((abs(value) for value in values.values()), ZERO)),
        ("max_strategy_net_notional_quote", abs(sum(values.values(), ZERO))),
    ]
    breaches = [at_most(rule, value, limit) for rule, value in held if (limit := getattr(limits, rule)) is not None]
    return [breach for breach in breaches if breach is not None]

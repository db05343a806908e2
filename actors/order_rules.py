"""Every rule that an order is held against, each with exact decimals: the first that it breaks is the answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nautilus_trader.model.data import QuoteTick

from actors.guard_books import UNIT
from messages.risk import ACCOUNT, PERMITS, OrderRequest
from models.pre_trade import (
    Account,
    ExposureRoom,
    Market,
    PreTradeLimits,
    ProposedOrder,
    closing_breach,
    exposure_of_order_breach,
    market_breach,
    order_breach,
    reduce_only_breach,
)
from models.rate_limits import Duplicates, OrderRate
from models.risk_exposure import ZERO, InstrumentExposure
from models.risk_limits import Breach, collar_breach


@dataclass(slots=True)
class OrderRules:
    """
    The limits, and all that is held against them.

    Parameters
    ----------
    limits : PreTradeLimits
        The limits of orders and exposures.
    exposures : mapping
        The books, by instrument.
    quote_of, twice_median_of : callable
        Return the last quote of an instrument, and twice the median of its last mids on the ledger's grid (`raw`);
        None where there is none.
    permits : mapping
        What a reduced or halted scope may still do; empty while all trade.
    rate : OrderRate, optional
        How many orders may be sent.
    duplicates : mapping
        By instrument, the orders that were sent shortly before; empty where that is not limited.
    minimums : dict
        By instrument, the smallest quantity and value of an order that the venue takes.
    equity : Decimal, optional
        The last equity; None while it is not known.

    """

    limits: PreTradeLimits
    exposures: Mapping[str, InstrumentExposure]
    quote_of: Callable[[str], QuoteTick | None]
    twice_median_of: Callable[[str], int | None]
    permits: Mapping[str, str]
    rate: OrderRate | None
    duplicates: Mapping[str, Duplicates]
    minimums: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    equity: Decimal | None = None
    _room: ExposureRoom = field(init=False)
    _markets: dict[str, tuple[QuoteTick, Market]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._room = ExposureRoom.of(self.limits)

    def breach(self, request: OrderRequest, now_ns: int) -> Breach | None:
        """Return the first rule that an order breaks."""
        book = self.exposures.get(request.instrument)
        if book is None:
            return Breach("unknown_instrument", Decimal(1), ZERO)
        order = _proposed(request)
        breach = None
        if self.permits or order.closing:
            breach = self._state_breach(order, book)
        if breach is None and not order.closing:
            breach = self._limits_breach(order, request, book, now_ns)
        if breach is None and self.rate is not None:
            breach = self.rate.check(now_ns, order.closing)
        return breach

    def is_duplicate(self, request: OrderRequest, now_ns: int) -> Breach | None:
        """Return a breach if the same strategy has sent the same order shortly before."""
        duplicates = self.duplicates.get(request.instrument)
        return None if duplicates is None else duplicates.check(now_ns, said(request))

    def has_room(self, instrument: str, more: int) -> bool:
        """Return whether all that is held and open, with so many units more, is surely below every limit of values."""
        most = self._most_it_may_be_worth(instrument, more * UNIT)
        return most is not None and self._room.holds(most, self.equity)

    def _most_it_may_be_worth(self, instrument: str, more: Decimal) -> Decimal | None:
        total = ZERO
        for name, book in self.exposures.items():
            quantity = more if name == instrument else ZERO
            for exposure in book.by_strategy.values():
                quantity += exposure.most()
            market = self._market(name) if quantity else None
            if market is not None:
                total += quantity * market.mid
            elif quantity:
                return None
        return total

    def _state_breach(self, order: ProposedOrder, book: InstrumentExposure) -> Breach | None:
        scopes = (self.permits.get(order.strategy, "all"), self.permits.get(ACCOUNT, "all"))
        permits = min(scopes, key=PERMITS.index)
        if order.closing:
            if permits == "none":
                return Breach("halted", Decimal(1), ZERO)
            return closing_breach(order, book, self.limits)
        if permits == "all":
            return None
        if permits in ("reducing", "unwinding"):
            return reduce_only_breach(order, book)
        return Breach("halted", Decimal(1), ZERO)

    def _limits_breach(
        self, order: ProposedOrder, request: OrderRequest, book: InstrumentExposure, now_ns: int
    ) -> Breach | None:
        market = self._market(order.instrument)
        breach = market_breach(market, now_ns, self.limits)
        if breach is not None or market is None:
            return breach
        breach = order_breach(order, market, book, self.limits, self.minimums[order.instrument])
        breach = breach or self._collar_over_time_breach(order)
        if breach is None and order.order_id not in book.orders:
            breach = self.is_duplicate(request, now_ns)
        return breach or self._exposure_breach(order)

    def _collar_over_time_breach(self, order: ProposedOrder) -> Breach | None:
        """Hold the price against where the market was as well: after a bad quote, the mid is what is wrong."""
        band_bps, twice_median = self.limits.price_collar_bps, self.twice_median_of(order.instrument)
        if band_bps is None or order.price is None or twice_median is None:
            return None
        return collar_breach(order.side, order.price, twice_median * UNIT / 2, band_bps)

    def _exposure_breach(self, order: ProposedOrder) -> Breach | None:
        markets = {name: self._market(name) for name in self.exposures}
        mids = {name: market.mid for name, market in markets.items() if market is not None}
        traded = {name: exposure for name, exposure in self.exposures.items() if name in mids}
        return exposure_of_order_breach(order, Account(traded, mids, self.equity), self.limits)

    def _market(self, name: str) -> Market | None:
        quote = self.quote_of(name)
        if quote is None:
            return None
        known = self._markets.get(name)
        if known is None or known[0] is not quote:
            market = Market.of(_exact(quote.bid_price), _exact(quote.ask_price), quote.ts_init)
            known = self._markets[name] = (quote, market)
        return known[1]


def said(request: OrderRequest) -> tuple[object, ...]:
    """Return what makes an order the same as another one of its instrument."""
    return (request.strategy, request.side, request.price, request.quantity)


def _proposed(request: OrderRequest) -> ProposedOrder:
    price = None if request.price is None else request.price * UNIT
    return ProposedOrder(
        request.order_id,
        request.strategy,
        request.instrument,
        request.side,
        price,
        request.quantity * UNIT,
        request.closing,
    )


def _exact(number: Any) -> Decimal:
    """Return a price or quantity of the engine; several times faster than its `as_decimal`."""
    return Decimal(number.raw) * UNIT

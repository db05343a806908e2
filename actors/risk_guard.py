"""The guard: asked before any order of any strategy leaves; what it refuses, it refuses with rule, value and limit."""

import sys
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from math import floor
from typing import Any, Final

import msgspec
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig, NonNegativeInt, PositiveInt
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import (
    OrderCanceled,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderUpdated,
)
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import FIXED_PRECISION

from actors.order_glance import OrderGlance
from messages import (
    ACCOUNT,
    ANSWERS_TOPIC,
    EQUITY_TOPIC,
    GLANCE_ENDPOINT,
    GUARD_ENDPOINT,
    PERMITS,
    REFUSAL_TOPIC,
    RISK_STATE_TOPIC,
    EquityMark,
    GlanceRequest,
    OrderRefused,
    OrderRequest,
    RiskStateChanged,
)
from models.pre_trade import (
    Account,
    ExposureRoom,
    Market,
    OrderBounds,
    PreTradeLimits,
    ProposedOrder,
    closing_breach,
    exposure_of_order_breach,
    market_breach,
    order_breach,
    reduce_only_breach,
)
from models.rate_limits import Duplicates, OrderRate
from models.risk_exposure import ZERO, InstrumentExposure, OpenOrder
from models.risk_limits import Breach, collar_breach

_RATE_WINDOW_NS: Final = 10_000_000_000
_BEFORE_STRATEGIES: Final = 100
"""The guard's books are up to date before a strategy reacts to the same event."""


class RiskGuardConfig(ActorConfig, frozen=True, kw_only=True):
    """
    What the guard holds orders against.

    Parameters
    ----------
    instrument_ids : tuple of InstrumentId
        What may be traded; orders for anything else are refused.
    limits : PreTradeLimits
        The limits of orders and exposures.
    max_orders_per_10s : int, optional
        New and changed orders in any ten seconds.
    order_reserve : int, default 0
        How many of them only closing orders may use.
    duplicate_window_secs : Decimal, optional
        For how long the same order of the same strategy is not sent a second time.

    """

    instrument_ids: tuple[InstrumentId, ...]
    limits: PreTradeLimits
    max_orders_per_10s: PositiveInt | None = None
    order_reserve: NonNegativeInt = 0
    duplicate_window_secs: Decimal | None = None


class RefusalCount(msgspec.Struct, kw_only=True):
    """How often a rule said no to a strategy, from when to when, and what it said the first time."""

    count: int
    ts_ns: int
    last_ns: int
    instrument: str
    value: Decimal
    limit: Decimal


class RiskGuard(Actor):
    """
    Answers `OrderRequest`s, and keeps count of what every open order could still do.

    Cancellations are not asked for: they always pass.
    """

    def __init__(self, config: RiskGuardConfig) -> None:
        super().__init__(config)
        self._forget()

    def _forget(self) -> None:
        config = self.config
        self.refusals: dict[tuple[str, str], RefusalCount] = {}
        self.exposures: dict[str, InstrumentExposure] = {
            instrument_id.value: InstrumentExposure(_UNIT) for instrument_id in config.instrument_ids
        }
        self._ids = {instrument_id.value: instrument_id for instrument_id in config.instrument_ids}
        self._books = {instrument_id: self.exposures[instrument_id.value] for instrument_id in config.instrument_ids}
        self._minimums: dict[str, tuple[Decimal, Decimal]] = {}
        self._glances: dict[str, OrderGlance] = {}
        self._markets: dict[str, tuple[Any, Market]] = {}
        self._equity: Decimal | None = None
        self._collared = config.limits.price_collar_bps is not None
        self._room = ExposureRoom.of(config.limits)
        self._values_matter = config.limits.limit_values or config.limits.needs_equity
        self._permits: dict[str, str] = {}
        self.passes: set[str] = set()
        """The orders that were approved and have not been sent since; each approval passes the gate once."""
        limit = config.max_orders_per_10s
        self._rate = None if limit is None else OrderRate(limit, _RATE_WINDOW_NS, config.order_reserve)
        window = config.duplicate_window_secs
        window_ns = 0 if window is None else int(window.scaleb(9))
        self._duplicates = {name: Duplicates(window_ns) for name in self._ids if window_ns}

    # -- Life cycle ---------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Open the books with what is held and open already, and begin to answer."""
        self._quote_of, self._now = self.cache.quote_tick, self.clock.timestamp_ns
        for name, instrument_id in self._ids.items():
            instrument = self.cache.instrument(instrument_id)
            if instrument is None:
                raise RuntimeError(f"the guard knows no instrument {instrument_id}")
            quantity = instrument.min_quantity.as_decimal() if instrument.min_quantity else ZERO
            value = instrument.min_notional.as_decimal() if instrument.min_notional else ZERO
            self._minimums[name] = (quantity, value)
            self.exposures[name].base = instrument.base_currency.code
            self._glances[name] = self._glance(name, instrument_id)
            self._take_over(name, instrument_id)
        self.msgbus.subscribe("events.order.*", self._on_order_event, priority=_BEFORE_STRATEGIES)
        self.msgbus.subscribe(EQUITY_TOPIC, self._on_equity)
        self.msgbus.subscribe(RISK_STATE_TOPIC, self._on_state, priority=_BEFORE_STRATEGIES)
        self.msgbus.register(GUARD_ENDPOINT, self.answer)
        self.msgbus.register(GLANCE_ENDPOINT, self._lend_a_glance)

    def _glance(self, name: str, instrument_id: InstrumentId) -> OrderGlance:
        limits = self.config.limits
        age, max_position = limits.max_data_age_secs, limits.max_position_qty.get(name)
        return OrderGlance(
            instrument_id,
            quote_of=self._quote_of,
            now=self._now,
            book=self.exposures[name],
            bounds=OrderBounds.of(name, limits, self._minimums[name], _UNIT),
            max_position=None if max_position is None else floor(max_position / _UNIT),
            has_room=partial(self._has_room, name) if self._values_matter else None,
            rate=self._rate,
            duplicates=self._duplicates.get(name),
            fresh_ns=sys.maxsize if age is None else int(age.scaleb(9) / 2),
            permits=self._permits,
            passes=self.passes,
        )

    def _lend_a_glance(self, request: GlanceRequest) -> None:
        """Tell a strategy how to have harmless orders approved without a message."""
        glance = self._glances.get(request.instrument)
        if glance is not None:
            request.opens, request.moves = partial(glance.opens, request.strategy), glance.moves

    def _take_over(self, name: str, instrument_id: InstrumentId) -> None:
        book = self.exposures[name]
        for position in self.cache.positions_open(instrument_id=instrument_id):
            book.filled("", position.strategy_id.value, 1 if position.is_long else -1, position.quantity.raw)
        for order in [*self.cache.orders_open(instrument_id=instrument_id), *self.cache.orders_inflight()]:
            if order.instrument_id == instrument_id:
                side = 1 if order.side == OrderSide.BUY else -1
                price = order.price.raw if order.has_price else None
                book.submitting(order.client_order_id.value, order.strategy_id.value, side, price, order.leaves_qty.raw)
                book.orders[order.client_order_id.value].filled = order.filled_qty.raw

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        if GUARD_ENDPOINT in self.msgbus.endpoints():
            self.msgbus.deregister(GUARD_ENDPOINT, self.answer)
            self.msgbus.deregister(GLANCE_ENDPOINT, self._lend_a_glance)
        self._forget()

    def orders_in_window(self) -> int | None:
        """Return how many new and changed orders the last ten seconds have; None where that is not limited."""
        return None if self._rate is None else self._rate.used(self.clock.timestamp_ns())

    # -- Answers ------------------------------------------------------------------------------------------------------

    def answer(self, request: OrderRequest) -> None:
        """Approve or refuse an order; an approved one counts from now on, if the request is binding."""
        now_ns = self._now()
        book = self.exposures.get(request.instrument)
        known = None if book is None else book.orders.get(request.order_id)
        if book is None or not self.passes_at_a_glance(request, known, book, now_ns):
            breach = self.breach(request, now_ns)
            if breach is not None:
                request.refusal = breach
                self._count(request, breach, now_ns)
                return
        request.approved = True
        if request.binding:
            self._take_in(request, known, now_ns)

    def _take_in(self, request: OrderRequest, known: OpenOrder | None, now_ns: int) -> None:
        """Count an approved order from now on."""
        self.passes.add(request.order_id)
        if self._rate is not None:
            self._rate.count(now_ns)
        book = self.exposures[request.instrument]
        if known is not None:
            book.modifying(known, request.price, request.quantity)
            return
        book.submitting(request.order_id, request.strategy, request.side, request.price, request.quantity)
        duplicates = self._duplicates.get(request.instrument)
        if duplicates is not None:
            duplicates.remember(now_ns, _said(request), request.order_id)

    def passes_at_a_glance(
        self, request: OrderRequest, known: OpenOrder | None, book: InstrumentExposure, now_ns: int
    ) -> bool:
        """
        Return whether no rule can object to an order, `known` or new; False if unsure.

        Nearly every order of a maker is such a one, and most only move a known order, no larger: then whole numbers
        tell. True means that `breach` finds none, which a test holds it to.
        """
        if request.price is None or request.closing:
            return False
        glance = self._glances[request.instrument]
        if not glance.is_harmless(request.side, request.price, request.quantity, now_ns):
            return False
        if known is not None:
            return request.quantity <= known.held
        duplicates = self._duplicates.get(request.instrument)
        if duplicates is not None and duplicates.check(now_ns, _said(request)) is not None:
            return False
        return glance.fits(request.side, request.quantity)

    def _has_room(self, instrument: str, more: int) -> bool:
        """Return whether all that is held and open, with so much more of an instrument, has room for sure."""
        most = self._most_it_may_be_worth(instrument, more * _UNIT)
        return most is not None and self._room.holds(most, self._equity)

    def _most_it_may_be_worth(self, instrument: str, more: Decimal) -> Decimal | None:
        """Return the value of all that is held and open, `more` of an instrument too; None without a price."""
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

    def breach(self, request: OrderRequest, now_ns: int) -> Breach | None:
        """Return the first rule that an order breaks, asking each of them with exact decimals."""
        book = self.exposures.get(request.instrument)
        if book is None:
            return Breach("unknown_instrument", Decimal(1), ZERO)
        order = _proposed(request)
        breach = None
        if self._permits or order.closing:
            breach = self._state_breach(order, book)
        if breach is None and not order.closing:
            breach = self._limits_breach(order, request, book, now_ns)
        if breach is None and self._rate is not None:
            breach = self._rate.check(now_ns, order.closing)
        return breach

    def _state_breach(self, order: ProposedOrder, book: InstrumentExposure) -> Breach | None:
        scopes = (self._permits.get(order.strategy, "all"), self._permits.get(ACCOUNT, "all"))
        permits = min(scopes, key=PERMITS.index)
        if order.closing:
            if permits == "none":
                return Breach("halted", Decimal(1), ZERO)
            return closing_breach(order, book, self.config.limits)
        if permits == "all":
            return None
        if permits in ("reducing", "unwinding"):
            return reduce_only_breach(order, book)
        return Breach("halted", Decimal(1), ZERO)

    def _limits_breach(
        self, order: ProposedOrder, request: OrderRequest, book: InstrumentExposure, now_ns: int
    ) -> Breach | None:
        limits = self.config.limits
        market = self._market(order.instrument)
        breach = market_breach(market, now_ns, limits)
        if breach is not None or market is None:
            return breach
        breach = order_breach(order, market, book, limits, self._minimums[order.instrument])
        breach = breach or self._collar_over_time_breach(order)
        duplicates = self._duplicates.get(order.instrument)
        if breach is None and duplicates is not None and order.order_id not in book.orders:
            breach = duplicates.check(now_ns, _said(request))
        return breach or self._exposure_breach(order)

    def _collar_over_time_breach(self, order: ProposedOrder) -> Breach | None:
        """Hold the price against where the market was as well: after a bad quote, the mid is what is wrong."""
        band_bps, twice_median = self.config.limits.price_collar_bps, self._glances[order.instrument].twice_median()
        if band_bps is None or order.price is None or twice_median is None:
            return None
        return collar_breach(order.side, order.price, twice_median * _UNIT / 2, band_bps)

    def _exposure_breach(self, order: ProposedOrder) -> Breach | None:
        markets = {name: self._market(name) for name in self.exposures}
        mids = {name: market.mid for name, market in markets.items() if market is not None}
        traded = {name: exposure for name, exposure in self.exposures.items() if name in mids}
        return exposure_of_order_breach(order, Account(traded, mids, self._equity), self.config.limits)

    def _market(self, name: str) -> Market | None:
        quote = self.cache.quote_tick(self._ids[name])
        if quote is None:
            return None
        known = self._markets.get(name)
        if known is None or known[0] is not quote:
            market = Market.of(_exact(quote.bid_price), _exact(quote.ask_price), quote.ts_init)
            known = self._markets[name] = (quote, market)
        return known[1]

    def _count(self, order: OrderRequest, breach: Breach, now_ns: int) -> None:
        refused = OrderRefused(ts_ns=now_ns, strategy=order.strategy, instrument=order.instrument, breach=breach)
        self.msgbus.publish(REFUSAL_TOPIC, refused)
        known = self.refusals.get((breach.rule, order.strategy))
        if known is not None:
            known.count += 1
            known.last_ns = now_ns
            return
        self.refusals[breach.rule, order.strategy] = RefusalCount(
            count=1,
            ts_ns=now_ns,
            last_ns=now_ns,
            instrument=order.instrument,
            value=breach.value,
            limit=breach.limit,
        )

    # -- What happens -------------------------------------------------------------------------------------------------

    def _on_equity(self, mark: EquityMark) -> None:
        self._equity = mark.equity
        if mark.equity is not None and self._collared:
            for name, glance in self._glances.items():
                quote = self._quote_of(self._ids[name])
                if quote is not None:
                    glance.remember(quote)

    def _on_state(self, change: RiskStateChanged) -> None:
        self._permits[change.scope] = change.permits

    def _on_order_event(self, event: OrderEvent) -> None:
        kind = type(event)
        if kind is OrderUpdated:  # looked at first: nearly all changes of a maker on futures are
            book = self._books.get(event.instrument_id)
            if book is not None:
                price = event.price
                book.updated(event.client_order_id.value, None if price is None else price.raw, event.quantity.raw)
            return
        handler = _HANDLERS.get(kind)
        if handler is None:
            return
        book = self._books.get(event.instrument_id)
        if book is not None:
            handler(book, event)
            if self._duplicates and kind in _ENDS:
                self._duplicates[event.instrument_id.value].forget(event.client_order_id.value)
        if kind in _ANSWERS:
            self.msgbus.publish(ANSWERS_TOPIC, event)


_UNIT: Final = Decimal(1).scaleb(-FIXED_PRECISION)


def _exact(number: Any) -> Decimal:
    """Return a price or quantity of the engine; several times faster than its `as_decimal`, and on the hot path."""
    return Decimal(number.raw) * _UNIT


def _proposed(request: OrderRequest) -> ProposedOrder:
    price = None if request.price is None else request.price * _UNIT
    return ProposedOrder(
        request.order_id,
        request.strategy,
        request.instrument,
        request.side,
        price,
        request.quantity * _UNIT,
        request.closing,
    )


def _said(request: OrderRequest) -> tuple[object, ...]:
    return (request.strategy, request.side, request.price, request.quantity)


def _on_filled(book: InstrumentExposure, event: OrderFilled) -> None:
    side = 1 if event.order_side == OrderSide.BUY else -1
    fee = 0
    if event.commission is not None and event.commission.currency.code == book.base:
        fee = event.commission.raw  # spot: taken from the base asset, and so from the position
    book.filled(event.client_order_id.value, event.strategy_id.value, side, event.last_qty.raw, fee)


def _on_gone(book: InstrumentExposure, event: OrderEvent) -> None:
    book.gone(event.client_order_id.value)


def _on_unchanged(book: InstrumentExposure, event: OrderEvent) -> None:
    book.unchanged(event.client_order_id.value)


_ENDS: Final = frozenset((OrderCanceled, OrderRejected, OrderDenied, OrderExpired))
_ANSWERS: Final = frozenset((OrderFilled, OrderRejected, OrderModifyRejected))
_HANDLERS: Final[dict[type, Callable[[InstrumentExposure, Any], None]]] = {
    OrderFilled: _on_filled,
    OrderModifyRejected: _on_unchanged,
    **dict.fromkeys(_ENDS, _on_gone),
}

"""The guard: asked before any order of any strategy leaves; what it refuses, it refuses with rule, value and limit."""

import sys
from decimal import Decimal
from functools import partial
from math import floor
from typing import Final

import msgspec
from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig, NonNegativeInt, PositiveInt
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.events import OrderEvent
from nautilus_trader.model.identifiers import InstrumentId

from actors.guard_books import UNIT, GuardBooks
from actors.order_glance import OrderGlance
from actors.order_rules import OrderRules, said
from messages.ledger import EQUITY_TOPIC, EquityMark
from messages.risk import (
    ANSWERS_TOPIC,
    GLANCE_ENDPOINT,
    GUARD_ENDPOINT,
    REFUSAL_TOPIC,
    RISK_STATE_TOPIC,
    GlanceRequest,
    OrderRefused,
    OrderRequest,
    RiskStateChanged,
)
from models.pre_trade import OrderBounds, PreTradeLimits
from models.rate_limits import Duplicates, OrderRate
from models.risk_exposure import ZERO, InstrumentExposure, OpenOrder
from models.risk_limits import Breach

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
        self.passes: set[str] = set()
        """The orders that were approved and have not been sent since; each approval passes the gate once."""
        self._ids = {instrument_id.value: instrument_id for instrument_id in config.instrument_ids}
        self._books = GuardBooks(config.instrument_ids, self._on_ended, self._on_answered)
        self._glances: dict[str, OrderGlance] = {}
        self._permits: dict[str, str] = {}
        limit = config.max_orders_per_10s
        self._rate = None if limit is None else OrderRate(limit, _RATE_WINDOW_NS, config.order_reserve)
        window = config.duplicate_window_secs
        window_ns = 0 if window is None else int(window.scaleb(9))
        self._duplicates = {name: Duplicates(window_ns) for name in self._ids if window_ns}
        self._rules = OrderRules(
            limits=config.limits,
            exposures=self.exposures,
            quote_of=self._quote,
            twice_median_of=lambda name: self._glances[name].twice_median(),
            permits=self._permits,
            rate=self._rate,
            duplicates=self._duplicates,
        )

    @property
    def exposures(self) -> dict[str, InstrumentExposure]:
        """The books by instrument."""
        return self._books.by_name

    def _quote(self, name: str) -> QuoteTick | None:
        return self.cache.quote_tick(self._ids[name])

    # -- Life cycle ---------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Open the books with what is held and open already, and begin to answer."""
        self._now = self.clock.timestamp_ns
        for name, instrument_id in self._ids.items():
            instrument = self.cache.instrument(instrument_id)
            if instrument is None:
                raise RuntimeError(f"the guard knows no instrument {instrument_id}")
            quantity = instrument.min_quantity.as_decimal() if instrument.min_quantity else ZERO
            value = instrument.min_notional.as_decimal() if instrument.min_notional else ZERO
            self._rules.minimums[name] = (quantity, value)
            self._glances[name] = self._glance(name, instrument_id)
            self._books.take_over(instrument, self.cache)
        self.msgbus.subscribe("events.order.*", self._books.on_event, priority=_BEFORE_STRATEGIES)
        self.msgbus.subscribe(EQUITY_TOPIC, self._on_equity)
        self.msgbus.subscribe(RISK_STATE_TOPIC, self._on_state, priority=_BEFORE_STRATEGIES)
        self.msgbus.register(GUARD_ENDPOINT, self.answer)
        self.msgbus.register(GLANCE_ENDPOINT, self._lend_a_glance)

    def _glance(self, name: str, instrument_id: InstrumentId) -> OrderGlance:
        limits = self.config.limits
        age, max_position = limits.max_data_age_secs, limits.max_position_qty.get(name)
        values_matter = limits.limit_values or limits.needs_equity
        return OrderGlance(
            instrument_id,
            quote_of=self.cache.quote_tick,
            now=self._now,
            book=self.exposures[name],
            bounds=OrderBounds.of(name, limits, self._rules.minimums[name], UNIT),
            max_position=None if max_position is None else floor(max_position / UNIT),
            has_room=partial(self._rules.has_room, name) if values_matter else None,
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

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        if GUARD_ENDPOINT in self.msgbus.endpoints():
            self.msgbus.deregister(GUARD_ENDPOINT, self.answer)
            self.msgbus.deregister(GLANCE_ENDPOINT, self._lend_a_glance)
            self.msgbus.unsubscribe("events.order.*", self._books.on_event)
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
        if book is None or not self.passes_at_a_glance(request, known, now_ns):
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
            duplicates.remember(now_ns, said(request), request.order_id)

    def passes_at_a_glance(self, request: OrderRequest, known: OpenOrder | None, now_ns: int) -> bool:
        """
        Return whether no rule can object to an order, `known` or new; False if unsure.

        True means that `breach` finds none, which a test holds it to.
        """
        if request.price is None or request.closing:
            return False
        glance = self._glances[request.instrument]
        if not glance.is_harmless(request.side, request.price, request.quantity, now_ns):
            return False
        if self._rate is not None and self._rate.check(now_ns) is not None:
            return False
        if known is not None:
            return request.quantity <= known.held
        if self._rules.is_duplicate(request, now_ns) is not None:
            return False
        return glance.fits(request.side, request.quantity)

    def breach(self, request: OrderRequest, now_ns: int) -> Breach | None:
        """Return the first rule that an order breaks, asking each of them with exact decimals."""
        return self._rules.breach(request, now_ns)

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
        self._rules.equity = mark.equity
        if mark.equity is not None and self.config.limits.price_collar_bps is not None:
            for glance in self._glances.values():
                glance.remember_quote()

    def _on_state(self, change: RiskStateChanged) -> None:
        if change.permits == "all":
            self._permits.pop(change.scope, None)
        else:
            self._permits[change.scope] = change.permits

    def _on_ended(self, event: OrderEvent) -> None:
        if self._duplicates:
            self._duplicates[event.instrument_id.value].forget(event.client_order_id.value)

    def _on_answered(self, event: OrderEvent) -> None:
        self.msgbus.publish(ANSWERS_TOPIC, event)

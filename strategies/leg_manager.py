"""Brings both legs of a pair to where they should be; neither stays without the other for longer than allowed."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from nautilus_trader.common.events import TimeEvent
from nautilus_trader.trading.strategy import Strategy

from messages.risk import ALARM_TOPIC, RiskAlarm
from models.pairs.leg_operation import LegName, LegOperation, LegRules, Outcome
from models.pairs.leg_sizes import PairLots
from models.risk_limits import Breach
from strategies.pair_leg import PairLeg

UNHEDGED_RULE: Final = "max_unhedged_secs"
"""What the alarm is called that one leg lacks the other for twice as long as it may."""

_SECOND_NS: Final = 1_000_000_000
_QUOTES_IN_VAIN: Final = 3
"""A leg is not called lost before the market has had so many chances to give it: data may have one quote an hour."""


class LegManager:
    """
    Carries out entries and exits by the rules of `LegOperation`.

    It is asked to go on after every event of an order and every quote, and looks by itself once a second while
    anything is under way. Where orders come to nothing again and again, the next one waits for a new quote: nothing
    else changes what a book has to give. A leg that lacks the other for twice as long as it may, and still cannot be
    had, is an alarm for the kill switch.

    Parameters
    ----------
    strategy : Strategy
        Whose legs they are.
    y, x : PairLeg
        The legs.
    order_timeout_secs : float
        An order that crosses and is not answered by then is cancelled.
    on_over : callable
        Takes the outcome of each operation.

    """

    def __init__(
        self,
        strategy: Strategy,
        y: PairLeg,
        x: PairLeg,
        order_timeout_secs: float,
        on_over: Callable[[Outcome], None],
    ) -> None:
        self._strategy = strategy
        self._legs: dict[LegName, PairLeg] = {"y": y, "x": x}
        self._timeout_ns = round(order_timeout_secs * _SECOND_NS)
        self._on_over = on_over
        self._operation: LegOperation | None = None
        self.goal = PairLots(0, 0)
        """What the last operation is to bring about; once it is over without that, what it has brought about."""
        self._not_before_ns = 0
        self._needs_quote = False
        self._quotes_in_vain = 0
        self._stepping = False
        self._alarmed = False

    @property
    def under_way(self) -> bool:
        """Whether an operation is being carried out."""
        return self._operation is not None

    @property
    def waits_for_quote(self) -> bool:
        """Whether orders have come to nothing so often that the next one waits for another quote."""
        return self._operation is not None and self._needs_quote

    def held(self) -> PairLots:
        """Return what is held of both legs."""
        return PairLots(self._legs["y"].adapter.traded_lots(), self._legs["x"].adapter.traded_lots())

    def can_close(self) -> bool:
        """Return whether more is held of a leg than the venue's smallest order; a leg without a price is not asked."""
        views = [leg.view() for leg in self._legs.values() if leg.has_market]
        return any(view.held and abs(view.held) >= view.least for view in views)

    def shortfall(self, trade: PairLots, rules: LegRules) -> str | None:
        """Return why a trade cannot be carried out in full; None if both legs can be sent."""
        cost, leverage = Decimal(0), Decimal(1)
        for name, leg in self._legs.items():
            lots = int(getattr(trade, name))
            if abs(lots) // rules.clips < leg.least_lots():
                return f"{leg.id}: {abs(lots)} lots in {rules.clips} parts are too few for an order"
            if not leg.can_deliver(lots):
                return f"{leg.id}: {-lots} lots to sell are not held"
            refusal = leg.would_be_refused(int(lots / rules.clips))
            if refusal is not None:
                return f"{leg.id}: the guard would refuse it: {refusal}"
            if leg.adapter.can_modify:  # futures: either side takes margin
                leverage = Decimal(self._account(leg).leverage(leg.id) or 1)
                cost += abs(lots) * leg.lot_value()
            else:
                cost += leg.price_of(lots)
        first = self._legs["y"]
        money = self._account(first).balance_free(first.instrument.quote_currency)
        free = Decimal(0) if money is None else Decimal(money.as_decimal())
        return f"{cost:.2f} needed, {free * leverage:.2f} free" if cost > free * leverage else None

    def _account(self, leg: PairLeg) -> Any:
        return self._strategy.portfolio.account(leg.id.venue)

    # -- Operations ---------------------------------------------------------------------------------------------------

    def begin(self, goal: PairLots, rules: LegRules, leaving: bool) -> None:
        """Begin an operation from what is held."""
        now_ns = self._strategy.clock.timestamp_ns()
        for leg in self._legs.values():
            leg.failures = 0
        self._alarmed = False
        self._not_before_ns = 0
        self._needs_quote = False
        self._quotes_in_vain = 0
        self.goal = goal
        self._operation = LegOperation(self.held(), goal, rules, now_ns, leaving)
        self.go_on()

    def give_up(self) -> None:
        """Forget the operation; its orders are left to the strategy."""
        self._operation = None

    def on_quote(self) -> None:
        """Follow the touch with what rests there, and go on."""
        if self._operation is not None:
            self._quotes_in_vain = 0 if self._operation.unhedged_since_ns is None else self._quotes_in_vain + 1
            self._needs_quote = False
            for leg in self._legs.values():
                leg.cancel_if_left_behind()
            self.go_on()

    def go_on(self) -> None:
        """Take the next step, if there is one."""
        operation, now_ns = self._operation, self._strategy.clock.timestamp_ns()
        if operation is None or self._stepping:
            return
        if self._needs_quote or now_ns < self._not_before_ns:
            self._watch(operation, now_ns)
            self._look_again(operation, now_ns)
            return
        self._stepping = True  # an order that is denied at once must not move the operation on
        y, x = self._legs["y"].view(), self._legs["x"].view()
        step = operation.next_step(now_ns, y, x)
        for name in step.cancel:
            self._legs[name].cancel()
        for order in step.orders:
            if not self._legs[order.leg].place(order, now_ns):
                self._not_before_ns = now_ns + _SECOND_NS
        if step.orders and max(y.failures, x.failures) >= operation.rules.max_attempts:
            self._not_before_ns = now_ns + _SECOND_NS
            self._needs_quote = True
        self._stepping = False
        if step.outcome is not None:
            self._operation = None
            if step.outcome != "done":
                self.goal = self.held()
            self._on_over(step.outcome)
            return
        self._watch(operation, now_ns)
        self._look_again(operation, now_ns)

    def _watch(self, operation: LegOperation, now_ns: int) -> None:
        since, limit = operation.unhedged_since_ns, operation.rules.max_unhedged_ns
        if since is None or self._alarmed or now_ns - since < 2 * limit:
            return
        hopeless = any(leg.is_live or leg.failures >= operation.rules.max_attempts for leg in self._legs.values())
        if not hopeless or self._quotes_in_vain < _QUOTES_IN_VAIN:
            return
        self._alarmed = True
        breach = Breach(UNHEDGED_RULE, Decimal(now_ns - since) / _SECOND_NS, Decimal(limit) / _SECOND_NS)
        alarm = RiskAlarm(ts_ns=now_ns, scope=self._strategy.id.value, breach=breach)
        self._strategy.msgbus.publish(ALARM_TOPIC, alarm)

    def _look_again(self, operation: LegOperation, now_ns: int) -> None:
        clock, name = self._strategy.clock, f"{self._strategy.id}-legs"
        if name in clock.timer_names:
            clock.cancel_timer(name)
        look_ns = operation.next_look_ns(now_ns)
        next_ns = now_ns + _SECOND_NS if look_ns is None else min(now_ns + _SECOND_NS, look_ns)
        clock.set_time_alert_ns(name, next_ns, self._on_look)

    def _on_look(self, event: TimeEvent) -> None:
        for leg in self._legs.values():
            leg.cancel_older_than(event.ts_event - self._timeout_ns)
        self.go_on()

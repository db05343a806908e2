import random
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.pairs.leg_operation import LegOperation, LegOrder, LegRules, LegView, clips_for
from models.pairs.leg_sizes import PairLots, pair_lots, rounding_residual

S = 1_000_000_000
FLAT = PairLots(0, 0)


def leg(held: int, *, least: int = 1, live: bool = False, failures: int = 0) -> LegView:
    return LegView(held, least, live, failures)


def entry(**rules: int | bool) -> LegOperation:
    return LegOperation(FLAT, PairLots(100, -40), LegRules(**rules), begun_ns=0)


def test_both_legs_are_sent_at_once() -> None:
    assert entry().next_step(0, leg(0), leg(0)).orders == (LegOrder("y", 100, False), LegOrder("x", -40, False))


def test_it_is_done_when_both_are_there() -> None:
    assert entry().next_step(0, leg(100), leg(-40)).outcome == "done"


def test_what_is_too_small_for_an_order_counts_as_there() -> None:
    assert entry().next_step(0, leg(98, least=3), leg(-40)).outcome == "done"


def test_a_lacking_leg_is_tried_again_then_the_other_is_given_back() -> None:
    operation = entry(max_attempts=2)

    assert operation.next_step(0, leg(100), leg(0, failures=1)).orders == (LegOrder("x", -40, False),)
    assert operation.next_step(1, leg(100), leg(0, failures=2)).orders == (LegOrder("y", -100, False),)
    assert operation.next_step(2, leg(0), leg(0, failures=2)).outcome == "unwound"


def test_the_hedged_part_of_a_position_stays_when_the_rest_is_given_back() -> None:
    operation = entry(max_attempts=1)

    assert operation.next_step(0, leg(100), leg(-10, failures=1)).orders == (LegOrder("y", -75, False),)
    assert operation.next_step(1, leg(25), leg(-10, failures=1)).outcome == "unwound"


def test_a_delayed_leg_is_cancelled_when_its_time_is_over_and_what_came_of_it_counts() -> None:
    operation = entry(max_unhedged_ns=5 * S)

    assert operation.next_step(0, leg(100), leg(0, live=True)).cancel == ()
    assert operation.next_look_ns(0) == 5 * S
    assert operation.next_step(5 * S, leg(100), leg(0, live=True)).cancel == ("x",)
    assert operation.next_step(6 * S, leg(100), leg(-40)).outcome == "unwound"  # it filled before the cancellation


def test_an_exit_is_never_undone() -> None:
    operation = LegOperation(PairLots(100, -40), FLAT, LegRules(max_attempts=1), begun_ns=0, leaving=True)

    for time in range(20):
        assert operation.next_step(time * S, leg(0), leg(-40, failures=time)).orders == (LegOrder("x", 40, False),)
    assert operation.next_step(20 * S, leg(0), leg(0)).outcome == "done"


def test_nothing_is_at_stake_when_neither_leg_can_be_had() -> None:
    assert entry(max_attempts=2).next_step(0, leg(0, failures=2), leg(0, failures=2)).outcome == "gave_up"


def test_parts_follow_each_other() -> None:
    operation = entry(clips=4)

    assert operation.next_step(0, leg(0), leg(0)).orders == (LegOrder("y", 25, False), LegOrder("x", -10, False))
    assert operation.next_step(1, leg(25), leg(0, live=True)).orders == ()
    assert operation.next_step(2, leg(25), leg(-10)).orders == (LegOrder("y", 25, False), LegOrder("x", -10, False))


def test_a_resting_leg_is_hedged_as_it_fills() -> None:
    operation = entry(passive=True, passive_ns=60 * S)

    assert operation.next_step(0, leg(0), leg(0)).orders == (LegOrder("y", 100, True),)
    assert operation.next_step(1, leg(50, live=True), leg(0)).orders == (LegOrder("x", -20, False),)
    assert operation.next_step(2, leg(50, live=True), leg(-20)).orders == ()


def test_a_resting_entry_ends_hedged_with_what_it_has() -> None:
    operation = entry(passive=True, passive_ns=60 * S)
    operation.next_step(0, leg(0), leg(0))

    assert operation.next_step(60 * S, leg(50, live=True), leg(-20)).cancel == ("y",)
    assert operation.next_step(61 * S, leg(50), leg(-20)).outcome == "gave_up"


def test_a_resting_exit_takes_the_rest() -> None:
    rules = LegRules(passive=True, passive_ns=60 * S)
    operation = LegOperation(PairLots(100, -40), FLAT, rules, begun_ns=0, leaving=True)

    assert operation.next_step(0, leg(100), leg(-40)).orders == (LegOrder("y", -100, True),)
    resting = LegView(100, 1, live=True, failures=0, resting=True)
    assert operation.next_step(60 * S, resting, leg(-40)).cancel == ("y",)
    assert operation.next_step(60 * S, leg(100, live=True), leg(-40)).cancel == ()
    assert operation.next_step(61 * S, leg(100), leg(-40)).orders == (
        LegOrder("y", -100, False),
        LegOrder("x", 40, False),
    )


@dataclass
class Sent:
    order: LegOrder
    answer_at: int
    cancelled: bool = False


@dataclass
class RoughVenue:
    """Delays, fills in part and rejects; only an order that takes y is always filled in the end."""

    operation: LegOperation
    dice: random.Random
    least: int
    x_trades: bool
    longest_unhedged: int = 0
    held: dict[str, int] = field(default_factory=lambda: {"y": 0, "x": 0})
    failures: dict[str, int] = field(default_factory=lambda: {"y": 0, "x": 0})
    sent: list[Sent] = field(default_factory=list)

    def run(self, until: int) -> str | None:
        for now in range(until):
            for item in [item for item in self.sent if item.answer_at <= now]:
                self.answer(item, now)
            step = self.operation.next_step(now, self.view("y"), self.view("x"))
            since = self.operation.unhedged_since_ns
            self.longest_unhedged = max(self.longest_unhedged, 0 if since is None else now - since)
            if step.outcome:
                return step.outcome
            for item in self.sent:
                item.cancelled |= item.order.leg in step.cancel
            self.sent += [Sent(order, now + self.dice.randint(1, MAX_DELAY)) for order in step.orders]
        return None

    def view(self, name: str) -> LegView:
        live = any(item.order.leg == name for item in self.sent)
        return LegView(self.held[name], self.least, live, self.failures[name])

    def answer(self, item: Sent, now: int) -> None:
        order = item.order
        filled = self.filled(order)
        self.held[order.leg] += filled
        self.failures[order.leg] = 0 if filled else self.failures[order.leg] + (not order.passive)
        item.order = order._replace(lots=order.lots - filled)
        item.answer_at = now + 1
        if not item.order.lots or item.cancelled or not order.passive:
            self.sent.remove(item)

    def filled(self, order: LegOrder) -> int:
        if order.leg == "y" and not order.passive:
            return order.lots
        if order.leg == "x" and not self.x_trades:
            return 0
        sign = 1 if order.lots > 0 else -1
        return sign * self.dice.choice([0, 0, self.dice.randint(0, abs(order.lots)), abs(order.lots)])


MAX_DELAY = 20
MAX_UNHEDGED = 100


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    y=st.integers(1, 5_000),
    x=st.integers(-5_000, 5_000).filter(bool),
    clips=st.integers(1, 5),
    passive=st.booleans(),
    least=st.integers(1, 20),
    attempts=st.sampled_from([1, 3, 1_000]),
    x_trades=st.booleans(),
)
@example(seed=0, y=5_000, x=-5_000, clips=1, passive=True, least=1, attempts=1_000, x_trades=False)
@example(seed=0, y=5_000, x=-5_000, clips=3, passive=False, least=1, attempts=1_000, x_trades=False)
def test_no_leg_stays_alone_for_longer_than_it_may(
    seed: int, y: int, x: int, clips: int, passive: bool, least: int, attempts: int, x_trades: bool
) -> None:
    rules = LegRules(clips, passive, passive_ns=400, max_unhedged_ns=MAX_UNHEDGED, max_attempts=attempts)
    venue = RoughVenue(LegOperation(FLAT, PairLots(y, x), rules, begun_ns=0), random.Random(seed), least, x_trades)

    outcome = venue.run(until=20_000)

    assert outcome is not None
    # The limit, and what the last order of the one leg and the one that takes the other back need to arrive.
    assert venue.longest_unhedged <= MAX_UNHEDGED + 2 * MAX_DELAY
    hedge = venue.held["y"] / y * x
    assert abs(venue.held["x"] - hedge) <= (least + 1) * (1 + abs(x) / y)


@pytest.mark.parametrize(("value", "limit", "clips"), [(1_000, 1_000, 1), (1_000, 999, 2), (10, 1_000, 1)])
def test_no_part_is_worth_more_than_may_be_unhedged(value: float, limit: float, clips: int) -> None:
    assert clips_for(value, limit) == clips


@given(
    side=st.sampled_from([-1, 1]),
    value=st.decimals(10, 10**6, places=2),
    beta=st.decimals("-3", "3", places=4),
    lot_y=st.decimals("0.0001", "10", places=4),
    lot_x=st.decimals("0.0001", "10", places=4),
)
def test_lots_are_as_near_as_lots_can_be(
    side: int, value: Decimal, beta: Decimal, lot_y: Decimal, lot_x: Decimal
) -> None:
    lots = pair_lots(side, value, beta, lot_y, lot_x)

    assert abs(abs(lots.y) * lot_y - value) <= lot_y / 2
    assert abs(rounding_residual(lots, beta, lot_y, lot_x)) <= lot_x / 2

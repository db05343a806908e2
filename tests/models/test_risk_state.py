"""RUNNING, REDUCING, HALTED: graded, latched, and left only by what may end them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.risk_state import ACTIONS, RiskMachine, State, Trip


def trip(action: Any, rule: str = "r", latched: bool = True) -> Trip:
    return Trip(1, rule, Decimal(5), Decimal(4), action, latched)


@pytest.mark.parametrize(
    ("action", "flat", "orders_open", "state"),
    [
        ("warn", True, False, State.RUNNING),
        ("stop_quoting", True, False, State.REDUCING),
        ("cancel", False, True, State.REDUCING),
        ("cancel", False, False, State.HALTED),
        ("flatten_passively", False, False, State.REDUCING),
        ("flatten_passively", True, True, State.REDUCING),
        ("flatten_passively", True, False, State.HALTED),
        ("flatten", False, False, State.REDUCING),
        ("flatten", True, True, State.REDUCING),
        ("flatten", True, False, State.HALTED),
    ],
)
def test_halted_comes_once_the_action_is_done(action: str, flat: bool, orders_open: bool, state: State) -> None:
    machine = RiskMachine()

    assert machine.trip(trip(action))
    machine.settle(flat, orders_open)

    assert machine.state is state


def test_a_second_trip_of_the_same_rule_changes_nothing() -> None:
    machine = RiskMachine()
    machine.trip(trip("flatten"))
    machine.settle(flat=True, orders_open=False)

    assert not machine.trip(trip("flatten"))
    assert not machine.trip(trip("cancel"))
    assert machine.state is State.HALTED
    assert not machine.settle(flat=True, orders_open=False)


def test_a_warning_is_given_once_until_its_cause_is_gone() -> None:
    machine = RiskMachine()

    assert [machine.trip(trip("warn")) for _ in range(3)] == [True, False, False]
    machine.clear("r")
    assert machine.trip(trip("warn"))
    assert machine.state is State.RUNNING


def test_a_harder_action_takes_over() -> None:
    machine = RiskMachine()
    machine.trip(trip("cancel", "a"))
    machine.settle(flat=False, orders_open=False)
    assert machine.state is State.HALTED

    machine.trip(trip("flatten", "b"))

    assert (machine.state, machine.action) == (State.REDUCING, "flatten")
    assert machine.cause is not None
    assert machine.cause.rule == "b"


def test_only_what_is_not_latched_clears() -> None:
    machine = RiskMachine()
    machine.trip(trip("cancel", "stale", latched=False))
    machine.trip(trip("stop_quoting", "kept"))

    assert machine.clear("stale")
    assert not machine.clear("stale")
    assert not machine.clear("kept")
    assert machine.state is State.REDUCING
    assert [held.rule for held in machine.kept] == ["kept"]
    assert [held.rule for held in machine.resume()] == ["kept"]
    assert (machine.state, machine.cause) == (State.RUNNING, None)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("trip"), st.sampled_from(ACTIONS), st.sampled_from("abc"), st.booleans()),
        st.tuples(st.just("settle"), st.booleans(), st.booleans(), st.none()),
        st.tuples(st.just("clear"), st.sampled_from("abc"), st.none(), st.none()),
    ),
    max_size=30,
)


@given(steps)
def test_nothing_but_resume_ends_a_latched_halt(sequence: list[tuple[Any, ...]]) -> None:
    machine = RiskMachine()
    machine.trip(trip("flatten", "latched"))

    for kind, first, second, third in sequence:
        before = machine.state
        if kind == "trip":
            machine.trip(trip(first, second, third))
        elif kind == "settle":
            machine.settle(first, second)
            assert machine.state is before or (first and not second)
        else:
            machine.clear(first)
        assert machine.state is not State.RUNNING
        assert machine.action == "flatten"
        if before is State.HALTED:
            assert machine.state is State.HALTED

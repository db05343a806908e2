"""The sliding window against a count by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.order_budget import OrderBudget


def test_an_order_is_free_again_exactly_one_window_later() -> None:
    budget = OrderBudget(limit=2, window_ns=3)
    accepted = []
    for now in range(8):
        if budget.left(now) > 0:
            budget.spend(now)
            accepted.append(now)

    assert accepted == [0, 1, 3, 4, 6, 7]


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 6), st.integers(1, 20))
def test_what_is_left_is_the_limit_less_what_the_window_holds(steps: list[int], limit: int, window: int) -> None:
    budget = OrderBudget(limit, window)
    now, sent = 0, []
    for step in steps:
        now += step
        in_window = sum(now - window < at <= now for at in sent)
        assert budget.left(now) == limit - in_window
        if budget.left(now) > 0:
            budget.spend(now)
            sent.append(now)
        assert sum(now - window < at <= now for at in sent) <= limit


def test_the_tolerance_widens_as_the_budget_runs_out() -> None:
    budget = OrderBudget(limit=100, window_ns=10**10)
    factors = []
    for now in range(100):
        factors.append(budget.tolerance_factor(now))
        budget.spend(now)

    assert factors[:51] == [1.0] * 51
    assert factors[75] == 2.0
    assert factors[90] == 5.0
    assert factors == sorted(factors)
    assert budget.tolerance_factor(100) == float("inf")


@pytest.mark.parametrize(("limit", "window"), [(0, 10), (1, 0), (-1, 10)])
def test_a_budget_of_nothing_is_refused(limit: int, window: int) -> None:
    with pytest.raises(ValueError, match="expected both above 0"):
        OrderBudget(limit, window)

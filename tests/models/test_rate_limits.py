"""Windows of time: orders sent, fills, refusals, duplicates; against a plain recount."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rate_limits import Breaker, Duplicates, OrderRate


def test_the_window_is_open_on_the_left() -> None:
    rate = OrderRate(2, 3)

    accepted = []
    for now in range(7):
        if rate.check(now) is None:
            rate.count(now)
            accepted.append(now)

    assert accepted == [0, 1, 3, 4, 6]


def test_the_reserve_is_for_closing_alone() -> None:
    rate = OrderRate(3, 10, reserve=1)
    rate.count(0)
    rate.count(0)

    assert rate.check(1) == ("max_orders_per_10s", Decimal(3), Decimal(2))
    assert rate.check(1, closing=True) is None
    rate.count(1)
    assert rate.check(1, closing=True) == ("max_orders_per_10s", Decimal(4), Decimal(3))
    assert rate.check(10) is None


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 4), st.integers(1, 8))
def test_no_window_ever_holds_more_than_the_limit(steps: list[int], limit: int, window: int) -> None:
    rate, now, accepted = OrderRate(limit, window), 0, []
    for step in steps:
        now += step
        expected = sum(now - window < at <= now for at in accepted) < limit
        assert (rate.check(now) is None) == expected
        if expected:
            rate.count(now)
            accepted.append(now)


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(2, 5), st.integers(1, 8), st.integers(0, 1))
def test_taking_a_place_is_asking_and_counting(steps: list[int], limit: int, window: int, reserve: int) -> None:
    asking, taking, now = OrderRate(limit, window, reserve), OrderRate(limit, window, reserve), 0
    for step in steps:
        now += step
        free = asking.check(now) is None
        if free:
            asking.count(now)
        assert taking.take(now) == free
        assert taking.used(now) == asking.used(now)


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 4), st.integers(1, 8))
def test_a_breaker_tells_of_each_event_beyond_what_a_window_may_hold(steps: list[int], limit: int, window: int) -> None:
    breaker, now, times = Breaker("x", limit, window), 0, []
    for step in steps:
        now += step
        times.append(now)

        breach = breaker.count(now)

        count = sum(now - window < at <= now for at in times)
        assert breach == (None if count <= limit else ("x", Decimal(count), Decimal(limit)))


def test_the_same_order_twice_within_the_window_is_a_duplicate() -> None:
    known = Duplicates(2_000_000_000)
    known.remember(0, ("BUY", 1), "a")

    assert known.check(1_999_999_999, ("BUY", 1)) == ("duplicate_window_secs", Decimal("1.999999999"), Decimal(2))
    assert known.check(1, ("BUY", 2)) is None
    assert known.check(2_000_000_000, ("BUY", 1)) is None


def test_an_order_that_was_cancelled_may_be_sent_again() -> None:
    known = Duplicates(10)
    known.remember(0, "key", "a")
    known.forget("a")
    assert known.check(1, "key") is None

    known.remember(1, "key", "b")
    known.forget("a")
    assert known.check(2, "key") is not None


def test_what_is_older_than_the_window_is_not_kept() -> None:
    known = Duplicates(10)
    for now in range(1000):
        known.remember(now, now, str(now))

    assert len(vars(known)["_sent"]) == len(vars(known)["_keys"]) == 10


@pytest.mark.parametrize(("limit", "window", "reserve"), [(0, 1, 0), (1, 0, 0), (2, 1, 2), (2, 1, -1)])
def test_numbers_out_of_bounds_are_refused(limit: int, window: int, reserve: int) -> None:
    with pytest.raises(ValueError, match=f"limit was {limit}"):
        OrderRate(limit, window, reserve)


def test_a_breaker_needs_a_limit() -> None:
    with pytest.raises(ValueError, match="x: was 0"):
        Breaker("x", 0, 1)

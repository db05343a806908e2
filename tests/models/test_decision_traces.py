"""Records of decisions held against each other, against answers by hand and by brute force."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.decision_traces import agree_from, first_difference, first_number_difference, numbers_agree_from

RECORD = [(1, "a"), (2, "b"), (2, "c"), (5, "d")]
EVENTS = st.lists(st.tuples(st.integers(0, 6), st.sampled_from("ab")), max_size=8).map(sorted)


@pytest.mark.parametrize(
    ("theirs", "before_ns", "expected"),
    [
        (RECORD, 9, None),
        (RECORD[:3], 9, (5, "d", "")),
        (RECORD[:3], 5, None),
        ([*RECORD, (6, "e")], 9, (6, "", "e")),
        ([(1, "a"), (2, "c"), (2, "b"), (5, "d")], 9, (2, "b", "c")),
        ([(1, "a"), (3, "b")], 9, (2, "b", "b")),
    ],
)
def test_the_first_difference(theirs: Any, before_ns: int, expected: Any) -> None:
    assert first_difference(RECORD, theirs, before_ns) == expected


@given(EVENTS, EVENTS, st.integers(0, 7))
def test_there_is_a_difference_exactly_where_the_heads_differ(ours: Any, theirs: Any, before_ns: int) -> None:
    heads = [[entry for entry in record if entry[0] < before_ns] for record in (ours, theirs)]

    assert (first_difference(ours, theirs, before_ns) is None) == (heads[0] == heads[1])


def test_numbers_may_differ_by_rounding() -> None:
    ours, theirs = [(1, "x", 100.0), (2, "x", 100.0)], [(1, "x", 100.0 + 1e-8), (2, "x", 100.1)]

    assert first_number_difference(ours, theirs, 2, 1e-9) is None
    assert first_number_difference(ours, theirs, 3, 1e-9) == (2, "x 100.0", "x 100.1")
    assert first_number_difference(ours, [(1, "y", 100.0)], 3, 1e-9) == (1, "x 100.0", "y 100.0")


@given(EVENTS, EVENTS, st.integers(0, 6))
def test_records_agree_from_the_first_event_after_the_last_difference(ours: Any, theirs: Any, from_ns: int) -> None:
    def brute() -> int | None:
        for start in range(from_ns, 7):
            mine, other = (sorted(e for e in record if start <= e[0] < 7) for record in (ours, theirs))
            if mine == other:
                return min((entry[0] for entry in mine), default=None)
        return None

    assert agree_from(ours, theirs, from_ns, 7) == brute()


def test_numbers_agree_from_where_the_last_difference_is_past() -> None:
    ours = [(n, "x", 100.0) for n in range(10)]
    theirs = [(n, "x", 100.0 + 1.0 / (1 + n) ** 4) for n in range(3, 10)]

    assert numbers_agree_from(ours, theirs, 3, 10, 1e-5) == 5  # 1/5⁴ is 1.6e-3, 1/6⁴ less than 1e-3
    assert numbers_agree_from(ours, theirs, 0, 10, 1e-5) == 5
    assert numbers_agree_from(ours, theirs, 3, 10, 1e-9) is None
    assert numbers_agree_from(ours, [], 3, 10, 1e-5) is None

"""What a venue announces of funding, and what of it settles: each funding time once, or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.announced_funding import AnnouncedFunding, Announcement

FRESH = 60


def said(at: int, due: int, rate: str = "0.0001", mark: str = "100") -> Announcement:
    return Announcement(at, due, Decimal(rate), Decimal(mark))


def test_what_was_said_last_settles_once() -> None:
    funding = AnnouncedFunding(FRESH)
    last = said(998, 1000, "0.0003")

    heard = [funding.hear(said(997, 1000)), funding.hear(last), funding.due(1000)]

    assert heard == [None, None, last]
    again = [funding.due(1000), funding.hear(said(1000, 1000, "0.0009")), funding.hear(said(1001, 2000))]
    assert (again, funding.settled, funding.missed) == ([None] * 3, [1000], [])


def test_a_venue_whose_clock_is_ahead_says_itself_that_it_has_settled() -> None:
    funding = AnnouncedFunding(FRESH)
    last = said(999, 1000)
    funding.hear(last)

    assert funding.hear(said(1001, 2000, "0.0002")) == last
    assert funding.due(1000) is None


def test_what_is_said_of_a_time_that_has_come_is_not_what_settled() -> None:
    funding = AnnouncedFunding(FRESH)
    funding.hear(said(999, 1000, "0.0003"))

    assert funding.hear(said(1000, 1000, "0.0009")) == said(999, 1000, "0.0003")
    assert [funding.due(1000), funding.hear(said(1001, 2000))] == [None, None]


@pytest.mark.parametrize("next_due", [1500, 3000])
def test_a_funding_time_that_is_taken_back_settles_nothing(next_due: int) -> None:
    funding = AnnouncedFunding(FRESH)
    funding.hear(said(500, 2000))

    assert funding.hear(said(501, next_due)) is None
    assert funding.due(2000) is None
    assert (funding.settled, funding.missed) == ([], [])


def test_a_funding_time_that_follows_one_put_before_it_settles_in_its_turn() -> None:
    funding = AnnouncedFunding(FRESH)
    for each in (said(500, 2000), said(999, 1000)):
        funding.hear(each)
    first = funding.due(1000)
    funding.hear(said(1990, 2000, "0.0002"))

    assert first == said(999, 1000)
    assert funding.due(2000) == said(1990, 2000, "0.0002")


@pytest.mark.parametrize(("at", "settles"), [(940, True), (939, False)])
def test_a_rate_that_was_said_too_long_before_is_not_taken_for_the_one_that_settled(at: int, settles: bool) -> None:
    funding = AnnouncedFunding(FRESH)
    funding.hear(said(at, 1000))

    assert (funding.due(1000) is not None) is settles
    assert funding.hear(said(1200, 2000)) is None
    assert (funding.settled, funding.missed) == (([1000], []) if settles else ([], [1000]))


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(-3, 3))
def test_every_funding_time_that_is_heard_of_settles_exactly_once(is_lost: list[bool], ahead: int) -> None:
    """A venue that speaks every second, of which some messages are lost, and whose clock is off by seconds."""
    funding, period, settled = AnnouncedFunding(FRESH), 5, []
    for now, lost in enumerate(is_lost):
        venue = now + ahead + 10
        if not lost:
            settled.append(funding.hear(said(venue, (venue // period + 1) * period)))
        settled.append(funding.due(now + 10))

    times = [each.due_ns for each in settled if each is not None]
    assert times == sorted(set(times)) == funding.settled
    assert funding.missed == []

"""Two records of decisions held against each other: the first that differ, and from when on they agree."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import NamedTuple

type Timed = tuple[int, str]
type Numbered = tuple[int, str, float]


class Difference(NamedTuple):
    """The first place at which two records differ: when, and what each of them has there; "" where it has nothing."""

    ts_ns: int
    ours: str
    theirs: str


def first_difference(ours: Sequence[Timed], theirs: Sequence[Timed], before_ns: int) -> Difference | None:
    """
    Return the first place at which two records differ, up to a time.

    Parameters
    ----------
    ours, theirs : sequence of (time, text)
        Each in the order of time.
    before_ns : int
        What happened at this time or later does not count.

    Returns
    -------
    Difference or None
        None where they are the same.

    """
    return _first(ours, theirs, before_ns, lambda mine, other: mine == other)


def first_number_difference(
    ours: Sequence[Numbered], theirs: Sequence[Numbered], before_ns: int, relative: float
) -> Difference | None:
    """Return what `first_difference` does of two records of numbers, which may differ by a share of themselves."""

    def same(mine: Numbered, other: Numbered) -> bool:
        return mine[:2] == other[:2] and abs(mine[2] - other[2]) <= relative * abs(mine[2])

    return _first(ours, theirs, before_ns, same)


def _first[E: (Timed, Numbered)](
    ours: Sequence[E], theirs: Sequence[E], before_ns: int, same: Callable[[E, E], bool]
) -> Difference | None:
    mine = ours[: bisect_left(ours, before_ns, key=_time_of)]
    other = theirs[: bisect_left(theirs, before_ns, key=_time_of)]
    for one, two in zip_longest(mine, other):
        if one is None or two is None or not same(one, two):
            at_ns = min(entry[0] for entry in (one, two) if entry is not None)
            return Difference(at_ns, _told(one), _told(two))
    return None


def _time_of(entry: Timed | Numbered) -> int:
    return entry[0]


def _told(entry: Timed | Numbered | None) -> str:
    return "" if entry is None else " ".join(str(part) for part in entry[1:])


def agree_from(ours: Sequence[Timed], theirs: Sequence[Timed], from_ns: int, before_ns: int) -> int | None:
    """
    Return the time from which on two records hold the same, within [from_ns, before_ns).

    The order of what happens at one time does not count. None where they differ to the end, or where nothing of both is
    left after the last difference: nothing then shows that they agree.
    """
    mine, other = (Counter(entry for entry in record if from_ns <= entry[0] < before_ns) for record in (ours, theirs))
    differing = [entry[0] for entry in (mine - other) + (other - mine)]
    after_ns = max(differing, default=from_ns - 1)
    later = [entry[0] for entry in mine & other if entry[0] > after_ns]
    return min(later) if later else None


def numbers_agree_from(
    ours: Sequence[Numbered], theirs: Sequence[Numbered], from_ns: int, before_ns: int, relative: float
) -> int | None:
    """
    Return the time from which on two records of numbers differ by no more than a share, within [from_ns, before_ns).

    A number that only one of them has counts as a difference. None as for `agree_from`.
    """
    mine, other = ({e[:2]: e[2] for e in record if from_ns <= e[0] < before_ns} for record in (ours, theirs))
    differing = [key[0] for key in mine.keys() ^ other.keys()]
    shared = mine.keys() & other.keys()
    differing += [key[0] for key in shared if abs(mine[key] - other[key]) > relative * abs(mine[key])]
    after_ns = max(differing, default=from_ns - 1)
    later = [key[0] for key in shared if key[0] > after_ns]
    return min(later) if later else None

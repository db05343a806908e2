"""Two sequences of what was done, side by side: how much is equal, and what came first that is not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from data_catalog.run_recordings.rows import Decided, RiskState, Sent
from runtime.compare.log import Output, Placed


@dataclass(frozen=True)
class Difference:
    """
    The first thing that is not equal.

    Parameters
    ----------
    time : str
        When the run did its part, or the replay where the run did nothing; UTC.
    after : int
        After how many market events.
    live, replay : str
        What each did; "nothing" where it did nothing.
    cause : str
        Why, as far as that can be told.

    """

    time: str
    after: int
    live: str
    replay: str
    cause: str = "unknown"


@dataclass(frozen=True)
class SideBySide:
    """
    One kind of output, of the run and of the replay.

    Parameters
    ----------
    name : str
        What is compared.
    live, replay, equal : int
        How many there are, and how many are in both, after the same market event.
    first : Difference, optional
        The first that is not equal; None where all are.

    """

    name: str
    live: int
    replay: int
    equal: int
    first: Difference | None

    @property
    def is_equal(self) -> bool:
        """Whether there is no difference."""
        return self.first is None


def side_by_side(
    name: str, kind: type[Any], live: Sequence[Placed[Output]], replay: Sequence[Placed[Output]]
) -> SideBySide:
    """Return one kind of output of both, held against each other in order."""
    numbers = _OrderNumbers(), _OrderNumbers()
    texts = [
        [(placed.after, _said(placed.row, mine), placed.row.at) for placed in outputs if isinstance(placed.row, kind)]
        for outputs, mine in zip((live, replay), numbers, strict=True)
    ]
    mine, theirs = texts
    common = Counter((after, said) for after, said, _ in mine) & Counter((after, said) for after, said, _ in theirs)
    first = None
    for one, other in zip_longest(mine, theirs):
        if one is None or other is None or one[:2] != other[:2]:
            first = _difference(one, other)
            break
    return SideBySide(name, len(mine), len(theirs), common.total(), first)


def _difference(one: tuple[int, str, int] | None, other: tuple[int, str, int] | None) -> Difference:
    """Return the earlier of two as the difference, with what the other did after the same market event."""
    places = [item[0] for item in (one, other) if item is not None]
    after = min(places)
    here = [item is not None and item[0] == after for item in (one, other)]
    at_ns = next(item[2] for item, is_here in zip((one, other), here, strict=True) if is_here and item is not None)
    live = one[1] if one is not None and here[0] else "nothing"
    replay = other[1] if other is not None and here[1] else "nothing"
    return Difference(utc(at_ns), after, live, replay)


class _OrderNumbers:
    """Orders by their number within their strategy: the names of a run and of its replay are different."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._counts: Counter[str] = Counter()

    def of(self, row: Sent) -> str:
        if row.order_id is None:
            return ""
        if row.order_id not in self._known:
            self._counts[row.strategy] += 1
            self._known[row.order_id] = self._counts[row.strategy]
        return f" #{self._known[row.order_id]}"


def _said(row: Output, numbers: _OrderNumbers) -> str:
    match row:
        case Decided():
            quotes = ", ".join(f"{side.lower()} {quantity} at {price}" for side, price, quantity in row.quotes)
            return f"{row.strategy}: {quotes or 'no quotes'}"
        case Sent():
            what = " ".join(part for part in (row.side, row.order_type, row.quantity) if part)
            price = f" at {row.price}" if row.price is not None else ""
            flags = "".join(f", {name}" for name, on in _flags(row) if on)
            return f"{row.strategy}: {row.kind}{numbers.of(row)} {what}{price}{flags}".rstrip()
        case RiskState():
            return f"{row.scope} is {row.state} ({row.action}, {row.rule})"


def _flags(row: Sent) -> tuple[tuple[str, bool], ...]:
    return ("post-only", row.post_only), ("reduce-only", row.reduce_only)


def utc(time_ns: int) -> str:
    """Return a UNIX time as people read it, to the microsecond."""
    seconds, nanos = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos // 1000:06d}Z"

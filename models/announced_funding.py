"""
Funding that a venue announces while time goes by: which rate settles when, each funding time once.

Every second or so a venue says when a perpetual settles next, at which rate as it stands, and the mark price. What it
has said last before a funding time settles; afterwards it announces the next one. It may also settle more or less often
from now on: a funding time that it takes back before it has come settles nothing.
"""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Announcement:
    """
    What a venue says of a perpetual's next settlement.

    Parameters
    ----------
    said_ns : int
        When, by the venue's clock, UNIX ns.
    due_ns : int
        The next funding time, UNIX ns.
    rate : Decimal
        As a share: 0.0001 is one basis point; a long position pays it where it is positive.
    mark : Decimal
        The mark price.

    """

    said_ns: int
    due_ns: int
    rate: Decimal
    mark: Decimal


class AnnouncedFunding:
    """
    The announcements for one perpetual.

    Parameters
    ----------
    fresh_ns : int
        How long before its funding time a rate may have been said last: an older one is not known to have settled.

    """

    def __init__(self, fresh_ns: int) -> None:
        self.settled: list[int] = []
        """The funding times whose rate is known, UNIX ns."""
        self.missed: list[int] = []
        """The funding times that came and whose rate had not been said for too long, UNIX ns."""
        self._fresh_ns = fresh_ns
        self._last: Announcement | None = None

    def hear(self, said: Announcement) -> Announcement | None:
        """Take in what is said; return what settled, where that is news: by the venue's clock its time has come."""
        before = self._last
        if said.said_ns < said.due_ns:  # while it settles, a venue may still speak of the time that has come
            self._last = said
        if before is None or said.said_ns < before.due_ns:
            return None
        return self._settle(before)

    def due(self, due_ns: int) -> Announcement | None:
        """Return what settles at a funding time that has come; None where nothing does, or it did already."""
        if self._last is None or self._last.due_ns != due_ns:
            return None
        return self._settle(self._last)

    def _settle(self, announced: Announcement) -> Announcement | None:
        due_ns = announced.due_ns
        if due_ns in self.settled or due_ns in self.missed:
            return None
        if due_ns - announced.said_ns > self._fresh_ns:
            self.missed.append(due_ns)
            return None
        self.settled.append(due_ns)
        return announced

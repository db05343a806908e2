"""
RUNNING → REDUCING → HALTED: what a tripped control does, until it is cleared or somebody resumes.

A trip asks for an action, from mild to hard:

- warn: it is written down; nothing changes;
- stop_quoting: only orders that reduce a position are allowed, for as long as the trip holds;
- cancel: own orders are cancelled and no new ones sent; the position stays. HALTED once no order is open;
- flatten_passively: only orders that reduce; HALTED once flat with no open order;
- flatten: own orders are cancelled, positions closed at the market. HALTED once flat with no open order.

The hardest action of all that hold decides. A latched trip holds until `resume`; one that is not latched holds until
its cause is gone (`clear`), or until a moment that is known when it trips. A trip of a rule that already holds at least
as hard changes nothing.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Literal

type ActionName = Literal["warn", "stop_quoting", "cancel", "flatten_passively", "flatten"]

ACTIONS: tuple[ActionName, ...] = ("warn", "stop_quoting", "cancel", "flatten_passively", "flatten")
"""From mild to hard."""


class State(Enum):
    """Whether trading goes on."""

    RUNNING = "RUNNING"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


@dataclass(frozen=True, slots=True)
class Trip:
    """
    A control that fired.

    Parameters
    ----------
    ts_ns : int
        When, UNIX ns.
    rule : str
        Which.
    value, limit : Decimal
        What was found and what it was held against.
    action : str
        What it asks for.
    latched : bool
        Whether only `resume` ends it.
    until_ns : int, optional
        When it ends by itself, UNIX ns; kept over restarts until then. `resume` ends it as well.
    reason : str
        What a person gave as the reason.

    """

    ts_ns: int
    rule: str
    value: Decimal
    limit: Decimal
    action: ActionName
    latched: bool = True
    until_ns: int | None = None
    reason: str = ""

    @property
    def kept(self) -> bool:
        """Whether it holds over a restart."""
        return self.latched or self.until_ns is not None


class RiskMachine:
    """The state of one account or one strategy."""

    def __init__(self) -> None:
        self._holding: dict[str, Trip] = {}
        self._warned: set[str] = set()
        self.state = State.RUNNING

    @property
    def action(self) -> ActionName:
        """The hardest action that holds; "warn" where nothing does."""
        return max((trip.action for trip in self._holding.values()), key=ACTIONS.index, default="warn")

    @property
    def cause(self) -> Trip | None:
        """The first trip that asked for the action that holds; None while running."""
        return next((trip for trip in self._holding.values() if trip.action == self.action), None)

    @property
    def kept(self) -> tuple[Trip, ...]:
        """The trips that hold over a restart."""
        return tuple(trip for trip in self._holding.values() if trip.kept)

    def trip(self, trip: Trip) -> bool:
        """Take a trip; return whether it is new: a rule that already holds as hard, or has warned, changes nothing."""
        if trip.action == "warn":
            known_warning = trip.rule in self._warned
            self._warned.add(trip.rule)
            return not known_warning
        known = self._holding.get(trip.rule)
        if known is not None and ACTIONS.index(known.action) >= ACTIONS.index(trip.action):
            return False
        before = self.action
        self._holding[trip.rule] = trip
        if self.state is State.RUNNING or ACTIONS.index(self.action) > max(ACTIONS.index(before), 2):
            self.state = State.REDUCING
        return True

    def clear(self, rule: str) -> bool:
        """End a trip that is not latched; return whether there was one."""
        self._warned.discard(rule)
        known = self._holding.get(rule)
        if known is None or known.latched:
            return False
        self._end(known)
        return True

    def _end(self, trip: Trip) -> None:
        del self._holding[trip.rule]
        if not self._holding:
            self.state = State.RUNNING
        elif self.action == "stop_quoting":
            self.state = State.REDUCING

    def settle(self, flat: bool, orders_open: bool) -> bool:
        """Move on to HALTED once what the action asks for is done; return whether it did now."""
        if self.state is not State.REDUCING or orders_open:
            return False
        if self.action == "cancel" or (flat and self.action in ("flatten_passively", "flatten")):
            self.state = State.HALTED
            return True
        return False

    def resume(self) -> tuple[Trip, ...]:
        """End every trip that is kept, by the command of a person, and return them; what ends by itself stays."""
        ended = self.kept
        self._warned.clear()
        for trip in ended:
            self._end(trip)
        return ended

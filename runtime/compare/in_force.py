"""The quotes that were wanted when each market event had been answered, of the run and of the free replay."""

from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal

from data_catalog.run_recordings.rows import RiskState
from runtime.compare.differences import Difference, utc
from runtime.compare.fills import FillSeen
from runtime.compare.log import Output, Placed, RunLog
from runtime.compare.steps import Maker, Quotes, Steps


@dataclass(frozen=True)
class InForce:
    """
    At how many market events run and free replay wanted the same.

    Parameters
    ----------
    events : int
        Market events, once for each maker.
    equal : int
        Of them those after which both wanted the same quotes.
    by_cause : dict
        The others, by cause.
    first : Difference, optional
        The first of them.

    """

    events: int
    equal: int
    by_cause: dict[str, int]
    first: Difference | None


def wanted_by_both(live: RunLog, free: RunLog, fills: tuple[list[FillSeen], list[FillSeen]]) -> InForce:
    """Return at how many market events both wanted the same, and why not at the others."""
    mine, theirs = Steps(live.outputs), Steps(free.outputs)
    makers = dict.fromkeys([*mine.makers, *theirs.makers])
    times = [row.at for row in live.inputs if hasattr(row, "ts_init")]
    by_cause: dict[str, int] = {}
    equal, first = 0, None
    for maker in makers:
        causes = _Causes(live, free, fills, maker)
        for after in range(1, live.market_events + 1):
            one, other = mine.at(maker, after), theirs.at(maker, after)
            if one == other:
                equal += 1
                continue
            cause = causes.at(after)
            by_cause[cause] = by_cause.get(cause, 0) + 1
            if first is None or after < first.after:
                first = Difference(utc(times[after - 1]), after, _text(one), _text(other), cause)
    return InForce(live.market_events * len(makers), equal, by_cause, first)


class _Causes:
    """Why the quotes of a maker may be different after a market event."""

    def __init__(self, live: RunLog, free: RunLog, fills: tuple[list[FillSeen], list[FillSeen]], maker: Maker) -> None:
        self._held = [_Held([fill for fill in side if fill.maker == maker]) for side in fills]
        self._states = [[p for p in log.outputs if isinstance(p.row, RiskState)] for log in (live, free)]

    def at(self, after: int) -> str:
        states = [_state(placed, after) for placed in self._states]
        if states[0] != states[1]:
            return f"risk state: {states[0]} in the run, {states[1]} in the replay"
        if self._held[0].at(after) != self._held[1].at(after):
            return "inventory: a fill came at another time, or in one of the two alone"
        return "answers: they came at another time, and a maker decides anew when it is answered"


class _Held:
    """What fills added up to, by market event."""

    def __init__(self, fills: list[FillSeen]) -> None:
        self._places = [fill.after for fill in fills]
        self._sums: list[Decimal] = []
        for fill in fills:
            self._sums.append((self._sums[-1] if self._sums else Decimal(0)) + fill.sign * fill.quantity)

    def at(self, after: int) -> Decimal:
        place = bisect_right(self._places, after)
        return self._sums[place - 1] if place else Decimal(0)


def _state(states: list[Placed[Output]], after: int) -> str:
    known: dict[str, str] = {}
    for placed in states:
        if placed.after <= after and isinstance(placed.row, RiskState):
            known[placed.row.scope] = placed.row.state
    return ", ".join(f"{scope} {state}" for scope, state in sorted(known.items()) if state != "RUNNING") or "RUNNING"


def _text(quotes: Quotes) -> str:
    return ", ".join(f"{side.lower()} {size} at {price}" for side, price, size in quotes) or "no quotes"

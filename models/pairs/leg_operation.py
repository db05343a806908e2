"""
Two legs from where they are to where they should be, so that neither stays without the other.

The rule only decides; whoever sends the orders asks it again after every event and on a timer. It counts in lots and
knows no prices.
"""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from models.pairs.leg_sizes import PairLots

type LegName = Literal["y", "x"]
type Outcome = Literal["done", "unwound", "gave_up"]

_OTHER: Final[dict[LegName, LegName]] = {"y": "x", "x": "y"}


class LegView(NamedTuple):
    """
    One leg as it stands.

    Parameters
    ----------
    held : int
        Signed lots.
    least : int
        The smallest order that the venue takes now, in lots.
    live : bool
        Whether an order of ours may still fill.
    failures : int
        Orders in a row that came to nothing.
    resting : bool
        Whether a live order is one that waits for others.

    """

    held: int
    least: int
    live: bool
    failures: int
    resting: bool = False


class LegOrder(NamedTuple):
    """An order for one leg: signed lots, and whether it waits for others (post-only) or takes what is there."""

    leg: LegName
    lots: int
    passive: bool


class Step(NamedTuple):
    """
    What to do now.

    Parameters
    ----------
    orders : tuple of LegOrder
        To send.
    cancel : tuple of LegName
        Legs whose orders are to be cancelled.
    outcome : str, optional
        Once it is over: "done", "unwound" (one leg could not be had, and the other was given back) or "gave_up" (the
        rest could not be had, and nothing is left unhedged).

    """

    orders: tuple[LegOrder, ...] = ()
    cancel: tuple[LegName, ...] = ()
    outcome: Outcome | None = None


@dataclass(frozen=True)
class LegRules:
    """
    How an operation is carried out.

    Parameters
    ----------
    clips : int
        In how many parts; both legs of one are there before the next begins.
    passive : bool
        Whether y is traded by resting orders, and x crosses the spread as y fills; otherwise both cross at once.
    passive_ns : int
        How long y may rest. An entry ends there with what it has; an exit takes the rest.
    max_unhedged_ns : int
        How long one leg may lack the other before an entry is unwound.
    max_attempts : int
        Orders in a row for the lacking leg that come to nothing before an entry is unwound sooner.

    """

    clips: int = 1
    passive: bool = False
    passive_ns: int = 0
    max_unhedged_ns: int = 5_000_000_000
    max_attempts: int = 3


@dataclass
class LegOperation:
    """
    One entry or exit of a pair.

    Parameters
    ----------
    start, goal : PairLots
        What is held at the beginning, and wanted at the end.
    rules : LegRules
        How to get there.
    begun_ns : int
        When it began.
    leaving : bool
        Whether it is an exit: what is lacking is then tried for again, as often as it takes, and nothing is bought
        back.

    Attributes
    ----------
    unhedged_since_ns : int or None
        Since when one leg has lacked the other.

    """

    start: PairLots
    goal: PairLots
    rules: LegRules
    begun_ns: int
    leaving: bool = False
    unhedged_since_ns: int | None = field(default=None, init=False)
    _clip: int = field(default=1, init=False)
    _retreating: bool = field(default=False, init=False)
    _outcome: Outcome | None = field(default=None, init=False)

    def next_step(self, now_ns: int, y: LegView, x: LegView) -> Step:
        """Return what to do now."""
        if self._outcome is not None:
            return Step(outcome=self._outcome)
        views: dict[LegName, LegView] = {"y": y, "x": x}
        lagging, lacking = self._lacking(views)
        if not lacking:
            self.unhedged_since_ns = None
        elif self.unhedged_since_ns is None:
            self.unhedged_since_ns = now_ns
        if lacking and not self.leaving and (self._is_overdue(now_ns) or self._is_exhausted(views[lagging])):
            self._retreating = True
        if self._retreating:
            return self._retreat(views, lagging)
        if self.rules.passive and not (self.leaving and self._has_rested(now_ns)):
            return self._advance_passively(now_ns, views)
        return self._advance(now_ns, views)

    def next_look_ns(self, now_ns: int) -> int | None:
        """Return when to ask again at the latest, if no event comes first; None if only events matter."""
        times = []
        if self.unhedged_since_ns is not None:
            times.append(self.unhedged_since_ns + self.rules.max_unhedged_ns)
        if self.rules.passive:
            times.append(self.begun_ns + self.rules.passive_ns)
        return min((time for time in times if time > now_ns), default=None)

    # -- Where the legs are -------------------------------------------------------------------------------------------

    def _distance(self, leg: LegName) -> int:
        return int(getattr(self.goal, leg) - getattr(self.start, leg))

    def _progress(self, leg: LegName, held: int) -> Fraction:
        way = self._distance(leg)
        return Fraction(held - getattr(self.start, leg), way) if way else Fraction(self._clip, self.rules.clips)

    def _aim(self, leg: LegName, progress: Fraction) -> int:
        return int(getattr(self.start, leg)) + round(self._distance(leg) * progress)

    def _missing(self, leg: LegName, view: LegView, progress: Fraction) -> int:
        """Return the signed lots to `progress`; 0 where they are too few for an order or already passed."""
        lots = self._aim(leg, progress) - view.held
        forward = lots * self._distance(leg) > 0
        return lots if forward and abs(lots) >= view.least else 0

    def _lacking(self, views: dict[LegName, LegView]) -> tuple[LegName, int]:
        """Return the leg that is behind the other, and the signed lots by which it is."""
        progress = {leg: self._progress(leg, view.held) for leg, view in views.items()}
        lagging: LegName = "x" if progress["x"] < progress["y"] else "y"
        return lagging, self._missing(lagging, views[lagging], progress[_OTHER[lagging]])

    def _is_overdue(self, now_ns: int) -> bool:
        since = self.unhedged_since_ns
        return since is not None and now_ns - since >= self.rules.max_unhedged_ns

    def _is_exhausted(self, view: LegView) -> bool:
        return view.failures >= self.rules.max_attempts

    def _has_rested(self, now_ns: int) -> bool:
        return now_ns - self.begun_ns >= self.rules.passive_ns

    # -- What to do ---------------------------------------------------------------------------------------------------

    def _advance(self, now_ns: int, views: dict[LegName, LegView]) -> Step:
        """Send what both legs lack to the end of this clip, at once."""
        live = tuple(leg for leg, view in views.items() if view.live)
        if live:
            overdue = self._is_overdue(now_ns)
            return Step(cancel=tuple(leg for leg in live if overdue or views[leg].resting))
        end = Fraction(self._clip, self.rules.clips)
        missing = {leg: self._missing(leg, view, end) for leg, view in views.items()}
        if not any(missing.values()):
            if self._clip == self.rules.clips:
                return self._over("done")
            self._clip += 1
            return self._advance(now_ns, views)
        if not self.leaving and any(missing[leg] and self._is_exhausted(view) for leg, view in views.items()):
            return self._over("gave_up")
        return Step(orders=tuple(LegOrder(leg, lots, False) for leg, lots in missing.items() if lots))

    def _advance_passively(self, now_ns: int, views: dict[LegName, LegView]) -> Step:
        """Let y rest at the touch, and take of x what y has got ahead of it."""
        y, x = views["y"], views["x"]
        orders = []
        hedge = self._missing("x", x, self._progress("y", y.held))
        if hedge and not x.live:
            orders.append(LegOrder("x", hedge, False))
        rest = self._missing("y", y, Fraction(self._clip, self.rules.clips))
        if not rest and not hedge and not x.live and not y.live:
            if self._clip == self.rules.clips:
                return self._over("done")
            self._clip += 1
            return self._advance_passively(now_ns, views)
        over = self._has_rested(now_ns) or self._is_exhausted(y)
        if over and y.live:
            return Step(tuple(orders), cancel=("y",))
        if over and not orders and not x.live:
            return self._over("gave_up")
        if rest and not y.live and not over and not hedge:
            orders.append(LegOrder("y", rest, True))
        return Step(tuple(orders))

    def _retreat(self, views: dict[LegName, LegView], lagging: LegName) -> Step:
        """Give back what the other leg has ahead of the lagging one, once no order can change either."""
        live = tuple(leg for leg, view in views.items() if view.live)
        if live:
            return Step(cancel=live)
        leading = _OTHER[lagging]
        back = self._aim(leading, self._progress(lagging, views[lagging].held)) - views[leading].held
        if abs(back) < views[leading].least:
            self.unhedged_since_ns = None
            return self._over("unwound")
        return Step(orders=(LegOrder(leading, back, False),))

    def _over(self, outcome: Outcome) -> Step:
        self._outcome = outcome
        return Step(outcome=outcome)


def clips_for(value: float, max_unhedged_value: float) -> int:
    """Return in how many parts to trade a value so that no part is worth more than may be unhedged."""
    return max(1, math.ceil(value / max_unhedged_value))

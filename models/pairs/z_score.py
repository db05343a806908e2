"""When to hold a pair, by how many standard deviations its gap is from its mean: entry, exit, stop."""

import math
from dataclasses import dataclass
from typing import Final, Literal

type Side = Literal[-1, 0, 1]
"""+1: long the gap (long y, short x); -1: short the gap; 0: flat."""

LONG: Final = 1
SHORT: Final = -1
FLAT: Final = 0


@dataclass(frozen=True)
class ZScoreRule:
    """
    The thresholds of a pair, in standard deviations of its gap.

    Parameters
    ----------
    entry_z : float
        Long at z <= -entry, short at z >= entry; above 0.
    exit_z : float
        A long position is left at z >= -exit, a short one at z <= exit. 0 leaves at the mean; below 0 holds on beyond
        it, and -entry turns the position at the other threshold, which is what `optimal_thresholds` values.
    stop_z : float
        At |z| >= stop nothing is entered, and a position is left and the rule locked: it holds nothing until z is back
        where that position would have been left. Infinite for no stop.

    Raises
    ------
    ValueError
        If not -entry <= exit < entry < stop.

    """

    entry_z: float
    exit_z: float = 0.0
    stop_z: float = math.inf

    def __post_init__(self) -> None:
        if not (0.0 < self.entry_z < self.stop_z and -self.entry_z <= self.exit_z < self.entry_z):
            raise ValueError(
                f"thresholds were entry {self.entry_z}, exit {self.exit_z}, stop {self.stop_z}, expected "
                "-entry <= exit < entry < stop"
            )

    def is_beyond_stop(self, z: float) -> bool:
        """Return whether z is so far away that nothing is held there."""
        return abs(z) >= self.stop_z

    def exit_at(self, side: Side) -> float:
        """Return the z at which a side is left: from there on towards and beyond the mean."""
        return -side * self.exit_z + 0.0  # no -0.0


@dataclass(frozen=True)
class ZScoreState:
    """What the rule wants to hold, and the side that a stop has thrown out and that has not come back since."""

    side: Side = FLAT
    stopped: Side = FLAT


def next_state(rule: ZScoreRule, state: ZScoreState, z: float) -> ZScoreState:
    """
    Return the state after z was seen.

    A step that leaves one side may enter the other. With a z that is not a number nothing changes.

    Parameters
    ----------
    rule : ZScoreRule
        The thresholds.
    state : ZScoreState
        The state so far; `ZScoreState()` to begin with.
    z : float
        (gap - mean) / standard deviation.

    """
    if math.isnan(z):
        return state
    if rule.is_beyond_stop(z):
        return ZScoreState(FLAT, stopped=state.side or state.stopped)
    if state.stopped != FLAT and not _leaves(rule, state.stopped, z):
        return state
    held = FLAT if _leaves(rule, state.side, z) else state.side
    return ZScoreState(held if held != FLAT else _enters(rule, z))


def _leaves(rule: ZScoreRule, side: Side, z: float) -> bool:
    return (side == LONG and z >= rule.exit_at(LONG)) or (side == SHORT and z <= rule.exit_at(SHORT))


def _enters(rule: ZScoreRule, z: float) -> Side:
    if z <= -rule.entry_z:
        return LONG
    return SHORT if z >= rule.entry_z else FLAT

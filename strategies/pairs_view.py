"""What a pair waits for: found when somebody asks, by the rules that it decides by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from messages.views import NOT_RUNNING, Level, Silence
from models.pairs.leg_sizes import PairLots
from models.pairs.z_score import FLAT, LONG, SHORT, Side, ZScoreRule, ZScoreState, next_state

_RISK = Silence(reason="risk_control", text="a risk control lets nothing be entered")
_IN_VAIN = Silence(
    reason="orders_in_vain", text="orders came to nothing again and again: the next waits for another quote"
)
_NEXT_SAMPLE = Silence(reason="next_sample", text="the next sample decides")


@dataclass(frozen=True, slots=True)
class PairState:
    """
    A pair at one moment.

    Parameters
    ----------
    running, restricted : bool
        Whether the strategy runs, and whether a risk control allows less than everything.
    under_way, waits_for_quote : bool
        Whether an entry or exit is being carried out, and whether its next order waits for another quote.
    sampling : sequence of Silence
        Why there is no reading to decide by.
    rule, state : ZScoreRule, ZScoreState
        The thresholds, and what was decided last.
    locked_by : str
        What has locked the rule, in words.
    z : float
        At the last sample.
    barriers : sequence of Silence
        What keeps from entering at any z.
    no_edge : Silence, optional
        What keeps from entering at this z.

    """

    running: bool
    restricted: bool
    under_way: bool
    waits_for_quote: bool
    sampling: Sequence[Silence]
    rule: ZScoreRule
    state: ZScoreState
    locked_by: str
    z: float
    barriers: Sequence[Silence]
    no_edge: Silence | None


def pair_silences(pair: PairState) -> tuple[Silence, ...]:
    """Return why nothing is traded now; nothing while an entry or exit is being carried out."""
    if not pair.running:
        return (NOT_RUNNING,)
    if pair.under_way:
        return (_IN_VAIN,) if pair.waits_for_quote else ()
    if pair.restricted:
        return (_RISK,)
    if pair.sampling:
        return tuple(pair.sampling)
    if pair.state.side != FLAT:
        return (_holding(pair),)
    return (*pair.barriers, *_of_the_rule(pair)) or (pair.no_edge or _NEXT_SAMPLE,)


def _of_the_rule(pair: PairState) -> tuple[Silence, ...]:
    """Return why the rule wants no position; nothing where it wants one."""
    rule, z = pair.rule, pair.z
    after = next_state(rule, pair.state, z)
    if math.isnan(z):
        return (Silence(reason="no_z_score", text="the gap has not moved within the lookback: it has no z-score"),)
    if after.stopped != FLAT:
        back = f"nothing is entered until z, now {z:+.2f}, is back at {_signed(rule.exit_at(after.stopped))}"
        return (Silence(reason="locked", text=f"{pair.locked_by}; {back}"),)
    if rule.is_beyond_stop(z):
        text = f"z is {z:+.2f}, beyond the stop of ±{rule.stop_z:g}: too far to enter"
        return (Silence(reason="beyond_stop", text=text),)
    if after.side == FLAT:
        text = f"z is {z:+.2f}, inside the band: entered at ±{rule.entry_z:g}"
        return (Silence(reason="inside_band", text=text),)
    return ()


def _holding(pair: PairState) -> Silence:
    rule, side = pair.rule, pair.state.side
    stop = "" if math.isinf(rule.stop_z) else f", given up at ±{rule.stop_z:g}"
    text = f"holds the pair; z is {pair.z:+.2f}, and it is left at {_signed(rule.exit_at(side))}{stop}"
    return Silence(reason="holding", text=text)


def _signed(z: float) -> str:
    return f"{z:+g}" if z else "0"


def z_levels(rule: ZScoreRule, state: ZScoreState) -> tuple[tuple[float, float], tuple[Level, ...]]:
    """Return where nothing is done about z, and every threshold."""
    sides: tuple[Side, ...] = (LONG, SHORT) if state.side == FLAT else (state.side,)
    entries = [Level(name="entry", at=-side * rule.entry_z) for side in (LONG, SHORT)]
    exits = [Level(name="exit", at=at) for at in sorted({rule.exit_at(side) for side in sides})]
    stops = [] if math.isinf(rule.stop_z) else [Level(name="stop", at=sign * rule.stop_z) for sign in (-1, 1)]
    held = {
        FLAT: (-rule.entry_z, rule.entry_z),
        LONG: (-rule.stop_z, rule.exit_at(LONG)),
        SHORT: (rule.exit_at(SHORT), rule.stop_z),
    }
    return held[state.side], (*entries, *exits, *stops)


def position_text(held: PairLots, y: str, x: str) -> str:
    """Return in words what is held."""
    parts = [f"{'long' if lots > 0 else 'short'} {name}" for name, lots in ((y, held.y), (x, held.x)) if lots]
    return ", ".join(parts) or "none"

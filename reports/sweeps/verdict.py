"""How much of the winner is luck, in plain words: what a reader should take home, before any figure."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from reports import format as fmt
from reports.sweeps.record import Known, LuckRecord, OutOfSample, Plateau, Sweep

PROOF: Final = 0.95
"""How sure is sure: one chance in twenty to be fooled by luck."""
LOTS: Final = 0.5
"""At this probability of overfitting, choosing is worth no more than drawing lots."""
MOST_OVERFITTED: Final = 0.25
"""How probable overfitting may be; half of what drawing lots would show."""
MOST_LOST: Final = 0.5
"""How much of its lead a winner may lose next to it."""
FEWEST_BEATEN: Final = 0.75
"""How many random points a winner should leave behind out of sample."""


class Level(Enum):
    """What a sweep found."""

    NOTHING = "NOTHING WAS FOUND"
    NOT_HELD = "IT DID NOT HOLD"
    DOUBTFUL = "DOUBTFUL"
    FOUND = "IT HOLDS SO FAR"
    TOO_SHORT = "TOO SHORT TO SAY"


@dataclass(frozen=True, slots=True)
class Check:
    """
    One question to the winner.

    Parameters
    ----------
    name : str
        The question, in a few words.
    passed : bool or None
        The answer; None where it cannot be known.
    text : str
        What the answer rests on.
    fault : str
        What is wrong where the answer is no.
    grave : bool
        Whether a bad answer puts the winner in doubt.

    """

    name: str
    passed: bool | None
    text: str
    fault: str
    grave: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What a sweep found.

    Parameters
    ----------
    level : Level
        In a word.
    sentence : str
        In a sentence.
    checks : tuple of Check
        What it rests on.

    """

    level: Level
    sentence: str
    checks: tuple[Check, ...]


def verdict(sweep: Sweep) -> Verdict:
    """Return what the sweep found, judged by the fold whose winner would be traded next."""
    fold, found = sweep.record.last, sweep.record.out_of_sample
    if fold.luck is None or fold.winner is None:
        return Verdict(Level.NOTHING, "No trial ran to its end and kept the constraints: there is no winner.", ())
    checks = [_beats_luck(fold.luck), _long_enough(fold.luck), _not_overfitted(fold.luck)]
    if fold.plateau is not None:
        checks.append(_on_a_plateau(fold.plateau))
    if found is not None:
        checks += [_earns(found), _beats_random(found)]
        if found.base is not None:
            checks.append(_beats_base(found))
    level, sentence = _level(fold.luck, found, checks)
    return Verdict(level, sentence, tuple(checks))


def _level(luck: LuckRecord, found: OutOfSample | None, checks: list[Check]) -> tuple[Level, str]:
    proofs = [luck.skill.value] + ([found.winner.psr.value] if found is not None else [])
    known = [proof for proof in proofs if proof is not None]
    if not known:
        return Level.TOO_SHORT, f"The sample says nothing of a Sharpe ratio: {luck.skill.why}."
    if all(proof < PROOF for proof in known):
        return Level.NOTHING, (
            f"The best of {_trials(luck)} cannot be told from the luck of trying so many. "
            "There is no reason to expect its result again."
        )
    if found is not None and found.winner.pnl_pct <= 0:
        return Level.NOT_HELD, "The winner looked better than luck where it was searched, and lost where it was not."
    failed = [check for check in checks if check.passed is False]
    if any(check.grave for check in failed):
        return Level.DOUBTFUL, f"Something is there, but it is {_names(failed)}."
    but = f" But it is {_names(failed)}." if failed else ""
    if found is None:
        return Level.FOUND, (
            "The winner is better than luck makes the best of so many. It was not tried out of sample: "
            f"give the sweep a validation before you believe it.{but}"
        )
    return Level.FOUND, f"The winner is better than luck, and it earned where the search had not looked.{but}"


def _names(checks: list[Check]) -> str:
    return ", ".join(check.fault for check in checks)


def _beats_luck(luck: LuckRecord) -> Check:
    name, fault = "Better than the luck of trying", "no better than the luck of trying"
    skill, best = luck.skill.value, luck.expected_best_sharpe.value
    if luck.sharpe.value is None or skill is None or best is None:
        return Check(name, None, f"Not known: {luck.skill.why}.", fault)
    return Check(
        name,
        skill >= PROOF,
        f"Its Sharpe ratio is {ratio(luck.sharpe.value)}. Of {_trials(luck)} without any skill the best is expected "
        f"at {ratio(best)}. That there is skill is {sure(skill)} sure; {fmt.count(100 * PROOF)} % is the usual proof, "
        f"and had it been the only trial it would be {_sure(luck.psr)}. The deflated Sharpe ratio as published, which "
        f"takes all differences between trials for luck, is {_sure(luck.dsr)}, and {_sure(luck.dsr_effective)} if they "
        f"are counted as {_effective(luck.effective_trials)} independent ones.",
        fault,
    )


def _long_enough(luck: LuckRecord) -> Check:
    name, fault = "Long enough", "too short a sample"
    needed = luck.min_backtest_secs
    if needed.value is None:
        return Check(name, None if luck.sharpe.value is None else False, f"Not known: {needed.why}.", fault)
    return Check(
        name,
        luck.length_secs >= needed.value,
        f"Luck alone is expected to bring such a ratio out of {_trials(luck)} in anything up to "
        f"{fmt.duration(needed.value)}; the sample is {fmt.duration(luck.length_secs)} (minimum backtest length). "
        f"Had it been the only trial, {fmt.duration(luck.min_track_record_secs.value or 0.0)} would prove it above 0.",
        fault,
    )


def _not_overfitted(luck: LuckRecord) -> Check:
    name, fault = "Best in one half, good in the other", "overfitted"
    pbo = luck.pbo.value
    if pbo is None:
        return Check(name, None, f"Not known: {luck.pbo.why}.", fault)
    return Check(
        name,
        pbo < MOST_OVERFITTED,
        f"The best of one half of the time is in the worse half of all trials {share(pbo)} of the time in "
        f"the other half (probability of backtest overfitting). At {share(LOTS)} choosing is worth "
        "no more than drawing lots.",
        fault,
        grave=pbo >= LOTS,
    )


def _on_a_plateau(plateau: Plateau) -> Check:
    name, fault = "Its neighbours are good too", "a spike and no plateau"
    lost = plateau.lost_share.value
    if lost is None:
        return Check(name, None, f"Not known: {plateau.lost_share.why}.", fault)
    return Check(
        name,
        lost <= MOST_LOST,
        f"Of its lead over the middle trial, {share(lost)} is gone in its neighbourhood "
        f"(median with the {plateau.neighbours} nearest trials).",
        fault,
        grave=False,
    )


def _earns(found: OutOfSample) -> Check:
    pnl, psr = found.winner.pnl_pct, found.winner.psr
    sureness = f"That it earns in truth is {sure(psr.value)} sure." if psr.value is not None else f"{psr.why}."
    proven = None if psr.value is None else psr.value >= PROOF
    return Check(
        "Earns out of sample",
        proven if pnl > 0 else False,
        f"{fmt.percent(pnl, signed=True)} in {fmt.duration(found.length_secs)} that the search did not see: "
        f"{fmt.percent(found.winner_test_pnl_pct_per_day, signed=True)} a day, against "
        f"{fmt.percent(found.winner_train_pnl_pct_per_day, signed=True)} a day where it searched. {sureness}",
        "not proven out of sample",
    )


def _beats_random(found: OutOfSample) -> Check:
    name, fault = "Better than random points", "no better than random points"
    beaten = found.beaten_share.value
    if beaten is None:
        return Check(name, None, f"Not known: {found.beaten_share.why}.", fault)
    return Check(
        name,
        beaten >= FEWEST_BEATEN,
        f"Out of sample it did better than {share(beaten)} of {len(found.random_pnl_pct)} random points of "
        f"the same ranges; drawing lots would have done so {share(0.5)} of the time.",
        fault,
    )


def _beats_base(found: OutOfSample) -> Check:
    assert found.base is not None
    return Check(
        "Better than the setup as it stands",
        found.winner.pnl_pct > found.base.pnl_pct,
        f"Out of sample {fmt.percent(found.winner.pnl_pct, signed=True)}, the setup without the sweep "
        f"{fmt.percent(found.base.pnl_pct, signed=True)}.",
        "no better than the setup as it stands",
    )


def ratio(value: float) -> str:
    """Return a Sharpe ratio as text."""
    return fmt.number(value, 2 if abs(value) < 10 else 1)


def sure(probability: float) -> str:
    """Return a probability as text that never rounds up to certainty."""
    percent = 100 * probability
    if percent > 99.9:
        return ">99.9 %"
    return "<0.1 %" if percent < 0.1 else f"{fmt.number(percent, 1)} %"


def share(value: float) -> str:
    """Return a share as text, in whole per cent."""
    return f"{fmt.number(100 * value, 0)} %"


def _sure(figure: Known) -> str:
    return fmt.MISSING if figure.value is None else sure(figure.value)


def _trials(luck: LuckRecord) -> str:
    return f"{fmt.count(luck.trials)} trial{'' if luck.trials == 1 else 's'}"


def _effective(figure: Known) -> str:
    return fmt.number(figure.value or 1.0, 1)

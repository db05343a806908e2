"""Which trials are the best: one, or with several objectives those that no other beats."""

from collections.abc import Mapping

from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.trial import TrialResult


def best_trials(sweep: LoadedSweep, results: Mapping[int, TrialResult]) -> list[int]:
    """
    Return the numbers of the best feasible trials.

    With one objective the best one, the first of equals. With several the Pareto front, the best of the first objective
    first: trials that no other feasible trial equals or beats in all objectives and beats in one.
    """
    signs = [wanted.sign for wanted in sweep.settings.objectives]
    scores = {
        number: tuple(sign * value for sign, value in zip(signs, results[number].objectives or (), strict=True))
        for number in sorted(results)
        if results[number].feasible
    }
    ranked = sorted(scores, key=lambda number: (tuple(-score for score in scores[number]), number))
    if len(signs) == 1:
        return ranked[:1]
    front: list[int] = []
    for number in ranked:  # whatever dominates a trial stands before it
        if not any(_dominates(scores[other], scores[number]) for other in front):
            front.append(number)
    return front


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))

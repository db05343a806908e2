"""`--check-lookahead`: a setup again without its future and in another week; its decisions must stay what they were."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from models.decision_traces import Difference, agree_from, first_difference, first_number_difference, numbers_agree_from
from runtime.lookahead.rerun import WEEK_NS, Rerun, trace_of, whole_trace
from runtime.lookahead.trace import Decision, Trace
from runtime.prepare import prepare_backtest
from runtime.setup.load import parse_setup
from runtime.setup.tree import SetupTree
from runtime.workers.pool import WorkerPool

CUTS: Final = 5
WEEKS: Final = 52
LATER: Final = 0.25
"""The later start, as a share of the period."""
ROUNDING: Final = 1e-9
"""Outputs differ by about this in another week: seconds since 1970 are rounded otherwise there."""
SAME: Final = 1e-6
"""Numbers that differ by no more than a hundredth of a basis point count as the same in the warm-up."""

type Kind = Literal["hidden future", "another week"]


@dataclass(frozen=True)
class Comparison:
    """
    One rerun held against the run.

    Parameters
    ----------
    kind : {"hidden future", "another week"}
        What was different.
    until_ns : int
        The time (UNIX ns) before which everything must be the same.
    decisions, outputs : int
        How many of the run were compared.
    difference : Difference or None
        The first decision that differs.
    output_difference : Difference or None
        The first fair value, signal or z-score that differs.
    error : str
        What broke the rerun off; "" where nothing did.

    """

    kind: Kind
    until_ns: int
    decisions: int
    outputs: int
    difference: Difference | None
    output_difference: Difference | None
    error: str

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self.difference is None and self.output_difference is None and not self.error


@dataclass(frozen=True)
class WarmUp:
    """
    The same setup from a later start.

    Parameters
    ----------
    start_ns : int
        The later start, UNIX ns.
    outputs_after_ns, decisions_after_ns : int or None
        How long after it the outputs and the decisions of both runs are the same to the end; None where they never are.
    outputs_after_events : int or None
        How many market events that is.
    has_outputs : bool
        Whether the setup tells fair values, signals or z-scores at all.
    error : str
        Why there is no run from the later start; "" where there is one.

    """

    start_ns: int
    outputs_after_ns: int | None
    decisions_after_ns: int | None
    outputs_after_events: int | None
    has_outputs: bool
    error: str


@dataclass(frozen=True)
class LookaheadCheck:
    """What a check found."""

    setup: str
    start_ns: int
    end_ns: int
    decisions: int
    comparisons: tuple[Comparison, ...]
    warm_up: WarmUp

    @property
    def passed(self) -> bool:
        """Whether there were decisions, and all of them were the same without the future."""
        return self.decisions > 0 and all(comparison.same for comparison in self.comparisons)


def check_lookahead(
    tree: SetupTree, working_folder: Path, *, cuts: int = CUTS, workers: int | None = None
) -> LookaheadCheck:
    """
    Run a setup, and again with its future hidden after some decisions, in another week, and from a later start.

    Parameters
    ----------
    tree : SetupTree
        The setup.
    working_folder : Path
        What its catalog is relative to.
    cuts : int
        After how many decisions the future is hidden.
    workers : int, optional
        How many processes; one per processor where left out, none of its own with 1.

    Raises
    ------
    BadInput
        If the setup cannot be run.
    Failed
        If the run breaks off.

    """
    data = prepare_backtest(parse_setup(tree), working_folder).data
    whole = Rerun(tree, working_folder, data.start_ns, data.end_ns)
    run = whole_trace(whole)
    later_ns = data.start_ns + int(LATER * (data.end_ns - data.start_ns))
    hidden = [
        Rerun(tree, working_folder, data.start_ns, cut_ns, hidden=True) for cut_ns in cut_times(run, data.end_ns, cuts)
    ]
    moved = Rerun(tree, working_folder, data.start_ns, data.end_ns, shift_ns=WEEKS * WEEK_NS)
    later = Rerun(tree, working_folder, later_ns, data.end_ns)
    *reruns, from_later = _traces([*hidden, moved, later], workers)
    compared = [_compared("hidden future", run, trace, cut.end_ns) for cut, trace in zip(hidden, reruns, strict=False)]
    compared.append(_compared("another week", run, reruns[-1], data.end_ns))
    return LookaheadCheck(
        setup=parse_setup(tree).setup.name,
        start_ns=data.start_ns,
        end_ns=data.end_ns,
        decisions=sum(ts_ns < data.end_ns for ts_ns, _ in run.decisions),
        comparisons=tuple(compared),
        warm_up=_warm_up(
            run, from_later, later_ns, data.end_ns, [row.ts_init for rows in data.chunks() for row in rows]
        ),
    )


def cut_times(run: Trace, end_ns: int, cuts: int) -> list[int]:
    """
    Return the nanoseconds after some decisions, spread over all of them, the last one included.

    Right after a decision nothing is there yet of what it could have looked at too early.
    """
    times = sorted({ts_ns for ts_ns, _ in run.decisions if ts_ns < end_ns - 1})
    chosen = {times[round((n + 1) * len(times) / cuts) - 1] for n in range(cuts)} if times else set()
    return [ts_ns + 1 for ts_ns in sorted(chosen)]


def _traces(reruns: Sequence[Rerun], workers: int | None) -> list[Trace]:
    wanted = min(len(reruns), workers or os.cpu_count() or 1)
    if wanted == 1:
        return [trace_of(rerun) for rerun in reruns]
    with WorkerPool(wanted) as pool:
        return list(pool.map(trace_of, reruns))


def _compared(kind: Kind, run: Trace, rerun: Trace, until_ns: int) -> Comparison:
    return Comparison(
        kind,
        until_ns,
        sum(ts_ns < until_ns for ts_ns, _ in run.decisions),
        sum(ts_ns < until_ns for ts_ns, _, _ in run.outputs),
        first_difference(run.decisions, rerun.decisions, until_ns),
        first_number_difference(run.outputs, rerun.outputs, until_ns, ROUNDING),
        rerun.error,
    )


def _warm_up(run: Trace, later: Trace, start_ns: int, end_ns: int, event_times: Sequence[int]) -> WarmUp:
    decisions_ns = agree_from(_unnumbered(run), _unnumbered(later), start_ns, end_ns)
    outputs_ns = numbers_agree_from(run.outputs, later.outputs, start_ns, end_ns, SAME)
    events = None if outputs_ns is None else sum(start_ns <= ts_ns <= outputs_ns for ts_ns in event_times)
    return WarmUp(
        start_ns,
        None if outputs_ns is None else outputs_ns - start_ns,
        None if decisions_ns is None else decisions_ns - start_ns,
        events,
        bool(run.outputs),
        later.error,
    )


def _unnumbered(trace: Trace) -> list[Decision]:
    """Return the decisions without the numbers of their orders: a run from a later start has sent fewer before."""
    return [(ts_ns, " ".join(w for w in told.split() if not w.startswith("#"))) for ts_ns, told in trace.decisions]

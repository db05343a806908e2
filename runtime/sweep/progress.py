"""How a sweep is getting on, in one line of the terminal."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from runtime.sweep.best import best_trials
from runtime.sweep.execute import OnTrials
from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.plan import Plan
from runtime.sweep.trial import TrialResult


@contextmanager
def sweep_progress(sweep: LoadedSweep, plan: Plan, console: Console, what: str = "trials") -> Iterator[OnTrials]:
    """Show what is done, running and failed, the best so far and the time left on `console`, if it is a terminal."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("trials", total=plan.size, state="")
        started, done_before = time.monotonic(), -1

        def on_trials(results: Mapping[int, TrialResult], running: int) -> None:
            nonlocal done_before
            done_before = len(results) if done_before < 0 else done_before
            new = len(results) - done_before
            left = (plan.size - len(results)) * (time.monotonic() - started) / new if new else None
            progress.update(
                task, completed=len(results), total=plan.size, state=_in_words(sweep, results, running, left)
            )

        yield on_trials


def _in_words(sweep: LoadedSweep, results: Mapping[int, TrialResult], running: int, left_s: float | None) -> str:
    parts = [f"{running} running"]
    for state in ("failed", "pruned"):
        count = sum(result.state == state for result in results.values())
        if count:
            parts.append(f"{count} {state}")
    best = best_trials(sweep, results)
    if best:
        wanted, result = sweep.settings.objectives[0], results[best[0]]
        assert result.objectives is not None
        parts.append(f"best {wanted.key} {result.objectives[0]:.4g} (trial {best[0]})")
    if left_s is not None:
        minutes, seconds = divmod(round(left_s), 60)
        parts.append(f"{minutes}:{seconds:02d} left")
    return ", ".join(parts)

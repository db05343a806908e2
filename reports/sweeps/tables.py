"""The sections of a sweep's page around its charts, and the tables that the terminal shows as well."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from reports import format as fmt
from reports.figures import Shown
from reports.markup import Cell, card, collapsible, masthead, table, text, tile
from reports.sweeps.definitions import DEFINITIONS
from reports.sweeps.parameter_charts import shown
from reports.sweeps.record import FoldRecord, Known, Sweep, SweepRecord, Trial
from reports.sweeps.verdict import Verdict, ratio, share, sure

type Writer = Callable[[float], str]

MOST_TRIALS: Final = 30


def header(record: SweepRecord) -> str:
    """Return the title with what was searched, where and how."""
    objectives = ", ".join(f"{'most' if goal.maximise else 'least'} {goal.key}" for goal in record.objectives)
    facts = {
        "Run": record.run_id,
        "Setup": record.setup,
        "Instruments": ", ".join(record.instruments),
        "Period (UTC)": f"{fmt.moment(record.start)} to {fmt.moment(record.end)}",
        "Sought": objectives,
        "Kept to": ", ".join(record.constraints),
        "Sampler": record.sampler,
        "Validation": validation_text(record),
    }
    return masthead("sweep report", record.sweep, record.description, facts)


def validation_text(record: SweepRecord) -> str:
    """Return how the sweep was validated, in a few words."""
    settings = {name: value for name, value in record.validation.items() if value not in (None, False, 0, "0s")}
    scheme = str(settings.pop("scheme", "none")).replace("_", " ")
    details = ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in settings.items() if name != "random_points"
    )
    return scheme if scheme == "none" else f"{scheme}: {details}"


def headline(sweep: Sweep) -> list[Shown]:
    """Return the figures that the verdict rests on."""
    fold, found = sweep.record.last, sweep.record.out_of_sample
    if fold.luck is None:
        return [_figure("Trials", Known(value=len(sweep.of_fold(fold.number))), fmt.count)]
    luck = fold.luck
    figures = [
        _figure("Sharpe ratio", luck.sharpe, ratio),
        _figure("Luck's best", luck.expected_best_sharpe, ratio),
        _figure("Better than luck", luck.skill, sure),
        _figure("Deflated Sharpe ratio", luck.dsr, sure),
        _figure("Overfitting", luck.pbo, share),
        _figure("Minimum length", luck.min_backtest_secs, fmt.duration),
        _figure("Trials", Known(value=luck.trials), fmt.count),
    ]
    lost = fold.plateau.lost_share if fold.plateau else Known(why="there are too few trials")
    figures.append(_figure("Plateau", lost, lambda value: share(max(0.0, min(1.0, 1 - value)))))
    if found is None:
        why = sweep.record.out_of_sample_why or "it was not tried"
        return [*figures, _figure("Out of sample", Known(why=why), str), _figure("Beats random", Known(why=why), str)]
    pnl = found.winner.pnl_pct
    return [
        *figures,
        _figure(
            "Out of sample", Known(value=pnl), lambda value: fmt.percent(value, signed=True), (pnl > 0) - (pnl < 0)
        ),
        _figure("Beats random", found.beaten_share, share),
    ]


def _figure(label: str, known: Known, write: Writer, sign: int = 0) -> Shown:
    definition = DEFINITIONS[label]
    if known.value is None:
        return Shown(label, fmt.MISSING, known.why or "not known", definition, 0)
    return Shown(label, write(known.value), "", definition, sign)


def tiles(sweep: Sweep) -> str:
    """Return the headline tiles."""
    return f'<div class="tiles">{"".join(tile(figure) for figure in headline(sweep))}</div>'


MARKS: Final = {True: ("yes", "gain"), False: ("no", "loss"), None: ("not known", "")}


def checks(found: Verdict) -> str:
    """Return the questions to the winner with their answers."""
    if not found.checks:
        return ""
    rows = "".join(
        f'<dt>{text(check.name)}: <span class="{MARKS[check.passed][1]}">{MARKS[check.passed][0]}</span></dt>'
        f"<dd>{text(check.text)}</dd>"
        for check in found.checks
    )
    return card("How much is luck", f'<dl class="glossary">{rows}</dl>')


def winner(sweep: Sweep) -> str:
    """Return the winner of the last fold beside the setup as it stands."""
    fold = sweep.record.last
    chosen, base = sweep.winner(fold), sweep.base(fold)
    if chosen is None:
        return ""
    rows = []
    for parameter in sweep.record.parameters:
        now = base.parameters.get(parameter.path) if base else None
        values = [shown(chosen.parameters.get(parameter.path)), shown(now)]
        rows.append([Cell(parameter.label, parameter.path, "text"), *(Cell(value) for value in values)])
    for place, objective in enumerate(sweep.record.objectives):
        for stage, name in (("in sample", "values"), ("out of sample", "test_values")):
            found = [_at(getattr(trial, name) if trial else (), place) for trial in (chosen, base)]
            if any(value is not None for value in found):
                cells = (Cell(number(value)) for value in found)
                rows.append([Cell(f"{objective.key}, {stage}", "", "text"), *cells])
    head = [
        Cell("", "", "text"),
        Cell(f"winner, trial {chosen.number}", "The best trial that keeps to the constraints."),
        Cell("setup as it stands", "The setup without any change, on the same data."),
    ]
    small = "" if len(sweep.record.folds) < 2 else "Of the last fold: what the walk forward would trade next."
    return card("The winner", table(head, rows), small=small)


def folds(sweep: Sweep) -> str:
    """Return a row per fold: windows, trials, and what the winner did in and out of sample."""
    if len(sweep.record.folds) < 2 and sweep.record.last.test_start is None:
        return ""
    key = sweep.record.objectives[0].key
    told = {
        "fold": "Where the walk forward stands: each fold searches once and tries its winner on what follows.",
        "search": "The window of the search.",
        "test": "The window that the search had not seen.",
        "trials": DEFINITIONS["Trials"],
        f"{key} in sample": "Of the winner, where the search looked.",
        f"{key} out of sample": "Of the winner, in the window that the search had not seen.",
        "setup out of sample": "The same of the setup without any change.",
        "better than luck": DEFINITIONS["Better than luck"],
        "overfitting": DEFINITIONS["Overfitting"],
    }
    head = [Cell(name, tip, "text" if name in ("search", "test") else "") for name, tip in told.items()]
    return card("Folds", table(head, [_fold_row(sweep, fold) for fold in sweep.record.folds]))


def _fold_row(sweep: Sweep, fold: FoldRecord) -> list[Cell]:
    chosen, base, luck = sweep.winner(fold), sweep.base(fold), fold.luck
    return [
        Cell(str(fold.number + 1)),
        Cell(_window(fold.train_start, fold.train_end), "", "text"),
        Cell(_window(fold.test_start, fold.test_end), "", "text"),
        Cell(fmt.count(luck.trials) if luck else fmt.MISSING),
        Cell(number(_at(chosen.values if chosen else (), 0))),
        Cell(number(_at(chosen.test_values if chosen else (), 0))),
        Cell(number(_at(base.test_values if base else (), 0))),
        _known_cell(luck.skill if luck else Known(), sure),
        _known_cell(luck.pbo if luck else Known(), share),
    ]


def _known_cell(known: Known, write: Writer) -> Cell:
    return Cell(fmt.MISSING, known.why or "") if known.value is None else Cell(write(known.value))


def _window(start: str | None, end: str | None) -> str:
    if start is None or end is None:
        return fmt.MISSING
    return f"{fmt.moment(start)[5:16]} to {fmt.moment(end)[5:16]}"


def ranked(sweep: Sweep, most: int = MOST_TRIALS) -> list[Trial]:
    """Return the best trials of the last fold, feasible ones first."""
    goal = sweep.record.objectives[0]
    found = [trial for trial in sweep.of_fold(sweep.record.last.number) if _at(trial.values, 0) is not None]
    sign = -1.0 if goal.maximise else 1.0
    return sorted(found, key=lambda trial: (not trial.feasible, sign * (trial.values[0] or 0.0), trial.number))[:most]


def best_trials(sweep: Sweep) -> str:
    """Return the best trials with their neighbourhoods."""
    trials, record = ranked(sweep), sweep.record
    if not trials:
        return ""
    head = [
        Cell("trial", "Its number, in the order of the search."),
        *(Cell(parameter.label, parameter.path) for parameter in record.parameters),
    ]
    head += [Cell(objective.key, "An objective of the search, in sample.") for objective in record.objectives]
    tip = "The median of the trial and its nearest neighbours, in the first objective."
    head += [
        Cell("neighbourhood", tip),
        Cell("out of sample", "The first objective where no search had looked."),
        Cell("kept constraints", "Whether the trial kept to what the sweep demands."),
    ]
    rows = [
        [
            Cell(str(trial.number)),
            *(Cell(shown(trial.parameters.get(parameter.path))) for parameter in record.parameters),
            *(Cell(number(value)) for value in trial.values),
            Cell(number(trial.plateau)),
            Cell(number(_at(trial.test_values, 0))),
            Cell("yes" if trial.feasible else "no"),
        ]
        for trial in trials
    ]
    count = len(sweep.of_fold(record.last.number))
    return card("Best trials", table(head, rows), small=f"{len(rows)} of {count}; all are in points.parquet.")


def failures(sweep: Sweep) -> list[tuple[str, int]]:
    """Return why points failed or were liquidated, each reason once with their number, the most frequent first."""
    return Counter(trial.error for trial in sweep.trials if trial.error).most_common()


def errors(sweep: Sweep) -> str:
    """Return why points failed or were liquidated, as a card."""
    rows = [[Cell(str(count)), Cell(reason, "", "text")] for reason, count in failures(sweep)]
    if not rows:
        return ""
    head = [Cell("points", "How many points ended so."), Cell("why", "What the run said.", "text")]
    return card("Failed and liquidated", table(head, rows[:MOST_TRIALS]))


def glossary() -> str:
    """Return every figure with its definition, for screens without a pointer."""
    listed = "".join(f"<dt>{text(name)}</dt><dd>{text(meaning)}</dd>" for name, meaning in DEFINITIONS.items())
    return collapsible("What the figures mean", f'<dl class="glossary">{listed}</dl>')


def manifest(record: SweepRecord) -> str:
    """Return what it takes to make the sweep again."""
    written = msgspec.json.format(msgspec.json.encode(record.manifest), indent=2).decode()
    return collapsible("Sweep and versions", f"<pre>{text(written)}</pre>")


def footer(record: SweepRecord) -> str:
    """Return how the figures came about."""
    return (
        f"<footer>Returns every {text(fmt.duration(record.interval_secs))}, trading alone, in {text(record.currency)}. "
        "Backtests are not promises: a sweep finds what would have been good, and luck is always a part of it.</footer>"
    )


def _at(values: Sequence[float | None], place: int) -> float | None:
    return values[place] if place < len(values) else None


def number(value: float | None) -> str:
    """Return the value of an objective as text."""
    if value is None:
        return fmt.MISSING
    return fmt.number(value, fmt.decimals_for(value, significant=4, at_most=6))

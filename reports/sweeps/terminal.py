"""The essentials of a sweep in the terminal: the verdict, the figures it rests on, and the best trials."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import format as fmt
from reports.sections import RECONSTRUCTED, SYNTHETIC
from reports.sweeps import tables
from reports.sweeps.page import PAGE_FILE
from reports.sweeps.parameter_charts import shown
from reports.sweeps.record import Sweep
from reports.sweeps.verdict import Level, verdict

STYLES = {Level.FOUND: "bold green", Level.DOUBTFUL: "bold yellow", Level.TOO_SHORT: "bold yellow"}
MOST_REASONS = 3
ANSWERS = {True: ("yes", "green"), False: ("no ", "red"), None: ("?  ", "yellow")}


def print_sweep(sweep: Sweep, folder: Path, console: Console, *, best: int = 5) -> None:
    """
    Print the essentials of a sweep.

    Parameters
    ----------
    sweep : Sweep
        What was done.
    folder : Path
        Its results folder, named at the end.
    console : Console
        Where to print; 80 columns suffice.
    best : int
        How many trials to list.

    """
    record, found = sweep.record, verdict(sweep)
    _print(console, f"{record.sweep}  {record.run_id}", "bold")
    _print(console, f"{fmt.moment(record.start)} to {fmt.moment(record.end)} UTC  {', '.join(record.instruments)}")
    for labelled, (label, _) in ((record.synthetic, SYNTHETIC), (record.reconstructed_quotes, RECONSTRUCTED)):
        if labelled:
            _print(console, f" {label} ", "bold reverse yellow")
    for warning in record.warnings:
        _print(console, f"Warning: {warning}", "yellow")
    console.print()
    _print(console, found.level.value, STYLES.get(found.level, "bold red"))
    console.print(_text(found.sentence))
    console.print()
    console.print(_figures(sweep))
    for why, labels in _reasons(sweep).items():
        console.print(_text(f"{', '.join(labels)}: {why}", "dim"))
    console.print()
    for check in found.checks:
        answer, style = ANSWERS[check.passed]
        console.print(Text.assemble((f"{answer} ", style), (f"{check.name}. ", "bold"), _text(check.text)))
    console.print()
    if tables.ranked(sweep, 1):
        console.print(_best(sweep, best))
    for why, count in tables.failures(sweep)[:MOST_REASONS]:
        console.print(_text(f"out, {count} of the points: {why}", "yellow"))
    _print(console, f"Page: {folder / PAGE_FILE}")


def _figures(sweep: Sweep) -> Table:
    table = Table.grid(padding=(0, 2))
    for justify in ("left", "right", "left", "right"):
        table.add_column(justify=justify, no_wrap=True)
    figures = tables.headline(sweep)
    cells = [(_text(figure.label), _text(figure.text)) for figure in figures] + [(Text(), Text())]
    half = -(-len(figures) // 2)
    for row in range(half):
        table.add_row(*cells[row], *cells[row + half])
    return table


def _reasons(sweep: Sweep) -> dict[str, list[str]]:
    """Return why figures are missing, each reason once."""
    reasons: dict[str, list[str]] = {}
    for figure in tables.headline(sweep):
        if figure.why:
            reasons.setdefault(figure.why, []).append(figure.label)
    return reasons


def _best(sweep: Sweep, most: int) -> Table:
    """Return the best trials, with what fits a narrow terminal: the parameters in words."""
    record = sweep.record
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("trial", justify="right")
    for objective in record.objectives:
        table.add_column(objective.key, justify="right", no_wrap=True)
    table.add_column("neighbours", justify="right", no_wrap=True)
    table.add_column("parameters")
    for trial in tables.ranked(sweep, most):
        told = ", ".join(f"{item.label} {shown(trial.parameters.get(item.path))}" for item in record.parameters)
        cells = [str(trial.number), *(tables.number(value) for value in trial.values), tables.number(trial.plateau)]
        table.add_row(*(_text(cell) for cell in cells), _text(told))
    return table


def _text(told: str, style: str = "") -> Text:
    """Return text with a minus that can be copied, and without control characters."""
    return Text(fmt.printable(told).replace(fmt.MINUS, "-"), style)


def _print(console: Console, told: str, style: str = "") -> None:
    """Print a line that is never broken, so that a path can be copied."""
    console.print(_text(told, style), soft_wrap=True, highlight=False)

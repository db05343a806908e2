"""Several results folders side by side: as a page, in the terminal and as JSON."""

from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from rich.console import Console

from bad_input import BadInput
from reports import format as fmt
from reports.checks import disagreements
from reports.differences import Difference, differences
from reports.fee_table import fee_tiers_of_runs
from reports.figures import Summary
from reports.markup import Cell, card, items, masthead, table, text
from reports.overlaid import overlaid
from reports.page import document, write_page
from reports.results_folder import Results, read_results
from reports.sections import RECONSTRUCTED, SYNTHETIC, charts
from reports.side_by_side import FIGURES, page_table, terminal_table

MOST_RUNS = len(ascii_uppercase)
NONE = "The runs differ in nothing but their figures."


def read_runs(folders: Sequence[Path]) -> dict[str, Results]:
    """
    Return the results of several folders, by letter.

    Raises
    ------
    BadInput
        If there are less than two or too many folders, one stands twice, or one is no results folder.

    """
    if not 2 <= len(folders) <= MOST_RUNS:
        raise BadInput(f"compares 2 to {MOST_RUNS} results folders, and {len(folders)} were given", key="compare")
    seen: set[Path] = set()
    for folder in folders:
        if folder.resolve() in seen:
            raise BadInput("stands twice", file=folder, key="compare")
        seen.add(folder.resolve())
    return dict(zip(ascii_uppercase, map(read_results, folders), strict=False))


def as_document(runs: dict[str, Results]) -> dict[str, Any]:
    """Return the comparison as JSON types; a figure that is not known is null."""
    summaries = _summaries(runs)
    return {
        "runs": {name: {"folder": str(run.folder), **_named(run)} for name, run in runs.items()},
        "differences": [
            {"what": found.what, **dict(zip(runs, found.values, strict=True))}
            for found in differences(list(runs.values()))
        ],
        "figures": {
            figure.path: {name: summary.number(figure.path) for name, summary in zip(runs, summaries, strict=True)}
            for figure in FIGURES
        },
        "disagreements": {name: disagreements(run) for name, run in runs.items()},
    }


def _named(run: Results) -> dict[str, str]:
    return {"setup": run.summary.text("setup"), "run_id": run.summary.text("run_id")}


def _summaries(runs: dict[str, Results]) -> list[Summary]:
    return [Summary({**run.summary.values, "traded": _traded(run.summary)}) for run in runs.values()]


def _traded(summary: Summary) -> float:
    return float(sum(row.get("notional", 0.0) for row in summary.table("by_instrument").values()))


# -- Terminal ---------------------------------------------------------------------------------------------------------


def print_comparison(runs: dict[str, Results], page: Path, console: Console) -> None:
    """Print the runs, what sets them apart, and their figures."""
    for name, run in runs.items():
        _line(console, f"{name}  {run.summary.text('setup')}  {run.summary.text('run_id')}", "bold")
        for label in _labels(run):
            _line(console, f"   {label}", "bold yellow")
    console.print()
    found = differences(list(runs.values()))
    _line(console, "What sets them apart" if found else NONE, "bold")
    for one in found:
        _line(console, f"  {difference_line(list(runs), one)}")
    console.print()
    console.print(terminal_table(list(runs), _summaries(runs)))
    console.print()
    _line(console, f"Page: {page}")


def _labels(run: Results) -> list[str]:
    kinds = {"synthetic": SYNTHETIC[0], "reconstructed_quotes": RECONSTRUCTED[0], "drill": "DRILL, NOT A BACKTEST"}
    found = [label for key, label in kinds.items() if run.summary.get(key)]
    return found + [f"THE FIGURES DISAGREE: {doubt}" for doubt in disagreements(run)]


def difference_line(names: Sequence[str], found: Difference) -> str:
    """Return a difference in one line, runs with the same value together: "fees: A, B: 10 bps | C: 2 bps"."""
    groups: dict[str, list[str]] = {}
    for name, value in zip(names, found.values, strict=True):
        groups.setdefault(value, []).append(name)
    told = " | ".join(f"{', '.join(having)}: {value}" for value, having in groups.items())
    return f"{found.what}: {told}"


def _line(console: Console, told: str, style: str = "") -> None:
    console.print(fmt.printable(told), style=style, soft_wrap=True, highlight=False, markup=False)


# -- Page -------------------------------------------------------------------------------------------------------------


def write_comparison(runs: dict[str, Results], file: Path) -> Path:
    """
    Write the comparison as a page that opens offline.

    Raises
    ------
    BadInput
        If there is no such folder for the page.

    """
    if not file.parent.is_dir():
        raise BadInput("there is no such folder", file=file.parent, key="--out")
    names, summaries = list(runs), _summaries(runs)
    currencies = {summary.text("currency") for summary in summaries}
    drawn = [overlaid({name: run.equity for name, run in runs.items()}, " / ".join(sorted(currencies)))]
    body = "\n".join(
        (
            masthead("comparison", f"{len(runs)} runs", "", {}),
            card("Runs", items(f"{name}: {_told(run)}" for name, run in runs.items())),
            _difference_card(names, differences(list(runs.values()))),
            card("Figures", page_table(names, summaries)),
            charts(drawn),
            fee_tiers_of_runs(names, summaries) if len({s.text("fee_tiers.market") for s in summaries}) == 1 else "",
        )
    )
    return write_page(file, document(f"Comparison of {len(runs)} runs", body, drawn))


def _told(run: Results) -> str:
    labels = "".join(f" · {label}" for label in _labels(run))
    return f"{run.summary.text('setup')} · {run.summary.text('run_id')}{labels}"


def _difference_card(names: Sequence[str], found: Sequence[Difference]) -> str:
    if not found:
        return card("What sets them apart", f"<p>{text(NONE)}</p>")
    head = [Cell("", style="text"), *(Cell(name, f"What run {name} has.", "text") for name in names)]
    rows = [[Cell(row.what, style="text"), *(Cell(value, style="text") for value in row.values)] for row in found]
    return card(
        "What sets them apart", table(head, rows), small="Everything in which the runs differ but their figures."
    )

"""The essentials of a run as a table in the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import format as fmt
from reports.definitions import FEES, HEADLINE, MARKOUTS, MORE, PART_FIGURES, PNL, fee_texts
from reports.drill_tables import LABEL, drill_label, drill_lines, drill_table
from reports.fee_table import fee_sentence
from reports.figures import Shown, Summary, show
from reports.format import printable
from reports.liquidation import liquidation_line
from reports.quality_table import quality_line
from reports.risk_tables import halt_line

SYNTHETIC = "SYNTHETIC MARKET: generated, not recorded"
RECONSTRUCTED = "RECONSTRUCTED QUOTES: rebuilt from trades or bars, every figure is an estimate"
ESSENTIALS = (*(figure for figure in HEADLINE if figure is not FEES), *MORE)


def print_summary(summary: dict[str, Any], folder: Path, console: Console) -> None:
    """
    Print the essentials of a run: labels, figures, the parts of the P&L with their sum, and where the report is.

    Parameters
    ----------
    summary : dict
        The content of summary.json.
    folder : Path
        The results folder, named at the end.
    console : Console
        Where to print; 80 columns suffice, and plain text comes out where it is not a terminal.

    """
    figures = Summary(summary)
    period = f"{fmt.moment(figures.text('start'))} to {fmt.moment(figures.text('end'))} UTC"
    _line(console, f"{figures.text('setup')}  {figures.text('run_id')}", "bold")
    _line(console, f"{period}  {', '.join(figures.texts('instruments'))}")
    _labels(figures, console)
    if figures.get("drill"):
        _print_drill(figures, console)
    console.print()
    shown = [show(figure, figures) for figure in ESSENTIALS]
    console.print(_pairs(shown, console))
    for missing in (figure for figure in shown if figure.why):
        _line(console, f"{missing.label}: {missing.why}", "dim")
    console.print()
    console.print(_parts(figures, console))
    console.print()
    console.print(_markouts(figures, console))
    console.print()
    for strategy, done in figures.table("rebalance").items():
        _line(console, f"{strategy}: {_rebalanced(done)}")
    if told := quality_line(figures):
        _line(console, f"Data: {told}")
    if told := fee_sentence(figures):
        _line(console, f"Fees: {told}")
    _line(console, _assumed(figures))
    _line(console, f"Report: {folder / 'report.html'}")


def _line(console: Console, text: str, style: str = "") -> None:
    """Print one line as it is: no markup, no highlighting, and never broken, so that a path can be copied."""
    console.print(_text(console, text, style), soft_wrap=True, highlight=False)


def _text(console: Console, text: str, style: str = "") -> Text:
    """Return `text` without control characters, with a minus that can be copied, in letters the console can show."""
    shown = printable(text).replace(fmt.MINUS, "-")
    if console.options.ascii_only:
        shown = shown.replace(fmt.MISSING, "-").replace("×", "x").encode("ascii", "replace").decode()
    return Text(shown, style)


def _labels(figures: Summary, console: Console) -> None:
    if figures.get("drill"):
        _line(console, f" {LABEL}: {drill_label(figures)} ", "bold reverse red")
    labels = {"synthetic": SYNTHETIC, "reconstructed_quotes": RECONSTRUCTED}
    for key in (key for key in labels if figures.get(key)):
        _line(console, f" {labels[key]} ", "bold reverse yellow")
    if figures.get("liquidation"):
        _line(console, f"LIQUIDATED: {liquidation_line(figures)}", "bold red")
    for halt in figures.entries("risk.halts"):
        _line(console, f"STOPPED BY A RISK CONTROL: {halt_line(halt)}", "bold red")
    for warning in figures.texts("warnings"):
        _line(console, f"Warning: {warning}", "yellow")


def _print_drill(figures: Summary, console: Console) -> None:
    console.print()
    verdict, *rest = drill_lines(figures)
    _line(console, verdict, "bold" if figures.get("drill.answered") else "bold red")
    if figures.entries("drill.controls"):
        console.print(drill_table(figures))
    for line in rest:
        _line(console, line)


def _pairs(shown: Sequence[Shown], console: Console) -> Table:
    """Return the figures as label and value, in two columns."""
    table = Table.grid(padding=(0, 2))
    for justify in ("left", "right", "left", "right"):
        table.add_column(justify=justify, no_wrap=True)
    half = -(-len(shown) // 2)
    colors = {1: "green", -1: "red"}
    cells = [(Text(figure.label), _text(console, figure.text, colors.get(figure.sign, ""))) for figure in shown]
    cells.append((Text(), Text()))
    for row in range(half):
        table.add_row(*cells[row], *cells[row + half])
    return table


def _parts(figures: Summary, console: Console) -> Table:
    """Return the parts of the P&L and their sum in one row, all to the same decimals."""
    parts = [*PART_FIGURES, PNL]
    values = [figures.number(figure.path) for figure in parts]
    decimals = fmt.decimals_for(*values)
    names = [f"{sign}{figure.label}" for sign, figure in zip(("", "+ ", "+ ", "+ ", "= "), parts, strict=True)]
    texts = [_signed(value, decimals, console) for value in values]
    return _row(_text(console, f"P&L parts, {figures.text('currency')}", "bold"), names, texts)


def _markouts(figures: Summary, console: Console) -> Table:
    """Return the markouts of all fills by horizon in one row."""
    texts = [_signed(figures.number(f"markouts_bps.{horizon}"), 2, console) for horizon in MARKOUTS]
    return _row(Text("Markouts, bps", "bold"), [f"{horizon[:-1]} s" for horizon in MARKOUTS], texts)


def _row(title: Text, names: Sequence[str], texts: Sequence[Text]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, min_width=15)
    for _ in names:
        table.add_column(justify="right", no_wrap=True)
    table.add_row(title, *(Text(name, "dim") for name in names))
    table.add_row("", *texts)
    return table


def _signed(value: float | None, decimals: int, console: Console) -> Text:
    return _text(console, fmt.MISSING if value is None else fmt.number(value, decimals, signed=True))


def _rebalanced(done: dict[str, Any]) -> str:
    """Return what a rebalancer did and what that cost."""
    fees, spread = fmt.number(done["fees_paid"], 2), fmt.number(done["spread_paid"], 2)
    return (
        f"rebalanced {fmt.count(done['actions'])} times with {fmt.count(done['orders'])} orders, traded "
        f"{fmt.number(done['traded'], 2)}, paid {fees} in fees and {spread} in spread"
    )


def _assumed(figures: Summary) -> str:
    fees = "; ".join(fee_texts(figures))
    rate = figures.number("events_per_s")
    speed = f"; {fmt.count(rate)} events/s" if rate is not None else ""
    return f"Fills: {fmt.flat(figures.get('fills_assumption'))}; fees: {fees}{speed}"

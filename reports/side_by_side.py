"""Runs side by side: one column for each, one row for each figure, on a page and in a terminal."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from reports import format as fmt
from reports.definitions import HEADLINE, MARKOUT_FIGURES, MORE, PART_FIGURES
from reports.figures import Figure, Kind, Summary, show_alike
from reports.markup import Cell, figure_cell, table

TRADED = Figure("traded", "Traded", Kind.MONEY, "The value of all fills, bought and sold together.")

_KNOWN = {figure.path: figure for figure in (*HEADLINE, *MORE, *PART_FIGURES)}
_NAMED = {path: _KNOWN[path] for path in ("pnl_trading", "pnl", "max_drawdown_pct", "fills", "maker_share")}
_QUOTES = [figure for figure in (*HEADLINE, *MORE) if figure.path.startswith("quotes.")]

FIGURES = (
    _NAMED["pnl_trading"],
    *PART_FIGURES,
    _KNOWN["pnl_holdings"],
    _NAMED["pnl"],
    _NAMED["max_drawdown_pct"],
    _NAMED["fills"],
    TRADED,
    _NAMED["maker_share"],
    *MARKOUT_FIGURES.values(),
    *_QUOTES,
    _KNOWN["orders"],
    _KNOWN["break_even_maker_fee_bps"],
)
"""What runs are compared by, in the order of the rows."""


def page_table(names: Sequence[str], runs: Sequence[Summary], figures: Sequence[Figure] = FIGURES) -> str:
    """Return the runs as a table for a page."""
    head = [Cell("", style="text"), *(Cell(name, _named(run)) for name, run in zip(names, runs, strict=True))]
    body = []
    for figure in figures:
        shown = show_alike(figure, runs)
        body.append([Cell(figure.label, figure.definition, "text"), *map(figure_cell, shown)])
    return table(head, body)


def _named(run: Summary) -> str:
    return " · ".join(filter(None, (run.text(key) for key in ("setup", "run_id", "fills_description"))))


def terminal_table(names: Sequence[str], runs: Sequence[Summary], figures: Sequence[Figure] = FIGURES) -> Table:
    """Return the runs as a table for a terminal; the currency stands in no cell where all have the same."""
    shown = Table(box=None, padding=(0, 1), pad_edge=False)
    shown.add_column(no_wrap=True)
    for name in names:
        shown.add_column(Text(name, "dim"), justify="right", overflow="fold")
    colors = {1: "green", -1: "red"}
    units = {f" {run.text('currency')}" for run in runs}
    left_out = units if len(units) == 1 else set()
    for figure in figures:
        cells = show_alike(figure, runs)
        texts = [_without(one.text, left_out).replace(fmt.MINUS, "-").replace(fmt.MISSING, "-") for one in cells]
        shown.add_row(
            figure.label, *(Text(text, colors.get(one.sign, "")) for text, one in zip(texts, cells, strict=True))
        )
    return shown


def _without(text: str, units: set[str]) -> str:
    for unit in units:
        text = text.removesuffix(unit)
    return text

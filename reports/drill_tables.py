"""What came of a drill: a label that nobody can overlook, and a table of the controls that answered."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from reports import format as fmt
from reports.figures import Summary
from reports.markup import Cell, card, items, table
from reports.risk_tables import figure

LABEL = "DRILL, NOT A BACKTEST"

_HEAD = (
    ("Control", "The rule that answered."),
    ("Scope", "The account, or the strategy that it concerns."),
    ("After", "Market time from the fault until it fired."),
    ("Events", "Market events from the fault until it fired, both ends included."),
    ("Value", "What was found, the first time."),
    ("Limit", "What it was held against."),
    ("Action", "What it did about it."),
    ("Halted", "Market time from the fault until all that it asked for was done."),
    ("Resumed", "Market time from the fault until trading went on."),
)


def drill_label(summary: Summary) -> str:
    """Return what happened in a drill, in one line; nothing for a backtest."""
    if not summary.get("drill"):
        return ""
    return (
        f"{summary.text('drill.fault')} at {fmt.moment(summary.text('drill.at'))} UTC. {summary.text('drill.sentence')}"
    )


def drill_card(summary: Summary) -> str:
    """Return the card of a drill for the page; nothing for a backtest."""
    if not summary.get("drill"):
        return ""
    head = [Cell(label, tip, "text" if n in (0, 1, 6) else "") for n, (label, tip) in enumerate(_HEAD)]
    rows = [[Cell(value) for value in _row(control)] for control in _controls(summary)]
    for row in rows:
        for n in (0, 1, 6):
            row[n] = Cell(row[n].value, style="text")
    content = table(head, rows) if rows else ""
    return card("Drill", content + items(drill_lines(summary)), small=drill_label(summary))


def drill_table(summary: Summary) -> Table:
    """Return the controls that answered, for a terminal of 80 columns."""
    shown = Table(box=None, padding=(0, 1), pad_edge=False)
    columns = (0, 2, 3, 4, 6, 7)
    for n in columns:
        shown.add_column(Text(_HEAD[n][0], "dim"), justify="left" if n in (0, 6) else "right", overflow="fold")
    for control in _controls(summary):
        row = _row(control)
        shown.add_row(*(Text(row[n].replace(fmt.MISSING, "-")) for n in columns))
    return shown


def drill_lines(summary: Summary) -> list[str]:
    """Return the verdict of a drill, what closing cost, and how the drill was chosen."""
    currency = summary.text("currency")
    lines = [summary.text("drill.verdict")]
    cost, flat = summary.number("drill.flatten_cost"), summary.number("drill.flat_after_s")
    if flat is not None and cost is not None:
        lines.append(f"Flat {fmt.number(flat, 3)} s after the fault; closing cost {fmt.money(cost, currency)}.")
    else:
        lines.append(f"Not closed: {summary.text('drill.flat_at_why')}.")
    before, lowest = summary.number("drill.equity_at_fault"), summary.number("drill.lowest_equity")
    if before is not None and lowest is not None:
        lines.append(
            f"Equity was {fmt.money(before, currency)} at the fault, and {fmt.money(lowest, currency)} at the lowest."
        )
    return [*lines, *summary.texts("drill.chosen")]


def _controls(summary: Summary) -> list[Mapping[str, Any]]:
    return [row for row in summary.entries("drill.controls") if isinstance(row, Mapping)]


def _row(control: Mapping[str, Any]) -> list[str]:
    refusals = control.get("refusals")
    action = fmt.flat(control.get("action"))
    return [
        fmt.flat(control.get("rule")),
        fmt.flat(control.get("scope")),
        _seconds(control.get("after_s")),
        fmt.flat(control.get("after_events")),
        figure(control.get("value")),
        figure(control.get("limit")),
        f"{action} × {refusals}" if refusals else action,
        _seconds(control.get("halted_after_s")),
        _seconds(control.get("resumed_after_s")),
    ]


def _seconds(value: object) -> str:
    return f"{fmt.number(value, 3)} s" if isinstance(value, int | float) else fmt.MISSING

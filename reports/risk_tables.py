"""What the risk controls did: halts, and orders that the guard refused."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports import format as fmt
from reports.figures import Summary
from reports.markup import Cell, card, table


def halt_line(halt: object) -> str:
    """Return a halt as one line for people; what is no halt comes back as it is."""
    if not isinstance(halt, Mapping) or not halt.get("rule"):
        return fmt.flat(halt)
    when = f"{fmt.moment(str(halt.get('time', '')))} UTC"
    reason = f" ({halt['reason']})" if halt.get("reason") else ""
    return f"{when}, {halt.get('scope')}: {_what(halt)}{reason}; action: {halt.get('action')}"


def _what(halt: Mapping[str, Any]) -> str:
    return f"{halt['rule']} was {figure(halt.get('value'))}, the limit is {figure(halt.get('limit'))}"


def halt_table(summary: Summary) -> str:
    """Return every trip of a control with what came of it; nothing where there was none."""
    halts = _rows(summary, "risk.halts")
    if not halts:
        return ""
    head = [
        Cell("Time (UTC)", "When the control tripped.", "text"),
        Cell("Scope", "The account, or the strategy that it concerns.", "text"),
        Cell("Rule", "The limit of the setup that answered.", "text"),
        Cell("Value", "What was found."),
        Cell("Limit", "What it was held against."),
        Cell("Action", "What the control did about it.", "text"),
        Cell("Halted after", "From the trip until all that the action asks for was done."),
        Cell("Cost", "What closing at the market cost against the mid at the trip, fees included."),
        Cell("Reason", "What a person gave as the reason.", "text"),
    ]
    return card("Stopped by a risk control", table(head, [_halt_row(halt, summary) for halt in halts]))


def _halt_row(halt: Mapping[str, Any], summary: Summary) -> list[Cell]:
    after = halt.get("halted_after_s")
    seconds = Cell(f"{fmt.number(after, 3)} s") if isinstance(after, int | float) else _why(halt, "halted_after_s")
    cost = halt.get("cost")
    currency = summary.text("currency")
    return [
        Cell(fmt.moment(str(halt.get("time", ""))), str(halt.get("time", "")), "text"),
        Cell(fmt.flat(halt.get("scope")), style="text"),
        Cell(fmt.flat(halt.get("rule")), style="text"),
        Cell(figure(halt.get("value"))),
        Cell(figure(halt.get("limit"))),
        Cell(fmt.flat(halt.get("action")), style="text"),
        seconds,
        Cell(fmt.money(cost, currency)) if isinstance(cost, int | float) else _why(halt, "cost"),
        Cell(fmt.flat(halt.get("reason")), style="text"),
    ]


def refusal_table(summary: Summary) -> str:
    """Return how often the guard refused orders, by rule and strategy; nothing where it refused none."""
    refusals = _rows(summary, "risk.refusals")
    if not refusals:
        return ""
    head = [
        Cell("Rule", "The limit of the setup that answered.", "text"),
        Cell("Strategy", "Whose orders were held back.", "text"),
        Cell("Count", "New orders and changes of orders that did not leave."),
        Cell("First (UTC)", "When it refused an order for the first time.", "text"),
        Cell("Last (UTC)", "When it refused an order for the last time.", "text"),
        Cell("Instrument", "Of the first.", "text"),
        Cell("Value", "What was found, the first time."),
        Cell("Limit", "What it was held against, the first time."),
    ]
    small = "Orders that were held back before they left."
    return card("Refused by the guard", table(head, [_refusal_row(row) for row in refusals]), small=small)


def _refusal_row(row: Mapping[str, Any]) -> list[Cell]:
    times = [Cell(fmt.moment(str(row.get(key, ""))), str(row.get(key, "")), "text") for key in ("first", "last")]
    count = row.get("count")
    return [
        Cell(fmt.flat(row.get("rule")), style="text"),
        Cell(fmt.flat(row.get("strategy")), style="text"),
        Cell(fmt.count(count) if isinstance(count, int) else fmt.MISSING),
        *times,
        Cell(fmt.flat(row.get("instrument")), style="text"),
        Cell(figure(row.get("value"))),
        Cell(figure(row.get("limit"))),
    ]


def _rows(summary: Summary, path: str) -> Sequence[Mapping[str, Any]]:
    return [row for row in summary.entries(path) if isinstance(row, Mapping)]


def _why(row: Mapping[str, Any], key: str) -> Cell:
    return Cell(fmt.MISSING, str(row.get(f"{key}_why", "")))


def figure(value: object) -> str:
    """Return a value or a limit: prices, quantities and percentages alike, to six significant digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return fmt.flat(value)
    return f"{value:,.6g}" if abs(value) < 1e6 else fmt.number(value, 0)

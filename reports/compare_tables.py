"""A recorded run beside its replay: what is equal, what is not and why, for the terminal and the page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import format as fmt
from reports.figures import Summary
from reports.format import printable
from reports.markup import Cell, card, items, table

_HEAD = ("", "Run", "Replay", "Equal", "Verdict")
_TIPS = {
    "Run": "How many there were in the recorded run.",
    "Replay": "How many there were in its replay.",
    "Equal": "How many are the same in both.",
    "Verdict": "Whether all are the same, or the share that is.",
}
_DIFFERENCES_SHOWN = 10


def print_comparison(found: Mapping[str, Any], folder: Path, console: Console) -> None:
    """
    Print what a comparison found.

    Parameters
    ----------
    found : mapping
        The content of compare.json.
    folder : Path
        The results folder, named at the end.
    console : Console
        Where to print.

    """
    _line(console, f"Run {found['run']} ({found['mode']}), {fmt.count(found['market_events'])} market events", "bold")
    for title, rows, lines in (_given(found), _simulated(found)):
        console.print()
        _line(console, title, "bold")
        if rows:
            console.print(_terminal_table(rows))
        for line in lines:
            _line(console, line)
    console.print()
    _line(console, verdict(found), "bold green" if found["equal"] else "bold red")
    _line(console, f"Details: {folder / 'compare.json'}")
    if found["simulated"] is not None:
        _line(console, f"Report: {folder / 'report.html'}")


def compare_card(summary: Summary) -> str:
    """Return the card of a comparison for the page; nothing for a backtest."""
    found = summary.get("compare")
    if not isinstance(found, Mapping):
        return ""
    content = ""
    for title, rows, lines in (_given(found), _simulated(found)):
        head = [Cell(title, style="text"), *(Cell(name, _TIPS[name]) for name in _HEAD[1:-1])]
        head.append(Cell(_HEAD[-1], _TIPS[_HEAD[-1]], "text"))
        cells = [
            [Cell(row[0], style="text"), *(Cell(value) for value in row[1:-1]), Cell(row[-1], style="text")]
            for row in rows
        ]
        content += table(head, cells) + items(lines)
    title = f"Compared with run {found['run']} ({found['mode']})"
    return card(title, content, small=verdict(found))


def verdict(found: Mapping[str, Any]) -> str:
    """Return the result in one sentence."""
    if found["equal"]:
        return "Given the same inputs, every decision and every order is equal, at the same market event."
    parts = [name for name, each in found["same_inputs"].items() if each["first"] is not None]
    return f"Given the same inputs, {' and '.join(parts)} are NOT equal."


type _Part = tuple[str, list[tuple[str, ...]], list[str]]


def _given(found: Mapping[str, Any]) -> _Part:
    """Return the part where the strategies get the run's own inputs."""
    rows: list[tuple[str, ...]] = []
    lines = list(found["recording"]["notes"])
    for name, each in found["same_inputs"].items():
        first = each["first"]
        counts = (fmt.count(each["live"]), fmt.count(each["replay"]), fmt.count(each["equal"]))
        rows.append((name, *counts, "equal" if first is None else "different"))
        lines += [] if first is None else [f"First difference of {name}: {_difference(first)}"]
    return "The run's own inputs, answers of the venue included", rows, lines


def _simulated(found: Mapping[str, Any]) -> _Part:
    """Return the part where fills are simulated."""
    simulated = found["simulated"]
    if simulated is None:
        return "Simulated fills", [], [f"none: {found['simulated_why']}"]
    quotes, orders, fills = simulated["quotes_in_force"], simulated["orders"], simulated["fills"]
    rows: list[tuple[str, ...]] = [
        ("quotes in force, by event", *[fmt.count(quotes["events"])] * 2, fmt.count(quotes["equal"]), _share(quotes)),
        ("orders", *(fmt.count(orders[key]) for key in ("live", "replay", "equal")), ""),
        ("fills", *(fmt.count(fills[key]) for key in ("live", "replay", "same")), _in_other_pieces(fills)),
    ]
    lines = [f"quotes: {fmt.count(count)} events: {cause}" for cause, count in quotes["by_cause"].items()]
    if quotes["first"] is not None:
        lines.append(f"First difference of quotes: {_difference(quotes['first'])}")
    lines += [f"fills: {fmt.count(count)}: {cause}" for cause, count in fills["by_cause"].items()]
    shown = fills["differences"][:_DIFFERENCES_SHOWN]
    lines += [f"{each['time']} run {each['live']}, replay {each['replay']}: {each['cause']}" for each in shown]
    if len(fills["differences"]) > len(shown):
        lines.append(f"and {len(fills['differences']) - len(shown)} more fills that are not the same: compare.json")
    lines += _latency(simulated["latency_ms"])
    lines += [f"Setup: {difference}" for difference in found["setup_differences"]]
    return f"Simulated fills ({simulated['fills_assumption']})", rows, lines


def _in_other_pieces(fills: Mapping[str, Any]) -> str:
    """Return how many of the replay's fills have their like, where it filled in other pieces than the run."""
    if fills["same"] == fills["same_in_replay"]:
        return ""
    return f"{fmt.count(fills['same_in_replay'])} of the replay's"


def _share(quotes: Mapping[str, Any]) -> str:
    return fmt.percent(100 * quotes["equal"] / quotes["events"]) if quotes["events"] else ""


def _latency(latency: Mapping[str, Any]) -> list[str]:
    assumed = latency["assumed"] or dict.fromkeys(("submit", "modify", "cancel"), 0)
    return [
        f"latency of {kind}: median {each['median_ms']:.1f} ms, 99th percentile {each['p99_ms']:.1f} ms in the run; "
        f"assumed {assumed[kind]} ms"
        for kind, each in latency["run"].items()
    ]


def _difference(first: Mapping[str, Any]) -> str:
    return (
        f"{first['time']}, after market event {fmt.count(first['after'])}: run {first['live']}; "
        f"replay {first['replay']}. Cause: {first['cause']}"
    )


def _terminal_table(rows: list[tuple[str, ...]]) -> Table:
    shown = Table(box=None, padding=(0, 1), pad_edge=False)
    for n, name in enumerate(_HEAD):
        shown.add_column(Text(name, "dim"), justify="right" if n in (1, 2, 3) else "left")
    for row in rows:
        shown.add_row(*(Text(printable(value)) for value in row))
    return shown


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(printable(text), style), soft_wrap=True, highlight=False)

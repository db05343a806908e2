"""What a lookahead check found, as tables in the terminal and as JSON."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import format as fmt

_HEAD = ("rerun", "until", "decisions", "outputs", "same")


def print_lookahead(found: Mapping[str, Any], console: Console) -> None:
    """Print the document of a check for a terminal of 80 columns."""
    _line(console, f"Lookahead check of {found['setup']}, {_time(found['start'])} to {_time(found['end'])} UTC", "bold")
    console.print()
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    for n, heading in enumerate(_HEAD):
        table.add_column(Text(heading, "dim"), justify="right" if n in (2, 3) else "left", no_wrap=True)
    for row in found["reruns"]:
        table.add_row(row["kind"], _time(row["until"]), f"{row['decisions']:,}", f"{row['outputs']:,}", _same(row))
    console.print(table)
    console.print()
    for row in found["reruns"]:
        for of in ("decision", "output"):
            if differs := row[f"first_{of}_difference"]:
                _line(console, f"{row['kind']} until {_time(row['until'])}, {of} of {_time(differs['time'])}:", "red")
                _line(console, f"  run:   {differs['run'] or 'nothing'}")
                _line(console, f"  rerun: {differs['rerun'] or 'nothing'}")
        if row["error"]:
            _line(console, f"{row['kind']} until {_time(row['until'])} broke off: {row['error']}", "red")
    for told in found["warm_up"]["told"]:
        _line(console, told)
    _line(console, found["verdict"], "bold" if found["passed"] else "bold red")


def verdict(passed: bool, decisions: int, kinds: set[str]) -> str:
    """Return in words what the reruns say."""
    if passed:
        return f"No lookahead found: {decisions:,} decisions are the same without their future and in another week."
    if not decisions:
        return "Nothing was decided in this period, so nothing could be checked."
    if "hidden future" in kinds:
        return "IT LOOKS AHEAD: without what came later it decides otherwise."
    return (
        "IT DEPENDS ON THE DATE: the same market in another week makes it decide otherwise. It reads a file or a table "
        "by time, which may hold the future, or it treats dates differently on purpose."
    )


def warm_up_lines(
    start: str, has_outputs: bool, outputs: tuple[float, int] | None, decisions: float | None
) -> list[str]:
    """
    Return what a later start did, in words.

    Parameters
    ----------
    start : str
        The later start, ISO 8601.
    has_outputs : bool
        Whether there were any outputs to compare.
    outputs : tuple of float and int, optional
        After how many seconds and market events the outputs agree to the end; None where they never do.
    decisions : float, optional
        After how many seconds the decisions do.

    """
    told = [f"Warm-up, from a later start ({_time(start)}):"]
    if not has_outputs:
        told.append("  outputs: the setup tells no fair value, signal or z-score")
    elif outputs is None:
        told.append("  outputs: not the same as in the whole run at the end of it")
    else:
        told.append(f"  outputs: the same from {fmt.duration(outputs[0])} on, after {outputs[1]:,} market events")
    if decisions is None:
        told.append("  decisions: never the same to the end, as where another inventory leads to other quotes")
    else:
        told.append(f"  decisions: the same from {fmt.duration(decisions)} on")
    return told


def _same(row: Mapping[str, Any]) -> Text:
    if row["error"]:
        return Text("broke off", "red")
    differs = row["first_decision_difference"] or row["first_output_difference"]
    return Text("no", "red") if differs else Text("yes", "green")


def _time(text: str) -> str:
    return text[:23].replace("T", " ").removesuffix("Z").removesuffix("+00:00")


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, soft_wrap=True, highlight=False, markup=False)

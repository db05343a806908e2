"""The rows of the check before the start: what was asked, what was found, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.table import Table


class Verdict(StrEnum):
    """What a row means for the start."""

    GO = "go"
    WARN = "warn"
    NO_GO = "no-go"
    SKIPPED = "skipped"


_COLOURS = {Verdict.GO: "green", Verdict.WARN: "yellow", Verdict.NO_GO: "bold red", Verdict.SKIPPED: "dim"}


@dataclass(frozen=True)
class Row:
    """
    One answer.

    Parameters
    ----------
    name : str
        What it is about.
    asked : str
        What has to hold.
    found : str
        What was found.
    verdict : Verdict
        What that means.
    fix : str
        What to do about it; empty where nothing has to be done.

    """

    name: str
    asked: str
    found: str
    verdict: Verdict
    fix: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the row as JSON types."""
        return {
            "name": self.name,
            "asked": self.asked,
            "found": self.found,
            "verdict": self.verdict.value,
            "fix": self.fix,
        }


def go(name: str, asked: str, found: str) -> Row:
    """Return a row that lets the start pass."""
    return Row(name, asked, found, Verdict.GO)


def warn(name: str, asked: str, found: str, fix: str) -> Row:
    """Return a row that lets the start pass, but should be read."""
    return Row(name, asked, found, Verdict.WARN, fix)


def no_go(name: str, asked: str, found: str, fix: str) -> Row:
    """Return a row that stops the start."""
    return Row(name, asked, found, Verdict.NO_GO, fix)


def print_rows(rows: tuple[Row, ...], title: str, console: Console) -> None:
    """Print the rows as a table, problems with their fix below."""
    table = Table(title=title, title_justify="left", show_lines=False, pad_edge=False)
    for column in ("", "asked", "found", "verdict"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(row.name, row.asked, row.found, f"[{_COLOURS[row.verdict]}]{row.verdict}[/]")
    console.print(table)
    for row in rows:
        if row.fix:
            console.print(f"[{_COLOURS[row.verdict]}]{row.name}[/]: {row.fix}", highlight=False)

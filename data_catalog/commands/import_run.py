"""`python -m data_catalog import RUN_FOLDER`: what a run saw of its market, into a catalog."""

import sys
from pathlib import Path
from typing import Final

import click
from nautilus_trader.core.datetime import unix_nanos_to_iso8601
from rich import box
from rich.console import Console
from rich.table import Table

from data_catalog.run_recordings.importing import ImportedRun, import_recording
from data_catalog.run_recordings.reading import open_recording

_PIPE_WIDTH: Final = 120  # columns where the output is no terminal, so that no cell is cut


def import_run(folder: Path, catalog: Path, *, replace: bool) -> None:
    """
    Import the recording of a run and say what came of it.

    Raises
    ------
    BadInput
        If the folder has no recording that can be read, or it cannot be stored.

    """
    recording = open_recording(folder)
    imported = import_recording(recording, catalog, replace=replace)
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    title = f"Run {recording.run.run_id} ({recording.run.mode}) in {catalog}"
    console.print(_table(imported, title))
    for line in _remarks(imported):
        console.print(line, soft_wrap=True, highlight=False)


def _table(imported: ImportedRun, title: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("instrument", "data", "rows", "from (UTC)", "to (UTC)"):
        table.add_column(heading, justify="right" if heading == "rows" else "left", no_wrap=True)
    for written in imported.written:
        times = (_utc(written.first_ns), _utc(written.last_ns))
        table.add_row(written.instrument_id, written.data_type, f"{written.rows:,}", *times)
    return table


def _remarks(imported: ImportedRun) -> list[str]:
    lines = [] if imported.is_whole else ["The recording was cut off: what came after the last row is not known."]
    if {written.outcome for written in imported.written} == {"unchanged"}:
        lines.append("The catalog held all of it already, from the same files: nothing was written.")
    return lines


def _utc(time_ns: int) -> str:
    return str(unix_nanos_to_iso8601(time_ns))[:19].replace("T", " ")


def refuse_options(options: dict[str, object]) -> None:
    """Raise a usage error for options that say how files are read: a recording says it all."""
    for name, value in options.items():
        if value:
            raise click.UsageError(f"{name} goes with files, not with the folder of a run")

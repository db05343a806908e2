"""`python -m data_catalog list`: what a catalog holds."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from nautilus_trader.core.datetime import unix_nanos_to_iso8601
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from data_catalog.store.contents import Entry, contents

EXAMPLE = """
\b
Examples:
  python -m data_catalog list
  python -m data_catalog list --catalog my_catalog --json
"""
PIPE_WIDTH = 160  # columns where the output is no terminal, so that no cell is cut


@click.command("list", epilog=EXAMPLE)
@click.option(
    "--catalog",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("catalog"),
    show_default=True,
    help="The catalog's folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(catalog: Path, *, as_json: bool) -> None:
    """List what a catalog holds: instrument, type, rows, from, to and size on disk. Times are UTC."""
    entries = contents(catalog)
    if as_json:
        click.echo(json.dumps([_as_dict(entry) for entry in entries], indent=2))
        return
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    console.print(_table(catalog, entries))


def _table(catalog: Path, entries: list[Entry]) -> Table:
    total = sum(entry.bytes_on_disk for entry in entries)
    table = Table(
        title=f"Catalog {catalog}",
        title_justify="left",
        caption=f"{len(entries)} series, {decimal(total)}",
        caption_justify="left",
        box=SIMPLE_HEAD,
    )
    table.add_column("instrument", overflow="fold")
    table.add_column("type", overflow="fold")
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("from (UTC)", overflow="fold")
    table.add_column("to (UTC)", overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("files", justify="right", no_wrap=True)
    table.add_column("label", overflow="fold")
    for entry in entries:
        table.add_row(
            entry.instrument_id,
            _type_text(entry),
            f"{entry.rows:,}",
            _time_text(entry.first_ns),
            _time_text(entry.last_ns),
            decimal(entry.bytes_on_disk),
            f"{entry.files:,}",
            ", ".join(_labels(entry)),
        )
    return table


def _as_dict(entry: Entry) -> dict[str, object]:
    times = {"first": unix_nanos_to_iso8601(entry.first_ns), "last": unix_nanos_to_iso8601(entry.last_ns)}
    return asdict(entry) | times


def _type_text(entry: Entry) -> str:
    if entry.bar_type is None:
        return entry.data_type.replace("_", " ")
    return f"bars {entry.bar_type.removeprefix(entry.instrument_id + '-')}"


def _labels(entry: Entry) -> list[str]:
    names = {"synthetic": entry.synthetic, "reconstructed": entry.reconstructed}
    return [name for name, holds in names.items() if holds]


def _time_text(time_ns: int) -> str:
    return str(unix_nanos_to_iso8601(time_ns))[:19].replace("T", " ")

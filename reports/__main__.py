"""`python -m reports`: what can be made of results folders."""

import json
from pathlib import Path

import click
from rich.console import Console

from command_line import run
from reports.compare import as_document, print_comparison, read_runs, write_comparison


@click.group()
def main() -> None:
    """Make something of results folders."""


@main.command(epilog="Example: python -m reports compare results/my_setup/20260101T000000Z-* --out comparison.html")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("comparison.html"), help="The page.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON, and write no page.")
def compare(runs: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Show results folders side by side, and everything in which they differ."""
    found = read_runs(runs)
    if as_json:
        click.echo(json.dumps(as_document(found), indent=2, ensure_ascii=False))
    else:
        print_comparison(found, write_comparison(found, out), Console())


if __name__ == "__main__":
    run(main, "python -m reports")

"""`python -m data_catalog check`: find out whether the data is what it seems to be."""

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from bad_input import BadInput, nearest_name
from data_catalog.checks.catalog import check_instrument
from data_catalog.checks.report import as_json_text, print_tables
from data_catalog.checks.thresholds import Thresholds, passed
from data_catalog.checks.trades_in_quotes import WINDOW_NS
from data_catalog.store.contents import Entry, contents

EXAMPLE = """
\b
Example:
  python -m data_catalog check --instrument NEXOUSDT.BINANCE --max-crossed 0 --max-silence-secs 60
"""
THRESHOLD_PASSED = 1

count = click.IntRange(min=0)
number = click.FloatRange(min=0)
share = click.FloatRange(min=0, max=100)


@click.command("check", epilog=EXAMPLE)
@click.option(
    "--catalog",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("catalog"),
    show_default=True,
    help="The catalog's folder.",
)
@click.option("--instrument", "instrument_id", metavar="ID", help="Only this instrument.")
@click.option("--max-gaps", type=count, metavar="N", help="Places in a series where bars or trade ids are missing.")
@click.option("--max-duplicates", type=count, metavar="N", help="Rows in a series that repeat the row before.")
@click.option("--max-disorder", type=count, metavar="N", help="Rows in a series that go back in time or in ids.")
@click.option("--max-crossed", type=count, metavar="N", help="Quotes with the bid above the ask.")
@click.option("--max-sequence-breaks", type=count, metavar="N", help="Places where the order book was lost.")
@click.option("--max-silence-secs", type=number, metavar="X", help="Seconds without a quote, trade or book change.")
@click.option("--max-outside-pct", type=share, metavar="X", help="Percentage of trades outside the quotes.")
@click.option("--min-agreement-pct", type=share, metavar="X", help="Percentage at which book and quotes agree.")
@click.option("--max-unrecorded-secs", type=number, metavar="X", help="Seconds that the recordings of a series missed.")
@click.option(
    "--window-ms",
    type=click.IntRange(min=0),
    default=WINDOW_NS // 1_000_000,
    show_default=True,
    help="A trade is outside where it is beyond all quotes from this long before it until this long after it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def command(catalog: Path, instrument_id: str | None, window_ms: int, *, as_json: bool, **limits: Any) -> None:
    """
    Check the data of a catalog: gaps, duplicates, disorder, crossed quotes, breaks in the sequence of the order book,
    trades outside the quotes, silent periods, and whether the rebuilt order book agrees with the quotes.

    Exit status 1 when a limit that was given is passed, 0 otherwise.
    """
    by_instrument = _by_instrument(catalog, instrument_id)
    console = Console(stderr=True)
    rows = sum(entry.rows for entries in by_instrument.values() for entry in entries)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("checking", total=rows)
        checked = [
            check_instrument(catalog, id_, entries, window_ms * 1_000_000, lambda n: progress.advance(task, n))
            for id_, entries in by_instrument.items()
        ]
    too_much = [line for one in checked for line in passed(_thresholds(limits), one)]
    if as_json:
        click.echo(as_json_text(catalog, checked, too_much))
    else:
        print_tables(checked)
    for line in too_much:
        click.echo(line, err=True)
    if too_much:
        sys.exit(THRESHOLD_PASSED)


def _thresholds(limits: dict[str, Any]) -> Thresholds:
    return Thresholds(**{name.split("_", 1)[1]: value for name, value in limits.items()})


def _by_instrument(catalog: Path, instrument_id: str | None) -> dict[str, list[Entry]]:
    by_instrument: dict[str, list[Entry]] = {}
    for entry in contents(catalog):
        by_instrument.setdefault(entry.instrument_id, []).append(entry)
    if instrument_id is None:
        return by_instrument
    if instrument_id not in by_instrument:
        known = ", ".join(by_instrument)
        raise BadInput(
            f'no data of "{instrument_id}"; there is data of {known}',
            file=catalog,
            hint=nearest_name(instrument_id, by_instrument),
        )
    return {instrument_id: by_instrument[instrument_id]}

"""`python -m data_catalog synth`: generate a synthetic market."""

import sys
import typing
from collections.abc import Callable
from pathlib import Path

import click
import msgspec
from nautilus_trader.core.datetime import unix_nanos_to_iso8601
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from data_catalog.store.write import Written
from data_catalog.synth import SyntheticMarket, checked_market, market_model, write_synthetic_market

EXAMPLE = """
\b
Example, a pair of cointegrated perpetuals for a day:
  python -m data_catalog synth --instruments SYNUSDT-PERP.BINANCE,SYNBUSDT-PERP.BINANCE --hours 24 --seed 7
"""


def _market_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command one option per field of the market, with its default and description."""
    for field in reversed(msgspec.structs.fields(SyntheticMarket)):
        kind, meta = typing.get_args(field.type)
        is_number = kind in (int, float)
        default = field.default if is_number else _as_text(field.default)
        option = click.option(
            f"--{field.name.replace('_', '-')}",
            field.name,
            type=kind if is_number else str,
            default=default,
            show_default=True,
            help=f"{meta.description}.",
        )
        command = option(command)
    return command


def _as_text(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else f"{value:%Y-%m-%dT%H:%M:%SZ}"


@click.command(help=f"Generate a seeded synthetic market: quotes with sizes, and trades.\n\n{EXAMPLE}")
@_market_options
@click.option(
    "--catalog",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("catalog"),
    show_default=True,
    help="Folder of the catalog.",
)
@click.option("--replace", is_flag=True, help="Replace stored data of the same instruments and time.")
def command(catalog: Path, replace: bool, instruments: str, start: str, **numbers: float) -> None:
    """Generate the market, write it and print what was written."""
    names = [name.strip() for name in instruments.split(",")]
    moment = f"{start}T00:00:00Z" if len(start) == len("2026-01-01") else start
    market = checked_market({"instruments": names, "start": moment, **numbers})
    model = market_model(market)
    console = Console(file=sys.stderr)
    columns = (TextColumn("generating"), BarColumn(), TextColumn("{task.completed:.1f} of {task.total:.1f} h"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task("generating", total=market.hours)
        written = write_synthetic_market(
            catalog, market, replace=replace, progress=lambda hours: progress.update(task, completed=hours)
        )
    Console().print(_table(written))
    click.echo(f"{_outcome(written)} {catalog}. Synthetic, seed {market.seed}.")
    click.echo(
        f"The mid's volatility with impact and jumps is {model.shown_sigma_bps_per_sqrt_s:.3g} bps per sqrt(second)."
    )


def _table(written: list[Written]) -> Table:
    table = Table("instrument", "type", "rows", "from", "to", box=SIMPLE_HEAD, pad_edge=False)
    table.columns[2].justify = "right"
    for row in written:
        times = (unix_nanos_to_iso8601(stamp)[:16] for stamp in (row.first_ns, row.last_ns))
        table.add_row(row.instrument_id, row.data_type, f"{row.rows:,}", *times)
    return table


def _outcome(written: list[Written]) -> str:
    if all(row.outcome == "unchanged" for row in written):
        return "Already in"
    return "Replaced in" if any(row.outcome == "replaced" for row in written) else "Written to"

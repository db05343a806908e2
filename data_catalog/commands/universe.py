"""`python -m data_catalog universe`: the most traded pairs, as a list for a setup."""

import asyncio
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bad_input import BadInput
from data_catalog.traded_volume import SPOT_API, fetch_tickers, volumes_of_catalog, volumes_of_tickers
from models.portfolio.universe import STABLE, most_traded

EXAMPLE = """
\b
Examples:
  python -m data_catalog universe --top 20 --to 2020-12-31
  python -m data_catalog universe --top 10 --live
"""
_DAY_NS = 86_400 * 10**9


@click.command("universe", epilog=EXAMPLE)
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many pairs.")
@click.option("--quote", default="USDT", show_default=True, help="The currency that the pairs are quoted in.")
@click.option(
    "--catalog",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("catalog"),
    show_default=True,
    help="The catalog whose bars tell what was traded.",
)
@click.option("--from", "first", metavar="DAY", help="The first day that counts, such as 2020-12-01 (UTC).")
@click.option("--to", "last", metavar="DAY", help="The last day that counts: before the backtest begins.")
@click.option("--live", is_flag=True, help="Ask Binance for the last 24 hours instead; needs no key.")
@click.option("--exclude", multiple=True, metavar="ASSET", help="Leave an asset out; may stand several times.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table and a list.")
@click.option("--base-url", default=SPOT_API, show_default=True, help="The exchange's address.")
def command(
    *,
    top: int,
    quote: str,
    catalog: Path,
    first: str | None,
    last: str | None,
    live: bool,
    exclude: tuple[str, ...],
    as_json: bool,
    base_url: str,
) -> None:
    """
    Print the spot pairs with the largest traded value, as a list for a setup's `instruments`. Stable coins and
    leveraged tokens are left out. For a backtest choose by days before its start: what was traded later nobody knew.
    """
    volumes = _volumes(quote, catalog, first, last, live=live, base_url=base_url.rstrip("/"))
    try:
        assets = most_traded(volumes, top, STABLE | frozenset(exclude))
    except ValueError as error:
        raise BadInput(str(error), key="--top") from None
    rows = [(f"{asset}{quote}.BINANCE", volumes[asset]) for asset in assets]
    if as_json:
        click.echo(json.dumps([{"instrument": name, "volume": float(volume)} for name, volume in rows], indent=2))
    else:
        _print(rows, quote)


def _volumes(
    quote: str, catalog: Path, first: str | None, last: str | None, *, live: bool, base_url: str
) -> dict[str, Decimal]:
    if live:
        if first is not None or last is not None:
            raise BadInput("goes without --from and --to: it is the last 24 hours", key="--live")
        return volumes_of_tickers(asyncio.run(fetch_tickers(base_url)), quote)
    start_ns = 0 if first is None else _midnight_ns(first, "--from")
    end_ns = 2**62 if last is None else _midnight_ns(last, "--to") + _DAY_NS
    if start_ns >= end_ns:
        raise BadInput(f"{first} is after --to {last}", key="--from")
    return volumes_of_catalog(catalog, quote, start_ns, end_ns)


def _midnight_ns(text: str, key: str) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInput(f'"{text}" is not a day', key=key, hint="days look like 2024-08-01") from None
    return int(datetime.combine(day, time(), UTC).timestamp()) * 10**9


def _print(rows: list[tuple[str, Decimal]], quote: str) -> None:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("rank", justify="right")
    table.add_column("pair")
    table.add_column(f"traded, {quote}", justify="right")
    for rank, (name, volume) in enumerate(rows, 1):
        table.add_row(str(rank), name, f"{volume:,.0f}")
    Console().print(table)
    click.echo("instruments:\n" + "\n".join(f"  - {name}" for name, _ in rows))

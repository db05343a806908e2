"""`python -m data_catalog screen`: which pairs of a catalog keep together, and what that is worth after costs."""

import sys
import typing
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bad_input import BadInput
from command_line import Failed
from data_catalog.output_file import require_place, write_whole
from data_catalog.screening.price_table import load_prices
from data_catalog.screening.report import report_page
from data_catalog.screening.screen import Screening, ScreenSettings, screen_catalog
from data_catalog.screening.setup import setup_text
from data_catalog.screening.text import COLUMNS, MOST_ROWS, as_json_text, headline, pair_row, remarks
from models.pairs.multiple_testing import Correction

EXAMPLE = """
\b
Examples:
  python -m data_catalog screen --report pairs.html
  python -m data_catalog screen --most-traded 30 --end 2023-03-01 --write pairs.yaml
"""
ON_THE_PAGE_ONLY = {"in sample %/yr", "later half-life", "shift sd"}
PIPE_WIDTH = 140  # columns where the output is no terminal, so that no cell is cut

file_path = click.Path(path_type=Path, dir_okay=False)
positive = click.FloatRange(min=0, min_open=True)


@click.command("screen", epilog=EXAMPLE)
@click.option(
    "--catalog",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("catalog"),
    show_default=True,
    help="The catalog's folder.",
)
@click.option("--bar", metavar="BAR", help="Which bars, such as 5-MINUTE, where the catalog has several kinds.")
@click.option("--instrument", "instruments", multiple=True, metavar="ID", help="Only these; may stand several times.")
@click.option(
    "--most-traded",
    type=click.IntRange(min=2),
    metavar="N",
    help="Only the N instruments with the highest quote volume in the bars that pairs are chosen on.",
)
@click.option("--start", metavar="TIME", help="First moment that is looked at (UTC, ISO 8601).")
@click.option("--end", metavar="TIME", help="Last moment that is looked at (UTC, ISO 8601).")
@click.option("--split", metavar="TIME", help="Last moment that pairs are chosen on; half of the bars where left out.")
@click.option("--no-confirmation", is_flag=True, help="Choose pairs on all of the bars and confirm them on none.")
@click.option(
    "--level", type=click.FloatRange(0, 0.5, min_open=True), default=0.05, show_default=True, help="Level of the tests."
)
@click.option(
    "--correction",
    type=click.Choice(typing.get_args(Correction.__value__)),
    default="bh",
    show_default=True,
    help="For the number of pairs: bh and by bound the share of false pairs, holm and bonferroni the chance of any.",
)
@click.option("--min-half-life-secs", type=positive, metavar="X", help="Two bars where left out.")
@click.option("--max-half-life-secs", type=positive, metavar="X", help="A tenth of the first bars where left out.")
@click.option(
    "--max-cost-sds",
    type=click.FloatRange(0, 5, min_open=True),
    default=1.0,
    show_default=True,
    help="The most that entering and leaving may cost, in standard deviations of the gap.",
)
@click.option(
    "--fee-bps", type=click.FloatRange(min=0), metavar="X", help="Of each trade; the taker fee where left out."
)
@click.option(
    "--half-spread-bps", type=click.FloatRange(min=0), metavar="X", help="Half a tick, the least, where left out."
)
@click.option(
    "--notional-quote",
    type=positive,
    default=1000.0,
    show_default=True,
    help="Value of leg y of a full position in the setup.",
)
@click.option("--write", "setup", type=file_path, metavar="FILE", help="Write a setup of the survivors (YAML).")
@click.option("--report", type=file_path, metavar="FILE", help="Write a page with a heat map of all pairs (HTML).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def command(
    *,
    catalog: Path,
    bar: str | None,
    instruments: tuple[str, ...],
    start: str | None,
    end: str | None,
    split: str | None,
    no_confirmation: bool,
    notional_quote: float,
    setup: Path | None,
    report: Path | None,
    as_json: bool,
    **rules: Any,
) -> None:
    """
    Test all pairs of instruments that have bars for cointegration of their prices: choose pairs on the first half of
    the bars, correct for the number of pairs tried, drop those that revert too slowly or not far enough to pay for
    their costs, and test the rest again on the second half.
    """
    require_place(setup, "--write", must_be_new=True)
    require_place(report, "--report", must_be_new=False)
    if no_confirmation and split is not None:
        raise BadInput("goes without --no-confirmation alone", key="--split")
    chosen_on = "none" if no_confirmation else split or "half"
    with Console(stderr=True).status("reading bars") as status:
        prices = load_prices(catalog, bar, start, end, instruments)
        status.update(f"testing the pairs of {len(prices.ids)} instruments")
        screening = screen_catalog(prices, ScreenSettings(chosen_on, **rules))
    if as_json:
        click.echo(as_json_text(screening, catalog))
    else:
        _print(screening)
    if report is not None:
        write_whole(report, report_page(screening))
        click.echo(f"Written to {report}", err=as_json)
    if setup is not None:
        if not screening.found.survivors():
            raise Failed(f"no pair survived, so {setup} was not written")
        write_whole(setup, setup_text(screening, catalog, setup, notional_quote))
        click.echo(f"Written to {setup}", err=as_json)


def _print(screening: Screening) -> None:
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    console.print(headline(screening), soft_wrap=True)
    funnel = Table(title="What was left after each step", title_justify="left", show_header=False, box=None)
    funnel.add_column()
    funnel.add_column(justify="right")
    for text, count in screening.funnel():
        funnel.add_row(text, f"{count:,}")
    console.print(funnel)
    shown = screening.found.findings[:MOST_ROWS]
    if shown:
        title = "Pairs that passed their own test, by p-value"
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        kept = [i for i, name in enumerate(COLUMNS) if name not in ON_THE_PAGE_ONLY]
        for i in kept:
            table.add_column(COLUMNS[i], justify="left" if i in {0, len(COLUMNS) - 1} else "right", overflow="fold")
        for one in shown:
            row = pair_row(screening, one)
            table.add_row(*(row[i] for i in kept))
        console.print(table)
    if len(screening.found.findings) > len(shown):
        console.print(f"And {len(screening.found.findings) - len(shown):,} with higher p-values (--json has all).")
    for line in remarks(screening):
        console.print(line, soft_wrap=True)

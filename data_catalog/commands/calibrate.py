"""`python -m data_catalog calibrate`: what a market maker's models have to know of a market."""

import sys
import typing
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from data_catalog.calibration.choices import StrategyName, costs_bps
from data_catalog.calibration.estimates import Calibration, calibrate
from data_catalog.calibration.market_window import duration, load_window, utc_text
from data_catalog.calibration.report import report_page
from data_catalog.calibration.setup import NO_EARNINGS, setup_text
from data_catalog.calibration.text import FactTable, as_json_text, fact_tables
from data_catalog.output_file import require_place, write_whole

EXAMPLE = """
\b
Examples:
  python -m data_catalog calibrate NEXOUSDT.BINANCE --report fit.html
  python -m data_catalog calibrate BTCUSDT-PERP.BINANCE --write my_maker.yaml --strategy fixed_spread
"""
STRATEGIES = typing.get_args(StrategyName.__value__)
PIPE_WIDTH = 120  # columns where the output is no terminal, so that no cell is cut

file_path = click.Path(path_type=Path, dir_okay=False)


@click.command("calibrate", epilog=EXAMPLE)
@click.argument("instrument_id", metavar="INSTRUMENT")
@click.option(
    "--catalog",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("catalog"),
    show_default=True,
    help="The catalog's folder.",
)
@click.option("--start", metavar="TIME", help="First moment that is looked at (UTC, ISO 8601).")
@click.option("--end", metavar="TIME", help="Last moment that is looked at (UTC, ISO 8601).")
@click.option(
    "--from-bps",
    type=click.FloatRange(min=0),
    metavar="X",
    help="Fit A and k to the depths from here on; found from the data where left out.",
)
@click.option(
    "--strategy",
    type=click.Choice(STRATEGIES),
    default="avellaneda_stoikov",
    show_default=True,
    help="The maker that --write makes a setup for.",
)
@click.option("--write", "setup", type=file_path, metavar="FILE", help="Write a setup for run_backtest.py (YAML).")
@click.option("--report", type=file_path, metavar="FILE", help="Write a page with plots of the fit (HTML).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def command(
    *,
    instrument_id: str,
    catalog: Path,
    start: str | None,
    end: str | None,
    from_bps: float | None,
    strategy: StrategyName,
    setup: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """
    Estimate volatility, order flow (A and k), spread and informed flow of INSTRUMENT from its recorded quotes and
    trades, each with its uncertainty. Refuses, with the reason, where the data cannot tell.
    """
    require_place(setup, "--write", must_be_new=True)
    require_place(report, "--report", must_be_new=False)
    found = calibrate(load_window(catalog, instrument_id, start, end), from_bps)
    texts = {
        setup: "" if setup is None else setup_text(found, strategy, catalog, setup),
        report: "" if report is None else report_page(found),
    }
    if as_json:
        click.echo(as_json_text(found, catalog))
    else:
        _print(found)
    for path, text in texts.items():
        if path is not None:
            write_whole(path, text)
            click.echo(f"Written to {path}", err=as_json)


def _print(found: Calibration) -> None:
    window = found.window
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    period = f"{utc_text(window.start_ns)} to {utc_text(window.end_ns)} ({duration(window.seconds)})"
    console.print(f"{window.instrument.id}, {period}{', synthetic' if window.synthetic else ''}", soft_wrap=True)
    for table in fact_tables(found):
        console.print(_table(table, found))
    for line in _conclusions(found):
        console.print(line, soft_wrap=True)


def _table(facts: FactTable, found: Calibration) -> Table:
    title = facts.title
    if title == "Order flow":
        title += f": A exp(-k depth), from {found.flow.from_bps:.3g} to {found.flow.to_bps:.3g} bps from the mid"
    named = any(facts.columns)
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD if named else None, pad_edge=False)
    table.show_header = named
    for i, name in enumerate(facts.columns):
        table.add_column(name, justify="left" if i == 0 or not named else "right", overflow="fold")
    for row in facts.rows:
        table.add_row(*row)
    return table


def _conclusions(found: Calibration) -> list[str]:
    lines = [f"Warning: {text}" for text in found.warnings]
    best, width, costs = found.best_depth, 1.0 / found.flow.best.kappa, costs_bps(found)
    if best is not None:
        lines.append(
            f"Of these depths a quote {best.depth_bps:.3g} bps from the mid would have earned the most per hour."
        )
    elif found.by_depth:
        lines.append(NO_EARNINGS)
    if width < costs:
        lines.append(
            f"Warning: 1/k = {width:.3g} bps is less than a fill costs: {costs:.3g} bps (maker fee "
            f"{found.maker_fee_bps:.3g} and the move after it). A maker that quotes at 1/k loses on every fill;"
            " --write makes setups that stand further out."
        )
    return lines

"""`python -m data_catalog import`: recorded, archived and candle files into a catalog."""

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Literal

import click
from nautilus_trader.core.datetime import unix_nanos_to_iso8601
from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from data_catalog.commands.import_run import import_run, refuse_options
from data_catalog.import_series import plan_series
from data_catalog.importer import Imported, add_series
from data_catalog.instruments import find_instruments
from data_catalog.named_files import files_by_instrument
from data_catalog.rebuilt_quotes.rebuilding import Method, Notes, chosen_rebuilding
from data_catalog.run_recordings.reading import is_run_folder
from data_catalog.store.origin import SPREAD_BPS_NOTE, SPREAD_NOTE, counted, unrecorded_ns
from data_catalog.store.write import CatalogWriter, Written

EXAMPLE = """
\b
Examples:
  python -m data_catalog import nexousdt_20240723.dat.gz nexousdt_20240724.dat.gz --instrument NEXOUSDT.BINANCE
  python -m data_catalog import IOTA_BTC-1m.json --instrument IOTABTC.BINANCE --quotes-from-bars
  python -m data_catalog import ETH_USDT-1h.json --instrument ETHUSDT.BINANCE --quotes-from-closes --spread-bps 5
  python -m data_catalog import user_data/data/binance --exchange-info exchangeInfo.json
  python -m data_catalog import results/maker/20261120T160921Z-545b7b46
"""
PIPE_WIDTH = 120  # columns where the output is no terminal, so that no cell is cut


@click.command("import", epilog=EXAMPLE)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--instrument",
    "instrument_id",
    metavar="ID",
    help="Such as NEXOUSDT.BINANCE (spot) or BTCUSDT-PERP.BINANCE; told by the names of candle files where left out.",
)
@click.option(
    "--catalog",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("catalog"),
    show_default=True,
    help="The catalog's folder.",
)
@click.option(
    "--quotes-from-trades", is_flag=True, help="Rebuild best bid and ask from the trades; docs/data.md says how well."
)
@click.option(
    "--quotes-from-bars", is_flag=True, help="Rebuild best bid and ask from the bars; docs/data.md says how badly."
)
@click.option(
    "--quotes-from-closes",
    is_flag=True,
    help="Make one quote at the close of each bar, --spread-bps wide.",
)
@click.option(
    "--spread-bps",
    type=click.FloatRange(min=0, max=1000),
    metavar="X",
    help="The spread of quotes from closes, in basis points of the price.",
)
@click.option(
    "--spread-ticks",
    type=click.IntRange(min=1),
    metavar="N",
    help="The spread of quotes from bars; estimated from the bars where left out.",
)
@click.option(
    "--exchange-info",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A saved exchangeInfo answer with the instrument's definition.",
)
@click.option("--interval", metavar="5m", help="The interval of candle files whose name does not tell it.")
@click.option("--replace", is_flag=True, help="Replace stored files that overlap with the new ones.")
def command(
    files: tuple[Path, ...],
    instrument_id: str | None,
    catalog: Path,
    exchange_info: Path | None,
    interval: str | None,
    *,
    quotes_from_trades: bool,
    quotes_from_bars: bool,
    quotes_from_closes: bool,
    spread_ticks: int | None,
    spread_bps: float | None,
    replace: bool,
) -> None:
    """
    Import FILES: recorded websocket lines (`<receive time> <json>`, plain or .gz), freqtrade candles (.feather, .json)
    and files of Binance's public archive, zipped or not. Several files of one kind become one series, in whatever
    order they are given. A folder stands for the candle files in it; without --instrument, candles of many instruments
    are imported at once, told apart by their names (AVAX_USDT-5m.feather). Nothing is written unless all of it can be
    used. The folder of a live, paper or rehearsal run (results/NAME/RUN) stands for what it recorded, and needs no
    other option.
    """
    if any(is_run_folder(path) for path in files):
        if len(files) > 1:
            raise click.UsageError("expected the folder of a run alone, or files")
        rebuilt = quotes_from_trades or quotes_from_bars or quotes_from_closes or spread_ticks or spread_bps
        refuse_options(
            {
                "--instrument": instrument_id,
                "--quotes-from-…": rebuilt,
                "--exchange-info": exchange_info,
                "--interval": interval,
            }
        )
        import_run(files[0], catalog, replace=replace)
        return
    methods: dict[Method, bool] = {
        "trades": quotes_from_trades,
        "bars": quotes_from_bars,
        "closes": quotes_from_closes,
    }
    rebuilding = chosen_rebuilding(methods, spread_ticks, spread_bps)
    groups = files_by_instrument([Path(os.path.normpath(path)) for path in files], instrument_id)
    instruments = find_instruments(list(groups), exchange_info)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("importing", total=_bytes(groups))
        parts: dict[str, Imported] = {}
        with CatalogWriter(catalog, replace=replace) as writer:
            for instrument, paths in zip(instruments, groups.values(), strict=True):
                parts[str(instrument.id)] = add_series(
                    writer,
                    plan_series(paths, instrument, interval),
                    instrument,
                    lambda number: progress.advance(task, number),
                    rebuilding=rebuilding,
                )
    for written in writer.results:
        parts[written.instrument_id].written.append(written)
    if len(parts) == 1:
        _print(parts[str(instruments[0].id)], str(instruments[0].id), catalog)
    else:
        _print_many(parts, catalog)


def _bytes(groups: dict[str, list[Path]]) -> int:
    return sum(path.stat().st_size for paths in groups.values() for path in paths if path.exists())


def _print(imported: Imported, instrument_id: str, catalog: Path) -> None:
    console = Console()
    table = Table(title=f"{instrument_id} in {catalog}", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("data", "rows", "from (UTC)", "to (UTC)", "left out"):
        justify: Literal["left", "right"] = "right" if heading in {"rows", "left out"} else "left"
        table.add_column(heading, justify=justify, no_wrap=True)
    for written in imported.written:
        left_out = imported.dropped.get(written.data_type, Counter()).total()
        times = (_utc(written.first_ns), _utc(written.last_ns))
        table.add_row(_name(written, imported), f"{written.rows:,}", *times, f"{left_out:,}")
    for data_type, reasons in imported.dropped.items():
        if reasons.total() and data_type not in {written.data_type for written in imported.written}:
            table.add_row(data_type, "0", "", "", f"{reasons.total():,}")
    console.print(table)
    for line in _remarks(imported):
        console.print(line, soft_wrap=True, highlight=False)


def _print_many(parts: dict[str, Imported], catalog: Path) -> None:
    """Print one line per series, and remarks added up over all instruments."""
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    table = Table(title=f"{len(parts)} instruments in {catalog}", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("instrument", "data", "rows", "from (UTC)", "to (UTC)"):
        table.add_column(heading, justify="right" if heading == "rows" else "left", no_wrap=True)
    together = Imported(rebuilt_from=next(iter(parts.values())).rebuilt_from)
    for id_, imported in parts.items():
        for written in imported.written:
            times = (_utc(written.first_ns), _utc(written.last_ns))
            table.add_row(id_, _name(written, imported), f"{written.rows:,}", *times)
        together.written.extend(imported.written)
        for kind in ("dropped", "changed"):
            for data_type, reasons in getattr(imported, kind).items():
                getattr(together, kind).setdefault(data_type, Counter()).update(reasons)
    console.print(table)
    for line in _remarks(together):
        console.print(line, soft_wrap=True, highlight=False)


def _name(written: Written, imported: Imported) -> str:
    if written.bar_type is not None:
        return written.bar_type.removeprefix(f"{written.instrument_id}-").removesuffix("-LAST-EXTERNAL").lower()
    rebuilt = written.data_type == "quotes" and imported.rebuilt_from is not None
    return "quotes (rebuilt)" if rebuilt else written.data_type


def _remarks(imported: Imported) -> list[str]:
    lines = [f"Left out of {name}: {_reasons(reasons)}." for name, reasons in imported.dropped.items() if reasons]
    lines += [f"Put right in {name}: {_reasons(reasons)}." for name, reasons in imported.changed.items() if reasons]
    lines += [
        f"Not recorded of {name}: {unrecorded_ns(gaps) / 1e9:,.1f} s in {counted(gaps)}."
        for name, gaps in imported.gaps.items()
        if gaps and name in {written.data_type for written in imported.written}
    ]
    lines += [line for facts in imported.facts for line in _facts(facts)]
    if imported.rebuilt_from is not None:
        source = imported.rebuilt_from
        lines.append(f"The quotes are rebuilt from {source}: docs/data.md states how far such quotes are off.")
    outcomes = {written.outcome for written in imported.written}
    if outcomes == {"unchanged"}:
        lines.append("The catalog held all of it already, from the same files: nothing was written.")
    elif len(outcomes) > 1 or "replaced" in outcomes:
        by_outcome = {outcome: [w.data_type for w in imported.written if w.outcome == outcome] for outcome in outcomes}
        lines += [f"{outcome}: {', '.join(dict.fromkeys(names))}." for outcome, names in sorted(by_outcome.items())]
    return lines


def _reasons(reasons: Counter[str]) -> str:
    return ", ".join(f"{number:,} {reason}" for reason, number in reasons.most_common() if number)


def _facts(facts: Notes) -> list[str]:
    lines = []
    if SPREAD_NOTE in facts:
        lines.append(f"The spread of the rebuilt quotes is {facts[SPREAD_NOTE]} tick(s).")
    if SPREAD_BPS_NOTE in facts:
        lines.append(f"The spread of the rebuilt quotes is {facts[SPREAD_BPS_NOTE]:g} bps, and a tick at least.")
    if "sequence_gaps" in facts:
        lines.append(f"Order book: {facts['sequence_gaps']} sequence gaps, {facts['snapshots']} snapshot(s) applied.")
    if "clock_offset_ms_median" in facts:
        low, middle, high = (facts[f"clock_offset_ms_{name}"] for name in ("min", "median", "max"))
        lines.append(
            f"Recorder's clock minus the exchange's: median {middle:+,.1f} ms, from {low:+,.1f} to {high:+,.1f} ms."
        )
    return lines


def _utc(time_ns: int) -> str:
    return str(unix_nanos_to_iso8601(time_ns))[:19].replace("T", " ")

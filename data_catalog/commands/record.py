"""`python -m data_catalog record`: public market streams into a catalog, without keys."""

import asyncio
import multiprocessing
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import aiohttp
import click
import msgspec
import yarl
from rich.console import Console

from bad_input import BadInput
from command_line import FAILED, Failed
from data_catalog.exchange_info import ExchangeInfo
from data_catalog.instruments import build_instrument, find_instrument
from data_catalog.live_recording.feed import Timing
from data_catalog.live_recording.imports import ImportedFiles, ignore_interrupts, import_pending
from data_catalog.live_recording.left_behind import lock, recordings_folder, salvage
from data_catalog.live_recording.recorder import DAY_NS, HOUR_NS, Recorder, Recording
from data_catalog.live_recording.rest import PublicRest, RestError, definition_path, store_definition
from data_catalog.live_recording.routes import SPOT, Addresses
from data_catalog.live_recording.status import StatusLine, summary
from data_catalog.store.instrument_files import read_instrument, stored_definitions

EXAMPLE = """
\b
Examples:
  python -m data_catalog record NEXOUSDT.BINANCE
  python -m data_catalog record BTCUSDT.BINANCE BTCUSDT-PERP.BINANCE --depth --catalog recorded
"""
MOST_INSTRUMENTS = 50
TERMINAL_SECS, LOG_SECS = 1.0, 60.0
PIPE_WIDTH = 130  # columns where the output is no terminal, so that no cell is cut


@click.command("record", epilog=EXAMPLE)
@click.argument("instrument_ids", nargs=-1, required=True, metavar="INSTRUMENT...")
@click.option(
    "--catalog",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("catalog"),
    show_default=True,
    help="The catalog's folder; raw files go to its folder recordings.",
)
@click.option("--depth", is_flag=True, help="Record the order book too: its changes every 100 ms, and snapshots.")
@click.option(
    "--rotate",
    type=click.Choice(["hour", "day"]),
    default="day",
    show_default=True,
    help="When a raw file is complete and gets imported, in UTC.",
)
@click.option(
    "--silence-secs",
    type=click.FloatRange(min=1),
    default=Timing().silence_secs,
    show_default=True,
    help="Connect again when nothing was heard for this long, and mark a gap.",
)
@click.option(
    "--import-only", is_flag=True, help="Connect to nothing: only import what an earlier recorder left behind."
)
@click.option(
    "--exchange-url",
    envvar="BALLAST_EXCHANGE_URL",
    show_envvar=True,
    metavar="URL",
    help="A local exchange (binance_double) such as http://127.0.0.1:8080, in place of Binance.",
)
def command(
    instrument_ids: tuple[str, ...],
    catalog: Path,
    rotate: str,
    silence_secs: float,
    exchange_url: str | None,
    *,
    depth: bool,
    import_only: bool,
) -> None:
    """
    Record quotes, trades and, on futures, funding rates of each INSTRUMENT from Binance's public streams, until stopped
    (Ctrl-C or SIGTERM). No keys are needed. What comes is kept as raw files, which become part of the catalog when they
    are complete and at the end; what was missed is marked.

    Exit status 0 when stopped, 1 if there is no connection, no room on the disk, or a file could not be imported; 2 for
    bad input.
    """
    ids = _checked_ids(instrument_ids)
    if import_only:
        sys.exit(_report({id_: _import_left(catalog, id_) for id_ in ids}))
    recording = Recording(
        catalog,
        ids,
        depth,
        _addresses(exchange_url),
        HOUR_NS if rotate == "hour" else DAY_NS,
        Timing(silence_secs=silence_secs),
    )
    sys.exit(asyncio.run(_record(recording)))


async def _record(recording: Recording) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    await _define(recording)
    # A fresh process: one that was forked would share the connections.
    workers = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, workers, ignore_interrupts) as executor:
        recorder = Recorder(recording, executor, _note)
        shown = asyncio.create_task(_show(StatusLine(recorder, recording.now_ns)))
        try:
            await recorder.run(stop)
        finally:
            shown.cancel()
            for number in signals:
                loop.remove_signal_handler(number)
    for id_ in recording.instrument_ids:
        recorder.add_import(id_, import_pending(recording.catalog, id_))
    status = _report(recorder.imports)
    if recorder.skipped:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in recorder.skipped.most_common())
        click.echo(f"Messages left out: {reasons}.")
    return status


async def _define(recording: Recording) -> None:
    """Store the definitions of the instruments as the exchange gives them, or go on with those that are known."""
    ids = list(recording.instrument_ids)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(trust_env=True, timeout=timeout) as session:
        try:
            definitions = await PublicRest(session, recording.addresses).define(ids)
        except RestError as error:
            for id_ in ids:
                _known_definition(recording.catalog, id_, error)
            _note(f"{error}; going on with the definitions at hand")
            return
    for id_, definition in definitions.items():
        _check_decimals(recording.catalog, id_, definition)
    for id_, definition in definitions.items():
        folder = recordings_folder(recording.catalog, id_)
        try:
            store_definition(folder, definition)
        except OSError as error:
            raise BadInput(f"cannot be written to ({error.strerror})", file=folder) from error


def _known_definition(catalog: Path, instrument_id: str, error: RestError) -> None:
    definition = definition_path(recordings_folder(catalog, instrument_id))
    try:
        find_instrument(instrument_id, definition if definition.exists() else None)
    except BadInput as unknown:
        raise Failed(f"{error}, and {instrument_id} is not defined here") from unknown


def _check_decimals(catalog: Path, instrument_id: str, definition: bytes) -> None:
    """Refuse to record what could not be imported: the catalog holds data with other decimals."""
    paths = stored_definitions(catalog).get(instrument_id)
    if not paths:
        return
    stored = read_instrument(paths[-1])
    found = build_instrument(msgspec.json.decode(definition, type=ExchangeInfo).symbols[0])
    if (stored.price_precision, stored.size_precision) != (found.price_precision, found.size_precision):
        raise BadInput(
            f"{instrument_id}: the catalog holds data with {stored.price_precision} decimals of price and "
            f"{stored.size_precision} of size, the exchange now has {found.price_precision} and {found.size_precision}",
            file=catalog,
            hint="use another catalog",
        )


def _checked_ids(instrument_ids: tuple[str, ...]) -> list[str]:
    for id_ in instrument_ids:
        if not id_.endswith(SPOT) or not id_.removesuffix(SPOT) or id_ != id_.upper() or "/" in id_:
            hint = "ids look like NEXOUSDT.BINANCE (spot) or BTCUSDT-PERP.BINANCE"
            raise BadInput(f'"{id_}" is not an instrument of Binance', hint=hint)
    ids = list(dict.fromkeys(instrument_ids))
    if len(ids) > MOST_INSTRUMENTS:
        raise BadInput(f"{len(ids)} instruments, expected at most {MOST_INSTRUMENTS}", hint="start a second recorder")
    return ids


def _addresses(url: str | None) -> Addresses:
    if url is None:
        return Addresses()
    try:
        parsed = yarl.URL(url)
    except ValueError:
        parsed = yarl.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise BadInput(f'"{url}" is not an http or https address', key="--exchange-url")
    return Addresses.local(url)


def _import_left(catalog: Path, instrument_id: str) -> ImportedFiles:
    folder = recordings_folder(catalog, instrument_id)
    if not folder.is_dir():
        raise BadInput("no recordings", file=folder)
    lock(folder)
    salvage(folder)
    return import_pending(catalog, instrument_id)


def _report(imports: dict[str, ImportedFiles]) -> int:
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    console.print(summary(imports))
    problems = [problem for files in imports.values() for problem in files.problems]
    for problem in problems:
        click.echo(f"failed: {problem}", err=True)
    return FAILED if problems else 0


async def _show(status: StatusLine) -> None:
    """Show how it goes: in place on a terminal, as a line a minute elsewhere."""
    terminal = sys.stderr.isatty()
    while True:
        await asyncio.sleep(TERMINAL_SECS if terminal else LOG_SECS)
        if terminal:
            click.echo(f"\r\x1b[K{status.text()}", err=True, nl=False)
        else:
            click.echo(status.text(), err=True)


def _note(line: str) -> None:
    click.echo(f"\r\x1b[K{line}" if sys.stderr.isatty() else line, err=True)

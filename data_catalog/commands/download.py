"""`python -m data_catalog download`: from Binance's public archive into a catalog."""

import asyncio
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import click
import yarl
from nautilus_trader.core.datetime import unix_nanos_to_iso8601

from bad_input import BadInput
from data_catalog.archive.client import ArchiveClient, UnreachableError
from data_catalog.archive.download import Fetched
from data_catalog.archive.index import BASE_URL, ArchiveFile
from data_catalog.archive.job import Destination, Request, check_request, download, import_fetched, plan_against
from data_catalog.archive.plan import Files, missing_lines
from data_catalog.archive.progress import DownloadProgress
from data_catalog.importer import Imported
from data_catalog.instruments import find_instrument
from data_catalog.rebuilt_quotes.rebuilding import chosen_rebuilding
from data_catalog.store.origin import Source

EXAMPLE = """
\b
Examples:
  python -m data_catalog download BTCUSDT-PERP.BINANCE --kind aggTrades --from 2024-08-01 --to 2024-08-07
  python -m data_catalog download NEXOUSDT.BINANCE --kind klines --interval 1m --from 2024-01-01 --to 2024-06-30
"""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where files come from and go to, and how many at a time."""

    base_url: str
    downloads: Path
    parallel: int


@dataclass(slots=True)
class Outcome:
    """What became of a request."""

    in_catalog: list[ArchiveFile]
    fetched: list[Fetched] = field(default_factory=list)
    imported: list[Imported] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def files(self, *states: str) -> list[ArchiveFile]:
        """Return the files that came to one of these states."""
        return [one.file for one in self.fetched if one.state in states]


@click.command("download", epilog=EXAMPLE)
@click.argument("instrument_id", metavar="INSTRUMENT")
@click.option("--kind", required=True, help="aggTrades, trades or klines; for futures also bookTicker or fundingRate.")
@click.option("--from", "first", required=True, metavar="DAY", help="The first day, such as 2024-08-01 (UTC).")
@click.option("--to", "last", metavar="DAY", help="The last day; without, the first day alone.")
@click.option("--interval", metavar="1m", help="Of klines: 1s (spot) 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1mo.")
@click.option(
    "--files",
    type=click.Choice(["auto", "daily", "monthly"]),
    default="auto",
    show_default=True,
    help="Which files: auto takes monthly ones for klines of whole past months.",
)
@click.option(
    "--catalog",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("catalog"),
    show_default=True,
    help="The catalog's folder.",
)
@click.option(
    "--downloads",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("downloads"),
    show_default=True,
    help="Where files lie until they are imported.",
)
@click.option("--no-import", is_flag=True, help="Download only.")
@click.option("--keep", is_flag=True, help="Keep the downloaded files after the import.")
@click.option("--quotes-from-trades", is_flag=True, help="Rebuild best bid and ask from the trades.")
@click.option("--quotes-from-closes", is_flag=True, help="Make one quote at the close of each bar, --spread-bps wide.")
@click.option(
    "--spread-bps",
    type=click.FloatRange(min=0, max=1000),
    metavar="X",
    help="The spread of quotes from closes, in basis points of the price.",
)
@click.option("--replace", is_flag=True, help="Replace stored files that overlap with the new ones.")
@click.option("--allow-missing", is_flag=True, help="Exit with status 0 even if the archive lacks some files.")
@click.option(
    "--exchange-info",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A saved exchangeInfo answer with the instrument's definition.",
)
@click.option("--parallel", type=click.IntRange(1, 16), default=4, show_default=True, help="Downloads at a time.")
@click.option("--base-url", default=BASE_URL, show_default=True, help="The archive's address.")
def command(
    instrument_id: str,
    *,
    kind: str,
    first: str,
    last: str | None,
    interval: str | None,
    files: Files,
    catalog: Path,
    downloads: Path,
    no_import: bool,
    keep: bool,
    quotes_from_trades: bool,
    quotes_from_closes: bool,
    spread_bps: float | None,
    replace: bool,
    allow_missing: bool,
    exchange_info: Path | None,
    parallel: int,
    base_url: str,
) -> None:
    """
    Download data of INSTRUMENT from Binance's public archive and import it. Files are checked against their
    checksums; a download that was interrupted goes on where it stopped, and what the catalog has already is not
    downloaded again. Exit status 1 if a file is missing or failed; the others are imported all the same.
    """
    rebuilding = chosen_rebuilding({"trades": quotes_from_trades, "closes": quotes_from_closes}, None, spread_bps)
    request = check_request(
        find_instrument(instrument_id, exchange_info),
        kind,
        interval,
        _day(first, "--from"),
        _day(last or first, "--to"),
        today=datetime.now(UTC).date(),
        files=files,
    )
    _check_url(base_url)
    destination = None if no_import else Destination(downloads, catalog, rebuilding, replace, keep)
    outcome = _carry_out(request, destination, Connection(base_url.rstrip("/"), downloads, parallel))
    _echo_files(outcome)
    _echo_rows(outcome.imported, catalog)
    if no_import and outcome.files("fetched"):
        click.echo(f"downloaded files are in {downloads}")
    sys.exit(_echo_trouble(outcome, request, allow_missing=allow_missing))


def _carry_out(request: Request, destination: Destination | None, connection: Connection) -> Outcome:
    """Download, and import if there is a destination; what fails on the way becomes part of the outcome."""
    plan, stored = plan_against(request, destination) if destination else (request.plan(), set[Source]())
    click.echo(request)
    outcome = Outcome(plan.stored)
    with DownloadProgress() as progress:
        try:
            outcome.fetched = asyncio.run(_fetch(request, plan.files, stored, connection, progress))
            if destination:
                for imported in import_fetched(request, outcome.fetched, destination, progress):
                    outcome.imported.append(imported)
        except (UnreachableError, BadInput) as error:
            outcome.problems.append(str(error))
        except KeyboardInterrupt:
            outcome.problems.append("stopped by the keyboard")
    return outcome


async def _fetch(
    request: Request,
    files: Sequence[ArchiveFile],
    stored: Collection[Source],
    connection: Connection,
    progress: DownloadProgress,
) -> list[Fetched]:
    async with ArchiveClient(connection.base_url, connection.downloads) as client:
        return await download(request, files, client, progress, stored=stored, parallel=connection.parallel)


def _day(text: str, key: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f'"{text}" is not a day', key=key, hint="days look like 2024-08-01") from None


def _check_url(base_url: str) -> None:
    try:
        url = yarl.URL(base_url)
    except ValueError:
        url = yarl.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise BadInput(f'"{base_url}" is not an http or https address', key="--base-url")


def _echo_files(outcome: Outcome) -> None:
    counts = {
        "downloaded": len(outcome.files("fetched")),
        "in the catalog already": len(outcome.files("stored")) + len(outcome.in_catalog),
        "not in the archive": len(outcome.files("missing")),
        "failed": len(outcome.files("failed")),
    }
    if any(counts.values()):
        click.echo("files: " + ", ".join(f"{number} {what}" for what, number in counts.items() if number))


def _echo_rows(imported: Sequence[Imported], catalog: Path) -> None:
    written = [one for result in imported for one in result.written]
    for data_type in dict.fromkeys(one.data_type for one in written):
        same = [one for one in written if one.data_type == data_type]
        span = f"{_utc(min(one.first_ns for one in same))} to {_utc(max(one.last_ns for one in same))} UTC"
        click.echo(f"{data_type.replace('_', ' ')}: {sum(one.rows for one in same):,}, {span}, in {catalog}")
    for what, remarks in (
        ("left out", [result.dropped for result in imported]),
        ("put right", [result.changed for result in imported]),
    ):
        total: Counter[str] = sum((reasons for remark in remarks for reasons in remark.values()), Counter())
        if total:
            click.echo(f"{what}: " + ", ".join(f"{number:,} {reason}" for reason, number in total.most_common()))


def _echo_trouble(outcome: Outcome, request: Request, *, allow_missing: bool) -> int:
    """Say what is missing or failed, and return the exit status."""
    missing = outcome.files("missing")
    found = outcome.in_catalog + outcome.files("fetched", "stored")
    for line in missing_lines(missing, request.market, found, request.today):
        click.echo(f"missing: {line}", err=True)
    problems = [one.problem for one in outcome.fetched if one.problem] + outcome.problems
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if problems:
        click.echo("Run the same command again to go on from there.", err=True)
    return 1 if problems or (missing and not allow_missing) else 0


def _utc(time_ns: int) -> str:
    return str(unix_nanos_to_iso8601(time_ns))[:19].replace("T", " ")

"""A request for data of the archive: checked, planned, downloaded, imported."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from nautilus_trader.model.instruments import Instrument

from bad_input import BadInput
from data_catalog.archive.client import ArchiveClient
from data_catalog.archive.download import Fetched, fetch_files
from data_catalog.archive.files import DATA_TYPES, bar_type
from data_catalog.archive.index import ArchiveFile, Market, Period, market_of, monthly_only
from data_catalog.archive.plan import Files, Plan, check_days, check_kind, plan_files
from data_catalog.archive.progress import DownloadProgress
from data_catalog.archive.stored import StoredFile, check_overlap, stored_files
from data_catalog.import_series import ArchiveSeries
from data_catalog.importer import Imported, import_series
from data_catalog.rebuilt_quotes.rebuilding import Rebuilding
from data_catalog.store.origin import Source


@dataclass(frozen=True, slots=True)
class Request:
    """
    What is wanted; every part of it has been checked.

    Parameters
    ----------
    instrument : Instrument
        Whose data.
    like : ArchiveFile
        Symbol, kind and interval; its period is that of the first day.
    first, last : date
        The first and the last day, in UTC.
    files : {"auto", "daily", "monthly"}
        Which files.
    today : date
        The current day, in UTC.

    """

    instrument: Instrument
    like: ArchiveFile
    first: date
    last: date
    files: Files
    today: date

    @property
    def market(self) -> Market:
        """The market of the instrument."""
        return market_of(self.instrument)

    @property
    def identifier(self) -> str:
        """What names the data in a catalog: the instrument id, for klines the bar type."""
        return bar_type(Path(self.like.name), self.instrument) if self.like.interval else str(self.instrument.id)

    def __str__(self) -> str:
        interval = f" {self.like.interval}" if self.like.interval else ""
        return f"{self.instrument.id} {self.like.kind}{interval}, {self.first} to {self.last}"

    def plan(self, stored: Collection[str] = ()) -> Plan:
        """Return the files needed, given the names of archive files that the catalog has."""
        return plan_files(self.like, self.first, self.last, today=self.today, files=self.files, stored=stored)


def check_request(
    instrument: Instrument,
    kind: str,
    interval: str | None,
    first: date,
    last: date,
    *,
    today: date,
    files: Files = "auto",
) -> Request:
    """
    Return a request that makes sense.

    Raises
    ------
    BadInput
        If the market has no such data, or the days are no range of the past.

    """
    found = check_kind(market_of(instrument), kind, interval)
    check_days(first, last, today)
    like = ArchiveFile(instrument.raw_symbol.value, found, interval, Period(first, monthly=False))
    request = Request(instrument, like, first, last, files, today)
    request.plan()
    return request


@dataclass(frozen=True, slots=True)
class Destination:
    """
    Where files go once they are downloaded.

    Parameters
    ----------
    downloads : Path
        The folder that they are downloaded to.
    catalog : Path
        The catalog.
    rebuilding : Rebuilding, optional
        How quotes are rebuilt: from trades or at the closes of bars, which need nothing of another file.
    replace : bool
        Whether stored files of other sources that overlap are replaced.
    keep : bool
        Whether a downloaded file stays after its import.

    """

    downloads: Path
    catalog: Path
    rebuilding: Rebuilding | None = None
    replace: bool = False
    keep: bool = False


def plan_against(request: Request, destination: Destination) -> tuple[Plan, set[Source]]:
    """
    Return what is to be asked for, and the archive files that the catalog has in full.

    Raises
    ------
    BadInput
        If the catalog holds data of other sources in the same time, or quotes are to be rebuilt from what is not
        downloaded.

    """
    data_type, rebuilding = DATA_TYPES[request.like.kind], destination.rebuilding
    stored = [stored_files(destination.catalog, data_type, request.identifier)]
    if rebuilding is not None:
        if data_type != rebuilding.source:
            raise BadInput(f"{request.like.kind} are not {rebuilding.source}", key=rebuilding.option)
        stored.append(stored_files(destination.catalog, "quotes", str(request.instrument.id)))
    sources = set.intersection(*({source for file in files for source in file.sources} for files in stored))
    plan = request.plan({source.name for source in sources})
    if not destination.replace:
        overlapping: list[StoredFile] = [file for files in stored for file in files]
        check_overlap(plan.files, overlapping, request.identifier)
    return plan, sources


async def download(
    request: Request,
    files: Sequence[ArchiveFile],
    client: ArchiveClient,
    progress: DownloadProgress,
    *,
    stored: Collection[Source] = (),
    parallel: int = 4,
) -> list[Fetched]:
    """
    Download files; where a monthly one is missing that was our own choice, its days.

    Parameters
    ----------
    request : Request
        What is wanted.
    files : sequence of ArchiveFile
        As planned.
    client : ArchiveClient
        Where from and where to.
    progress : DownloadProgress
        Shows how far it is.
    stored : collection of Source
        What the catalog has.
    parallel : int
        Downloads at a time.

    Raises
    ------
    UnreachableError
        If there is no connection to the archive.

    """

    async def fetch(some: Sequence[ArchiveFile]) -> list[Fetched]:
        progress.expect(len(some))
        return await fetch_files(
            client,
            some,
            request.market,
            stored,
            parallel=parallel,
            on_bytes=progress.on_bytes,
            on_file=progress.on_file,
        )

    fetched = await fetch(files)
    if request.files != "auto" or monthly_only(request.like.kind, request.like.interval):
        return fetched
    no_months = [one for one in fetched if one.state == "missing" and one.file.period.monthly]
    days = [request.like.of(day) for one in no_months for day in one.file.period.days()]
    kept = [one for one in fetched if one not in no_months]
    return sorted(kept + await fetch(days), key=lambda one: one.file.period) if days else fetched


def import_fetched(
    request: Request, fetched: Sequence[Fetched], destination: Destination, progress: DownloadProgress
) -> Iterator[Imported]:
    """
    Import downloaded files one by one, so that each is in the catalog for good before the next one.

    Yields
    ------
    Imported
        What one file gave.

    Raises
    ------
    BadInput
        If a file cannot be imported; those before it are in the catalog.

    """
    paths = [one.path for one in fetched if one.path is not None]
    progress.importing(paths)
    for path in paths:
        yield import_series(
            [ArchiveSeries([path], request.instrument)],
            request.instrument,
            destination.catalog,
            progress.on_imported,
            rebuilding=destination.rebuilding,
            replace=destination.replace,
        )
        if not destination.keep:
            _remove(path, destination.downloads)


def _remove(path: Path, downloads: Path) -> None:
    """Remove a file, and the folders within `downloads` that are empty now."""
    path.unlink()
    for folder in path.parents:
        if folder == downloads or any(folder.iterdir()):
            return
        folder.rmdir()

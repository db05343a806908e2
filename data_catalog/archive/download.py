"""Several files of the archive at a time, each with what became of it."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from data_catalog.archive.client import ArchiveClient, ArchiveError, NotInArchiveError, UnreachableError
from data_catalog.archive.index import ArchiveFile, Market
from data_catalog.store.origin import Source

type State = Literal["fetched", "stored", "missing", "failed"]
type OnFile = Callable[["Fetched"], None]
type OnFileBytes = Callable[[ArchiveFile, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """
    What became of one file.

    `stored` means that the catalog has it, with the same checksum; `path` is where a fetched file lies, and
    `problem` why one failed.
    """

    file: ArchiveFile
    state: State
    path: Path | None = None
    problem: str = ""


async def fetch_files(
    client: ArchiveClient,
    files: Sequence[ArchiveFile],
    market: Market,
    stored: Collection[Source],
    *,
    parallel: int,
    on_bytes: OnFileBytes,
    on_file: OnFile,
) -> list[Fetched]:
    """
    Download files, `parallel` at a time, and return what became of each, in the order given.

    Parameters
    ----------
    client : ArchiveClient
        Where from and where to.
    files : sequence of ArchiveFile
        What to download.
    market : Market
        The market of all of them.
    stored : collection of Source
        What the catalog has: a file of which it has the same name and checksum is not downloaded.
    parallel : int
        Downloads at a time.
    on_bytes, on_file : callable
        Told how far a file is (bytes there, bytes in all if known), and what became of it.

    Raises
    ------
    UnreachableError
        If there is no connection to the archive; what was downloaded stays.

    """
    places = asyncio.Semaphore(parallel)

    async def fetch(file: ArchiveFile) -> Fetched:
        async with places:
            result = await _fetch(client, file, market, stored, on_bytes)
        on_file(result)
        return result

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(fetch(file)) for file in files]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]


async def _fetch(
    client: ArchiveClient, file: ArchiveFile, market: Market, stored: Collection[Source], on_bytes: OnFileBytes
) -> Fetched:
    remote = file.path(market)
    try:
        sha256 = await client.checksum(remote)
        if Source(file.name, sha256) in stored:
            return Fetched(file, "stored")
        path = await client.download(remote, sha256, lambda done, total: on_bytes(file, done, total))
    except NotInArchiveError:
        return Fetched(file, "missing")
    except UnreachableError:
        raise
    except ArchiveError as error:
        return Fetched(file, "failed", problem=str(error))
    except OSError as error:
        return Fetched(file, "failed", problem=f"{file.name}: cannot be written ({error.strerror or error})")
    return Fetched(file, "fetched", path)

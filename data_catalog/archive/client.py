"""
Files of the archive over HTTP: checked against their checksums, resumed after an interruption, retried with patience.

A file arrives as `<name>.part` next to its final place and is renamed once its SHA-256 is that of the archive's
`.CHECKSUM` file. A later run asks for the bytes that are missing only.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from data_catalog.archive.part import PartFile

CHECKSUM_ATTEMPTS = 3

_CHECKSUM = re.compile(r"([0-9a-f]{64})\s+\*?(\S+)\s*", re.IGNORECASE)
_CHUNK_BYTES = 64 * 2**10

type OnBytes = Callable[[int, int | None], None]


class ArchiveError(Exception):
    """A file could not be had; the text names it and says why."""


class UnreachableError(ArchiveError):
    """No connection to the archive could be made at all."""


class NotInArchiveError(ArchiveError):
    """The archive has no such file."""


class _TransientError(Exception):
    """An attempt failed in a way that may pass."""

    def __init__(self, reason: str, retry_after_secs: float | None = None, *, unreachable: bool = False) -> None:
        self.retry_after_secs = retry_after_secs
        self.unreachable = unreachable
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Patience:
    """
    How long to go on trying.

    Parameters
    ----------
    attempts : int
        Attempts in a row that bring nothing new before giving up.
    first_delay_secs, longest_delay_secs : float
        The pause after the first failure; it doubles with each further one, up to the longest. A server that asks
        for more gets it, up to ten minutes.
    silence_secs : float
        A connection without a byte for this long is given up.

    """

    attempts: int = 6
    first_delay_secs: float = 1.0
    longest_delay_secs: float = 60.0
    silence_secs: float = 30.0

    def delay_secs(self, failures: int, retry_after_secs: float | None) -> float:
        """Return how long to wait after so many failures in a row."""
        delay = min(self.first_delay_secs * 2.0 ** (failures - 1), self.longest_delay_secs)
        return max(delay, min(retry_after_secs or 0.0, 600.0))


class ArchiveClient:
    """
    Downloads files of the archive; used as an asynchronous context manager.

    Parameters
    ----------
    base_url : str
        The archive's address, without a slash at its end.
    folder : Path
        Where files go, under the same paths as in the archive.
    patience : Patience
        How long to go on trying.
    sleep : callable
        Waits for a number of seconds.

    """

    def __init__(
        self,
        base_url: str,
        folder: Path,
        patience: Patience = Patience(),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._base_url = base_url
        self._folder = folder
        self._patience = patience
        self._sleep = sleep
        timeout = aiohttp.ClientTimeout(total=None, connect=30, sock_read=patience.silence_secs)
        # Byte ranges are those of the file as stored, so it must not be compressed on the way.
        self._session = aiohttp.ClientSession(
            timeout=timeout, trust_env=True, headers={"Accept-Encoding": "identity"}, raise_for_status=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def checksum(self, path: str) -> str:
        """
        Return the SHA-256 that the archive states for a file, in lower-case hex.

        Raises
        ------
        NotInArchiveError
            If the archive has no such file.
        ArchiveError
            If it cannot be had.

        """
        return await self._patiently(path, partial(self._checksum_once, path))

    async def download(self, path: str, sha256: str, on_bytes: OnBytes) -> Path:
        """
        Return the file, downloaded as far as it is not there yet, with its checksum verified.

        A file with a wrong checksum is thrown away and asked for again, and so is its checksum.

        Parameters
        ----------
        path : str
            The path below the archive's address.
        sha256 : str
            What `checksum` returned.
        on_bytes : callable
            Called with the bytes that are there so far and the size of the file, or None while it is unknown.

        Raises
        ------
        NotInArchiveError
            If the archive has no such file.
        ArchiveError
            If it cannot be had, or its checksum is wrong every time.

        """
        target = self._folder / path
        if target.exists() and await asyncio.to_thread(_sha256, target) == sha256:
            return target
        for _ in range(CHECKSUM_ATTEMPTS):
            part = PartFile(target, sha256)
            await self._patiently(path, partial(self._download_once, path, part, on_bytes), part)
            if await asyncio.to_thread(_sha256, part.path) == sha256:
                return part.finish()
            part.discard()
            sha256 = await self.checksum(path)
        raise ArchiveError(f"{target.name}: the checksum was wrong in {CHECKSUM_ATTEMPTS} downloads; thrown away")

    async def _patiently[T](self, path: str, attempt: Callable[[], Awaitable[T]], part: PartFile | None = None) -> T:
        """Repeat an attempt until it succeeds, or until so many in a row have brought no byte more."""
        failures, most = 0, part.size if part else 0
        while True:
            try:
                return await attempt()
            except aiohttp.ClientConnectorError as error:
                failure = _TransientError(why_no_connection(error), unreachable=True)
            except aiohttp.ConnectionTimeoutError:
                failure = _TransientError("no answer", unreachable=True)
            except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
                failure = _TransientError(f"the connection broke off ({type(error).__name__})")
            except _TransientError as error:
                failure = error
            if part and part.size > most:
                failures, most = 0, part.size
            failures += 1
            if failures >= self._patience.attempts:
                end = f"given up after {failures} attempts"
                if failure.unreachable:
                    raise UnreachableError(f"no connection to {self._base_url} ({failure}), {end}") from failure
                raise ArchiveError(f"{Path(path).name}: {failure}, {end}") from failure
            await self._sleep(self._patience.delay_secs(failures, failure.retry_after_secs))

    async def _checksum_once(self, path: str) -> str:
        async with self._session.get(f"{self._base_url}/{path}.CHECKSUM") as response:
            _check_status(response, path)
            text = await response.text(errors="replace")
        found = _CHECKSUM.fullmatch(text)
        if found is None or found[2] != Path(path).name:
            raise _TransientError(f'its checksum file says "{text[:40].strip()}"')
        return found[1].lower()

    async def _download_once(self, path: str, part: PartFile, on_bytes: OnBytes) -> None:
        async with self._session.get(f"{self._base_url}/{path}", headers=part.range_headers()) as response:
            if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # nothing is left to send: the checksum tells whether what is there is the file
            _check_status(response, path)
            if response.status != HTTPStatus.PARTIAL_CONTENT or part.size == 0:
                part.start_over(response.headers.get("ETag"))
            elif not response.headers.get("Content-Range", "").startswith(f"bytes {part.size}-"):
                part.discard()
                raise _TransientError("the server sent another range of bytes than asked for")
            done = part.size
            total = None if response.content_length is None else done + response.content_length
            with part.path.open("ab", buffering=0) as file:
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    file.write(chunk)
                    done += len(chunk)
                    on_bytes(done, total)


def why_no_connection(error: aiohttp.ClientConnectorError) -> str:
    """Return the operating system's words; those of the event loop name the address once more."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not accepted: {error.certificate_error}"
    number = error.os_error.errno
    return os.strerror(number) if number is not None and number > 0 else str(error.os_error.strerror or error.os_error)


def _check_status(response: aiohttp.ClientResponse, path: str) -> None:
    status, name = response.status, Path(path).name
    if status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        return
    if status == HTTPStatus.NOT_FOUND:
        raise NotInArchiveError(f"{name} is not in the archive")
    if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS} or status >= 500:
        retry_after = response.headers.get("Retry-After", "")
        raise _TransientError(f"the server answered {status}", float(retry_after) if retry_after.isdigit() else None)
    raise ArchiveError(f"{name}: the server answered {status} {response.reason or ''}".rstrip())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

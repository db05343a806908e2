"""
All or nothing: what a writer produced becomes part of the catalog completely or not at all.

Files are made in a folder of their own under `<catalog>/.staging`. Committing writes a journal of what has to be
moved and removed, and then does it. A process that dies before the journal leaves files that the next one throws
away; one that dies after it leaves work that the next one finishes. A lock held for the whole time, which the
operating system releases when a process dies, tells the living from the dead.
"""

import contextlib
import fcntl
import os
import shutil
import uuid
from pathlib import Path

import msgspec

from bad_input import BadInput

_STAGING = ".staging"
_LOCK = "lock"
_JOURNAL = "journal.json"


class Journal(msgspec.Struct, frozen=True):
    """What a commit does, by paths relative to the catalog: `removals` first, then `moves` (from, to)."""

    moves: list[tuple[str, str]]
    removals: list[str]


class Staging:
    """
    Sole write access to a catalog, and the folder for what is about to become part of it.

    Parameters
    ----------
    catalog : Path
        The catalog's folder; it is made when it does not exist.

    Raises
    ------
    BadInput
        If another process is writing to the catalog, or the folder cannot be written to.

    """

    def __init__(self, catalog: Path) -> None:
        self.catalog = catalog
        self._is_new = not catalog.exists()
        try:
            lock = _lock(catalog, wait=False)
        except OSError as error:
            raise BadInput(f"cannot be written to ({error.strerror})", file=catalog) from error
        if lock is None:
            raise BadInput("another process is writing to this catalog", file=catalog, hint="wait until it is done")
        self._lock = lock
        _recover(catalog)
        self.folder = catalog / _STAGING / uuid.uuid4().hex
        self.folder.mkdir()

    def commit(self, moves: dict[Path, Path], removals: list[Path]) -> None:
        """Make staged files part of the catalog: `removals` go first, then `moves` maps each file to its place."""
        try:
            journal = self._write_journal(moves, removals)
        except BaseException:
            self.close()
            raise
        try:
            _finish(self.catalog, journal)
        except BaseException:
            _unlock(self.catalog, self._lock)  # the journal stays: whoever opens the catalog next finishes the work
            raise
        self.close()

    def close(self) -> None:
        """Remove what is still staged and give up the write access."""
        shutil.rmtree(self.folder)
        _unlock(self.catalog, self._lock)
        if self._is_new and not any(self.catalog.iterdir()):
            self.catalog.rmdir()

    def _write_journal(self, moves: dict[Path, Path], removals: list[Path]) -> Journal:
        targets = set(moves.values())
        journal = Journal(
            moves=[(self._relative(old), self._relative(new)) for old, new in moves.items()],
            # A removal done again after the move that took its place would remove the new file.
            removals=[self._relative(path) for path in removals if path not in targets],
        )
        for path in moves:
            _sync(path)
        draft = self.folder / "journal.draft"
        draft.write_bytes(msgspec.json.encode(journal))
        _sync(draft)
        draft.replace(self.folder / _JOURNAL)
        _sync(self.folder)
        return journal

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self.catalog))


def settle(catalog: Path) -> None:
    """
    Finish or discard what a dead writer left, so that a reader sees complete imports only.

    Raises
    ------
    BadInput
        If an import was interrupted while it was moving files and cannot be finished for lack of permission.

    """
    if not (catalog / _STAGING).is_dir():
        return
    try:
        lock = _lock(catalog, wait=_journals(catalog) != [])
    except PermissionError as error:
        if _journals(catalog):
            raise BadInput("an interrupted import cannot be finished (no permission to write)", file=catalog) from error
        return
    if lock is not None:
        _recover(catalog)
        _unlock(catalog, lock)


def _recover(catalog: Path) -> None:
    for path in _journals(catalog):
        _finish(catalog, msgspec.json.decode(path.read_bytes(), type=Journal))
    for folder in _leftovers(catalog):
        shutil.rmtree(folder)


def _finish(catalog: Path, journal: Journal) -> None:
    """Do what the journal says; doing it again, or the rest of it, gives the same catalog."""
    for name in journal.removals:
        (catalog / name).unlink(missing_ok=True)
    for old, new in journal.moves:
        target = catalog / new
        target.parent.mkdir(parents=True, exist_ok=True)
        if (catalog / old).exists():
            (catalog / old).replace(target)
            _sync(target.parent)


def _leftovers(catalog: Path) -> list[Path]:
    staging = catalog / _STAGING
    return sorted(path for path in staging.iterdir() if path.is_dir()) if staging.is_dir() else []


def _journals(catalog: Path) -> list[Path]:
    return [path / _JOURNAL for path in _leftovers(catalog) if (path / _JOURNAL).exists()]


def _lock(catalog: Path, *, wait: bool) -> int | None:
    """Return a descriptor that holds the catalog's lock, or None when another process holds it and `wait` is false."""
    path = catalog / _STAGING / _LOCK
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue  # a writer that has just finished removed the folder
        except FileExistsError:
            if path.parent.exists() and not path.parent.is_dir():
                raise
            continue  # removed in the moment between finding it there and looking whether it is a folder
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(descriptor)
            return None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)  # its holder removed the file in the meantime: this lock keeps nobody out


def _unlock(catalog: Path, descriptor: int) -> None:
    staging = catalog / _STAGING
    (staging / _LOCK).unlink()
    os.close(descriptor)
    with contextlib.suppress(OSError):  # not empty: leftovers, or the next writer is already at work
        staging.rmdir()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Files of lines that do not grow without end: a full one is put aside under a number, and a new one begun."""

from itertools import count
from pathlib import Path
from typing import IO


class RotatingLines:
    """
    Appends lines to a file; when it is full it becomes `name-0001.ext`, the next one `name-0002.ext`, and so on.

    Parameters
    ----------
    path : Path
        The file that is written now.
    max_bytes : int
        How large it may become.
    kept : int, optional
        How many full files are kept, the newest; all if None.

    """

    def __init__(self, path: Path, max_bytes: int, kept: int | None = None) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._kept = kept
        self._numbers = count(1)
        self._stream = self._open()

    def _open(self) -> IO[str]:
        return self._path.open("a", encoding="utf-8", buffering=1)

    def write(self, line: str) -> None:
        """Append a line; OSError if the disk does not take it."""
        self._stream.write(f"{line}\n")
        if self._stream.tell() >= self._max_bytes:
            self._turn_over()

    def _turn_over(self) -> None:
        number = next(self._numbers)
        self._path.rename(_numbered(self._path, number))
        if self._kept is not None and number > self._kept:
            _numbered(self._path, number - self._kept).unlink(missing_ok=True)
        self._stream.close()
        self._stream = self._open()

    def close(self) -> None:
        """Close the file that is written now."""
        self._stream.close()


def all_files(path: Path) -> list[Path]:
    """Return the files of one `RotatingLines` that are there, the oldest first."""
    full = sorted(path.parent.glob(f"{path.stem}-[0-9][0-9][0-9][0-9]*{path.suffix}"))
    return [*full, *([path] if path.exists() else [])]


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number:04d}{path.suffix}")

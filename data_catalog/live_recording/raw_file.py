"""
Raw files of a recording: lines `<receive time> <json>`, compressed as they come.

A file that is being written is called `….open`. What was flushed survives the death of the process: its lines can be
read although the end of the compressed data is missing. A complete file is called `….gz`.
"""

import contextlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

OPEN, COMPLETE = ".open", ".gz"
_GZIP = 31
_CHUNK = 65_536


class RawFile:
    """
    A file in the making.

    Parameters
    ----------
    folder : Path
        Where.
    name : str
        Without its suffix.
    draft : bool
        Whether it is a copy of a file that is there until this one is complete.

    """

    def __init__(self, folder: Path, name: str, *, draft: bool = False) -> None:
        self.path = folder / f"{name}{'.draft' if draft else OPEN}"
        self._target = folder / f"{name}{COMPLETE}"
        self._file = self.path.open("wb")
        self._packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        self._dirty = False

    @property
    def bytes_on_disk(self) -> int:
        """How large it is so far."""
        return self._file.tell()

    def write(self, line: bytes) -> None:
        """Append a line, which need not be on disk before the next `flush`; raises OSError where there is no room."""
        self._file.write(self._packer.compress(line))
        self._dirty = True

    def flush(self) -> None:
        """Hand all lines to the operating system; raises OSError where there is no room."""
        if self._dirty:
            self._file.write(self._packer.flush(zlib.Z_SYNC_FLUSH))
            self._file.flush()
            self._dirty = False

    def finish(self) -> Path:
        """Make it complete and durable, and return its path; raises OSError where there is no room."""
        self._file.write(self._packer.flush(zlib.Z_FINISH))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.path.replace(self._target)
        return self._target

    def abandon(self) -> None:
        """Close it as it is; it stays an open file, from which the next recorder takes what can be read."""
        with contextlib.suppress(OSError):
            self._file.close()


def whole_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a raw file, without their ends, as far as they can be read."""
    rest = b""
    for part in _unpacked(path):
        *lines, rest = (rest + part).split(b"\n")
        yield from lines


def _unpacked(path: Path) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            before = unpacker.copy()
            try:
                yield unpacker.decompress(chunk)
            except zlib.error:
                yield from _up_to_damage(before, chunk)
                return


def _up_to_damage(unpacker: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
    with contextlib.suppress(zlib.error):
        for number in range(len(chunk)):
            yield unpacker.decompress(chunk[number : number + 1])

"""The text of an archived CSV file, zipped or not, in blocks of whole lines."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from bad_input import BadInput

BLOCK_BYTES = 4 * 2**20


def blocks(path: Path) -> Iterator[bytes]:
    """
    Yield the text of a CSV file, or of the one CSV file in a zip file, about `BLOCK_BYTES` at a time.

    Raises
    ------
    BadInput
        If the file cannot be read, or is not a sound zip file with one CSV file.

    """
    with _open_csv(path) as stream:
        yield from _whole_lines(stream, path)


@contextmanager
def _open_csv(path: Path) -> Iterator[BinaryIO]:
    """Open a CSV file, or the one CSV file in a zip file; damage found while reading is a BadInput too."""
    try:
        if path.suffix.lower() != ".zip":
            with path.open("rb") as stream:
                yield stream
            return
        with zipfile.ZipFile(path) as archive, archive.open(_csv_member(archive, path)) as member:
            yield cast(BinaryIO, member)
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror or error})", file=path) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise BadInput(f"is a broken zip file ({error})", file=path, hint="download it again") from error


def _csv_member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) != 1 or not members[0].filename.lower().endswith(".csv"):
        names = ", ".join(info.filename for info in members[:3]) or "nothing"
        raise BadInput(f"holds {names}, expected one CSV file", file=path)
    if members[0].flag_bits & 1:
        raise BadInput("is encrypted", file=path)
    return members[0]


def _whole_lines(stream: BinaryIO, path: Path) -> Iterator[bytes]:
    """Yield whole lines, about BLOCK_BYTES at a time."""
    rest = b""
    while block := stream.read(BLOCK_BYTES):
        cut = block.rfind(b"\n") + 1
        if cut:
            yield rest + block[:cut]
            rest = block[cut:]
        elif rest:
            raise BadInput("is not a CSV file (no line ends)", file=path)
        else:
            rest = block
    if rest:
        yield rest


def count_lines(block: bytes) -> int:
    """Return the number of lines, the last of which need not end with a line end."""
    return block.count(b"\n") + (not block.endswith(b"\n"))

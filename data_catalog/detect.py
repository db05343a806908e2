"""Which format a file of market data has, told by how it begins; archive files by their name."""

import gzip
import re
import zlib
from enum import StrEnum
from pathlib import Path

from bad_input import BadInput, nearest_name
from data_catalog.archive.files import archive_kind
from data_catalog.klines import is_feather
from data_catalog.recordings.lines import open_text

_RECORDED = re.compile(rb"\s*\d{13,19} [\[{]")
_ROWS = re.compile(rb"\s*\[\s*\[")
_PACKED = {b"PK\x03\x04": "zip", b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
_HEAD_BYTES = 4_096


class FileFormat(StrEnum):
    """What can be imported."""

    RECORDING = "recorded websocket lines"
    KLINES = "candles"
    ARCHIVE = "archive file"


def detect_format(path: Path) -> FileFormat:
    """
    Return the format of a file.

    Raises
    ------
    BadInput
        If there is no such file, it is empty, damaged at its beginning, or of no known format.

    """
    _check_exists(path)
    if archive_kind(path) is not None:
        return FileFormat.ARCHIVE
    if is_feather(path):
        return FileFormat.KLINES
    head = _head(path)
    if _RECORDED.match(head):
        return FileFormat.RECORDING
    if _ROWS.match(head):
        return FileFormat.KLINES
    for magic, name in _PACKED.items():
        if head.startswith(magic):
            raise BadInput(
                f"is packed with {name} and not named as an archive file such as BTCUSDT-aggTrades-2024-08-08.zip",
                file=path,
                hint="unpack it first",
            )
    start = head[:40].decode(errors="replace").splitlines()[:1]
    raise BadInput(
        f'is of no known format (it begins with "{"".join(start)}")',
        file=path,
        hint="known: recorded lines (plain, .gz), freqtrade candles (.feather, .json), files named as in the archive",
    )


def _check_exists(path: Path) -> None:
    if path.is_dir():
        raise BadInput("is a folder, expected a file", file=path)
    if not path.exists():
        near = nearest_name(path.name, [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else [])
        raise BadInput("no such file", file=path, hint=near)
    if not path.stat().st_size:
        raise BadInput("is empty", file=path)


def _head(path: Path) -> bytes:
    raw, text = open_text(path)
    with raw:
        try:
            return text.read(_HEAD_BYTES)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BadInput(f"the compressed file is cut off or damaged ({error})", file=path, line=1) from error

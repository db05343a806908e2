"""Lines of a recorded websocket file, `<receive time> <json>`, read and decoded in batches."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from bad_input import BadInput

BATCH_LINES = 20_000
GZIP_MAGIC = b"\x1f\x8b"
NANOS_BY_DIGITS = {13: 1_000_000, 16: 1_000, 19: 1}

type Level = tuple[str, str]


class Payload(msgspec.Struct, gc=False):
    """
    Any message of Binance's market streams, with the exchange's one-letter names; absent fields are None.

    `b` and `a` are a price in bookTicker, levels in depthUpdate and order ids in trade. The last three fields are those
    of a gap that a recorder marks (`recordings.gaps`).
    """

    e: str | None = None
    E: int | None = None
    T: int | None = None
    s: str | None = None
    t: int | None = None
    p: str | None = None
    q: str | None = None
    m: bool | None = None
    X: str | None = None
    r: str | None = None
    U: int | None = None
    u: int | None = None
    pu: int | None = None
    b: str | int | list[Level] | None = None
    B: str | None = None
    a: str | int | list[Level] | None = None
    A: str | None = None
    lastUpdateId: int | None = None  # noqa: N815 (the exchange's name)
    bids: list[Level] | None = None
    asks: list[Level] | None = None
    since_ns: int | None = None
    of: list[str] | None = None
    reason: str | None = None


class Message(Payload, gc=False):
    """A line's JSON: a payload by itself, or the envelope of a combined stream around it."""

    stream: str | None = None
    data: Payload | None = None


@dataclass(frozen=True, slots=True)
class LineBatch:
    """Decoded lines of one file; a payload is None where the JSON is no message of a market stream."""

    path: Path
    numbers: list[int]
    received_ns: list[int]
    payloads: list[Payload | None]
    streams: list[str | None]

    def bad(self, row: int, problem: str, hint: str | None = None) -> BadInput:
        """Return the error for row `row` of this batch."""
        return BadInput(problem, file=self.path, line=self.numbers[row], hint=hint)


KNOWN_EVENTS = frozenset({"trade", "aggTrade", "bookTicker", "depthUpdate", "markPriceUpdate"})

_decode_message = msgspec.json.Decoder(Message).decode
_decode_anything = msgspec.json.Decoder().decode


def open_text(path: Path) -> tuple[BinaryIO, BinaryIO]:
    """
    Open a plain or gzip file.

    Returns
    -------
    tuple[BinaryIO, BinaryIO]
        The file as it is on disk, for its position, and the same unpacked.

    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise BadInput(f"cannot be read ({error.strerror})", file=path) from error
    magic = raw.read(2)
    raw.seek(0)
    return raw, cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if magic == GZIP_MAGIC else raw


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """
    Yield the lines of a plain or gzip file that are not blank, with their numbers from 1.

    Raises
    ------
    BadInput
        If the file cannot be read or its compressed data is damaged or cut off.

    """
    for number, line, _ in _lines(path):
        yield number, line


def _lines(path: Path) -> Iterator[tuple[int, bytes, BinaryIO]]:
    raw, text = open_text(path)
    number = 0
    with raw:
        try:
            for number, line in enumerate(text, 1):
                if not line.isspace():
                    yield number, line, raw
        except EOFError as error:
            raise BadInput("the compressed file is cut off here", file=path, line=number + 1) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise BadInput(f"the compressed file is damaged here ({error})", file=path, line=number + 1) from error


def first_received_ns(path: Path) -> int:
    """Return the receive time of the first line, in UNIX nanoseconds; raises `BadInput` for an empty file."""
    for number, line in read_lines(path):
        received, _ = _split(path, number, line)
        return received
    raise BadInput("is empty", file=path)


def read_batches(
    path: Path, batch_lines: int = BATCH_LINES, on_bytes: Callable[[int], None] | None = None
) -> Iterator[LineBatch]:
    """
    Yield a recorded file, plain or gzip, as decoded batches.

    Parameters
    ----------
    path : Path
        The file; each line is a receive time in milli-, micro- or nanoseconds (told apart by its digits), a space
        and JSON.
    batch_lines : int
        Lines per batch, which bounds the memory used.
    on_bytes : Callable[[int], None], optional
        Called after each batch with the bytes of the file on disk that were read since the last call.

    Raises
    ------
    BadInput
        With file and line number, if a line has another form or the compressed data is damaged or cut off.

    """
    batch = LineBatch(path, [], [], [], [])
    position = 0
    for number, line, raw in _lines(path):
        received, text = _split(path, number, line)
        message = _decode(path, number, text)
        batch.numbers.append(number)
        batch.received_ns.append(received)
        batch.payloads.append(message if message is None or message.data is None else message.data)
        batch.streams.append(None if message is None else message.stream)
        if len(batch.numbers) == batch_lines:
            if on_bytes is not None:
                on_bytes(raw.tell() - position)
                position = raw.tell()
            yield batch
            batch = LineBatch(path, [], [], [], [])
    if on_bytes is not None:
        on_bytes(path.stat().st_size - position)
    if batch.numbers:
        yield batch


def _split(path: Path, number: int, line: bytes) -> tuple[int, bytes]:
    digits, _, text = line.partition(b" ")
    unit = NANOS_BY_DIGITS.get(len(digits))
    if unit is None or not digits.isdigit():
        start = line[:40].decode(errors="replace").strip()
        raise BadInput(
            f'expected "<receive time> <json>" with the time in milli-, micro- or nanoseconds, found "{start}"',
            file=path,
            line=number,
        )
    return int(digits) * unit, text


def _decode(path: Path, number: int, text: bytes) -> Message | None:
    try:
        return _decode_message(text)
    except msgspec.ValidationError as error:
        problem = str(error)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not JSON ({error})", file=path, line=number) from error
    try:
        value = _decode_anything(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not JSON ({error})", file=path, line=number) from error
    if _is_imported_kind(value):
        raise BadInput(f"the message has another form than Binance's ({problem})", file=path, line=number)
    return None


def _is_imported_kind(value: object) -> bool:
    """Return whether JSON that is no `Message` should have been one, being an event that is imported."""
    data = value.get("data", value) if isinstance(value, dict) else value
    if not isinstance(data, dict):
        return False
    return data.get("e") in KNOWN_EVENTS or "lastUpdateId" in data or {"u", "b", "a"} <= data.keys()

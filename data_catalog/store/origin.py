"""
Where stored data comes from, in a file of its own for every data file.

It is not in the Parquet file: the engine reads a folder as one table and refuses files whose metadata differ.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

SPREAD_NOTE = "spread_ticks"
"""The note that holds the spread which quotes were rebuilt with from bars."""

SPREAD_BPS_NOTE = "spread_bps"
"""The same for quotes at the closes of bars."""

type Kind = Literal["recorded", "archive", "klines", "synthetic"]


class Source(msgspec.Struct, frozen=True, order=True):
    """A file that data was read from: its name (without folders) and the SHA-256 of its bytes."""

    name: str
    sha256: str


class Gap(msgspec.Struct, frozen=True, order=True):
    """A stretch of time that is missing from a recording, UNIX nanoseconds, and why."""

    start_ns: int
    end_ns: int
    reason: str


def unrecorded_ns(gaps: Iterable[Gap]) -> int:
    """Return how long gaps last together; time that several of them miss counts once."""
    total = reached = 0
    for gap in sorted(gaps):
        total += max(0, gap.end_ns - max(gap.start_ns, reached))
        reached = max(reached, gap.end_ns)
    return total


def counted(gaps: Sequence[Gap]) -> str:
    """Return how many gaps there are, in words."""
    return f"{len(gaps):,} gap{'' if len(gaps) == 1 else 's'}"


class Origin(msgspec.Struct, frozen=True):
    """
    Where a series of market data comes from.

    Parameters
    ----------
    kind : {"recorded", "archive", "klines", "synthetic"}
        What was read, or `synthetic` for a generated market.
    reconstructed : bool
        True for quotes that were not recorded but rebuilt from trades or bars.
    sources : list of Source
        The files read; empty for a generated market.
    notes : dict
        What else must be known, such as the number of rows dropped and why, or the seed.
    gaps : list of Gap
        When a recording missed data of this kind.

    """

    kind: Kind
    reconstructed: bool = False
    sources: list[Source] = []
    notes: dict[str, int | float | str] = {}
    gaps: list[Gap] = []

    def same_source(self, other: "Origin") -> bool:
        """
        Whether both name the same files by content and, where quotes were rebuilt, the same way of doing so; without
        files (synthetic), whether all else is equal.
        """
        if self.sources or other.sources:
            mine, theirs = (
                (
                    {source.sha256 for source in origin.sources},
                    origin.reconstructed,
                    origin.notes.get(SPREAD_NOTE),
                    origin.notes.get(SPREAD_BPS_NOTE),
                )
                for origin in (self, other)
            )
            return mine == theirs
        return self == other

    def describe(self) -> str:
        """Return a few words for messages: the file names, or the kind."""
        names = ", ".join(source.name for source in self.sources[:3])
        more = f" and {len(self.sources) - 3} more" if len(self.sources) > 3 else ""
        return f"{names}{more}" if names else f"{self.kind} data"


def source_of(path: Path) -> Source:
    """Return the name and hash of a file on disk."""
    with path.open("rb") as file:
        return Source(path.name, hashlib.file_digest(file, "sha256").hexdigest())


class Record(msgspec.Struct, frozen=True):
    """What is kept of a data file: its origin, a hash of its rows, and its size as a guard against replaced files."""

    origin: Origin
    content_sha256: str
    bytes_on_disk: int


def record_path(catalog: Path, data_file: Path) -> Path:
    """Return where the record of a data file is kept."""
    return (catalog / "origins" / data_file.relative_to(catalog / "data")).with_suffix(".json")


def record_of(catalog: Path, data_file: Path) -> Record | None:
    """Return the record of a data file, or None for a file that another program wrote or changed."""
    path = record_path(catalog, data_file)
    if not path.exists():
        return None
    record = msgspec.json.decode(path.read_bytes(), type=Record)
    return record if record.bytes_on_disk == data_file.stat().st_size else None

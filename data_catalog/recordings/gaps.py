"""
What a recording is missing: marked by the recorder with lines of its own, or told by ids that are not there.

A mark is `<time> {"e":"recordingGap","since_ns":…,"of":["quotes","trades"],"reason":"…"}` and says that data of these
kinds may be missing from `since_ns` until the time of the line.
"""

from dataclasses import dataclass, field

import msgspec

from data_catalog.recordings.lines import LineBatch, Payload
from data_catalog.store.data_types import DATA_TYPES, DataTypeName
from data_catalog.store.origin import Gap

GAP_EVENT = "recordingGap"


def gap_text(since_ns: int, data_types: tuple[DataTypeName, ...], reason: str) -> bytes:
    """Return the JSON of a mark."""
    return msgspec.json.encode({"e": GAP_EVENT, "since_ns": since_ns, "of": data_types, "reason": reason})


def add_gap(gaps: list[Gap], gap: Gap) -> None:
    """Append a gap; one that begins where the last one of the same reason ends makes that one longer."""
    if gaps and gaps[-1].end_ns == gap.start_ns and gaps[-1].reason == gap.reason:
        gap = Gap(gaps.pop().start_ns, gap.end_ns, gap.reason)
    gaps.append(gap)


@dataclass(slots=True)
class GapLog:
    """The marks of a recording."""

    _marked: list[tuple[Gap, frozenset[str]]] = field(default_factory=list)

    def add(self, batch: LineBatch, row: int, payload: Payload) -> None:
        """Take in a mark; raises `BadInput` where it has another form."""
        until_ns = batch.received_ns[row]
        if payload.since_ns is None or not payload.of or not DATA_TYPES.keys() >= set(payload.of):
            raise batch.bad(row, 'a mark of a gap without "since_ns", or without known data types in "of"')
        gap = Gap(min(payload.since_ns, until_ns), until_ns, payload.reason or "unknown")
        self._marked.append((gap, frozenset(payload.of)))

    def of(self, data_type: DataTypeName, found: list[Gap] | None = None) -> list[Gap]:
        """Return the gaps marked for a data type, and those found that no mark explains, in the order of time."""
        marked = [gap for gap, data_types in self._marked if data_type in data_types]
        unexplained = [gap for gap in found or [] if not any(_touch(gap, mark) for mark in marked)]
        return sorted(marked + unexplained)


def _touch(one: Gap, other: Gap) -> bool:
    return one.start_ns <= other.end_ns and other.start_ns <= one.end_ns

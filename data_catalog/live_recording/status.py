"""How a recording is doing, in one line; and what came of it, in a table."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from rich import box
from rich.table import Table

from data_catalog.live_recording.imports import ImportedFiles
from data_catalog.live_recording.recorder import Recorder
from data_catalog.live_recording.tape import NANOS
from data_catalog.store.data_types import DataTypeName
from data_catalog.store.origin import Gap, unrecorded_ns

_NAMED = 3
_TEXTS = {"instrument", "data", "from (UTC)", "to (UTC)"}


class StatusLine:
    """
    Tells how a recording is doing.

    Parameters
    ----------
    recorder : Recorder
        The recording.
    now_ns : callable
        Returns UNIX nanoseconds.

    """

    def __init__(self, recorder: Recorder, now_ns: Callable[[], int]) -> None:
        self._recorder = recorder
        self._now_ns = now_ns
        self._before = now_ns(), 0

    def text(self) -> str:
        """Return rows per second since the last call, times of the last rows, connections, lag and size."""
        recorder, now = self._recorder, self._now_ns()
        rows = sum(tape.rows.total() for tape in recorder.tapes.values())
        before_ns, before_rows = self._before
        self._before = now, rows
        rate = (rows - before_rows) * NANOS / max(now - before_ns, 1)
        lags = [f"{feed.route.name} {feed.lag_ms:+,.0f} ms" for feed in recorder.feeds if feed.lag_ms is not None]
        parts = [
            _clock(now),
            f"{rows:,} rows",
            f"{rate:,.1f}/s",
            self._last_rows(),
            f"gaps {sum(len(tape.gaps) for tape in recorder.tapes.values())}",
            f"reconnects {sum(feed.reconnects for feed in recorder.feeds)}",
            *([f"lag {', '.join(lags)}"] if lags else []),
            *([f"left out {recorder.skipped.total()}"] if recorder.skipped else []),
            *[f"NOT CONNECTED: {feed.route.name}" for feed in recorder.feeds if not feed.connected],
            f"{sum(tape.bytes_on_disk for tape in recorder.tapes.values()) / 1e6:,.1f} MB",
        ]
        return " | ".join(parts)

    def _last_rows(self) -> str:
        tapes = list(self._recorder.tapes.values())
        named = " ".join(f"{tape.instrument_id.partition('.')[0]} {_clock(tape.last_ns)}" for tape in tapes[:_NAMED])
        return f"last {named}" + (f" and {len(tapes) - _NAMED} more" if len(tapes) > _NAMED else "")


def summary(imports: dict[str, ImportedFiles]) -> Table:
    """
    Return what was imported: rows, times and gaps by instrument and data type.

    The lag is the median of receive time minus the exchange's time in the last file; below zero, this machine's clock
    is behind.
    """
    table = Table(title="recorded", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("instrument", "data", "rows", "from (UTC)", "to (UTC)", "gaps", "not recorded s", "lag ms"):
        justify: Literal["left", "right"] = "left" if heading in _TEXTS else "right"
        table.add_column(heading, justify=justify, no_wrap=True)
    for id_, files in imports.items():
        rows: defaultdict[DataTypeName, list[tuple[int, int, int]]] = defaultdict(list)
        gaps: defaultdict[DataTypeName, list[Gap]] = defaultdict(list)
        for imported in files.imported:
            for written in imported.written:
                rows[written.data_type].append((written.first_ns, written.last_ns, written.rows))
                gaps[written.data_type] += imported.gaps.get(written.data_type, [])
        for name, parts in rows.items():
            total = f"{sum(part[2] for part in parts):,}"
            times = _day(min(part[0] for part in parts)), _day(max(part[1] for part in parts))
            missed = f"{len(gaps[name]):,}", f"{unrecorded_ns(gaps[name]) / 1e9:,.1f}"
            table.add_row(id_, name, total, *times, *missed, _lag(files))
    return table


def _lag(files: ImportedFiles) -> str:
    facts = [one for imported in files.imported for one in imported.facts if "clock_offset_ms_median" in one]
    return f"{float(facts[-1]['clock_offset_ms_median']):+,.0f}" if facts else ""


def _clock(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // NANOS, UTC):%H:%M:%S}" if time_ns else "—"


def _day(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // NANOS, UTC):%Y-%m-%d %H:%M:%S}"

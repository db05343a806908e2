"""
Rows of a catalog as the engine's objects, in the order of their times, a few at a time.

Memory does not grow with the length of the data, only by about 7 MB for every series read at once.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from pathlib import Path

import pyarrow.parquet as pq
from nautilus_trader.core.data import Data
from nautilus_trader.core.datetime import unix_nanos_to_iso8601
from nautilus_trader.core.nautilus_pyo3 import DataBackendSession, drop_cvec_pycapsule
from nautilus_trader.model.data import FundingRateUpdate, OrderBookDeltas, capsule_to_list
from nautilus_trader.model.enums import BookAction, RecordFlag
from nautilus_trader.model.identifiers import InstrumentId

from bad_input import BadInput
from data_catalog.store.data_types import DATA_TYPES, DataFile, DataType, DataTypeName, data_folder, files_in
from data_catalog.store.staging import settle

_LAST_OF_UPDATE = RecordFlag.F_LAST.value
_DELTA_ORDER = f"ts_init, sequence, action <> {BookAction.CLEAR.value}, flags & {_LAST_OF_UPDATE}"
"""The changes of one update share their time, and the reader keeps no order among rows that do: a book is cleared
first, and the flag that ends the update comes last."""
_time_of = attrgetter("ts_init")
# The reader decodes ahead by several batches; with its own 8,192 rows a series takes 12 MB, with these 7.
_SMALL_BATCHES = "SET datafusion.execution.batch_size = 2048"


@dataclass(frozen=True)
class DataRequest:
    """One series to read; `bar_type` is the full bar type where `data_type` is bars."""

    instrument_id: str
    data_type: DataTypeName
    bar_type: str | None = None

    @property
    def identifier(self) -> str:
        """What names its folder: the bar type, or else the instrument id."""
        return self.bar_type or self.instrument_id


def stream(
    catalog: Path,
    requests: Sequence[DataRequest],
    start_ns: int,
    end_ns: int,
    chunk_rows: int = 1_000,
) -> Iterator[list[Data]]:
    """
    Return an iterator over the requested data for `BacktestEngine.add_data_iterator`.

    Rows of one time come in the order trades, book updates, quotes, bars, funding rates, then by instrument,
    whatever the order of the requests: a trade comes before the book that shows its effect. Changes of a book come as
    whole updates (`OrderBookDeltas`): applied one by one, as the engine would, they show strategies a book that is
    crossed or half empty, and a snapshot makes every resting order's place in the queue unknown once per level.

    Parameters
    ----------
    catalog : Path
        The catalog's folder.
    requests : sequence of DataRequest
        What to read.
    start_ns, end_ns : int
        The first and the last time, UNIX nanoseconds, both inclusive. Files outside are not opened.
    chunk_rows : int
        Rows read at a time of each series. Small chunks stay in the processor's cache: 20,000 rows take twice as
        long per row to load as 1,000.

    Raises
    ------
    BadInput
        If the catalog has nothing of a request, or nothing between the times.

    """
    if start_ns > end_ns:
        raise BadInput(f"the start {_utc(start_ns)} is after the end {_utc(end_ns)}")
    settle(catalog)
    order = list(DATA_TYPES)
    series: list[Iterator[list[Data]]] = []
    for request in sorted(set(requests), key=lambda item: (order.index(item.data_type), item.identifier)):
        files = _files(catalog, request, start_ns, end_ns)
        rows = _rows(DATA_TYPES[request.data_type], request, files, (start_ns, end_ns), chunk_rows)
        series.append(_whole_updates(rows) if request.data_type == "deltas" else rows)
    return merge(series)


def merge(series: Sequence[Iterator[list[Data]]]) -> Iterator[list[Data]]:
    """
    Yield the rows of several series, each in the order of time, as one such series.

    Rows of one time come in the order of the series. Memory holds about one chunk of each.
    """
    if len(series) == 1:
        yield from series[0]
        return
    pending: list[list[Data]] = [next(rows, []) for rows in series]
    live = [bool(rows) for rows in pending]
    while any(live):
        # Nothing unread is earlier than the earliest of the last rows read.
        horizon = min(pending[n][-1].ts_init for n in range(len(series)) if live[n])
        ready: list[Data] = []
        parts = 0
        for n, rows in enumerate(pending):
            count = bisect_left(rows, horizon, key=_time_of)
            if count:
                ready += rows[:count]
                parts += 1
                pending[n] = rows[count:]
            if live[n] and pending[n][-1].ts_init == horizon:
                more = next(series[n], [])
                live[n] = bool(more)
                pending[n] = pending[n] + more
        if parts > 1:
            ready.sort(key=_time_of)
        if ready:
            yield ready
    rest = [row for rows in pending for row in rows]
    if rest:
        rest.sort(key=_time_of)
        yield rest


def _files(catalog: Path, request: DataRequest, start_ns: int, end_ns: int) -> list[DataFile]:
    stored = list(files_in(data_folder(catalog, DATA_TYPES[request.data_type], request.identifier)))
    if not stored:
        raise BadInput(f"the catalog has no {request.data_type} of {request.identifier}", file=catalog)
    wanted = [file for file in stored if file.intersects(start_ns, end_ns)]
    if not wanted:
        raise BadInput(
            f"the catalog has no {request.data_type} of {request.identifier} from {_utc(start_ns)} to {_utc(end_ns)}",
            file=catalog,
            hint=f"it has {_utc(stored[0].first_ns)} to {_utc(stored[-1].last_ns)}",
        )
    return wanted


def _rows(
    data_type: DataType, request: DataRequest, files: list[DataFile], interval: tuple[int, int], chunk_rows: int
) -> Iterator[list[Data]]:
    for file in files:
        if data_type.backend_type is None:
            yield from _funding_rates(request.instrument_id, file, interval)
            continue
        session = DataBackendSession(chunk_rows)
        session.add_file(data_type.backend_type, "setting", str(file.path), _SMALL_BATCHES)
        session.add_file(data_type.backend_type, "series", str(file.path), _query(file, interval))
        for chunk in session.to_query_result():
            rows = capsule_to_list(chunk)
            drop_cvec_pycapsule(chunk)  # the capsule does not free what it holds
            if rows:
                yield rows


def _query(file: DataFile, interval: tuple[int, int]) -> str:
    """Return the query for the rows of a file; a condition that all of them meet would cost a fifth more time."""
    inside = interval[0] <= file.first_ns and file.last_ns <= interval[1]
    condition = "" if inside else f"WHERE ts_init BETWEEN {interval[0]} AND {interval[1]} "
    return f"SELECT * FROM series {condition}ORDER BY ts_init"


def _whole_updates(chunks: Iterator[list[Data]]) -> Iterator[list[Data]]:
    """Join the changes of each book update; it ends with the flag F_LAST or, failing that, before the next time."""
    update: list[Data] = []
    for chunk in chunks:
        updates: list[Data] = []
        for delta in chunk:
            if update and update[0].ts_init != delta.ts_init:
                updates.append(OrderBookDeltas(update[0].instrument_id, update))
                update = []
            update.append(delta)
            if delta.flags & _LAST_OF_UPDATE:
                updates.append(OrderBookDeltas(delta.instrument_id, update))
                update = []
        if updates:
            yield updates
    if update:
        yield [OrderBookDeltas(update[0].instrument_id, update)]


def _funding_rates(instrument_id: str, file: DataFile, interval: tuple[int, int]) -> Iterator[list[Data]]:
    """Yield the rates of one file; the engine's fast reader does not know them, and its other one gives text."""
    table = pq.read_table(file.path, filters=[("ts_init", ">=", interval[0]), ("ts_init", "<=", interval[1])])
    updates = [
        FundingRateUpdate(
            InstrumentId.from_str(instrument_id),
            Decimal(row["rate"].decode().strip('"')),
            row["ts_event"],
            row["ts_init"],
        )
        for row in table.to_pylist()
    ]
    if updates:
        yield updates


def _utc(time_ns: int) -> str:
    return str(unix_nanos_to_iso8601(time_ns))

"""
Rows brought into the order of a key with bounded memory.

Archive files of futures are often two or more ordered stretches shuffled into each other, line by line (issues 288,
293, 301, 305 and 339 of github.com/binance/binance-public-data). The key, such as the trade id, tells the true order.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

CHUNK_ROWS = 500_000
_SAMPLE_EVERY = 256


def in_order(keys: Iterable[NDArray[np.int64]]) -> bool:
    """Tell whether the keys, chunk after chunk, never decrease."""
    last: int | None = None
    for chunk in keys:
        if len(chunk) == 0:
            continue
        if (last is not None and chunk[0] < last) or bool((np.diff(chunk) < 0).any()):
            return False
        last = int(chunk[-1])
    return True


def put_in_order(tables: Iterable[pa.Table], key: str, chunk_rows: int = CHUNK_ROWS) -> Iterator[pa.Table]:
    """
    Yield all rows in the order of `key`; rows with equal keys keep their order.

    Each table is sorted and set aside on disk; then one stretch of keys after the other is gathered from all of them.

    Parameters
    ----------
    tables : iterable of pyarrow.Table
        Tables of one schema, each small enough for memory.
    key : str
        The name of an int64 column.
    chunk_rows : int
        About how many rows to yield at a time; more where many rows have the same key.

    """
    with tempfile.TemporaryDirectory(prefix="archive-order-") as folder:
        runs = [_set_aside(table, key, Path(folder) / f"{number}.arrow") for number, table in enumerate(tables)]
        keys = [run.column(key).to_numpy() for run in runs]
        cuts = [np.searchsorted(run_keys, _bounds(keys, chunk_rows)) for run_keys in keys]
        for stretch in range(len(cuts[0]) + 1 if cuts else 0):
            parts = [run.slice(*_span(cut, stretch, run.num_rows)) for run, cut in zip(runs, cuts, strict=True)]
            rows = pa.concat_tables(parts)
            if rows.num_rows:
                yield _sorted(rows, key)
        # The files are mapped: drop what refers to them before they are removed.
        del runs, keys


def _set_aside(table: pa.Table, key: str, path: Path) -> pa.Table:
    table = _sorted(table, key)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def _sorted(table: pa.Table, key: str) -> pa.Table:
    return table.take(pa.array(np.argsort(table.column(key).to_numpy(), kind="stable")))


def _bounds(keys: list[NDArray[np.int64]], chunk_rows: int) -> NDArray[np.int64]:
    """Return the keys at which a new chunk starts: quantiles of a sample."""
    sample = np.sort(np.concatenate([run[::_SAMPLE_EVERY] for run in keys]))
    step = max(1, chunk_rows // _SAMPLE_EVERY)
    return np.unique(sample[step::step])


def _span(cuts: NDArray[np.intp], stretch: int, rows: int) -> tuple[int, int]:
    """Return offset and length of a stretch in one run."""
    edges = [0, *cuts.tolist(), rows]
    return edges[stretch], edges[stretch + 1] - edges[stretch]

"""Several series read side by side, so that each step holds the same stretch of time of all of them."""

from collections.abc import Iterator, Mapping

import numpy as np

from data_catalog.columns import Columns, Int64


def times_of(columns: Columns) -> Int64:
    """Return the times at which the rows were received."""
    times: Int64 = getattr(columns, "ts_init")  # noqa: B009 (every kind of columns has it, their base has not)
    return times


def in_step[K](series: Mapping[K, Iterator[Columns]]) -> Iterator[tuple[int, dict[K, Columns]]]:
    """
    Yield the rows of all series up to a common time, step by step.

    Memory holds about one chunk of each series. Rows that are out of order come in the step in which they stand.

    Parameters
    ----------
    series : Mapping[K, Iterator[Columns]]
        Chunks of each series in the order of time.

    Yields
    ------
    tuple[int, dict[K, Columns]]
        The time up to which rows are complete, but for more rows of that very time, and the rows of those series that
        have some since the step before.

    """
    chunks = dict(series)
    held: dict[K, Columns] = {}
    while True:
        for key in [key for key in chunks if key not in held]:
            following = next((chunk for chunk in chunks[key] if len(chunk)), None)
            if following is None:
                del chunks[key]
            else:
                held[key] = following
        if not held:
            return
        until = min(int(times_of(columns)[-1]) for columns in held.values())
        ready: dict[K, Columns] = {}
        for key, columns in list(held.items()):
            count = _count_until(times_of(columns), until)
            if count:
                ready[key] = columns.slice(0, count)
            if count == len(columns):
                del held[key]
            else:
                held[key] = columns.slice(count, len(columns))
        yield until, ready


def _count_until(times: Int64, until: int) -> int:
    """Return how many rows come before the first one later than `until`; at least all up to the last time."""
    later = times > until
    return len(times) if int(times[-1]) <= until else int(np.argmax(later))

"""Columns read back from a catalog's Parquet files, one row group at a time, without building an object per row."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bad_input import BadInput
from data_catalog.columns import Bars, Columns, Deltas, FundingRates, Int64, Quotes, Trades, UInt8
from data_catalog.store.arrow_tables import PRICES, SIZES
from data_catalog.store.data_types import DataTypeName
from data_catalog.store.fixed_point import FIXED_DECIMALS

COLUMNS_OF: dict[DataTypeName, type[Columns]] = {
    "quotes": Quotes,
    "trades": Trades,
    "deltas": Deltas,
    "bars": Bars,
    "funding_rates": FundingRates,
}
NO_ID = -1
_TWO_64 = 2.0**64
_EXACT_BELOW = 2.0**50

_STORED_NAME = {"aggressor": "aggressor_side"}
_CODES = frozenset({"aggressor", "action", "side", "flags"})


def read_columns(path: Path, data_type: DataTypeName, between_ns: tuple[int, int] | None = None) -> Iterator[Columns]:
    """
    Yield the rows of a Parquet file of market data.

    Parameters
    ----------
    path : Path
        A file of a catalog.
    data_type : DataTypeName
        What it holds. Trade ids that are not whole numbers read as -1.
    between_ns : tuple of int, optional
        The first and the last time (UNIX nanoseconds, both inclusive) that rows are wanted of; all where left out.

    Raises
    ------
    BadInput
        If the file is damaged or was not written as a catalog file.

    """
    try:
        with pq.ParquetFile(path) as file:
            precisions = _precisions(path, file.schema_arrow, data_type)
            for group in range(file.num_row_groups):
                if between_ns is not None and not _reaches(file.metadata.row_group(group), between_ns):
                    continue
                columns = _columns(file.read_row_group(group), COLUMNS_OF[data_type], precisions)
                yield columns if between_ns is None else _between(columns, between_ns)
    except (pa.ArrowInvalid, OSError, KeyError) as error:
        raise BadInput(f"is no usable Parquet file of {data_type} ({error})", file=path) from error


def _reaches(group: pq.RowGroupMetaData, between_ns: tuple[int, int]) -> bool:
    """Whether a row group may hold rows between two times; without statistics it may."""
    for position in range(group.num_columns):
        column = group.column(position)
        if column.path_in_schema == "ts_init":
            stored = column.statistics
            return stored is None or not stored.has_min_max or _overlap((stored.min, stored.max), between_ns)
    return True


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _between(columns: Columns, between_ns: tuple[int, int]) -> Columns:
    times: Int64 = getattr(columns, "ts_init")  # noqa: B009 (every kind of columns has it, their base has not)
    inside = (times >= between_ns[0]) & (times <= between_ns[1])
    return columns if inside.all() else columns.take(inside)


def _precisions(path: Path, schema: pa.Schema, data_type: DataTypeName) -> tuple[int, int]:
    if data_type == "funding_rates":
        return FIXED_DECIMALS, FIXED_DECIMALS
    metadata = schema.metadata or {}
    try:
        return int(metadata[b"price_precision"]), int(metadata[b"size_precision"])
    except KeyError as error:
        raise BadInput(f"does not state {error.args[0].decode()}", file=path) from error


def _columns(table: pa.Table, kind: type[Columns], precisions: tuple[int, int]) -> Columns:
    values: dict[str, Int64 | UInt8] = {}
    for field in fields(kind):
        name = field.name
        array = table.column(_STORED_NAME.get(name, name)).combine_chunks()
        if name in PRICES:
            values[name] = _counts(array, precisions[0])
        elif name in SIZES:
            values[name] = _counts(array, precisions[1])
        elif name == "rate":
            texts = pc.replace_substring(array.cast(pa.string()), '"', "")
            values[name] = _low_words(texts.cast(pa.decimal128(38, FIXED_DECIMALS)))
        elif name == "trade_id":
            values[name] = _ids(array)
        else:
            values[name] = array.to_numpy(zero_copy_only=False).astype(np.uint8 if name in _CODES else np.int64)
    return kind(**values)


def _counts(array: pa.FixedSizeBinaryArray, precision: int) -> Int64:
    """Return 128-bit counts of 10^-16 as counts of 10^-precision; undoes `fixed_point`."""
    words = np.frombuffer(array.buffers()[1], np.int64).reshape(-1, 2)[array.offset : array.offset + len(array)]
    scale = 10 ** (FIXED_DECIMALS - precision)
    # A whole count below 2^52 survives the way through doubles, whose error there is far below a half.
    quotients = (words[:, 1] * _TWO_64 + words[:, 0].view(np.uint64)) / scale
    if len(quotients) and np.abs(quotients).max() < _EXACT_BELOW:
        counts: Int64 = np.rint(quotients).astype(np.int64)
        return counts
    decimals = pa.Array.from_buffers(
        pa.decimal128(38, FIXED_DECIMALS), len(array), [None, array.buffers()[1]], offset=array.offset
    )
    return _low_words(decimals.cast(pa.decimal128(38, precision)))


def _low_words(decimals: pa.Array) -> Int64:
    words = np.frombuffer(decimals.buffers()[1], np.int64).reshape(-1, 2)
    return words[decimals.offset : decimals.offset + len(decimals), 0].copy()


def _ids(array: pa.Array) -> Int64:
    try:
        ids: Int64 = array.cast(pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        ids = np.full(len(array), NO_ID)
    return ids

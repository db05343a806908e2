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

_STORED_NAME = {"aggressor": "aggressor_side"}
_CODES = frozenset({"aggressor", "action", "side", "flags"})


def read_columns(path: Path, data_type: DataTypeName) -> Iterator[Columns]:
    """
    Yield the rows of a Parquet file of market data.

    Parameters
    ----------
    path : Path
        A file of a catalog.
    data_type : DataTypeName
        What it holds. Trade ids that are not whole numbers read as -1.

    Raises
    ------
    BadInput
        If the file is damaged or was not written as a catalog file.

    """
    try:
        with pq.ParquetFile(path) as file:
            precisions = _precisions(path, file.schema_arrow, data_type)
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                yield _columns(table, COLUMNS_OF[data_type], precisions)
    except (pa.ArrowInvalid, OSError, KeyError) as error:
        raise BadInput(f"is no usable Parquet file of {data_type} ({error})", file=path) from error


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

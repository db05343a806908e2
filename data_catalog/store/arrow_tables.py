"""Columns as Arrow record batches in the engine's own schema, without building an object per row."""

from dataclasses import fields
from decimal import Decimal

import numpy as np
import pyarrow as pa
from nautilus_trader.model.data import (
    Bar,
    BarType,
    BookOrder,
    FundingRateUpdate,
    OrderBookDelta,
    QuoteTick,
    TradeTick,
)
from nautilus_trader.model.enums import AggressorSide, BookAction, OrderSide
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.serialization.arrow.serializer import ArrowSerializer

from bad_input import BadInput
from data_catalog.columns import Bars, Deltas, FundingRates, Quotes, Trades
from data_catalog.store.fixed_point import FIXED_DECIMALS, fixed_point

type Rows = Quotes | Trades | Deltas | Bars | FundingRates

PRICES = frozenset({"bid_price", "ask_price", "price", "open", "high", "low", "close"})
SIZES = frozenset({"bid_size", "ask_size", "size", "volume"})

_COLUMN_OF_FIELD = {"aggressor_side": "aggressor"}
_CODES = {"aggressor": (0, 2), "action": (1, 4), "side": (0, 2)}
_LARGEST_VALUE = 17_014_118_346_046  # the engine's largest price; its largest size is twice that


def engine_schema(columns: type[Rows], instrument: Instrument, bar_type: str | None = None) -> pa.Schema:
    """Return the schema and metadata that the engine itself writes, taken from one serialised object."""
    if columns is FundingRates:
        return _funding_table(instrument, [FundingRateUpdate(instrument.id, Decimal(0), 0, 0)]).schema
    sample = _sample(columns, instrument, bar_type)
    return ArrowSerializer.serialize_batch([sample], data_cls=type(sample)).schema


def record_batch(columns: Rows, instrument: Instrument, schema: pa.Schema) -> pa.RecordBatch:
    """Return `columns` as the engine would have written the same rows; they must have passed `check_columns`."""
    if isinstance(columns, FundingRates):
        return _funding_batch(columns, instrument)
    arrays = [_array(columns, field.name, instrument) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def check_columns(columns: Rows, instrument: Instrument) -> None:
    """
    Refuse rows that the engine's reader would crash on or replay wrongly.

    Raises
    ------
    BadInput
        If a time decreases or is negative, a size is negative (or zero, for a trade), a code is unknown, or a value
        is larger than the engine can hold.

    """
    if len(columns) == 0:
        return
    name = type(columns).__name__.lower()
    times = columns.ts_init
    _require(bool(np.all(times[1:] >= times[:-1])), instrument, name, "ts_init decreases")
    for column in (field.name for field in fields(columns)):
        values = getattr(columns, column)
        low, high = int(values.min()), int(values.max())
        place = f"{name} {column}"
        if column in PRICES:
            limit = _LARGEST_VALUE * 10**instrument.price_precision
            _require(max(-low, high) <= limit, instrument, place, "is larger than the engine can hold")
        elif column in SIZES:
            limit = _LARGEST_VALUE * 10**instrument.size_precision
            _require(high <= limit, instrument, place, "is larger than the engine can hold")
            _require(low >= (1 if isinstance(columns, Trades) else 0), instrument, place, f"has a row with {low}")
        elif column in _CODES:
            first, last = _CODES[column]
            _require(first <= low and high <= last, instrument, place, f"has codes outside {first} to {last}")
        elif column != "rate":
            _require(low >= 0, instrument, place, f"has a row with {low}")


def _require(holds: bool, instrument: Instrument, place: str, problem: str) -> None:
    if not holds:
        raise BadInput(f"{instrument.id}: {place} {problem}")


def _array(columns: Rows, field: str, instrument: Instrument) -> pa.Array:
    if field == "order_id":  # books by price level have none
        return pa.array(np.zeros(len(columns), dtype=np.uint64))
    values = getattr(columns, _COLUMN_OF_FIELD.get(field, field))
    if field in PRICES:
        return fixed_point(values, instrument.price_precision)
    if field in SIZES:
        return fixed_point(values, instrument.size_precision)
    if field == "trade_id":
        return pa.array(values).cast(pa.string())
    if values.dtype == np.int64:
        values = np.ascontiguousarray(values).view(np.uint64)
    return pa.array(values)


def _sample(columns: type[Rows], instrument: Instrument, bar_type: str | None) -> object:
    price, size = instrument.price_increment, instrument.size_increment
    if columns is Quotes:
        return QuoteTick(instrument.id, price, price, size, size, 0, 0)
    if columns is Trades:
        return TradeTick(instrument.id, price, size, AggressorSide.BUYER, TradeId("1"), 0, 0)
    if columns is Deltas:
        return OrderBookDelta(instrument.id, BookAction.ADD, BookOrder(OrderSide.BUY, price, size, 0), 0, 0, 0, 0)
    assert columns is Bars
    assert bar_type is not None
    return Bar(BarType.from_str(bar_type), price, price, price, price, size, 0, 0)


def _funding_batch(columns: FundingRates, instrument: Instrument) -> pa.RecordBatch:
    updates = [
        FundingRateUpdate(instrument.id, Decimal(int(rate)).scaleb(-FIXED_DECIMALS).normalize(), int(event), int(init))
        for rate, event, init in zip(columns.rate, columns.ts_event, columns.ts_init, strict=True)
    ]
    return _funding_table(instrument, updates).combine_chunks().to_batches()[0]


def _funding_table(instrument: Instrument, updates: list[FundingRateUpdate]) -> pa.Table:
    return ArrowSerializer.serialize_batch(updates, data_cls=FundingRateUpdate)

"""
Market data as columns: numpy arrays with one row per event, the form in which everything is parsed and written.

Prices are whole counts of 10^-price_precision and sizes whole counts of 10^-size_precision of their instrument, so
they are exact. Times are UNIX nanoseconds. Rows are in the order in which they were received: `ts_init` never
decreases.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

type Int64 = NDArray[np.int64]
type UInt8 = NDArray[np.uint8]

BUYER = 1
SELLER = 2


@dataclass(frozen=True, slots=True)
class Columns:
    """Arrays of one length; the base of every kind of market data."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def slice(self, start: int, stop: int) -> Self:
        """Return rows `start` up to but not including `stop`, as views."""
        return type(self)(*(getattr(self, field.name)[start:stop] for field in fields(self)))

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Return the rows that a mask or an array of positions selects, in that order."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of all `parts`, one part after the other."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


@dataclass(frozen=True, slots=True)
class Quotes(Columns):
    """Best bid and ask with their sizes."""

    bid_price: Int64
    ask_price: Int64
    bid_size: Int64
    ask_size: Int64
    ts_event: Int64
    ts_init: Int64


@dataclass(frozen=True, slots=True)
class Trades(Columns):
    """Trades; `aggressor` is 1 where the buyer took liquidity and 2 where the seller did."""

    price: Int64
    size: Int64
    aggressor: UInt8
    trade_id: Int64
    ts_event: Int64
    ts_init: Int64


@dataclass(frozen=True, slots=True)
class Deltas(Columns):
    """Changes of an order book by price level, with Nautilus's codes for `action`, `side` and `flags`."""

    action: UInt8
    side: UInt8
    price: Int64
    size: Int64
    flags: UInt8
    sequence: Int64
    ts_event: Int64
    ts_init: Int64


@dataclass(frozen=True, slots=True)
class Bars(Columns):
    """Open, high, low, close and volume; both times are the close of the bar."""

    open: Int64
    high: Int64
    low: Int64
    close: Int64
    volume: Int64
    ts_event: Int64
    ts_init: Int64


@dataclass(frozen=True, slots=True)
class FundingRates(Columns):
    """Funding rates of a perpetual, in counts of 10^-16; the time is that of the settlement."""

    rate: Int64
    ts_event: Int64
    ts_init: Int64

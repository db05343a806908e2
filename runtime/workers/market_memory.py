"""Market data that a process keeps between one backtest and the next."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec
from nautilus_trader.core.data import Data

from runtime.market_data import MarketData, find_market_data
from runtime.setup.load import LoadedSetup

KEPT_ROWS: Final = 2_000_000
"""Rows that a process keeps at most, 0.2 GB per million; longer data are streamed in every run."""

_MOST_LOOKUPS = 256

type Find = Callable[[LoadedSetup, Path], MarketData]


class MarketMemory:
    """
    The data of the last backtests, so that the next ones need not read them again.

    What is kept never changes: a catalog that grows meanwhile is not looked at again.

    Parameters
    ----------
    most_rows : int
        Rows kept at most, of all data together; the ones not used for longest go first.

    """

    def __init__(self, most_rows: int = KEPT_ROWS) -> None:
        self._most_rows = most_rows
        self._found: OrderedDict[bytes, MarketData] = OrderedDict()
        self._chunks: OrderedDict[tuple[Any, ...], tuple[list[Data], ...] | None] = OrderedDict()
        self.rows = 0

    def find(self, loaded: LoadedSetup, working_folder: Path) -> MarketData:
        """Return the data that the setup asks for, as `find_market_data` does; kept in memory where they fit."""
        key = _wishes(loaded, working_folder)
        data = self._found.pop(key, None) or find_market_data(loaded, working_folder)
        self._found[key] = data
        if len(self._found) > _MOST_LOOKUPS:
            self._found.popitem(last=False)
        return replace(data, kept=self._kept(data))

    def _kept(self, data: MarketData) -> tuple[list[Data], ...] | None:
        key = (data.catalog, tuple(data.requests), data.start_ns, data.end_ns)
        chunks = self._chunks.pop(key) if key in self._chunks else self._read(data)
        self._chunks[key] = chunks
        while self.rows > self._most_rows:
            _, oldest = self._chunks.popitem(last=False)
            self.rows -= _rows(oldest)
        return chunks

    def _read(self, data: MarketData) -> tuple[list[Data], ...] | None:
        """Return all of the data, or None if they are more than is kept."""
        chunks = _at_most(data.chunks(), self._most_rows)
        self.rows += _rows(chunks)
        return chunks


def _wishes(loaded: LoadedSetup, working_folder: Path) -> bytes:
    """Return what of a setup decides which data it replays."""
    setup, settings = loaded.setup, loaded.setup.backtest
    wishes = (settings.catalog, settings.synthetic, settings.data, settings.start, settings.end, settings.fees)
    return msgspec.json.encode((str(working_folder), setup.instruments, *wishes), order="sorted")


def _at_most(chunks: Iterator[list[Data]], most_rows: int) -> tuple[list[Data], ...] | None:
    kept, rows = [], 0
    for chunk in chunks:
        rows += len(chunk)
        if rows > most_rows:
            return None
        kept.append(chunk)
    return tuple(kept)


def _rows(chunks: tuple[list[Data], ...] | None) -> int:
    return sum(len(chunk) for chunk in chunks or ())

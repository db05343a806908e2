"""The kinds of market data a catalog holds: our names for them, the engine's classes and their places on disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nautilus_trader.core.nautilus_pyo3 import NautilusDataType
from nautilus_trader.model.data import Bar, FundingRateUpdate, OrderBookDelta, QuoteTick, TradeTick
from nautilus_trader.persistence.catalog.parquet import _parse_filename_timestamps, _timestamps_to_filename
from nautilus_trader.persistence.funcs import class_to_filename, urisafe_identifier

type DataTypeName = Literal["quotes", "trades", "deltas", "bars", "funding_rates"]


@dataclass(frozen=True)
class DataType:
    """
    One kind of market data.

    Parameters
    ----------
    name : str
        Our name.
    engine_class : type
        The class whose objects the engine gets.
    backend_type : NautilusDataType or None
        How the engine's reader calls it; None where that reader does not know it.

    """

    name: DataTypeName
    engine_class: type
    backend_type: NautilusDataType | None

    @property
    def folder(self) -> str:
        """The folder under `data/`, named by the engine's own helper: a wrong one would read as no rows, silently."""
        return str(class_to_filename(self.engine_class))


DATA_TYPES: dict[DataTypeName, DataType] = {
    # In the order in which rows of one time are replayed: a trade happens before the book shows its effect.
    "trades": DataType("trades", TradeTick, NautilusDataType.TradeTick),
    "deltas": DataType("deltas", OrderBookDelta, NautilusDataType.OrderBookDelta),
    "quotes": DataType("quotes", QuoteTick, NautilusDataType.QuoteTick),
    "bars": DataType("bars", Bar, NautilusDataType.Bar),
    "funding_rates": DataType("funding_rates", FundingRateUpdate, None),
}


@dataclass(frozen=True)
class DataFile:
    """A Parquet file of a catalog and the closed interval, in UNIX nanoseconds, that its name states."""

    path: Path
    first_ns: int
    last_ns: int

    def intersects(self, first_ns: int, last_ns: int) -> bool:
        """Whether the file's interval and the closed interval given have a moment in common."""
        return self.first_ns <= last_ns and first_ns <= self.last_ns


def data_folder(catalog: Path, data_type: DataType, identifier: str) -> Path:
    """Return the folder of an instrument's data; `identifier` is the instrument id, for bars the bar type."""
    return catalog / "data" / data_type.folder / str(urisafe_identifier(identifier))


def file_name(first_ns: int, last_ns: int) -> str:
    """Return the name the engine gives a file with rows from `first_ns` to `last_ns`."""
    return str(_timestamps_to_filename(first_ns, last_ns))


def files_in(folder: Path) -> Iterator[DataFile]:
    """Yield the data files of one folder in the order of their intervals; other files are passed over."""
    for path in sorted(folder.glob("*.parquet")):
        interval = _parse_filename_timestamps(path.name)
        if interval is not None:
            yield DataFile(path, *interval)

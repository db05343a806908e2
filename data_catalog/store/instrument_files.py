"""Instrument definitions inside a catalog, in the engine's own files."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from nautilus_trader.model.instruments import CryptoPerpetual, CurrencyPair, Instrument
from nautilus_trader.persistence.funcs import class_to_filename, urisafe_identifier
from nautilus_trader.serialization.arrow.serializer import ArrowSerializer

from bad_input import BadInput
from data_catalog.store.data_types import file_name

_CLASSES = (CurrencyPair, CryptoPerpetual)


def instrument_path(catalog: Path, instrument: Instrument) -> Path:
    """Return where the definition of `instrument` belongs."""
    folder = catalog / "data" / str(class_to_filename(type(instrument))) / str(urisafe_identifier(instrument.id))
    return folder / file_name(instrument.ts_init, instrument.ts_init)


def instrument_table(instrument: Instrument) -> pa.Table:
    """Return the definition as the engine's own catalog stores it."""
    return ArrowSerializer.serialize_batch([instrument], data_cls=type(instrument))


def stored_definitions(catalog: Path) -> dict[str, list[Path]]:
    """Return the files that define instruments by instrument id, the latest definition last."""
    found: dict[str, list[Path]] = {}
    for cls in _CLASSES:
        for path in sorted((catalog / "data" / str(class_to_filename(cls))).glob("*/*.parquet")):
            found.setdefault(path.parent.name, []).append(path)
    return found


def read_instrument(path: Path) -> Instrument:
    """
    Return the last definition in a file.

    Raises
    ------
    BadInput
        If the file is no Parquet file.

    """
    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise BadInput(f"cannot be read as Parquet ({error})", file=path) from error
    return ArrowSerializer.deserialize(data_cls=CurrencyPair, batch=table)[-1]

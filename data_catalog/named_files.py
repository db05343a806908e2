"""Which instrument each file of an import belongs to: the one that was given, or the one that its name tells."""

from collections.abc import Sequence
from pathlib import Path

from bad_input import BadInput
from data_catalog.klines import named_instrument


def files_by_instrument(paths: Sequence[Path], instrument_id: str | None) -> dict[str, list[Path]]:
    """
    Return the files of each instrument, in the order given.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders. A folder stands for the candle files right in it: of this instrument, if one is given.
    instrument_id : str or None
        That of all files; told by their names where None, as by `AVAX_USDT-5m.feather`.

    Raises
    ------
    BadInput
        If a folder holds no such file, or a name tells no instrument where none is given.

    """
    groups: dict[str, list[Path]] = {}
    for path in paths:
        for file in _inside(path, instrument_id) if path.is_dir() else [path]:
            id_ = instrument_id or named_instrument(file)
            if id_ is None:
                raise BadInput("the name does not tell the instrument", file=file, hint="give it by --instrument")
            groups.setdefault(id_, []).append(file)
    return groups


def _inside(folder: Path, instrument_id: str | None) -> list[Path]:
    candles = {path: named_instrument(path) for path in sorted(folder.iterdir())}
    found = [path for path, id_ in candles.items() if id_ is not None and instrument_id in {None, id_}]
    if not found:
        whose = f" of {instrument_id}" if instrument_id is not None else ""
        raise BadInput(f"no candle file{whose} in this folder, such as AVAX_USDT-5m.feather", file=folder)
    return found

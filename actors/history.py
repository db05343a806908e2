"""Prices from before the start: what a strategy or actor that looks back would otherwise have to wait for."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from nautilus_trader.model.identifiers import InstrumentId

HISTORY: Final = "history"
"""The key under which `on_load` gets it, as `encode_history` writes it."""


class HistoryWanted(NamedTuple):
    """
    What a part looks back on.

    Parameters
    ----------
    instrument_ids : tuple of InstrumentId
        Whose prices.
    interval_secs : int
        How far they are apart: at whole multiples of it in UTC.
    samples : int
        How many.

    """

    instrument_ids: tuple[InstrumentId, ...]
    interval_secs: int
    samples: int


class HistoryRow(NamedTuple):
    """The prices of one moment (UNIX ns), in the order of the instruments."""

    ts_ns: int
    prices: tuple[float, ...]


def encode_history(rows: Sequence[HistoryRow]) -> bytes:
    """Return what `on_load` is given under `HISTORY`."""
    return msgspec.json.encode(rows)


def decode_history(state: dict[str, bytes]) -> list[HistoryRow]:
    """Return the prices that `on_load` was given, the oldest first; empty where it was given none."""
    return msgspec.json.decode(state[HISTORY], type=list[HistoryRow]) if HISTORY in state else []

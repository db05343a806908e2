"""What makers are told by others: where a price is going, and what to hold."""

from decimal import Decimal
from typing import Final

import msgspec

ALPHA_TOPICS: Final = "ballast.alpha.*"
"""The topics of all `AlphaSignal`s."""


def alpha_topic(instrument_id: str) -> str:
    """Return the topic of the `AlphaSignal`s for an instrument."""
    return f"ballast.alpha.{instrument_id}"


def target_topic(instrument_id: str) -> str:
    """Return the topic of the `TargetInventory` messages for an instrument."""
    return f"ballast.target.{instrument_id}"


class AlphaSignal(msgspec.Struct, frozen=True, kw_only=True):
    """
    An opinion on where a price is going; any actor may publish one, and makers lean on it as their setup says.

    Parameters
    ----------
    instrument_id : str
        Whose price.
    bps : float
        By how much it should be higher (lower when negative) than its mid, in basis points.
    ts_ns : int
        When the opinion was formed, UNIX ns.
    source : str
        Who says so. Signals of several sources add up.

    """

    instrument_id: str
    bps: float
    ts_ns: int
    source: str


class TargetInventory(msgspec.Struct, frozen=True, kw_only=True):
    """
    Ask makers of an instrument to lean towards another inventory; it takes the place of their own target.

    Parameters
    ----------
    instrument_id : str
        Which instrument.
    base_qty : Decimal
        What the account should hold of its base asset.
    ts_ns : int
        When this was decided, UNIX ns.

    """

    instrument_id: str
    base_qty: Decimal
    ts_ns: int

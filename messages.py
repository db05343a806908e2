"""What strategies and actors say to each other over the message bus; they know nothing else of one another."""

from decimal import Decimal
from typing import Final

import msgspec

SAMPLE_TOPIC: Final = "ballast.sample"
"""Published by the ledger on its grid, with the time in ns: whoever quotes answers at once with a `QuotingSample`."""

QUOTING_TOPIC: Final = "ballast.quoting"
"""Carries `QuotingSample`s."""


def alpha_topic(instrument_id: str) -> str:
    """Return the topic of the `AlphaSignal`s for an instrument."""
    return f"ballast.alpha.{instrument_id}"


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


class QuotingSample(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a maker is doing at one moment, and how often it has acted since its start.

    Parameters
    ----------
    strategy_id, instrument_id : str
        Who quotes what.
    bid, ask : Decimal, optional
        Its best working quotes; None where that side has no order at the venue.
    fair_value : float, optional
        The price it quotes around; None before it has one.
    requotes : int
        Changes of working orders so far: modifications, and cancellations to move or withdraw a quote.
    post_only_rejections : int
        Quotes that the venue refused because they would have taken liquidity.
    denied : int
        Orders that were stopped before they reached the venue.

    """

    strategy_id: str
    instrument_id: str
    bid: Decimal | None
    ask: Decimal | None
    fair_value: float | None
    requotes: int
    post_only_rejections: int
    denied: int

"""What a strategy or an actor says of itself to whoever looks on: what it is after, and why it does nothing."""

from decimal import Decimal
from typing import Final

import msgspec


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """
    Why nothing is traded, or why a side of a maker has no order.

    Parameters
    ----------
    reason : str
        A word that stays the same from version to version; docs/live.md has those of each strategy.
    text : str
        The same for people, in one sentence.
    side : str, optional
        "bid" or "ask" where it is one side of a maker.

    """

    reason: str
    text: str
    side: str | None = None


NOT_RUNNING: Final = Silence(reason="not_running", text="it does not run")
"""What is said before the start, and after the end."""


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A value on a scale that means something, such as an entry; several may have the same name."""

    name: str
    at: float


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """
    A value that is best seen between others: a z-score among its thresholds, a weight in its band.

    Parameters
    ----------
    name : str
        A word that stays the same from version to version.
    of : str
        The instrument where there is a scale for each, otherwise empty.
    label : str
        What people call it.
    value : float or Decimal, optional
        None where it is not known.
    low, high : float
        What the scale reaches from and to.
    unit : str
        As of `Figure`.
    inside : pair of float, optional
        The part of the scale where nothing is done about the value; None where no part is special.
    levels : tuple of Level
        What else is on it.

    """

    name: str
    label: str
    value: float | Decimal | None
    low: float
    high: float
    of: str = ""
    unit: str = ""
    inside: tuple[float, float] | None = None
    levels: tuple[Level, ...] = ()


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """
    One number or word about a strategy.

    Parameters
    ----------
    name : str
        A word that stays the same from version to version.
    of : str
        The instrument where there is one for each, otherwise empty.
    label : str
        What people call it.
    value : float or Decimal, optional
        None where it is not known, or not a number.
    unit : str
        "pct", "bps", "secs", "ms_utc" (a time, UNIX ms), or whatever is to stand behind the number.
    text : str
        What it says where it is not a number.
    note : str
        What helps to read it, in a few words.

    """

    name: str
    label: str
    of: str = ""
    value: float | Decimal | None = None
    unit: str = ""
    text: str = ""
    note: str = ""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a strategy holds of an instrument, and what it wants to hold.

    Parameters
    ----------
    instrument_id : str
        Of what.
    held_qty, target_qty : Decimal, optional
        In the base asset; None where it is not known, or where there is no target.

    """

    instrument_id: str
    held_qty: Decimal | None
    target_qty: Decimal | None = None


class View(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a strategy or an actor is after at one moment, for whoever looks on.

    Parameters
    ----------
    owner_id : str
        Whose view.
    silences : tuple of Silence
        Why it trades nothing now, the gravest first; empty while it acts.
    scales, figures, holdings : tuple
        What it decides by, and what it holds.

    """

    owner_id: str
    silences: tuple[Silence, ...]
    scales: tuple[Scale, ...] = ()
    figures: tuple[Figure, ...] = ()
    holdings: tuple[Holding, ...] = ()


class QuotingView(View, frozen=True, kw_only=True):
    """
    What a maker is after: `silences` say why a side has no order, and are empty when both have one.

    Parameters
    ----------
    instrument_id : str
        What it quotes.
    fair_value : float, optional
        The price it quotes around; None before it has one.
    inventory_qty : Decimal, optional
        What it holds more than its target, in the base asset; None before its start.
    max_position_qty : Decimal
        The largest inventory either way.

    """

    instrument_id: str
    fair_value: float | None
    inventory_qty: Decimal | None
    max_position_qty: Decimal

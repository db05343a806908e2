"""What signals were worth to the fills that were made while they spoke."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from actors.ledger_records import MARKOUT_HORIZONS_SECS, FillRecord

_BPS: Final = Decimal(10_000)


def alpha_summary(fills: Sequence[FillRecord]) -> dict[str, dict[str, Any]]:
    """
    Return the fills that a signal spoke for, those it spoke against, and those without one, each with its figures.

    A signal that foretells something shows in `moved_bps`: how far the mid went in the favour of the fills so many
    seconds later, over their value. What a maker gave up to follow the signal is in `spread_bps`: both together are the
    markout. What the signal earned in all is known only from the same run without it (`alpha_weight: 0`).
    """
    groups: dict[str, list[FillRecord]] = {"with_signal": [], "against_signal": [], "no_signal": []}
    for fill in fills:
        lean = fill.sign * (fill.alpha_bps or 0.0)
        groups["with_signal" if lean > 0 else "against_signal" if lean < 0 else "no_signal"].append(fill)
    return {name: _figures(group) for name, group in groups.items()}


def _figures(fills: Sequence[FillRecord]) -> dict[str, Any]:
    value = sum((fill.price * fill.quantity for fill in fills), Decimal(0))
    spread = sum((fill.spread for fill in fills), Decimal(0))
    return {
        "fills": len(fills),
        "value": float(value),
        "spread_bps": float(spread / value * _BPS) if value else None,
        "moved_bps": {f"{horizon}s": _moved_bps(fills, horizon) for horizon in MARKOUT_HORIZONS_SECS},
    }


def _moved_bps(fills: Sequence[FillRecord], horizon: int) -> float | None:
    moved = value = Decimal(0)
    for fill in fills:
        later = fill.markout_mids.get(horizon)
        if later is not None and fill.mid is not None:
            moved += fill.sign * fill.quantity * (later - fill.mid)
            value += fill.price * fill.quantity
    return float(moved / value * _BPS) if value else None

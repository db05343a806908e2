"""Markouts of groups of fills: by side, by the distance at which they were quoted, and by the hour of the day."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from actors.ledger_records import MARKOUT_HORIZONS_SECS, FillRecord

DEPTH_EDGES_BPS: Final = (0, 1, 2, 5, 10, 20, 50, 100)
"""Edges of the groups by distance from the mid when the order took its place; a group has its lower edge."""

_BPS: Final = Decimal(10_000)


def markouts_by(fills: Sequence[FillRecord]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the markouts by `side`, `depth` (of orders that rested) and `hour` (UTC), of groups that have a fill."""
    rested = [fill for fill in fills if fill.quoted_mid is not None and fill.liquidity == "MAKER"]
    return {
        "side": _grouped(fills, lambda fill: fill.side),
        "depth": _grouped(sorted(rested, key=quoted_bps), lambda fill: depth_group(quoted_bps(fill))),
        "hour": _grouped(sorted(fills, key=_hour), lambda fill: f"{_hour(fill):02d}"),
    }


def quoted_bps(fill: FillRecord) -> Decimal:
    """Return how far from the mid an order was when it took its place, in basis points; negative beyond the mid."""
    assert fill.quoted_mid is not None
    return fill.sign * (fill.quoted_mid - fill.price) / fill.quoted_mid * _BPS


def depth_group(bps: Decimal) -> str:
    """Return the name of the group of a distance."""
    if bps < DEPTH_EDGES_BPS[0]:
        return "beyond the mid"
    above = [edge for edge in DEPTH_EDGES_BPS if edge > bps]
    lower = DEPTH_EDGES_BPS[len(DEPTH_EDGES_BPS) - len(above) - 1]
    return f"{lower} to {above[0]} bps" if above else f"{lower} bps and more"


def _hour(fill: FillRecord) -> int:
    return datetime.fromtimestamp(fill.ts_ns // 1_000_000_000, UTC).hour


def _grouped(fills: Sequence[FillRecord], name_of: Callable[[FillRecord], str]) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[FillRecord]] = {}
    for fill in fills:
        groups.setdefault(name_of(fill), []).append(fill)
    return {name: _figures(group) for name, group in groups.items()}


def _figures(fills: Sequence[FillRecord]) -> dict[str, Any]:
    figures: dict[str, Any] = {"fills": len(fills), "notional": float(_value(fills)), "spread_bps": _bps(fills, None)}
    for horizon in MARKOUT_HORIZONS_SECS:
        figures[f"{horizon}s"] = found = _bps([fill for fill in fills if horizon in fill.markout_mids], horizon)
        if found is None:
            figures[f"{horizon}s_why"] = f"no fill has {horizon} s of market after it"
    return figures


def _bps(fills: Sequence[FillRecord], horizon: int | None) -> float | None:
    """Return the gain against the mid at a horizon over the value traded; None is the mid of the fill."""
    value = _value(fills)
    if not value:
        return None
    if horizon is None:
        gained = sum((fill.spread for fill in fills), Decimal(0))
    else:
        gained = sum(
            (fill.sign * fill.quantity * (fill.markout_mids[horizon] - fill.price) for fill in fills), Decimal(0)
        )
    return float(gained / value * _BPS)


def _value(fills: Sequence[FillRecord]) -> Decimal:
    return sum((fill.price * fill.quantity for fill in fills), Decimal(0))

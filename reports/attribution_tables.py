"""The attribution and the groups of markouts as tables of the page."""

from collections.abc import Iterator, Mapping
from typing import Any

from reports import format as fmt
from reports.definitions import ATTRIBUTION, MARKOUT_DEFINITION, MARKOUT_GROUPS, MARKOUTS, NOTIONAL, TAKER_SLIPPAGE
from reports.figures import Summary
from reports.markup import Cell, card, signed_cell, table
from reports.tables import HOLDINGS

HORIZON_OF_PARTS = "30s"
"""The horizon at which strategies and instruments are shown."""

ATTRIBUTION_NOTE = (
    "Each row sums to its P&L exactly, whatever the horizon: what the mid did to a fill is split at the horizon into "
    f"adverse selection and carry. Strategies and instruments are shown at {HORIZON_OF_PARTS[:-1]} s; all horizons of "
    "each are in summary.json."
)


def attribution_table(summary: Summary) -> str:
    """Return where the profit comes from: in all at each horizon, then by strategy and by instrument."""
    whole = summary.table("attribution")
    if not whole:
        return ""
    rows: list[tuple[str, Mapping[str, Any], str]] = [
        (f"All, {horizon[:-1]} s", whole, horizon) for horizon in MARKOUTS
    ]
    for path in ("by_strategy", "by_instrument"):
        parts = _attributed(summary, path)
        if len(parts) > 1:
            rows += [(name, part, HORIZON_OF_PARTS) for name, part in parts.items()]
    values = [_values(part, horizon) for _, part, horizon in rows]
    shown = [n for n, figure in enumerate(ATTRIBUTION) if figure.path != "alpha" or any(row[n] for row in values)]
    decimals = fmt.decimals_for(*(value for row in values for value in row))
    head = [Cell("", style="text"), *(Cell(ATTRIBUTION[n].label, ATTRIBUTION[n].definition) for n in shown)]
    head.append(Cell(TAKER_SLIPPAGE.label, TAKER_SLIPPAGE.definition))
    body = [
        [Cell(name, style="text"), *(signed_cell(row[n], decimals) for n in shown), _slippage(part, decimals)]
        for (name, part, _), row in zip(rows, values, strict=True)
    ]
    title = f"Where the P&L comes from, {summary.text('currency')}"
    return card(title, table(head, body), small=ATTRIBUTION_NOTE)


def _attributed(summary: Summary, path: str) -> dict[str, Mapping[str, Any]]:
    """Return what has an attribution; holdings only where they gained or lost something."""
    rows = summary.table(path).items()
    known = {name: row["attribution"] for name, row in rows if isinstance(row, Mapping) and row.get("attribution")}
    return {name: part for name, part in known.items() if name != HOLDINGS or any(_values(part, HORIZON_OF_PARTS))}


def _values(part: Mapping[str, Any], horizon: str) -> list[float | None]:
    at_horizon = Summary(dict(part)).table(f"by_horizon.{horizon}")
    known = Summary(dict(part) | at_horizon)
    return [known.number(figure.path) for figure in ATTRIBUTION]


def _slippage(part: Mapping[str, Any], decimals: int) -> Cell:
    known = Summary(dict(part))
    return signed_cell(known.number("taker_slippage"), decimals, known.why("taker_slippage"))


def markout_groups(summary: Summary) -> str:
    """Return the markouts of fills by side, distance and hour."""
    groups = summary.table("markouts_by")
    body = [row for key, title in MARKOUT_GROUPS.items() for row in _group_rows(title, groups.get(key))]
    if not body:
        return ""
    head = [
        Cell("", style="text"),
        Cell("Fills", "Executions of own orders in this group."),
        Cell(f"Traded, {summary.text('currency')}", NOTIONAL.definition),
        Cell("At the fill, bps", "The edge to the mid at the fill, over the value traded."),
        *(Cell(f"{horizon[:-1]} s, bps", MARKOUT_DEFINITION) for horizon in MARKOUTS),
    ]
    return card("Markouts by side, distance and hour", table(head, body), small=MARKOUT_DEFINITION)


def _group_rows(title: str, groups: Any) -> Iterator[list[Cell]]:
    if not isinstance(groups, Mapping) or not groups:
        return
    yield [Cell(title, style="text group", span=4 + len(MARKOUTS))]
    for name, figures in groups.items():
        known = Summary({"row": figures})
        cells = [_bps(known, key) for key in ("spread_bps", *MARKOUTS)]
        fills, traded = known.number("row.fills") or 0, known.number("row.notional") or 0.0
        yield [Cell(name, style="text"), Cell(fmt.count(fills)), Cell(fmt.number(traded, 2)), *cells]


def _bps(known: Summary, key: str) -> Cell:
    return signed_cell(known.number(f"row.{key}"), 2, known.why(f"row.{key}"))

"""The tables of the page: figures by strategy and by instrument, and the newest fills."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reports import format as fmt
from reports.definitions import (
    HEADLINE,
    MARKOUT_DEFINITION,
    MARKOUT_FIGURES,
    MORE,
    NOTIONAL,
    PART_FIGURES,
    QUOTE_QUALITY,
)
from reports.figures import Kind, Summary, written
from reports.markup import Cell, card, signed_class, table
from reports.results_folder import Fills

FILLS_SHOWN = 100
HOLDINGS = "(holdings)"
HOLDINGS_NOTE = f"{HOLDINGS} is what was held before the first trade: its gain or loss belongs to no strategy."
ELSEWHERE = ("attribution", "markouts_by")
"""What of a strategy or instrument stands in a table of its own, or only in summary.json."""
KNOWN_FIGURES = {
    figure.path: figure
    for figure in (*HEADLINE, *MORE, *QUOTE_QUALITY, *PART_FIGURES, NOTIONAL, *MARKOUT_FIGURES.values())
}


def breakdown(summary: Summary, path: str, title: str) -> str:
    """Return a row per strategy or instrument, whatever figures it has; nothing where one alone is the whole run."""
    rows = {
        name: _flattened({key: value for key, value in figures.items() if key not in ELSEWHERE})
        for name, figures in summary.table(path).items()
        if isinstance(figures, Mapping)
    }
    columns = [
        column for column in dict.fromkeys(key for row in rows.values() for key in row) if not column.endswith("_why")
    ]
    if not columns or len(rows.keys() - {HOLDINGS}) < 2:
        return ""
    head = [Cell("", style="text"), *(_column(column) for column in columns)]
    currency = summary.text("currency")
    decimals = {
        column: fmt.decimals_for(*(Summary({"value": row.get(column)}).number("value") for row in rows.values()))
        for column in columns
    }
    body = [
        [Cell(name, style="text"), *(_figure_cell(column, row, currency, decimals[column]) for column in columns)]
        for name, row in rows.items()
    ]
    note = HOLDINGS_NOTE if HOLDINGS in rows else ""
    return card(title, table(head, body), small=note)


def _flattened(figures: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in figures.items():
        if isinstance(value, Mapping):
            flat |= _flattened(value, f"{prefix}{key}.")
        elif not isinstance(value, list):
            flat[prefix + key] = value
    return flat


def _column(path: str) -> Cell:
    figure = KNOWN_FIGURES.get(path)
    if figure:
        return Cell(figure.label, figure.definition)
    return Cell(path.replace("_", " ").replace(".", " "))


def _figure_cell(path: str, row: Mapping[str, Any], currency: str, decimals: int) -> Cell:
    value = Summary({"value": row.get(path)}).number("value")
    if value is None:
        plain = row.get(path)
        return Cell(plain) if isinstance(plain, str) else Cell(fmt.MISSING, str(row.get(f"{path}_why", "")))
    figure = KNOWN_FIGURES.get(path)
    kind = figure.kind if figure else _kind(path, value)
    signed = kind in (Kind.SIGNED_MONEY, Kind.SIGNED_PERCENT)
    return Cell(
        written(value, kind, currency, decimals), style=signed_class((value > 0) - (value < 0)) if signed else ""
    )


def _kind(path: str, value: float) -> Kind:
    """Return how to write a figure that is not in the vocabulary, from the unit in its name."""
    if "_bps" in path:
        return Kind.BPS
    if "_pct" in path:
        return Kind.PERCENT
    return Kind.COUNT if float(value).is_integer() else Kind.RATIO


def fill_table(fills: Fills) -> str:
    """Return the newest fills, each to its exact price and quantity."""
    if not len(fills):
        return card("Fills", '<p class="empty">There are no fills.</p>')
    rows = fills.last(FILLS_SHOWN)
    several = [key for key in ("instrument", "strategy") if len(set(fills.table[key].to_pylist())) > 1]
    decimals = {key: fmt.decimals_used(row[key] for row in rows) for key in ("price", "quantity", "position_after")}
    head = [
        Cell("Time (UTC)", "When the venue filled it.", "text"),
        *(Cell(key.capitalize(), f"The {key} whose order was filled.", "text") for key in several),
        Cell("Side", "BUY: it bought. SELL: it sold.", "text"),
        Cell("Price", "In the quote currency of the instrument."),
        Cell("Quantity", "In the base asset of the instrument."),
        Cell("Position after", "Of the strategy: without what was there before its first trade."),
        Cell("Fee", "What was paid, in the quote currency of the instrument; negative is a rebate."),
        Cell("Edge", f"{PART_FIGURES[0].definition} In the quote currency of the instrument."),
        Cell("Edge, bps", "Edge over the value of the fill."),
        Cell("Markout 30 s, bps", MARKOUT_DEFINITION),
        Cell("Liquidity", "MAKER: the own order rested. TAKER: it took what was there.", "text"),
    ]
    count = fmt.count(len(fills))
    some = f"The newest {fmt.count(len(rows))} of {count}; all of them are in fills.parquet and pnl.csv."
    small = some if len(rows) < len(fills) else f"All {count}, newest first."
    return card("Fills", table(head, [_fill_row(row, several, decimals) for row in rows]), small=small)


def _fill_row(fill: Mapping[str, Any], several: list[str], decimals: Mapping[str, int]) -> list[Cell]:
    sign = 1 if fill["side"] == "BUY" else -1
    value = fill["price"] * fill["quantity"]
    later: Decimal | None = fill["markout_mid_30s"]
    markout = fmt.MISSING
    if later is not None:
        markout = fmt.number((later - fill["price"]) * sign / fill["price"] * 10_000, 2, signed=True)
    edge = fill["spread"] / value * 10_000 if value else Decimal(0)
    return [
        Cell(fmt.moment(fill["ts_ns"]), style="text"),
        *(Cell(fill[key], style="text") for key in several),
        Cell(fill["side"], style="text buy" if sign > 0 else "text sell"),
        *(Cell(fmt.number(fill[key], decimals[key])) for key in ("price", "quantity", "position_after")),
        Cell(fmt.number(fill["fee"], 6)),
        Cell(fmt.number(fill["spread"], 6, signed=True)),
        Cell(fmt.number(edge, 2, signed=True)),
        Cell(markout, "" if later is not None else "The data ended before."),
        Cell(fill["liquidity"], style="text"),
    ]

"""What pairs and rebalancers did, and what perpetuals paid in funding, as tables of the page."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reports import format as fmt
from reports.definitions import MARKOUTS, NOTIONAL
from reports.figures import Kind, Summary, written
from reports.markup import Cell, card, table


class Column(NamedTuple):
    """A column: its key in summary.json, its heading, how it is written and what it means."""

    key: str
    label: str
    kind: Kind
    definition: str


PAIR_COLUMNS = (
    Column("round_trips", "Round trips", Kind.COUNT, "Exits that were carried out in full."),
    Column("pnl", "P&L", Kind.SIGNED_MONEY, "What the strategy earned in all."),
    Column("pnl_per_round_trip", "P&L per round trip", Kind.SIGNED_MONEY, "P&L divided by round trips."),
    Column("fees_paid", "Fees paid", Kind.MONEY, "Commissions of all legs."),
    Column("spread_paid", "Spread paid", Kind.MONEY, "The distance of the fills from the mid; negative was earned."),
    Column(
        "largest_unhedged_after_quote",
        "Largest unhedged",
        Kind.MONEY,
        "The largest value that was left without a hedge after an entry or exit.",
    ),
)
REBALANCE_COLUMNS = (
    Column("actions", "Actions", Kind.COUNT, "How often it rebalanced."),
    Column("orders", "Orders", Kind.COUNT, "Orders of all actions."),
    Column("traded", "Traded", Kind.MONEY, "The value of all fills."),
    Column("turnover", "Turnover", Kind.MULTIPLE, "Traded over the equity at the start."),
    Column("fees_paid", "Fees paid", Kind.MONEY, "Commissions."),
    Column("spread_paid", "Spread paid", Kind.MONEY, "The distance of the fills from the mid; negative was earned."),
    Column("cost_bps_of_traded", "Cost", Kind.BPS, "Fees and spread over the value traded."),
    Column("outside_after", "Outside after", Kind.COUNT, "Weights that an action left outside their band."),
    Column(
        "furthest_outside_after_pct",
        "Furthest outside",
        Kind.PERCENT,
        "The largest distance of such a weight from its band, in percent of the account.",
    ),
)
FUNDING_COLUMNS = (
    Column("payments", "Payments", Kind.COUNT, "Funding times at which a position paid or received, by strategy."),
    Column("received", "Received", Kind.MONEY, "What was received."),
    Column("paid", "Paid", Kind.MONEY, "What was paid."),
    Column("times_without_rate", "Times without a rate", Kind.COUNT, "Funding times in the period without a rate."),
)
SIGNAL_COLUMNS = (
    Column("fills", "Fills", Kind.COUNT, "Executions of own orders in this group."),
    Column("value", "Traded", Kind.MONEY, NOTIONAL.definition),
    Column("spread_bps", "Spread earned", Kind.BPS, "The edge to the mid at the fill, over the value traded."),
    *(
        Column(
            f"moved_bps.{horizon}",
            f"Moved in {horizon[:-1]} s",
            Kind.BPS,
            "How far the mid went in the favour of the fills by then, over the value traded.",
        )
        for horizon in MARKOUTS
    ),
)
SIGNAL_GROUPS = {
    "with_signal": "with the signal",
    "against_signal": "against the signal",
    "no_signal": "without a signal",
}


def signal_card(summary: Summary) -> str:
    """Return what a signal was worth to the fills; nothing where no strategy listens to one."""
    note = (
        "Fills that the signal spoke for, those it spoke against, and those without one. What the signal earned in all "
        "is known only from the same run without it (alpha_weight: 0)."
    )
    named = {SIGNAL_GROUPS.get(key, key): row for key, row in summary.table("alpha").items()}
    return _table(Summary(dict(summary.values) | {"alpha": named}), "alpha", "Signal", SIGNAL_COLUMNS, note)


def pairs_card(summary: Summary) -> str:
    """Return what pairs did and earned; nothing where there is none."""
    note = "Every entry and exit is in pairs.csv. By reason: {}."
    return _table(summary, "pairs", "Pairs", PAIR_COLUMNS, note)


def rebalance_card(summary: Summary) -> str:
    """Return what rebalancers did and what it cost; nothing where there is none."""
    note = "Every action is in rebalances.csv. By reason: {}."
    return _table(summary, "rebalance", "Rebalancing", REBALANCE_COLUMNS, note)


def funding_card(summary: Summary) -> str:
    """Return what perpetuals paid and received; nothing where no funding was due."""
    rows = summary.table("funding")
    if not any(row.get("payments") or row.get("times_without_rate") for row in rows.values()):
        return ""
    sources = "; ".join(f"{name}: {row.get('source')}" for name, row in rows.items() if isinstance(row, Mapping))
    marks = {str(row["mark"]) for row in rows.values() if isinstance(row, Mapping) and row.get("mark")}
    valued = f" Valued at the {marks.pop()}." if len(marks) == 1 else ""
    return _table(summary, "funding", "Funding", FUNDING_COLUMNS, f"Rates: {sources}.{valued}")


def _table(summary: Summary, path: str, title: str, columns: Sequence[Column], note: str) -> str:
    rows = {name: row for name, row in summary.table(path).items() if isinstance(row, Mapping)}
    if not rows:
        return ""
    head = [Cell("", style="text"), *(Cell(column.label, column.definition) for column in columns)]
    body = [
        [Cell(name, style="text"), *(_cell(column, row, summary.text("currency")) for column in columns)]
        for name, row in rows.items()
    ]
    return card(title, table(head, body), small=note.replace("{}", _reasons(rows)))


def _cell(column: Column, row: Mapping[str, Any], currency: str) -> Cell:
    value = Summary(dict(row)).number(column.key)
    return Cell(fmt.MISSING) if value is None else Cell(written(value, column.kind, currency))


def _reasons(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Return how often what was done for which reason, of all strategies."""
    counts: dict[str, int] = {}
    for row in rows.values():
        for reason, count in Summary(dict(row)).table("by_reason").items():
            counts[reason] = counts.get(reason, 0) + int(count)
    return ", ".join(f"{reason} {fmt.count(count)}" for reason, count in counts.items()) or "none"

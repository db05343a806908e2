"""What the same fills would have earned at other fees: a table on pages, a sentence in the terminal."""

from collections.abc import Sequence

from reports import format as fmt
from reports.figures import Summary
from reports.markup import Cell, card, items, signed_class, table

TITLE = "What it would have earned at other fees"
_BNB = ", in BNB"


def fee_tier_card(summary: Summary) -> str:
    """Return the table of fee tiers and rebates; nothing where the summary has none."""
    tiers = summary.entries("fee_tiers.tiers")
    if not tiers:
        return ""
    currency = summary.text("currency")
    head = [
        Cell("", style="text"),
        Cell("Maker"),
        Cell("Taker"),
        Cell("Trading P&L", "What trading would have earned, with the same fills."),
        Cell("in BNB: maker", "The fee when it is paid in BNB, with the discount for that."),
        Cell("taker"),
        Cell("Trading P&L", "What trading would have earned, with the same fills; BNB at its value at each fill."),
    ]
    in_bnb = {row["name"].removesuffix(_BNB): row for row in tiers if row["name"].endswith(_BNB)}
    plain = [row for row in tiers if not row["name"].endswith(_BNB)]
    rows = [
        [Cell(row["name"], style="text"), *_cells(row, currency), *_cells(in_bnb[row["name"]], currency)]
        for row in plain
    ]
    for row in summary.entries("fee_tiers.rebates"):
        rows.append([Cell(row["name"], style="text"), *_cells(row, currency), *[Cell("")] * 3])
    small = f"Binance's standard tiers as of {summary.text('fee_tiers.as_of')}. {fee_sentence(summary)}"
    notes = items(summary.texts("fee_tiers.notes"))
    return card(TITLE, table(head, rows) + notes, small=small)


def fee_tiers_of_runs(names: Sequence[str], runs: Sequence[Summary]) -> str:
    """Return the trading P&L of several runs at every tier and rebate, one column for each run."""
    by_run = [[*run.entries("fee_tiers.tiers"), *run.entries("fee_tiers.rebates")] for run in runs]
    if not all(by_run):
        return ""
    head = [Cell("", style="text"), Cell("Maker"), Cell("Taker"), *(Cell(name) for name in names)]
    rows = []
    for same in zip(*by_run, strict=True):
        first = same[0]
        cells = [_cells(row, run.text("currency"))[2] for row, run in zip(same, runs, strict=True)]
        rates = [Cell(fmt.basis_points(first["maker_bps"])), Cell(fmt.basis_points(first["taker_bps"]))]
        rows.append([Cell(first["name"], style="text"), *rates, *cells])
    small = f"Trading P&L, Binance's standard tiers as of {runs[0].text('fee_tiers.as_of')}."
    return card(TITLE, table(head, rows) + items(runs[0].texts("fee_tiers.notes")), small=small)


def _cells(row: dict[str, float], currency: str) -> list[Cell]:
    pnl = row["pnl_trading"]
    return [
        Cell(fmt.basis_points(row["maker_bps"])),
        Cell(fmt.basis_points(row["taker_bps"])),
        Cell(fmt.money(pnl, currency, signed=True), style=signed_class((pnl > 0) - (pnl < 0))),
    ]


def fee_sentence(summary: Summary) -> str:
    """Return from which tier on the same fills would have earned; nothing where there are no fills."""
    rows = [*summary.entries("fee_tiers.tiers"), *summary.entries("fee_tiers.rebates")]
    if not rows or not summary.number("fills"):
        return ""
    earning = [row for row in rows if row["pnl_trading"] > 0]
    if not earning:
        return "These fills earn at no tier, and not with a maker rebate of 1 bp."
    if len(earning) == len(rows):
        return "These fills earn at every tier."
    return f"These fills earn first at {earning[0]['name']} ({fmt.basis_points(earning[0]['maker_bps'])} maker)."

"""What the same fills would have earned at other fees: a table on pages, a sentence in the terminal."""

from collections.abc import Sequence

from reports import format as fmt
from reports.figures import Summary
from reports.markup import Cell, card, items, signed_cell, table

TITLE = "What it would have earned at other fees"
_BNB = ", in BNB"
_RATES = (
    Cell("Maker, bps", "What a resting order pays on the value of a fill, at this tier."),
    Cell("Taker, bps", "What an order that takes liquidity pays on the value of a fill, at this tier."),
)


def fee_tier_card(summary: Summary) -> str:
    """Return the table of fee tiers and rebates; nothing where the summary has none."""
    tiers = summary.entries("fee_tiers.tiers")
    if not tiers:
        return ""
    currency = summary.text("currency")
    head = [
        Cell("", style="text"),
        *_RATES,
        Cell(f"Trading P&L, {currency}", "What trading would have earned, with the same fills."),
        Cell("In BNB: maker, bps", "The maker fee when it is paid in BNB, with the discount for that."),
        Cell("Taker, bps", "The taker fee when it is paid in BNB, with the discount for that."),
        Cell(
            f"Trading P&L, {currency}",
            "What trading would have earned, with the same fills; BNB at its value at each fill.",
        ),
    ]
    decimals = _decimals([*tiers, *summary.entries("fee_tiers.rebates")])
    in_bnb = {row["name"].removesuffix(_BNB): row for row in tiers if row["name"].endswith(_BNB)}
    plain = [row for row in tiers if not row["name"].endswith(_BNB)]
    rows = [
        [Cell(row["name"], style="text"), *_cells(row, decimals), *_cells(in_bnb[row["name"]], decimals)]
        for row in plain
    ]
    for row in summary.entries("fee_tiers.rebates"):
        rows.append([Cell(row["name"], style="text"), *_cells(row, decimals), *[Cell("")] * 3])
    small = f"Binance's standard tiers as of {summary.text('fee_tiers.as_of')}. {fee_sentence(summary)}"
    notes = items(summary.texts("fee_tiers.notes"))
    return card(TITLE, table(head, rows) + notes, small=small)


def fee_tiers_of_runs(names: Sequence[str], runs: Sequence[Summary]) -> str:
    """Return the trading P&L of several runs at every tier and rebate, one column for each run."""
    by_run = [[*run.entries("fee_tiers.tiers"), *run.entries("fee_tiers.rebates")] for run in runs]
    if not all(by_run):
        return ""
    told = "Trading P&L of this run at each tier, with its fills."
    heads = [Cell(f"{name}, {run.text('currency')}".rstrip(", "), told) for name, run in zip(names, runs, strict=True)]
    head = [Cell("", style="text"), *_RATES, *heads]
    decimals = _decimals([row for rows in by_run for row in rows])
    rows = []
    for same in zip(*by_run, strict=True):
        first = same[0]
        cells = [_cells(row, decimals)[2] for row in same]
        rows.append([Cell(first["name"], style="text"), *_cells(first, decimals)[:2], *cells])
    small = f"Trading P&L, Binance's standard tiers as of {runs[0].text('fee_tiers.as_of')}."
    return card(TITLE, table(head, rows) + items(runs[0].texts("fee_tiers.notes")), small=small)


def _decimals(rows: Sequence[dict[str, float]]) -> int:
    return fmt.decimals_for(*(row["pnl_trading"] for row in rows))


def _cells(row: dict[str, float], decimals: int) -> list[Cell]:
    rates = [Cell(fmt.number(row[key], 2)) for key in ("maker_bps", "taker_bps")]
    return [*rates, signed_cell(row["pnl_trading"], decimals)]


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

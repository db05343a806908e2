"""A liquidation in words."""

from reports import format as fmt
from reports.figures import Summary


def liquidation_line(summary: Summary) -> str:
    """Return what was liquidated, when and why, as sentences."""
    currency = summary.text("currency")
    closed = ", ".join(f"{held:+g} {name}" for name, held in summary.table("liquidation.closed").items())
    equity, needed, fee, borne = (
        fmt.money(summary.number(f"liquidation.{key}") or 0.0, currency)
        for key in ("equity", "maintenance_margin", "fee", "borne_by_the_venue")
    )
    beyond = f" The venue bore a loss of {borne} beyond it." if summary.number("liquidation.borne_by_the_venue") else ""
    return (
        f"{fmt.moment(summary.text('liquidation.time'))} UTC: {equity} stood against a maintenance margin of {needed} "
        f"({summary.text('liquidation.mode')} margin). Closed {closed}; liquidation fee {fee}.{beyond} Nothing was "
        "traded afterwards."
    )

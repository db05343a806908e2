"""What the venue takes apart from the fees of fills: funding for the summary, and liquidations in words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from actors.ledger import Ledger
from reports import format as fmt
from reports.figures import Summary


def funding_summary(ledger: Ledger, sources: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Any] | None:
    """
    Return the funding of each perpetual; None where nothing that is traded has any.

    Parameters
    ----------
    ledger : Ledger
        Has booked the payments.
    sources : mapping, optional
        Of each perpetual, what is known of its rates: `source`, `mark` and `times_without_rate`.

    """
    if sources is None:
        return None
    return {name: dict(source) | _paid(ledger, name) for name, source in sources.items()}


def _paid(ledger: Ledger, instrument: str) -> dict[str, Any]:
    payments = [each.amount for each in ledger.funding if each.instrument_id == instrument]
    return {
        "payments": len(payments),
        "received": float(sum((amount for amount in payments if amount > 0), Decimal(0))),
        "paid": float(-sum((amount for amount in payments if amount < 0), Decimal(0))),
    }


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

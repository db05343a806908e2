"""What perpetuals paid and received in funding, for the summary."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from actors.ledger import Ledger


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

"""P&L and its parts at the market's last mid; the ledger itself marks on its grid alone."""

from collections.abc import Mapping
from decimal import Decimal

from actors.books import HOLDINGS
from actors.ledger import Ledger
from models.attribution import EXACT, ZERO
from runtime.live.web.state import Money, Parts


def money_of(ledger: Ledger, mids: Mapping[str, Decimal]) -> Money | None:
    """Return what the books say, carried on to the mids by instrument; None before they open."""
    if not ledger.is_open:
        return None
    spread = inventory = fees = funding = holdings = ZERO
    for (owner, name), book in ledger.books.items():
        moved = EXACT.multiply(book.position, EXACT.subtract(mids.get(name, book.mid), book.mid))
        parts = book.parts
        spread, inventory = EXACT.add(spread, parts.spread), EXACT.add(EXACT.add(inventory, parts.inventory), moved)
        fees, funding = EXACT.add(fees, parts.fees), EXACT.add(funding, parts.funding)
        if owner == HOLDINGS:
            holdings = EXACT.add(EXACT.add(holdings, parts.total), moved)
    pnl = EXACT.add(EXACT.add(spread, inventory), EXACT.add(fees, funding))
    return Money(
        equity=EXACT.add(ledger.equity_start, pnl),
        equity_start=ledger.equity_start,
        pnl=pnl,
        trading_pnl=EXACT.subtract(pnl, holdings),
        parts=Parts(spread=spread, inventory=inventory, fees=fees, funding=funding),
        fills=len(ledger.fills),
    )

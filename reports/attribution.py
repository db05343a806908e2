"""
Where the profit comes from, by strategy and instrument, in exact decimals.

Every part of the second identity of `models.attribution` on its own, at each horizon: what resting and what taking
orders earned against the mid, what the mid did within the horizon (apart for fills that a signal had spoken for or
against), what it did afterwards and to what was held from the start, fees and funding. They sum to the profit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from actors.ledger import Ledger
from actors.ledger_records import MARKOUT_HORIZONS_SECS, FillRecord
from models.attribution import EXACT, Parts

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Horizon:
    """
    What the mid did to the fills, in the ledger's currency.

    Parameters
    ----------
    adverse : Decimal
        Within the horizon, to fills for which no signal spoke; negative when the flow was informed.
    alpha : Decimal
        Within the horizon, to fills while a signal was spoken.
    carry : Decimal
        From the horizon to the end of the run.

    """

    adverse: Decimal
    alpha: Decimal
    carry: Decimal

    @property
    def total(self) -> Decimal:
        """All that the mid did to them."""
        return exact_sum(self.adverse, self.alpha, self.carry)


@dataclass(frozen=True, slots=True)
class Attribution:
    """
    The profit of one strategy, one instrument or all, in the ledger's currency.

    Parameters
    ----------
    spread : Decimal
        What orders that rested earned against the mid of the fill.
    taking : Decimal
        What orders that took liquidity earned against it: negative.
    horizons : dict
        What the mid did to the fills, by horizon in seconds.
    initial : Decimal
        What it did to what was held at the start.
    fees, funding : Decimal
        As in the parts of the P&L.
    parts : Parts
        The first identity: spread + inventory + fees + funding, as the books counted it fill by fill.
    slippage : Decimal, optional
        What taking orders lost against the mid of the moment in which they were sent: the spread, and what the mid did
        on their way; None where there is no such order.

    """

    spread: Decimal
    taking: Decimal
    horizons: dict[int, Horizon]
    initial: Decimal
    fees: Decimal
    funding: Decimal
    parts: Parts
    slippage: Decimal | None

    def total(self, horizon: int) -> Decimal:
        """Return the sum of the second identity at a horizon; it is the P&L."""
        of_fills = EXACT.add(EXACT.add(self.spread, self.taking), self.horizons[horizon].total)
        return exact_sum(of_fills, self.initial, self.fees, self.funding)


def attribution(ledger: Ledger, strategy: str | None = None, instrument: str | None = None) -> Attribution:
    """Return the attribution of one strategy or instrument, or of all, at the end of a run."""
    fills = [
        fill
        for fill in ledger.fills
        if fill.mid is not None and strategy in (None, fill.strategy) and instrument in (None, fill.instrument)
    ]
    books = {
        key: book for key, book in ledger.books.items() if strategy in (None, key[0]) and instrument in (None, key[1])
    }
    last = {key: book.mid for key, book in ledger.books.items()}
    parts = ledger.parts(strategy=strategy, instrument=instrument)
    return Attribution(
        spread=exact_sum(*(fill.spread for fill in fills if fill.liquidity == "MAKER")),
        taking=exact_sum(*(fill.spread for fill in fills if fill.liquidity != "MAKER")),
        horizons={horizon: _horizon(fills, last, horizon) for horizon in MARKOUT_HORIZONS_SECS},
        initial=exact_sum(*(book.initial for book in books.values())),
        fees=parts.fees,
        funding=parts.funding,
        parts=parts,
        slippage=_slippage(fills),
    )


def _horizon(fills: Sequence[FillRecord], last: Mapping[tuple[str, str], Decimal], horizon: int) -> Horizon:
    adverse = alpha = carry = ZERO
    for fill in fills:
        end = last[fill.strategy, fill.instrument]
        later = fill.markout_mids.get(horizon, end)
        assert fill.mid is not None
        moved = EXACT.multiply(fill.held, EXACT.subtract(later, fill.mid))
        if fill.alpha_bps:
            alpha = EXACT.add(alpha, moved)
        else:
            adverse = EXACT.add(adverse, moved)
        carry = EXACT.add(carry, EXACT.multiply(fill.held, EXACT.subtract(end, later)))
    return Horizon(adverse, alpha, carry)


def _slippage(fills: Sequence[FillRecord]) -> Decimal | None:
    taken = [fill for fill in fills if fill.liquidity != "MAKER" and fill.decision_mid is not None]
    if not taken:
        return None
    return exact_sum(
        *(
            EXACT.multiply(fill.sign * fill.quantity, EXACT.subtract(fill.decision_mid, fill.price))
            for fill in taken
            if fill.decision_mid is not None
        )
    )


def exact_sum(*numbers: Decimal) -> Decimal:
    """Return a sum that is not rounded."""
    total = ZERO
    for number in numbers:
        total = EXACT.add(total, number)
    return total


def attribution_summary(found: Attribution) -> dict[str, Any]:
    """Return an attribution as JSON types."""
    summary: dict[str, Any] = {
        "spread": float(found.spread),
        "taking": float(found.taking),
        "initial": float(found.initial),
        "fees": float(found.fees),
        "funding": float(found.funding),
        "pnl": float(found.parts.total),
        "by_horizon": {
            f"{horizon}s": {"adverse": float(at.adverse), "alpha": float(at.alpha), "carry": float(at.carry)}
            for horizon, at in found.horizons.items()
        },
        "taker_slippage": None if found.slippage is None else float(found.slippage),
    }
    if found.slippage is None:
        summary["taker_slippage_why"] = "no order took liquidity"
    return summary

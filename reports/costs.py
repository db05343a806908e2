"""What the same fills would have earned at other fees, for the summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from actors.ledger import Ledger
from actors.ledger_records import FillRecord
from models.attribution import EXACT
from models.fee_tiers import AS_OF, SOURCE, FeeRates, Market, PricedFill, fees_of, rebates, tiers

ASSUMPTION: Final = (
    "The same fills at other fees: it is assumed that nobody, the strategy least of all, behaves differently."
)
FROM_RECEIVED: Final = (
    "On spot a buy that pays in the base asset is followed by a little less inventory, and with another fee by another "
    "little: a rerun differs by that."
)


@dataclass(frozen=True)
class FeeFacts:
    """
    What repricing needs to know of the venue.

    Parameters
    ----------
    market : {"spot", "usdm"}
        Whose tiers apply.
    from_received : bool
        Whether a buy paid its fee in the base asset.
    priced_in : tuple of str
        The strategies that decide by their fee.

    """

    market: Market
    from_received: bool
    priced_in: tuple[str, ...]


def costs_summary(ledger: Ledger, facts: FeeFacts, trading_pnl: Decimal) -> dict[str, Any]:
    """
    Return the `fee_tiers` part of the summary.

    Parameters
    ----------
    ledger : Ledger
        The books at the end of the run.
    facts : FeeFacts
        How fees were charged.
    trading_pnl : Decimal
        What the strategies earned with the fees of the run.

    """
    last_mids = {point.instrument: point.mid for point in ledger.position_points}
    before = pnl_before_fees(ledger.fills, last_mids, trading_pnl)
    fills = [_priced(fill, last_mids) for fill in ledger.fills]
    notes = [ASSUMPTION]
    if facts.priced_in:
        who = ", ".join(facts.priced_in)
        notes.append(f"That does not hold for {who}: it decides by its fee. Run it again with the other fee.")
    if facts.from_received:
        notes.append(FROM_RECEIVED)
    return {
        "as_of": AS_OF,
        "source": SOURCE,
        "market": facts.market,
        "notes": notes,
        "pnl_before_fees": float(before),
        "tiers": [_row(_as_charged(rates, facts), fills, before) for rates in tiers(facts.market)],
        "rebates": [_row(rates, fills, before) for rates in rebates(facts.market)],
    }


def pnl_before_fees(fills: Sequence[FillRecord], last_mids: Mapping[str, Decimal], trading_pnl: Decimal) -> Decimal:
    """Return what the fills earned but for the fees, and for what base assets that were taken as fees did later."""
    total = trading_pnl
    for fill in fills:
        in_quote = fill.fee if fill.mid is None else EXACT.subtract(fill.fee, EXACT.multiply(fill.fee_base, fill.mid))
        in_base = EXACT.multiply(fill.fee_base, last_mids[fill.instrument])
        total = EXACT.add(total, EXACT.add(in_quote, in_base))
    return total


def _as_charged(rates: FeeRates, facts: FeeFacts) -> FeeRates:
    return rates._replace(from_received=rates.from_received and facts.from_received)


def _priced(fill: FillRecord, last_mids: Mapping[str, Decimal]) -> PricedFill:
    return PricedFill(fill.liquidity == "MAKER", fill.sign > 0, fill.quantity, fill.price, last_mids[fill.instrument])


def _row(rates: FeeRates, fills: Sequence[PricedFill], before: Decimal) -> dict[str, Any]:
    fees = fees_of(fills, rates)
    return {
        "name": rates.name,
        "maker_bps": float(rates.maker_bps),
        "taker_bps": float(rates.taker_bps),
        "fees": float(-fees),
        "pnl_trading": float(EXACT.subtract(before, fees)),
    }

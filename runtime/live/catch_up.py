"""What happened at the venue while nobody was there: fills of our orders, and funding."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from nautilus_trader.model.instruments import Instrument

from actors.kept_books import Entry, KeptBooks
from actors.ledger_records import FillRecord
from messages.ledger import FundingPaid
from runtime.live.account import BinanceAccount, VenueTrade
from runtime.live.funding import NOBODY
from runtime.live.own_orders import Owner

_FILLS_LOOKED_AT_AGAIN: Final = 200
"""So many of the last fills are asked for again: one of which no word came may lie between them."""
_MS: Final = 1_000_000


@dataclass(frozen=True)
class Missed:
    """
    What happened.

    Parameters
    ----------
    trades : sequence of (str, VenueTrade)
        Trades of our orders, each with the client order id.
    funding : sequence of FundingPaid
        By instrument: what the venue has paid since the books were opened and they do not have.

    """

    trades: Sequence[tuple[str, VenueTrade]] = ()
    funding: Sequence[FundingPaid] = ()

    def entries(self, instruments: Mapping[str, Instrument], strategy_of: Callable[[str], str]) -> list[Entry]:
        """
        Return what a ledger books, in order of time.

        Parameters
        ----------
        instruments : mapping
            By the venue's symbol.
        strategy_of : callable
            Returns the id of the strategy that sent an order, of its client order id.

        """
        entries: list[FillRecord | FundingPaid] = list(self.funding)
        for name, trade in self.trades:
            entries.append(_fill(name, trade, instruments[trade.symbol], strategy_of(name)))
        return sorted(entries, key=lambda entry: entry.ts_ns)


def catch_up(
    account: BinanceAccount,
    owner: Owner,
    kept: KeptBooks,
    symbols: Mapping[str, str],
    before: Mapping[str, int],
    *,
    since_ms: int = 0,
) -> Missed:
    """
    Ask the venue what happened since the books of an earlier run were written; VenueError where it does not say.

    Parameters
    ----------
    account : BinanceAccount
        The account; none of our orders may be open any more.
    owner : Owner
        Whose orders.
    kept : KeptBooks
        The books.
    symbols : mapping
        By the venue's symbol: the instrument's id.
    before : mapping
        By symbol: the id of the last trade before the books began.
    since_ms : int
        Earlier trades are left out, UNIX ms; whose order each of the others was costs a request where it is not known.

    """
    trades = []
    for symbol, instrument in symbols.items():
        known = {e.trade_id for e in kept.entries if isinstance(e, FillRecord) and e.instrument == instrument}
        ids = sorted(int(trade_id) for trade_id in known if trade_id.isdigit())  # the engine makes up others
        first = ids[-_FILLS_LOOKED_AT_AGAIN:][0] if len(ids) > _FILLS_LOOKED_AT_AGAIN else before.get(symbol, 0) + 1
        names: dict[int, str] = {}
        for trade in account.trades_since(symbol, first):
            if str(trade.trade_id) in known or trade.time_ms < since_ms:
                continue
            if trade.order_id not in names:
                names[trade.order_id] = account.client_order_id(symbol, trade.order_id)
            if owner.owns(names[trade.order_id]):
                trades.append((names[trade.order_id], trade))
    return Missed(trades, [] if account.spot else _funding(account, kept, symbols))


def _funding(account: BinanceAccount, kept: KeptBooks, symbols: Mapping[str, str]) -> list[FundingPaid]:
    """Return what is missing of each instrument's funding, as one payment to the strategy that traded it last."""
    payments = account.funding_since(kept.opening.ts_ns // _MS)
    missing = []
    for symbol, instrument in symbols.items():
        ours = [payment for payment in payments if payment.symbol == symbol]
        booked = [e for e in kept.entries if isinstance(e, FundingPaid) and e.instrument_id == instrument]
        amount = sum((each.amount for each in ours), Decimal(0)) - sum((each.amount for each in booked), Decimal(0))
        fills = [e for e in kept.entries if isinstance(e, FillRecord) and e.instrument == instrument]
        if amount:
            missing.append(
                FundingPaid(
                    ts_ns=(ours[-1].time_ms if ours else 0) * _MS,
                    strategy_id=fills[-1].strategy if fills else NOBODY,
                    instrument_id=instrument,
                    position=fills[-1].position_after if fills else Decimal(0),
                    amount=amount,
                )
            )
    return missing


def _fill(name: str, trade: VenueTrade, instrument: Instrument, strategy: str) -> FillRecord:
    in_base = trade.fee_asset == instrument.base_currency.code
    if trade.fee and not in_base and trade.fee_asset != instrument.quote_currency.code:
        raise RuntimeError(f"a fee in {trade.fee_asset} cannot be valued: trade {trade.trade_id} of {trade.symbol}")
    return FillRecord(
        ts_ns=trade.time_ms * _MS,
        strategy=strategy,
        instrument=instrument.id.value,
        side="BUY" if trade.side > 0 else "SELL",
        liquidity="MAKER" if trade.is_maker else "TAKER",
        client_order_id=name,
        trade_id=str(trade.trade_id),
        price=trade.price,
        quantity=trade.quantity,
        fee=Decimal(0) if in_base else trade.fee,
        fee_base=trade.fee if in_base else Decimal(0),
    )

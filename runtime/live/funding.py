"""Funding as Binance's user stream tells of it: an amount for the account, which the ledger needs by position."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from nautilus_trader.adapters.binance.common.symbol import BinanceSymbol
from nautilus_trader.adapters.binance.futures.enums import BinanceFuturesPositionUpdateReason
from nautilus_trader.adapters.binance.futures.schemas.user import BinanceFuturesAccountUpdateMsg
from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.position import Position

from messages.ledger import FundingPaid
from models.funding import split_payment

NOBODY: Final = "(account)"
"""Whose a payment is when no position is known any more."""

_STEP: Final = Decimal("1e-8")
_MS: Final = 1_000_000


def funding_in(
    update: BinanceFuturesAccountUpdateMsg, cache: CacheFacade, instrument_ids: Sequence[InstrumentId]
) -> list[FundingPaid]:
    """
    Return the funding that an account update tells of, by position; nothing where it tells of something else.

    An update of isolated margin names its symbol, one of cross margin does not: the amount is then shared out by the
    value of the positions in that currency, exactly where there is one, as if all had one rate where there are more.
    """
    if update.a.m is not BinanceFuturesPositionUpdateReason.FUNDING_FEE:
        return []
    named = {position.s for position in update.a.P}
    paid: list[FundingPaid] = []
    for balance in update.a.B:
        candidates = [
            each
            for each in instrument_ids
            if cache.instrument(each).settlement_currency.code == balance.a
            and (not named or str(BinanceSymbol(each.symbol.value)) in named)
        ]
        amount = Decimal(balance.bc)
        if candidates and amount:
            paid += _by_position(amount, update.T * _MS, cache, candidates)
    return paid


def _by_position(
    amount: Decimal, ts_ns: int, cache: CacheFacade, candidates: Sequence[InstrumentId]
) -> list[FundingPaid]:
    positions = [each for name in candidates for each in cache.positions_open(instrument_id=name)]
    values = [_value(each, cache) for each in positions]
    if not positions:
        name = candidates[0].value
        held = Decimal(0)
        return [FundingPaid(ts_ns=ts_ns, strategy_id=NOBODY, instrument_id=name, position=held, amount=amount)]
    return [
        FundingPaid(
            ts_ns=ts_ns,
            strategy_id=position.strategy_id.value,
            instrument_id=position.instrument_id.value,
            position=position.signed_decimal_qty(),
            amount=part,
        )
        for position, part in zip(positions, split_payment(amount, values, _STEP), strict=True)
    ]


def _value(position: Position, cache: CacheFacade) -> Decimal:
    """Return a position at the mid; at its entry where there is no quote."""
    quote = cache.quote_tick(position.instrument_id)
    if quote is None:
        price = Decimal(repr(position.avg_px_open))
    else:
        price = (quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2
    return Decimal(position.signed_decimal_qty() * price)

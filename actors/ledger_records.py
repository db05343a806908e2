"""What the ledger writes down: fills and points on the time grid, as plain records with exact numbers."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec

from models.attribution import Parts

MARKOUT_HORIZONS_SECS: Final = (1, 5, 30, 60, 300)


@dataclass(slots=True)
class FillRecord:
    """
    One fill. Values are in the ledger's currency, quantities in the base asset.

    Parameters
    ----------
    ts_ns : int
        When it happened, UNIX ns.
    strategy, instrument : str
        Whose fill of what.
    side, liquidity : str
        BUY or SELL; MAKER or TAKER.
    client_order_id, trade_id : str
        The order and the venue's id of the trade.
    price, quantity : Decimal
        Price and (positive) quantity.
    fee : Decimal
        What was paid, valued at the mid where it was taken from the base asset; negative for a rebate.
    fee_base : Decimal
        The part of the fee that was taken from the base asset, as a quantity.
    mid : Decimal, optional
        The mid at the fill: the last one at or before its time, a quote of the same moment included.
    spread : Decimal
        The edge earned against that mid: quantity × (mid - price), with the sign of the side.
    position_after : Decimal
        The strategy's net traded position afterwards.
    markout_mids : dict
        The mid so many seconds later; a horizon beyond the end of the run is missing.
    alpha_bps : float, optional
        The sum of the last signals for the instrument when it was filled; None where nobody gave one.
    decision_mid : Decimal, optional
        The mid when the order was sent; None where nobody saw that.
    quoted_mid : Decimal, optional
        The mid when the order took its place at its price; None where it never rested.
    rested_secs : float, optional
        How long it had rested there; None where it never rested.

    """

    ts_ns: int
    strategy: str
    instrument: str
    side: str
    liquidity: str
    client_order_id: str
    trade_id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal = Decimal(0)
    fee_base: Decimal = Decimal(0)
    mid: Decimal | None = None
    spread: Decimal = Decimal(0)
    position_after: Decimal = Decimal(0)
    markout_mids: dict[int, Decimal] = field(default_factory=dict)
    alpha_bps: float | None = None
    decision_mid: Decimal | None = None
    quoted_mid: Decimal | None = None
    rested_secs: float | None = None

    @property
    def held(self) -> Decimal:
        """What it adds to the position: the signed quantity without what was taken of it as a fee."""
        return self.sign * self.quantity - self.fee_base

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sale."""
        return 1 if self.side == "BUY" else -1


class EquityPoint(msgspec.Struct, frozen=True, gc=False):
    """
    The account at one moment.

    Parameters
    ----------
    ts_ns : int
        When, UNIX ns.
    equity : Decimal
        All balances and positions at the mid.
    parts : Parts
        Where the change since the first point comes from.
    holdings : Decimal
        How much of the change is the price of what was held at the start: it would be there without any trade.

    """

    ts_ns: int
    equity: Decimal
    parts: Parts
    holdings: Decimal


class PositionPoint(msgspec.Struct, frozen=True, gc=False):
    """One instrument at one moment: the market's touch, our own best quotes, and what is held in all."""

    ts_ns: int
    instrument: str
    bid: Decimal
    ask: Decimal
    quote_bid: Decimal | None
    quote_ask: Decimal | None
    fair_value: float | None
    position: Decimal
    equity: Decimal

    @property
    def mid(self) -> Decimal:
        """The middle of the market's touch."""
        return (self.bid + self.ask) / 2

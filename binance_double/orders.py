"""Orders and fills."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Side(StrEnum):
    """Of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


@dataclass(frozen=True, kw_only=True)
class NewOrder:
    """
    An order as it is asked for.

    Parameters
    ----------
    symbol : str
        The exchange's symbol.
    side : Side
        Buy or sell.
    type : str
        LIMIT, LIMIT_MAKER (spot) or MARKET.
    time_in_force : str
        GTC, IOC, FOK, and on futures GTX (post-only) and GTD.
    quantity : Decimal
        In the base asset; 0 if `quote_quantity` is given.
    price : Decimal
        0 for a market order.
    client_order_id : str
        Unique among the open orders.
    quote_quantity : Decimal
        What a spot market order spends or receives, in the quote asset.
    reduce_only : bool
        Futures only.
    position_side : str
        BOTH, or LONG or SHORT in hedge mode; futures only.
    good_till_ms : int
        When a GTD order ends; 0 otherwise.

    """

    symbol: str
    side: Side
    type: str
    client_order_id: str
    time_in_force: str = "GTC"
    quantity: Decimal = ZERO
    price: Decimal = ZERO
    quote_quantity: Decimal = ZERO
    reduce_only: bool = False
    position_side: str = "BOTH"
    good_till_ms: int = 0

    @property
    def post_only(self) -> bool:
        """Whether it must not take."""
        return self.type == "LIMIT_MAKER" or self.time_in_force == "GTX"


@dataclass(kw_only=True, eq=False)
class Order:
    """An order that the exchange took; `asked` is what was asked for, or the last amendment of it."""

    asked: NewOrder
    order_id: int
    created_ms: int
    updated_ms: int
    status: str = "NEW"
    executed: Decimal = ZERO
    quote_executed: Decimal = ZERO
    queue_ahead: Decimal | None = None
    """What stands before it at its price, in the base asset; None while the market does not show that price."""
    locked: Decimal = ZERO
    """What it holds of the account's balance on spot, in the asset it pays with."""
    cancel_id: str = ""
    fills: list["Fill"] = field(default_factory=list)

    @property
    def leaves(self) -> Decimal:
        """What is left to execute, in the base asset."""
        return self.asked.quantity - self.executed

    @property
    def is_open(self) -> bool:
        """Whether it can still execute."""
        return self.status in {"NEW", "PARTIALLY_FILLED"}

    @property
    def average_price(self) -> Decimal:
        """The average price of what was executed, 0 if nothing was."""
        return self.quote_executed / self.executed if self.executed else ZERO


@dataclass(frozen=True)
class PublicTrade:
    """A trade of others; `aggressor` is the side that took."""

    trade_id: int
    price: Decimal
    size: Decimal
    aggressor: Side
    time_ms: int


@dataclass(frozen=True, kw_only=True)
class Fill:
    """One execution of an order; `realised` is the profit it realised on futures."""

    trade_id: int
    order_id: int
    symbol: str
    side: Side
    position_side: str
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    is_maker: bool
    time_ms: int
    realised: Decimal = ZERO

    @property
    def notional(self) -> Decimal:
        """Price times quantity, in the quote asset."""
        return self.price * self.quantity

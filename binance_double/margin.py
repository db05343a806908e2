"""How much margin positions and open orders need."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from binance_double.futures_account import FuturesAccount, Position
from binance_double.orders import ZERO, NewOrder, Side
from binance_double.rules import Rules


@dataclass(frozen=True)
class Margin:
    """The margin of one symbol, in its quote asset."""

    unrealised: Decimal = ZERO
    position: Decimal = ZERO
    orders: Decimal = ZERO
    maintenance: Decimal = ZERO

    @property
    def initial(self) -> Decimal:
        """What positions and orders need together."""
        return self.position + self.orders

    def __add__(self, other: "Margin") -> "Margin":
        return Margin(
            self.unrealised + other.unrealised,
            self.position + other.position,
            self.orders + other.orders,
            self.maintenance + other.maintenance,
        )


type Exposure = tuple[NewOrder, Decimal]
"""An open order and what is left of it."""


def is_reducing(order: NewOrder) -> bool:
    """Return whether an order can only make a position smaller."""
    return order.reduce_only or (order.position_side, order.side) in {("LONG", Side.SELL), ("SHORT", Side.BUY)}


def symbol_margin(account: FuturesAccount, rules: Rules, orders: Iterable[Exposure], mark: Decimal) -> Margin:
    """
    Return what a symbol's positions and orders need, in cross margin.

    Orders that can only reduce need nothing. Of buys and sells only the side counts that would leave the larger
    position, as on the exchange.
    """
    leverage = Decimal(account.leverage[rules.symbol])
    pending = [(order, left * (order.price or mark)) for order, left in orders if not is_reducing(order)]
    total = Margin()
    for side in account.sides():
        position = account.positions.get((rules.symbol, side), Position())
        bids, asks = (
            sum((value for order, value in pending if (order.position_side, order.side) == (side, way)), ZERO)
            for way in (Side.BUY, Side.SELL)
        )
        held = position.amount * mark
        total += Margin(
            unrealised=position.unrealised(mark),
            position=abs(held) / leverage,
            orders=(max(abs(held + bids), abs(held - asks), abs(held)) - abs(held)) / leverage,
            maintenance=abs(held) * rules.maintenance_rate,
        )
    return total

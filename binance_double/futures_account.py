"""A futures account: wallets, positions and margin, all of it exact but the average entry price that is shown."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from binance_double.orders import ZERO

_GRID = Decimal("1e-8")
_DEFAULT_LEVERAGE = 20

type PositionKey = tuple[str, str]
"""Symbol and position side: BOTH, or LONG and SHORT in hedge mode."""


@dataclass
class Position:
    """What is held of a contract; `cost` is what the open amount cost, with the amount's sign."""

    amount: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    updated_ms: int = 0

    @property
    def entry_price(self) -> Decimal:
        """The average price of the open amount, 0 if there is none."""
        return self.cost / self.amount if self.amount else ZERO

    def unrealised(self, mark: Decimal) -> Decimal:
        """Return the profit at a mark price."""
        return self.amount * mark - self.cost

    def trade(self, change: Decimal, price: Decimal) -> Decimal:
        """Change the amount at a price, and return the profit that this realises."""
        closing = min(abs(change), abs(self.amount)) if change * self.amount < 0 else ZERO
        realised = self._close(closing, price) if closing else ZERO
        opening = change - (closing if change > 0 else -closing)
        self.amount += opening
        self.cost += opening * price
        return realised

    def _close(self, closing: Decimal, price: Decimal) -> Decimal:
        sign = 1 if self.amount > 0 else -1
        whole = closing == abs(self.amount)
        # What is left keeps what the rounding takes, so that the parts always sum to the whole.
        cost = self.cost if whole else (self.cost * closing / abs(self.amount)).quantize(_GRID)
        realised = sign * closing * price - cost
        self.amount -= sign * closing
        self.cost -= cost
        self.realised += realised
        return realised


class FuturesAccount:
    """
    Wallets by asset, positions, leverage.

    Parameters
    ----------
    wallet : mapping
        The balances at the start.

    """

    def __init__(self, wallet: Mapping[str, Decimal]) -> None:
        self.wallet = dict(wallet)
        self.positions: dict[PositionKey, Position] = {}
        self.leverage: dict[str, int] = defaultdict(lambda: _DEFAULT_LEVERAGE)
        self.margin_types: dict[str, str] = defaultdict(lambda: "CROSSED")
        self.hedge_mode = False
        self.fees_paid: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self.funding_received: dict[str, Decimal] = defaultdict(lambda: ZERO)

    def position(self, symbol: str, side: str = "BOTH") -> Position:
        """Return a position, flat if there never was one."""
        return self.positions.setdefault((symbol, side), Position())

    def sides(self) -> tuple[str, ...]:
        """Return the position sides of the account's mode."""
        return ("LONG", "SHORT") if self.hedge_mode else ("BOTH",)

    def credit(self, asset: str, amount: Decimal) -> None:
        """Add to a wallet, or take from it."""
        self.wallet[asset] = self.wallet.get(asset, ZERO) + amount

"""The balances of a spot account, exact."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from binance_double.orders import ZERO, Side
from binance_double.rules import Rules

_COMMISSION_GRID = Decimal("1e-8")


@dataclass
class Balance:
    """What is free and what orders hold, of one asset."""

    free: Decimal = ZERO
    locked: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Both together."""
        return self.free + self.locked


class SpotAccount:
    """
    Balances by asset, and the fees paid so far.

    Parameters
    ----------
    balances : mapping
        The free balances at the start.

    """

    def __init__(self, balances: Mapping[str, Decimal]) -> None:
        self.balances = {asset: Balance(amount) for asset, amount in balances.items()}
        self.fees_paid: dict[str, Decimal] = {}

    def balance(self, asset: str) -> Balance:
        """Return the balance of an asset, empty if the account never had any."""
        return self.balances.setdefault(asset, Balance())

    def lock(self, asset: str, amount: Decimal) -> None:
        """Set free balance aside."""
        balance = self.balance(asset)
        balance.free -= amount
        balance.locked += amount

    def settle(
        self, rules: Rules, side: Side, price: Decimal, quantity: Decimal, *, unlocked: Decimal, is_maker: bool
    ) -> Decimal:
        """
        Exchange assets for a fill and return the commission.

        A buyer pays it in the base asset, a seller in the quote asset. `unlocked` is what the fill releases of the
        order's lock; what it does not cost becomes free.
        """
        paid_asset, received_asset = (rules.quote, rules.base) if side is Side.BUY else (rules.base, rules.quote)
        paid, received = (price * quantity, quantity) if side is Side.BUY else (quantity, price * quantity)
        rate = rules.maker_fee if is_maker else rules.taker_fee
        commission = (received * rate).quantize(_COMMISSION_GRID, ROUND_DOWN)
        payer = self.balance(paid_asset)
        payer.locked -= unlocked
        payer.free += unlocked - paid
        self.balance(received_asset).free += received - commission
        self.fees_paid[received_asset] = self.fees_paid.get(received_asset, ZERO) + commission
        return commission

"""The trading rules of a symbol."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from nautilus_trader.model.instruments import CurrencyPair, Instrument

_SPOT_DECIMALS = 8


class Product(StrEnum):
    """The two exchanges in one."""

    SPOT = "spot"
    FUTURES = "futures"


_PRICE_BOUNDS = {
    Product.SPOT: (Decimal("0.2"), Decimal(5)),
    Product.FUTURES: (Decimal("0.95"), Decimal("1.05")),
}
"""Between which multiples of the market's price a limit price may lie, as on the exchange's large symbols."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """
    What exchangeInfo says of a symbol, and what trading costs on it.

    Parameters
    ----------
    product : Product
        Spot or USD-M futures.
    symbol, base, quote : str
        Such as BTCUSDT, BTC and USDT; the quote asset is the margin asset too.
    tick, step : Decimal
        The grids of price and quantity.
    min_price, max_price, min_quantity, max_quantity : Decimal
        Inclusive bounds.
    min_notional : Decimal
        The least price times quantity of an order, in the quote asset.
    maker_fee, taker_fee : Decimal
        Shares of the traded amount.
    multiplier_up, multiplier_down : Decimal
        The bounds of a limit price as multiples of the market's.
    max_orders : int
        Open orders allowed on the symbol.
    maintenance_rate : Decimal
        Maintenance margin as a share of the position's value; futures only.
    status : str
        TRADING, or a state in which orders are refused, such as HALT.

    """

    product: Product
    symbol: str
    base: str
    quote: str
    tick: Decimal
    step: Decimal
    min_price: Decimal
    max_price: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    multiplier_up: Decimal
    multiplier_down: Decimal
    max_orders: int = 200
    maintenance_rate: Decimal = Decimal("0.01")
    status: str = "TRADING"

    @cached_property
    def price_decimals(self) -> int:
        """Decimals of a price on the wire: 8 on spot, those of the tick on futures."""
        return _SPOT_DECIMALS if self.product == Product.SPOT else decimals(self.tick)

    @cached_property
    def quantity_decimals(self) -> int:
        """Decimals of a quantity on the wire: 8 on spot, those of the step on futures."""
        return _SPOT_DECIMALS if self.product == Product.SPOT else decimals(self.step)

    def price_text(self, price: Decimal) -> str:
        """Return a price as the exchange writes it."""
        return f"{price:.{self.price_decimals}f}"

    def quantity_text(self, quantity: Decimal) -> str:
        """Return a quantity as the exchange writes it."""
        return f"{quantity:.{self.quantity_decimals}f}"


def decimals(increment: Decimal) -> int:
    """Return how many decimals the increment has, without trailing zeros."""
    return max(0, -int(increment.normalize().as_tuple().exponent))


def amount_text(amount: Decimal) -> str:
    """Return a balance or commission as the exchange writes it."""
    return f"{amount:.8f}"


def product_of(instrument_id: str) -> Product:
    """Return the product that an instrument id of the adapter names: `BTCUSDT-PERP.BINANCE` is a futures contract."""
    return Product.FUTURES if "-PERP" in instrument_id else Product.SPOT


def symbol_of(instrument_id: str) -> str:
    """Return the exchange's symbol of an instrument id of the adapter."""
    return instrument_id.partition(".")[0].removesuffix("-PERP")


def rules_of(instrument: Instrument) -> Rules:
    """Return the rules that a Nautilus instrument describes, with its fees."""
    tick, step = instrument.price_increment.as_decimal(), instrument.size_increment.as_decimal()
    product = Product.SPOT if isinstance(instrument, CurrencyPair) else Product.FUTURES
    lowest, highest = _PRICE_BOUNDS[product]
    return Rules(
        product=product,
        symbol=instrument.raw_symbol.value,
        base=instrument.base_currency.code,
        quote=instrument.quote_currency.code,
        tick=tick,
        step=step,
        min_price=_limit(instrument.min_price, tick),
        max_price=_limit(instrument.max_price, tick * 100_000_000),
        min_quantity=_limit(instrument.min_quantity, step),
        max_quantity=_limit(instrument.max_quantity, step * 100_000_000),
        min_notional=_limit(instrument.min_notional, Decimal(0)),
        maker_fee=instrument.maker_fee,
        taker_fee=instrument.taker_fee,
        multiplier_down=lowest,
        multiplier_up=highest,
    )


def _limit(value: object, otherwise: Decimal) -> Decimal:
    return otherwise if value is None else Decimal(value.as_decimal())  # type: ignore[attr-defined]

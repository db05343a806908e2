"""
Binance's fee tiers, and what fills would have cost at other fees.

The tables are the standard ones, without temporary programmes, which only lower them. Those of USD-M futures are the
ones of the engine's Binance adapter (1.231); those of spot were read on `AS_OF` from public guides to the schedule at
`SOURCE`, not from Binance itself. What an account pays stands on its own fee page; `backtest.fees` of a setup takes any
rate.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from models.attribution import EXACT

AS_OF: Final = "2026-11-20"
SOURCE: Final = "https://www.binance.com/en/fee/schedule"

type Market = Literal["spot", "usdm"]

_BPS: Final = Decimal("0.0001")
_ZERO: Final = Decimal(0)


class FeeRates(NamedTuple):
    """
    What a fill costs, in basis points of its value; a rebate is negative.

    `from_received` says that a buy on spot pays in the base asset that it receives; otherwise the fee is paid in the
    quote currency, or in BNB of that value.
    """

    name: str
    maker_bps: Decimal
    taker_bps: Decimal
    from_received: bool = False


class PricedFill(NamedTuple):
    """
    What of a fill decides its fee.

    Parameters
    ----------
    maker : bool
        Whether the own order rested.
    buys : bool
        Whether it bought.
    quantity, price : Decimal
        Base asset, and quote currency per unit.
    last_mid : Decimal
        The mid at the end of the run: what base asset that was taken as a fee would be worth then.

    """

    maker: bool
    buys: bool
    quantity: Decimal
    price: Decimal
    last_mid: Decimal


_MAKER_TAKER: Final[dict[Market, tuple[tuple[str, str], ...]]] = {
    "spot": (
        ("10", "10"),
        ("9", "10"),
        ("8", "10"),
        ("4.2", "6"),
        ("4.2", "5.4"),
        ("3.6", "4.8"),
        ("3", "4.2"),
        ("2.4", "3.6"),
        ("1.8", "3"),
        ("1.2", "2.4"),
    ),
    "usdm": (
        ("2", "5"),
        ("1.6", "4"),
        ("1.4", "3.5"),
        ("1.2", "3.2"),
        ("1", "3"),
        ("0.8", "2.7"),
        ("0.6", "2.5"),
        ("0.4", "2.2"),
        ("0.2", "2"),
        ("0", "1.7"),
    ),
}
_BNB_SHARE: Final[dict[Market, Decimal]] = {"spot": Decimal("0.75"), "usdm": Decimal("0.9")}
"""What is left of a fee that is paid in BNB."""
_REBATES_BPS: Final = ("0", "-0.25", "-0.5", "-1")


def tiers(market: Market) -> Iterator[FeeRates]:
    """Yield VIP 0 to VIP 9, each as it is and paid in BNB, from dear to cheap; VIP 0 is the ordinary account."""
    for level, (maker, taker) in enumerate(_MAKER_TAKER[market]):
        rates = FeeRates(f"VIP {level}", Decimal(maker), Decimal(taker), from_received=market == "spot")
        yield rates
        share = _BNB_SHARE[market]
        maker_bps, taker_bps = EXACT.multiply(rates.maker_bps, share), EXACT.multiply(rates.taker_bps, share)
        yield FeeRates(f"{rates.name}, in BNB", maker_bps, taker_bps)


def rebates(market: Market) -> Iterator[FeeRates]:
    """Yield no maker fee and the rebates of programmes for market makers, with the taker fee of VIP 9."""
    taker = Decimal(_MAKER_TAKER[market][-1][1])
    for maker in _REBATES_BPS:
        told = "no maker fee" if maker == "0" else f"maker rebate {maker.lstrip('-')} bps"
        yield FeeRates(told, Decimal(maker), taker)


def fees_of(fills: Iterable[PricedFill], rates: FeeRates) -> Decimal:
    """
    Return what the fees of `fills` take from the profit of the run, in the quote currency; negative for rebates.

    A fee in the base asset takes with it what it would have earned or lost until the end of the run, so it counts at
    the last mid. The venue rounds each fee to 8 decimals of its asset, which is not done here.

    Raises
    ------
    decimal.Inexact
        If a product or the sum does not fit into 50 digits.

    """
    total = _ZERO
    for fill in fills:
        rate = EXACT.multiply(rates.maker_bps if fill.maker else rates.taker_bps, _BPS)
        price = fill.last_mid if rates.from_received and fill.buys else fill.price
        total = EXACT.add(total, EXACT.multiply(EXACT.multiply(fill.quantity, price), rate))
    return total

"""Fees of the same fills at other rates, held against sums by hand and against what the tables must keep."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.fee_tiers import FeeRates, Market, PricedFill, fees_of, rebates, tiers

D = Decimal
BUY = PricedFill(maker=True, buys=True, quantity=D(10), price=D(2), last_mid=D(3))
SALE = PricedFill(maker=False, buys=False, quantity=D(10), price=D(2), last_mid=D(3))
MARKETS: list[Market] = ["spot", "usdm"]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        (FeeRates("", D(10), D(20)), "0.06"),  # 20 at 10 bps and 20 at 20 bps
        (FeeRates("", D(10), D(20), from_received=True), "0.07"),  # the buy pays 0.01 of the asset, worth 3 each
        (FeeRates("", D(-1), D(0)), "-0.002"),
    ],
)
def test_fees_by_hand(rates: FeeRates, expected: str) -> None:
    assert fees_of([BUY, SALE], rates) == D(expected)


@given(
    quantity=st.decimals("0.001", "1000000", places=3),
    price=st.decimals("0.01", "100000", places=2),
    maker_bps=st.decimals("-5", "20", places=3),
    parts=st.integers(2, 5),
)
def test_fees_are_exact_and_proportional(quantity: Decimal, price: Decimal, maker_bps: Decimal, parts: int) -> None:
    fill = PricedFill(maker=True, buys=True, quantity=quantity, price=price, last_mid=price)
    whole = fill._replace(quantity=quantity * parts)
    for from_received in (False, True):
        rates = FeeRates("", maker_bps, D(5), from_received)
        assert (
            fees_of([fill] * parts, rates) == fees_of([whole], rates) == quantity * parts * price * maker_bps / 10_000
        )


@pytest.mark.parametrize("market", MARKETS)
def test_tiers_get_cheaper_and_bnb_is_a_discount(market: Market) -> None:
    rows = list(tiers(market))
    plain, in_bnb = rows[::2], rows[1::2]

    assert [row.name for row in plain] == [f"VIP {level}" for level in range(10)]
    for rates in (plain, in_bnb):
        assert [row.maker_bps for row in rates] == sorted((row.maker_bps for row in rates), reverse=True)
        assert [row.taker_bps for row in rates] == sorted((row.taker_bps for row in rates), reverse=True)
    for row, cheaper in zip(plain, in_bnb, strict=True):
        assert cheaper.maker_bps == row.maker_bps * (D("0.75") if market == "spot" else D("0.9"))
        assert not cheaper.from_received
        assert row.from_received == (market == "spot")


def test_the_ordinary_tiers_of_futures_are_those_of_the_adapter() -> None:
    from unittest.mock import Mock

    from nautilus_trader.adapters.binance.common.enums import BinanceAccountType
    from nautilus_trader.adapters.binance.futures.providers import BinanceFuturesInstrumentProvider

    provider = BinanceFuturesInstrumentProvider(Mock(), Mock(), BinanceAccountType.USDT_FUTURES)
    theirs = [provider._fee_rates[level] for level in range(10)]

    ours = list(tiers("usdm"))[::2]
    assert [(row.maker_bps, row.taker_bps) for row in ours] == [
        (D(rate.maker) * 10_000, D(rate.taker) * 10_000) for rate in theirs
    ]


@pytest.mark.parametrize("market", MARKETS)
def test_rebates_pay_the_maker(market: Market) -> None:
    rows = list(rebates(market))

    assert rows[0].maker_bps == 0
    assert all(row.maker_bps < 0 for row in rows[1:])
    assert fees_of([BUY], rows[-1]) == D("-0.002")

"""Funding payments: rounding, and sharing out."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.funding import funding_hour, split_payment

STEP = Decimal("1e-8")
amounts = st.decimals(-1000, 1000, places=8)
values = st.lists(st.decimals(-(10**6), 10**6, places=3).filter(bool), min_size=1, max_size=5)


@given(amounts, values)
def test_the_parts_of_a_payment_are_all_of_it(amount: Decimal, held: list[Decimal]) -> None:
    parts = split_payment(amount, held, STEP)

    assert sum(parts) == amount
    assert len(parts) == len(held)
    assert all(part == part.quantize(STEP) for part in parts)


def test_a_long_and_a_short_have_opposite_parts() -> None:
    assert split_payment(Decimal(-5), [Decimal(1500), Decimal(-1000)], STEP) == [Decimal(-15), Decimal(10)]


def test_positions_that_cancel_out_share_by_size() -> None:
    assert split_payment(Decimal(3), [Decimal(100), Decimal(-100)], STEP) == [Decimal("1.5"), Decimal("1.5")]


def test_a_settlement_is_named_by_its_hour() -> None:
    eight = 1_704_096_000_000_000_000

    assert funding_hour(eight) == funding_hour(eight + 3_000_000) == funding_hour(eight - 3_000_000)
    assert funding_hour(eight) + 1 == funding_hour(eight + 3_600_000_000_000)

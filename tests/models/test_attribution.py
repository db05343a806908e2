import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.attribution import Fill, Parts, PositionLedger, attribute, markout_bps

prices = st.decimals(Decimal("0.01"), Decimal("99999"), places=8)
signed = st.decimals(-1000, 1000, places=8)
fees = st.decimals(-5, 5, places=16)
base_fees = st.just(Decimal(0)) | st.decimals(0, 1, places=8)
maybe_fill = st.none() | st.tuples(signed, prices, fees, base_fees)


def steps(shortest):
    return st.lists(st.tuples(st.integers(shortest, 3), prices, maybe_fill), max_size=10)


def scenario(steps):
    """Fills and mids from (time since the last, mid, fill after it or None), from a mid of 100.005 at time 0."""
    time, mids, fills = 0, [(0, Decimal("100.005"))], []
    for gap, mid, fill in steps:
        time += gap
        mids.append((time, mid))
        if fill is not None:
            fills.append(Fill(time, *fill))
    return fills, mids


@given(steps(0), signed, st.integers(0, 8))
@settings(max_examples=30)
def test_both_identities_hold_exactly(steps, position, horizon):
    found = attribute(*scenario(steps), horizon, position)
    with decimal.localcontext(prec=60):
        assert found.spread + found.inventory_mtm + found.fees == found.total
        assert found.spread + found.adverse + found.carry + found.initial + found.fees == found.total
        assert found.markout == found.spread + found.adverse


@given(steps(0), signed)
@settings(max_examples=30)
def test_total_is_the_change_in_equity_computed_with_fractions(steps, position):
    fills, mids = scenario(steps)
    cash = sum((-Fraction(f.signed_qty) * Fraction(f.price) - Fraction(f.fee) for f in fills), Fraction(0))
    held = Fraction(position) + sum((Fraction(f.signed_qty) - Fraction(f.fee_base) for f in fills), Fraction(0))
    total = cash + held * Fraction(mids[-1][1]) - Fraction(position) * Fraction(mids[0][1])
    assert Fraction(attribute(fills, mids, 1, position).total) == total


@given(steps(1), signed, st.lists(fees, max_size=3))
@settings(max_examples=30)
def test_online_and_batch_agree_exactly(steps, position, payments):
    ledger = PositionLedger(position, Decimal("100.005"))
    for _, mid, fill in steps:
        ledger.mark(mid)
        if fill is not None:
            quantity, price, fee, fee_base = fill
            ledger.fill(quantity, price, fee, mid, fee_base)
    for payment in payments:
        ledger.fund(payment)
    found = attribute(*scenario(steps), 0, position)
    with decimal.localcontext(prec=60):
        funding = sum(payments, Decimal(0))
        assert ledger.parts == Parts(found.spread, found.inventory_mtm, found.fees, funding)
        assert ledger.equity_change == found.total + funding == ledger.parts.total


def test_ledger_by_hand():
    ledger = PositionLedger()
    # Buy 2 at 99 with the mid at 100, the mid falls to 98, sell 2 at 98.5, pay 0.1 per fill, receive 0.25 of funding.
    assert ledger.fill(Decimal(2), Decimal(99), Decimal("0.1"), Decimal(100)) == 2
    ledger.mark(Decimal(98))
    assert ledger.fill(Decimal(-2), Decimal("98.5"), Decimal("0.1"), Decimal(98)) == 1
    ledger.fund(Decimal("0.25"))
    assert ledger.parts == Parts(
        spread=Decimal(3), inventory=Decimal(-4), fees=Decimal("-0.2"), funding=Decimal("0.25")
    )
    assert ledger.position == 0
    assert ledger.cash_change == ledger.equity_change == Decimal("-0.95")


def test_a_fee_in_the_base_asset_shortens_the_position():
    ledger = PositionLedger(Decimal(5), Decimal(10))
    ledger.fill(Decimal(1), Decimal("9.9"), Decimal(0), Decimal(10), fee_base=Decimal("0.001"))
    assert ledger.position == Decimal("5.999")
    assert ledger.parts == Parts(spread=Decimal("0.1"), inventory=Decimal(0), fees=Decimal("-0.01"), funding=Decimal(0))
    assert ledger.equity_change == Decimal("0.09") == ledger.parts.total


def test_attribution_by_hand():
    # Held 1 from 100. Buy 2 at 99 when the mid is 100; 98 within the horizon; 103 at the end. A rebate of 0.5.
    mids = [(0, Decimal(100)), (10, Decimal(98)), (30, Decimal(103))]
    found = attribute([Fill(5, Decimal(2), Decimal(99), Decimal("-0.5"))], mids, 10, Decimal(1))
    assert (found.spread, found.adverse, found.carry) == (2, -4, 10)
    assert (found.initial, found.inventory_mtm) == (3, 9)
    assert (found.fees, found.total) == (Decimal("0.5"), Decimal("11.5"))
    assert found.markout == -2


def test_a_mid_at_the_time_of_a_fill_comes_before_it():
    mids = [(0, Decimal(100)), (5, Decimal(101)), (5, Decimal(102)), (9, Decimal(103))]
    found = attribute([Fill(5, Decimal(1), Decimal(100))], mids, 4, Decimal(0))
    assert (found.spread, found.adverse, found.carry, found.inventory_mtm) == (2, 1, 0, 1)


def test_the_horizon_ends_with_the_data():
    found = attribute([Fill(0, Decimal(1), Decimal(100))], [(0, Decimal(100)), (5, Decimal(104))], 10**18)
    assert (found.adverse, found.carry) == (4, 0)


def test_markout_is_weighted_by_notional():
    fills = [Fill(0, Decimal(3), Decimal(100)), Fill(1, Decimal(-1), Decimal(100)), Fill(2, Decimal(7), Decimal(100))]
    assert markout_bps(fills, [Decimal("100.02"), Decimal("100.02"), None]) == pytest.approx((0.06 - 0.02) / 400 * 1e4)
    assert markout_bps(fills, [None] * 3) is None
    assert markout_bps([], []) is None


def test_nothing_is_rounded_silently():
    ledger = PositionLedger()
    with pytest.raises(decimal.Inexact):
        ledger.fill(Decimal(1) / Decimal(3), Decimal(2).sqrt(), Decimal(0), Decimal(100))
    exact = Decimal("1.0000000000000001")
    ledger.fill(exact, exact, Decimal(0), exact)
    assert ledger.cash_change == Decimal("-1.00000000000000020000000000000001")


@pytest.mark.parametrize(
    ("fills", "mids", "horizon", "message"),
    [
        ([], [], 0, "no mid"),
        ([Fill(0, Decimal(1), Decimal(1))], [(1, Decimal(1))], 0, "before the first mid"),
        ([], [(2, Decimal(1)), (1, Decimal(1))], 0, "mids were not in order"),
        (
            [Fill(3, Decimal(1), Decimal(1)), Fill(2, Decimal(1), Decimal(1))],
            [(1, Decimal(1))],
            0,
            "fills were not in order",
        ),
        ([], [(1, Decimal(1))], -1, "horizon_ns"),
    ],
)
def test_attribution_refuses_what_it_cannot_value(fills, mids, horizon, message):
    with pytest.raises(ValueError, match=message):
        attribute(fills, mids, horizon)


def test_a_position_needs_a_mid():
    with pytest.raises(ValueError, match="cannot be valued"):
        PositionLedger(Decimal(1))

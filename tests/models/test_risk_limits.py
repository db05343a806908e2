"""The rules for one order, at their boundaries in exact decimals."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.risk_exposure import Exposure
from models.risk_limits import (
    Breach,
    allowed_quantity,
    at_most,
    clock_skew_breach,
    collar_breach,
    crossed_breach,
    exposure_breach,
    free_margin_breach,
    leverage_breach,
    position_breach,
    self_trade_breach,
    stale_breach,
)

amounts = st.decimals(0, 1000, places=3)
positions = st.decimals(-1000, 1000, places=3)
sides = st.sampled_from([1, -1])


@pytest.mark.parametrize(
    ("side", "quantity", "position", "buys", "sells", "allowed"),
    [
        (1, "3", "0", "0", "0", "3"),
        (1, "3", "8", "0", "0", "2"),
        (1, "3", "6", "2", "5", "2"),
        (1, "3", "10", "0", "0", "0"),
        (1, "3", "12", "0", "0", "0"),
        (1, "30", "-10", "0", "0", "20"),
        (-1, "3", "-8", "0", "0", "2"),
        (-1, "3", "12", "0", "0", "3"),
        (-1, "30", "10", "0", "4", "16"),
    ],
)
def test_the_worst_case_decides_what_is_allowed(  # values by hand, with a limit of 10
    side: int, quantity: str, position: str, buys: str, sells: str, allowed: str
) -> None:
    exposure = Exposure(Decimal(position), Decimal(buys), Decimal(sells))

    assert allowed_quantity(side, Decimal(quantity), exposure, Decimal(10)) == Decimal(allowed)
    assert (position_breach(side, Decimal(quantity), exposure, Decimal(10)) is None) == (quantity == allowed)


@given(sides, amounts, positions, amounts, amounts, amounts)
def test_what_is_allowed_never_leads_beyond_the_limit_in_the_worst_case(
    side: int, quantity: Decimal, position: Decimal, buys: Decimal, sells: Decimal, limit: Decimal
) -> None:
    exposure = Exposure(position, buys, sells)

    allowed = allowed_quantity(side, quantity, exposure, limit)

    assert 0 <= allowed <= quantity
    if allowed > 0:
        assert side * exposure.net(side, allowed) <= limit


@given(sides, amounts, positions, amounts)
def test_an_order_that_only_reduces_is_always_allowed(
    side: int, quantity: Decimal, position: Decimal, limit: Decimal
) -> None:
    held = -side * abs(position)

    assert position_breach(side, min(quantity, abs(held)), Exposure(held), limit) is None


@pytest.mark.parametrize(
    ("side", "price", "reference", "bps", "passes"),
    [
        (1, "107.1", "105", "200", True),
        (1, "107.1000000001", "105", "200", False),
        (-1, "102.9", "105", "200", True),  # in floats 105 × 0.98 is not 102.9
        (-1, "102.8999999999", "105", "200", False),
        (1, "1", "105", "200", True),
        (-1, "1000", "105", "200", True),
    ],
)
def test_the_collar_at_its_edge(side: int, price: str, reference: str, bps: str, passes: bool) -> None:
    breach = collar_breach(side, Decimal(price), Decimal(reference), Decimal(bps))

    assert (breach is None) == passes
    if breach:
        assert breach == ("price_collar_bps", Decimal(price), Decimal("107.1") if side > 0 else Decimal("102.9"))


@pytest.mark.parametrize(
    ("side", "price", "own", "passes"),
    [
        (1, "99", ["100", "101"], True),
        (1, "100", ["101", "100"], False),
        (-1, "101", ["100", "99"], True),
        (-1, "100", ["99", "100"], False),
        (-1, "1", [], True),
    ],
)
def test_an_order_never_meets_an_own_one(side: int, price: str, own: list[str], passes: bool) -> None:
    breach = self_trade_breach(side, Decimal(price), [Decimal(text) for text in own])

    assert breach == (None if passes else Breach("self_trade", Decimal(price), Decimal("100")))


def test_limits_hold_strictly_beyond_them() -> None:
    assert at_most("x", Decimal("5.00"), Decimal(5)) is None
    assert at_most("x", Decimal("5.01"), Decimal(5)) == ("x", Decimal("5.01"), Decimal(5))
    assert stale_breach(5_000_000_000, 0, Decimal(5)) is None
    assert stale_breach(5_000_000_001, 0, Decimal(5)) == ("max_data_age_secs", Decimal("5.000000001"), Decimal(5))
    for local_ns, venue_ns in ((0, 5_000_000_000), (5_000_000_000, 0)):
        assert clock_skew_breach(local_ns, venue_ns, Decimal(5)) is None
        breach = clock_skew_breach(local_ns * 2, venue_ns * 2, Decimal(5))
        assert breach == ("max_clock_skew_secs", Decimal(10), Decimal(5))


@pytest.mark.parametrize(
    ("bid", "ask", "good"), [("1", "2", True), ("2", "2", False), ("3", "2", False), ("0", "2", 0)]
)
def test_a_crossed_or_empty_market_is_no_market(bid: str, ask: str, good: bool) -> None:
    assert (crossed_breach(Decimal(bid), Decimal(ask)) is None) == bool(good)


def test_an_exposure_that_does_not_grow_passes_even_beyond_its_limit() -> None:
    assert exposure_breach("x", Decimal(12), Decimal(11), Decimal(10)) is None
    assert exposure_breach("x", Decimal(11), Decimal(11), Decimal(10)) is None
    assert exposure_breach("x", Decimal(9), Decimal(10), Decimal(10)) is None
    assert exposure_breach("x", Decimal(9), Decimal("10.1"), Decimal(10)) == ("x", Decimal("10.1"), Decimal(10))


@pytest.mark.parametrize(
    ("before", "after", "equity", "expected"),
    [
        ("0", "300", "100", None),
        ("0", "300.01", "100", ("max_leverage", Decimal("3.0001"), Decimal(3))),
        ("400", "350", "100", None),
        ("0", "1", "0", ("max_leverage", Decimal(1), Decimal(0))),
        ("0", "1", "-5", ("max_leverage", Decimal(1), Decimal(0))),
        ("2", "1", "-5", None),
    ],
)
def test_leverage(before: str, after: str, equity: str, expected: object) -> None:
    assert leverage_breach(Decimal(before), Decimal(after), Decimal(equity), Decimal(3)) == expected


@pytest.mark.parametrize(
    ("before", "after", "equity", "expected"),
    [
        ("0", "800", "100", None),  # at 10×, 80 are margin and 20 % free
        ("0", "801", "100", ("min_free_margin_pct", Decimal("19.9"), Decimal(20))),
        ("900", "850", "100", None),
        ("0", "1", "0", ("min_free_margin_pct", Decimal(0), Decimal(20))),
    ],
)
def test_free_margin(before: str, after: str, equity: str, expected: object) -> None:
    assert free_margin_breach((Decimal(before), Decimal(after)), Decimal(equity), Decimal(10), Decimal(20)) == expected


def test_a_breach_reads_as_rule_value_and_limit() -> None:
    assert str(Breach("max_order_qty", Decimal("5.500"), Decimal("5E+1"))) == "max_order_qty: was 5.5, the limit is 50"

"""The range of prices in a window, against a plain recount."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.price_moves import PriceRange

SECOND = 1_000_000_000
prices = st.lists(st.tuples(st.integers(0, 5), st.integers(9_000, 11_000)), min_size=1, max_size=60)


@given(prices, st.integers(1, 20), st.integers(1, 2_000))
def test_breaks_whenever_the_window_holds_too_wide_a_range(
    moves: list[tuple[int, int]], window_secs: int, limit_bps: int
) -> None:
    watched = PriceRange(Decimal(limit_bps), window_secs * SECOND)
    now, seen = 0, []
    for later, price in moves:
        now += later * SECOND
        seen.append((now, Decimal(price)))
        kept = [known for ts, known in seen if ts > now - window_secs * SECOND]
        low = min(kept)

        breach = watched.update(now, Decimal(price))

        assert (breach is not None) == ((max(kept) - low) * 10_000 > limit_bps * low)
        if breach is not None:
            assert breach.rule == "max_price_move_bps"
            assert float(breach.value) == pytest.approx(float((max(kept) / low - 1) * 10_000), abs=1e-4)


def test_a_move_of_exactly_the_limit_is_within_it() -> None:
    watched = PriceRange(Decimal(100), 60 * SECOND)

    assert watched.update(0, Decimal(100)) is None
    assert watched.update(SECOND, Decimal(101)) is None
    assert watched.update(2 * SECOND, Decimal("101.01")) == ("max_price_move_bps", Decimal(101), 100)
    assert watched.update(60 * SECOND, Decimal("101.01")) is None  # the 100 of the start is forgotten

import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market_making.avellaneda_stoikov import (
    finite_horizon_quotes,
    infinite_horizon_indifference,
    infinite_horizon_quotes,
    liquidity_premium,
    reservation_price,
    total_spread,
)

inventories = st.integers(-50, 50)
gammas = st.floats(1e-6, 5.0)
kappas = st.floats(0.05, 100.0)


def frozen_inventory_value(
    cash: Decimal, mid: Decimal, q: int, gamma: Decimal, sigma: Decimal, tau: Decimal
) -> Decimal:
    """Utility of holding q lots to the end: E[-exp(-gamma (x + q S_T))] of a Gaussian S_T, equation (3)."""
    return -(-gamma * cash - gamma * q * mid + gamma**2 * q**2 * sigma**2 * tau / 2).exp()


def infinite_value(cash: Decimal, mid: Decimal, q: int, gamma: Decimal, sigma: Decimal, limit: int) -> Decimal:
    """Discounted utility of holding q lots for ever."""
    omega = gamma**2 * sigma**2 * (limit + 1) ** 2 / 2
    return -(-gamma * (cash + q * mid)).exp() / (omega - gamma**2 * sigma**2 * q**2 / 2)


def solve(falling) -> float:
    """Root by bisection of a function that falls through zero in [0, 200]."""
    low, high = Decimal(0), Decimal(200)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return float((low + high) / 2)


@pytest.mark.parametrize("q", [-7, 0, 3])
@pytest.mark.parametrize(("gamma", "sigma", "tau"), [("0.1", "2", "1"), ("0.01", "2", "0.25"), ("1", "0.5", "0.6")])
def test_reservation_price_solves_the_indifference_equations(q, gamma, sigma, tau):
    with localcontext(prec=35):
        g, s, t, mid = Decimal(gamma), Decimal(sigma), Decimal(tau), Decimal(100)
        now = frozen_inventory_value(Decimal(0), mid, q, g, s, t)
        buy = solve(lambda price: frozen_inventory_value(-price, mid, q + 1, g, s, t) - now)
        sell = solve(lambda price: now - frozen_inventory_value(price, mid, q - 1, g, s, t))
    assert reservation_price(100.0, q, float(g), float(s), float(t)) == pytest.approx((buy + sell) / 2, rel=1e-12)
    bid, ask = finite_horizon_quotes(100.0, q, float(g), float(s), 1.5, float(t))
    premium = liquidity_premium(float(g), 1.5)
    assert (bid, ask) == pytest.approx((buy - premium, sell + premium), rel=1e-12)


@pytest.mark.parametrize("q", [-9, 0, 4])
@pytest.mark.parametrize(("gamma", "sigma"), [("0.1", "2"), ("0.5", "0.3"), ("1", "1")])
def test_infinite_horizon_prices_solve_the_indifference_equations(q, gamma, sigma):
    with localcontext(prec=35):
        g, s, mid = Decimal(gamma), Decimal(sigma), Decimal(100)
        now = infinite_value(Decimal(0), mid, q, g, s, 10)
        buy = solve(lambda price: infinite_value(-price, mid, q + 1, g, s, 10) - now)
        sell = solve(lambda price: now - infinite_value(price, mid, q - 1, g, s, 10))
    assert infinite_horizon_indifference(100.0, q, float(g), 10) == pytest.approx((buy, sell), rel=1e-12)
    bid, ask = infinite_horizon_quotes(100.0, q, float(g), float(s), 1.5, 10)
    premium = liquidity_premium(float(g), 1.5)
    assert (bid, ask) == pytest.approx((buy - premium, sell + premium), rel=1e-12)


@pytest.mark.parametrize("gamma", [0.02, 0.1, 1.0])
def test_liquidity_premium_is_the_best_distance_for_exponential_fills(gamma):
    # The maker maximises exp(-k d) (1 - exp(-gamma d)) over its distance d from the indifference price.
    kappa = 1.5
    grid = [i * 1e-4 for i in range(1, 12_000)]
    best = max(grid, key=lambda d: math.exp(-kappa * d) * -math.expm1(-gamma * d))
    assert liquidity_premium(gamma, kappa) == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize(("gamma", "published"), [(0.1, 1.49), (0.01, 1.35), (1.0, 3.02)])
def test_average_spread_is_that_of_the_papers_tables(gamma, published):
    assert total_spread(gamma, 2.0, 1.5, 0.5) == pytest.approx(published, abs=0.005)


@pytest.mark.parametrize("gamma", [0.0, 5e-324, 1e-300, 1e-12, 1.4e-8, 1.6e-8, 1e-6])
def test_spread_is_continuous_through_zero_risk_aversion(gamma):
    assert total_spread(gamma, 2.0, 1.5, 1.0) == pytest.approx(2 / 1.5 + gamma * (4.0 - 1 / 1.5**2), rel=1e-11)


@given(inventories, gammas, st.floats(0, 10), kappas, st.floats(0, 5))
@settings(max_examples=50)
def test_finite_horizon_bid_is_below_ask_and_mirrors(q, gamma, sigma, kappa, tau):
    bid, ask = finite_horizon_quotes(0.0, q, gamma, sigma, kappa, tau)
    mirrored_bid, mirrored_ask = finite_horizon_quotes(0.0, -q, gamma, sigma, kappa, tau)
    assert bid < ask
    assert (bid, ask) == (-mirrored_ask, -mirrored_bid)


@given(st.integers(-10, 10), gammas, st.floats(0, 10), kappas)
@settings(max_examples=50)
def test_infinite_horizon_bid_is_below_ask_and_mirrors(q, gamma, sigma, kappa):
    bid, ask = infinite_horizon_quotes(0.0, q, gamma, sigma, kappa, 10)
    mirrored_bid, mirrored_ask = infinite_horizon_quotes(0.0, -q, gamma, sigma, kappa, 10)
    assert bid < ask
    assert (bid, ask) == (-mirrored_ask, -mirrored_bid)


@given(st.integers(-9, 8), gammas, kappas)
@settings(max_examples=50)
def test_quotes_fall_as_inventory_grows(q, gamma, kappa):
    bid, ask = infinite_horizon_quotes(0.0, q, gamma, 1.0, kappa, 10)
    next_bid, next_ask = infinite_horizon_quotes(0.0, q + 1, gamma, 1.0, kappa, 10)
    assert next_bid < bid
    assert next_ask < ask


@pytest.mark.parametrize("q", [10, 10.5, 11, 40])
def test_no_quote_that_would_exceed_the_inventory_limit(q):
    bid, ask = infinite_horizon_quotes(100.0, q, 0.1, 2.0, 1.5, 10)
    assert bid == -math.inf
    assert ask == infinite_horizon_quotes(100.0, 10, 0.1, 2.0, 1.5, 10)[1] < 100.0
    assert infinite_horizon_quotes(100.0, -q, 0.1, 2.0, 1.5, 10)[1] == math.inf


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (liquidity_premium, (0.1, 0.0)),
        (liquidity_premium, (-0.1, 1.5)),
        (liquidity_premium, (math.nan, 1.5)),
        (reservation_price, (100.0, 1, -0.1, 2.0, 1.0)),
        (reservation_price, (100.0, 1, 0.1, -2.0, 1.0)),
        (reservation_price, (100.0, 1, 0.1, 2.0, -1.0)),
        (total_spread, (0.1, 2.0, -1.5, 1.0)),
        (total_spread, (0.1, -2.0, 1.5, 1.0)),
        (total_spread, (0.1, 2.0, 1.5, -1.0)),
        (infinite_horizon_quotes, (100.0, 1, 0.0, 2.0, 1.5, 10)),
        (infinite_horizon_quotes, (100.0, 1, 0.1, -2.0, 1.5, 10)),
        (infinite_horizon_quotes, (100.0, 1, 0.1, 2.0, 1.5, 0)),
    ],
)
def test_parameters_out_of_range_are_refused(function, arguments):
    with pytest.raises(ValueError, match=r"was (not positive|negative)"):
        function(*arguments)

import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market_making.glft import (
    glft_distances,
    glft_quotes,
    gueant_distances,
    gueant_quotes,
    skew_per_unit,
)
from models.market_making.glft_spectral import GlftModel, stationary_quotes

inventories = st.floats(-50, 50)
gammas = st.floats(0, 5.0)
sigmas = st.floats(0, 10)
rates = st.floats(0.01, 100.0)
kappas = st.floats(0.05, 100.0)


def as_printed(q, gamma, sigma, intensity, kappa, mu, xi) -> tuple[float, float]:
    """Evaluate the approximations of sections 4, 5.1 and 5.2 as they are printed, in 40 digits."""
    with localcontext(prec=40):
        q, g, s, a, k, m, x = (Decimal(str(value)) for value in (q, gamma, sigma, intensity, kappa, mu, xi))
        first = (1 + g / k).ln() / g + x / 2
        root = (k * x / 4).exp() * (s**2 * g / (2 * k * a) * (1 + g / k) ** (1 + k / g)).sqrt()
        bid = first + (-m / (g * s**2) + (2 * q + 1) / 2) * root
        ask = first + (m / (g * s**2) - (2 * q - 1) / 2) * root
    return float(bid), float(ask)


@pytest.mark.parametrize("q", [-7, 0, 2.5])
@pytest.mark.parametrize("drift_and_impact", [(0.0, 0.0), (-0.02, 0.0), (0.0, 0.7), (0.01, 0.5)])
@pytest.mark.parametrize("market", [(0.01, 0.3, 0.9, 0.3), (1.3, 2.0, 140.0, 1.5), (40.0, 0.5, 3.0, 0.2)])
def test_distances_are_the_printed_formulas(q, drift_and_impact, market):
    expected = as_printed(q, *market, *drift_and_impact)
    assert glft_distances(q, *market, *drift_and_impact) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def assert_close_to_exact(model: GlftModel, skew: float, distances) -> None:
    """
    Compare a formula with the eigenproblem, far from the limit.

    The formula takes inventory for continuous, which errs by the square of the skew of one lot (times kappa) and grows
    with the inventory.
    """
    step = model.kappa * skew * model.lot
    exact = stationary_quotes(model, round(7 / math.sqrt(step)))
    for lots in (-3, 0, 1, 4):
        gap = [ours - theirs for ours, theirs in zip(distances(lots * model.lot), exact.distances(lots), strict=True)]
        assert max(map(abs, gap)) < 0.3 * (1 + abs(lots)) * step**2 / model.kappa


@pytest.mark.parametrize("gamma", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize(("shift", "impact"), [(0.0, 0.0), (0.2, 0.0), (0.0, 1.0), (-0.3, 2.0)])
def test_formula_meets_the_exact_quotes_as_inventory_risk_goes_to_zero(gamma, shift, impact):
    market = (gamma, 0.3, 0.9, 0.3)
    drift = shift * gamma * 0.3**2
    skew = skew_per_unit(*market, gamma, 1.0) * math.exp(0.3 * impact / 4)
    model = GlftModel(*market, drift=drift, impact=impact)
    assert_close_to_exact(model, skew, lambda q: glft_distances(q, *market, drift, impact))


@pytest.mark.parametrize("xi", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("lot", [0.5, 3.0])
def test_gueants_formula_meets_the_exact_quotes(xi, lot):
    market = (1e-3, 0.3, 0.9, 0.3)
    skew = skew_per_unit(*market, xi, lot)
    model = GlftModel(*market, xi=xi, lot=lot)
    assert_close_to_exact(model, skew, lambda q: gueant_distances(q, *market, xi, lot))


def test_formula_is_off_near_a_tight_limit():
    market = (0.01, 0.3, 0.9, 0.3)
    exact = stationary_quotes(GlftModel(*market), 10)
    gaps = [exact.distances(q)[0] - glft_distances(q, *market)[0] for q in range(10)]
    assert glft_distances(0, *market)[0] == pytest.approx(3.31, abs=0.005)
    assert max(gaps[:6]) == gaps[5] == pytest.approx(0.20, abs=0.005)
    assert gaps[9] == pytest.approx(1.69, abs=0.005)


@given(inventories, gammas, sigmas, rates, kappas)
@settings(max_examples=50)
def test_gueant_with_one_lot_and_xi_gamma_is_glft(q, gamma, sigma, intensity, kappa):
    glft = glft_quotes(100.0, q, gamma, sigma, intensity, kappa)
    assert gueant_quotes(100.0, q, gamma, sigma, intensity, kappa, gamma, 1.0) == pytest.approx(glft, rel=1e-12)


@pytest.mark.parametrize("xi", [0.0, 5e-324, 1e-300, 1e-12, 1.4e-8, 1.6e-8, 1e-6])
def test_skew_is_continuous_through_zero_xi(xi):
    # (1 + x)^(1/x + 1) = e (1 + x/2 + ...)
    expected = 2.0 * math.sqrt(0.1 / (2 * 5.0 * 1.5) * math.e) * (1 + xi / 1.5 / 4)
    assert skew_per_unit(0.1, 2.0, 5.0, 1.5, xi, 1.0) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("gamma", [0.0, 5e-324, 1e-15])
def test_without_risk_aversion_every_inventory_quotes_one_over_kappa(gamma):
    assert glft_distances(30.0, gamma, 2.0, 5.0, 1.5) == pytest.approx((1 / 1.5, 1 / 1.5), abs=1e-5)
    assert glft_distances(30.0, gamma, 2.0, 5.0, 1.5, impact=0.3)[1] == pytest.approx(1 / 1.5 + 0.15, abs=1e-5)


@given(inventories, gammas, sigmas, rates, kappas, st.floats(0, 1))
@settings(max_examples=50)
def test_bid_is_below_ask_and_mirrors(q, gamma, sigma, intensity, kappa, impact):
    bid, ask = glft_quotes(0.0, q, gamma, sigma, intensity, kappa, 0.0, impact)
    mirrored_bid, mirrored_ask = glft_quotes(0.0, -q, gamma, sigma, intensity, kappa, 0.0, impact)
    assert bid < ask
    assert (bid, ask) == (-mirrored_ask, -mirrored_bid)


@given(inventories, st.floats(0.01, 5), st.floats(0.1, 10), rates, kappas, st.floats(-1, 1))
@settings(max_examples=50)
def test_quotes_fall_with_inventory_rise_with_drift_and_mirror(q, gamma, sigma, intensity, kappa, drift):
    market = (gamma, sigma, intensity, kappa)
    bid, ask = glft_quotes(0.0, q, *market, drift)
    next_bid, next_ask = glft_quotes(0.0, q + 1, *market, drift)
    up_bid, up_ask = glft_quotes(0.0, q, *market, drift + 1)
    assert next_bid < bid < up_bid
    assert next_ask < ask < up_ask
    assert glft_distances(q, *market, drift) == glft_distances(-q, *market, -drift)[::-1]


@given(inventories, gammas, sigmas, rates, kappas, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
@settings(max_examples=50)
def test_units_of_price_and_time_do_not_matter(q, gamma, sigma, intensity, kappa, price, time):
    bid, ask = glft_distances(q, gamma, sigma, intensity, kappa)
    scaled = glft_distances(q, gamma / price, sigma * price / math.sqrt(time), intensity / time, kappa / price)
    assert scaled == pytest.approx((bid * price, ask * price), rel=1e-9, abs=1e-9 * price * (ask + bid))


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (glft_distances, (1, -0.1, 2.0, 5.0, 1.5)),
        (glft_distances, (1, 0.1, -2.0, 5.0, 1.5)),
        (glft_distances, (1, 0.1, 2.0, 0.0, 1.5)),
        (glft_distances, (1, 0.1, 2.0, 5.0, 0.0)),
        (glft_distances, (1, 0.1, 2.0, math.nan, 1.5)),
        (glft_distances, (1, 0.1, 2.0, 5.0, 1.5, 0.0, -0.1)),
        (glft_distances, (1, 0.1, 2.0, 5.0, 1.5, 0.0, 1e4)),
        (glft_distances, (1, 0.0, 2.0, 5.0, 1.5, 0.1)),
        (glft_distances, (1, 0.1, 0.0, 5.0, 1.5, 0.1)),
        (gueant_distances, (1, 0.1, 2.0, 5.0, 1.5, -0.1, 1.0)),
        (gueant_distances, (1, 0.1, 2.0, 5.0, 1.5, 0.1, 0.0)),
    ],
)
def test_parameters_out_of_range_are_refused(function, arguments):
    with pytest.raises(ValueError, match=r"was (not positive|negative|too large)"):
        function(*arguments)

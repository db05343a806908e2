"""Bands, and how far to trade: against the exact boundary problem, and identities that hold for any numbers."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from models.portfolio.bands import band, no_trade_halfwidth, outside
from models.portfolio.lots import Holding, Purchase, affordable, lots_to_trade
from models.portfolio.rebalance import drifted_weights, leave_alone, trades_in_value, two_way_turnover


def exact_halfwidth(target: float, risk_aversion: float, spread: float, variance: float = 0.16**2) -> float:
    """
    Return half the distance of the exact trading boundaries (mu -+ lambda) / (gamma sigma^2).

    lambda solves the free boundary problem of Gerhold et al. (2014, theorem 3.1): an equation for the weight along the
    logarithm of the ratio of risky to safe wealth, from one boundary to the other.
    """
    gamma = risk_aversion
    mean = target * gamma * variance

    def gap(excess: float) -> float:
        low, high = (mean - excess) / (gamma * variance), (mean + excess) / (gamma * variance)
        ratio = high * (low - 1) / (low * (high - 1)) / (1 - spread)

        def slope(_: float, w: np.ndarray) -> np.ndarray:
            return -(1 - gamma) * w**2 - (2 * mean / variance - 1) * w + gamma * low * high

        path = solve_ivp(slope, (0.0, math.log(ratio)), [low], rtol=1e-11, atol=1e-13)
        return float(path.y[0, -1]) - high

    guess = no_trade_halfwidth(target, gamma, spread / 2) * gamma * variance
    return float(brentq(gap, 0.5 * guess, 1.5 * guess, xtol=1e-14)) / (gamma * variance)


@pytest.mark.parametrize(("target", "risk_aversion"), [(0.3, 2.0), (0.625, 5.0), (0.5, 1.5)])
def test_the_no_trade_width_is_that_of_the_exact_boundaries_when_costs_are_small(target, risk_aversion):
    errors = [
        abs(no_trade_halfwidth(target, risk_aversion, spread / 2) / exact_halfwidth(target, risk_aversion, spread) - 1)
        for spread in (1e-3, 1e-5)
    ]

    assert errors[0] < 0.02
    assert errors[1] < 0.001


def test_the_width_written_out():
    cube = 3 / (4 * 2) * (0.25 * 0.75) ** 2 * 0.0025

    assert no_trade_halfwidth(0.25, 2.0, 0.00125) == pytest.approx(cube ** (1 / 3))
    assert no_trade_halfwidth(0.0, 2.0, 0.00125) == no_trade_halfwidth(1.0, 2.0, 0.00125) == 0.0


@pytest.mark.parametrize(("values", "name"), [((1.1, 1, 0), "target"), ((0.5, 0, 0), "risk_"), ((0.5, 1, -1), "cost")])
def test_a_width_of_nonsense_is_refused(values, name):
    with pytest.raises(ValueError, match=name):
        no_trade_halfwidth(*values)


def test_the_band_is_kept_between_nothing_and_everything_and_its_edges_are_inside():
    lower, upper = band(np.array([0.01, 0.5, 0.99]), np.full(3, 0.02))

    assert lower == pytest.approx([0.0, 0.48, 0.97])
    assert upper == pytest.approx([0.03, 0.52, 1.0])
    assert outside(np.array([0.0, upper[1], 1.0]), lower, upper).tolist() == [False, False, False]
    assert outside(np.array([0.04, 0.47, 1.0]), lower, upper).tolist() == [True, True, False]


def test_drift_written_out():
    drifted = drifted_weights(np.array([0.5, 0.3]), np.array([0.1, -0.2]))

    total = 0.55 + 0.24 + 0.2
    assert drifted == pytest.approx([0.55 / total, 0.24 / total])
    assert two_way_turnover(np.array([0.5, 0.3]), np.array([0.4, 0.45])) == pytest.approx(0.25)


@st.composite
def portfolios(draw):
    """Return holdings, cash, targets, half-widths and costs of a few assets."""
    n = draw(st.integers(1, 6))
    amounts = st.floats(0, 1e5)
    holdings = np.array(draw(st.lists(amounts, min_size=n, max_size=n)))
    cash = draw(amounts)
    raw = np.array(draw(st.lists(st.floats(0.01, 1), min_size=n, max_size=n)))
    targets = raw / raw.sum() * draw(st.floats(0.2, 1))
    widths = np.array(draw(st.lists(st.floats(0, 0.1), min_size=n, max_size=n)))
    costs = np.array(draw(st.lists(st.floats(0, 0.01), min_size=n, max_size=n)))
    assume(holdings.sum() + cash > 1)
    return holdings, cash, targets, widths, costs


@given(portfolios(), st.sampled_from(["target", "edge"]))
@settings(max_examples=200, deadline=None)
def test_after_the_trades_every_weight_is_in_its_band_and_paid_for(portfolio, to):
    holdings, cash, targets, widths, costs = portfolio
    edges = band(targets, widths)

    trades = trades_in_value(holdings, cash, targets, edges, costs=costs, to=to)

    left = cash - trades.sum() - costs @ np.abs(trades)
    after = holdings + trades
    equity = after.sum() + left
    assert after.min() >= -1e-6
    assert left >= -1e-6 * equity
    assert (after / equity >= edges[0] - 1e-8).all()
    assert (after / equity <= edges[1] + 1e-8).all()
    if to == "target":
        assert after / equity == pytest.approx(targets, abs=1e-8)


@given(portfolios())
@settings(max_examples=200, deadline=None)
def test_to_the_edge_never_costs_more_than_to_the_target(portfolio):
    holdings, cash, targets, widths, costs = portfolio
    edges = band(targets, widths)

    paid = {
        to: np.full(len(costs), 0.001)
        @ np.abs(trades_in_value(holdings, cash, targets, edges, costs=np.full(len(costs), 0.001), to=to))
        for to in ("target", "edge")
    }

    assert paid["edge"] <= paid["target"] + 1e-6


def test_a_portfolio_inside_its_bands_is_left_alone():
    holdings, targets = np.array([52.0, 29.0]), np.array([0.5, 0.3])

    trades = trades_in_value(holdings, 19.0, targets, band(targets, np.full(2, 0.03)), costs=np.zeros(2), to="edge")

    assert trades.tolist() == [0.0, 0.0]


def test_what_the_cash_does_not_pay_for_comes_from_the_asset_furthest_above_its_target():
    holdings, targets = np.array([36.0, 34.0, 30.0, 0.0]), np.array([0.3, 0.3, 0.3, 0.1])
    edges = band(targets, np.array([0.1, 0.1, 0.1, 0.05]))

    trades = trades_in_value(holdings, 0.0, targets, edges, costs=np.zeros(4), to="edge")

    assert trades == pytest.approx([-5.0, 0.0, 0.0, 5.0])


@pytest.mark.parametrize(
    ("holdings", "cash", "target", "problem"), [([1.0], 0.0, 1.1, "in sum"), ([0.0], 0.0, 0.5, "equity")]
)
def test_what_cannot_be_rebalanced_is_refused(holdings, cash, target, problem):
    targets = np.array([target])

    with pytest.raises(ValueError, match=problem):
        trades_in_value(np.array(holdings), cash, targets, (targets, targets), costs=np.zeros(1), to="edge")


@given(portfolios(), st.integers(0, 63))
@settings(max_examples=100, deadline=None)
def test_assets_that_are_left_alone_keep_their_weights_and_leave_room_for_the_others(portfolio, bits):
    holdings, cash, targets, widths, _ = portfolio
    weights = holdings / (holdings.sum() + cash)
    untouched = np.array([bool(bits >> i & 1) for i in range(len(targets))])

    wanted, (lower, upper) = leave_alone(weights, targets, band(targets, widths), untouched)

    assert wanted[untouched] == pytest.approx(weights[untouched])
    assert wanted.sum() <= 1 + 1e-9
    assert (wanted[~untouched] <= targets[~untouched] + 1e-12).all()
    assert (lower <= wanted).all()
    assert (wanted <= upper).all()


# -- Lots -------------------------------------------------------------------------------------------------------------


def holding(quantity: str = "10", least_lots: int = 1, fee: str = "0") -> Holding:
    """Return a holding of an asset at 20 with a step of 0.1: a lot is worth 2."""
    return Holding(Decimal(quantity), Decimal(quantity), Decimal(20), Decimal("0.1"), least_lots, Decimal(fee))


@pytest.mark.parametrize(
    ("trade", "way", "to", "lots"),
    [
        ("11", "50", "edge", 6),
        ("11", "50", "target", 5),
        ("-11", "-50", "edge", -6),
        ("-11", "-50", "target", -5),
        ("0", "50", "edge", 0),
        ("-500", "-500", "target", -100),  # no more than is held
    ],
)
def test_lots_are_rounded_into_the_band_or_short_of_the_target(trade, way, to, lots):
    assert lots_to_trade(holding(), Decimal(trade), Decimal(way), to) == lots


@pytest.mark.parametrize(
    ("trade", "way", "lots"), [("3", "50", 5), ("-3", "-50", -5), ("3", "9", 0), ("-3", "-9", 0), ("13", "50", 7)]
)
def test_a_trade_below_the_smallest_order_grows_unless_it_would_pass_the_target(trade, way, lots):
    assert lots_to_trade(holding(least_lots=5), Decimal(trade), Decimal(way), "edge") == lots


def test_a_holding_below_the_smallest_order_cannot_be_sold():
    assert lots_to_trade(holding("0.4", least_lots=5), Decimal(-8), Decimal(-100), "edge") == 0


def test_a_purchase_makes_up_for_the_fee_that_is_taken_from_it():
    lots = lots_to_trade(holding(fee="0.001"), Decimal(2000), Decimal(4000), "edge")

    assert lots == 1002  # 1001 lots of 2 bring 1999.998 after a tenth of a per cent


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 500), st.integers(1, 50)), max_size=6),
    st.integers(0, 10**6),
)
def test_purchases_never_cost_more_than_the_cash(rows, cash):
    purchases = [Purchase(lots, Decimal(cost) / 10, least) for lots, cost, least in rows]

    lots = affordable(purchases, Decimal(cash))

    spent = sum(n * purchase.lot_cost for n, purchase in zip(lots, purchases, strict=True))
    wanted = sum(purchase.lots * purchase.lot_cost for purchase in purchases)
    assert spent <= cash
    assert all(n == 0 or n >= p.least_lots or n == p.lots for n, p in zip(lots, purchases, strict=True))
    if wanted <= cash:
        assert spent == wanted

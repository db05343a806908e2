import math
from dataclasses import replace
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market_making.avellaneda_stoikov import finite_horizon_quotes as avellaneda_stoikov_quotes
from models.market_making.glft import glft_distances
from models.market_making.glft_spectral import GlftModel, finite_horizon_quotes, stationary_quotes
from models.market_making.inventory_quotes import InventoryQuotes

# The market of the article's figures 1 to 3: ticks and seconds.
FIGURE_1 = GlftModel(risk_aversion=0.01, sigma=0.3, intensity=0.9, kappa=0.3)
SMALL = GlftModel(risk_aversion=0.4, sigma=0.9, intensity=1.2, kappa=1.5)
VARIANTS = [
    SMALL,
    replace(SMALL, drift=0.3),
    replace(SMALL, impact=0.25),
    replace(SMALL, xi=0.0),
    replace(SMALL, xi=1.1, lot=2.0, drift=-0.2),
    replace(SMALL, risk_aversion=0.0, xi=0.7),
]
models = st.builds(
    GlftModel,
    risk_aversion=st.floats(0, 2),
    sigma=st.floats(0, 3),
    intensity=st.floats(0.05, 50),
    kappa=st.floats(0.05, 10),
    impact=st.floats(0, 0.5),
    lot=st.floats(0.1, 3),
)


class HamiltonJacobiBellman:
    """The maker's problem before any change of variables: the best distance is looked for on a grid, theta by RK4."""

    def __init__(self, model: GlftModel, max_lots: int) -> None:
        self.model = model
        self.q = model.lot * np.arange(-max_lots, max_lots + 1)
        self.grid = np.linspace(-4.0, 8.0, 3001)
        self.rate = model.intensity * np.exp(-model.kappa * self.grid)

    def best(self, extra):
        """Best value and distance of one side; `extra` is what a fill brings besides distance times lot."""
        gain = self.model.lot * self.grid[None, :] + extra[:, None]
        xi = self.model.risk_aversion if self.model.xi is None else self.model.xi
        values = self.rate * (gain if xi == 0 else -np.expm1(-xi * gain) / xi)
        top = np.argmax(values, axis=1)
        left, middle, right = (values[np.arange(len(extra)), top + step] for step in (-1, 0, 1))
        shift = (left - right) / (2 * (left - 2 * middle + right))
        return middle - (left - right) * shift / 4, self.grid[top] + shift * (self.grid[1] - self.grid[0])

    def sides(self, theta):
        """Best values and distances for a buy from q = -Q..Q-1 and for a sell from q = -Q+1..Q."""
        buy = np.diff(theta) - self.model.impact * self.q[1:]
        sell = -np.diff(theta) + self.model.impact * self.q[:-1]
        return self.best(buy), self.best(sell)

    def slope(self, theta):
        (buy, _), (sell, _) = self.sides(theta)
        risk = 0.5 * self.model.risk_aversion * self.model.sigma**2
        change = self.model.drift * self.q - risk * self.q**2
        change[:-1] += buy
        change[1:] += sell
        return change

    def distances(self, time_left, steps, liquidation_cost):
        theta = -liquidation_cost * self.q**2
        step = time_left / steps
        for _ in range(steps):
            k1 = self.slope(theta)
            k2 = self.slope(theta + step / 2 * k1)
            k3 = self.slope(theta + step / 2 * k2)
            k4 = self.slope(theta + step * k3)
            theta = theta + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        (_, below), (_, above) = self.sides(theta)
        return below, above


def matrix(model: GlftModel, max_lots: int):
    """The matrix M of Propositions 2, 4 and 5, from the article's own symbols."""
    q = np.arange(-max_lots, max_lots + 1)
    gamma, k = model.risk_aversion, model.kappa
    eta = model.intensity * (1 + gamma / k) ** -(1 + k / gamma) * math.exp(-k * model.impact / 2)
    beside = np.eye(len(q), k=1)
    return np.diag(k * gamma * model.sigma**2 / 2 * q**2 - k * model.drift * q) - eta * (beside + beside.T)


def distances_from(vector, model: GlftModel):
    constant = math.log1p(model.risk_aversion / model.kappa) / model.risk_aversion + model.impact / 2
    logs = np.log(np.abs(vector[:-1] / vector[1:])) / model.kappa
    return constant + logs, constant - logs


@pytest.mark.parametrize("model", VARIANTS)
@pytest.mark.parametrize("liquidation_cost", [0.0, 0.05])
def test_finite_horizon_solves_the_control_problem(model, liquidation_cost):
    table = finite_horizon_quotes(model, 2, 0.8, liquidation_cost)
    below, above = HamiltonJacobiBellman(model, 2).distances(0.8, 16, liquidation_cost)
    assert table.bid_distances == pytest.approx(below, abs=2e-5)
    assert table.ask_distances == pytest.approx(above, abs=2e-5)


@pytest.mark.parametrize("model", [SMALL, replace(SMALL, drift=0.3), replace(SMALL, impact=0.25), FIGURE_1])
@pytest.mark.parametrize("max_lots", [1, 4, 7])
def test_tables_are_those_of_a_dense_eigenvalue_solver(model, max_lots):
    values, vectors = np.linalg.eigh(matrix(model, max_lots))
    below, above = distances_from(vectors[:, 0], model)
    table = stationary_quotes(model, max_lots)
    assert table.bid_distances == pytest.approx(below, abs=1e-9)
    assert table.ask_distances == pytest.approx(above, abs=1e-9)
    final = np.exp(-model.kappa * model.impact / 2 * np.arange(-max_lots, max_lots + 1) ** 2)
    below, above = distances_from(vectors @ (np.exp(-3.0 * values) * (vectors.T @ final)), model)
    table = finite_horizon_quotes(model, max_lots, 3.0)
    assert table.bid_distances == pytest.approx(below, abs=1e-9)
    assert table.ask_distances == pytest.approx(above, abs=1e-9)


@pytest.mark.parametrize("model", [FIGURE_1, replace(FIGURE_1, drift=0.02), replace(FIGURE_1, sigma=30.0)])
def test_wide_table_is_a_positive_eigenvector(model):
    # A positive eigenvector belongs to the smallest eigenvalue (Perron and Frobenius). Its entries span 10^-180 and
    # less, so the rows of M f = lambda f are compared one by one, in 50 digits.
    table = stationary_quotes(model, 60)
    with localcontext(prec=50):
        k = Decimal(model.kappa)
        logs = [k * (Decimal(distance) - Decimal(model.premium)) for distance in table.bid_distances]
        diagonal = [Decimal(value) for value in model.potential(60).tolist()]
        hop = Decimal(model.hop)
        values = []
        for row, entry in enumerate(diagonal):
            inner = (-logs[row]).exp() if row < 120 else Decimal(0)
            outer = logs[row - 1].exp() if row > 0 else Decimal(0)
            values.append(entry - hop * (inner + outer))
        scale = [max(abs(entry), hop) for entry in diagonal]
        inmost = values[60]
        assert all(abs(value - inmost) < Decimal("1e-12") * size for value, size in zip(values, scale, strict=True))


@pytest.mark.parametrize("model", [SMALL, replace(SMALL, drift=0.3, impact=0.1), replace(SMALL, xi=0.0), FIGURE_1])
def test_far_from_the_end_the_horizon_does_not_matter(model):
    far = finite_horizon_quotes(model, 40, 1e6, 0.01)
    assert far.bid_distances == pytest.approx(stationary_quotes(model, 40).bid_distances, abs=1e-11)


def test_close_to_the_end_they_are_avellanedas_and_stoikovs():
    # GLFT section 4, footnote: their formulas are the expansion of the exact quotes for t close to T.
    time_left = 1e-4
    table = finite_horizon_quotes(SMALL, 6, time_left)
    for q in range(-4, 5):
        expected = avellaneda_stoikov_quotes(100.0, q, 0.4, 0.9, 1.5, time_left)
        assert table.quotes(100.0, q) == pytest.approx(expected, abs=10 * time_left**2)


def test_at_the_end_only_closing_costs_count():
    table = finite_horizon_quotes(replace(SMALL, lot=0.5), 4, 0.0, 0.2)
    constant = math.log1p(0.4 * 0.5 / 1.5) / (0.4 * 0.5)
    for q in range(-4, 4):  # buying from q to q + 1 lots raises the cost by 0.2 ((q + 1)^2 - q^2) 0.5^2, per 0.5
        assert table.distances(q)[0] == pytest.approx(constant + 0.2 * (2 * q + 1) * 0.5, rel=1e-12)


@given(models, st.integers(1, 12), st.floats(0, 20), st.floats(-13, 13))
@settings(max_examples=50)
def test_quotes_do_not_cross_mirror_and_fall_with_inventory(model, max_lots, time_left, q):
    for table in (stationary_quotes(model, max_lots), finite_horizon_quotes(model, max_lots, time_left)):
        bid, ask = table.quotes(0.0, q)
        assert bid < ask
        assert table.quotes(0.0, -q) == pytest.approx((-ask, -bid), abs=1e-9)
        assert np.diff(table.bid_distances).min(initial=math.inf) > -1e-9
        assert np.diff(table.ask_distances).max(initial=-math.inf) < 1e-9


@given(models, st.integers(1, 12), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
@settings(max_examples=30)
def test_units_of_price_and_time_do_not_matter(model, max_lots, price, time):
    scaled = GlftModel(
        risk_aversion=model.risk_aversion / price,
        sigma=model.sigma * price / math.sqrt(time),
        intensity=model.intensity / time,
        kappa=model.kappa / price,
        impact=model.impact * price,
        lot=model.lot,
    )
    expected = np.array(stationary_quotes(model, max_lots).bid_distances) * price
    assert stationary_quotes(scaled, max_lots).bid_distances == pytest.approx(expected, rel=1e-9, abs=1e-9 * price)


@pytest.mark.parametrize("q", [10, 9.5, 9 + 1e-6, 40])
def test_no_quote_that_would_exceed_the_limit(q):
    table = stationary_quotes(FIGURE_1, 10)
    bid, ask = table.quotes(100.0, q)
    assert bid == -math.inf
    assert 0 < ask - 100.0 <= table.distances(9)[1]
    assert table.quotes(100.0, -q)[1] == math.inf
    assert table.distances(10)[1] <= ask - 100.0 + 1e-12


@pytest.mark.parametrize("almost", [3 + 1e-12, 3 - 1e-12])
def test_inventory_between_lots_is_interpolated_and_nearly_whole_is_whole(almost):
    table = InventoryQuotes(4, tuple(float(2**i) for i in range(8)), tuple(float(3**i) for i in range(8)))
    assert table.distances(0) == (16.0, 27.0)
    assert table.distances(1.25) == (0.75 * 32 + 0.25 * 64, 0.75 * 81 + 0.25 * 243)
    assert table.distances(almost) == table.distances(3) == (128.0, 729.0)
    assert table.distances(-4) == table.distances(-99) == (1.0, math.inf)


def test_tighter_limit_quotes_wider_on_the_side_that_adds():
    narrow, wide = stationary_quotes(FIGURE_1, 5), stationary_quotes(FIGURE_1, 20)
    for q in range(5):
        assert narrow.distances(q)[0] > wide.distances(q)[0] > glft_distances(q, 0.01, 0.3, 0.9, 0.3)[0]


@pytest.mark.parametrize(
    "change",
    [
        {"kappa": 0.0},
        {"intensity": 0.0},
        {"lot": 0.0},
        {"sigma": -1.0},
        {"risk_aversion": -0.1},
        {"xi": -0.1},
        {"impact": -0.1},
        {"impact": 1e5},
        {"sigma": math.inf},
        {"drift": math.nan},
        {"kappa": math.nan},
    ],
)
def test_models_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match=rf"{next(iter(change)).replace('xi', 'fill_aversion')} was"):
        replace(FIGURE_1, **change)


@pytest.mark.parametrize(
    ("max_lots", "time_left", "cost", "problem"),
    [
        (0, 1.0, 0.0, "max_lots"),
        (501, 1.0, 0.0, "max_lots"),
        (3, -1.0, 0.0, "time_left"),
        (3, math.inf, 0.0, "time_left"),
        (3, 1.0, -1.0, "liquidation_cost"),
        (300, 1.0, 1.0, "too wide for this liquidation cost"),
        (85, 1.0, 0.0, "too wide for this risk aversion"),
    ],
)
def test_horizons_out_of_range_are_refused(max_lots, time_left, cost, problem):
    with pytest.raises(ValueError, match=problem):
        finite_horizon_quotes(replace(FIGURE_1, sigma=30.0), max_lots, time_left, cost)

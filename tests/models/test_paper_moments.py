import itertools
import math

import numpy as np
import pytest

from models.market_making.avellaneda_stoikov import finite_horizon_quotes, total_spread
from models.market_making.paper_moments import (
    PUBLISHED,
    PUBLISHED_PATHS,
    Experiment,
    FillProbability,
    Moments,
    Strategy,
    exact_moments,
)

MARKET = Experiment()
SMALL = Experiment(horizon=0.015, steps=3)


@pytest.fixture(scope="module")
def table() -> dict[tuple[float, Strategy], Moments]:
    return {(row.risk_aversion, row.strategy): exact_moments(row.risk_aversion, row.strategy) for row in PUBLISHED}


def quotes_at(gamma, strategy, step, q, market=SMALL):
    """The quotes of one step around a mid of 0, from the closed form alone."""
    time_left = market.horizon - step * market.dt
    bid, ask = finite_horizon_quotes(0.0, q, gamma, market.sigma, market.kappa, time_left)
    if strategy is Strategy.SYMMETRIC:
        lefts = [market.horizon - other * market.dt for other in range(market.steps)]
        average = sum(total_spread(gamma, market.sigma, market.kappa, left) for left in lefts) / len(lefts)
        bid, ask = -average / 2, average / 2
    return -bid, ask


def every_path(gamma, strategy, fills):
    """(probability, profit, inventory) of each of the (2 x 2 x 2)^steps paths of the small experiment."""
    market = SMALL
    for path in itertools.product(itertools.product((0, 1), (0, 1), (-1, 1)), repeat=market.steps):
        probability, cash, mid, q = 1.0, 0.0, 100.0, 0
        for step, (buy, sell, move) in enumerate(path):
            for filled, distance, sign in zip((buy, sell), quotes_at(gamma, strategy, step, q), (1, -1), strict=True):
                expected = market.intensity * math.exp(-market.kappa * distance) * market.dt
                chance = min(1.0, expected) if fills is FillProbability.LINEAR else 1 - math.exp(-expected)
                probability *= chance if filled else 1 - chance
                cash -= sign * filled * (mid - sign * distance)
            q += buy - sell
            mid += move * market.sigma * math.sqrt(market.dt)
            probability *= 0.5
        yield probability, cash + q * mid, q


def weighted_moments(weights, values):
    mean = np.average(values, weights=weights)
    second, fourth = (np.average((values - mean) ** order, weights=weights) for order in (2, 4))
    return mean, math.sqrt(second), fourth / second**2


@pytest.mark.parametrize("gamma", [0.1, 20.0])
@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("fills", FillProbability)
def test_every_path_of_a_short_experiment_counted(gamma, strategy, fills):
    weights, profits, inventories = np.array(list(every_path(gamma, strategy, fills))).T
    assert weights.sum() == pytest.approx(1, rel=1e-12)
    expected = (*weighted_moments(weights, profits), *weighted_moments(weights, inventories))
    assert exact_moments(gamma, strategy, SMALL, fills)[1:] == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("gamma", [0.1, 0.01, 1.0])
def test_symmetric_strategy_has_its_closed_form(gamma, table):
    half = 0.5 * total_spread(gamma, 2.0, 1.5, (1 + 0.005) / 2)
    fill = 140 * math.exp(-1.5 * half) * 0.005
    variance = 2 * fill * (1 - fill)
    moments = table[gamma, Strategy.SYMMETRIC]
    assert moments.mean_profit == pytest.approx(2 * 200 * fill * half, rel=1e-9)
    expected = half**2 * 200 * variance + 4 * 0.005 * variance * 200 * 201 / 2
    assert moments.std_profit == pytest.approx(math.sqrt(expected), rel=1e-9)
    assert moments.mean_inventory == pytest.approx(0, abs=1e-9)
    assert moments.std_inventory == pytest.approx(math.sqrt(200 * variance), rel=1e-9)


def sample(gamma, paths, seed):
    """Final profit and inventory of the inventory strategy, simulated as the paper describes it."""
    rng = np.random.default_rng(seed)
    mid, cash, q = np.full(paths, 100.0), np.zeros(paths), np.zeros(paths)
    for step in range(200):
        time_left = 1 - step * 0.005
        centre = mid - q * gamma * 4 * time_left
        half = gamma * 4 * time_left / 2 + math.log1p(gamma / 1.5) / gamma
        bid, ask = centre - half, centre + half
        bought = rng.random(paths) < 140 * np.exp(-1.5 * (mid - bid)) * 0.005
        sold = rng.random(paths) < 140 * np.exp(-1.5 * (ask - mid)) * 0.005
        cash += ask * sold - bid * bought
        q += bought.astype(float) - sold
        mid += 2 * math.sqrt(0.005) * (2 * rng.integers(0, 2, paths) - 1)
    return cash + q * mid, q


@pytest.mark.parametrize(("gamma", "seed"), [(0.1, 1), (1.0, 2)])
def test_a_sample_agrees_within_four_standard_errors(gamma, seed, table):
    paths = 20_000
    profit, q = sample(gamma, paths, seed)
    exact = table[gamma, Strategy.INVENTORY]
    figures = (profit.mean(), profit.std(ddof=1), q.mean(), q.std(ddof=1))
    expected = (exact.mean_profit, exact.std_profit, exact.mean_inventory, exact.std_inventory)
    for figure, value, error in zip(figures, expected, exact.standard_errors(paths), strict=True):
        assert abs(figure - value) < 4 * error


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row.strategy.value} {row.risk_aversion}")
def test_published_table_lies_within_its_sampling_error(row, table):
    exact = table[row.risk_aversion, row.strategy]
    errors = exact.standard_errors(PUBLISHED_PATHS)
    assert row.average_spread == pytest.approx(exact.average_spread, abs=0.012)
    assert abs(row.mean_profit - exact.mean_profit) < 2 * errors.mean_profit
    assert abs(row.std_profit - exact.std_profit) < 2 * errors.std_profit
    assert abs(row.mean_inventory - exact.mean_inventory) < 2 * errors.mean_inventory
    assert abs(row.std_inventory - exact.std_inventory) < 2 * errors.std_inventory


def test_standard_errors_are_those_of_repeated_samples():
    # 4000 samples of 400 uniform numbers, whose variance is 1/12 and kurtosis 9/5.
    uniform = np.random.default_rng(5).random((4000, 400))
    moments = Moments(0.0, 0.5, math.sqrt(1 / 12), 1.8, 0.0, 1.0, 1.0)
    errors = moments.standard_errors(400)
    assert np.std(uniform.mean(axis=1)) == pytest.approx(errors.mean_profit, rel=0.05)
    assert np.std(uniform.std(axis=1, ddof=1)) == pytest.approx(errors.std_profit, rel=0.05)


@pytest.mark.parametrize(("gamma", "strategy", "loss"), [(0.1, "inventory", 0.119), (1.0, "symmetric", 0.035)])
def test_poisson_fills_earn_less(gamma, strategy, loss, table):
    poisson = exact_moments(gamma, Strategy(strategy), fills=FillProbability.POISSON)
    linear = table[gamma, Strategy(strategy)]
    assert poisson.mean_profit / linear.mean_profit == pytest.approx(1 - loss, abs=1e-3)


def test_large_inventories_do_not_overflow():
    far = np.array([-200.0, 0.0, 200.0])
    below, above = MARKET.distances(5.0, Strategy.INVENTORY, 0, far)
    for fills in FillProbability:
        assert MARKET.fill_probability(below, fills)[[0, 2]] == pytest.approx([1, 0], abs=1e-12)
        assert MARKET.fill_probability(above, fills)[[0, 2]] == pytest.approx([0, 1], abs=1e-12)


@pytest.mark.parametrize("change", [{"steps": 0}, {"horizon": 0.0}, {"intensity": -1.0}, {"kappa": 0.0}, {"sigma": -1}])
def test_experiments_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match=f"{next(iter(change))} was"):
        Experiment(**change)


def test_too_few_paths_and_negative_risk_aversion_are_refused(table):
    with pytest.raises(ValueError, match="paths"):
        table[0.1, Strategy.INVENTORY].standard_errors(1)
    with pytest.raises(ValueError, match="risk_aversion"):
        exact_moments(-0.1, Strategy.INVENTORY, SMALL)

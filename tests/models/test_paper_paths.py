import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market_making.avellaneda_stoikov import finite_horizon_quotes
from models.market_making.paper_moments import PUBLISHED, Experiment, FillProbability, Strategy, exact_moments
from models.market_making.paper_paths import Figures, Outcomes, Paths, draw_paths, simulate

PAPER = Experiment()

markets = st.builds(
    Experiment,
    horizon=st.floats(0.1, 5),
    steps=st.integers(1, 25),
    sigma=st.floats(0.1, 5),
    intensity=st.floats(1, 500),
    kappa=st.floats(0.2, 5),
)


def by_hand(paths: Paths, path: int, gamma: float, strategy: Strategy, market: Experiment) -> tuple[float, int, int]:
    """Profit, inventory and fills of one path: prices from the closed form, fills by price, money in cash."""
    cash, q, fills = 0.0, 0, 0
    for step in range(market.steps):
        mid = 100.0 + paths.mids[path, step]
        left = market.horizon - step * market.dt
        bid, ask = finite_horizon_quotes(mid, q, gamma, market.sigma, market.kappa, left)
        if strategy is Strategy.SYMMETRIC:
            average = (market.horizon + market.dt) / 2  # of the times left: T, T - dt, ..., dt
            bid, ask = finite_horizon_quotes(mid, 0, gamma, market.sigma, market.kappa, average)
        if mid - paths.sell_reaches[path, step] <= bid:
            cash, q, fills = cash - bid, q + 1, fills + 1
        if mid + paths.buy_reaches[path, step] >= ask:
            cash, q, fills = cash + ask, q - 1, fills + 1
    return cash + q * (100.0 + paths.mids[path, -1]), q, fills


@given(markets, st.floats(0, 3), st.sampled_from(Strategy), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_every_path_counted_by_hand(market: Experiment, gamma: float, strategy: Strategy, seed: int) -> None:
    paths = draw_paths(market, seed, 0, 4)

    made = simulate(paths, gamma, strategy, market)

    for path in range(4):
        profit, q, fills = by_hand(paths, path, gamma, strategy, market)
        assert made.profit[path] == pytest.approx(profit, abs=1e-8)
        assert (made.inventory[path], made.fills[path]) == (q, fills)


@given(markets, st.floats(0, 3), st.sampled_from(Strategy), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_a_mirrored_market_gives_the_same_profit_and_the_opposite_inventory(
    market: Experiment, gamma: float, strategy: Strategy, seed: int
) -> None:
    paths = draw_paths(market, seed, 0, 5)
    mirrored = Paths(-paths.mids, paths.buy_reaches, paths.sell_reaches)

    made, other = simulate(paths, gamma, strategy, market), simulate(mirrored, gamma, strategy, market)

    assert made.profit == pytest.approx(other.profit, abs=1e-9)
    assert (made.inventory == -other.inventory).all()


def test_a_path_depends_on_its_own_number_alone() -> None:
    some, later = draw_paths(PAPER, 7, 0, 6), draw_paths(PAPER, 7, 4, 2)

    assert (some.mids[4:] == later.mids).all()
    assert (some.sell_reaches[4:] == later.sell_reaches).all()
    assert (some.buy_reaches[4:] == later.buy_reaches).all()
    assert not (draw_paths(PAPER, 8, 4, 2).mids == later.mids).all()


def test_paths_differ_and_so_do_the_sides_of_one() -> None:
    paths = draw_paths(PAPER, 1, 0, 50)
    rows = [tuple(row) for row in np.vstack([paths.sell_reaches, paths.buy_reaches])]
    assert len(set(rows)) == 100


def test_the_mid_moves_by_sigma_root_dt_either_way() -> None:
    moves = np.diff(draw_paths(PAPER, 1, 0, 100).mids, axis=1)

    assert np.abs(moves) == pytest.approx(2 * math.sqrt(0.005))
    assert abs((moves > 0).mean() - 0.5) < 4 * 0.5 / math.sqrt(moves.size)


@pytest.mark.parametrize("fills", FillProbability)
@pytest.mark.parametrize("distance", [-3.0, -0.2, 0.0, 0.7, 2.0])
@pytest.mark.parametrize("side", ["sell_reaches", "buy_reaches"])
def test_a_quote_is_reached_with_the_probability_of_the_law(fills: FillProbability, distance: float, side: str) -> None:
    reaches = getattr(draw_paths(PAPER, 3, 0, 200, fills), side)
    expected = 140 * math.exp(-1.5 * distance) * 0.005
    chance = min(1.0, expected) if fills is FillProbability.LINEAR else 1 - math.exp(-expected)

    share = (reaches >= distance).mean()

    assert abs(share - chance) <= 4 * math.sqrt(chance * (1 - chance) / reaches.size)


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row.strategy.value} {row.risk_aversion}")
@pytest.mark.parametrize("fills", FillProbability)
def test_two_hundred_paths_agree_with_the_exact_moments(row, fills: FillProbability) -> None:
    made = simulate(draw_paths(PAPER, 11, 0, 200, fills), row.risk_aversion, row.strategy, PAPER)
    exact = exact_moments(row.risk_aversion, row.strategy, PAPER, fills)

    sample = Figures.of_sample(made.profit, made.inventory)

    for name, error in exact.standard_errors(200)._asdict().items():
        assert abs(getattr(sample, name) - getattr(exact, name)) < 4 * error, name


def test_figures_are_those_of_the_statistics_module() -> None:
    profit, inventory = np.array([1.5, -2.0, 7.25]), np.array([1, 0, -4])

    figures = Figures.of_sample(profit, inventory)

    values = [profit.tolist(), inventory.tolist()]
    assert figures == pytest.approx([f(v) for v in values for f in (statistics.mean, statistics.stdev)])


def test_one_path_has_no_spread() -> None:
    alone: Outcomes = simulate(draw_paths(PAPER, 1, 0, 1), 0.1, Strategy.INVENTORY, PAPER)
    with pytest.raises(ValueError, match="paths was 1"):
        Figures.of_sample(alone.profit, alone.inventory)

import math
import statistics as reference
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.attribution import Fill, attribute
from models.statistics import (
    drawdown,
    max_drawdown_pct,
    profit_factor,
    realised_pnl,
    sharpe,
    sortino,
    turnover,
    win_rate,
)

paths = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=50)
long_paths = st.lists(st.integers(1, 10**7), min_size=31, max_size=60)


def fill(quantity, price, fee="0", fee_base="0"):
    return Fill(0, *(Decimal(str(value)) for value in (quantity, price, fee, fee_base)))


@given(paths)
@settings(max_examples=40)
def test_drawdown_agrees_with_brute_force(path):
    expected = [(max(path[: i + 1]) - value) / max(path[: i + 1]) for i, value in enumerate(path)]
    assert drawdown(path).tolist() == pytest.approx(expected)
    assert max_drawdown_pct(path).value == pytest.approx(100 * max(expected))


@given(long_paths)
@settings(max_examples=30)
def test_a_ratio_has_the_sign_of_the_profit(path):
    profit = path[-1] - path[0]
    for figure in (sharpe(path, 3600), sortino(path, 3600)):
        if figure.value is None:
            assert figure.why
        else:
            assert np.sign(figure.value) == np.sign(profit)


def test_a_losing_run_of_rising_percentages_shows_no_positive_ratio():
    path = [100.0]
    for _ in range(20):
        path += [path[-1] * 1.5, path[-1] * 1.5 * 0.6]
    assert np.mean(np.diff(path) / path[:-1]) > 0 > path[-1] - path[0]
    assert sharpe(path, 3600).value < 0
    assert sortino(path, 3600).value < 0


def test_ratios_agree_with_the_definition():
    path = 1000 + np.cumsum(np.random.default_rng(3).normal(0.1, 1.0, 500))
    returns = [(b - a) / path[0] for a, b in pairwise(path)]
    year = math.sqrt(365 * 24 * 360)
    downside = math.sqrt(sum(min(r, 0) ** 2 for r in returns) / len(returns))
    assert sharpe(path, 10.0).value == pytest.approx(reference.mean(returns) / reference.stdev(returns) * year)
    assert sortino(path, 10.0).value == pytest.approx(reference.mean(returns) / downside * year)


@pytest.mark.parametrize(
    ("path", "interval", "why"),
    [
        ([], 3600, "0 intervals are fewer than 30"),
        (range(100, 130), 3600, "29 intervals are fewer than 30"),
        (range(100, 140), 60, "2340 s are less than an hour"),
        ([5.0, *range(-1, 40)], 3600, "equity fell to -1, not above 0"),
        ([0.0, *range(1, 40)], 3600, "equity fell to 0, not above 0"),
        ([100.0] * 40, 3600, "equity did not vary"),
        ([100 + 0.1 * step for step in range(40)], 3600, "equity did not vary"),
    ],
)
def test_no_sharpe_says_why(path, interval, why):
    assert sharpe(list(path), interval) == (None, why)


def test_no_sortino_without_a_loss():
    assert sortino([100 + step**2 for step in range(40)], 3600) == (None, "no interval lost")


@pytest.mark.parametrize(
    ("path", "why"), [([], "there is no equity"), ([0.0, 1.0], "equity started at 0, not above 0")]
)
def test_no_drawdown_says_why(path, why):
    assert max_drawdown_pct(path) == (None, why)


@pytest.mark.parametrize("broken", [[1.0, math.nan], [1.0, math.inf], [[1.0], [2.0]]])
def test_broken_equity_is_refused(broken):
    for figure in (drawdown, max_drawdown_pct, lambda path: sharpe(path, 10), lambda path: sortino(path, 10)):
        with pytest.raises(ValueError, match="finite numbers"):
            figure(broken)


@pytest.mark.parametrize("interval", [0, -10, math.nan])
def test_the_grid_must_have_a_step(interval):
    with pytest.raises(ValueError, match="interval_secs"):
        sharpe([1.0] * 40, interval)


@pytest.mark.parametrize(
    ("fills", "realised"),
    [
        ([], []),
        ([fill(1, 100), fill(1, 110)], []),
        ([fill(1, 100), fill(1, 110), fill(-1, 120)], ["15"]),
        ([fill(-2, 100), fill(1, 90), fill(1, 105)], ["10", "-5"]),
        ([fill(2, 100, 2), fill(-1, 110, 3)], ["6"]),  # half the opening fee, all of the closing one
        ([fill(1, 100), fill(-3, 110, 3), fill(2, 100)], ["9", "18"]),  # the turn shares its fee 1 : 2
        ([fill(1, 100, 0, "0.5"), fill("-0.5", 300)], ["50"]),  # half of what was bought went as the fee
    ],
)
def test_realised_profit_by_hand(fills, realised):
    assert realised_pnl(fills) == [Decimal(value) for value in realised]


def test_realised_profit_of_a_position_held_before():
    assert realised_pnl([fill(-1, 120)], Decimal(2), Decimal(100)) == [20]


quantities = st.decimals(-10, 10, places=3).filter(bool)
some_fills = st.lists(
    st.builds(fill, quantities, st.decimals(1, 200, places=2), st.decimals(-1, 1, places=4)), max_size=12
)


@given(some_fills)
@settings(max_examples=40)
def test_once_flat_the_realised_profits_are_all_the_profit(fills):
    if left := sum((one.signed_qty for one in fills), Decimal(0)):
        fills = [*fills, fill(-left, 50)]
    total = attribute(fills, [(0, Decimal(77))], 0).total
    assert abs(sum(realised_pnl(fills), Decimal(0)) - total) < Decimal("1e-20")


def test_win_rate_and_profit_factor_by_hand():
    realised = [Decimal(value) for value in (10, -4, 0, 6)]
    assert win_rate(realised) == (0.5, None)
    assert profit_factor(realised) == (4.0, None)


def test_what_no_closing_fill_can_tell():
    assert win_rate([]) == profit_factor([]) == (None, "no fill closed a position")
    assert profit_factor([Decimal(1)]) == (None, "no closing fill lost")
    assert profit_factor([Decimal(-1)]) == (0.0, None)


def test_turnover_is_a_multiple_of_the_starting_equity():
    assert turnover(5_000.0, 1_000.0) == (5.0, None)
    assert turnover(5_000.0, 0.0) == (None, "equity started at 0, not above 0")

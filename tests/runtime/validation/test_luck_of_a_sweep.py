"""Through the real engine: coins on a market without an edge, and on one where a coin knows something."""

from collections.abc import Callable
from typing import Any

import pytest

from reports.sweeps.verdict import Level, verdict

COIN = "strategies[0].config.coin"


@pytest.mark.parametrize(
    ("coins", "minutes", "seed"),
    [(10, 100, 11), pytest.param(200, 200, 1, marks=pytest.mark.slow)],
    ids=["10 coins", "200 coins"],
)
def test_the_best_of_many_coins_looks_great_and_nothing_is_found(
    searched: Callable[..., Any], coins: int, minutes: int, seed: int
) -> None:
    report = searched(coins, minutes, seed=seed).report
    luck = report.record.last.luck
    assert luck.trials == coins
    assert luck.sharpe.value > 100
    assert luck.psr.value > 0.9
    assert luck.skill.value < 0.95
    assert luck.dsr.value < 0.95
    assert luck.pbo.value > 0.3
    assert verdict(report).level is Level.NOTHING


@pytest.mark.parametrize(
    ("coins", "minutes"), [(10, 100), pytest.param(200, 200, marks=pytest.mark.slow)], ids=["10 coins", "200 coins"]
)
def test_the_coin_that_knows_something_is_found(searched: Callable[..., Any], coins: int, minutes: int) -> None:
    report = searched(coins, minutes, edge=0.6, coin=7).report
    luck = report.record.last.luck
    assert report.winner(report.record.last).parameters[COIN] == 7
    assert luck.skill.value > 0.95
    assert luck.pbo.value < 0.05
    assert verdict(report).level is Level.FOUND

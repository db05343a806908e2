"""What is refused of a setup that trades a pair, before anything starts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from bad_input import BadInput
from runtime.prepare import prepare_backtest
from runtime.setup.load import load_setup
from tests.portfolio_kit import ASSETS, walk, write_prices

HOURS = 60


def setup_file(folder: Path, pair: dict[str, Any], config: dict[str, Any]) -> Path:
    """Write a setup of a pair, with the catalog beside it."""
    watched = {"leg_y": ASSETS[0], "leg_x": ASSETS[1], "sample_interval_secs": 3600, "lookback": 30} | pair
    setup = {
        "name": "pair",
        "instruments": list(ASSETS[:2]),
        "strategies": [
            {
                "path": "strategies.pairs:Pairs",
                "config": {"pair": watched, "notional_quote": 1000, "entry_z": 1, **config},
            }
        ],
        "ledger": {"interval_secs": 3600},
        "backtest": {"catalog": "catalog", "data": ["quotes"], "starting_balances": ["100_000 USDT"]},
    }
    file = folder / "setup.yaml"
    with file.open("w") as stream:
        YAML().dump(setup, stream)
    return file


def prepared(folder: Path, pair: dict[str, Any], config: dict[str, Any]) -> Any:
    return prepare_backtest(load_setup(setup_file(folder, pair, config)), folder)


def test_a_pair_with_data_enough_is_prepared(tmp_path: Path) -> None:
    write_prices(tmp_path / "catalog", walk(1, HOURS, assets=2), ASSETS[:2])

    assert len(prepared(tmp_path, {}, {}).data.instruments) == 2


@pytest.mark.parametrize(
    ("pair", "config", "problem"),
    [
        ({"leg_x": ASSETS[0]}, {}, "pair.leg_x: was BTCUSDT.BINANCE, which is leg_y: a pair has two legs"),
        ({"leg_x": "ETHUSD.BINANCE"}, {}, "pair.leg_x: ETHUSD.BINANCE is not among the setup's instruments"),
        ({"lookback": 80}, {}, "pair: lookback was 80, and the legs have 59 samples in common"),
        ({}, {"notional_quote": 2}, "notional_quote: was 2, expected at least the 5 of BTCUSDT.BINANCE"),
        ({}, {"stop_z": 0.5}, "stop_z: was 0.5, expected above entry_z"),
    ],
)
def test_a_pair_that_cannot_be_traded_is_refused(
    tmp_path: Path, pair: dict[str, Any], config: dict[str, Any], problem: str
) -> None:
    write_prices(tmp_path / "catalog", walk(1, HOURS, assets=2), ASSETS[:2])

    with pytest.raises(BadInput) as refused:
        prepared(tmp_path, pair, config)

    assert problem in str(refused.value)


def test_legs_without_a_time_in_common_are_refused(tmp_path: Path) -> None:
    prices = walk(1, 2 * HOURS, assets=2)
    write_prices(tmp_path / "catalog", np.ascontiguousarray(prices[:HOURS, :1]), ASSETS[:1])
    write_prices(tmp_path / "catalog", np.ascontiguousarray(prices[HOURS:, 1:]), ASSETS[1:2], first_hour=HOURS)

    with pytest.raises(BadInput, match="have no time in common"):
        prepared(tmp_path, {}, {})

"""Sweeps of coins over a market, run in this process."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest
from rich.console import Console

from reports.sweeps.record import Sweep
from runtime.prepare import PreparedBacktest
from runtime.setup.tree import read_setup_tree
from runtime.sweep.check_points import PointChecks
from runtime.sweep.load_sweep import LoadedSweep, load_sweep
from runtime.validation.assemble import Assembly
from runtime.validation.earlier import EarlierTrials
from runtime.validation.search import Searches
from runtime.validation.walk import WalkedFold, walk
from runtime.validation.windows import folds_of
from tests.runtime.validation.coin_trader import SETUP, write_market

SWEEP = """\
name: coins
sweep:
  setup: coin.yaml
  parameters:
    strategies[0].config.coin: {{low: 1, high: {coins}, integer: true}}
  sampler: {sampler}
  {trials}
  objectives: [{{maximize: {objective}}}]
  validation: {validation}
"""


@dataclass(frozen=True)
class Searched:
    """A sweep that was run, and everything that was run for it."""

    loaded: LoadedSweep
    base: PreparedBacktest
    walked: list[WalkedFold]
    report: Sweep


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Searched]:
    """Return a function that sweeps the coins over a market of so many minutes."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def run(
        coins: int,
        minutes: int,
        *,
        edge: float = 0.0,
        coin: int = 0,
        sampler: str = "{kind: grid}",
        trials: str = "",
        validation: str = "{}",
        objective: str = "sharpe_trading",
        seed: int = 1,
        folder: Path | None = None,
    ) -> Searched:
        folder = folder or tmp_path_factory.mktemp("coins")
        if not (folder / "market").exists():
            write_market(folder / "market", minutes, edge=edge, coin=coin, seed=seed)
        (folder / "coin.yaml").write_text(SETUP.replace("CATALOG", str(folder / "market")))
        text = SWEEP.format(coins=coins, sampler=sampler, trials=trials, validation=validation, objective=objective)
        (folder / "sweep.yaml").write_text(text)
        loaded = load_sweep(read_setup_tree(folder / "sweep.yaml"))
        base = PointChecks(loaded, folder).base()
        with ThreadPoolExecutor(1) as executor:
            url = f"sqlite:///{folder / 'study.sqlite3'}"
            searches = Searches(url, executor, 1, folder, True, Console(quiet=True))
            walked = walk(loaded, folds_of(loaded, base), searches)
        report = Assembly(loaded, base, walked, EarlierTrials(), "run").sweep_report()
        return Searched(loaded, base, walked, report)

    return run

"""A job's outcome depends on nothing but the job."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nautilus_trader.model.data import QuoteTick

from data_catalog.synth import SyntheticMarket, write_synthetic_market
from runtime.backtest import run_backtest
from runtime.market_data import find_market_data
from runtime.prepare import prepare_backtest
from runtime.setup.load import parse_setup
from runtime.setup.tree import SetupTree, read_setup_tree
from runtime.workers.backtest_job import BacktestJob, BacktestOutcome, run_backtest_job
from runtime.workers.market_memory import MarketMemory
from runtime.workers.pool import WorkerPool
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig

SETUP = """\
name: {name}
instruments: [{instrument}]
strategies:
  - path: {path}
    config:
      instrument_id: {instrument}
      order_qty: {qty}
      max_position: {most}
      half_spread_bps: 3
risk:
  max_drawdown_pct: 0.02
backtest:
  catalog: {name}
  starting_balances: {balances}
"""
PERPETUAL = {"name": "perpetual", "instrument": "SYNUSDT-PERP.BINANCE", "qty": 1, "most": 5}
SPOT = {"name": "spot", "instrument": "NEXOUSDT.BINANCE", "qty": 50, "most": 500}


class RaisingConfig(FixedSpreadConfig, frozen=True, kw_only=True):
    """A maker that fails at its first quote."""


class Raising(FixedSpread):
    """Fails at its first quote."""

    def __init__(self, config: RaisingConfig) -> None:
        super().__init__(config)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        raise ZeroDivisionError("the first quote")


@pytest.fixture(scope="module")
def trees(tmp_path_factory: Any) -> dict[str, SetupTree]:
    """Return a setup of futures and one of spot, each over 108 seconds of market."""
    folder = Path(tmp_path_factory.mktemp("jobs"))
    maker = "strategies.fixed_spread:FixedSpread"
    for market, balances in ((PERPETUAL, "[10_000 USDT]"), (SPOT, "[5_000 USDT, 4_000 NEXO]")):
        text = SETUP.format(**market, path=maker, balances=balances)
        (folder / f"{market['name']}.yaml").write_text(text)
        instruments = (str(market["instrument"]),)
        write_synthetic_market(folder / str(market["name"]), SyntheticMarket(instruments=instruments, hours=0.03))
    return {name: read_setup_tree(folder / f"{name}.yaml") for name in ("perpetual", "spot")}


@pytest.fixture(scope="module")
def jobs(trees: dict[str, SetupTree]) -> list[BacktestJob]:
    """Return jobs of every kind: both accounts, all fill assumptions, another seed and period, and three that fail."""
    variations = {
        "perpetual": [
            ("backtest.fills=optimistic",),
            (),
            ("backtest.fills=pessimistic", "backtest.seed=7"),
            ("strategies[0].path=tests.runtime.workers.test_backtest_job:Raising",),
            ("strategies[0].config.half_spread_bp=1",),
            ("backtest.end=2026-01-01T00:01:00Z",),
        ],
        "spot": [("backtest.fees.maker_bps=0",), ("backtest.catalog=nowhere",), ()],
    }
    return [
        BacktestJob(trees[name], overrides, str(trees[name].file.parent))
        for name, all_overrides in variations.items()
        for overrides in all_overrides
    ]


def told(outcome: BacktestOutcome) -> dict[str, Any]:
    """Return all of an outcome but its time, with arrays as bytes: equal only bit for bit."""
    return {
        "summary": repr(outcome.summary),
        "error": outcome.error,
        "times": outcome.times_ns.tobytes(),
        "returns": outcome.returns.tobytes(),
        "rest": (outcome.warnings, outcome.stopped_by_risk, outcome.data),
    }


def test_outcomes_are_the_same_bit_for_bit_in_any_order_and_process(jobs: list[BacktestJob]) -> None:
    here = [told(run_backtest_job(job)) for job in jobs]

    again = [told(run_backtest_job(job)) for job in reversed(jobs)]
    with WorkerPool(2) as pool:
        elsewhere = [told(future.result()) for future in [pool.submit(run_backtest_job, job) for job in jobs]]

    assert again[::-1] == here
    assert elsewhere == here
    assert len({outcome["returns"] for outcome in here}) > 4


def test_an_outcome_is_what_the_command_line_makes_of_the_setup(trees: dict[str, SetupTree]) -> None:
    tree = trees["spot"]
    outcome = run_backtest_job(BacktestJob(tree, (), str(tree.file.parent)))

    run = run_backtest(prepare_backtest(parse_setup(tree), tree.file.parent))

    assert outcome.error is None
    assert outcome.summary is not None
    assert outcome.summary["fills"] == len(run.ledger.fills) > 0
    assert outcome.summary["equity_end"] == float(run.ledger.equity())
    assert outcome.warnings == run.warnings
    assert outcome.stopped_by_risk == run.stopped_by_risk
    assert outcome.summary["pnl_trading"] != outcome.summary["pnl"]
    pnl = outcome.summary["pnl_trading"] / outcome.summary["equity_start"]
    assert math.isclose(outcome.returns.sum(), pnl, rel_tol=1e-6)
    assert outcome.times_ns[-1] == run.prepared.data.end_ns
    assert np.all(np.diff(outcome.times_ns) > 0)


@pytest.mark.parametrize(
    ("override", "error"),
    [
        ("strategies[0].path=tests.runtime.workers.test_backtest_job:Raising", "ZeroDivisionError: the first quote ("),
        ("strategies[0].config.half_spread_bp=1", 'did you mean "half_spread_bps"'),
        ("backtest.catalog=nowhere", "nowhere"),
    ],
)
def test_what_goes_wrong_is_the_outcome_in_one_line(trees: dict[str, SetupTree], override: str, error: str) -> None:
    outcome = run_backtest_job(BacktestJob(trees["perpetual"], (override,), str(trees["perpetual"].file.parent)))

    assert outcome.summary is None
    assert error in str(outcome.error)
    assert "\n" not in str(outcome.error)


def test_data_are_read_once_and_kept_within_the_bound(trees: dict[str, SetupTree]) -> None:
    loaded = {name: parse_setup(tree) for name, tree in trees.items()}
    folder = trees["spot"].file.parent
    stored = {name: find_market_data(setup, folder) for name, setup in loaded.items()}
    rows = {name: sum(len(chunk) for chunk in data.chunks()) for name, data in stored.items()}
    memory = MarketMemory(most_rows=max(rows.values()))

    first, again = (memory.find(loaded["spot"], folder) for _ in range(2))

    assert first.kept is not None
    assert first.kept is again.kept
    assert memory.rows == rows["spot"]
    assert memory.find(loaded["perpetual"], folder).kept is not None
    assert memory.rows == rows["perpetual"]  # the other one had to go
    small = MarketMemory(most_rows=10)
    assert small.find(loaded["spot"], folder).kept is None
    assert small.rows == 0

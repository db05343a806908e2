"""
What a sweep costs beyond the backtests themselves.

workers: 64 trials of the Avellaneda-Stoikov maker on an hour of real data (NEXOUSDT spot) with one process and with
two, from the moment that the processes are warm; two must be at least 1.8 × as fast. Without a catalog that has the
recording an hour of the embedded synthetic market is taken, and the output says so.

setup: what a job takes around its replay (parsing, checks, engine, summary), as a share of the replay of a strategy
that does nothing over 600,000 rows; at most 3 %.

drift: the runs from the 50th on in one process against the first ones, by CPU time, medians of 15; at most 1.05 ×. And
how much the memory of the process grows from the 5th run to the last; at most 2 %.

Prints JSON. Two workers need two free processors.

    uv run python -m benchmarks.sweep_cost [--catalog FOLDER] [--part NAME …]
"""

import json
import statistics
import time
import warnings
from concurrent.futures import wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy
from pandas.errors import Pandas4Warning

from data_catalog.synth import SyntheticMarket, write_synthetic_market
from runtime.backtest import run_backtest
from runtime.prepare import prepare_backtest
from runtime.results import summary_of
from runtime.setup.load import parse_setup
from runtime.setup.tree import SetupTree, read_setup_tree
from runtime.workers.backtest_job import BacktestJob, equity_returns, run_backtest_job
from runtime.workers.market_memory import MarketMemory
from runtime.workers.pool import WorkerPool

SPEED_UP, SETUP_PCT, DRIFT, GROWTH_PCT = 1.8, 3.0, 1.05, 2.0
TRIALS, RUNS = 64, 50
REPETITIONS = 5
DRIFT_RUNS = 15  # single runs lie 5 % apart on a quiet machine
CONFIGS = Path(__file__).resolve().parent.parent / "configs"
RISK_AVERSIONS = np.geomspace(0.0002, 0.01, TRIALS).tolist()

warnings.filterwarnings("ignore", category=Pandas4Warning)  # the engine's own use of pandas


class NoOpConfig(StrategyConfig, frozen=True, kw_only=True):
    """The instrument to listen to."""

    instrument_id: InstrumentId


class NoOp(Strategy):
    """Listens to quotes and does nothing."""

    def __init__(self, config: NoOpConfig) -> None:
        super().__init__(config)

    def on_start(self) -> None:
        """Listen."""
        self.subscribe_quote_ticks(self.config.instrument_id)


NO_OP: dict[str, Any] = {
    "name": "no_op",
    "instruments": ["SYNUSDT-PERP.BINANCE"],
    "strategies": [
        {"path": "benchmarks.sweep_cost:NoOp", "config": {"instrument_id": "SYNUSDT-PERP.BINANCE"}},
    ],
    "backtest": {"catalog": "quick", "data": ["quotes"], "starting_balances": ["10_000 USDT"]},
}


def an_hour(catalog: Path | None, folder: Path) -> tuple[str, list[BacktestJob]]:
    """Return what is replayed, and a job for each risk aversion."""
    if catalog is not None:
        tree = read_setup_tree(CONFIGS / "nexousdt_spot_avellaneda_stoikov.yaml")
        period = ("backtest.start=2024-07-24T12:00:00Z", "backtest.end=2024-07-24T13:00:00Z")
        fixed, name = (f"backtest.catalog={json.dumps(str(catalog.absolute()))}", *period), "NEXOUSDT spot"
    else:
        tree = read_setup_tree(CONFIGS / "synthetic_avellaneda_stoikov.yaml")
        fixed, name = ("backtest.synthetic={hours: 1}",), "synthetic market"
    key = "strategies[0].config.risk_aversion_per_bps"
    return name, [BacktestJob(tree, (*fixed, f"{key}={value!r}"), str(folder)) for value in RISK_AVERSIONS]


def seconds_with(workers: int, jobs: list[BacktestJob]) -> float:
    """Return how long all jobs take, once every process has run one."""
    with WorkerPool(workers) as pool:
        wait([pool.submit(run_backtest_job, job) for job in jobs[: 2 * workers]])
        started = time.perf_counter()
        futures = [pool.submit(run_backtest_job, job) for job in jobs]
        errors = [future.result().error for future in futures if future.result().error is not None]
        elapsed_s = time.perf_counter() - started
    if errors:
        raise SystemExit(f"a trial failed: {errors[0]}")
    return elapsed_s


def workers(jobs: list[BacktestJob]) -> dict[str, Any]:
    """Return how much faster two processes are than one; they take turns."""
    taken: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(3):
        for count, times in taken.items():
            times.append(seconds_with(count, jobs))
    one, two = (min(times) for times in taken.values())
    return {
        "one_s": round(one, 2),
        "two_s": round(two, 2),
        "ratio": round(one / two, 3),
        "passed": one / two >= SPEED_UP,
    }


def setup(folder: Path) -> dict[str, Any]:
    """Return what a run takes around its replay, against the replay of a strategy that does nothing."""
    write_synthetic_market(folder / "quick", SyntheticMarket(hours=5, quotes_per_s=33))
    tree, memory = SetupTree(folder / "no_op.yaml", NO_OP), MarketMemory()
    around, replays = [], []
    for _ in range(REPETITIONS + 1):
        started = time.perf_counter()
        run = run_backtest(prepare_backtest(parse_setup(tree), folder, memory.find))
        summary_of(run, "")
        equity_returns(run.ledger)
        around.append(time.perf_counter() - started - run.elapsed_s)
        replays.append(run.elapsed_s)
    setup_s, replay_s = statistics.median(around[1:]), statistics.median(replays[1:])
    share = 100 * setup_s / replay_s
    return {
        "rows": memory.rows,
        "first_setup_s": round(around[0], 3),
        "setup_s": round(setup_s, 4),
        "replay_s": round(replay_s, 3),
        "share_pct": round(share, 2),
        "passed": share <= SETUP_PCT,
    }


def drift(jobs: list[BacktestJob]) -> dict[str, Any]:
    """Return how the last runs in a process compare with the first."""
    cpu_s, memory = [], []
    for _ in range(1 + RUNS + DRIFT_RUNS):
        started = time.process_time()
        run_backtest_job(jobs[0])
        cpu_s.append(time.process_time() - started)
        memory.append(resident_mb())
    ratio = statistics.median(cpu_s[-DRIFT_RUNS:]) / statistics.median(cpu_s[1 : 1 + DRIFT_RUNS])
    growth = 100 * (memory[-1] / memory[REPETITIONS] - 1)
    return {
        "runs": len(cpu_s),
        "ratio": round(ratio, 3),
        "memory_mb": [round(memory[REPETITIONS]), round(memory[-1])],
        "growth_pct": round(growth, 2),
        "passed": ratio <= DRIFT and growth <= GROWTH_PCT,
    }


def resident_mb() -> float:
    """Return the memory of this process, MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


@click.command()
@click.option("--catalog", type=click.Path(path_type=Path, exists=True), help="A catalog that has the recording.")
@click.option("--part", "parts", multiple=True, type=click.Choice(["workers", "setup", "drift"]), help="Only these.")
def main(catalog: Path | None, parts: tuple[str, ...]) -> None:
    """Print the ratios."""
    with TemporaryDirectory() as folder:
        name, jobs = an_hour(catalog, Path(folder))
        if error := run_backtest_job(jobs[0]).error:
            raise SystemExit(f"a trial failed: {error}")
        result: dict[str, Any] = {"benchmark": "sweep_cost", "market": name}
        for part, measure in (
            ("setup", lambda: setup(Path(folder))),
            ("drift", lambda: drift(jobs)),
            ("workers", lambda: workers(jobs)),
        ):
            if part in (parts or (part,)):
                result[part] = measure()
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

"""
Loading from a catalog as a share of a backtest that does nothing else, and the memory it takes.

A no-op strategy gets the same quotes from `data_catalog.store.stream` and from memory. What the first takes longer is
loading; it is expected to be at most 5 % of the time the run takes and to take at most 150 MB, at any length. Runs
take turns, each in a process of its own, and medians count; the longer ones are compared with the shortest from memory,
per row. The files are decoded in another thread, so the share of the CPU time (`cpu_share_pct`) is larger than that of
the time one waits: it is what loading costs where every core is busy. Elapsed times need a machine with nothing else to
do. Prints JSON.

    uv run python -m benchmarks.catalog_loading [--rows N --rows N]
"""

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
import warnings
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.trading.strategy import Strategy

from data_catalog.columns import Quotes
from data_catalog.instruments import currency, synthetic_perpetual
from data_catalog.store.origin import Origin
from data_catalog.store.stream import DataRequest, stream
from data_catalog.store.write import CatalogWriter

REPETITIONS = 4
SHARE_PCT = 5.0
MEMORY_MB = 150.0
START = 1_700_000_000_000_000_000
END = 2 * START
INSTRUMENT = synthetic_perpetual("SYNUSDT")
REQUESTS = [DataRequest(str(INSTRUMENT.id), "quotes")]


class NoOp(Strategy):
    """Receives every quote and does nothing."""

    def on_start(self) -> None:
        """Subscribe to the quotes."""
        self.subscribe_quote_ticks(INSTRUMENT.id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Do nothing."""


def write(catalog: Path, rows: int) -> None:
    """Write a random walk of quotes in chunks."""
    random = np.random.default_rng(1)
    start, mid = START, 6_000_000
    with CatalogWriter(catalog) as writer:
        for chunk in range(0, rows, 500_000):
            count = min(500_000, rows - chunk)
            times = start + np.cumsum(random.integers(0, 200_000_000, count))
            mids = mid + np.cumsum(random.integers(-1, 2, count))
            sizes = random.integers(1, 10**5, (2, count))
            writer.quotes(INSTRUMENT, Quotes(mids - 1, mids + 1, *sizes, times, times), Origin("synthetic"))
            start, mid = int(times[-1]), int(mids[-1])


def new_engine() -> BacktestEngine:
    """Return an engine with the no-op strategy on a margin account."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    money = [Money(10_000, currency("USDT"))]
    engine.add_venue(Venue("BINANCE"), OmsType.NETTING, AccountType.MARGIN, money)
    engine.add_instrument(INSTRUMENT)
    engine.add_strategy(NoOp())
    return engine


def resident_mb() -> float:
    """Return the memory in use now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Measured(NamedTuple):
    """Microseconds per row that a run took, its CPU time in all threads, and the MB that memory grew by at its peak."""

    elapsed_us: float
    cpu_us: float
    growth_mb: float


def run(catalog: Path, rows: int, *, from_memory: bool) -> Measured:
    """Run the no-op strategy over the catalog, whose loading counts, or over objects made before."""
    warnings.simplefilter("ignore")
    engine = new_engine()
    chunks = stream(catalog, REQUESTS, START, END)
    if from_memory:
        chunks = iter([[tick for chunk in chunks for tick in chunk]])
    memory, elapsed, cpu = resident_mb(), time.perf_counter(), time.process_time()
    engine.add_data_iterator("catalog", chunks)
    engine.run(start=pd.Timestamp(START, tz="UTC"), end=pd.Timestamp(END, tz="UTC"))
    elapsed, cpu = time.perf_counter() - elapsed, time.process_time() - cpu
    assert engine.iteration == rows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return Measured(elapsed / rows * 1e6, cpu / rows * 1e6, peak - memory)


def in_new_process(catalog: Path, rows: int, *, from_memory: bool) -> Measured:
    """Return what `run` measures in a process that has done nothing else."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(run, (catalog, rows), {"from_memory": from_memory})


def measure(lengths: list[int], folder: Path) -> tuple[list[Measured], dict[int, list[Measured]]]:
    """Return the shortest runs from memory, and all streamed runs by length."""
    shortest = min(lengths)
    for rows in lengths:
        write(folder / str(rows), rows)
    memory, streamed = [], {rows: [] for rows in lengths}
    for _ in range(REPETITIONS):
        memory.append(in_new_process(folder / str(shortest), shortest, from_memory=True))
        for rows in lengths:
            streamed[rows].append(in_new_process(folder / str(rows), rows, from_memory=False))
    return memory, streamed


def share_pct(streamed: list[float], memory: list[float]) -> float:
    """Return the share of the streamed runs that those from memory do not take, in percent of medians."""
    return round((1 - statistics.median(memory) / statistics.median(streamed)) * 100, 2)


def summary(rows: int, streamed: list[Measured], memory: list[Measured]) -> dict[str, float]:
    """Return the figures of one length."""
    return {
        "rows": rows,
        "from_memory_us_per_row": round(statistics.median(one.elapsed_us for one in memory), 3),
        "streamed_us_per_row": round(statistics.median(one.elapsed_us for one in streamed), 3),
        "loading_share_pct": share_pct([one.elapsed_us for one in streamed], [one.elapsed_us for one in memory]),
        "cpu_share_pct": share_pct([one.cpu_us for one in streamed], [one.cpu_us for one in memory]),
        "memory_growth_mb": round(max(one.growth_mb for one in streamed), 1),
    }


def main() -> None:
    """Measure at every length and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, action="append")
    lengths = parser.parse_args().rows or [1_000_000, 5_000_000]
    with tempfile.TemporaryDirectory() as folder:
        from_memory, streamed = measure(lengths, Path(folder))
    runs = [summary(rows, measured, from_memory) for rows, measured in streamed.items()]
    share = max(result["loading_share_pct"] for result in runs)
    growth = max(result["memory_growth_mb"] for result in runs)
    print(
        json.dumps(
            {
                "runs": runs,
                "loading_share_pct": share,
                "memory_growth_mb": growth,
                "targets": {"loading_share_pct": SHARE_PCT, "memory_growth_mb": MEMORY_MB},
                "met": share <= SHARE_PCT and growth <= MEMORY_MB,
            }
        )
    )


if __name__ == "__main__":
    main()

"""
Loading from a catalog as a share of a backtest that does nothing else, and the memory it takes.

A no-op strategy gets the same quotes from `data_catalog.stream` and from memory; each run has a process of its own.
Prints JSON; loading is expected to be at most 5 % of the CPU time of the run and at most 150 MB, at any length. Of
repeated runs the fastest counts: whatever else the machine does only adds to a time.

    uv run python -m benchmarks.catalog_loading [--rows N --rows N]
"""

import argparse
import json
import resource
import sys
import tempfile
import time
import warnings
from multiprocessing import get_context
from pathlib import Path

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
from data_catalog.origin import Origin
from data_catalog.stream import DataRequest, stream
from data_catalog.write import CatalogWriter

REPETITIONS = 2
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


def run(catalog: Path, rows: int, *, from_memory: bool) -> tuple[float, float]:
    """Return the CPU seconds of one run, loading included, and the MB that memory grew by at its peak."""
    warnings.simplefilter("ignore")
    engine = new_engine()
    chunks = stream(catalog, REQUESTS, START, END)
    if from_memory:
        chunks = iter([[tick for chunk in chunks for tick in chunk]])
    memory, begin = resident_mb(), time.process_time()
    engine.add_data_iterator("catalog", chunks)
    engine.run(start=pd.Timestamp(START, tz="UTC"), end=pd.Timestamp(END, tz="UTC"))
    seconds = time.process_time() - begin
    assert engine.iteration == rows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    return seconds, peak - memory


def in_new_process(catalog: Path, rows: int, *, from_memory: bool) -> tuple[float, float]:
    """Return what `run` measures in a process that has done nothing else."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(run, (catalog, rows), {"from_memory": from_memory})


def compare(catalog: Path, rows: int, repetitions: int) -> dict[str, float]:
    """Return the times of both, the share of loading and the growth of memory."""
    write(catalog, rows)
    streamed, memory = [], []
    for _ in range(repetitions):
        memory.append(in_new_process(catalog, rows, from_memory=True))
        streamed.append(in_new_process(catalog, rows, from_memory=False))
    without = min(seconds for seconds, _ in memory)
    within = min(seconds for seconds, _ in streamed)
    return {
        "rows": rows,
        "no_op_us_per_row": round(without / rows * 1e6, 3),
        "streamed_us_per_row": round(within / rows * 1e6, 3),
        "loading_share_pct": round((within - without) / within * 100, 2),
        "memory_growth_mb": round(max(growth for _, growth in streamed), 1),
    }


def main() -> None:
    """Measure at every length and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, action="append")
    lengths = parser.parse_args().rows or [1_000_000, 5_000_000]
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            compare(Path(folder) / str(rows), rows, REPETITIONS if number == 0 else 1)
            for number, rows in enumerate(lengths)
        ]
    share = max(result["loading_share_pct"] for result in runs)
    memory = max(result["memory_growth_mb"] for result in runs)
    print(
        json.dumps(
            {
                "runs": runs,
                "loading_share_pct": share,
                "memory_growth_mb": memory,
                "targets": {"loading_share_pct": SHARE_PCT, "memory_growth_mb": MEMORY_MB},
                "met": share <= SHARE_PCT and memory <= MEMORY_MB,
            }
        )
    )


if __name__ == "__main__":
    main()

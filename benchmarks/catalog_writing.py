"""
Writing ticks to a catalog, against the engine's own `ParquetDataCatalog.write_data`, per row.

Both start from the same columns of integers, so the engine's side includes building its objects. Prints JSON; the
ratio is expected to be at least 10, and what both wrote must read back equal.

    uv run python -m benchmarks.catalog_writing [--rows N]
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from data_catalog.columns import Quotes, Trades
from data_catalog.instruments import synthetic_perpetual
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter

REPETITIONS = 3
TARGET = 10
START = 1_700_000_000_000_000_000
INSTRUMENT = synthetic_perpetual("SYNUSDT")


def columns(kind: str, rows: int) -> Quotes | Trades:
    """Return a random walk of `rows` quotes or trades."""
    random = np.random.default_rng(1)
    times = START + np.cumsum(random.integers(0, 200_000_000, rows))
    mid = 6_000_000 + np.cumsum(random.integers(-1, 2, rows))
    if kind == "quotes":
        return Quotes(mid - 1, mid + 1, random.integers(1, 10**5, rows), random.integers(1, 10**5, rows), times, times)
    aggressor = random.integers(1, 3, rows).astype(np.uint8)
    return Trades(mid, random.integers(1, 10**5, rows), aggressor, np.arange(rows), times, times)


def write_by_us(catalog: Path, data: Quotes | Trades) -> None:
    """Write columns as this project does."""
    with CatalogWriter(catalog) as writer:
        if isinstance(data, Quotes):
            writer.quotes(INSTRUMENT, data, Origin("synthetic"))
        else:
            writer.trades(INSTRUMENT, data, Origin("synthetic"))


def write_by_engine(catalog: Path, data: Quotes | Trades) -> None:
    """Build the engine's objects in the fastest exact way it has, and let it write them."""
    price, size = 10 ** (16 - INSTRUMENT.price_precision), 10 ** (16 - INSTRUMENT.size_precision)
    decimals = INSTRUMENT.price_precision, INSTRUMENT.size_precision
    rows = zip(*(getattr(data, name).tolist() for name in data.__slots__), strict=True)
    if isinstance(data, Quotes):
        objects = [
            QuoteTick.from_raw(
                INSTRUMENT.id,
                bid * price,
                ask * price,
                decimals[0],
                decimals[0],
                bid_size * size,
                ask_size * size,
                decimals[1],
                decimals[1],
                event,
                init,
            )
            for bid, ask, bid_size, ask_size, event, init in rows
        ]
    else:
        objects = [
            TradeTick.from_raw(
                INSTRUMENT.id,
                level * price,
                decimals[0],
                quantity * size,
                decimals[1],
                AggressorSide(aggressor),
                TradeId(str(number)),
                event,
                init,
            )
            for level, quantity, aggressor, number, event, init in rows
        ]
    catalog.mkdir()
    ParquetDataCatalog(str(catalog)).write_data(objects)


def measure(write: Callable[[Path, Quotes | Trades], None], kind: str, rows: int, catalog: Path) -> float:
    """Return the CPU seconds of one write, in a process of its own."""
    data = columns(kind, rows)
    begin = time.process_time()
    write(catalog, data)
    return time.process_time() - begin


def equal_read_back(kind: str, ours: Path, theirs: Path) -> bool:
    """Whether the engine reads the same rows from both catalogs."""
    cls = QuoteTick if kind == "quotes" else TradeTick
    first, second = (ParquetDataCatalog(str(catalog)).query(cls) for catalog in (ours, theirs))
    return len(first) == len(second) and all(
        cls.to_dict(a) == cls.to_dict(b) for a, b in zip(first, second, strict=True)
    )


def compare(kind: str, rows: int, folder: Path) -> dict[str, float | bool]:
    """Return microseconds per row of both, their ratio and whether the rows read back equal."""
    seconds: dict[str, list[float]] = {"ours": [], "engine": []}
    for repetition in range(REPETITIONS):
        for name, write in (("ours", write_by_us), ("engine", write_by_engine)):
            with get_context("spawn").Pool(1) as pool:
                catalog = folder / f"{kind}_{name}_{repetition}"
                seconds[name].append(pool.apply(measure, (write, kind, rows, catalog)))
    per_row = {name: statistics.median(times) / rows * 1e6 for name, times in seconds.items()}
    return {
        "ours_us_per_row": round(per_row["ours"], 3),
        "engine_us_per_row": round(per_row["engine"], 3),
        "ratio": round(per_row["engine"] / per_row["ours"], 1),
        "equal_read_back": equal_read_back(kind, folder / f"{kind}_ours_0", folder / f"{kind}_engine_0"),
    }


def main() -> None:
    """Measure quotes and trades and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        results = {kind: compare(kind, rows, Path(folder)) for kind in ("quotes", "trades")}
    ratio = min(float(result["ratio"]) for result in results.values())
    equal = all(result["equal_read_back"] for result in results.values())
    print(json.dumps({"rows": rows, **results, "ratio": ratio, "target": TARGET, "met": equal and ratio >= TARGET}))


if __name__ == "__main__":
    main()

"""
Cointegration tests of all pairs of 100 assets over 2,000 bars, against `statsmodels.tsa.stattools.coint` per pair.

The same lags are chosen (AIC, up to 26), and t and p must agree to 1e-9 on every pair of the sample,
which has unrelated and cointegrated pairs. statsmodels is timed on the sample and scaled to all pairs. One thread each.
Prints JSON with the ratio; at least 100 is asked for.

    uv run python -m benchmarks.pair_screening
"""

import json
import os
import statistics
import subprocess
import sys
import time
import tracemalloc

import click
import numpy as np
from numpy.typing import NDArray

from models.pairs.engle_granger import engle_granger

AT_LEAST = 100.0
AGREEMENT = 1e-9
MOST_EXTRA_MB = 64.0
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def prices(assets: int, bars: int) -> NDArray[np.float64]:
    """Return logarithms of prices: most wander alone, every fifth keeps together with the one before it."""
    rng = np.random.default_rng(1)
    table = np.cumsum(rng.normal(0.0, 0.01, (bars, assets)), axis=0)
    gap = np.zeros(assets)
    for bar in range(bars):
        gap = 0.97 * gap + rng.normal(0.0, 0.005, assets)
        table[bar, 4::5] = 0.8 * table[bar, 3::5] + gap[4::5]
    return table


@click.command()
@click.option("--assets", default=100, help="How many assets; all their pairs are tested.")
@click.option("--bars", default=2_000, help="Bars of each.")
@click.option("--sample", default=40, help="Pairs that statsmodels is timed on.")
@click.option("--rounds", default=5, help="Repetitions of the whole screen.")
def main(assets: int, bars: int, sample: int, rounds: int) -> None:
    """Print the ratio."""
    from statsmodels.tsa.stattools import coint  # noqa: PLC0415 (seconds, not to be counted)

    table = prices(assets, bars)
    pairs = np.column_stack(np.triu_indices(assets, 1))
    together = np.flatnonzero((pairs[:, 1] % 5 == 4) & (pairs[:, 0] == pairs[:, 1] - 1))
    chosen = np.random.default_rng(2).permutation(len(pairs))[: max(sample - len(together), 0)]
    chosen = np.concatenate([together, chosen])[:sample]

    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        found = engle_granger(table, pairs)
        taken.append(time.perf_counter() - started)
    tracemalloc.start()
    engle_granger(table, pairs)
    extra_mb = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()

    coint(table[:, 0], table[:, 1])
    started = time.perf_counter()
    theirs = [coint(table[:, y], table[:, x]) for y, x in pairs[chosen]]
    per_pair = (time.perf_counter() - started) / len(chosen)
    t_off = max(abs(float(one[0]) - float(found.t[i])) for one, i in zip(theirs, chosen, strict=True))
    p_off = max(abs(float(one[1]) - float(found.p[i])) for one, i in zip(theirs, chosen, strict=True))

    seconds = statistics.median(taken)
    ratio = per_pair * len(pairs) / seconds
    result = {
        "benchmark": "pair_screening",
        "pairs": len(pairs),
        "bars": bars,
        "seconds": round(seconds, 3),
        "statsmodels_ms_per_pair": round(per_pair * 1e3, 2),
        "statsmodels_seconds_scaled": round(per_pair * len(pairs), 1),
        "sample": len(chosen),
        "t_differs_by_at_most": t_off,
        "p_differs_by_at_most": p_off,
        "extra_memory_mb": round(extra_mb, 1),
        "ratio": round(ratio),
        "at_least": AT_LEAST,
        "passed": ratio >= AT_LEAST and max(t_off, p_off) <= AGREEMENT and extra_mb <= MOST_EXTRA_MB,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    if os.environ.keys() >= ONE_THREAD.keys():
        main()
    else:  # the number of threads is read when numpy is loaded
        command = [sys.executable, "-m", "benchmarks.pair_screening", *sys.argv[1:]]
        sys.exit(subprocess.run(command, env={**os.environ, **ONE_THREAD}, check=False).returncode)

"""One backtest as a job for a worker: plain values in, plain values out, whichever process runs it, in any order."""

import random
import time
import traceback
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from actors.ledger import Ledger
from bad_input import BadInput
from command_line import Failed
from runtime.backtest import BacktestRun, run_backtest
from runtime.prepare import prepare_backtest
from runtime.results import summary_of
from runtime.setup.load import parse_setup
from runtime.setup.overrides import apply_overrides
from runtime.setup.tree import SetupTree
from runtime.workers.market_memory import MarketMemory

TIMINGS = frozenset({"elapsed_s", "events_per_s", "run_id"})
"""What of a summary is of the run and not of its result."""

_memory = MarketMemory()
_alone = Lock()  # a cluster's worker may have threads; the engine does not share its process


class BacktestJob(msgspec.Struct, frozen=True):
    """
    One backtest of a setup.

    Parameters
    ----------
    tree : SetupTree
        The values of the setup.
    overrides : tuple of str
        `PATH=VALUE`, as after `--set`; `backtest.seed=2` for another seed.
    working_folder : str
        What a relative `backtest.catalog` is relative to; the same on every machine of a cluster.

    """

    tree: SetupTree
    overrides: tuple[str, ...] = ()
    working_folder: str = "."


class BacktestOutcome(msgspec.Struct, frozen=True):
    """
    What a job leaves behind: either a summary or an error.

    Parameters
    ----------
    summary : dict, optional
        As in summary.json, without `elapsed_s`, `events_per_s` and `run_id`: the same job gives the same, bit for bit.
    error : str, optional
        Why there is no summary, in one line.
    times_ns : ndarray of int64, shape (n,)
        The ends of the intervals of the equity grid, UNIX ns.
    returns : ndarray of float64, shape (n,)
        What trading earned in each interval, divided by the equity at the start of the run.
    warnings : tuple of str
        What a reader of the results should know.
    stopped_by_risk : bool
        Whether a risk control ended the trading.
    data : dict
        The fingerprint of each series that was replayed, by instrument and type.
    elapsed_s : float
        Wall-clock seconds of the job.

    """

    summary: dict[str, Any] | None = None
    error: str | None = None
    times_ns: NDArray[np.int64] = msgspec.field(default_factory=lambda: np.empty(0, np.int64))
    returns: NDArray[np.float64] = msgspec.field(default_factory=lambda: np.empty(0))
    warnings: tuple[str, ...] = ()
    stopped_by_risk: bool = False
    data: dict[str, str] = {}
    elapsed_s: float = 0.0


def run_backtest_job(job: BacktestJob) -> BacktestOutcome:
    """Run a backtest in this process; whatever goes wrong in it is its outcome."""
    started = time.perf_counter()
    with _alone:
        try:
            outcome = _outcome(job)
        except (BadInput, Failed) as error:
            outcome = BacktestOutcome(error=str(error))
        except Exception as error:  # noqa: BLE001 (a strategy may raise anything, and the other jobs go on)
            outcome = BacktestOutcome(error=_in_one_line(error))
    return msgspec.structs.replace(outcome, elapsed_s=time.perf_counter() - started)


def _outcome(job: BacktestJob) -> BacktestOutcome:
    loaded = parse_setup(apply_overrides(job.tree, job.overrides))
    prepared = prepare_backtest(loaded, Path(job.working_folder), _memory.find)
    random.seed(loaded.setup.backtest.seed)
    run = run_backtest(prepared)
    summary = {name: value for name, value in summary_of(run, "").items() if name not in TIMINGS}
    times_ns, returns = equity_returns(run.ledger)
    return BacktestOutcome(
        summary=summary,
        times_ns=times_ns,
        returns=returns,
        warnings=(*prepared.warnings, *(text for text in run.warnings if text not in prepared.warnings)),
        stopped_by_risk=run.stopped_by_risk,
        data=_fingerprints(run),
    )


def equity_returns(ledger: Ledger) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """
    Return the intervals of the equity grid and what trading earned in each.

    Without the price change of what was held before the first trade: every trial of a sweep has it alike, and on spot
    it would drown what they differ in.

    Returns
    -------
    times_ns : ndarray of int64, shape (n,)
        The end of each interval, UNIX ns. The first and the last interval may be shorter than the grid's step.
    returns : ndarray of float64, shape (n,)
        The change of equity less that of the holdings, divided by the equity at the start of the run; they sum to the
        trading profit. NaN where the run began without equity.

    """
    curve = ledger.equity_curve
    times_ns = np.array([point.ts_ns for point in curve[1:]], np.int64)
    equity = np.array([float(point.equity) for point in curve])
    if not equity[0] > 0:
        return times_ns, np.full(len(times_ns), np.nan)
    holdings = np.array([float(point.holdings) for point in curve])
    return times_ns, np.diff(equity - holdings) / equity[0]


def _fingerprints(run: BacktestRun) -> dict[str, str]:
    return {f"{entry.instrument_id} {entry.data_type}": entry.fingerprint for entry in run.prepared.data.entries}


def _in_one_line(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return " ".join(f"{type(error).__name__}: {error}{place}".split())

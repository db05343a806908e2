"""Run one backtest of one setup."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine

from actors.ledger import Ledger
from command_line import Failed
from runtime.audit import check_books
from runtime.drills.drill import Drill
from runtime.engine import build_engine
from runtime.market_data import iso_time
from runtime.prepare import PreparedBacktest
from runtime.risk.controls import RiskControls
from runtime.risk.report import stopped_by_risk
from runtime.venue.margin import Liquidation, VenueMargin, refused_for_margin

type OnProgress = Callable[[int, int], None]
"""Called with the market time that has been handed to the engine (UNIX ns) and the number of events so far."""


class RunFailed(Failed):
    """The backtest broke off; there is no result."""


@dataclass(frozen=True)
class OrderCounts:
    """How many orders were sent, and what became of those that never rested."""

    submitted: int
    rejected: int
    denied: int
    without_margin: int = 0
    """New and changed orders that the venue refused because the account could not back them."""


@dataclass(frozen=True)
class BacktestRun:
    """
    What a backtest leaves behind for its results.

    Parameters
    ----------
    prepared : PreparedBacktest
        The setup and the data that were run.
    ledger : Ledger
        The books.
    events : int
        Market events processed.
    elapsed_s : float
        Wall-clock seconds of the replay.
    orders : OrderCounts
        Orders by fate.
    risk : RiskControls, optional
        The risk actors of a setup with limits.
    drill : Drill, optional
        The fault that was injected; None in a backtest.
    liquidation : Liquidation, optional
        What was liquidated; None where nothing was.
    compare : dict, optional
        What comparing it with a recorded run has found; None in a backtest.

    """

    prepared: PreparedBacktest
    ledger: Ledger
    events: int
    elapsed_s: float
    orders: OrderCounts
    risk: RiskControls | None
    drill: Drill | None = None
    liquidation: Liquidation | None = None
    compare: dict[str, Any] | None = None

    @property
    def stopped_by_risk(self) -> bool:
        """Whether a risk control ended the trading, of the account or of a strategy, or the venue liquidated it."""
        return self.liquidation is not None or (self.risk is not None and stopped_by_risk(self.risk))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the results should know."""
        found = [*self.prepared.data.warnings, *self.prepared.warnings]
        if self.orders.denied:
            found.append(f"{self.orders.denied} orders were denied before they reached the venue.")
        if self.orders.without_margin:
            found.append(refused_for_margin(self.orders.without_margin))
        return tuple(found)


def run_backtest(
    prepared: PreparedBacktest,
    *,
    drill: Drill | None = None,
    on_progress: OnProgress | None = None,
    log_level: str | None = None,
    log_folder: Path | None = None,
    attach: Callable[[BacktestEngine], None] = lambda engine: None,
) -> BacktestRun:
    """
    Replay the market through the setup's strategies.

    Parameters
    ----------
    prepared : PreparedBacktest
        What to run.
    drill : Drill, optional
        A fault to replay it with.
    on_progress : callable, optional
        Called about every 20,000 events.
    log_level : str, optional
        Writes the engine's log at this level into `log_folder`; logging makes a run slower.
    log_folder : Path, optional
        Where the log goes.
    attach : callable, optional
        Given the engine with all its parts, before it starts, by whoever listens in.

    Raises
    ------
    RunFailed
        If the engine stopped early or the strategies never saw a market.
    BooksDisagree
        If the ledger and the account do not count the same money.

    """
    system = build_engine(prepared, log_level, log_folder)
    engine, ledger = system.engine, system.ledger
    data = prepared.data
    try:
        chunks = data.chunks()
        if drill is not None:
            chunks = drill.apply(chunks)
            drill.attach(engine, prepared)
        attach(engine)
        handed = _Handed(chunks, on_progress)
        engine.add_data_iterator("market", iter(handed))
        started = time.perf_counter()
        with _collector_paused():
            engine.run(start=pd.Timestamp(data.start_ns, tz="UTC"), end=pd.Timestamp(data.end_ns, tz="UTC"))
        elapsed_s = time.perf_counter() - started
        _check_complete(engine, handed, ledger)
        check_books(engine, ledger)
        orders = _count_orders(engine, system.margin)
        liquidation = None if system.margin is None else system.margin.liquidation
        return BacktestRun(prepared, ledger, engine.iteration, elapsed_s, orders, system.risk, drill, liquidation)
    finally:
        engine.dispose()


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause cyclic garbage collection: it scans every order again and again, a fifth of a run."""
    gc.collect()  # what an earlier run in this process has left
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Handed:
    """The market as it is handed to the engine, chunk by chunk; it remembers how far that came."""

    def __init__(self, chunks: Iterator[list[Any]], on_progress: OnProgress | None) -> None:
        self._chunks, self._on_progress = chunks, on_progress
        self.last_ns = 0
        self.is_all = False

    def __iter__(self) -> Iterator[list[Any]]:
        events = 0
        for chunk in self._chunks:
            self.last_ns = chunk[-1].ts_init
            yield chunk
            events += len(chunk)
            if self._on_progress is not None:
                self._on_progress(self.last_ns, events)
        self.is_all = True


def _check_complete(engine: BacktestEngine, handed: _Handed, ledger: Ledger) -> None:
    """
    The engine logs an account that would go negative and stops without raising: find that out.

    Its clock stands at the last event or timer, which need not be the end of the period.
    """
    reached = engine.kernel.clock.timestamp_ns()
    if reached < handed.last_ns or not handed.is_all:
        raise RunFailed(
            f"the engine stopped at {iso_time(reached)}, before the end of the market: an order cost more than the "
            "account holds; lower the sizes, or run with --log-level ERROR to see the engine's words"
        )
    if not ledger.is_open:
        raise RunFailed("an instrument had no quote in the whole period, so nothing could be traded or valued")


def _count_orders(engine: BacktestEngine, margin: VenueMargin | None) -> OrderCounts:
    statuses = [order.status_string() for order in engine.cache.orders()]
    without_margin = 0 if margin is None else margin.refused
    return OrderCounts(len(statuses), statuses.count("REJECTED"), statuses.count("DENIED"), without_margin)

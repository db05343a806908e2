"""A progress bar in market time, with events per second."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from runtime.backtest import OnProgress
from runtime.market_data import MarketData, iso_time


@contextmanager
def replay_progress(data: MarketData, console: Console) -> Iterator[OnProgress]:
    """
    Show a bar on `console` while the block runs, if that is a terminal.

    The value of the block takes the market time, UNIX ns, and the number of events so far.
    """
    progress = Progress(
        TextColumn("{task.fields[market_time]}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rate]:,.0f} events/s"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    span = max(1, data.end_ns - data.start_ns)
    with progress:
        task = progress.add_task("replay", total=span, market_time=iso_time(data.start_ns), rate=0.0)
        started = time.perf_counter()

        def on_progress(market_ns: int, events: int) -> None:
            rate = events / max(1e-9, time.perf_counter() - started)
            progress.update(task, completed=market_ns - data.start_ns, market_time=iso_time(market_ns), rate=rate)

        yield on_progress

"""
Latency inside a live process: from the receipt of a quote to the hand-over of a command, beside a strategy that does
nothing.

The real trading node, adapter, guard and ledger of run_live.py trade on the local exchange, which runs in this process
too, on a thread of its own. A quote counts as received when the adapter has decoded it (`ts_init`), a command as handed
over when the execution client takes it up, to sign and send it. "idle" is from receipt until a strategy that does
nothing sees the quote: what the engine takes. With --polls, the live page is served, and a process of its own asks it
for its state so many times a second; 0 asks without a pause, as no page does. Prints JSON, in microseconds.

    uv run python -m benchmarks.live_latency [--quotes N] [--polls PER_SECOND]
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from binance_double.double import BinanceDouble
from binance_double.rules import Product
from data_catalog.instruments import find_instrument
from runtime.live.environment import Credentials
from runtime.live.node import LiveSystem, NodeOptions, build_node
from runtime.live.pace import REAL
from runtime.live.prepare import prepare_rehearsal
from runtime.live.stopping import Ending
from runtime.live.web.address import open_place
from runtime.live.web.desk import Desk
from runtime.live.web.server import PageServer
from runtime.live.web.snapshot import Observer
from runtime.live.web.state import Controls, Run
from runtime.setup.load import load_setup

INSTRUMENT = "NEXOUSDT.BINANCE"
SETUP = f"""
name: live_latency
instruments: [{INSTRUMENT}]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {{instrument_id: {INSTRUMENT}, order_qty: 20, max_position: 200, half_spread_bps: 30}}
risk: {{max_position_qty: {{{INSTRUMENT}: 250}}, max_order_notional_quote: 100, price_collar_bps: 300}}
backtest: {{starting_balances: [1_000 USDT]}}
"""
PAUSE_SECS = 0.3


class Idle(Strategy):
    """Notes when quotes are received, and when it sees them."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(order_id_tag="IDLE"))
        self.received: list[int] = []
        self.seen: list[int] = []

    def on_start(self) -> None:
        """Listen."""
        self.subscribe_quote_ticks(InstrumentId.from_str(INSTRUMENT))

    def on_quote_tick(self, tick: QuoteTick) -> None:
        """Note."""
        self.seen.append(self.clock.timestamp_ns())
        self.received.append(tick.ts_init)


async def _drive(double: BinanceDouble, system: Any, quotes: int) -> None:
    """Move the market every so often, until so many quotes were said."""
    main = asyncio.ensure_future(system.node.run_async())
    while not system.node.trader.is_running:
        await asyncio.sleep(0.01)
    for number in range(quotes):
        bid = Decimal("1.200") + Decimal("0.001") * (number % 2)
        await asyncio.to_thread(double.quote, INSTRUMENT, str(bid), str(bid + Decimal("0.002")))
        await asyncio.sleep(PAUSE_SECS)
    await system.node.stop_async()
    await asyncio.gather(main, return_exceptions=True)


def _note_calls(client: Any, name: str, times: list[int]) -> None:
    """Note when the client takes up a command, which it then signs and sends."""
    original = getattr(client, name)

    async def noted(command: object) -> None:
        times.append(client._clock.timestamp_ns())
        await original(command)

    setattr(client, name, noted)


def _figures(nanoseconds: list[int]) -> dict[str, float]:
    ordered = sorted(nanoseconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return {
        "count": len(ordered),
        "median_us": round(statistics.median(ordered) / 1_000, 1),
        "p99_us": round(p99 / 1_000, 1),
    }


_POLLER = """
import http.client, sys, time
page = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
pause, polls = float(sys.argv[2]), 0
print("polling", flush=True)
try:
    while True:
        page.request("GET", "/state")
        answer = page.getresponse()
        polls += answer.status == 200
        answer.read()
        time.sleep(pause)
except (OSError, http.client.HTTPException):
    print(polls)
"""


@contextmanager
def _watched(
    system: LiveSystem, limits: Any, loop: asyncio.AbstractEventLoop, polls: float | None
) -> Iterator[list[int]]:
    """Serve the live page and have it asked by another process; yield where the number of answers will stand."""
    answers: list[int] = []
    if polls is None:
        yield answers
        return
    run = Run(
        setup="", description="", run_id="", label="", venue="", account="", instruments=[], currency="", started_ms=0
    )
    ending = Ending(system.node, asyncio.Future(loop=loop), click.echo)  # type: ignore[arg-type]
    observer = Observer(run, limits, Controls(halt=False), list)
    observer.attach(system, ending)
    place, desk = open_place("0", public=False, variables={}), Desk(observer)
    desk.open(loop, lambda: False)
    port, pause = str(place.socket.getsockname()[1]), str(1 / polls if polls else 0)
    with PageServer(place, desk, None):
        poller = subprocess.Popen([sys.executable, "-c", _POLLER, port, pause], stdout=subprocess.PIPE, text=True)
        yield answers
    said, _ = poller.communicate(timeout=30)
    answers.append(int(said.split()[-1]))


def measure(quotes: int, folder: Path, polls: float | None = None) -> dict[str, Any]:
    """Return the figures of one run of so many quotes, with the live page asked so many times a second."""
    (folder / "setup.yaml").write_text(SETUP)
    balances = {"USDT": Decimal(10_000), "NEXO": Decimal(1_000)}
    with BinanceDouble([find_instrument(INSTRUMENT)], balances) as double:
        double.quote(INSTRUMENT, "1.200", "1.202")
        keys = Credentials(double.key.key, double.key.secret)
        url = double.addresses(Product.SPOT).http
        prepared = prepare_rehearsal(load_setup(folder / "setup.yaml"), url, folder, keys, REAL)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        system = build_node(prepared, NodeOptions("USDT"), loop, folder)
        idle = Idle()
        system.node.trader.add_strategy(idle)
        handed_over: list[int] = []
        for name in ("_submit_order", "_cancel_order"):
            _note_calls(system.exec_client, name, handed_over)
        with _watched(system, prepared.loaded.setup.risk, loop, polls) as answers:
            loop.run_until_complete(_drive(double, system, quotes))
        system.node.dispose()
    # The first command of each quote: on spot an order is cancelled first, and the next waits for the venue's word.
    firsts = {bisect_right(idle.received, ts): ts for ts in reversed(handed_over)}
    return {
        "idle": _figures([seen - received for seen, received in zip(idle.seen, idle.received, strict=True)]),
        "maker": _figures([ts - idle.received[i - 1] for i, ts in firsts.items() if i > 0]),
        "answers": sum(answers),
    }


@click.command()
@click.option("--quotes", default=200, help="How many quotes are said, a third of a second apart.")
@click.option("--polls", type=float, help="Serve the live page, and ask it so many times a second; 0 without a pause.")
def main(quotes: int, polls: float | None) -> None:
    """Print the latencies as JSON."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(quotes, Path(folder), polls)
    click.echo(json.dumps({**figures, "elapsed_s": round(time.perf_counter() - started, 1)}, indent=2))


if __name__ == "__main__":
    main()

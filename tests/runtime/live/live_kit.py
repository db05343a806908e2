"""`run_live.py` as its user starts it, against the local exchange; told what happens by the exchange's own faults."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from binance_double.double import BinanceDouble
from binance_double.rules import Product
from data_catalog.instruments import find_instrument

PROJECT = Path(__file__).parents[3]
SPOT = "NEXOUSDT.BINANCE"
PERPETUAL = "BTCUSDT-PERP.BINANCE"

SETUPS = {
    "spot": """
name: live_spot
instruments: [NEXOUSDT.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: NEXOUSDT.BINANCE, order_qty: 20, max_position: 200, half_spread_bps: 30}
risk: {max_position_qty: {NEXOUSDT.BINANCE: 250}, max_data_age_secs: 2, max_rejections_per_window: 20}
ledger: {interval_secs: 1}
backtest: {starting_balances: [1_000 USDT]}
live: {recv_window_ms: 1_000, reconcile_secs: 1, books_check_secs: 2, user_stream_timeout_secs: 20}
""",
    "perpetual": """
name: live_perpetual
instruments: [BTCUSDT-PERP.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: BTCUSDT-PERP.BINANCE, order_qty: 0.01, max_position: 0.1, half_spread_bps: 5}
risk: {max_position_qty: {BTCUSDT-PERP.BINANCE: 0.12}, max_data_age_secs: 2, max_rejections_per_window: 20}
ledger: {interval_secs: 1}
backtest: {starting_balances: [10_000 USDT], leverage: 20}
live: {recv_window_ms: 1_000, reconcile_secs: 4, books_check_secs: 2, user_stream_timeout_secs: 20, dead_man_secs: 8}
""",
}
MARKETS = {
    "spot": (SPOT, Decimal("1.200"), Decimal("0.001"), Decimal("0.0030")),
    "perpetual": (PERPETUAL, Decimal("60000.0"), Decimal("10"), Decimal("0.0005")),
}
"""Instrument, best bid, how far a move goes, and the half spread of the setup."""

_QUIET_LOOKS = 6
_LOOKS_PER_MOVE = 12


def new_double() -> BinanceDouble:
    """Return an exchange with one spot pair and one perpetual."""
    instruments = [find_instrument(SPOT), find_instrument(PERPETUAL)]
    balances = {"USDT": Decimal(10_000), "NEXO": Decimal(1_000)}
    return BinanceDouble(instruments, balances, wallet={"USDT": Decimal(10_000)})


class Live:
    """A setup that is traded on a local exchange by a process of its own."""

    def __init__(self, kind: str, double: BinanceDouble, folder: Path) -> None:
        self.kind = kind
        self.double = double
        self.folder = folder
        self.product = Product.SPOT if kind == "spot" else Product.FUTURES
        self.instrument_id, self._price, self._tick, self._half_spread = MARKETS[kind]
        self._moves = 0
        self._stderr = folder / "stderr"
        self.setup = folder / f"{kind}.yaml"
        self.setup.write_text(SETUPS[kind])
        self.process: subprocess.Popen[str] | None = None
        self.move()

    # -- The process --------------------------------------------------------------------------------------------------

    def command(self, *arguments: str, key: Any = None, path: Path | None = None) -> dict[str, Any]:
        """Return what to start."""
        key = key or self.double.key
        url = self.double.addresses(self.product).http
        where = ("--set", f"live.local_url={url}", "--out", str(self.folder / "results"))
        keys = {"BINANCE_LOCAL_API_KEY": key.key, "BINANCE_LOCAL_API_SECRET": key.secret}
        if path is not None:
            keys["PYTHONPATH"] = str(path)
        return {
            "args": [sys.executable, str(PROJECT / "run_live.py"), str(self.setup), *arguments, *where],
            "env": {**os.environ, **keys},
            "cwd": self.folder,
            "text": True,
        }

    def start(self, *arguments: str, key: Any = None, path: Path | None = None) -> "Live":
        """Start trading."""
        command = self.command("--local", *arguments, key=key, path=path)
        with self._stderr.open("w") as errors:
            self.process = subprocess.Popen(**command, stderr=errors, stdout=subprocess.DEVNULL)
        return self

    def until_quoting(self) -> "Live":
        """Wait until one bid and one ask stand quietly where the maker of the setup wants them."""
        self._quiet: tuple[int, set[str]] = (0, set())
        self.until(self._is_quiet)
        return self

    def _is_quiet(self) -> bool:
        orders = self.orders()
        names = {order.asked.client_order_id for order in orders}
        looks, before = self._quiet
        self._quiet = (looks + 1 if names == before and self._is_two_sided(orders) else 0, names)
        return looks >= _QUIET_LOOKS

    def _is_two_sided(self, orders: list[Any]) -> bool:
        distances = {order.asked.side.value: order.asked.price / self._mid - 1 for order in orders}
        wanted = {"BUY": -self._half_spread, "SELL": self._half_spread}
        return len(orders) == 2 and all(
            side in distances and abs(distances[side] - wanted[side]) < Decimal("0.001") for side in wanted
        )

    def orders(self) -> list[Any]:
        """Return what is open at the exchange."""
        return self.double.open_orders(self.product)

    def until(self, condition: Callable[[], Any], seconds: float = 40.0) -> None:
        """Let the market speak until the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            running = self.process is None or self.process.poll() is None
            assert running or condition(), f"the process ended: {self.errors()[-3000:]}"
            assert time.monotonic() < end, f"did not happen in {seconds} s: {self.errors()[-3000:]}"
            self.speak()
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ask for the end, and return the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.ended()

    def ended(self, seconds: float = 60.0) -> int:
        """Wait for the end, and return the exit status."""
        assert self.process is not None
        return self.process.wait(seconds)

    def supervisor_pid(self) -> int:
        """Return the process that looks after the trading process."""
        assert self.process is not None
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and self._is_supervisor(folder):
                return int(folder.name)
        raise LookupError("no supervisor")

    def _is_supervisor(self, folder: Path) -> bool:
        assert self.process is not None
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            return int(parent) == self.process.pid and b"runtime.live.supervisor" in (folder / "cmdline").read_bytes()
        except OSError:
            return False

    def until_swept(self, seconds: float = 20.0) -> None:
        """Wait until the supervisor has written how its sweep ended."""
        end = time.monotonic() + seconds
        while "left" not in self.supervisor_log():
            assert time.monotonic() < end, f"not swept: {self.supervisor_log()}"
            time.sleep(0.05)
        assert not self.orders()

    def supervisor_log(self) -> str:
        """Return what the supervisor has written down."""
        file = self.run / "supervisor.log"
        return file.read_text() if file.exists() else ""

    def kill(self) -> None:
        """Leave nothing running after a test that failed."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def send_by_hand(self, **order: str) -> None:
        """Send an order as the account's owner could from anywhere else."""
        from runtime.live.account import symbol_of
        from runtime.live.environment import Credentials
        from runtime.live.rest import Rest

        keys = Credentials(self.double.key.key, self.double.key.secret)
        path = "/api/v3/order" if self.kind == "spot" else "/fapi/v1/order"
        Rest(self.double.addresses(self.product).http, keys).signed(
            "POST", path, symbol=symbol_of(self.instrument_id), **order
        )

    # -- The market ---------------------------------------------------------------------------------------------------

    @property
    def _mid(self) -> Decimal:
        return self._bid + self._tick

    def speak(self) -> None:
        """Say the market's touch again, with another size; now and then it moves a little there or back."""
        self._moves += 1
        self._bid = self._price + self._moves // _LOOKS_PER_MOVE % 2 * self._tick
        ask = self._bid + 2 * self._tick
        self.double.quote(self.instrument_id, str(self._bid), str(ask), str(100 + self._moves % 7), "100")

    def move(self, ticks: int = 0) -> None:
        """Move the market."""
        self._price += ticks * self._tick
        self.speak()

    # -- What it leaves -----------------------------------------------------------------------------------------------

    @property
    def run(self) -> Path:
        """The folder of the last run."""
        return sorted((self.folder / "results" / f"live_{self.kind}").iterdir())[-1]

    def venue_equity(self) -> Decimal:
        """Return what the exchange's own account is worth."""
        account = self.double.venue(self.instrument_id).account
        if self.kind == "spot":
            balances = {asset: balance.total for asset, balance in account.balances.items()}
            return balances["USDT"] + balances["NEXO"] * self._mid
        return account.wallet["USDT"] + account.position("BTCUSDT", "BOTH").unrealised(self._mid)

    def errors(self) -> str:
        """Return what the user was told so far."""
        return self._stderr.read_text()

    def fills(self) -> list[dict[str, Any]]:
        """Return the fills that the process has written down."""
        return [json.loads(line) for line in (self.run / "fills.jsonl").read_text().splitlines()]

    def compared(self, run: Path, *options: str) -> dict[str, Any]:
        """Replay what a run has recorded, which has to decide the same, and return compare.json."""
        from run_backtest import command

        out = self.folder / "compared" / run.name
        arguments = [str(self.setup), "--compare", str(run), "--out", str(out), *options]
        assert command.main(arguments, standalone_mode=False) == 0
        [file] = out.glob("*/*/compare.json")
        found: dict[str, Any] = json.loads(file.read_text())
        assert found["same_inputs"]["orders"]["live"] > 0
        return found

    def summary(self) -> dict[str, Any]:
        """Return the summary of the last run."""
        return json.loads((self.run / "summary.json").read_text())

"""Paper trading: live data of the local exchange, fills by the simulated venue of a backtest, no keys at all."""

import json
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

LOOKING = """
from pathlib import Path

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.model.identifiers import InstrumentId

from actors.history import HistoryWanted


class LookingConfig(ActorConfig, frozen=True):
    instrument_id: InstrumentId


class Looking(Actor):
    def __init__(self, config: LookingConfig) -> None:
        super().__init__(config)

    @classmethod
    def history_wanted(cls, config: LookingConfig) -> HistoryWanted:
        return HistoryWanted((config.instrument_id,), 60, 3)

    def on_load(self, state: dict[str, bytes]) -> None:
        Path("history.json").write_bytes(state["history"])
"""


def look_back(live: Any, double: Any) -> list[float]:
    """Give the setup an actor that looks back, and the exchange a past; return the closes of its minutes."""
    from binance_double.orders import PublicTrade, Side

    (live.folder / "looking.py").write_text(LOOKING)
    part = f"actors: [{{path: looking:Looking, config: {{instrument_id: {live.instrument_id}}}}}]"
    live.setup.write_text(f"{live.setup.read_text()}{part}\n")
    minute_ms = double.clock.ms() // 60_000 * 60_000
    closes = [live._price + number * live._tick for number in range(30)]
    double.remember(
        live.instrument_id,
        [
            PublicTrade(number, price, Decimal(1), Side.BUY, minute_ms + (number - 28) * 60_000 - 1)
            for number, price in enumerate(closes)
        ],
    )
    return [float(price) for price in closes]


@pytest.mark.parametrize("kind", ["spot", pytest.param("perpetual", marks=pytest.mark.slow)])
def test_paper_fills_with_the_setups_fees_and_touches_nothing(kind: str, tmp_path: Path) -> None:
    from binance_double.orders import Side
    from tests.runtime.live.live_kit import Live, new_double

    with new_double() as double:
        live = Live(kind, double, tmp_path)
        closes = look_back(live, double)
        options = ("--paper", "--local", "--set", "backtest.latency.insert_ms=20")
        command: dict[str, Any] = live.command(*options, path=live.folder)
        for name in ("BINANCE_LOCAL_API_KEY", "BINANCE_LOCAL_API_SECRET"):
            del command["env"][name]
        with live._stderr.open("w") as errors:
            live.process = subprocess.Popen(**command, stderr=errors)
        try:
            live.until(lambda: "running" in live.errors())

            def trade_through() -> bool:
                bid = live._mid * (1 - live._half_spread) - live._tick
                double.trade(live.instrument_id, str(bid.quantize(live._tick)), "5", Side.SELL)
                return bool(live.fills())

            live.until(trade_through)
            assert live.stop() == 0
        finally:
            live.kill()
        signed = {"account", "submit", "cancel", "open_orders", "listen_key"}
        assert not signed & {request.name for request in double.requests()}
    history = [row[1][0] for row in json.loads((live.folder / "history.json").read_text())]
    assert history in (closes[25:28], closes[26:29], closes[27:30])  # a minute may have passed until it asked
    summary = live.summary()
    bps = Decimal("0.001") if kind == "spot" else Decimal("0.0002")
    fill = live.fills()[0]
    fee = Decimal(fill["commission"].split()[0])
    paid_on = Decimal(fill["last_qty"]) * (1 if kind == "spot" else Decimal(fill["last_px"]))
    assert fill["order_side"] == "BUY"
    assert fee == pytest.approx(paid_on * bps, abs=Decimal("1e-8"))
    assert summary["fills_assumption"] == "queue_latency"
    assert summary["pnl"] == pytest.approx(sum(summary["pnl_parts"].values()), abs=1e-6)


def test_paper_liquidates_an_account_without_margin_and_says_so(tmp_path: Path) -> None:
    from binance_double.orders import Side
    from tests.runtime.live.live_kit import Live, new_double

    with new_double() as double:
        live = Live("perpetual", double, tmp_path)
        values = (
            "backtest.starting_balances=[70 USDT]",  # 600 USDT at 20 x need 30, and both sides rest
            "backtest.latency.insert_ms=20",
            "strategies.0.config.max_position=0.01",  # so that a maker that was closed out wants to buy again
        )
        changes = [text for value in values for text in ("--set", value)]
        live.start("--paper", *changes)
        try:
            live.until(lambda: "running" in live.errors())

            def buy() -> bool:
                bid = live._mid * (1 - live._half_spread) - live._tick
                double.trade(live.instrument_id, str(bid.quantize(live._tick)), "0.01", Side.SELL)
                return bool(live.fills())

            live.until(buy)
            live.move(-1000)  # a sixth of the price: 100 USDT
            live.until(lambda: live.process is not None and live.process.poll() is not None)
            assert live.ended() == 3
        finally:
            live.kill()
    compared = live.compared(live.run, *changes)
    assert compared["equal"] is True
    assert compared["simulated"]["fills"]["same"] == len(live.fills())
    assert "LIQUIDATED" in live.errors()
    summary = live.summary()
    found = summary["liquidation"]
    *bought, closed = live.fills()
    cash = sum(sign_of(fill) * Decimal(fill["last_qty"]) * Decimal(fill["last_px"]) for fill in live.fills())
    fees = sum(Decimal(fill["commission"].split()[0]) for fill in live.fills())
    assert found["closed"] == {live.instrument_id: sum(float(fill["last_qty"]) for fill in bought)}
    assert closed["client_order_id"].startswith("autoclose")
    assert found["borne_by_the_venue"] == pytest.approx(float(fees - 70 - cash), abs=1e-6)
    assert summary["pnl"] == pytest.approx(-70, abs=1e-6)  # no more than there was


def sign_of(fill: dict[str, Any]) -> int:
    return 1 if fill["order_side"] == "SELL" else -1

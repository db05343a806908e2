"""Paper trading: live data of the local exchange, fills by the simulated venue of a backtest, no keys at all."""

import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("kind", ["spot", pytest.param("perpetual", marks=pytest.mark.slow)])
def test_paper_fills_with_the_setups_fees_and_touches_nothing(kind: str, tmp_path: Path) -> None:
    from binance_double.orders import Side
    from tests.runtime.live.live_kit import Live, new_double

    with new_double() as double:
        live = Live(kind, double, tmp_path)
        command: dict[str, Any] = live.command("--paper", "--local", "--set", "backtest.latency.insert_ms=20")
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
    summary = live.summary()
    bps = Decimal("0.001") if kind == "spot" else Decimal("0.0002")
    fill = live.fills()[0]
    fee = Decimal(fill["commission"].split()[0])
    paid_on = Decimal(fill["last_qty"]) * (1 if kind == "spot" else Decimal(fill["last_px"]))
    assert fill["order_side"] == "BUY"
    assert fee == pytest.approx(paid_on * bps, abs=Decimal("1e-8"))
    assert summary["fills_assumption"] == "queue_latency"
    assert summary["pnl"] == pytest.approx(sum(summary["pnl_parts"].values()), abs=1e-6)

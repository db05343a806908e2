"""Paper trading and a backtest of what it saw fill the same orders: one preset, one latency, one seed."""

import json
from decimal import Decimal
from pathlib import Path

from tests.runtime.compare.compare_kit import PERPETUAL, compare, last_run, paper_process, write_market, write_setup


def test_paper_and_backtest_give_the_same_fills(tmp_path: Path) -> None:
    from binance_double.double import BinanceDouble
    from binance_double.replay import Replay
    from data_catalog.instruments import find_instrument

    write_market(tmp_path / "market", PERPETUAL, seconds=8)
    write_setup(tmp_path, PERPETUAL)
    with BinanceDouble([find_instrument(PERPETUAL)], wallet={"USDT": Decimal(10_000)}) as double:
        replay = Replay(double, tmp_path / "market", [PERPETUAL], speed=1)
        replay.step(2)
        with paper_process(tmp_path, double) as process:
            due_ms = double.clock.ms() + 5_000
            double.call(double.futures.venue.announce_funding, "SYNUSDT", Decimal("0.001"), due_ms)
            replay.start()
            replay.wait(30)
        assert process.returncode == 0, process.stderr_text

    run = last_run(tmp_path)
    status, found = compare(tmp_path, run)

    assert status == 0
    assert found["mode"] == "paper"
    fills = found["simulated"]["fills"]
    assert fills["live"] > 5
    assert (fills["live"], fills["replay"], fills["differences"]) == (fills["same"], fills["same"], [])
    assert abs(fills["later_ms_median"]) < 5
    assert json.loads((run / "summary.json").read_text())["fills"] == fills["live"]
    import subprocess
    print(json.loads((run / "summary.json").read_text()), file=open("/tmp/pm_sum","w"))
    print(found, file=open("/tmp/pm_found","w"))
    print(subprocess.getoutput(f"cat {run}/pnl.csv; ls {run}"), file=open("/tmp/pm_pnl","w"))

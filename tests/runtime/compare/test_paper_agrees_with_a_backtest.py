"""Paper trading and a backtest of what it saw fill the same orders: one preset, one latency, one seed."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.runtime.compare.compare_kit import PERPETUAL, compare, last_run, paper_process, write_market, write_setup


def test_paper_and_backtest_give_the_same_fills(tmp_path: Path) -> None:
    from binance_double.double import BinanceDouble
    from binance_double.replay import Replay
    from data_catalog.instruments import find_instrument

    write_market(tmp_path / "market", PERPETUAL, seconds=7)
    write_setup(tmp_path, PERPETUAL)
    with BinanceDouble([find_instrument(PERPETUAL)], wallet={"USDT": Decimal(10_000)}) as double:
        replay = Replay(double, tmp_path / "market", [PERPETUAL], speed=1)
        replay.step(2)
        with paper_process(tmp_path, double) as process:
            due_ms = double.clock.ms() + 5_500
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
    [replayed] = (tmp_path / "compared" / "maker").iterdir()
    live, again = (json.loads((folder / "summary.json").read_text()) for folder in (run, replayed))
    assert live["fills"] == again["fills"] == fills["live"]
    # 5.5 s into this market the maker is short one at about 100, in the run and in its replay: it receives 10 bps.
    for summary, source in ((live, "rates that the venue announced"), (again, "rates of the catalog")):
        funding = summary["funding"][PERPETUAL]
        assert (funding["source"], funding["payments"], funding["times_without_rate"]) == (source, 1, 0)
        assert summary["pnl_parts"]["funding"] == pytest.approx(0.1, rel=0.005)

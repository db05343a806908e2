"""Input that cannot be used: one line, exit status 2, nothing started and nothing written."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PERPETUAL = ["instruments=[BTCUSDT-PERP.BINANCE]", "risk=null", "live.leverage=100"]
BAD = {
    "no mode": ([], [], "expected one of --check, --rehearse, --paper, --testnet"),
    "two venues": (["--testnet", "--demo"], [], "expected one of"),
    "two actions": (["--check", "--paper"], [], "expected one of"),
    "no keys": (["--testnet"], [], "set BINANCE_TESTNET_API_KEY and BINANCE_TESTNET_API_SECRET"),
    "an address elsewhere": (["--local"], ["live.local_url=http://10.0.0.1:99"], "live.local_url: was"),
    "no address": (["--local"], [], "live.local_url: a local exchange needs its address"),
    "an address for real money": (["--check"], ["live.local_url=http://127.0.0.1:99"], "goes with --local alone"),
    "another account": (["--check"], ["live.account=usdm_futures"], 'live.account: was "usdm_futures"'),
    "an unknown key": (["--check"], ["live.leverge=3"], 'did you mean "leverage"?'),
    "no Redis address": (["--check"], ["live.redis=localhost"], "expected HOST:PORT"),
    "a dead man without patience": (["--check"], ["live.dead_man_secs=2"], "expected at least 5, or 0 for none"),
    "a mixture": (["--check"], ["instruments=[NEXOUSDT.BINANCE, BTCUSDT-PERP.BINANCE]"], "mixes spot and futures"),
    "margin on spot": (["--paper"], ["backtest.margin.mode=isolated"], "backtest.margin: is for futures"),
    "no room for maintenance": (["--paper"], PERPETUAL, "live.leverage: 100 leaves an initial margin of 1 %"),
    "no catalog": (["--rehearse", "nowhere"], [], "nowhere"),
}


@pytest.fixture(scope="module")
def setup(tmp_path_factory: Any) -> Path:
    from tests.runtime.live.live_kit import SETUPS

    file = Path(tmp_path_factory.mktemp("bad")) / "spot.yaml"
    file.write_text(SETUPS["spot"])
    return file


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_2(case: str, setup: Path, monkeypatch: Any, capsys: Any) -> None:
    from command_line import run
    from run_live import command

    options, overrides, words = BAD[case]
    for name in ("BINANCE_TESTNET_API_KEY", "BINANCE_TESTNET_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    assignments = [part for override in overrides for part in ("--set", override)]
    monkeypatch.setattr(sys, "argv", ["run_live.py", str(setup), *options, *assignments])
    monkeypatch.chdir(setup.parent)

    with pytest.raises(SystemExit) as left:
        run(command, "run_live.py")

    said = capsys.readouterr()
    assert (left.value.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert words in said.err
    assert [file.name for file in setup.parent.iterdir()] == ["spot.yaml"]


def test_help_says_what_there_is(project: Path) -> None:
    command = [sys.executable, str(project / "run_live.py"), "--help"]

    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout

    assert all(option in said for option in ("--check", "--rehearse", "--paper", "--real-money", "--halt", "--fresh"))

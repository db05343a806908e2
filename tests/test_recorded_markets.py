"""The setups on the recorded markets that they were written for, as a user runs them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from runtime.setup.tree import read_setup_tree
from runtime.workers.backtest_job import BacktestJob, run_backtest_job

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: Any, shared_data: Path, project: Path) -> Path:
    """Return a folder whose catalog holds NEXOUSDT spot (24.3 h) and the BTCUSDT perpetual (5.7 min)."""
    folder = Path(tmp_path_factory.mktemp("recorded"))
    nexo = sorted(map(str, (shared_data / "ticks_nexousdt_spot_202407").glob("*.gz")))
    bitcoin = [str(shared_data / "ticks_hftbacktest_202408" / "usdm_btcusdt_20240808.gz")]
    for files, instrument in ((nexo, "NEXOUSDT.BINANCE"), (bitcoin, "BTCUSDT-PERP.BINANCE")):
        command = [sys.executable, "-m", "data_catalog", "import", *files, "--instrument", instrument]
        subprocess.run(
            [*command, "--catalog", str(folder / "catalog")], cwd=project, check=True, capture_output=True, text=True
        )
    return folder


def replay(workplace: Path, project: Path, name: str, *options: str) -> tuple[dict[str, Any], Path]:
    """Run the setup `name` and return its summary and results folder."""
    setup = project / "configs" / f"{name}.yaml"
    command = [sys.executable, str(project / "run_backtest.py"), str(setup), "--json", *options]
    done = subprocess.run(command, cwd=workplace, check=True, capture_output=True, text=True)
    summary = json.loads(done.stdout)
    return summary, workplace / "results" / name / summary["run_id"]


@pytest.mark.parametrize("maker", ["fixed_spread", "avellaneda_stoikov"])
def test_nexousdt_is_replayed_whole(workplace: Path, project: Path, maker: str) -> None:
    summary, folder = replay(workplace, project, f"nexousdt_spot_{maker}")

    assert summary["events"] == 33_437 + 12_458
    assert (summary["start"], summary["end"]) == ("2024-07-23T15:39:43Z", "2024-07-24T15:59:56Z")
    assert summary["fills_assumption"] == "queue_latency"
    assert (summary["synthetic"], summary["reconstructed_quotes"]) == (False, False)
    assert summary["fills"] > 100
    assert sum(summary["pnl_parts"].values()) == pytest.approx(summary["pnl"], abs=1e-9)
    assert summary["pnl_trading"] + summary["pnl_holdings"] == pytest.approx(summary["pnl"], abs=1e-9)
    for pnl, ratio in (("pnl", "sharpe"), ("pnl_trading", "sharpe_trading")):
        assert summary[pnl] * summary[ratio] > 0  # a loss never shows a positive ratio
    curve = pq.read_table(folder / "equity.parquet").to_pylist()
    last = curve[-1]
    assert last["equity"] - curve[0]["equity"] == last["spread"] + last["inventory"] + last["fees"] + last["funding"]


@pytest.mark.parametrize("maker", ["fixed_spread", "avellaneda_stoikov"])
def test_the_bitcoin_perpetual_is_replayed_whole(workplace: Path, project: Path, maker: str) -> None:
    summary, _ = replay(workplace, project, f"btcusdt_perp_{maker}")

    assert summary["events"] == 66_089 + 21_313
    assert summary["fills"] > 10
    assert sum(summary["pnl_parts"].values()) == pytest.approx(summary["pnl"], abs=1e-9)
    assert (summary["sharpe"], summary["sharpe_why"]) == (None, "350 s are less than an hour")


def test_the_spread_that_fills_earn_falls_from_the_kind_assumption_to_the_cruel_one(
    workplace: Path, project: Path
) -> None:
    tree = read_setup_tree(project / "configs" / "nexousdt_spot_avellaneda_stoikov.yaml")
    earned = []
    for name in ("optimistic", "queue", "queue_latency", "pessimistic"):
        summary = run_backtest_job(BacktestJob(tree, (f"backtest.fills={name}",), str(workplace))).summary
        assert summary is not None
        earned.append(summary["pnl_parts"]["spread"])

    assert earned == sorted(earned, reverse=True)
    assert earned[0] > 5 * earned[-1]

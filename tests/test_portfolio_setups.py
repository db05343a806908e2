"""Portfolios as a user meets them: refused with one line, run with results."""

import csv
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import command_line
from run_backtest import command
from tests.portfolio_kit import ASSETS, walk, write_prices, write_setup

QUARTERS = {"target_weights_pct": dict.fromkeys(ASSETS, 25), "rebalance_threshold_pct": 3}


BALANCED = {"weights": "equal", "rebalance_threshold_pct": 3}
MAKERS = {"maker_instrument_ids": [ASSETS[0]]}


def rows_of(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text().splitlines()))


@pytest.fixture
def run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that writes a setup into a folder with a catalog, and runs the command there."""
    write_prices(tmp_path / "catalog", walk(2, 60))
    write_prices(tmp_path / "late" / "catalog", walk(2, 60)[:, :3], ASSETS[:3])
    write_prices(tmp_path / "late" / "catalog", walk(2, 10)[:, 3:], ASSETS[3:], first_hour=50)

    def run(config: dict[str, Any], *arguments: str, names: Any = ASSETS, folder: str = ".") -> tuple[int, str, str]:
        write_setup(tmp_path / folder, config, names)
        monkeypatch.chdir(tmp_path / folder)
        monkeypatch.setattr(sys, "argv", ["run_backtest.py", "setup.yaml", *arguments])
        with pytest.raises(SystemExit) as left:
            command_line.run(command, "run_backtest.py")
        return int(left.value.code or 0), *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("config", "names", "problem"),
    [
        (QUARTERS | {"target_weights_pct": dict.fromkeys(ASSETS, 26)}, ASSETS, "104 % in sum, expected at most 100"),
        (QUARTERS, (*ASSETS, ASSETS[0]), "BTCUSDT.BINANCE stands twice"),
        (BALANCED, (*ASSETS[:3], "AVAXBTC.BINANCE"), 'has no "AVAXBTC.BINANCE"'),
        (QUARTERS | {"target_weights_pct": dict.fromkeys(ASSETS[:3], 25)}, ASSETS, "has no weight of AVAXUSDT"),
        (QUARTERS, ASSETS[:3], "target_weights_pct: AVAXUSDT.BINANCE is not among instrument_ids"),
        (QUARTERS | {"weights": "equal"}, ASSETS, "goes with weights: fixed alone"),
        (
            {"weights": "risk_parity", "rebalance_threshold_pct": 3, "lookback": 59},
            ASSETS,
            "lookback: was 59, but from",
        ),
        (BALANCED | {"weights": "riskparity"}, ASSETS, 'did you mean "risk_parity"?'),
        (QUARTERS | {"risk_aversion": 2}, ASSETS, "expected either rebalance_threshold_pct or risk_aversion"),
        (
            QUARTERS | {"maker_instrument_ids": [ASSETS[0]]},
            ASSETS,
            "hard_threshold_pct: goes with maker_instrument_ids",
        ),
        (
            QUARTERS | MAKERS | {"hard_threshold_pct": 2},
            ASSETS,
            "hard_threshold_pct: was 2.0, expected at least rebalance_threshold_pct",
        ),
        (
            QUARTERS | {"maker_instrument_ids": ["XRPUSDT.BINANCE"], "hard_threshold_pct": 5},
            ASSETS,
            "maker_instrument_ids: XRPUSDT.BINANCE is not among instrument_ids",
        ),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_started(run_here: Any, config: Any, names: Any, problem: str) -> None:
    status, out, err = run_here(config, names=names)

    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "setup.yaml:" in err
    assert problem in err
    assert not Path("results").exists()


def test_an_asset_that_the_strategy_has_and_the_setup_does_not_is_refused(run_here: Any) -> None:
    status, _, err = run_here(QUARTERS, "--set", f"instruments={list(ASSETS[:3])}".replace("'", ""))

    assert status == 2
    assert "strategies[0].config.instrument_ids: AVAXUSDT.BINANCE is not among the setup's instruments" in err


def test_futures_have_no_weights(run_here: Any, tmp_path: Path) -> None:
    names = ("SYNUSDT-PERP.BINANCE",)
    write_prices(tmp_path / "catalog", walk(2, 60)[:, 3:], names)

    status, _, err = run_here(BALANCED, names=names)

    assert status == 2
    assert "is not spot" in err


@pytest.mark.parametrize(
    ("accepting", "problem"),
    [
        (
            [],
            "AVAXUSDT.BINANCE quotes: there are none in the period; run `python -m data_catalog check`; "
            "without quotes nothing can be traded or valued: another period, or another catalog",
        ),
        (["--set", "backtest.accept_data_because=nothing else is there"], "has no quotes of AVAXUSDT.BINANCE"),
    ],
)
def test_an_asset_without_a_price_in_the_period_is_refused(run_here: Any, accepting: list[str], problem: str) -> None:
    status, _, err = run_here(QUARTERS, "--end", "2023-11-15T10:00:00Z", *accepting, folder="late")

    assert status == 2
    assert problem in err


def test_an_asset_that_comes_late_is_waited_for_with_a_warning(run_here: Any) -> None:
    status, out, _ = run_here(QUARTERS, "--json", folder="late")

    summary = json.loads(out)
    assert status == 0
    assert "Nothing is rebalanced in the first 50.0 h: AVAXUSDT.BINANCE has no price before." in summary["warnings"]
    assert summary["fills"] > 0


def test_a_run_says_what_rebalancing_did_and_cost(run_here: Any) -> None:
    status, out, _ = run_here(QUARTERS, "--json")

    summary = json.loads(out)
    (figures,) = summary["rebalance"].values()
    folder = next(Path("results/portfolio").iterdir())
    rows = rows_of(folder / "rebalances.csv")
    fills = [row for row in rows_of(folder / "pnl.csv") if row["kind"] == "fill"]
    assert status == 0
    assert figures["actions"] == len({row["time"] for row in rows}) > 1
    assert len(rows) == 5 * figures["actions"]
    assert figures["fees_paid"] == float(sum(Decimal(fill["fee"]) for fill in fills))
    assert figures["fees_paid"] == pytest.approx(-summary["pnl_parts"]["fees"], abs=1e-9)
    assert figures["outside_after"] == 0
    for time in {row["time"] for row in rows}:
        weights = [Decimal(row["weight_after"]) for row in rows if row["time"] == time]
        assert sum(weights) == pytest.approx(Decimal(1), abs=Decimal("1e-9"))
    positions = rows_of(folder / "positions.csv")
    last = {row["instrument"]: row for row in positions[-4:]}
    value = sum(Decimal(row["position"]) * Decimal(row["mid"]) for row in last.values())
    assert 0.9 < float(value) / summary["equity_end"] <= 1


def test_a_run_without_a_rebalancer_says_nothing_of_it(run_here: Any) -> None:
    calm = QUARTERS | {"rebalance_threshold_pct": 100}

    _, out, _ = run_here(calm, "--json")

    assert "rebalance" not in json.loads(out)
    assert not list(Path("results/portfolio").glob("*/rebalances.csv"))

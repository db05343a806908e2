"""`--fill-ladder` as a user runs it, and the runs it is made of."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bad_input import BadInput
from data_catalog.synth import SyntheticMarket, write_synthetic_market
from run_backtest import command
from runtime.ladder.plan import LATENCIES_MS, plan_ladder
from runtime.setup.load import parse_setup
from runtime.setup.overrides import apply_overrides
from runtime.setup.tree import SetupTree, read_setup_tree
from tests.reports.page_kit import undefined

SETUP = """\
name: example
instruments: [SYNUSDT-PERP.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: SYNUSDT-PERP.BINANCE, order_qty: 1, max_position: 5, half_spread_bps: 2}
backtest:
  starting_balances: [10_000 USDT]
"""
FIVE = "{insert_ms: 5, modify_ms: 5, cancel_ms: 5}"
RUNGS = ["optimistic", "queue", "queue_latency", "pessimistic"]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: Any) -> Path:
    """Return a folder with a setup and a catalog of two and a half minutes."""
    folder = Path(tmp_path_factory.mktemp("ladder"))
    write_synthetic_market(folder / "catalog", SyntheticMarket(hours=0.04))
    (folder / "setup.yaml").write_text(SETUP)
    return folder


@pytest.fixture(scope="module")
def ladder(workplace: Path) -> tuple[dict[str, Any], Path]:
    """Return ladder.json as printed, and the folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workplace)
        done = CliRunner().invoke(
            command, ["setup.yaml", "--fill-ladder", "--json"], standalone_mode=False, catch_exceptions=False
        )
    assert done.return_value == 0
    printed = json.loads(done.stdout)
    return printed, workplace / "results" / "example" / printed["run_id"]


def test_the_folder_holds_the_ladder_its_page_and_every_run(ladder: Any) -> None:
    printed, folder = ladder

    assert json.loads((folder / "ladder.json").read_text()) == printed
    assert sorted(path.name for path in folder.iterdir()) == sorted([*RUNGS, "ladder.json", "ladder.html"])
    for row in printed["rungs"]:
        summary = json.loads((folder / row["name"] / "summary.json").read_text())
        assert summary["fills_assumption"] == row["name"]
        assert summary["pnl_trading"] == row["pnl_trading"]
        assert (folder / row["name"] / "report.html").is_file()


def test_the_rows_go_from_kind_to_cruel(ladder: Any) -> None:
    rungs = ladder[0]["rungs"]

    assert [row["name"] for row in rungs] == RUNGS
    assert rungs[0]["traded"] > rungs[-1]["traded"] > 0
    assert rungs[0]["latency_ms"] is None
    assert rungs[-1]["latency_ms"] == {"insert": 50, "modify": 50, "cancel": 50}


def test_the_curve_shares_the_runs_that_the_rungs_have_made_already(ladder: Any) -> None:
    curve = {point["latency_ms_each"]: point for point in ladder[0]["latency_curve"]["points"]}
    rungs = {row["name"]: row for row in ladder[0]["rungs"]}

    assert list(curve) == list(LATENCIES_MS)
    assert curve[0]["pnl"] == rungs["queue"]["pnl"]
    assert curve[50]["pnl"] == rungs["queue_latency"]["pnl"]
    assert curve[20]["latency_ms"] == {"insert": 20, "modify": 20, "cancel": 20}
    assert curve[1000]["traded"] != curve[0]["traded"]


def test_the_page_has_every_rung_and_fetches_nothing(ladder: Any) -> None:
    page = (ladder[1] / "ladder.html").read_text()

    for name in RUNGS:
        assert f'href="{name}/report.html"' in page
    assert undefined(page) == []
    assert "SYNTHETIC MARKET" in page
    assert "default-src 'none'" in page


def _tree(workplace: Path, *overrides: str) -> SetupTree:
    return apply_overrides(read_setup_tree(workplace / "setup.yaml"), overrides)


@pytest.mark.parametrize(
    ("overrides", "shared", "curve_fills"),
    [
        ([], {0: "queue", 50: "queue_latency"}, "queue_latency"),
        (["backtest.latency.cancel_ms=49"], {0: "queue"}, "queue_latency"),
        (["backtest.fills=pessimistic", f"backtest.latency={FIVE}"], {5: "pessimistic"}, "pessimistic"),
        (["backtest.fills=optimistic"], {0: "queue", 50: "queue_latency"}, "queue_latency"),
    ],
)
def test_a_rung_serves_for_a_point_only_where_it_is_the_same_run(
    workplace: Path, overrides: list[str], shared: dict[int, str], curve_fills: str
) -> None:
    tree = _tree(workplace, *overrides)
    plan = plan_ladder(tree, parse_setup(tree), workplace, workplace)

    assert plan.curve_fills == curve_fills
    assert {latency: name for latency, name in plan.curve.items() if name in RUNGS} == shared
    assert len(plan.jobs) == len(RUNGS) + len(LATENCIES_MS) - len(shared)
    for job in plan.jobs[len(RUNGS) :]:
        settings = parse_setup(job.tree).setup.backtest
        assert plan.curve[settings.latency.insert_ms] == job.name
        assert settings.fills == curve_fills


@pytest.mark.parametrize(
    "options", [["--inject", "crash"], ["--log-level", "INFO"], ["--set", "experiment={}"], ["--storage", "x"]]
)
def test_what_a_ladder_cannot_do_is_refused(workplace: Path, options: list[str], monkeypatch: Any) -> None:
    monkeypatch.chdir(workplace)
    before = sorted((workplace / "results").rglob("*")) if (workplace / "results").exists() else []

    with pytest.raises(BadInput):
        CliRunner().invoke(
            command, ["setup.yaml", "--fill-ladder", *options], standalone_mode=False, catch_exceptions=False
        )

    assert (sorted((workplace / "results").rglob("*")) if (workplace / "results").exists() else []) == before


@pytest.mark.parametrize("option", [["--fill-ladder"], ["--check-lookahead"], ["--compare", "run"]])
def test_what_runs_a_setup_refuses_a_sweep(workplace: Path, option: list[str], monkeypatch: Any) -> None:
    monkeypatch.chdir(workplace)

    with pytest.raises(BadInput, match=rf"setup.yaml: {option[0]}: runs a setup, and this file holds a key sweep"):
        CliRunner().invoke(
            command, ["setup.yaml", *option, "--set", "sweep={}"], standalone_mode=False, catch_exceptions=False
        )

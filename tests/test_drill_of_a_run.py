"""A drill as a user meets it: labelled wherever it is shown, exit status 3 when a control halted the run."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import command_line
from run_backtest import command
from tests.runtime.drills.test_drills import IDS, SETUP, write_market

LABEL = "DRILL, NOT A BACKTEST"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: Any) -> Path:
    """Return a folder with a setup and its catalog."""
    folder = Path(tmp_path_factory.mktemp("drill"))
    write_market(folder / "perpetual", IDS["perpetual"])
    text = SETUP.format(instrument=IDS["perpetual"], kind="perpetual", balances="[1_000 USDT]")
    (folder / "setup.yaml").write_text(text)
    return folder


@pytest.fixture
def run_here(workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs the command in this process."""

    def run_backtest(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.chdir(workplace)
        monkeypatch.setattr(sys, "argv", ["run_backtest.py", *arguments])
        with pytest.raises(SystemExit) as left:
            command_line.run(command, "run_backtest.py")
        return int(left.value.code or 0), *capsys.readouterr()

    return run_backtest


def test_a_drill_says_so_in_every_result(run_here: Any, workplace: Path) -> None:
    status, out, _ = run_here("setup.yaml", "--inject", "crash:secs=20", "--json")

    summary = json.loads(out)
    drill = summary["drill"]
    (halt,) = summary["risk"]["halts"]
    (row,) = [row for row in drill["controls"] if row["rule"] == "max_drawdown_pct"]
    assert status == 3
    assert summary["risk"]["state"] == "HALTED"
    assert (drill["fault"], drill["answered"], drill["secs"]) == ("crash", True, 20)
    assert (row["fired_at"], row["value"], row["limit"]) == (halt["time"], halt["value"], halt["limit"])
    assert (halt["rule"], halt["limit"], halt["action"]) == ("max_drawdown_pct", 4, "flatten")
    assert halt["value"] >= 4
    assert drill["flatten_cost"] == pytest.approx(halt["cost"]) != 0
    assert summary["run_id"].endswith("-drill-crash")
    page = (workplace / "results" / "drilled" / summary["run_id"] / "report.html").read_text()
    assert f"<title>{LABEL}" in page
    assert page.count(LABEL) == 2
    assert drill["verdict"] in page
    assert "Generated, with a fault" in page
    manifest = json.loads((workplace / "results" / "drilled" / summary["run_id"] / "manifest.json").read_text())
    assert manifest["drill"] == {key: drill[key] for key in ("fault", "at", "instruments", "change_pct", "secs")}


def test_the_terminal_shows_what_answered_and_a_backtest_shows_no_drill(run_here: Any) -> None:
    status, drilled, _ = run_here("setup.yaml", "--inject", "feed-stall:secs=20", "--at", "2026-01-01T00:01:00Z")
    _, plain, _ = run_here("setup.yaml")

    assert status == 0
    assert LABEL in drilled
    assert "max_data_age_secs answered first." in drilled
    assert LABEL not in plain


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["setup.yaml", "--inject", "feed-stal"], 'did you mean "feed-stall"?'),
        (["setup.yaml", "--inject", "gap", "--at", "2027-01-01"], "--at: was "),
        (["setup.yaml", "--at", "2026-01-01"], "--at: goes with --inject alone"),
        (["paper.yaml", "--inject", "gap"], "--inject: drills a setup, and this is an experiment"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    arguments: list[str], complaint: str, run_here: Any, workplace: Path
) -> None:
    (workplace / "paper.yaml").write_text("experiment: {}\n")

    status, out, err = run_here(*arguments, "--out", "nothing")

    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert complaint in err
    assert not (workplace / "nothing").exists()

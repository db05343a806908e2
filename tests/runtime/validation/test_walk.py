"""Out of sample by construction: what a search sees, what it does not, and what is made of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bad_input import BadInput
from reports.sweeps.page import write_sweep_page
from reports.sweeps.record import read_sweep, write_sweep
from runtime.setup.tree import read_setup_tree
from runtime.validation.assemble import luck_summary
from runtime.validation.earlier import EarlierTrials, earlier_trials
from runtime.validation.settings import ValidationSettings, length_ns
from runtime.validation.walk import is_adaptive
from runtime.validation.windows import folds_of, in_window
from runtime.validation.write_best import BEST_FILE, best_setup, check_target
from runtime.workers.backtest_job import BacktestJob, run_backtest_job
from tests.runtime.validation.coin_trader import START_NS, write_market

MINUTE_NS = 60_000_000_000
COIN = "strategies[0].config.coin"
HOLDOUT = "{scheme: holdout, test: 20min, purge: 3min, embargo: 2min, random_points: 2}"


@pytest.fixture(scope="module")
def held_out(searched: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a search of an hour less five and twenty minutes, tried on the last twenty."""
    return searched(3, 61, validation=HOLDOUT, objective="pnl_trading", folder=tmp_path_factory.mktemp("held_out"))


def market_of(done: Any) -> Path:
    return Path(done.base.data.catalog)


def test_the_search_does_not_know_what_comes_after(searched: Callable[..., Any], held_out: Any, tmp_path: Path) -> None:
    """Another market from the end of the training window on: the search is the same, bit for bit."""
    (fold,) = (walked.fold for walked in held_out.walked)
    seen = (fold.train.end_ns - START_NS) // MINUTE_NS + 1
    write_market(tmp_path / "market", 61, changed_from=int(seen))

    other = searched(3, 61, validation=HOLDOUT, objective="pnl_trading", folder=tmp_path)

    for number, result in held_out.walked[0].results.items():
        assert other.walked[0].results[number].returns.tobytes() == result.returns.tobytes()
        assert other.walked[0].results[number].objectives == result.objectives
    assert other.walked[0].winner == held_out.walked[0].winner
    assert other.report.record.out_of_sample.winner != held_out.report.record.out_of_sample.winner


def test_windows_do_not_touch(held_out: Any) -> None:
    (fold,) = (walked.fold for walked in held_out.walked)
    assert fold.train.start_ns == START_NS
    assert fold.test.start_ns - fold.train.end_ns == 5 * MINUTE_NS + 1_000
    assert fold.test.end_ns + 1_000 == held_out.base.data.end_ns + 1
    times = held_out.walked[0].results[0].times_ns
    assert times[-1] <= fold.train.end_ns
    assert held_out.walked[0].winner_test.times_ns[0] >= fold.test.start_ns


def test_out_of_sample_is_what_a_run_of_the_winner_earns(held_out: Any) -> None:
    walked, out = held_out.walked[0], held_out.report.record.out_of_sample
    winner = held_out.report.winner(held_out.report.record.last)
    best = max(walked.results, key=lambda number: walked.results[number].objectives[0])
    assert winner.number == best == walked.winner

    def pnl_pct(overrides: tuple[str, ...]) -> float:
        job = BacktestJob(held_out.loaded.base.tree, (*walked.fold.test.overrides, *overrides), str(Path.cwd()))
        summary = run_backtest_job(job).summary
        return 100 * summary["pnl_trading"] / summary["equity_start"]

    assert out.winner.pnl_pct == pytest.approx(pnl_pct((f"{COIN}={winner.parameters[COIN]}",)), abs=1e-12)
    assert out.base.pnl_pct == pytest.approx(pnl_pct(()), abs=1e-12)
    assert len(out.random_pnl_pct) == 2
    assert out.winner.sharpe.value is None
    assert "intervals" in out.winner.sharpe.why
    assert held_out.report.curves.winner[-1] == pytest.approx(out.winner.pnl_pct, abs=1e-12)


def test_a_sweep_that_goes_on_runs_nothing_again(searched: Callable[..., Any], held_out: Any) -> None:
    folder = market_of(held_out).parent
    again = searched(3, 61, validation=HOLDOUT, objective="pnl_trading", folder=folder)
    assert again.walked[0].results == held_out.walked[0].results  # with the seconds of the first time
    assert again.walked[0].winner_test == held_out.walked[0].winner_test
    assert again.report.record.folds == held_out.report.record.folds


def test_beside_a_search_that_learns_random_points_are_drawn(searched: Callable[..., Any]) -> None:
    done = searched(
        50,
        61,
        sampler="{kind: tpe, batch: 2}",
        trials="trials: 2",
        validation="{scheme: walk_forward, train: 25min, test: 15min, random_points: 2}",
        objective="pnl_trading",
    )
    assert is_adaptive(done.loaded)
    assert done.report.record.adaptive
    assert [walked.fold.number for walked in done.walked] == [0, 1]
    for walked in done.walked:
        drawn = done.report.of_fold(walked.fold.number, "random")
        assert [trial.number for trial in drawn] == [2, 3]
        assert all(trial.values and trial.test_values for trial in drawn)
    assert len(done.report.curves.ts_ns) == 30
    earned = [walked.winner_test.returns.sum() for walked in done.walked]
    assert done.report.record.out_of_sample.winner.pnl_pct == pytest.approx(100 * np.sum(earned), abs=1e-12)


def test_the_winners_setup_does_what_the_trial_did(held_out: Any, tmp_path: Path) -> None:
    text = best_setup(held_out.loaded, held_out.report)
    (tmp_path / BEST_FILE).write_text(text)
    first = [line for line in text.splitlines() if line.startswith("#")]
    winner = held_out.report.winner(held_out.report.record.last)
    assert f"trial {winner.number}." in first[0]
    assert any(held_out.report.record.manifest["sweep_sha256"] in line for line in first)
    assert any("out of sample" in line for line in first)
    assert "# which of them" in text  # the comments of the setup stay

    window = held_out.walked[0].fold.train.overrides
    done = run_backtest_job(BacktestJob(read_setup_tree(tmp_path / BEST_FILE), window, str(Path.cwd())))

    assert done.summary["setup"] == "coins_best"
    assert done.summary["pnl_trading"] == winner.values[0]


def test_the_results_are_files_and_a_page(held_out: Any, tmp_path: Path) -> None:
    write_sweep(held_out.report, tmp_path)
    assert read_sweep(tmp_path).record == held_out.report.record
    assert "TOO SHORT TO SAY" in write_sweep_page(tmp_path).read_text(encoding="utf-8")
    summary = luck_summary(held_out.report)
    assert summary["verdict"] == "TOO SHORT TO SAY"
    assert summary["dsr"] is None
    assert summary["dsr_why"]
    assert summary["out_of_sample"]["secs"] == 1200


def test_earlier_sweeps_on_the_same_data_count(held_out: Any, tmp_path: Path) -> None:
    from msgspec.structs import replace

    report = held_out.report
    manifest = report.record.manifest
    for run, sha in (("a", "other"), ("b", "other"), ("c", manifest["sweep_sha256"]), ("d", "third")):
        data = {} if run == "d" else manifest["depends_on"]
        record = replace(report.record, manifest=manifest | {"sweep_sha256": sha, "depends_on": data})
        (tmp_path / run).mkdir()
        write_sweep(type(report)(record, report.trials, report.curves), tmp_path / run)
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "validation.json").write_text("nonsense")

    found = earlier_trials(tmp_path, held_out.loaded, held_out.base)

    assert (found.count, found.sweeps) == (3, 1)  # run again is none, twice the same is one, other data are none
    assert str(found) == "3 trials of 1 earlier sweep"
    assert str(EarlierTrials(1, 2)) == "1 trial of 2 earlier sweeps"
    assert earlier_trials(tmp_path / "nowhere", held_out.loaded, held_out.base).count == 0


def test_a_period_that_is_too_short_is_refused(held_out: Any) -> None:
    from dataclasses import replace

    from msgspec.structs import replace as changed

    settings = changed(held_out.loaded.settings, validation=ValidationSettings(scheme="holdout", test="61min"))
    short = replace(held_out.loaded, file=changed(held_out.loaded.file, sweep=settings))
    with pytest.raises(BadInput, match="is shorter than 61min"):
        folds_of(short, held_out.base)


def test_trials_that_must_end_are_not_pruned(held_out: Any) -> None:
    unseen = in_window(held_out.loaded, held_out.walked[0].fold.test, pruning=False)
    assert unseen.settings.pruning is None
    assert unseen.base.setup.backtest.start == "2026-01-01T00:40:00.000000001+00:00"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"scheme": "holdout"}, "test: is missing"),
        ({"scheme": "walk_forward", "test": "1h"}, "train: is missing"),
        ({"scheme": "none", "test": "1h"}, "test: does not go with none"),
        ({"scheme": "holdout", "test": "1h", "step": "1h"}, "step: does not go with holdout"),
        ({"scheme": "holdout", "test": "1h", "anchored": True}, "anchored: does not go"),
        ({"scheme": "holdout", "test": "0s"}, "expected above 0"),
        ({"scheme": "holdout", "test": "six hours"}, 'test: was "six hours"'),
        ({"purge": "1h"}, "purge: does not go with none"),
        ({"scheme": "walk_forward", "test": "2h", "train": "1h", "step": "1h"}, "windows count once"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ValidationSettings(**values)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1.5min", 90), ("6h", 21_600), (" 2 d ", 172_800)])
def test_lengths_have_units(text: str, seconds: int) -> None:
    assert length_ns("test", text) == seconds * 1_000_000_000


def test_the_target_of_the_winner_must_be_free(tmp_path: Path) -> None:
    check_target(None)
    check_target(tmp_path / "best.yaml")
    (tmp_path / "there.yaml").write_text("")
    for file in (tmp_path / "there.yaml", tmp_path / "no" / "best.yaml"):
        with pytest.raises(BadInput):
            check_target(file)

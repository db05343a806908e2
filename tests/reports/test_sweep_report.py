"""The report of a sweep: files, verdict, page and terminal, for sweeps of known truth."""

import re
import shutil
import subprocess
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace
from rich.console import Console

from bad_input import BadInput
from reports.sweeps.page import build_sweep_page, sweep_charts, write_sweep_page
from reports.sweeps.record import Known, Sweep, read_sweep, write_sweep
from reports.sweeps.terminal import print_sweep
from reports.sweeps.verdict import Level, verdict
from tests.reports.page_kit import undefined
from tests.reports.sweep_kit import OBJECTIVE, SPREAD, a_sweep, nothing_ran, two_objectives, without_validation
from tests.reports.test_page_in_browser import FLAGS


@pytest.fixture(scope="module")
def noise() -> Sweep:
    return a_sweep()


@pytest.fixture(scope="module")
def edge() -> Sweep:
    return a_sweep(0.6)


def as_it_is(sweep: Sweep) -> Sweep:
    return sweep


@pytest.fixture(params=[as_it_is, without_validation, nothing_ran, two_objectives])
def any_sweep(request: pytest.FixtureRequest, noise: Sweep) -> Sweep:
    shape: Callable[[Sweep], Sweep] = request.param
    return shape(noise)


def test_nothing_is_found_in_noise(noise: Sweep) -> None:
    found = verdict(noise)
    assert found.level is Level.NOTHING
    assert noise.record.last.luck.sharpe.value > 30


def test_an_edge_is_found(edge: Sweep) -> None:
    found = verdict(edge)
    assert found.level is Level.FOUND
    assert all(check.passed for check in found.checks if check.grave)
    assert abs(edge.winner(edge.record.last).parameters[SPREAD] - 7) < 3


def test_what_was_not_tried_out_of_sample_says_so(edge: Sweep) -> None:
    found = verdict(without_validation(edge))
    assert found.level is Level.FOUND
    assert "not tried out of sample" in found.sentence


def test_what_lost_out_of_sample_did_not_hold(edge: Sweep) -> None:
    out = edge.record.out_of_sample
    lost = replace(out.winner, pnl_pct=-0.1, psr=Known(value=0.1))
    sweep = Sweep(replace(edge.record, out_of_sample=replace(out, winner=lost)), edge.trials, edge.curves)
    assert verdict(sweep).level is Level.NOT_HELD


def test_what_random_points_do_as_well_is_doubtful(edge: Sweep) -> None:
    out = replace(edge.record.out_of_sample, beaten_share=Known(value=0.4))
    found = verdict(Sweep(replace(edge.record, out_of_sample=out), edge.trials, edge.curves))
    assert found.level is Level.DOUBTFUL
    assert "random points" in found.sentence


def test_a_sample_that_is_too_short_says_why(noise: Sweep) -> None:
    sweep = without_validation(noise)
    luck = sweep.record.last.luck
    unknown = Known(why="20 intervals are fewer than 30")
    names = (
        "sharpe",
        "expected_best_sharpe",
        "psr",
        "skill",
        "dsr",
        "min_track_record_secs",
        "min_backtest_secs",
        "pbo",
    )
    fold = replace(sweep.record.last, luck=replace(luck, **dict.fromkeys(names, unknown)))
    found = verdict(Sweep(replace(sweep.record, folds=(fold,)), sweep.trials, None))
    assert found.level is Level.TOO_SHORT
    assert "fewer than 30" in found.sentence
    assert [check.passed for check in found.checks if check.grave] == [None] * 3


def test_without_a_winner_there_is_nothing(noise: Sweep) -> None:
    assert verdict(nothing_ran(noise)).level is Level.NOTHING


def test_the_files_say_all_of_it(any_sweep: Sweep, tmp_path: Path) -> None:
    write_sweep(any_sweep, tmp_path)
    again = read_sweep(tmp_path)
    assert again.record == any_sweep.record
    assert build_sweep_page(again) == build_sweep_page(any_sweep)


def test_every_point_is_in_the_table(noise: Sweep, tmp_path: Path) -> None:
    write_sweep(noise, tmp_path)
    table = pq.read_table(tmp_path / "points.parquet")
    assert len(table) == len(noise.trials) == 3 * 61
    assert table[f"in_sample:{OBJECTIVE.key}"][0].as_py() == noise.trials[0].values[0]
    assert table[f"out_of_sample:{OBJECTIVE.key}"][0].as_py() == noise.trials[0].test_values[0]
    assert table[f"parameter:{SPREAD}"][0].as_py() == noise.trials[0].parameters[SPREAD]
    assert table["error"].to_pylist().count("it <b>broke</b>") == 3


def test_the_page_says_the_verdict_and_escapes_what_it_is_told(noise: Sweep, tmp_path: Path) -> None:
    write_sweep(noise, tmp_path)
    page = write_sweep_page(tmp_path).read_text(encoding="utf-8")
    assert Level.NOTHING.value in page
    assert "it &lt;b&gt;broke&lt;/b&gt;" in page
    assert "<b>broke" not in page
    assert not re.search(r'(src|href)="?https?:', page.partition("<script")[0])


def test_the_page_shows_what_there_is(any_sweep: Sweep) -> None:
    page = build_sweep_page(any_sweep)
    assert undefined(page) == []
    drawn = {chart.key for chart in sweep_charts(any_sweep)}
    tried = any_sweep.record.out_of_sample is not None
    assert {"parallel", "importance", "heat-0"} <= drawn
    assert ("out-of-sample" in drawn) == ("in-and-out" in drawn) == ("folds" in drawn) == tried
    assert ("pareto-0-1" in drawn) == (len(any_sweep.record.objectives) > 1)
    assert page.count('class="tile"') == (1 if any_sweep.record.last.luck is None else 10)


def test_points_that_stand_alone_are_drawn(noise: Sweep) -> None:
    """One trial, one value per parameter, and a parameter that does not always apply."""
    sweep = without_validation(noise)
    lone = Sweep(sweep.record, (sweep.winner(sweep.record.last),), None)
    missing = Sweep(
        sweep.record, tuple(replace(t, parameters={**t.parameters, SPREAD: None}) for t in sweep.trials[:9]), None
    )
    for shape in (lone, missing):
        assert build_sweep_page(shape)


def test_the_terminal_shows_verdict_checks_and_winner(any_sweep: Sweep, tmp_path: Path) -> None:
    out = StringIO()
    print_sweep(any_sweep, tmp_path, Console(file=out, width=80))
    shown = out.getvalue()
    assert verdict(any_sweep).level.value in shown
    assert str(tmp_path / "sweep.html") in shown
    assert max(len(line) for line in shown.splitlines() if "Page:" not in line) <= 80


@pytest.mark.parametrize("broken", ["nothing", "text", "no points"])
def test_a_folder_that_holds_no_sweep_is_refused(broken: str, noise: Sweep, tmp_path: Path) -> None:
    if broken == "text":
        (tmp_path / "validation.json").write_text('{"sweep": 1}')
    if broken == "no points":
        write_sweep(noise, tmp_path)
        (tmp_path / "points.parquet").unlink()
    with pytest.raises(BadInput):
        write_sweep_page(tmp_path)
    assert not (tmp_path / "sweep.html").exists()


def test_the_page_draws_every_chart_in_a_browser(noise: Sweep, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium is installed")
    write_sweep(noise, tmp_path)
    flags = (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}")
    command = [chromium, *flags, "--dump-dom", f"file://{write_sweep_page(tmp_path)}"]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert f'data-drawn="{len(sweep_charts(noise))}"' in dom
    assert dom.count('class="main-svg"') >= len(sweep_charts(noise))
    assert 'color="@' not in dom.partition("<script")[0]

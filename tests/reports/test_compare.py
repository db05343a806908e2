"""Results folders side by side: nothing that sets them apart is hidden."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bad_input import BadInput
from reports.__main__ import main
from reports.compare import as_document, difference_line, read_runs
from reports.differences import Difference, differences
from tests.reports.conftest import SHORT
from tests.reports.page_kit import undefined
from tests.reports.results_writer import write_results


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Return three runs: the second with another fee, the third on another market."""
    shapes = (SHORT, replace(SHORT, fee=Decimal("0.0002")), replace(SHORT, instruments=("SYNUSDT-PERP.BINANCE",)))
    return [write_results(tmp_path / f"run{n}", shape) for n, shape in enumerate(shapes)]


def changed(folder: Path, file: str, path: str, value: Any) -> None:
    """Change one value of a JSON file."""
    content = json.loads((folder / file).read_text())
    *above, last = path.split("/")
    inner = content
    for key in above:
        inner = inner.setdefault(key, {})
    inner[last] = value
    (folder / file).write_text(json.dumps(content))


def what_differs(*folders: Path) -> dict[str, tuple[str, ...]]:
    return {found.what: found.values for found in differences(list(read_runs(folders).values()))}


def test_the_same_run_in_two_folders_differs_in_nothing(tmp_path: Path) -> None:
    one, two = (write_results(tmp_path / name, SHORT) for name in ("one", "two"))

    assert what_differs(one, two) == {}


@pytest.mark.parametrize(
    ("file", "path", "value", "what"),
    [
        ("summary.json", "fills_assumption", "optimistic", "fill assumption"),
        ("summary.json", "latency_ms", {"insert": 1}, "latency"),
        ("summary.json", "fees", {"maker_bps": -0.5, "taker_bps": 1.0}, "fees"),
        ("summary.json", "start", "2020-01-01T00:00:00Z", "period"),
        ("summary.json", "synthetic", True, "kind of data"),
        ("summary.json", "drill", {"fault": "crash"}, "kind of data"),
        ("summary.json", "currency", "BTC", "currency"),
        ("manifest.json", "versions/numpy", "0.1", "version of numpy"),
        ("manifest.json", "setup", {"strategies": [{"config": {"qty": 7}}]}, "setup: strategies[0].config.qty"),
        (
            "manifest.json",
            "data",
            [{"instrument": "NEXOUSDT.BINANCE", "type": "quotes", "rows": 3, "fingerprint": "ab"}],
            "data: NEXOUSDT.BINANCE quotes",
        ),
    ],
)
def test_every_kind_of_difference_is_named(tmp_path: Path, file: str, path: str, value: Any, what: str) -> None:
    one, two = (write_results(tmp_path / name, SHORT) for name in ("one", "two"))
    changed(two, file, path, value)

    assert what in what_differs(one, two)


def test_runs_with_the_same_value_stand_together() -> None:
    assert difference_line("ABC", Difference("fees", ("1", "2", "1"))) == "fees: A, C: 1 | B: 2"


def test_the_document_holds_the_figures_of_every_run(folders: list[Path]) -> None:
    document = as_document(read_runs(folders))

    assert list(document["runs"]) == ["A", "B", "C"]
    for name, folder in zip("ABC", folders, strict=True):
        summary = json.loads((folder / "summary.json").read_text())
        assert document["figures"]["pnl_trading"][name] == summary["pnl_trading"]
        assert document["figures"]["pnl_parts.fees"][name] == summary["pnl_parts"]["fees"]
        assert document["figures"]["fills"][name] == summary["fills"]
    assert document["disagreements"] == {"A": [], "B": [], "C": []}


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(main, ["compare", *map(str, arguments)], standalone_mode=False, catch_exceptions=False)


def test_the_command_prints_what_sets_runs_apart_and_writes_a_page(folders: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = run(*folders, "--out", page)

    assert "What sets them apart" in done.stdout
    assert "fees: " in done.stdout
    written = page.read_text()
    assert undefined(written) == []
    assert "What sets them apart" in written
    assert '"overlaid"' in written
    assert "default-src 'none'" in written


def test_json_goes_to_stdout_and_nothing_is_written(folders: list[Path], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = run(*folders, "--json")

    assert json.loads(done.stdout)["differences"]
    assert sorted(tmp_path.rglob("*")) == before


def test_figures_that_disagree_are_not_hidden(folders: list[Path], tmp_path: Path) -> None:
    changed(folders[0], "summary.json", "pnl", 1e6)

    done = run(*folders, "--out", tmp_path / "page.html")

    assert "THE FIGURES DISAGREE" in done.stdout
    assert "THE FIGURES DISAGREE" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("chosen", [[], [0], [0, 0], [0, 9]])
def test_what_cannot_be_compared_is_refused(folders: list[Path], tmp_path: Path, chosen: list[int]) -> None:
    with pytest.raises(BadInput):
        run(*(tmp_path / f"run{n}" for n in chosen), "--out", tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_page_needs_a_folder(folders: list[Path], tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        run(*folders, "--out", tmp_path / "nowhere" / "page.html")

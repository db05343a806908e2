import json
from pathlib import Path
from typing import Any

import pytest

from reports.checks import disagreements
from reports.results_folder import Results, read_results


def changed(folder: Path, **values: Any) -> list[str]:
    file = folder / "summary.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))
    return disagreements(read_results(folder))


def test_sound_results_raise_no_doubt(any_results: Results) -> None:
    assert disagreements(any_results) == []


def test_a_flattered_pnl_contradicts_everything_else(short: Path) -> None:
    pnl = json.loads((short / "summary.json").read_text())["pnl"]
    found = changed(short, pnl=pnl + 1e-5)
    assert [text.split(", but ")[1].rsplit(" ", 1)[0] for text in found] == [
        "the parts of the P&L sum to",
        "equity changed by",
        "trading and holdings sum to",
        "the grid of equity changed by",
        "the parts on the grid of equity sum to",
    ]


@pytest.mark.parametrize("part", ["spread", "inventory", "fees", "funding"])
def test_a_wrong_part_is_found(short: Path, part: str) -> None:
    parts = json.loads((short / "summary.json").read_text())["pnl_parts"]
    found = changed(short, pnl_parts=parts | {part: parts[part] + 2e-6})
    assert len(found) == 1
    assert "the parts of the P&L sum to" in found[0]


def test_a_wrong_count_of_fills_is_found(short: Path) -> None:
    assert changed(short, fills=59) == ["The summary counts 59 fills; fills.parquet has 60."]


def test_unknown_figures_are_no_contradiction(short: Path) -> None:
    assert changed(short, pnl=None, fills=None) == []

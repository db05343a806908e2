"""The fault table of docs/live.md names its tests, and they exist."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent


def _rows(project: Path) -> list[list[str]]:
    lines = (project / "docs" / "live.md").read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| what fails"))
    end = next(number for number in range(start, len(lines)) if not lines[number].startswith("|"))
    return [line.strip("|").split("|") for line in lines[start + 2 : end]]


def test_every_fault_names_tests_that_exist(project: Path) -> None:
    rows = _rows(project)
    marks = {}
    for file in FOLDER.glob("test_*.py"):
        for mark, name in re.findall(r"(@pytest\.mark\.slow\n)?def (test_\w+)", file.read_text(encoding="utf-8")):
            marks[name] = bool(mark)

    for row in rows:
        named = re.findall(r"`(test_\w+)`( \(slow\))?", row[-1])
        assert named, row[0]
        assert {name: bool(slow) for name, slow in named} == {name: marks[name] for name, _ in named}
    assert len(rows) > 30

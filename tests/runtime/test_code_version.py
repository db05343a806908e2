"""The fingerprint of the code changes with what can change a result, and with nothing else."""

from pathlib import Path

import pytest

from runtime.code_version import code_version, fingerprint


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name, text in {
        "run.py": "run",
        "strategies/maker.py": "maker",
        "strategies/deep/er.py": "deeper",
        "tests/test_maker.py": "test",
        ".venv/lib/package.py": "package",
        "results/a/own.py": "kept",
        "docs/picture.py": "picture",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "matters"),
    [
        ("run.py", True),
        ("strategies/maker.py", True),
        ("strategies/deep/er.py", True),
        ("mine/new_maker.py", True),
        ("strategies/README.md", False),
        ("tests/test_maker.py", False),
        (".venv/lib/package.py", False),
        ("results/a/own.py", False),
        ("docs/picture.py", False),
    ],
)
def test_a_change_of_what_can_change_a_result_changes_it(file: str, matters: bool, checkout: Path) -> None:
    before = fingerprint(checkout)

    (checkout / file).parent.mkdir(exist_ok=True)
    (checkout / file).write_text("changed")

    assert (fingerprint(checkout) != before) == matters


def test_text_that_moves_from_one_file_to_the_next_is_a_change(checkout: Path) -> None:
    (checkout / "strategies/a.py").write_text("one two")
    (checkout / "strategies/b.py").write_text("")
    before = fingerprint(checkout)

    (checkout / "strategies/a.py").write_text("one")
    (checkout / "strategies/b.py").write_text(" two")

    assert fingerprint(checkout) != before


def test_the_projects_own_is_always_the_same() -> None:
    assert code_version() == code_version.__wrapped__()
    assert len(code_version()) == 12

"""Which code made a result: a fingerprint of every source file of the checkout that can change one."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[1]
_NOT_OF_A_RUN: Final = frozenset({"tests", "benchmarks", "docs", "reports", "results"})
"""Folders whose code decides nothing: results are the same without them, or are themselves."""


@cache
def code_version() -> str:
    """Return twelve digits that change with any source file of the project, the user's own strategies included."""
    return fingerprint(PROJECT)


def fingerprint(project: Path) -> str:
    """Return the fingerprint of the source files of a checkout, whatever the order in which a disk lists them."""
    found = sha256()
    for file in sorted(_sources(project)):
        content = file.read_bytes()
        found.update(f"{file.relative_to(project).as_posix()}\0{len(content)}\0".encode() + content)
    return found.hexdigest()[:12]


def _sources(project: Path) -> list[Path]:
    rooms = [
        room
        for room in project.iterdir()
        if not room.name.startswith(".") and room.name not in _NOT_OF_A_RUN and any(room.glob("*.py"))
    ]  # a folder without code at its top, such as a catalog, may have any number of files
    return [*project.glob("*.py"), *(file for room in rooms for file in room.rglob("*.py"))]

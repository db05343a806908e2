"""Files that a command writes beside its answer: checked before any work, written whole or not at all."""

import os
from pathlib import Path

from bad_input import BadInput
from command_line import Failed


def require_place(path: Path | None, option: str, *, must_be_new: bool) -> None:
    """Raise `BadInput` where the folder is missing, or where a file that may have been edited would be lost."""
    if path is None:
        return
    if not path.absolute().parent.is_dir():
        raise BadInput(f"there is no folder {path.absolute().parent}", key=option)
    if must_be_new and path.exists():
        raise BadInput("there is such a file already, and it may have been edited", file=path, hint="remove it first")


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all; raise `Failed` where that cannot be done."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Failed(f"{path} could not be written ({error.strerror})") from error

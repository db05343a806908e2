"""The one exception for input that cannot be used: every command line turns it into one line and exit status 2."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class BadInput(Exception):  # noqa: N818 (reads as what it is at every raise)
    """
    Input from the user that cannot be used; nothing was started and nothing was written.

    The text is one line: `file:line: key: problem; hint`.

    Parameters
    ----------
    problem : str
        What is wrong, with the value quoted and what was expected.
    file : Path or str, optional
        The file that holds the value.
    line : int, optional
        The line in `file`, counted from 1.
    key : str, optional
        The dotted path of the key, such as `strategies[0].config.order_qty`.
    hint : str, optional
        What to do about it, or the nearest known name.

    """

    def __init__(
        self,
        problem: str,
        *,
        file: Path | str | None = None,
        line: int | None = None,
        key: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = file
        self.line = line
        self.key = key
        self.hint = hint
        place = f"{file}:{line}" if file is not None and line is not None else file
        parts = [str(part) for part in (place, key, problem) if part is not None]
        text = ": ".join(parts) + (f"; {hint}" if hint else "")
        super().__init__(" ".join(text.split()))


def nearest_name(word: str, known: Iterable[str]) -> str | None:
    """Return a hint such as `did you mean "maker_bps"?` for the known name closest to `word`, or None."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'did you mean "{matches[0]}"?' if matches else None

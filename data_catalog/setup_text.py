"""The small pieces that a setup is written of: comments, numbers and names as a person would write them."""

import json
import re
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from textwrap import wrap

_WIDTH = 118


def comment(text: str, indent: int) -> list[str]:
    """Return a text as lines of comment."""
    prefix = " " * indent + "# "
    return wrap(text, _WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_long_words=False)


def digits(value: float, count: int) -> str:
    """Return a number with so many significant digits and no exponent."""
    return f"{Decimal(f'{value:.{count}g}'):f}"


def round_up(amount: Decimal) -> str:
    """Return an amount rounded up to two digits."""
    return f"{amount.quantize(Decimal(1).scaleb(amount.adjusted() - 1), ROUND_CEILING).normalize():f}"


def setup_name(file: Path, otherwise: str) -> str:
    """Return the file's name as a setup may be called."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", file.stem).lstrip("_.-")[:80] or otherwise
    # A name such as "1e5" or "true" would read as a number or a boolean.
    return json.dumps(name)

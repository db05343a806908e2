"""
Numbers, times and durations as text for people.

A minus is the typographic "−", thousands are set apart by commas, percent signs and units by a space. A value that
rounds to zero is written without a sign.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

MISSING = "—"
MINUS = "−"
NANOSECONDS = 1_000_000_000


def decimals_for(*values: float | None, significant: int = 5, at_least: int = 2, at_most: int = 8) -> int:
    """
    Return how many decimals show figures that are read together, so that they line up and can be added by eye.

    Parameters
    ----------
    *values : float or None
        The figures; the largest magnitude decides.
    significant : int
        The digits the largest figure gets, unless `at_least` asks for more.
    at_least, at_most : int
        Bounds of the answer.

    """
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    if largest == 0.0 or not math.isfinite(largest):
        return at_least
    return min(at_most, max(at_least, significant - 1 - math.floor(math.log10(largest))))


def number(value: float | Decimal, decimals: int, *, signed: bool = False) -> str:
    """Return `value` rounded to `decimals`, such as "1,234.50" or, when `signed`, "+1,234.50"."""
    text = f"{value:,.{decimals}f}"
    if not text.strip("-0.,"):
        return text.lstrip("-")
    if text.startswith("-"):
        return MINUS + text[1:]
    return f"+{text}" if signed else text


def money(value: float, currency: str, *, decimals: int | None = None, signed: bool = False) -> str:
    """Return an amount with its currency; the decimals default to `decimals_for` this amount alone."""
    shown = number(value, decimals_for(value) if decimals is None else decimals, signed=signed)
    return f"{shown} {currency}".rstrip()


def percent(value: float, *, signed: bool = False) -> str:
    """Return a figure in percent, such as "−0.42 %"; small ones get up to four decimals."""
    return f"{number(value, decimals_for(value, significant=3, at_most=4), signed=signed)} %"


def basis_points(value: float, *, signed: bool = False) -> str:
    """Return a figure in basis points (hundredths of a percent), such as "1.25 bps"."""
    return f"{number(value, 2, signed=signed)} bps"


def count(value: float) -> str:
    """Return a whole number with thousands set apart, such as "112,899"."""
    return number(value, 0)


def decimals_used(values: Iterable[Decimal | None]) -> int:
    """Return the most decimals that any of `values` needs: the precision of the prices of an instrument."""
    exponents = (value.normalize().as_tuple().exponent for value in values if value is not None)
    return max((0, *(-exponent for exponent in exponents if isinstance(exponent, int))))


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units, such as "24 h 3 min" or "11.8 s"."""
    if seconds < 60:
        return f"{number(seconds, 1)} s"
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if minutes < 60:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    if hours < 72:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{hours // 24} d {hours % 24} h"


def moment(value: str | int) -> str:
    """
    Return a time as "2024-07-23 15:40:00" (UTC).

    Parameters
    ----------
    value : str or int
        ISO 8601 text (without an offset it is UTC), or UNIX nanoseconds, then with milliseconds. Text that is no time
        comes back as it is.

    """
    if isinstance(value, int):
        seconds, rest = divmod(value, NANOSECONDS)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest // 1_000_000:03d}"
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return value
    if parsed.tzinfo is not None:
        parsed = parsed.astimezone(UTC)
    return parsed.strftime("%Y-%m-%d %H:%M:%S")


def seconds_between(start: str, end: str) -> float | None:
    """Return the seconds from `start` to `end` (ISO 8601 texts), or None where one of them is no time."""
    try:
        first, last = (datetime.fromisoformat(text) for text in (start, end))
    except ValueError:
        return None
    first, last = (time if time.tzinfo else time.replace(tzinfo=UTC) for time in (first, last))
    return (last - first).total_seconds()


def printable(text: str) -> str:
    """Return `text` with control characters (terminal escapes among them) replaced by "?"."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def flat(value: object) -> str:
    """Return a value as text: an object as "key: value, key: value", nothing as "—"."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    return MISSING if value is None or value == "" else str(value)

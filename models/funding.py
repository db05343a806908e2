"""
Funding of perpetual futures: what a position pays or receives, and when.

At each funding time a long position pays `rate` of its value at the mark price, and a short one receives it; a negative
rate turns that round. What is held at the funding time pays for all of it, however short it has been held.
"""

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from models.attribution import EXACT

HOUR_NS: Final = 3_600_000_000_000


def funding_payment(position: Decimal, mark: Decimal, rate: Decimal, step: Decimal) -> Decimal:
    """
    Return what a position receives at a funding time: -position x mark x rate; negative when it pays.

    Parameters
    ----------
    position : Decimal
        In the base asset, negative when short.
    mark : Decimal
        The mark price.
    rate : Decimal
        Of this settlement, as a share: 0.0001 is one basis point.
    step : Decimal
        What the account counts in; the payment is rounded to it, half to even.

    """
    exact = EXACT.multiply(EXACT.multiply(-position, mark), rate)
    return exact.quantize(step, rounding=ROUND_HALF_EVEN) + 0  # no negative zero


def split_payment(amount: Decimal, values: Sequence[Decimal], step: Decimal) -> list[Decimal]:
    """
    Return whose part of a payment is how much, where only the sum is known.

    Parameters
    ----------
    amount : Decimal
        What was received in all.
    values : sequence of Decimal
        The positions at their marks, negative when short, at least one and none of them 0. Parts go by these values,
        as if all had one rate; by their size where they cancel out.
    step : Decimal
        What the account counts in; the last part has what rounding leaves.

    """
    total = sum(values, Decimal(0))
    weights = values if total else [abs(value) for value in values]
    whole = total or sum(weights, Decimal(0))
    parts = [(amount * weight / whole).quantize(step, rounding=ROUND_HALF_EVEN) for weight in weights[:-1]]
    return [*parts, amount - sum(parts, Decimal(0))]


def funding_times(start_ns: int, end_ns: int, interval_hours: int) -> Iterator[int]:
    """
    Yield the funding times after `start_ns` up to and with `end_ns`, UNIX ns, counted from midnight UTC.

    A period that is split belongs to its parts without overlap: a time at which one ends and the next begins is in the
    first alone.
    """
    interval_ns = interval_hours * HOUR_NS
    yield from range(start_ns - start_ns % interval_ns + interval_ns, end_ns + 1, interval_ns)


def funding_hour(time_ns: int) -> int:
    """Return the hour that names a settlement: recordings of the same one differ by milliseconds."""
    return (time_ns + HOUR_NS // 2) // HOUR_NS

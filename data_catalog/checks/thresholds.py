"""Limits for `check`: how much may be wrong with the data."""

from collections.abc import Iterator
from dataclasses import dataclass

from data_catalog.checks.catalog import CheckedInstrument
from data_catalog.checks.series import SeriesChecks
from data_catalog.store.origin import unrecorded_ns

NANOS = 1e9
COUNTED = ("gaps", "duplicates", "disorder", "crossed", "sequence_breaks")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """
    Limits; None means no limit.

    Attributes
    ----------
    gaps, duplicates, disorder, crossed, sequence_breaks : int or None
        The most there may be in one series.
    silence_secs : float or None
        The longest time an instrument may be without any quote, trade or change of its book.
    outside_pct : float or None
        The largest share of trades outside the quotes.
    agreement_pct : float or None
        The least share of points at which book and quotes agree.
    unrecorded_secs : float or None
        The most time that recordings of a series may have missed, in all.

    """

    gaps: int | None = None
    duplicates: int | None = None
    disorder: int | None = None
    crossed: int | None = None
    sequence_breaks: int | None = None
    silence_secs: float | None = None
    outside_pct: float | None = None
    agreement_pct: float | None = None
    unrecorded_secs: float | None = None


def passed(thresholds: Thresholds, checked: CheckedInstrument) -> Iterator[str]:
    """Yield a line for each limit that the data of an instrument passes."""
    for entry, checks in checked.series:
        name = entry.bar_type or f"{entry.instrument_id} {entry.data_type}"
        yield from _counts_passed(thresholds, name, checks)
        missed_secs = unrecorded_ns(entry.gaps) / NANOS
        if thresholds.unrecorded_secs is not None and missed_secs > thresholds.unrecorded_secs:
            yield f"{name}: {missed_secs:.3f} s not recorded, allowed are {thresholds.unrecorded_secs:g}"
    where = checked.instrument_id
    silence_secs = checked.silences.longest[0][0] / NANOS if checked.silences.longest else 0.0
    if thresholds.silence_secs is not None and silence_secs > thresholds.silence_secs:
        yield f"{where}: a silence of {silence_secs:.3f} s, allowed are {thresholds.silence_secs:g}"
    outside_pct = share_outside_pct(checked)
    if thresholds.outside_pct is not None and outside_pct is not None and outside_pct > thresholds.outside_pct:
        yield f"{where}: {outside_pct:.3f} % of trades outside the quotes, allowed are {thresholds.outside_pct:g}"
    agreement_pct = share_agreeing_pct(checked)
    if thresholds.agreement_pct is not None and agreement_pct is not None and agreement_pct < thresholds.agreement_pct:
        yield f"{where}: book and quotes agree at {agreement_pct:.3f} %, expected are {thresholds.agreement_pct:g}"


def share_outside_pct(checked: CheckedInstrument) -> float | None:
    """Return the percentage of compared trades that are outside the quotes, or None without any."""
    trades = checked.trades
    return 100 * trades.outside / trades.compared if trades is not None and trades.compared else None


def share_agreeing_pct(checked: CheckedInstrument) -> float | None:
    """Return the percentage of points at which book and quotes agree, or None without any."""
    share = checked.book.share if checked.book is not None else None
    return None if share is None else 100 * share


def _counts_passed(thresholds: Thresholds, name: str, checks: SeriesChecks) -> Iterator[str]:
    for what in COUNTED:
        limit, found = getattr(thresholds, what), getattr(checks, what)
        if limit is not None and found is not None and found > limit:
            yield f"{name}: {found:,} {what.replace('_', ' ')}, allowed are {limit:,}"

"""Which files of the archive a request needs, and why one of them may not exist."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

from bad_input import BadInput, nearest_name
from data_catalog.archive.index import (
    BOOK_TICKER_DAYS,
    INTERVALS,
    KINDS,
    ArchiveFile,
    ArchiveKind,
    Market,
    Period,
    monthly_only,
)

type Files = Literal["auto", "daily", "monthly"]

# Monthly files appear in the first days, at the latest on the first Monday, of the next month.
MONTHLY_DELAY = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What a request comes to.

    Parameters
    ----------
    files : list of ArchiveFile
        What to ask for, in the order of time.
    stored : list of ArchiveFile
        Days that the catalog has from the file of their month.

    """

    files: list[ArchiveFile]
    stored: list[ArchiveFile]


def check_kind(market: Market, kind: str, interval: str | None) -> ArchiveKind:
    """
    Return the kind of data with this name.

    Raises
    ------
    BadInput
        If the market has no such kind, or the interval is missing, unknown or not to be given.

    """
    known = [str(name) for name in ArchiveKind]
    if kind not in known:
        near = nearest_name(kind, known) or nearest_name(kind.lower(), known)
        raise BadInput(f'"{kind}" was expected to be one of {", ".join(known)}', key="--kind", hint=near)
    found = ArchiveKind(kind)
    if found not in KINDS[market]:
        has = ", ".join(KINDS[market])
        raise BadInput(f"the archive has no {kind} of {market.words}", key="--kind", hint=f"it has {has}")
    if found is not ArchiveKind.KLINES:
        if interval is not None:
            raise BadInput(f"{kind} have no interval", key="--interval")
    elif interval is None:
        raise BadInput("klines need an interval, such as 1m", key="--interval")
    elif interval not in INTERVALS or (interval == "1s" and market is not Market.SPOT):
        fits = [name for name in INTERVALS if name != "1s" or market is Market.SPOT]
        raise BadInput(f'"{interval}" was expected to be one of {", ".join(fits)}', key="--interval")
    return found


def check_days(first: date, last: date, today: date) -> None:
    """
    Refuse a range of days that is none, or lies in the future.

    Raises
    ------
    BadInput
        If it does.

    """
    if first > last:
        raise BadInput(f"{last} is before {first}", key="--to", hint="--from is the first day and --to the last")
    if last > today:
        raise BadInput(f"{last} is in the future (today is {today} UTC)", key="--to")


def plan_files(
    like: ArchiveFile,
    first: date,
    last: date,
    *,
    today: date,
    files: Files = "auto",
    stored: Collection[str] = (),
) -> Plan:
    """
    Return the files that cover the days from `first` to `last`.

    Left to itself, klines of whole past months come in monthly files and all else in daily ones: a month of ticks is
    large, and a file is imported as a whole or not at all.

    Parameters
    ----------
    like : ArchiveFile
        Symbol, kind and interval wanted; its period does not matter.
    first, last : date
        The days wanted, in UTC.
    today : date
        The current day, in UTC.
    files : {"auto", "daily", "monthly"}
        Which files; monthly ones are taken as a whole, even if the range covers a part of the month.
    stored : collection of str
        Names of archive files that the catalog already has. A month of which it has some days comes in daily files.

    Raises
    ------
    BadInput
        If daily files are wanted of what comes in monthly files only.

    """
    only_monthly = monthly_only(like.kind, like.interval)
    if only_monthly and files == "daily":
        raise BadInput(f"{like.interval or like.kind} comes in monthly files only", key="--files")
    wanted: list[ArchiveFile] = []
    already: list[ArchiveFile] = []
    for month in _months(first, last):
        days = [like.of(day) for day in month.days() if first <= day.first <= last]
        whole = len(days) == len(list(month.days()))
        of_month = like.of(month)
        better = files == "auto" and whole and _month_is_better(of_month, days, today, stored)
        if only_monthly or files == "monthly" or better:
            wanted.append(of_month)
        elif of_month.name in stored:
            already += days
        else:
            wanted += days
    return Plan(wanted, already)


def _months(first: date, last: date) -> list[Period]:
    months = [Period.month_of(first)]
    while months[-1].last < last:
        months.append(Period.month_of(months[-1].last + timedelta(days=1)))
    return months


def _month_is_better(of_month: ArchiveFile, days: Sequence[ArchiveFile], today: date, stored: Collection[str]) -> bool:
    if of_month.name in stored:
        return True
    published = of_month.period.last + MONTHLY_DELAY < today
    return published and of_month.kind is ArchiveKind.KLINES and not any(day.name in stored for day in days)


def why_missing(file: ArchiveFile, market: Market, found: Sequence[ArchiveFile], today: date) -> str:
    """
    Return the likely reason why a file is not in the archive.

    Parameters
    ----------
    file : ArchiveFile
        The missing file.
    market : Market
        Where it was looked for.
    found : sequence of ArchiveFile
        Files of the same request that exist, or that the catalog has.
    today : date
        The current day, in UTC.

    """
    period = file.period
    begin, end = BOOK_TICKER_DAYS
    if reason := _not_yet_published(period, today):
        return reason
    if file.kind is ArchiveKind.BOOK_TICKER and not begin <= period.first <= end:
        return f"the archive has bookTicker from {begin} to {end} only"
    if not found:
        return f"no {file.symbol} of {market.words} then, or no {file.kind} of it: was it listed, is the symbol right?"
    if period < min(other.period for other in found):
        return f"{file.symbol} was probably not listed yet"
    if period > max(other.period for other in found):
        return f"{file.symbol} was probably no longer listed"
    return "a gap in the archive"


def _not_yet_published(period: Period, today: date) -> str | None:
    if period.monthly and period.last + MONTHLY_DELAY >= today:
        return "not yet published: monthly files appear in the first days of the next month"
    if not period.monthly and period.last + timedelta(days=2) > today:
        return "not yet published: daily files appear on the next day"
    return None


def missing_lines(
    missing: Sequence[ArchiveFile], market: Market, found: Sequence[ArchiveFile], today: date
) -> list[str]:
    """Return one line per run of missing files that have one reason."""
    lines = []
    for reason, run in groupby(missing, lambda file: why_missing(file, market, found, today)):
        files = list(run)
        which = files[0].name if len(files) == 1 else f"{files[0].name} to {files[-1].period} ({len(files)} files)"
        lines.append(f"{which}: not in the archive; {reason}")
    return lines

"""The gate before every run: what is wrong with the data of its period, and whether that forbids the run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from data_catalog.checks.catalog import CheckedInstrument, check_instrument
from data_catalog.checks.series import SeriesChecks
from data_catalog.checks.thresholds import share_outside_pct
from data_catalog.checks.trades_in_quotes import WINDOW_NS
from data_catalog.store.contents import Entry
from data_catalog.store.origin import unrecorded_ns

type Level = Literal["fatal", "warning", "note"]

CROSSED_FATAL: Final = 0.01
"""A larger share of crossed quotes is not a market's."""
SPIKE_FATAL_BPS: Final = 3_000.0
OUTSIDE_WARNING_PCT: Final = 1.0
MISSING_WARNING: Final = 0.001
SILENCE_SECS: Final = 600.0
SILENCE_STEPS: Final = 5
"""A silence is told where it is longer than this and than so many mean intervals."""
UNCOVERED_SHARE: Final = 0.05

_NS: Final = 1e9


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or must be known, of one series; `fatal` forbids the run."""

    level: Level
    series: str
    text: str

    def __str__(self) -> str:
        return f"{self.series}: {self.text}"


@dataclass(frozen=True)
class DataQuality:
    """
    What was found in the data of a period.

    Parameters
    ----------
    series : tuple of dict
        The counts of each series, as they stand in the summary.
    findings : tuple of Finding
        What is wrong or must be known, fatal things first.

    """

    series: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...]

    @property
    def fatal(self) -> tuple[Finding, ...]:
        """What forbids a run."""
        return tuple(finding for finding in self.findings if finding.level == "fatal")

    @property
    def unquoted(self) -> tuple[str, ...]:
        """Series of quotes that have none in the period: nothing of the instrument can be traded or valued."""
        empty = (str(counts["series"]) for counts in self.series if not counts["rows"])
        return tuple(name for name in empty if name.endswith(" quotes"))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the results must be told, fatal things too."""
        return tuple(str(finding) for finding in self.findings if finding.level != "note")

    def as_dict(self, accepted_because: str | None) -> dict[str, Any]:
        """Return the `data_quality` part of the summary."""
        verdict = "accepted" if self.fatal else "warnings" if self.warnings else "sound"
        return {
            "verdict": verdict,
            "accepted_because": accepted_because if self.fatal else None,
            "findings": [{"level": found.level, "series": found.series, "text": found.text} for found in self.findings],
            "series": list(self.series),
        }


def check_quality(catalog: Path, entries: Sequence[Entry], start_ns: int, end_ns: int) -> DataQuality:
    """
    Check the data of a period, in one pass over their columns.

    Parameters
    ----------
    catalog : Path
        The catalog's folder.
    entries : sequence of Entry
        The series that will be replayed.
    start_ns, end_ns : int
        The period, both ends included, UNIX ns.

    Raises
    ------
    BadInput
        If a file is damaged.

    """
    findings: list[Finding] = []
    series: list[dict[str, Any]] = []
    for instrument_id in dict.fromkeys(entry.instrument_id for entry in entries):
        own = [entry for entry in entries if entry.instrument_id == instrument_id]
        period = (start_ns, end_ns)
        checked = check_instrument(catalog, instrument_id, own, WINDOW_NS, lambda rows: None, between_ns=period)
        for entry, checks in checked.series:
            series.append(_counts(entry, checks))
            findings += _findings(entry, checks, start_ns, end_ns)
        findings += _together(checked, start_ns, end_ns)
    order: list[Level] = ["fatal", "warning", "note"]
    return DataQuality(tuple(series), tuple(sorted(findings, key=lambda finding: order.index(finding.level))))


def _counts(entry: Entry, checks: SeriesChecks) -> dict[str, Any]:
    names = ("rows", "gaps", "missing", "duplicates", "backwards", "crossed", "locked", "nonpositive")
    longest = checks.silences.longest
    return {
        "series": _name(entry),
        "reconstructed": entry.reconstructed,
        **{name: getattr(checks, name) for name in names},
        "spikes": checks.spikes.count,
        "longest_silence_secs": longest[0][0] / _NS if longest else None,
    }


def _name(entry: Entry) -> str:
    return f"{entry.instrument_id} {entry.data_type}"


def _findings(entry: Entry, checks: SeriesChecks, start_ns: int, end_ns: int) -> Iterator[Finding]:
    """Yield what is wrong with one series."""
    name = _name(entry)
    if not checks.rows:
        yield Finding("fatal", name, "there are none in the period")
        return
    yield from _broken(name, checks)
    if checks.spikes.count:
        level: Level = "fatal" if checks.spikes.furthest_bps > SPIKE_FATAL_BPS else "warning"
        worst = f"the furthest by {checks.spikes.furthest_bps:,.0f} bps"
        yield Finding(
            level, name, f"{_counted(checks.spikes.count, 'price')} far from the one before and after, {worst}"
        )
    if checks.missing and checks.missing > MISSING_WARNING * (checks.rows + checks.missing):
        yield Finding("warning", name, f"{checks.missing:,} are missing in {_counted(checks.gaps or 0, 'gap')}")
    if checks.duplicates > MISSING_WARNING * checks.rows:
        yield Finding("warning", name, f"{_counted(checks.duplicates, 'row')} stand twice")
    covered_ns, period_ns = checks.last_ns - checks.first_ns, end_ns - start_ns
    if covered_ns < (1 - UNCOVERED_SHARE) * period_ns and period_ns - covered_ns > SILENCE_SECS * _NS:
        yield Finding("warning", name, f"they cover {100 * covered_ns / period_ns:.0f} % of the period")
    if entry.reconstructed:
        yield Finding("note", name, "rebuilt from trades or bars, not recorded")
    if missed := [gap for gap in entry.gaps if gap.start_ns < end_ns and gap.end_ns > start_ns]:
        yield Finding(
            "note", name, f"the recording missed {unrecorded_ns(missed) / _NS:,.1f} s in or around the period"
        )


def _broken(name: str, checks: SeriesChecks) -> Iterator[Finding]:
    """Yield what no market and no recording of one looks like."""
    if checks.backwards:
        yield Finding("fatal", name, f"{_counted(checks.backwards, 'row')} earlier than the one before")
    if checks.nonpositive:
        yield Finding("fatal", name, f"{_counted(checks.nonpositive, 'price')} of 0 or less")
    if checks.crossed:
        share = checks.crossed / checks.rows
        level: Level = "fatal" if share > CROSSED_FATAL else "warning"
        told = f"{_counted(checks.crossed, 'quote')} with the bid above the ask, {100 * share:.3f} %"
        yield Finding(level, name, told)


def _together(checked: CheckedInstrument, start_ns: int, end_ns: int) -> Iterator[Finding]:
    """Yield what only all series of an instrument together show."""
    name = checked.instrument_id
    rows = sum(checks.rows for _, checks in checked.series)
    outside_pct = share_outside_pct(checked)
    made = any(entry.synthetic for entry, _ in checked.series)  # there trades reach beyond the quotes on purpose
    if checked.trades is not None and outside_pct is not None and outside_pct > OUTSIDE_WARNING_PCT and not made:
        worst = f"the furthest by {checked.trades.furthest_bps:,.0f} bps"
        yield Finding("warning", name, f"{outside_pct:.1f} % of the trades are outside the quotes around them, {worst}")
    if checked.silences.longest and rows:
        longest_secs = checked.silences.longest[0][0] / _NS
        usual_secs = (end_ns - start_ns) / _NS / rows
        if longest_secs > max(SILENCE_SECS, SILENCE_STEPS * usual_secs):
            yield Finding("warning", name, f"no quote and no trade for {longest_secs:,.0f} s at the longest")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"

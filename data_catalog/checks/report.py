"""What `check` found, as tables for people and as JSON for programs."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from nautilus_trader.core.datetime import unix_nanos_to_iso8601
from rich import box
from rich.console import Console
from rich.table import Table

from data_catalog.checks.catalog import CheckedInstrument
from data_catalog.checks.series import LONGEST, SeriesChecks, Silences, Spikes
from data_catalog.checks.thresholds import share_agreeing_pct, share_outside_pct
from data_catalog.checks.trades_in_quotes import TradesInQuotes
from data_catalog.store.contents import Entry
from data_catalog.store.origin import counted, unrecorded_ns

COUNTS = ("gaps", "missing", "duplicates", "disorder", "crossed", "locked", "sequence_breaks", "snapshots")
HEADINGS = ("data", "rows", "gaps", "double", "order", "crossed", "breaks", "silent s")


def print_tables(checked: Sequence[CheckedInstrument]) -> None:
    """Print a table per instrument and what else was found, to stdout."""
    console = Console()
    for one in checked:
        table = Table(title=one.instrument_id, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in HEADINGS:
            is_name = heading == "data"
            table.add_column(heading, justify="left" if is_name else "right", no_wrap=not is_name, overflow="fold")
        for entry, checks in one.series:
            table.add_row(*_row(entry, checks))
        console.print(table)
        for line in _lines(one):
            console.print(line, soft_wrap=True, highlight=False)


def as_json_text(catalog: Path, checked: Sequence[CheckedInstrument], thresholds_passed: Sequence[str]) -> str:
    """Return all that was found as indented JSON; times are ISO 8601, durations seconds."""
    document = {
        "catalog": str(catalog),
        "instruments": [_document(one) for one in checked],
        "thresholds_passed": thresholds_passed,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _row(entry: Entry, checks: SeriesChecks) -> list[str]:
    name = entry.bar_type.removeprefix(f"{entry.instrument_id}-") if entry.bar_type else entry.data_type
    name = name.removesuffix("-LAST-EXTERNAL").lower()
    gaps = "" if checks.gaps is None else f"{checks.gaps:,}"
    if checks.missing:
        gaps += f" ({checks.missing:,})"
    found = (checks.duplicates, checks.disorder, checks.crossed, checks.sequence_breaks)
    silence = f"{checks.silences.longest[0][0] / 1e9:,.1f}" if checks.silences.longest else ""
    marked = f"{name} (rebuilt)" if entry.reconstructed else name
    return [marked, f"{checks.rows:,}", gaps, *("" if n is None else f"{n:,}" for n in found), silence]


def _lines(checked: CheckedInstrument) -> list[str]:
    lines = []
    if checked.silences.longest:
        lines.append("Longest silences of all streams: " + "; ".join(_silences(checked.silences)))
    lines += [_spiked(entry, checks.spikes) for entry, checks in checked.series if checks.spikes.count]
    lines += [_unrecorded(entry) for entry, _ in checked.series if entry.gaps]
    for entry, checks in checked.series:
        if checks.gaps and checks.bar_ns is not None:
            gaps = Silences([gap for gap in checks.silences.longest if gap[0] > checks.bar_ns])
            lines.append(f"Longest gaps of {entry.bar_type}: " + "; ".join(_silences(gaps)))
    outside, agreeing = share_outside_pct(checked), share_agreeing_pct(checked)
    if checked.trades is not None and outside is not None:
        lines.append(_outside(checked.trades, outside))
    if checked.book is not None and agreeing is not None:
        lines.append(
            f"Book and quotes agree at {agreeing:.3f} % of {checked.book.points:,} quiet moments; "
            f"the book was crossed after {checked.book.crossed:,} messages"
        )
    if any(entry.synthetic for entry, _ in checked.series):
        lines.append("This market is synthetic.")
    return lines


def _spiked(entry: Entry, spikes: Spikes) -> str:
    worst = f"the furthest by {spikes.furthest_bps:,.0f} bps, {_utc(spikes.furthest_ns)}"
    return f"Prices of {entry.data_type} that stand alone: {spikes.count:,}, {worst}"


def _unrecorded(entry: Entry) -> str:
    longest = sorted(entry.gaps, key=lambda gap: gap.start_ns - gap.end_ns)[:LONGEST]
    named = "; ".join(
        f"{(gap.end_ns - gap.start_ns) / 1e9:,.1f} s from {_utc(gap.start_ns)} ({gap.reason})" for gap in longest
    )
    seconds = unrecorded_ns(entry.gaps) / 1e9
    return f"Not recorded of {entry.data_type}: {seconds:,.1f} s in {counted(entry.gaps)}, the longest {named}"


def _outside(trades: TradesInQuotes, share_pct: float) -> str:
    window = f"±{trades.window_ns / 1e6:g} ms"
    worst = f", at most by {trades.furthest_bps:.1f} bps, {_utc(trades.furthest_ns)}" if trades.outside else ""
    shares = f"{trades.outside:,} of {trades.compared:,} ({share_pct:.3f} %)"
    return f"Trades outside the quotes within {window}: {shares}{worst}"


def _silences(silences: Silences) -> list[str]:
    return [f"{length / 1e9:,.1f} s from {_utc(start)}" for length, start in silences.longest]


def _utc(time_ns: int) -> str:
    return str(unix_nanos_to_iso8601(time_ns))[:19].replace("T", " ")


def _document(checked: CheckedInstrument) -> dict[str, object]:
    trades, book = checked.trades, checked.book
    return {
        "instrument_id": checked.instrument_id,
        "series": [
            {
                "data_type": entry.data_type,
                "bar_type": entry.bar_type,
                "rows": checks.rows,
                "from": _iso(checks.first_ns),
                "to": _iso(checks.last_ns),
                "synthetic": entry.synthetic,
                "reconstructed": entry.reconstructed,
                **{name: getattr(checks, name) for name in COUNTS},
                "backwards": checks.backwards,
                "nonpositive": checks.nonpositive,
                "spikes": checks.spikes.count,
                "furthest_spike_bps": checks.spikes.furthest_bps,
                "silences": _silence_documents(checks.silences),
                "not_recorded": [
                    {"from": _iso(gap.start_ns), "to": _iso(gap.end_ns), "reason": gap.reason} for gap in entry.gaps
                ],
            }
            for entry, checks in checked.series
        ],
        "silences": _silence_documents(checked.silences),
        "trades_in_quotes": None
        if trades is None
        else {
            "compared": trades.compared,
            "outside": trades.outside,
            "outside_pct": share_outside_pct(checked),
            "furthest_bps": trades.furthest_bps,
        },
        "book_against_quotes": None
        if book is None
        else {
            "points": book.points,
            "agreeing": book.agreeing,
            "agreement_pct": share_agreeing_pct(checked),
            "crossed": book.crossed,
        },
    }


def _silence_documents(silences: Silences) -> list[dict[str, object]]:
    return [{"secs": length / 1e9, "from": _iso(start)} for length, start in silences.longest]


def _iso(time_ns: int) -> str:
    return str(unix_nanos_to_iso8601(time_ns))

"""What sets results apart before any figure: data, period, fees, fills, setup and versions, named one by one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports import format as fmt
from reports.definitions import fee_texts
from reports.results_folder import Results

ABSENT = "(not there)"
TOLD_OTHERWISE = (
    "description",
    "backtest.fills",
    "backtest.fees",
    "backtest.latency",
    "backtest.start",
    "backtest.end",
)
"""Values of a setup that stand in the facts of its run already, or mean nothing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in which runs differ: what, and the value of each run."""

    what: str
    values: tuple[str, ...]


def differences(runs: Sequence[Results]) -> list[Difference]:
    """Return everything in which the runs differ but their figures, what matters most first."""
    tables = [_facts(run) | _setup(run) for run in runs]
    named = dict.fromkeys(name for table in tables for name in table)
    rows = [Difference(name, tuple(table.get(name, ABSENT) for table in tables)) for name in named]
    return [row for row in rows if len(set(row.values)) > 1]


def _facts(run: Results) -> dict[str, str]:
    summary, manifest = run.summary, run.manifest
    facts = {
        "kind of data": _kind(run),
        **{f"data: {name}": print_ for name, print_ in _fingerprints(manifest)},
        "period": f"{summary.text('start')} to {summary.text('end')}",
        "fill assumption": summary.text("fills_assumption"),
        "latency": fmt.flat(summary.get("latency_ms")),
        "fees": "; ".join(fee_texts(summary)),
        "currency": summary.text("currency"),
        "quality of the data": summary.text("data_quality.verdict") or ABSENT,
        "stopped by a risk control": "yes" if summary.entries("risk.halts") else "no",
    }
    versions = manifest.get("versions")
    if isinstance(versions, Mapping):
        facts |= {f"version of {name}": str(version) for name, version in versions.items()}
    return facts


def _kind(run: Results) -> str:
    words = {"drill": "a drill", "synthetic": "synthetic market", "reconstructed_quotes": "reconstructed quotes"}
    return ", ".join(word for key, word in words.items() if run.summary.get(key)) or "recorded"


def _fingerprints(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    series = manifest.get("data")
    for entry in series if isinstance(series, list) else []:
        if isinstance(entry, Mapping):
            rows = f"{entry.get('rows'):,}" if isinstance(entry.get("rows"), int) else "?"
            told = f"{rows} rows, fingerprint {str(entry.get('fingerprint'))[:12]}"
            yield f"{entry.get('instrument')} {entry.get('type')}", told


def _setup(run: Results) -> dict[str, str]:
    setup = run.manifest.get("setup")
    if not isinstance(setup, Mapping):
        return {}
    return {f"setup: {path}": value for path, value in _leaves(setup, "") if not path.startswith(TOLD_OTHERWISE)}


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every value of nested mappings and lists with its dotted path."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for n, item in enumerate(value):
            yield from _leaves(item, f"{path}[{n}]")
    else:
        yield path, str(value)

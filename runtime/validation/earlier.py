"""Trials of earlier sweeps: whoever searches the same data again has had that many chances before."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.sweeps.record import RECORD_FILE
from runtime.prepare import PreparedBacktest
from runtime.sweep.load_sweep import LoadedSweep
from runtime.sweep.results import what_results_depend_on


@dataclass(frozen=True)
class EarlierTrials:
    """How many trials were made before, in how many sweeps."""

    count: int = 0
    sweeps: int = 0

    def __str__(self) -> str:
        return f"{_counted(self.count, 'trial')} of {_counted(self.sweeps, 'earlier sweep')}"


def earlier_trials(folder: Path, sweep: LoadedSweep, base: PreparedBacktest) -> EarlierTrials:
    """
    Return the trials of earlier sweeps of the same name, on the same data.

    A sweep that was only run again is none: it makes the very same trials. Of several runs of one sweep, one counts.

    Parameters
    ----------
    folder : Path
        Where the results of sweeps of this name are.
    sweep : LoadedSweep
        The sweep that is run now.
    base : PreparedBacktest
        Its setup.

    """
    data = set(what_results_depend_on(base)["data"].values())
    found: dict[str, int] = {}
    for file in sorted(folder.glob(f"*/{RECORD_FILE}")):
        record = _read(file)
        manifest = record.get("manifest", {})
        same_data = data & set(manifest.get("depends_on", {}).get("data", {}).values())
        if same_data and manifest.get("sweep_sha256") != sweep.sha256():
            found[manifest["sweep_sha256"]] = _trials(record)
    return EarlierTrials(sum(found.values()), len(found))


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _trials(record: dict[str, Any]) -> int:
    """Return the trials of the last fold, without those that it had counted in."""
    luck = record["folds"][-1]["luck"] or {}
    return max(0, int(luck.get("trials", 0)) - int(record["trials_before"]))


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}  # a folder that somebody changed by hand tells nothing
    return content if isinstance(content, dict) else {}

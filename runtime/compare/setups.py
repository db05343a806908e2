"""Whether the setup at hand is the one that ran."""

from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from bad_input import BadInput
from data_catalog.run_recordings.rows import Run
from runtime.setup.load import parse_setup
from runtime.setup.sections import Setup
from runtime.setup.tree import KeyPath, SetupTree, dotted

_WIRING: Final = ("catalog", "synthetic", "start", "end", "starting_balances")
"""What of `backtest:` the recording takes the place of."""

_SIMULATION: Final = "backtest"


def hold_against(run: Run, setup: Setup, tree: SetupTree) -> list[str]:
    """
    Return what is different between the setup at hand and the run's, where it concerns simulated fills alone.

    Raises
    ------
    BadInput
        If anything else is different: strategies, limits, instruments, or, of a run on paper, its fills.

    """
    there, here = _with_todays_defaults(run.setup), setup.as_dict()
    found = [path for path in _different(there, here) if not _is_wiring(path)]
    grave = [path for path in found if path[0] != _SIMULATION or run.mode == "paper"]
    if grave:
        named = "; ".join(_line(path, there, here) for path in grave[:5])
        more = f"; and {len(grave) - 5} more" if len(grave) > 5 else ""
        raise BadInput(f"is not the setup of run {run.run_id}: {named}{more}", file=tree.file)
    return [_line(path, there, here) for path in found]


def _with_todays_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """Return a setup with the keys that are new since it ran; as it is, where it cannot be read any more."""
    try:
        return parse_setup(SetupTree(Path("the run"), _exact(values))).setup.as_dict()
    except BadInput:
        return values


def _exact(value: Any) -> Any:
    """Return values as a setup file gives them: no floats."""
    if isinstance(value, dict):
        return {key: _exact(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_exact(each) for each in value]
    return Decimal(repr(value)) if isinstance(value, float) else value


def _different(there: Any, here: Any, path: KeyPath = ()) -> list[KeyPath]:
    if isinstance(there, dict) and isinstance(here, dict):
        keys = dict.fromkeys((*there, *here))
        return [found for key in keys for found in _different(there.get(key), here.get(key), (*path, key))]
    if isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        return [found for i in range(len(there)) for found in _different(there[i], here[i], (*path, i))]
    return [] if there == here else [path]


def _is_wiring(path: KeyPath) -> bool:
    return path[0] in ("live", "description") or (path[0] == _SIMULATION and path[1] in _WIRING)


def _line(path: KeyPath, there: Any, here: Any) -> str:
    return f"{dotted(path)} was {_at(there, path)} in the run, is {_at(here, path)} here"


def _at(values: Any, path: KeyPath) -> Any:
    for part in path:
        values = values.get(part) if isinstance(values, dict) else values[part]
    return values

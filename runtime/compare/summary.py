"""What a comparison found, as it stands in compare.json."""

from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from data_catalog.run_recordings.rows import Decided, RiskState, Run, Sent
from runtime.compare.differences import SideBySide, side_by_side, utc
from runtime.compare.driven import Driven
from runtime.compare.fills import FillsSideBySide, fills_of, latencies, pair_fills
from runtime.compare.in_force import wanted_by_both
from runtime.compare.log import RunLog
from runtime.live.prepare import PAPER
from runtime.results import versions
from runtime.setup.sections import BacktestSettings, Setup
from runtime.venue.fills import FILL_ASSUMPTIONS

_WINDOW_NS: Final = 2_000_000_000
"""How far apart in time a fill of the run and one of the replay may be and still be the same."""

_MOST_LISTED: Final = 200


@dataclass(frozen=True)
class Replays:
    """
    What is compared.

    Parameters
    ----------
    live : RunLog
        What the run lived through and did.
    driven : Driven
        What the strategies do when the same happens to them.
    free : RunLog or str
        What happens and is done when fills are simulated, or why that cannot be said.

    """

    live: RunLog
    driven: Driven
    free: RunLog | str


def comparison(run: Run, replays: Replays, setup: Setup, differences: list[str]) -> dict[str, Any]:
    """
    Return compare.json.

    Parameters
    ----------
    run : Run
        The run.
    replays : Replays
        What it did, and what its replays did.
    setup : Setup
        What fills were simulated with.
    differences : list of str
        What is different between this setup and the run's.

    """
    live, driven = replays.live, replays.driven
    given = [
        side_by_side("decisions", Decided, live.outputs, driven.outputs),
        side_by_side("orders", Sent, live.outputs, driven.outputs),
        side_by_side("risk states", RiskState, live.outputs, driven.outputs),
    ]
    cause = _cause(run, driven)
    return {
        "run": run.run_id,
        "mode": run.mode,
        "equal": all(each.is_equal for each in given),
        "market_events": live.market_events,
        "recording": _recording(run, live),
        "setup_differences": differences,
        "same_inputs": {each.name: _with_cause(each, cause) for each in given},
        "timers_missing": sorted(set(driven.timers_missing)),
        **_simulated_or_why(run, replays, setup),
    }


def _simulated_or_why(run: Run, replays: Replays, setup: Setup) -> dict[str, Any]:
    if isinstance(replays.free, str):
        return {"simulated": None, "simulated_why": replays.free}
    free = replays.free if run.mode == PAPER else replays.free.by_time()
    return {"simulated": _simulated(setup.backtest, replays.live, free)}


def _recording(run: Run, live: RunLog) -> dict[str, Any]:
    notes = []
    if not live.is_whole:
        notes.append(f"The recording was cut off; compared is what there is of it, until {utc(live.last_ns)}.")
    if run.resumed:
        notes.append(
            "The run went on with the books of an earlier one: limits of losses count from there in the run, "
            "and from its own start in the replay."
        )
    return {"complete": live.is_whole, "notes": notes}


def _cause(run: Run, driven: Driven) -> str:
    """Return what may be behind a difference although the inputs are the same."""
    changed = {name: (was, now) for name, now in versions().items() if (was := run.versions.get(name)) != now}
    if changed:
        return "other versions: " + ", ".join(f"{name} was {was}, is {now}" for name, (was, now) in changed.items())
    if driven.timers_missing:
        return f"timers of the run that the replay did not set: {', '.join(sorted(set(driven.timers_missing))[:3])}"
    return "the code is not the one that ran, or decides by something that is not recorded, such as the clock"


def _with_cause(each: SideBySide, cause: str) -> dict[str, Any]:
    if each.first is not None:
        each = replace(each, first=replace(each.first, cause=cause))
    row: dict[str, Any] = msgspec.to_builtins(each)
    del row["name"]
    return row


def _simulated(settings: BacktestSettings, live: RunLog, free: RunLog) -> dict[str, Any]:
    fills = pair_fills(live, free, _WINDOW_NS)
    in_force = wanted_by_both(live, free, (fills_of(live), fills_of(free)))
    orders = side_by_side("orders", Sent, live.outputs, free.outputs)
    has_latency, assumed = FILL_ASSUMPTIONS[settings.fills].latency, settings.latency
    return {
        "fills_assumption": settings.fills,
        "quotes_in_force": msgspec.to_builtins(in_force),
        "orders": {"live": orders.live, "replay": orders.replay, "equal": orders.equal},
        "fills": _listed(fills),
        "latency_ms": {
            "run": {kind: msgspec.to_builtins(each) for kind, each in latencies(live).items()},
            "assumed": {"submit": assumed.insert_ms, "modify": assumed.modify_ms, "cancel": assumed.cancel_ms}
            if has_latency
            else None,
        },
    }


def _listed(fills: FillsSideBySide) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(fills)
    row["differences"] = row["differences"][:_MOST_LISTED]
    return row

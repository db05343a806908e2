"""When a fault may happen, how long it lasts, and for how long its answers are waited for."""

from decimal import Decimal
from math import lcm
from typing import Final

import pandas as pd

from bad_input import BadInput
from runtime.drills.faults import Fault, FaultKind
from runtime.market_data import iso_time
from runtime.prepare import PreparedBacktest
from runtime.risk.controls import market_watch_config
from runtime.risk.settings import RiskSettings

POINTS_AFTER: Final = 10
"""So many points of the ledger's grid are left after the fault, for controls to answer at."""
POINTS_AT_LEAST: Final = 3
"""And so many at least, where strategies do nothing before."""

_SHORTEST_SECS: Final = Decimal(60)
_CRASH_POINTS: Final = 6
_SECOND_NS: Final = 1_000_000_000


def grid_ns(prepared: PreparedBacktest) -> int:
    """Return the interval of the ledger's grid, ns."""
    return prepared.loaded.setup.ledger.interval_secs * _SECOND_NS


def look_ns(prepared: PreparedBacktest) -> int | None:
    """Return how often `max_price_move_bps` looks, ns; None where it is not set."""
    risk = prepared.loaded.setup.risk
    if risk is None or risk.max_price_move_bps is None:
        return None
    return int(market_watch_config(risk, ()).look_interval_secs.scaleb(9))


def default_secs(kind: FaultKind, prepared: PreparedBacktest) -> Decimal:
    """Return how long the fault takes: longer than the control that should answer waits."""
    risk = prepared.loaded.setup.risk or RiskSettings()
    grid_secs = prepared.loaded.setup.ledger.interval_secs
    waits = {
        "crash": Decimal(_CRASH_POINTS * grid_secs),
        "feed-stall": 2 * (risk.max_data_age_secs or Decimal(0)),
        "reject-storm": 2 * risk.rejection_window_secs,
        "equity-unknown": Decimal(3 * grid_secs),
    }
    return max(_SHORTEST_SECS, waits[kind.name]) if kind.name in waits else Decimal(0)


def watched_until_ns(fault: Fault, prepared: PreparedBacktest) -> int:
    """Return until when what answers counts as an answer to the fault, UNIX ns: later, the market has gone on."""
    risk = prepared.loaded.setup.risk or RiskSettings()
    looks_ns = int(max(POINTS_AFTER * risk.check_interval_secs, risk.price_move_window_secs).scaleb(9))
    return fault.end_ns + max(POINTS_AFTER * grid_ns(prepared), looks_ns)


def checked_time(text: str, secs: Decimal, prepared: PreparedBacktest) -> int:
    """
    Return the time that `--at` asks for, UNIX ns.

    Raises
    ------
    BadInput
        If it is no time, or the data do not reach from before the fault to after it.

    """
    data = prepared.data
    try:
        stamp = pd.Timestamp(text)
    except ValueError:
        raise BadInput(f'was "{text}", expected a UTC time such as {iso_time(data.start_ns)}', key="--at") from None
    at_ns = int((stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")).value)
    last_ns = data.end_ns - int(secs.scaleb(9))
    if not data.start_ns < at_ns < last_ns:
        period = f"the replay is from {iso_time(data.start_ns)} to {iso_time(data.end_ns)}"
        length = f", and the fault takes {secs.normalize():f} s" if secs else ""
        raise BadInput(f'was "{text}", but {period}{length}', key="--at")
    return at_ns


def spike_time(at_ns: int, prepared: PreparedBacktest) -> tuple[int, str]:
    """
    Return the moment of one bad quote that is to come at `at_ns` or soon after, and how it was chosen.

    It is one at which every control looks that a bad quote concerns: the limits of losses, at the points of the
    ledger's grid, and `max_price_move_bps`. Where none of the next points is one, it is the next point of the grid.

    Raises
    ------
    BadInput
        If the grid has no point before the data end.

    """
    points_ns, looks_ns, end_ns = grid_ns(prepared), look_ns(prepared), prepared.data.end_ns
    point_ns = _next(at_ns, points_ns)
    if point_ns >= end_ns:
        problem = f"the ledger's grid has no point between {iso_time(at_ns)} and the end of the data"
        raise BadInput(f"{problem}, and a bad quote comes at one", key="--at")
    if looks_ns is None:
        return point_ns, "The bad quote comes at a point of the ledger's grid."
    both_ns, every = _next(at_ns, lcm(points_ns, looks_ns)), f"every {looks_ns / 1e9:g} s"
    comes = "The bad quote comes at a point of the ledger's grid"
    if both_ns < min(end_ns, point_ns + POINTS_AFTER * points_ns):
        return both_ns, f"{comes} at which max_price_move_bps looks too, {every}."
    return point_ns, f"{comes}; max_price_move_bps looks {every}, and not then: it answers by chance."


def _next(at_ns: int, interval_ns: int) -> int:
    return -(-at_ns // interval_ns) * interval_ns

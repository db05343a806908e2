"""Chooses what a drill leaves open: the moment at which the fault hurts most, and a size that no limit can overlook."""

from dataclasses import dataclass, replace
from decimal import ROUND_UP, Decimal
from functools import partial
from typing import Final

import pandas as pd

from actors.ledger_records import EquityPoint, PositionPoint
from bad_input import BadInput
from models.loss_limits import DAY_NS
from runtime.backtest import BacktestRun, OnProgress, run_backtest
from runtime.drills.drill import Drill
from runtime.drills.faults import Fault, Injection, Side, parse_injection
from runtime.market_data import iso_time
from runtime.prepare import PreparedBacktest
from runtime.risk.settings import RiskSettings

_MARGIN: Final = Decimal("1.5")
"""How much more than the farthest limit a drill takes away."""
_MOST_PCT: Final = Decimal(90)
_DEFAULT_PCT: Final = Decimal(10)
_CRASH_SECS: Final = Decimal(60)
_SHORTEST_SECS: Final = Decimal(60)
_POINTS_AFTER: Final = 10
"""So many points of the ledger's grid are left after the fault, for controls to answer at."""
_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    """
    A point of the ledger's grid in a run without the fault.

    Parameters
    ----------
    ts_ns : int
        When, UNIX ns.
    traded : Decimal
        The value at the mid of what strategies have traded and hold, with its sign: what all prices together move.
    gross : Decimal
        The same, every instrument's value without its sign.
    exposure : Decimal
        The value of all that moves with the prices: on spot with what was held at the start.

    """

    ts_ns: int
    traded: Decimal
    gross: Decimal
    exposure: Decimal


def plan_drill(prepared: PreparedBacktest, text: str, at: str | None, on_progress: OnProgress | None = None) -> Drill:
    """
    Return the drill that `--inject` and `--at` ask for.

    What they leave open is taken from a run without the fault: the moment at which strategies hold the most that the
    fault hurts, and the size that passes every limit of losses with what they hold then.

    Parameters
    ----------
    prepared : PreparedBacktest
        The backtest.
    text, at : str
        The fault, and its first moment (UTC, ISO 8601).
    on_progress : callable, optional
        Called while the run without the fault goes on.

    Raises
    ------
    BadInput
        If the fault is not known, or the data do not reach from before it to after it.

    """
    injection = parse_injection(text, prepared.loaded.setup.instruments)
    secs = injection.secs or _default_secs(injection, prepared)
    at_ns = None if at is None else _checked_time(at, secs, prepared)
    latest_ns = prepared.data.end_ns - int(secs.scaleb(9)) - _POINTS_AFTER * _grid_ns(prepared)
    if at_ns is None and latest_ns <= prepared.data.start_ns:
        span = (prepared.data.end_ns - prepared.data.start_ns) / _SECOND_NS
        raise BadInput(f"the data are too short: {span:.0f} s do not hold a fault of {secs} s", key="--inject")
    instruments = frozenset((injection.instrument,) if injection.instrument else prepared.loaded.setup.instruments)
    if at_ns is not None and (injection.pct is not None or not injection.kind.moves_price):
        fault = Fault(injection.kind, at_ns, secs, _signed(injection.pct, injection.side or "down"), instruments)
        return Drill.of(prepared, fault)
    base = _run_without(prepared, at_ns, on_progress)
    moments = _moments(base, instruments)
    moment, side, chosen = _choose(injection, moments, at_ns, _usable_until(base, latest_ns), prepared)
    pct = injection.pct
    if pct is None and injection.kind.moves_price:
        pct, why = _decisive_pct(prepared.loaded.setup.risk, base.ledger.equity_curve, moment, side)
        chosen = (*chosen, why)
    return Drill.of(prepared, Fault(injection.kind, moment.ts_ns, secs, _signed(pct, side), instruments), chosen)


def _signed(pct: Decimal | None, side: Side) -> Decimal:
    return (pct or Decimal(0)) * (1 if side == "up" else -1)


def _grid_ns(prepared: PreparedBacktest) -> int:
    return prepared.loaded.setup.ledger.interval_secs * _SECOND_NS


# -- Times ------------------------------------------------------------------------------------------------------------


def _default_secs(injection: Injection, prepared: PreparedBacktest) -> Decimal:
    """Return how long the fault takes: longer than the control that should answer waits."""
    risk = prepared.loaded.setup.risk or RiskSettings()
    return {
        "crash": _CRASH_SECS,
        "feed-stall": max(_SHORTEST_SECS, 2 * (risk.max_data_age_secs or Decimal(0))),
        "reject-storm": max(_SHORTEST_SECS, 2 * risk.rejection_window_secs),
        "equity-unknown": max(_SHORTEST_SECS, Decimal(3 * prepared.loaded.setup.ledger.interval_secs)),
    }.get(injection.kind.name, Decimal(0))


def _checked_time(text: str, secs: Decimal, prepared: PreparedBacktest) -> int:
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


# -- The run without the fault ----------------------------------------------------------------------------------------


def _run_without(prepared: PreparedBacktest, at_ns: int | None, on_progress: OnProgress | None) -> BacktestRun:
    """Replay without the fault, no further than needed."""
    data = prepared.data if at_ns is None else replace(prepared.data, end_ns=at_ns)
    return run_backtest(replace(prepared, data=data), on_progress=on_progress)


def _usable_until(base: BacktestRun, latest_ns: int) -> int:
    """Return the last time for a fault: before the end, and before a control halts trading without any fault."""
    halts = [] if base.risk is None else base.risk.kill_switch.halts
    return min([latest_ns, *(halt.trip.ts_ns - 1 for halt in halts if halt.trip.action != "warn")])


def _moments(base: BacktestRun, instruments: frozenset[str]) -> list[Moment]:
    """Return what was held at each point of the grid."""
    at_start: dict[str, Decimal] = {}
    by_time: dict[int, list[PositionPoint]] = {}
    for point in base.ledger.position_points:
        at_start.setdefault(point.instrument, point.position)
        if point.instrument in instruments:
            by_time.setdefault(point.ts_ns, []).append(point)
    return [
        _moment(ts_ns, points, [(point.position - at_start[point.instrument]) * point.mid for point in points])
        for ts_ns, points in by_time.items()
    ]


def _moment(ts_ns: int, points: list[PositionPoint], values: list[Decimal]) -> Moment:
    exposure = sum((point.position * point.mid for point in points), Decimal(0))
    return Moment(ts_ns, sum(values, Decimal(0)), sum(map(abs, values), Decimal(0)), exposure)


def _choose(
    injection: Injection, moments: list[Moment], at_ns: int | None, until_ns: int, prepared: PreparedBacktest
) -> tuple[Moment, Side, tuple[str, ...]]:
    """Return the moment of the fault, the side prices move to, and how they were chosen."""
    asked = injection.side or ("down" if injection.kind.name == "crash" else None)
    sides: tuple[Side, ...] = ("down", "up") if asked is None else (asked,)
    if at_ns is not None:
        moment = replace(moments[-1], ts_ns=at_ns)
        return moment, asked or _against(moment), ()
    harm = partial(_harm, sides=sides if injection.kind.moves_price else None)
    best = max((moment for moment in moments[1:] if moment.ts_ns <= until_ns), key=harm, default=None)
    if best is None or harm(best) <= 0:
        middle_ns = (prepared.data.start_ns + min(until_ns, prepared.data.end_ns)) // 2
        nothing = Moment(middle_ns, Decimal(0), Decimal(0), Decimal(0))
        return nothing, asked or "down", ("The strategies never hold what the fault hurts: it comes in the middle.",)
    value = f"{best.traded if injection.kind.moves_price else best.gross:.2f} {prepared.currency}"
    chosen = f"It comes when the run without it holds the most that it hurts: {value} of what was traded."
    return best, asked or _against(best), (chosen,)


def _against(moment: Moment) -> Side:
    return "up" if moment.exposure < 0 else "down"


def _harm(moment: Moment, sides: tuple[Side, ...] | None) -> Decimal:
    """Return how much of what was traded prices that move to one of `sides` hurt; all of it where they do not move."""
    if sides is None:
        return moment.gross
    signs = [1 if side == "down" else -1 for side in sides]
    return max((sign * moment.traded for sign in signs if sign * moment.exposure > 0), default=Decimal(0))


# -- The size ---------------------------------------------------------------------------------------------------------


def _decisive_pct(
    risk: RiskSettings | None, curve: list[EquityPoint], moment: Moment, side: Side
) -> tuple[Decimal, str]:
    """Return the change of price that passes every limit of losses by a half, and how it was found."""
    settings = risk or RiskSettings()
    stops = [pct for pct in (settings.stop_loss_pct, settings.trailing_stop_pct) if pct is not None]
    exposure = moment.exposure if side == "down" else -moment.exposure
    loss = _loss_to_every_limit(settings, [point for point in curve if point.ts_ns <= moment.ts_ns])
    if loss is not None and exposure > 0:
        stops.append(loss / exposure * 100)
    if not stops:
        return _DEFAULT_PCT, f"Its size is the default, {_DEFAULT_PCT} %: no limit of losses tells how much is enough."
    wanted = (max(stops) * _MARGIN).quantize(Decimal("0.1"), ROUND_UP)
    if wanted > _MOST_PCT:
        return _MOST_PCT, f"Its size is {_MOST_PCT} %, the most a drill takes; the limits of losses ask for {wanted} %."
    return wanted, f"Its size is {_MARGIN} times what reaches every limit of losses with what is held then."


def _loss_to_every_limit(settings: RiskSettings, curve: list[EquityPoint]) -> Decimal | None:
    """Return what may be lost from the last point on until each limit of the equity is reached; None without one."""
    equity = curve[-1].equity
    today = [point.equity for point in curve if point.ts_ns // DAY_NS == curve[-1].ts_ns // DAY_NS]
    references = (
        (settings.max_drawdown_pct, max(point.equity for point in curve)),
        (settings.max_loss_pct, curve[0].equity),
        (settings.max_daily_loss_pct, today[0]),
    )
    return max((equity - start * (100 - pct) / 100 for pct, start in references if pct is not None), default=None)

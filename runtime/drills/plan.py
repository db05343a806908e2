"""Chooses what a drill leaves open: the moment at which the fault hurts most, and a size that no limit can overlook."""

from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_UP, Decimal
from typing import Final

from actors.ledger_records import EquityPoint
from bad_input import BadInput
from models.loss_limits import DAY_NS
from runtime.backtest import BacktestRun, OnProgress, run_backtest
from runtime.drills.drill import Drill
from runtime.drills.faults import Fault, Injection, Side, parse_injection
from runtime.drills.moments import Moment, last_moment, usable_moments
from runtime.drills.times import POINTS_AFTER, POINTS_AT_LEAST, checked_time, default_secs, grid_ns, look_ns, spike_time
from runtime.prepare import PreparedBacktest
from runtime.risk.settings import RiskSettings

type Worth = Callable[[Moment], tuple[int, Decimal]]
"""How much a moment is wanted for a fault: by orders where those are what counts, and by what is held."""

_MARGIN: Final = Decimal("1.5")
"""How much more than the farthest limit a drill takes away."""
_MOST_PCT: Final = Decimal(90)
_DEFAULT_PCT: Final = Decimal(10)
_SPIKE: Final = "price-spike"
_STORM: Final = "reject-storm"
_NOTHING: Final = Decimal(0)


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
    kind, secs = injection.kind, injection.secs or default_secs(injection.kind, prepared)
    at_ns = None if at is None else checked_time(at, secs, prepared)
    if at_ns is None and _latest_ns(prepared, secs, POINTS_AFTER) <= prepared.data.start_ns:
        span = (prepared.data.end_ns - prepared.data.start_ns) / 1e9
        raise BadInput(f"the data are too short: {span:.0f} s do not hold a fault of {secs} s", key="--inject")
    instruments = frozenset((injection.instrument,) if injection.instrument else prepared.loaded.setup.instruments)
    chosen: tuple[str, ...] = ()
    if at_ns is not None and (injection.pct is not None or not kind.moves_price):
        change_pct = _signed(injection.pct, injection.side or "down")
    else:
        base = _run_without(prepared, at_ns, on_progress)
        if at_ns is None:
            usable = usable_moments(base, instruments, int(secs.scaleb(9)), _latest_ns(prepared, secs, POINTS_AT_LEAST))
            moment, side, chosen = _choose(injection, _seen(usable, injection, prepared), secs, prepared)
        else:
            moment = replace(last_moment(base, instruments), ts_ns=at_ns)
            side = _asked(injection) or _against(moment)
        at_ns, pct = moment.ts_ns, injection.pct
        if pct is None and kind.moves_price:
            pct, why = _decisive_pct(prepared.loaded.setup.risk, base.ledger.equity_curve, moment, side)
            chosen = (*chosen, why)
        change_pct = _signed(pct, side)
    if kind.name == _SPIKE:
        at_ns, why = spike_time(at_ns, prepared)
        chosen = (*chosen, why)
    return Drill.of(prepared, Fault(kind, at_ns, secs, change_pct, instruments), chosen)


def _signed(pct: Decimal | None, side: Side) -> Decimal:
    return (pct or Decimal(0)) * (1 if side == "up" else -1)


def _latest_ns(prepared: PreparedBacktest, secs: Decimal, points: int) -> int:
    """Return the last time at which a fault leaves so many points of the grid after it."""
    return prepared.data.end_ns - int(secs.scaleb(9)) - points * grid_ns(prepared)


def _run_without(prepared: PreparedBacktest, at_ns: int | None, on_progress: OnProgress | None) -> BacktestRun:
    """Replay without the fault, no further than needed."""
    data = prepared.data if at_ns is None else replace(prepared.data, end_ns=at_ns)
    return run_backtest(replace(prepared, data=data), on_progress=on_progress)


# -- When, and which side ---------------------------------------------------------------------------------------------


def _seen(usable: list[Moment], injection: Injection, prepared: PreparedBacktest) -> list[Moment]:
    """Return the moments at which the controls that should answer look, where only some are; else all."""
    looks_ns = look_ns(prepared) if injection.kind.name == _SPIKE else None
    return [moment for moment in usable if looks_ns and moment.ts_ns % looks_ns == 0] or usable


def _choose(
    injection: Injection, usable: list[Moment], secs: Decimal, prepared: PreparedBacktest
) -> tuple[Moment, Side, tuple[str, ...]]:
    """Return the moment of the fault, the side prices move to, and how they were chosen."""
    asked = _asked(injection)
    limit = (prepared.loaded.setup.risk or RiskSettings()).max_rejections_per_window
    worth = _by_orders(limit or 0) if injection.kind.name == _STORM else _by_holding(injection, asked)
    early = [moment for moment in usable if moment.ts_ns <= _latest_ns(prepared, secs, POINTS_AFTER)]
    best = max(early, key=worth, default=None)
    if best is None or worth(best) <= (0, 0):  # it begins to trade late: a little time is better than nothing held
        best = max(usable, key=worth, default=None)
    if best is None:
        middle_ns = (prepared.data.start_ns + prepared.data.end_ns) // 2
        best = Moment(middle_ns, Decimal(0), Decimal(0), Decimal(0), 0)
        return best, asked or "down", ("Trading is halted without the fault too: it comes in the middle.",)
    if worth(best) <= (0, 0):
        best = (early or usable)[len(early or usable) // 2]
        nothing = "send an order" if injection.kind.name == _STORM else "hold what the fault hurts"
        return best, asked or _against(best), (f"The strategies never {nothing}: it comes in the middle.",)
    return best, asked or _against(best), (_reason(injection, best, limit, prepared.currency),)


def _reason(injection: Injection, best: Moment, limit: int | None, currency: str) -> str:
    value = f"{best.traded if injection.kind.moves_price else best.gross:.2f} {currency} of what was traded"
    if injection.kind.name != _STORM or limit is None:
        return f"It comes when the run without it holds the most that it hurts: {value}."
    if best.orders > limit:
        enough = f"of the times at which it sends more than {limit} orders while the fault lasts"
        return f"It comes when the run without it holds the most, {enough}: {value}."
    most = f"It comes when the run without it sends the most orders while the fault lasts: {best.orders}"
    return f"{most}, and max_rejections_per_window takes {limit}."


def _asked(injection: Injection) -> Side | None:
    return injection.side or ("down" if injection.kind.name == "crash" else None)


def _against(moment: Moment) -> Side:
    return "up" if moment.exposure < 0 else "down"


def _by_orders(limit: int) -> Worth:
    """Wanted are orders enough to reach the limit of refusals, and then a large position."""
    return lambda moment: (min(moment.orders, limit + 1), moment.gross if moment.orders else _NOTHING)


def _by_holding(injection: Injection, asked: Side | None) -> Worth:
    """Wanted is what the fault hurts: what prices that move to the side asked for hurt, or all that is held."""
    if not injection.kind.moves_price:
        return lambda moment: (0, moment.gross)
    signs = [1 if side == "down" else -1 for side in ("down", "up") if asked in (None, side)]
    return lambda moment: (0, max([sign * moment.traded for sign in signs if sign * moment.exposure > 0] or [_NOTHING]))


# -- The size ---------------------------------------------------------------------------------------------------------


def _decisive_pct(
    risk: RiskSettings | None, curve: list[EquityPoint], moment: Moment, side: Side
) -> tuple[Decimal, str]:
    """Return the change of price that passes every limit of losses and of prices by a half, and how it was found."""
    settings = risk or RiskSettings()
    move_pct = None if settings.max_price_move_bps is None else settings.max_price_move_bps / 100
    stops = [pct for pct in (settings.stop_loss_pct, settings.trailing_stop_pct, move_pct) if pct is not None]
    exposure = moment.exposure if side == "down" else -moment.exposure
    loss = _loss_to_every_limit(settings, [point for point in curve if point.ts_ns <= moment.ts_ns])
    if loss is not None and exposure > 0:
        stops.append(loss / exposure * 100)
    if not stops:
        return _DEFAULT_PCT, f"Its size is the default, {_DEFAULT_PCT} %: no limit tells how much is enough."
    wanted = (max(stops) * _MARGIN).quantize(Decimal("0.1"), ROUND_UP)
    if wanted > _MOST_PCT:
        return _MOST_PCT, f"Its size is {_MOST_PCT} %, the most a drill takes; the limits ask for {wanted} %."
    return wanted, f"Its size is {_MARGIN} times what reaches every limit of losses and prices with what is held then."


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

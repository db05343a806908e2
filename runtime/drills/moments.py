"""What strategies hold and send in a run without the fault, at each point of the ledger's grid."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Final

from actors.ledger_records import PositionPoint
from actors.order_trace import WINDOW_SECS
from runtime.backtest import BacktestRun

_WINDOW_NS: Final = WINDOW_SECS * 1_000_000_000


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
    orders : int
        New and changed orders from then on, for as long as the fault lasts.

    """

    ts_ns: int
    traded: Decimal
    gross: Decimal
    exposure: Decimal
    orders: int


def usable_moments(base: BacktestRun, instruments: frozenset[str], lasts_ns: int, latest_ns: int) -> list[Moment]:
    """Return the moments at which a fault can be put in: up to the latest, and not while trading is halted anyway."""
    return [
        moment
        for moment in _moments(base, instruments, lasts_ns)[1:]
        if moment.ts_ns <= latest_ns and not _is_halted(base, moment.ts_ns)
    ]


def last_moment(base: BacktestRun, instruments: frozenset[str]) -> Moment:
    """Return the last moment of a run."""
    return _moments(base, instruments, 0)[-1]


def _is_halted(base: BacktestRun, ts_ns: int) -> bool:
    halts = [] if base.risk is None else base.risk.kill_switch.halts
    return any(
        halt.trip.ts_ns <= ts_ns and (halt.ended_ns is None or ts_ns < halt.ended_ns)
        for halt in halts
        if halt.trip.action != "warn"
    )


def _moments(base: BacktestRun, instruments: frozenset[str], lasts_ns: int) -> list[Moment]:
    at_start: dict[str, Decimal] = {}
    by_time: dict[int, list[PositionPoint]] = {}
    for point in base.ledger.position_points:
        at_start.setdefault(point.instrument, point.position)
        if point.instrument in instruments:
            by_time.setdefault(point.ts_ns, []).append(point)
    sent = _Sent(base.ledger.messages.by_window)
    return [
        _moment(ts_ns, points, [(point.position - at_start[point.instrument]) * point.mid for point in points], orders)
        for ts_ns, points in by_time.items()
        for orders in (sent.between(ts_ns, ts_ns + lasts_ns),)
    ]


def _moment(ts_ns: int, points: Iterable[PositionPoint], values: list[Decimal], orders: int) -> Moment:
    exposure = sum((point.position * point.mid for point in points), Decimal(0))
    return Moment(ts_ns, sum(values, Decimal(0)), sum(map(abs, values), Decimal(0)), exposure, orders)


class _Sent:
    """How many orders were sent in windows of the clock."""

    def __init__(self, by_window: dict[int, int]) -> None:
        self._starts = [window * _WINDOW_NS for window in sorted(by_window)]
        self._until = [0, *accumulate(by_window[window] for window in sorted(by_window))]

    def between(self, from_ns: int, until_ns: int) -> int:
        """Return how many were sent in the windows that begin in a time."""
        first, last = bisect_left(self._starts, from_ns), bisect_left(self._starts, until_ns)
        return self._until[last] - self._until[first]

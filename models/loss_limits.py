"""
When losing has to end: drawdown, loss of a day, stop loss of a position, in exact decimals.

Percentages are compared without dividing, so that a loss of exactly the limit is found: 105 × 0.98 is 102.9.
"""

from collections import deque
from collections.abc import Iterator
from decimal import ROUND_CEILING, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Final

from models.risk_limits import Breach

_WIDE = Context(prec=120, traps=[InvalidOperation, DivisionByZero, Overflow])
_UP = Context(prec=28, rounding=ROUND_CEILING)
_ENDLESS: Final = Decimal("Infinity")
DAY_NS = 86_400_000_000_000
NEVER_CALM: Final = (Decimal(0), Decimal(0))
"""No equity lies above the first and up to the second."""


def _pct(start: Decimal, now: Decimal) -> Decimal:
    if start <= 0:
        return Decimal(100)
    return _WIDE.divide((start - now) * 100, start).quantize(Decimal("1e-12")).normalize()


class _Loss:
    """A loss from `start` in percent of it, and where it reaches its limit; a start not above 0 may lose nothing."""

    __slots__ = ("floor", "limit_pct", "rule", "start")

    def __init__(self, rule: str, limit_pct: Decimal) -> None:
        self.rule = rule
        self.limit_pct = limit_pct
        self.start = self.floor = Decimal(0)

    def count_from(self, start: Decimal) -> None:
        """Measure from another equity."""
        kept_pct = _WIDE.subtract(Decimal(100), self.limit_pct)
        self.floor = _WIDE.multiply(start, kept_pct).scaleb(-2, _WIDE) if start > 0 else start
        self.start = start

    def breach(self, equity: Decimal) -> Breach | None:
        """Return a breach if the loss is at its limit or beyond."""
        if equity > self.floor or equity == self.start:
            return None
        return Breach(self.rule, _pct(self.start, equity), self.limit_pct)


class DrawdownKill:
    """
    Trips when the equity has fallen by a percentage from its running peak, or from where it started.

    Latched: once tripped it stays so, whatever the equity does.

    Parameters
    ----------
    max_drawdown_pct : Decimal, optional
        The fall from the running peak, in percent, that trips; above 0 and below 100.
    max_loss_pct : Decimal, optional
        The fall from the first equity that trips.
    confirmations : int, default 1
        So many points in a row must be beyond the limit: one bad price is not a loss.

    Raises
    ------
    ValueError
        If `confirmations` is below 1.

    """

    def __init__(
        self, max_drawdown_pct: Decimal | None, max_loss_pct: Decimal | None = None, confirmations: int = 1
    ) -> None:
        if confirmations < 1:
            raise ValueError(f"confirmations was {confirmations}, expected at least 1")
        self._drawdown = None if max_drawdown_pct is None else _Loss("max_drawdown_pct", max_drawdown_pct)
        self._loss = None if max_loss_pct is None else _Loss("max_loss_pct", max_loss_pct)
        self._confirmations = confirmations
        self._seen = 0
        self.start: Decimal | None = None
        self.peak: Decimal | None = None
        self.tripped = False

    def go_on_from(self, start: Decimal, peak: Decimal) -> None:
        """Measure from what an earlier run has measured from."""
        self.start = start
        if self._loss is not None:
            self._loss.count_from(start)
        self._rise_to(peak)

    def _rise_to(self, peak: Decimal) -> None:
        self.peak = peak
        if self._drawdown is not None:
            self._drawdown.count_from(peak)

    def update(self, equity: Decimal) -> Breach | None:
        """Take the next point of the equity; return the breach when it trips, and only then."""
        if self.start is None or self.peak is None:
            self.go_on_from(equity, equity)
        elif equity > self.peak:
            self._rise_to(equity)
        breach = None if self._drawdown is None else self._drawdown.breach(equity)
        if breach is None and self._loss is not None:
            breach = self._loss.breach(equity)
        self._seen = self._seen + 1 if breach else 0
        if breach is None or self.tripped or self._seen < self._confirmations:
            return None
        self.tripped = True
        return breach

    def calm(self) -> tuple[Decimal, Decimal]:
        """
        Return between which equities the next point changes nothing: above the first, and up to the second.

        `NEVER_CALM` while points beyond a limit are being confirmed, and before the first point.
        """
        if self.peak is None or self._seen:
            return NEVER_CALM
        limits = [limit.floor for limit in (self._drawdown, self._loss) if limit is not None]
        return max(limits, default=-_ENDLESS), self.peak


class DailyLoss:
    """
    Trips when the equity has fallen by a percentage from the first equity of the UTC day; latched until the day ends.

    Parameters
    ----------
    max_daily_loss_pct : Decimal
        In percent of the day's first equity.
    confirmations : int, default 1
        So many points in a row must be beyond the limit: one bad price is not a loss.

    Raises
    ------
    ValueError
        If `confirmations` is below 1.

    """

    def __init__(self, max_daily_loss_pct: Decimal, confirmations: int = 1) -> None:
        if confirmations < 1:
            raise ValueError(f"confirmations was {confirmations}, expected at least 1")
        self._loss = _Loss("max_daily_loss_pct", max_daily_loss_pct)
        self._confirmations = confirmations
        self._seen = 0
        self._day: int | None = None
        self.tripped = False

    @property
    def start(self) -> Decimal:
        """The first equity of the day; 0 before there is one."""
        return self._loss.start

    def go_on_from(self, day: int, start: Decimal) -> None:
        """Measure from the equity that an earlier run has seen first on that day, counted in days since 1970."""
        self._day = day
        self._loss.count_from(start)

    def update(self, ts_ns: int, equity: Decimal) -> Breach | None:
        """Take the next point of the equity; return the breach when it trips, and only then."""
        day = ts_ns // DAY_NS
        if day != self._day:
            self.go_on_from(day, equity)
            self.tripped, self._seen = False, 0
        breach = self._loss.breach(equity)
        self._seen = 0 if breach is None else self._seen + 1
        if breach is None or self.tripped or self._seen < self._confirmations:
            return None
        self.tripped = True
        return breach

    def calm_above(self) -> Decimal:
        """Return above which equity the next point of the same day changes nothing."""
        return _ENDLESS if self._day is None or self._seen else self._loss.floor


class PositionStop:
    """
    The stop loss of one position: fixed from its average entry price, trailing from its best mark.

    A mark that touches the stop triggers. The best mark is updated before the test, and the fixed stop comes first.

    With confirmations, one bad price neither triggers a stop nor moves one: the least harmful of the last marks must be
    at or beyond it, and the best mark is that which all of the last marks have reached.

    Parameters
    ----------
    stop_loss_pct : Decimal, optional
        How far the mark may be below the entry of a long (above that of a short), in percent.
    trailing_stop_pct : Decimal, optional
        The same from the best mark since the position was opened.
    confirmations : int, default 1
        So many marks in a row must agree.

    Raises
    ------
    ValueError
        If `confirmations` is below 1.

    """

    def __init__(
        self, stop_loss_pct: Decimal | None, trailing_stop_pct: Decimal | None, confirmations: int = 1
    ) -> None:
        if confirmations < 1:
            raise ValueError(f"confirmations was {confirmations}, expected at least 1")
        self._confirmations = confirmations
        self._marks: deque[Decimal] = deque(maxlen=confirmations)
        self._stop_loss_pct = stop_loss_pct
        self._trailing_stop_pct = trailing_stop_pct
        self.position = Decimal(0)
        self._cost = Decimal(0)
        self._best: Decimal | None = None
        self._stops: list[tuple[str, Decimal, Decimal]] | None = None

    @property
    def entry(self) -> Decimal:
        """The average price of what is held; 0 when flat."""
        return self._cost / abs(self.position) if self.position else Decimal(0)

    def falls(self, mark: Decimal) -> dict[str, Decimal]:
        """Return how far a mark is beyond the entry and the best mark, by rule, in percent; below 0 for a gain."""
        if not self.position:
            return {}
        side = 1 if self.position > 0 else -1
        origins = {"stop_loss_pct": self.entry, "trailing_stop_pct": mark if self._best is None else self._best}
        return {rule: (origin - mark) * side * 100 / origin for rule, origin in origins.items()}

    def fill(self, signed_qty: Decimal, price: Decimal) -> None:
        """Take a fill: more of the same side moves the average entry, less keeps it, a flip starts anew."""
        before = self.position
        after = before + signed_qty
        if before * signed_qty >= 0:
            self._cost += abs(signed_qty) * price
        elif before * after > 0:
            self._cost = self._cost * after / before
        else:
            self._cost = abs(after) * price
        if before * after <= 0:
            self._best = None
            self._marks.clear()
        self.position = after
        self._stops = None

    def check(self, mark: Decimal) -> Breach | None:
        """Take the next mark; return a breach while it is at or beyond a stop. Value and limit are prices."""
        if not self.position:
            return None
        side = 1 if self.position > 0 else -1
        self._marks.append(mark * side)
        if len(self._marks) < self._confirmations:
            return None
        kindest, reached = max(self._marks), min(self._marks)
        if self._best is None or reached > self._best * side:
            self._best, self._stops = reached * side, None
        if self._stops is None:
            self._stops = list(self._stops_at(side, self._best))
        for rule, factor, bound in self._stops:
            if kindest * factor <= bound:
                return Breach(rule, mark, bound * side / factor)
        return None

    def calm(self) -> tuple[Decimal, Decimal] | None:
        """
        Return between which marks the next check changes nothing, both ends excluded; None while the last marks decide.

        So it is where each of the last marks is beyond no stop and short of the best: which of them is looked at then
        makes no difference. A fill makes it void.
        """
        if self._best is None or self._stops is None or not self.position:
            return None
        side = 1 if self.position > 0 else -1
        touched, best = (
            max((_UP.divide(bound, factor) for _, factor, bound in self._stops), default=None),
            self._best * side,
        )
        if touched is None or not all(touched < mark <= best for mark in self._marks):
            return None
        return (touched, best) if side > 0 else (-best, -touched)

    def _stops_at(self, side: int, best: Decimal) -> Iterator[tuple[str, Decimal, Decimal]]:
        """Yield each rule with what a mark is multiplied by, and what it is held against: a stop without a division."""
        for rule, pct, cost, quantity in (
            ("stop_loss_pct", self._stop_loss_pct, self._cost, abs(self.position)),
            ("trailing_stop_pct", self._trailing_stop_pct, best, Decimal(1)),
        ):
            if pct is not None:
                yield rule, quantity * 100, cost * (100 - side * pct) * side

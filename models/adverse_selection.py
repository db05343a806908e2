"""How far the mid goes with the flow: what a maker expects to lose to those who trade with it."""

import math
from collections import deque


class AdverseSelection:
    """
    The average move of the mid after a market order, in its direction, kept up to date trade by trade.

    Each trade counts once its horizon has passed, with weights that fall to 1/e after `window_secs`: the markout of the
    flow (Huang and Stoll 1996, "price impact" = effective less realised half-spread). Prices in any unit.

    Parameters
    ----------
    horizon_secs : float
        How long after a trade the mid is looked at, above 0.
    window_secs : float
        The memory, above 0.

    Raises
    ------
    ValueError
        If either is not positive.

    """

    MIN_WEIGHT = 20.0
    """Trades that must weigh in before it is ready."""

    __slots__ = ("_horizon", "_mid", "_moves", "_pending", "_time", "_weight", "_window")

    def __init__(self, horizon_secs: float, window_secs: float) -> None:
        if not (horizon_secs > 0.0 and window_secs > 0.0):
            raise ValueError("horizon_secs or window_secs was not positive")
        self._horizon = horizon_secs
        self._window = window_secs
        self.reset()

    def reset(self) -> None:
        """Forget every trade."""
        self._pending: deque[tuple[float, float, float]] = deque()
        self._mid = math.nan
        self._time = -math.inf
        self._moves = self._weight = 0.0

    def on_mid(self, mid: float, time_secs: float) -> None:
        """Take in a new mid; trades whose horizon lies before it are counted at the mid that held until now."""
        self._settle(time_secs)
        self._mid = mid

    def on_trade(self, is_buyer: bool, time_secs: float) -> None:
        """Take in a trade; it counts from the mid just before it. Trades before the first mid are left out."""
        self._settle(time_secs)
        if not math.isnan(self._mid):
            self._pending.append((time_secs + self._horizon, 1.0 if is_buyer else -1.0, self._mid))

    def _settle(self, now: float) -> None:
        while self._pending and self._pending[0][0] < now:
            due, side, mid_before = self._pending.popleft()
            decay = math.exp((self._time - due) / self._window) if self._weight else 0.0
            self._moves = self._moves * decay + side * (self._mid - mid_before)
            self._weight = self._weight * decay + 1.0
            self._time = due

    @property
    def ready(self) -> bool:
        """Whether enough trades weigh in."""
        return self._weight >= self.MIN_WEIGHT

    @property
    def value(self) -> float:
        """The average move with the flow, in the unit of the mids; 0 before the first trade has settled."""
        return self._moves / self._weight if self._weight else 0.0

"""Moving averages of irregularly spaced prices."""

import math


class TrendGap:
    """
    The distance of a fast from a slow moving average of irregularly spaced prices.

    Exponential averages in time: each price weighs for as long as it held, with weights that fall to 1/e after the
    window (Eckner 2019, "Algorithms for unevenly spaced time series", the last-point scheme).

    Parameters
    ----------
    fast_secs, slow_secs : float
        The windows, both above 0, the fast one the shorter.

    Raises
    ------
    ValueError
        If a window is not positive or the fast one is not the shorter.

    """

    __slots__ = ("_fast", "_fast_secs", "_price", "_slow", "_slow_secs", "_started", "_time")

    def __init__(self, fast_secs: float, slow_secs: float) -> None:
        if not 0.0 < fast_secs < slow_secs:
            raise ValueError(f"fast_secs was {fast_secs}, expected above 0 and below slow_secs, {slow_secs}")
        self._fast_secs = fast_secs
        self._slow_secs = slow_secs
        self.reset()

    def reset(self) -> None:
        """Forget every price."""
        self._fast = self._slow = self._price = math.nan
        self._time = self._started = math.nan

    def update(self, price: float, time_secs: float) -> None:
        """Take in a price that holds from now on."""
        if math.isnan(self._time):
            self._fast = self._slow = price
            self._started = time_secs
        else:
            held = time_secs - self._time
            self._fast += -math.expm1(-held / self._fast_secs) * (self._price - self._fast)
            self._slow += -math.expm1(-held / self._slow_secs) * (self._price - self._slow)
        self._price = price
        self._time = time_secs

    @property
    def ready(self) -> bool:
        """Whether it has watched for one slow window."""
        return self._time - self._started >= self._slow_secs

    @property
    def value(self) -> float:
        """Fast less slow average, in price: above 0 in a rising market; 0 before it is ready."""
        return self._fast - self._slow if self.ready else 0.0

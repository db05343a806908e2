"""The exchange's clock."""

import time
from collections.abc import Callable


class Clock:
    """
    UNIX time as the exchange sees it.

    Parameters
    ----------
    source : callable
        Returns UNIX nanoseconds; the machine's clock unless a test brings its own.

    """

    def __init__(self, source: Callable[[], int] = time.time_ns) -> None:
        self._source = source
        self.skew_ms = 0
        """How far this clock is ahead of the machine's, ms; a fault to be set."""

    def ms(self) -> int:
        """Return the time in milliseconds."""
        return self._source() // 1_000_000 + self.skew_ms

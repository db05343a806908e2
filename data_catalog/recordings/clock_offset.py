"""The distance between the recorder's clock and the exchange's."""

from dataclasses import dataclass, field

import numpy as np

from data_catalog.columns import Int64

KEPT = 1_000_000


@dataclass(slots=True)
class ClockOffset:
    """
    Median, least and greatest of receive time minus event time, in nanoseconds, in bounded memory.

    A negative offset means that the recorder's clock is behind: nothing arrives before it happens. Extremes are
    exact; the median is taken over every 2^n-th value once there are more than a million.
    """

    count: int = 0
    least_ns: int = 0
    greatest_ns: int = 0
    _kept: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    _stride: int = 1

    def add(self, offsets_ns: Int64) -> None:
        """Take in receive time minus event time of more messages."""
        if not offsets_ns.size:
            return
        low, high = int(offsets_ns.min()), int(offsets_ns.max())
        self.least_ns = min(self.least_ns, low) if self.count else low
        self.greatest_ns = max(self.greatest_ns, high) if self.count else high
        first = -self.count % self._stride
        self.count += len(offsets_ns)
        self._kept = np.concatenate([self._kept, offsets_ns[first :: self._stride]])
        while len(self._kept) > KEPT:
            self._kept = self._kept[::2].copy()
            self._stride *= 2

    def median_ns(self) -> int | None:
        """Return the median, or None when no message carried an event time."""
        return int(np.median(self._kept)) if self.count else None

"""The equity curve of a long run in few points, of which none hides a peak or a trough."""

from collections.abc import Sequence

from actors.ledger_records import EquityPoint
from runtime.live.web.state import EquityStretch

_MOST = 480
_MS_NS = 1_000_000


class EquityTrail:
    """Takes points as they come; when there are too many, each two neighbours become one stretch."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._taken = 0
        self._per_stretch = 1
        self._in_last = 0
        self.stretches: list[EquityStretch] = []

    def follow(self, curve: Sequence[EquityPoint]) -> None:
        """Take what the curve has gained since the last time."""
        for index in range(self._taken, len(curve)):
            point = curve[index]
            equity = float(point.equity)
            self._take(EquityStretch(point.ts_ns // _MS_NS, equity, equity, equity))
        self._taken = len(curve)

    def _take(self, point: EquityStretch) -> None:
        if self.stretches and self._in_last < self._per_stretch:
            self.stretches[-1] = _joined(self.stretches[-1], point)
            self._in_last += 1
            return
        if len(self.stretches) >= self._most:
            self._halve()
        self.stretches.append(point)
        self._in_last = 1

    def _halve(self) -> None:
        kept = self.stretches
        self.stretches = [_joined(*kept[at : at + 2]) for at in range(0, len(kept), 2)]
        self._per_stretch *= 2


def _joined(*stretches: EquityStretch) -> EquityStretch:
    last = stretches[-1]
    low, high = min(each.low for each in stretches), max(each.high for each in stretches)
    return EquityStretch(last.time_ms, low, high, last.last)

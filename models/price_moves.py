"""How far a price moves within a window of time, in exact decimals."""

from collections import deque
from decimal import Decimal

from models.risk_limits import BPS, Breach


class PriceRange:
    """
    Finds a price that has moved further than allowed within a sliding window: a spike, a crash, a broken feed.

    The distance between the highest and the lowest price of the window counts, so one price that is far off holds for
    as long as the window remembers it. At time t, what was seen in (t - window, t] counts.

    Parameters
    ----------
    max_move_bps : Decimal
        The largest distance that is allowed, in basis points of the lowest price.
    window_ns : int
        The window in nanoseconds, above 0.

    """

    def __init__(self, max_move_bps: Decimal, window_ns: int) -> None:
        self._limit_bps = max_move_bps
        self._parts, parts_in_a_bp = max_move_bps.as_integer_ratio()
        self._scale = parts_in_a_bp * int(BPS)
        self._window_ns = window_ns
        self._highs: deque[tuple[int, int]] = deque()
        self._lows: deque[tuple[int, int]] = deque()

    def update(self, now_ns: int, price: int) -> Breach | None:
        """
        Take the price of this moment; return a breach while the window holds a move beyond the limit, in bps.

        Prices are above 0, in whole numbers of whatever unit.
        """
        highs, lows, forgotten_ns = self._highs, self._lows, now_ns - self._window_ns
        while highs and highs[-1][1] <= price:
            highs.pop()
        while lows and lows[-1][1] >= price:
            lows.pop()
        highs.append((now_ns, price))
        lows.append((now_ns, price))
        while highs[0][0] <= forgotten_ns:
            highs.popleft()
        while lows[0][0] <= forgotten_ns:
            lows.popleft()
        high, low = highs[0][1], lows[0][1]
        if (high - low) * self._scale <= low * self._parts:
            return None
        return Breach("max_price_move_bps", ((high - low) * BPS / low).quantize(Decimal("0.0001")), self._limit_bps)

"""
How many orders may still be sent: a venue's limit per window, kept by sending less instead of being refused.

The window slides: of `limit` orders in `window_ns`, those sent in (now - window, now] count, so an order is free again
exactly one window after it was sent.
"""

from collections import deque


class OrderBudget:
    """
    Counts what was sent in the last window.

    Parameters
    ----------
    limit : int
        Orders per window, at least 1.
    window_ns : int
        The length of the window in nanoseconds, above 0.

    Raises
    ------
    ValueError
        If either is not positive.

    """

    __slots__ = ("_limit", "_sent", "_window_ns")

    def __init__(self, limit: int, window_ns: int) -> None:
        if limit < 1 or window_ns < 1:
            raise ValueError(f"limit was {limit} per {window_ns} ns, expected both above 0")
        self._limit = limit
        self._window_ns = window_ns
        self._sent: deque[int] = deque()

    def spend(self, now_ns: int) -> None:
        """Count one order sent now."""
        self._sent.append(now_ns)

    def left(self, now_ns: int) -> int:
        """Return how many orders may be sent now; below 0 where more were sent than allowed."""
        oldest = now_ns - self._window_ns
        while self._sent and self._sent[0] <= oldest:
            self._sent.popleft()
        return self._limit - len(self._sent)

    def tolerance_factor(self, now_ns: int) -> float:
        """
        Return by how much to multiply a tolerance so that the budget lasts.

        1 while half of it is left; then it grows as the rest shrinks: 2 at a quarter, 5 at a tenth, and so on.
        """
        left = self.left(now_ns)
        return max(1.0, 0.5 * self._limit / left) if left > 0 else float("inf")

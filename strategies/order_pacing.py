"""How often a maker may act: tolerance, delay after a fill, and the order budget that widens the one for the other."""

from collections.abc import Callable

from models.market_making.quote_plan import Cancel, Command, Side, Submit
from models.order_budget import OrderBudget
from strategies.quoting_config import QuotingConfig

_BPS = 1e-4
_SECOND_NS = 1_000_000_000
_MAX_FACTOR = 1e6


class OrderPacing:
    """
    Says which commands may be sent now, and counts them.

    Parameters
    ----------
    config : QuotingConfig
        Tolerance, delay and budget.

    """

    def __init__(self, config: QuotingConfig) -> None:
        self._config = config
        self._budget: OrderBudget | None = None
        if config.order_budget:
            self._budget = OrderBudget(config.order_budget, int(config.order_budget_window_secs * _SECOND_NS))
        self._delayed_until_ns = {Side.BID: 0, Side.ASK: 0}

    def tolerance(self, mid: float, now_ns: int, exact: bool) -> int:
        """Return how far an order may be from its quote, in ticks; more as the order budget runs out."""
        ticks = mid * self._config.requote_threshold_bps * _BPS
        if self._budget is not None:
            factor = self._budget.tolerance_factor(now_ns)
            if factor > 1.0:
                return int(max(1.0, ticks) * min(factor, _MAX_FACTOR))
        return 0 if exact else int(ticks)

    def delay(self, side: Side, now_ns: int) -> int:
        """Hold new orders of one side back for the delay after a fill; return until when, UNIX ns."""
        until_ns = now_ns + int(self._config.filled_order_delay_secs * _SECOND_NS)
        self._delayed_until_ns[side] = until_ns
        return until_ns

    def is_delayed(self, side: Side, now_ns: int) -> bool:
        """Return whether new orders of one side are held back after a fill."""
        return now_ns < self._delayed_until_ns[side]

    def is_spent(self, now_ns: int) -> bool:
        """Return whether the order budget is used up."""
        return self._budget is not None and self._budget.left(now_ns) <= 0

    def may_send(self, command: Command, now_ns: int, awaiting_replacement: Callable[[], int]) -> bool:
        """
        Return whether delay and budget allow a command, and count it if so.

        Parameters
        ----------
        command : Command
            What the plan wants.
        now_ns : int
            Now, UNIX ns.
        awaiting_replacement : callable
            Says how many orders are being cancelled: each of their replacements will need a place in the budget.

        """
        if isinstance(command, Submit) and self.is_delayed(command.quote.side, now_ns):
            return False
        if self._budget is None or (isinstance(command, Cancel) and not command.replaces):
            return True
        if isinstance(command, Cancel):
            return self._budget.left(now_ns) > awaiting_replacement()
        if self._budget.left(now_ns) <= 0:
            return False
        self._budget.spend(now_ns)
        return True

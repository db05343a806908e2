"""The sweep: no order of ours stays on the venue, or it is said which."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from runtime.live.account import BinanceAccount, VenueOrder
from runtime.live.own_orders import Owner
from runtime.live.rest import Refused, VenueError

_FIRST_WAIT_SECS: Final = 0.25
_LONGEST_WAIT_SECS: Final = 2.0
_CLOCKS_DIFFER: Final = -1021


@dataclass(frozen=True)
class Swept:
    """
    How a sweep ended.

    Parameters
    ----------
    cancelled : tuple of VenueOrder
        What it cancelled.
    left : tuple of VenueOrder
        Orders of ours that were still open when they were last seen.
    problem : str, optional
        Why nobody knows whether anything is left.

    """

    cancelled: tuple[VenueOrder, ...] = ()
    left: tuple[VenueOrder, ...] = ()
    problem: str | None = None

    @property
    def is_clean(self) -> bool:
        """Whether the venue has said that no order of ours is open."""
        return not self.left and self.problem is None

    def __str__(self) -> str:
        if self.left:
            return f"left on the venue: {'; '.join(str(order) for order in self.left)}" + (
                f" ({self.problem})" if self.problem else ""
            )
        if self.problem:
            return f"nobody knows what is left on the venue: {self.problem}"
        return f"no order of ours is left on the venue; the sweep cancelled {len(self.cancelled)}"


def sweep(
    account: BinanceAccount,
    symbols: Sequence[str],
    owner: Owner,
    timeout_secs: float,
    late_secs: float = 0.0,
) -> Swept:
    """
    Cancel every open order of ours until the venue says that there is none.

    Parameters
    ----------
    account : BinanceAccount
        The account.
    symbols : sequence of str
        Where to look.
    owner : Owner
        Whose orders.
    timeout_secs : float
        When to give up.
    late_secs : float
        For how long an order that is on its way may still arrive: the last look is not earlier.

    """
    started = time.monotonic()
    cancelled: dict[str, VenueOrder] = {}
    wait = _FIRST_WAIT_SECS
    while True:
        left, problem, pause = _pass(account, symbols, owner, cancelled)
        now = time.monotonic() - started
        if not left and problem is None and now >= late_secs:
            return Swept(tuple(cancelled.values()))
        if now + wait > timeout_secs + late_secs:
            return Swept(tuple(cancelled.values()), tuple(left), problem)
        time.sleep(min(max(wait, pause), max(0.0, timeout_secs + late_secs - now)))
        wait = min(wait * 2, _LONGEST_WAIT_SECS)


def own_orders(account: BinanceAccount, symbols: Sequence[str], owner: Owner) -> list[VenueOrder]:
    """Return the open orders of ours; VenueError where the venue does not say."""
    orders = [order for symbol in symbols for order in account.open_orders(symbol)]
    return [order for order in orders if owner.owns(order.client_order_id)]


def _pass(
    account: BinanceAccount, symbols: Sequence[str], owner: Owner, cancelled: dict[str, VenueOrder]
) -> tuple[list[VenueOrder], str | None, float]:
    """Look and cancel once; return what may be left, what went wrong, and how long the venue wants to be left alone."""
    left: list[VenueOrder] = []
    problem, pause = None, 0.0
    for symbol in symbols:
        try:
            found = own_orders(account, [symbol], owner)
        except VenueError as error:
            problem, pause = str(error), _pause(error, account)
            continue
        for order in found:
            left.append(order)
            try:
                account.cancel(order)
                cancelled[order.client_order_id] = order
            except VenueError as error:
                problem, pause = str(error), _pause(error, account)
    return left, problem, pause


def _pause(error: VenueError, account: BinanceAccount) -> float:
    if isinstance(error, Refused) and error.code == _CLOCKS_DIFFER:
        with suppress(VenueError):
            synchronise(account)
    return error.retry_after_secs if isinstance(error, Refused) else 0.0


def synchronise(account: BinanceAccount) -> int:
    """Take the venue's clock for signing, and return how far it is ahead of this machine's, ms."""
    before = account.rest.now_ms()
    server = account.server_time_ms()
    after = account.rest.now_ms()
    account.rest.clock_offset_ms = server - (before + after) // 2
    return account.rest.clock_offset_ms

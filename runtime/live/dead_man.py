"""The venue's own dead-man switch on futures: it cancels all orders of a symbol when it has heard nothing for long."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from runtime.live.account import BinanceAccount
from runtime.live.pace import REAL, Pace
from runtime.live.rest import VenueError

_BEATS_PER_COUNTDOWN: Final = 4


class DeadManSwitch:
    """
    Winds the venue's countdown up again, four times in its length.

    Parameters
    ----------
    account : BinanceAccount
        A futures account.
    symbols : sequence of str
        What is traded.
    countdown_secs : int
        After so long without word the venue cancels.
    say : callable
        Tells the user.
    pace : Pace
        How fast time passes.

    """

    def __init__(
        self,
        account: BinanceAccount,
        symbols: Sequence[str],
        countdown_secs: int,
        say: Callable[[str], None],
        pace: Pace = REAL,
    ) -> None:
        self._account = account
        self._symbols = symbols
        self._countdown_secs = countdown_secs
        self._say = say
        self._wait_secs = pace.machine_secs(countdown_secs / _BEATS_PER_COUNTDOWN)

    def arm(self) -> None:
        """Start the countdown on every symbol; VenueError where the venue does not take it."""
        for symbol in self._symbols:
            self._account.count_down(symbol, self._countdown_secs * 1_000)

    def disarm(self) -> None:
        """End the countdown."""
        for symbol in self._symbols:
            self._account.count_down(symbol, 0)

    async def run(self) -> None:
        """Keep it from running out until cancelled."""
        while True:
            await asyncio.sleep(self._wait_secs)
            try:
                await asyncio.to_thread(self.arm)
            except VenueError as error:
                self._say(f"the dead-man switch was not wound up: {error}")

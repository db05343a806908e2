"""Compares the venue's orders, balances and positions with ours, again and again."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId

from runtime.live.account import BinanceAccount, VenueOrder, symbol_of
from runtime.live.node import LiveSystem
from runtime.live.prepare import PreparedLive
from runtime.live.rest import Refused, VenueError
from runtime.live.stopping import Ending
from runtime.live.sweep import own_orders

_LOOKS: Final = 2
"""So often in a row something must be different: what is on its way settles meanwhile."""
_AGAIN_SECS: Final = 3.0


class BooksCheck:
    """
    Cancels stray orders of ours, refreshes balances, and stops when a position is not what the books say.

    Parameters
    ----------
    system : LiveSystem
        Our side.
    account : BinanceAccount
        The venue's.
    prepared : PreparedLive
        Whose orders are ours, and how often to look.
    ending : Ending
        Ends the session.
    say : callable
        Tells the user.

    """

    def __init__(
        self,
        system: LiveSystem,
        account: BinanceAccount,
        prepared: PreparedLive,
        ending: Ending,
        say: Callable[[str], None],
    ) -> None:
        self._system = system
        self._account = account
        self._owner = prepared.owner
        self._ending = ending
        self._interval_secs = prepared.settings.books_check_secs
        self._say = say
        self._strays: dict[str, int] = {}
        self._odd_positions: dict[str, tuple[Decimal, Decimal]] = {}
        self._told: dict[str, Decimal] = {}

    async def run(self) -> None:
        """Look until the end begins."""
        while self._ending.started is None:
            again = bool(self._strays or self._odd_positions)
            await asyncio.sleep(_AGAIN_SECS if again else self._interval_secs)
            try:
                await self.look()
            except VenueError as error:
                self._say(f"the books could not be compared with the venue's: {error}")
                await asyncio.sleep(error.retry_after_secs if isinstance(error, Refused) else 0.0)

    async def look(self) -> None:
        """Look once."""
        await self._check_orders()
        if self._account.spot:
            await self._check_balances()
        else:
            await self._check_positions()

    # -- Orders -------------------------------------------------------------------------------------------------------

    async def _check_orders(self) -> None:
        names = [symbol_of(name.value) for name in self._system.instrument_ids]
        found = await asyncio.to_thread(own_orders, self._account, names, self._owner)
        strays = [order for order in found if self._is_stray(order)]
        self._strays = {order.client_order_id: self._strays.get(order.client_order_id, 0) + 1 for order in strays}
        for order in strays:
            if self._strays[order.client_order_id] >= _LOOKS:
                self._say(f"cancelling an order of ours that the books do not have open: {order}")
                await asyncio.to_thread(self._account.cancel, order)

    def _is_stray(self, order: VenueOrder) -> bool:
        known = self._system.node.cache.order(ClientOrderId(order.client_order_id))
        return known is None or known.is_closed

    # -- Positions and balances ---------------------------------------------------------------------------------------

    async def _check_positions(self) -> None:
        found = await asyncio.to_thread(self._account.positions)
        odd: dict[str, tuple[Decimal, Decimal]] = {}
        for instrument_id in self._system.instrument_ids:
            theirs = found.get(symbol_of(instrument_id.value), Decimal(0))
            ours = self._booked(instrument_id)
            if theirs != ours:
                odd[instrument_id.value] = (theirs, ours)
        before, self._odd_positions = self._odd_positions, odd
        for name, pair in odd.items():
            if before.get(name) == pair:
                self._ending.fail(f"the position of {name} is {pair[0]:f} at the venue and {pair[1]:f} in the books")

    def _booked(self, instrument_id: InstrumentId) -> Decimal:
        positions = self._system.node.cache.positions_open(instrument_id=instrument_id)
        return sum((position.signed_decimal_qty() for position in positions), Decimal(0))

    async def _check_balances(self) -> None:
        """Take over the venue's balances; say where the ledger, which counts fills, comes to something else."""
        await self._system.exec_client._update_account_state()
        if not self._system.ledger.is_open:
            return
        answer = await asyncio.to_thread(self._account.account)
        held = self._account.balances(answer)
        for instrument_id in self._system.instrument_ids:
            base = self._system.node.cache.instrument(instrument_id).base_currency.code
            difference = held.get(base, Decimal(0)) - self._system.ledger.position(instrument_id.value)
            if difference != self._told.get(base, Decimal(0)):
                self._told[base] = difference
                self._say(
                    f"the venue holds {difference:+f} {base} more than the books: a deposit, or a fill not heard of"
                )

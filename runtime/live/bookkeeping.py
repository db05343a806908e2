"""The ledger of a live run beyond the process: kept on disk, caught up with the venue, gone on with after a kill."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from actors.kept_books import EarlierBooks, Entry, KeptBooks, Opening
from runtime.live.account import BinanceAccount, symbol_of
from runtime.live.catch_up import Missed, catch_up
from runtime.live.journal import BooksJournal
from runtime.live.node import LiveSystem
from runtime.live.prepare import PreparedLive
from runtime.live.sweep import synchronise

_STRATEGY_TAG = 4
"""Which part of a client order id names the strategy: O-20260101-120000-1a2b-000-7."""

_MS: Final = 1_000_000
_LOOK_BACK_MS: Final = 60_000
"""How far before the stop the last look goes: the venue's clock is another, and a lost fill is found by the next look
at its order, which may not have come."""


class Bookkeeping:
    """
    Keeps the books of a run.

    Parameters
    ----------
    prepared : PreparedLive
        What is traded where.
    say : callable
        Tells the user.

    """

    def __init__(self, prepared: PreparedLive, say: Callable[[str], None]) -> None:
        self._prepared = prepared
        self._say = say
        self._journal = BooksJournal(prepared.strategy_folder)
        self._account = BinanceAccount(prepared.rest, prepared.venue.spot)
        self._symbols = {symbol_of(name): name for name in prepared.loaded.setup.instruments}
        self._kept: KeptBooks | None = None
        self._before: dict[str, int] = {}
        self._missed = Missed()
        self._entry_prices: dict[str, Decimal] = {}
        self._system: LiveSystem | None = None

    @property
    def goes_on(self) -> bool:
        """Whether these are the books of an earlier run, which did not end as it was asked to."""
        return self._kept is not None

    def begin(self) -> None:
        """
        Read what an earlier run has kept and ask what happened since; none of our orders may be open any more.

        Raises
        ------
        VenueError
            If the venue does not say.

        """
        synchronise(self._account)
        self._kept = self._journal.read()
        if self._kept is None:
            self._journal.forget()
            before = {symbol: self._account.last_trade_id(symbol) for symbol in self._symbols}
        else:
            before = self._journal.trades_before
            self._missed = catch_up(self._account, self._prepared.owner, self._kept, self._symbols, before)
            self._say(_going_on(self._kept, self._missed))
        if not self._prepared.venue.spot:
            self._entry_prices = self._account.entry_prices()
        self._before = before
        self._journal.begin(before)

    def give_to(self, system: LiveSystem) -> None:
        """Let a system's ledger go on with these books, and keep what it books."""
        self._system = system
        ledger = system.ledger
        ledger.keeper = self._journal
        prices = self._entry_prices.items()
        ledger.entry_prices = {self._symbols[symbol]: price for symbol, price in prices if symbol in self._symbols}
        if self._kept is not None:
            ledger.earlier = EarlierBooks(self._kept, lambda: self._entries(system))

    def _entries(self, system: LiveSystem) -> list[Entry]:
        strategies: dict[str, str] = {each.id.get_tag(): each.id.value for each in system.node.trader.strategies()}

        def strategy_of(name: str) -> str:
            tag = name.split("-")[_STRATEGY_TAG]
            return strategies.get(tag, f"(gone)-{tag}")

        return self._missed.entries(self._instruments(system), strategy_of)

    def _instruments(self, system: LiveSystem) -> dict[str, Any]:
        return {
            symbol_of(instrument_id.value): system.node.cache.instrument(instrument_id)
            for instrument_id in system.instrument_ids
        }

    # -- While it runs ------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise the OSError that kept something from being written, if there was one."""
        self._journal.check()

    # -- The end ------------------------------------------------------------------------------------------------------

    def missed_at_the_end(self) -> list[Entry]:
        """
        Return what happened at the venue and the ledger has not heard of: the stream ends before the sweep does.

        Raises
        ------
        VenueError
            If the venue does not say.

        """
        system = self._system
        assert system is not None
        ledger = system.ledger
        begun, stopped = ledger.equity_curve[0], ledger.equity_curve[-1]
        since_ns = max(begun.ts_ns, stopped.ts_ns - _LOOK_BACK_MS * _MS)
        books = KeptBooks(Opening(since_ns, stopped.equity, Decimal(0), ()), list(ledger.fills))
        asked = (self._account, self._prepared.owner, books, self._symbols, self._before)
        self._missed = catch_up(*asked, since_ms=since_ns // _MS)
        if any(paid.ts_ns >= since_ns for paid in ledger.funding):
            # The venue lists a payment late and under another time than it told: one that was heard is not asked for.
            self._missed = replace(self._missed, funding=[])
        entries = self._entries(system)
        if entries:
            self._say(f"{len(entries)} fills and payments during the stop, of which no word came, are brought in")
        return entries

    def end(self, *, as_asked: bool) -> None:
        """End the books where the run ended as it was asked to; otherwise the next run goes on with them."""
        if as_asked and self._system is not None and self._system.ledger.is_open:
            self._journal.forget()
        else:
            self._journal.close()


def _going_on(kept: KeptBooks, missed: Missed) -> str:
    begun = datetime.fromtimestamp(kept.opening.ts_ns / 1e9, UTC)
    profit = f", with a profit of {float(kept.points[-1].parts.total):+.2f} so far" if kept.points else ""
    return (
        f"the books of {begun:%Y-%m-%dT%H:%M:%SZ} go on{profit}; {len(missed.trades)} fills that nobody heard of are "
        "brought in; --fresh starts anew"
    )

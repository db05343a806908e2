"""A rehearsal: the whole of live trading against a local exchange that plays a recorded market, without any keys."""

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Self

from actors.history import HistoryWanted
from binance_double.clock import Clock
from binance_double.double import BinanceDouble
from binance_double.history import remember
from binance_double.replay import Replay
from binance_double.rules import Product
from runtime.live.account import symbol_of
from runtime.live.environment import Credentials
from runtime.live.pace import Pace
from runtime.live.recording import MarketKind
from runtime.live.rest import Rest
from runtime.live.session import Session
from runtime.prepare import PreparedBacktest

_START_SECS: Final = 120.0
_SECOND_NS: Final = 1_000_000_000
_MINUTE_NS: Final = 60 * _SECOND_NS
_MINUTE_MS: Final = 60_000


class Rehearsal(AbstractContextManager["Rehearsal"]):
    """
    A local exchange with the balances of the setup's backtest.

    Parameters
    ----------
    prepared : PreparedBacktest
        What a backtest would replay.
    speed : float
        Seconds of the recording per second; all clocks of the run go by it.
    wanted : sequence of HistoryWanted
        What the parts of the setup look back on: the exchange remembers what the catalog has of it.

    """

    def __init__(self, prepared: PreparedBacktest, speed: float, wanted: Sequence[HistoryWanted] = ()) -> None:
        self._wanted = wanted
        self._prepared = prepared
        self.pace = Pace.from_now(speed)
        """The time of the exchange, which all of the run has to go by."""
        held = {money.currency.code: money.as_decimal() for money in prepared.balances}
        spot, futures = (held, None) if prepared.spot else (None, held)
        clock = Clock(self.pace.now_ns)
        self._double = BinanceDouble(prepared.data.instruments, balances=spot, wallet=futures, clock=clock)
        self._product = Product.SPOT if prepared.spot else Product.FUTURES
        self._replay: Replay | None = None

    def __enter__(self) -> Self:
        self._double.start()
        data = self._prepared.data
        names = [instrument.id.value for instrument in data.instruments]
        start_ns, end_ns = data.start_ns, data.end_ns
        speed = self.pace.speed
        self._replay = Replay(self._double, data.catalog, names, start_ns=start_ns, end_ns=end_ns, speed=speed)
        self._remember()
        self._open_the_market(self._replay)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._double.stop()

    def _remember(self) -> None:
        """Let the exchange know the trades before the start, as far back as the setup looks."""
        data = self._prepared.data
        later_ms = (self.pace.now_ns() - data.start_ns) // _MINUTE_NS * _MINUTE_MS
        for wanted in self._wanted:
            back_ns = (wanted.samples + 2) * wanted.interval_secs * _SECOND_NS
            for instrument_id in wanted.instrument_ids:
                period = (data.start_ns - back_ns, data.start_ns - 1)
                remember(self._double, data.catalog, instrument_id.value, period, later_ms)

    def _open_the_market(self, replay: Replay) -> None:
        """Play until each instrument has been quoted: the check asks for a price."""
        waiting = {symbol_of(instrument.id.value) for instrument in self._prepared.data.instruments}
        rest = Rest(self.url)
        path = "/api/v3/ticker/bookTicker" if self._prepared.spot else "/fapi/v1/ticker/bookTicker"
        while waiting and replay.step():
            waiting = {symbol for symbol in waiting if not float(rest.get(path, symbol=symbol)["bidPrice"])}

    @property
    def url(self) -> str:
        """The exchange's address."""
        return self._double.addresses(self._product).http

    @property
    def market(self) -> MarketKind:
        """What kind of market it plays."""
        return MarketKind(self._prepared.data.synthetic, self._prepared.data.reconstructed)

    @property
    def credentials(self) -> Credentials:
        """The keys of its only account."""
        return Credentials(self._double.key.key, self._double.key.secret)

    def set_leverage(self, leverage: int) -> None:
        """Do what the user of a futures account would have done before."""
        if not self._prepared.spot:
            rest = Rest(self.url, self.credentials, pace=self.pace)
            for instrument in self._prepared.data.instruments:
                symbol = symbol_of(instrument.id.value)
                rest.signed("POST", "/fapi/v1/leverage", symbol=symbol, leverage=leverage)

    def play(self, session: Session) -> int:
        """Play the market as soon as the session runs, and end the session with it; return its exit status."""
        replay = self._replay
        assert replay is not None
        session.is_over = lambda: replay.finished

        def start_when_running() -> None:
            if session.running.wait(_START_SECS):
                replay.start()

        threading.Thread(target=start_when_running, name="rehearsal", daemon=True).start()
        return session.run()

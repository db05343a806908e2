"""One drill: a fault, and the parts of a running system that bring it about and watch what comes of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.core.data import Data

from runtime.drills.faults import Fault
from runtime.drills.market import FaultyMarket
from runtime.drills.recorder import DrillRecorder
from runtime.drills.times import grid_ns, watched_until_ns
from runtime.drills.venue import RefusingVenue
from runtime.prepare import PreparedBacktest
from runtime.venue.fills import FILL_ASSUMPTIONS

_MS = 1_000_000


@dataclass(frozen=True)
class Drill:
    """
    A drill for one run; make a new one for the next.

    Parameters
    ----------
    fault : Fault
        What happens.
    chosen : tuple of str
        How what was left open was chosen, for reports.
    market : FaultyMarket
        Changes the market data.
    recorder : DrillRecorder
        Writes down what the guard refuses.
    watched_until_ns : int
        Until when what answers counts as an answer, UNIX ns.

    """

    fault: Fault
    chosen: tuple[str, ...]
    market: FaultyMarket
    recorder: DrillRecorder
    watched_until_ns: int

    @classmethod
    def of(cls, prepared: PreparedBacktest, fault: Fault, chosen: tuple[str, ...] = ()) -> "Drill":
        """Return the drill of a fault in a backtest."""
        ticks = {str(instrument.id): int(instrument.price_increment.raw) for instrument in prepared.data.instruments}
        until_ns = watched_until_ns(fault, prepared)
        market = FaultyMarket(fault, ticks, grid_ns(prepared))
        return cls(fault, chosen, market, DrillRecorder(fault.at_ns, until_ns), until_ns)

    def apply(self, chunks: Iterable[list[Data]]) -> Iterator[list[Data]]:
        """Yield the market data as the fault has them."""
        return self.market.apply(chunks)

    def attach(self, engine: BacktestEngine, prepared: PreparedBacktest) -> None:
        """Add what the drill needs to an engine that does not run yet."""
        engine.add_actor(self.recorder)
        if self.fault.kind.name == "reject-storm":
            settings = prepared.loaded.setup.backtest
            latency = settings.latency if FILL_ASSUMPTIONS[settings.fills].latency else None
            delays = (latency.insert_ms * _MS, latency.modify_ms * _MS) if latency else (0, 0)
            engine.add_actor(RefusingVenue(self.fault, delays, engine.kernel.exec_engine.execute))

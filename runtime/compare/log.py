"""A recorded run as two lists: what happened to it, and what it did, each with its place in the market's events."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from data_catalog.run_recordings.rows import (
    BalancesTold,
    ChargeTold,
    Decided,
    Ended,
    FundingRateSeen,
    FundingTold,
    OrderAnswer,
    OutsideAlarm,
    PersonSaid,
    QuoteSeen,
    RiskState,
    Row,
    Sent,
    Stopped,
    TimerFired,
    TradeSeen,
)

type Input = (
    QuoteSeen
    | TradeSeen
    | TimerFired
    | OrderAnswer
    | BalancesTold
    | OutsideAlarm
    | PersonSaid
    | FundingTold
    | FundingRateSeen
    | ChargeTold
)
type Output = Decided | Sent | RiskState


@dataclass(frozen=True, slots=True)
class Placed[T]:
    """A row and the number of market events that had been heard when it came."""

    after: int
    row: T


@dataclass
class RunLog:
    """
    What a run lived through until its strategies were told to stop.

    Attributes
    ----------
    inputs : list
        What happened to it, in order.
    outputs : list
        What it did, in order.
    market_events : int
        Quotes and trades until the stop.
    stopped_ns : int or None
        When the strategies were told to stop; None where the recording ends before.
    is_whole : bool
        Whether the recording was not cut off.

    """

    inputs: list[Input] = field(default_factory=list)
    outputs: list[Placed[Output]] = field(default_factory=list)
    answers: list[Placed[OrderAnswer]] = field(default_factory=list)
    market_events: int = 0
    last_ns: int = 0
    stopped_ns: int | None = None
    is_whole: bool = False

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "RunLog":
        """Return the log that rows tell."""
        log = cls()
        for row in rows:
            log.add(row)
        return log

    def add(self, row: Row) -> None:
        """Take in the next row."""
        if isinstance(row, Ended):
            self.is_whole = True
        elif isinstance(row, Stopped):
            self.stopped_ns = row.at
        elif self.stopped_ns is None:
            self._add(row)

    def by_time(self) -> "RunLog":
        """
        Return the log with each output and answer after all events of the market that had arrived by then.

        The simulated venue of a backtest fills at an event before anybody hears of the event, and so does trading on
        paper; a real venue cannot.
        """
        times = [row.ts_init for row in self.inputs if isinstance(row, QuoteSeen | TradeSeen)]

        def moved[T: Any](placed: Placed[T]) -> Placed[T]:
            after = placed.after
            while after < len(times) and times[after] <= placed.row.at:
                after += 1
            return replace(placed, after=after)

        outputs = [moved(placed) for placed in self.outputs]
        return replace(self, outputs=outputs, answers=[moved(placed) for placed in self.answers])

    def _add(self, row: Any) -> None:
        self.last_ns = max(self.last_ns, row.at)
        if isinstance(row, Decided | Sent | RiskState):
            self.outputs.append(Placed(self.market_events, row))
            return
        self.inputs.append(row)
        if isinstance(row, QuoteSeen | TradeSeen):
            self.market_events += 1
        elif isinstance(row, OrderAnswer):
            self.answers.append(Placed(self.market_events, row))

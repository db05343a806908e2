"""Funding on paper: the rates and mark prices that the venue announces, or the rate that the setup states."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

from nautilus_trader.adapters.binance.futures.types import BinanceFuturesMarkPriceUpdate
from nautilus_trader.common.component import Clock
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import Instrument

from models.announced_funding import AnnouncedFunding, Announcement
from models.funding import HOUR_NS, funding_hour, funding_times
from runtime.setup.sections import ConstantFunding, FundingSetting
from runtime.venue.funding import BPS, USUAL_HOURS, FundingPlan, Settlement, plan_funding

MARK: Final = "mark price that the venue announced last before the funding time"
SOURCE: Final = "rates that the venue announced"

_FRESH_NS: Final = 60_000_000_000
"""The venue speaks every second, and a rate is a mean over hours: it moves little in the last minute."""

_MS: Final = 1_000_000

type Pay = Callable[[Settlement, Decimal | None], None]


class PaperFunding:
    """
    Says when a perpetual settles at which rate, once for each funding time.

    Parameters
    ----------
    setting : FundingSetting
        What the setup says: "catalog" stands for the rates of the market, which here the venue announces.
    instrument_ids : sequence of InstrumentId
        The perpetuals that are traded.
    clock : Clock
        The time of the run.
    pay : callable
        Called with each settlement and the mark price; without one where the last quote counts.

    """

    def __init__(self, setting: FundingSetting, instrument_ids: Sequence[InstrumentId], clock: Clock, pay: Pay) -> None:
        self._setting = setting
        self._announced: Mapping[str, AnnouncedFunding] = {
            each.value: AnnouncedFunding(_FRESH_NS) for each in instrument_ids
        }
        self._clock = clock
        self._pay = pay
        self._start_ns = 0
        self._alerts: set[str] = set()
        self._end_ns: int | None = None

    @property
    def listens(self) -> bool:
        """Whether it has to hear what the venue announces."""
        return self._setting == "catalog"

    # -- While it runs ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin: what is due from now on is paid."""
        self._start_ns = self._clock.timestamp_ns()
        if isinstance(self._setting, ConstantFunding):
            for name in self._announced:
                self._wait_for_next(name, self._start_ns, self._setting)

    def stop(self) -> None:
        """End: nothing is paid any more."""
        self._end_ns = self._clock.timestamp_ns()

    def hear(self, update: BinanceFuturesMarkPriceUpdate) -> None:
        """Take in what the venue announces."""
        name = update.instrument_id.value
        due_ns = round(Decimal(update.next_funding_ns) / _MS) * _MS  # the adapter's conversion loses nanoseconds
        said = Announcement(update.ts_event, due_ns, update.funding_rate, update.mark.as_decimal())
        settled = self._announced[name].hear(said)
        if settled is not None:  # by the venue's clock, which is ahead of this one
            self._settle(name, settled)
        if due_ns > self._clock.timestamp_ns():
            self._wait(name, due_ns)

    def _wait(self, name: str, due_ns: int) -> None:
        alert = f"funding of {name} {due_ns}"
        if alert not in self._alerts:
            self._alerts.add(alert)
            self._clock.set_time_alert_ns(alert, due_ns, partial(self._on_due, name, due_ns))

    def _on_due(self, name: str, due_ns: int, _: object) -> None:
        if isinstance(self._setting, ConstantFunding):
            self._pay_if_running(Settlement(due_ns, name, self._setting.rate_bps * BPS), None)
            self._wait_for_next(name, due_ns, self._setting)
        elif (settled := self._announced[name].due(due_ns)) is not None:
            self._settle(name, settled)

    def _wait_for_next(self, name: str, after_ns: int, setting: ConstantFunding) -> None:
        hours = setting.interval_hours
        self._wait(name, next(funding_times(after_ns, after_ns + hours * HOUR_NS, hours)))

    def _settle(self, name: str, settled: Announcement) -> None:
        self._pay_if_running(Settlement(settled.due_ns, name, settled.rate), settled.mark)

    def _pay_if_running(self, settlement: Settlement, mark: Decimal | None) -> None:
        if self._end_ns is None:
            self._pay(settlement, mark)

    # -- Afterwards ---------------------------------------------------------------------------------------------------

    def plan(self, instruments: Sequence[Instrument]) -> FundingPlan:
        """Return what a reader of the results should know, as of a backtest of the same period."""
        period = (self._start_ns, self._clock.timestamp_ns() if self._end_ns is None else self._end_ns)
        if not self.listens:
            return plan_funding(self._setting, instruments, (), frozenset(), period)
        missing = {name: _missing(heard, period) for name, heard in self._announced.items()}
        warnings = [
            f"The venue announced no funding rate of {name} for {count} funding times in the run: nothing was paid at "
            "them."
            for name, count in missing.items()
            if count
        ]
        return FundingPlan((), dict.fromkeys(missing, SOURCE), missing, tuple(warnings), MARK)


def _missing(heard: AnnouncedFunding, period: tuple[int, int]) -> int:
    """Return how many funding times of a period have no rate: the usual ones, and those that were announced."""
    due = {funding_hour(time) for time in (*funding_times(*period, USUAL_HOURS), *heard.missed)}
    return len(due - {funding_hour(time) for time in heard.settled})

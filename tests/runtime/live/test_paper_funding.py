"""When paper pays funding at which rate and mark price, on a clock that is set; nothing is guessed."""

from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.adapters.binance.futures.types import BinanceFuturesMarkPriceUpdate
from nautilus_trader.common.component import TestClock
from nautilus_trader.model.objects import Price

from runtime.live.paper_funding import MARK, SOURCE, PaperFunding
from runtime.setup.sections import ConstantFunding, FundingSetting
from runtime.venue.funding import Settlement, funding_sources
from tests.futures_kit import HOUR, MIDNIGHT, PERP, SECOND

NAME = PERP.id.value
CONSTANT = ConstantFunding(rate_bps=Decimal("1.5"), interval_hours=4)


class Paper:
    """Funding on paper from an hour after midnight, and what it has paid."""

    def __init__(self, setting: FundingSetting = "catalog") -> None:
        self.clock = TestClock()
        self.clock.set_time(MIDNIGHT + HOUR)
        self.paid: list[tuple[Settlement, Decimal | None]] = []
        self.funding = PaperFunding(setting, [PERP.id], self.clock, lambda *values: self.paid.append(values))
        self.funding.start()

    def until(self, at_ns: int) -> "Paper":
        """Let the time come to `at_ns` after midnight."""
        while self.clock.timestamp_ns() < MIDNIGHT + at_ns:
            step_ns = min(MIDNIGHT + at_ns, self.clock.timestamp_ns() + HOUR)  # an alert may set the next one
            for handler in self.clock.advance_time(step_ns):
                handler.handle()
        return self

    def hears(self, at_ns: int, due_ns: int, rate: str = "0.0001", mark: str = "100.50") -> "Paper":
        """Let the venue announce a funding time, both after midnight."""
        price, times = Price.from_str(mark), (MIDNIGHT + at_ns, MIDNIGHT + at_ns)
        update = BinanceFuturesMarkPriceUpdate(
            PERP.id, price, price, price, Decimal(rate), MIDNIGHT + due_ns, ts_event=times[0], ts_init=times[1]
        )
        self.until(at_ns).funding.hear(update)
        return self

    @property
    def source(self) -> dict[str, Any]:
        """What the summary says of its rates."""
        return (funding_sources(self.funding.plan([PERP])) or {})[NAME]

    @property
    def warnings(self) -> int:
        """How many warnings a reader gets."""
        return len(self.funding.plan([PERP]).warnings)


def settled(at_ns: int, rate: str) -> Settlement:
    return Settlement(MIDNIGHT + at_ns, NAME, Decimal(rate))


def test_each_funding_time_is_paid_at_the_rate_and_mark_that_were_said_last() -> None:
    paper = Paper().hears(2 * HOUR, 8 * HOUR).hears(8 * HOUR - SECOND, 8 * HOUR, "-0.0002", "101.25")
    paper.until(8 * HOUR - 1)
    assert paper.paid == []

    paper.until(8 * HOUR).hears(8 * HOUR + SECOND, 16 * HOUR).hears(16 * HOUR - SECOND, 16 * HOUR, "0.0004", "99")
    paper.until(17 * HOUR)

    assert paper.paid == [
        (settled(8 * HOUR, "-0.0002"), Decimal("101.25")),
        (settled(16 * HOUR, "0.0004"), Decimal("99")),
    ]
    assert paper.source == {"source": SOURCE, "mark": MARK, "times_without_rate": 0}
    assert paper.warnings == 0


def test_a_rate_that_never_came_is_warned_of_and_not_paid() -> None:
    paper = Paper().hears(2 * HOUR, 8 * HOUR).until(17 * HOUR)  # silent after the first word

    assert (paper.paid, paper.source["times_without_rate"], paper.warnings) == ([], 2, 1)


def test_an_hourly_funding_time_without_a_rate_counts_too() -> None:
    paper = Paper().hears(2 * HOUR, 3 * HOUR).until(4 * HOUR)

    assert (paper.paid, paper.source["times_without_rate"], paper.warnings) == ([], 1, 1)


def test_a_time_that_lost_nanoseconds_on_its_way_is_the_same_time() -> None:
    paper = Paper().hears(8 * HOUR - 2 * SECOND, 8 * HOUR - 100).hears(8 * HOUR - SECOND, 8 * HOUR + 100)
    paper.until(9 * HOUR)

    assert [each.ts_ns for each, _ in paper.paid] == [MIDNIGHT + 8 * HOUR]


def test_the_rate_of_the_setup_is_paid_at_its_times_without_hearing_anybody() -> None:
    paper = Paper(CONSTANT).until(13 * HOUR)

    assert not paper.funding.listens
    assert paper.paid == [(settled(hour * HOUR, "0.00015"), None) for hour in (4, 8, 12)]
    assert (paper.source["times_without_rate"], paper.warnings) == (0, 1)  # that it is assumed


def test_none_is_none_and_says_so() -> None:
    paper = Paper("none").until(17 * HOUR)

    assert not paper.funding.listens
    assert (paper.paid, paper.source["times_without_rate"], paper.warnings) == ([], 2, 1)


@pytest.mark.parametrize("setting", ["catalog", CONSTANT])
def test_nothing_is_paid_once_the_run_stops(setting: FundingSetting) -> None:
    paper = Paper(setting).hears(4 * HOUR - SECOND, 4 * HOUR)
    paper.funding.stop()

    assert paper.until(9 * HOUR).paid == []
    assert paper.source["times_without_rate"] == 0  # what comes later is not the run's

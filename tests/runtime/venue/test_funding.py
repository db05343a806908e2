"""Funding of perpetuals in backtests: every boundary pays exactly once, against calculations by hand."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model.data import FundingRateUpdate

from messages.ledger import FUNDING_TOPIC
from models.funding import funding_payment, funding_times
from runtime.setup.sections import ConstantFunding
from runtime.venue.funding import FundingPlan, Settlement, plan_funding
from tests.futures_kit import HOUR, MIDNIGHT, OTHER, PERP, SECOND, Do, Trader, quote, trading

D = Decimal

NAME = PERP.id.value
RATES = {8: D("0.0001"), 16: D("-0.00025"), 24: D("0.00037")}
SETTLEMENTS = [Settlement(MIDNIGHT + hour * HOUR, NAME, rate) for hour, rate in RATES.items()]
MARKET = [
    quote(0, "99.99", "100.01"),
    quote(8 * HOUR - SECOND, "101.00", "101.03"),
    quote(16 * HOUR, "97.00", "97.01"),
    quote(24 * HOUR, "103.00", "103.05"),
    quote(25 * HOUR, "103.10", "103.15"),
]


def payments(account: Any) -> list[tuple[int, D]]:
    """Return hour and amount of each payment."""
    return [((paid.ts_ns - MIDNIGHT) // HOUR, paid.amount) for paid in account.ledger.funding]


def test_a_position_across_three_boundaries_pays_once_at_each() -> None:
    with trading(MARKET, [Do(HOUR, "2.5")], settlements=SETTLEMENTS) as account:
        # -position x mid x rate: the last quote at or before the boundary, one of the same moment included.
        by_hand = [
            (8, D("-2.5") * D("101.015") * D("0.0001")),
            (16, D("2.5") * D("97.005") * D("0.00025")),
            (24, D("-2.5") * D("103.025") * D("0.00037")),
        ]
        assert payments(account) == [(hour, amount.quantize(D("1e-8"))) for hour, amount in by_hand]
        assert payments(account) == [(8, D("-0.02525375")), (16, D("0.06062812")), (24, D("-0.09529812"))]
        assert account.ledger.parts().funding == sum(amount for _, amount in payments(account))
        assert account.balance == 10_000 + account.ledger.parts().funding


def test_half_units_round_to_even() -> None:
    assert funding_payment(D("2.5"), D("97.005"), D("-0.00025"), D("1e-8")) == D("0.06062812")
    assert funding_payment(D(-1), D("0.015"), D("0.000001"), D("1e-8")) == D("0.00000002")


def test_a_position_that_flips_at_the_boundary_counts_as_it_is_afterwards() -> None:
    flip = Do(16 * HOUR - 1, "-4")  # takes a nanosecond to arrive
    with trading(MARKET, [Do(HOUR, "2.5"), flip], settlements=SETTLEMENTS) as account:
        short = D("-1.5")
        assert payments(account)[1:] == [
            (16, (-short * D("97.005") * D("-0.00025")).quantize(D("1e-8"))),
            (24, (-short * D("103.025") * D("0.00037")).quantize(D("1e-8"))),
        ]


def test_a_position_that_is_opened_and_closed_between_boundaries_pays_nothing() -> None:
    script = [Do(9 * HOUR, "1"), Do(15 * HOUR, "-1"), Do(17 * HOUR, "-3"), Do(24 * HOUR - 2, "3")]
    with trading(MARKET, [script[0], script[1], script[2], script[3]], settlements=SETTLEMENTS) as account:
        assert payments(account) == []
        assert account.ledger.parts().funding == 0


def test_every_strategy_pays_for_its_own_position_and_the_account_for_all() -> None:
    with trading(MARKET, [Do(HOUR, "1.001")], [Do(HOUR, "-0.4")], settlements=SETTLEMENTS) as account:
        funded = [account.ledger.parts(strategy=str(trader.id)).funding for trader in account.traders]
        at_eight = [paid.amount for paid in account.ledger.funding if paid.ts_ns == MIDNIGHT + 8 * HOUR]

        assert at_eight == [(-D("1.001") * D("0.0101015")).quantize(D("1e-8")), D("0.4") * D("0.0101015")]
        assert sum(funded) == account.ledger.parts().funding


def test_each_instrument_has_its_own_rates_and_times() -> None:
    ticks = [*MARKET, *(quote(hour * HOUR + 1, "49.99", "50.01", OTHER) for hour in range(25))]
    settlements = [SETTLEMENTS[0], Settlement(MIDNIGHT + 12 * HOUR, OTHER.id.value, D("0.001"))]
    script = [Do(HOUR + 2, "1"), Do(HOUR + 2, "-2", instrument=OTHER)]
    with trading(ticks, script, settlements=settlements, instruments=(PERP, OTHER)) as account:
        assert account.ledger.parts(instrument=NAME).funding == (-D("101.015") * D("0.0001")).quantize(D("1e-8"))
        assert account.ledger.parts(instrument=OTHER.id.value).funding == D(2) * 50 * D("0.001")


@pytest.mark.parametrize("split", [12 * HOUR, 16 * HOUR, 16 * HOUR + 1])
def test_a_run_that_is_split_pays_each_boundary_in_one_part(split: int) -> None:
    parts = [(0, split), (split, 25 * HOUR)]
    paid: list[tuple[int, D]] = []
    for start, end in parts:
        plan = plan_funding("catalog", [PERP], SETTLEMENTS, frozenset(), (MIDNIGHT + start, MIDNIGHT + end))
        ticks = [quote(start, "100", "100.02"), *(each for each in MARKET if start < each.ts_init - MIDNIGHT <= end)]
        script = [Do(start, "1")]
        with trading(ticks, script, settlements=plan.settlements, until_ns=end) as account:
            paid += payments(account)
    assert [hour for hour, _ in paid] == [8, 16, 24]


class Listening(Trader):
    """Writes down what it hears of funding."""

    def on_start(self) -> None:
        super().on_start()
        self.heard: list[Any] = []
        self.subscribe_funding_rates(PERP.id)
        self.msgbus.subscribe(FUNDING_TOPIC, self.heard.append)

    def on_funding_rate(self, update: FundingRateUpdate) -> None:
        self.heard.append(update.rate)


def test_strategies_hear_of_a_rate_and_of_its_payment() -> None:
    at = MIDNIGHT + 8 * HOUR
    trader = Listening([Do(HOUR, "2.5")])
    with trading([*MARKET, FundingRateUpdate(PERP.id, RATES[8], at, at)], trader, settlements=SETTLEMENTS) as account:
        assert trader.heard == [RATES[8], *account.ledger.funding]


# -- Which rates settle when ------------------------------------------------------------------------------------------


def planned(setting: Any, rates: list[Settlement], start: float, end: float, **options: Any) -> FundingPlan:
    period = (MIDNIGHT + int(start * HOUR), MIDNIGHT + int(end * HOUR))
    return plan_funding(setting, [PERP], rates, options.get("generated", frozenset()), period)


@given(st.lists(st.integers(0, 100 * 60), min_size=1, max_size=5), st.sampled_from([1, 2, 4, 8]))
def test_the_parts_of_a_period_have_the_funding_times_of_the_whole(cuts: list[int], hours: int) -> None:
    edges = [MIDNIGHT + minutes * HOUR // 60 for minutes in sorted({0, 100 * 60, *cuts})]
    parts = [time for start, end in pairwise(edges) for time in funding_times(start, end, hours)]

    assert parts == [MIDNIGHT + hour * HOUR for hour in range(hours, 101, hours)]


def test_a_constant_rate_settles_at_its_interval_and_is_called_assumed() -> None:
    plan = planned(ConstantFunding(rate_bps=D("1.5"), interval_hours=4), [], 0, 13)

    assert [(each.ts_ns - MIDNIGHT) // HOUR for each in plan.settlements] == [4, 8, 12]
    assert {each.rate for each in plan.settlements} == {D("0.00015")}
    assert plan.warnings == (f"Funding of {NAME} is assumed: 1.5 bps every 4 h: 3 times in the period.",)


def test_one_boundary_that_archive_and_recording_tell_of_settles_once() -> None:
    twice = [Settlement(MIDNIGHT + 8 * HOUR + 3_000_000, NAME, D("0.0001")), SETTLEMENTS[0]]

    assert planned("catalog", twice, 0, 10).settlements == (SETTLEMENTS[0],)


@pytest.mark.parametrize(
    ("setting", "rates", "end", "missing"),
    [("catalog", SETTLEMENTS, 25, 0), ("catalog", SETTLEMENTS[:1], 25, 2), ("catalog", [], 7, 0), ("none", [], 25, 3)],
)
def test_funding_that_is_missing_is_said(setting: Any, rates: list[Settlement], end: int, missing: int) -> None:
    plan = planned(setting, rates, 0, end)

    assert plan.missing == {NAME: missing}
    assert len(plan.warnings) == bool(missing)


def test_a_synthetic_market_misses_no_funding() -> None:
    plan = planned("catalog", [], 0, 25, generated=frozenset({NAME}))

    assert (plan.settlements, plan.warnings) == ((), ())

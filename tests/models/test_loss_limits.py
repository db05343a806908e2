"""Drawdown, daily loss and stops at their boundaries in exact decimals, and against a plain recount."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.loss_limits import DailyLoss, DrawdownKill, PositionStop

DAY = 86_400_000_000_000
prices = st.decimals("1", "1000", places=2)


@pytest.mark.parametrize(
    ("equity", "trips"), [("102.9", True), ("102.9000000000000001", False), ("102.8", True), ("105", False)]
)
def test_a_drawdown_of_exactly_the_limit_trips(equity: str, trips: bool) -> None:
    kill = DrawdownKill(D(2))
    kill.update(D(100))
    kill.update(D(105))

    breach = kill.update(D(equity))

    assert (breach is not None) == trips
    if equity == "102.9":
        assert breach == ("max_drawdown_pct", D(2), D(2))


def test_a_new_high_does_not_arm_it_again_and_a_second_fall_changes_nothing() -> None:
    kill = DrawdownKill(D(4))
    trips = [kill.update(D(equity)) for equity in (100, 96, 200, 100)]

    assert [trip is not None for trip in trips] == [False, True, False, False]
    assert kill.tripped


def test_one_bad_point_is_not_confirmed() -> None:
    kill = DrawdownKill(D(4), confirmations=2)

    trips = [kill.update(D(equity)) for equity in (100, 50, 100, 96, 95, 94)]

    assert [trip is not None for trip in trips] == [False, False, False, False, True, False]


def test_the_absolute_loss_counts_from_the_first_point() -> None:
    kill = DrawdownKill(None, D(10))

    assert kill.update(D(100)) is None
    assert kill.update(D(200)) is None
    assert kill.update(D("90.01")) is None
    assert kill.update(D(90)) == ("max_loss_pct", D(10), D(10))


@given(st.lists(st.decimals("1", "1000", places=2), min_size=1, max_size=40), st.integers(1, 60))
def test_the_kill_trips_at_the_first_point_at_or_beyond_the_limit(equities: list[D], pct: int) -> None:
    kill = DrawdownKill(D(pct))

    tripped = [i for i, equity in enumerate(equities) if kill.update(equity)]

    beyond = [
        i
        for i, equity in enumerate(equities)
        if (peak := max(equities[: i + 1])) and (peak - equity) * 100 >= pct * peak
    ]
    assert tripped == beyond[:1]


def test_an_account_without_equity_may_lose_nothing() -> None:
    kill = DrawdownKill(D(50))
    assert kill.update(D(0)) is None
    assert kill.update(D("-0.01")) == ("max_drawdown_pct", D(100), D(50))


def test_a_daily_loss_holds_until_the_day_ends() -> None:
    loss = DailyLoss(D(2))

    assert loss.update(0, D(105)) is None
    assert loss.update(1, D("102.9")) == ("max_daily_loss_pct", D(2), D(2))
    assert loss.update(DAY - 1, D(50)) is None
    assert loss.tripped
    assert loss.update(DAY, D(50)) is None
    assert not loss.tripped
    assert loss.update(DAY + 1, D("49")) is not None


@pytest.mark.parametrize(
    ("signed", "marks", "rule"),
    [
        ("1", ["102.9"], "stop_loss_pct"),
        ("1", ["102.91"], None),
        ("-1", ["107.1"], "stop_loss_pct"),
        ("-1", ["107.09"], None),
        ("1", ["110", "108.9"], "trailing_stop_pct"),  # 1 % from 110
        ("1", ["110", "108.91"], None),
        ("-1", ["100", "101"], "trailing_stop_pct"),
        ("-1", ["100", "100.99"], None),
        ("1", ["105", "102"], "stop_loss_pct"),  # both are touched: the fixed one comes first
    ],
)
def test_a_touch_triggers_a_stop(signed: str, marks: list[str], rule: str | None) -> None:
    stop = PositionStop(D(2), D(1) if marks[:-1] else None)
    stop.fill(D(signed), D(105))

    breaches = [stop.check(D(mark)) for mark in marks]

    assert breaches[:-1] == [None] * (len(marks) - 1)
    assert (breaches[-1].rule if breaches[-1] else None) == rule


def test_the_entry_follows_fills() -> None:
    stop = PositionStop(D(2), None)
    stop.fill(D(1), D(100))
    stop.fill(D(3), D(104))
    assert stop.entry == D(103)
    stop.fill(D(-2), D(999))
    assert (stop.position, stop.entry) == (D(2), D(103))
    stop.fill(D(-5), D(90))
    assert (stop.position, stop.entry) == (D(-3), D(90))
    stop.fill(D(3), D(80))
    assert (stop.position, stop.entry) == (D(0), D(0))
    assert stop.check(D(1)) is None


@given(st.lists(prices, min_size=1, max_size=30), st.sampled_from([1, -1]), prices)
def test_stops_agree_with_a_recount(marks: list[D], side: int, entry: D) -> None:
    stop = PositionStop(D(5), D(3))
    stop.fill(D(side), entry)

    for i, mark in enumerate(marks):
        best = max(m * side for m in marks[: i + 1]) * side
        fixed = mark * side <= entry * (1 - side * D("0.05")) * side
        trailing = mark * side <= best * (1 - side * D("0.03")) * side
        breach = stop.check(mark)
        expected = "stop_loss_pct" if fixed else "trailing_stop_pct" if trailing else None
        assert (breach.rule if breach else None) == expected


def test_confirmations_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="confirmations was 0"):
        DrawdownKill(D(4), confirmations=0)

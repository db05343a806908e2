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
    kill = DrawdownKill(Decimal(2))
    kill.update(Decimal(100))
    kill.update(Decimal(105))

    breach = kill.update(Decimal(equity))

    assert (breach is not None) == trips
    if equity == "102.9":
        assert breach == ("max_drawdown_pct", Decimal(2), Decimal(2))


def test_a_new_high_does_not_arm_it_again_and_a_second_fall_changes_nothing() -> None:
    kill = DrawdownKill(Decimal(4))
    trips = [kill.update(Decimal(equity)) for equity in (100, 96, 200, 100)]

    assert [trip is not None for trip in trips] == [False, True, False, False]
    assert kill.tripped


def test_one_bad_point_is_not_confirmed() -> None:
    kill = DrawdownKill(Decimal(4), confirmations=2)

    trips = [kill.update(Decimal(equity)) for equity in (100, 50, 100, 96, 95, 94)]

    assert [trip is not None for trip in trips] == [False, False, False, False, True, False]


def test_the_absolute_loss_counts_from_the_first_point() -> None:
    kill = DrawdownKill(None, Decimal(10))

    assert kill.update(Decimal(100)) is None
    assert kill.update(Decimal(200)) is None
    assert kill.update(Decimal("90.01")) is None
    assert kill.update(Decimal(90)) == ("max_loss_pct", Decimal(10), Decimal(10))


@given(st.lists(st.decimals("1", "1000", places=2), min_size=1, max_size=40), st.integers(1, 60))
def test_the_kill_trips_at_the_first_point_at_or_beyond_the_limit(equities: list[Decimal], pct: int) -> None:
    kill = DrawdownKill(Decimal(pct))

    tripped = [i for i, equity in enumerate(equities) if kill.update(equity)]

    beyond = [
        i
        for i, equity in enumerate(equities)
        if (peak := max(equities[: i + 1])) and (peak - equity) * 100 >= pct * peak
    ]
    assert tripped == beyond[:1]


def test_an_account_without_equity_may_lose_nothing() -> None:
    kill = DrawdownKill(Decimal(50))
    assert kill.update(Decimal(0)) is None
    assert kill.update(Decimal("-0.01")) == ("max_drawdown_pct", Decimal(100), Decimal(50))


def test_a_daily_loss_holds_until_the_day_ends() -> None:
    loss = DailyLoss(Decimal(2))

    assert loss.update(0, Decimal(105)) is None
    assert loss.update(1, Decimal("102.9")) == ("max_daily_loss_pct", Decimal(2), Decimal(2))
    assert loss.update(DAY - 1, Decimal(50)) is None
    assert loss.tripped
    assert loss.update(DAY, Decimal(50)) is None
    assert not loss.tripped
    assert loss.update(DAY + 1, Decimal("49")) is not None


@pytest.mark.parametrize("confirmations", [1, 2, 3])
def test_one_bad_price_is_no_daily_loss_when_more_are_asked_for(confirmations: int) -> None:
    loss = DailyLoss(Decimal(2), confirmations)
    points = ["100", "50", "99", "50", "50", "50"]

    tripped = [n for n, equity in enumerate(points) if loss.update(n, Decimal(equity))]

    assert tripped == [{1: 1, 2: 4, 3: 5}[confirmations]]


def test_points_of_the_day_before_confirm_nothing() -> None:
    loss = DailyLoss(Decimal(2), confirmations=2)

    assert [loss.update(ts_ns, Decimal(equity)) for ts_ns, equity in ((0, 100), (1, 50), (DAY, 40), (DAY + 1, 30))] == [
        None
    ] * 4
    assert loss.update(DAY + 2, Decimal(30)) is not None


points = st.lists(st.tuples(st.integers(0, DAY // 3), st.decimals("-50", "1000", places=1)), min_size=1, max_size=60)


@given(points, st.integers(1, 60), st.integers(1, 60), st.integers(1, 3), st.booleans())
def test_points_that_are_calm_need_not_be_looked_at(
    steps: list[tuple[int, Decimal]], drawdown_pct: int, daily_pct: int, confirmations: int, absolute: bool
) -> None:
    loss_pct = Decimal(drawdown_pct + 5) if absolute else None
    kills = [DrawdownKill(Decimal(drawdown_pct), loss_pct, confirmations) for _ in range(2)]
    dailies = [DailyLoss(Decimal(daily_pct), confirmations) for _ in range(2)]
    ts_ns, calm_until_ns = 0, 0
    for step_ns, equity in steps:
        ts_ns += step_ns
        looked = kills[0].update(equity), dailies[0].update(ts_ns, equity)
        low, high = kills[1].calm()
        if max(low, dailies[1].calm_above()) < equity <= high and ts_ns < calm_until_ns:
            assert looked == (None, None)
        else:
            assert (kills[1].update(equity), dailies[1].update(ts_ns, equity)) == looked
            calm_until_ns = (ts_ns // DAY + 1) * DAY
    assert (kills[0].start, kills[0].peak, dailies[0].start) == (kills[1].start, kills[1].peak, dailies[1].start)


@pytest.mark.parametrize("confirmations", [0, -1])
def test_a_daily_loss_needs_at_least_one_confirmation(confirmations: int) -> None:
    with pytest.raises(ValueError, match=f"confirmations was {confirmations}"):
        DailyLoss(Decimal(2), confirmations)


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
    stop = PositionStop(Decimal(2), Decimal(1) if marks[:-1] else None)
    stop.fill(Decimal(signed), Decimal(105))

    breaches = [stop.check(Decimal(mark)) for mark in marks]

    assert breaches[:-1] == [None] * (len(marks) - 1)
    assert (breaches[-1].rule if breaches[-1] else None) == rule


def test_the_entry_follows_fills() -> None:
    stop = PositionStop(Decimal(2), None)
    stop.fill(Decimal(1), Decimal(100))
    stop.fill(Decimal(3), Decimal(104))
    assert stop.entry == Decimal(103)
    stop.fill(Decimal(-2), Decimal(999))
    assert (stop.position, stop.entry) == (Decimal(2), Decimal(103))
    stop.fill(Decimal(-5), Decimal(90))
    assert (stop.position, stop.entry) == (Decimal(-3), Decimal(90))
    stop.fill(Decimal(3), Decimal(80))
    assert (stop.position, stop.entry) == (Decimal(0), Decimal(0))
    assert stop.check(Decimal(1)) is None


@given(st.lists(prices, min_size=1, max_size=30), st.sampled_from([1, -1]), prices, st.integers(1, 3))
def test_stops_agree_with_a_recount(marks: list[Decimal], side: int, entry: Decimal, confirmations: int) -> None:
    """A stop is touched when each of the last marks is beyond it; its best mark is one that so many in a row reach."""
    stop = PositionStop(Decimal(5), Decimal(3), confirmations)
    stop.fill(Decimal(side), entry)

    for i, mark in enumerate(marks):
        windows = [marks[k : k + confirmations] for k in range(i + 2 - confirmations)]
        breach = stop.check(mark)
        expected = None
        if windows:
            best = max(min(m * side for m in window) for window in windows) * side
            if all(m * side <= entry * (1 - side * Decimal("0.05")) * side for m in windows[-1]):
                expected = "stop_loss_pct"
            elif all(m * side <= best * (1 - side * Decimal("0.03")) * side for m in windows[-1]):
                expected = "trailing_stop_pct"
        assert (breach.rule if breach else None) == expected


@given(
    st.lists(prices, min_size=1, max_size=60), st.sampled_from(["3", "-7"]), prices, st.integers(1, 3), st.booleans()
)
def test_marks_that_are_calm_need_not_be_looked_at(
    marks: list[Decimal], held: int, entry: Decimal, confirmations: int, trails: bool
) -> None:
    looking, skipping = (PositionStop(Decimal(5), Decimal(3) if trails else None, confirmations) for _ in range(2))
    for stop in (looking, skipping):
        stop.fill(Decimal(held), entry)

    for mark in marks:
        breach, calm = looking.check(mark), skipping.calm()
        if calm is not None and calm[0] < mark < calm[1]:
            assert breach is None
        else:
            assert skipping.check(mark) == breach
        assert skipping.falls(mark) == looking.falls(mark)


def test_between_the_stop_and_the_best_mark_it_is_calm() -> None:
    stop = PositionStop(Decimal(5), Decimal(3), confirmations=2)
    stop.fill(Decimal(-1), Decimal(100))
    assert stop.calm() is None
    for mark in (98, 90, 90, 92):
        stop.check(Decimal(mark))
    assert stop.calm() == (Decimal(90), Decimal("92.7"))  # 3 % from the best
    stop.fill(Decimal(-1), Decimal(91))
    assert stop.calm() is None


@pytest.mark.parametrize("bad", ["50", "200"])
def test_one_bad_price_neither_triggers_a_confirmed_stop_nor_moves_it(bad: str) -> None:
    stop = PositionStop(Decimal(5), Decimal(3), confirmations=2)
    stop.fill(Decimal(1), Decimal(100))

    assert [stop.check(Decimal(mark)) for mark in ("100", "101", bad, "99", "99")] == [None] * 5
    assert [stop.check(Decimal(mark)) for mark in ("94", "94")] == [None, ("stop_loss_pct", 94, 95)]


def test_another_position_is_confirmed_anew() -> None:
    stop = PositionStop(Decimal(5), None, confirmations=2)
    stop.fill(Decimal(1), Decimal(100))
    assert stop.check(Decimal(94)) is None
    stop.fill(Decimal(-1), Decimal(94))
    stop.fill(Decimal(1), Decimal(100))

    assert stop.check(Decimal(94)) is None
    assert stop.check(Decimal(94)) == ("stop_loss_pct", 94, 95)


def test_confirmations_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="confirmations was 0"):
        DrawdownKill(Decimal(4), confirmations=0)
    with pytest.raises(ValueError, match="confirmations was 0"):
        PositionStop(Decimal(4), None, confirmations=0)

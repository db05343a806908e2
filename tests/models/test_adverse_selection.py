"""Against counts by hand over the same trades and mids."""

import math
from bisect import bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.adverse_selection import AdverseSelection


def test_a_flow_that_knows_costs_what_the_mid_moves() -> None:
    flow = AdverseSelection(horizon_secs=5, window_secs=1e9)
    flow.on_mid(100.0, 0)
    flow.on_trade(is_buyer=True, time_secs=1)
    flow.on_mid(100.3, 2)
    flow.on_trade(is_buyer=False, time_secs=3)
    flow.on_mid(100.1, 20)
    flow.on_mid(99.0, 40)

    # The buy gained 0.3; the sale, from 100.3, nothing: 100.3 still held when its horizon passed.
    assert flow.value == pytest.approx(0.15)


def brute_force(events: list[tuple[str, float, float]], horizon: float, window: float, now: float) -> float:
    mids = [(time, value) for kind, time, value in events if kind == "mid"]
    times = [time for time, _ in mids]
    moves = weight = 0.0
    for kind, time, side in events:
        seen = [value for kind_, time_, value in events[: events.index((kind, time, side))] if kind_ == "mid"]
        if kind == "trade" and seen and time + horizon < now:
            later = mids[bisect_right(times, time + horizon) - 1][1]
            share = math.exp(-(now - time - horizon) / window)
            moves += share * side * (later - seen[-1])
            weight += share
    return moves / weight if weight else 0.0


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from(["mid", "trade"]), st.floats(0.01, 3), st.integers(90, 110)), max_size=40),
    st.floats(0.5, 6),
    st.floats(2, 50),
)
def test_it_agrees_with_a_count_over_all_trades(
    steps: list[tuple[str, float, int]], horizon: float, window: float
) -> None:
    flow = AdverseSelection(horizon, window)
    events, now = [], 0.0
    for kind, gap, value in steps:
        now += gap
        side = 1.0 if value >= 100 else -1.0
        events.append((kind, now, float(value) if kind == "mid" else side))
        if kind == "mid":
            flow.on_mid(float(value), now)
        else:
            flow.on_trade(side > 0, now)
    end = now + 100.0
    flow.on_mid(100.0, end)

    assert flow.value == pytest.approx(brute_force(events, horizon, window, end), abs=1e-9)


def test_it_is_ready_after_twenty_trades_have_settled() -> None:
    flow = AdverseSelection(horizon_secs=1, window_secs=1e9)
    flow.on_mid(100.0, 0)
    for second in range(1, 22):
        assert not flow.ready
        flow.on_trade(is_buyer=True, time_secs=second)
    flow.on_mid(100.0, 30)

    assert flow.ready


@pytest.mark.parametrize(("horizon", "window"), [(0, 1), (1, 0), (-1, 1)])
def test_times_that_are_not_positive_are_refused(horizon: float, window: float) -> None:
    with pytest.raises(ValueError, match="not positive"):
        AdverseSelection(horizon, window)

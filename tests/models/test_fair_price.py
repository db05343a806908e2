import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market_making.fair_price import (
    OrderFlowImbalance,
    Quote,
    fit_flow_impact,
    flow_adjusted_mid,
    flow_event,
    flow_events,
    imbalance,
    order_flow_imbalance,
    weighted_mid,
)

sizes = st.floats(0, 1e6)
quotes = st.builds(
    lambda bid, spread, bid_size, ask_size: Quote(bid, bid + spread, bid_size, ask_size),
    st.integers(95, 105),
    st.integers(1, 3),
    st.integers(0, 50),
    st.integers(0, 50),
)
# Times in quarters of a second, so that many are equal and some lie exactly one window apart.
histories = st.lists(st.tuples(st.integers(0, 40), quotes), min_size=1, max_size=60)
BEFORE = Quote(100, 102, 7, 5)


@given(st.floats(1, 1e6), st.floats(0, 100), sizes, sizes)
@settings(max_examples=50)
def test_weighted_mid_is_the_mid_moved_by_the_imbalance(bid, spread, bid_size, ask_size):
    ask = bid + spread
    price = weighted_mid(bid, ask, bid_size, ask_size)
    moved = (bid + ask) / 2 + (ask - bid) / 2 * (2 * imbalance(bid_size, ask_size) - 1)
    assert price == pytest.approx(moved, rel=1e-12)
    assert bid * (1 - 1e-15) <= price <= ask * (1 + 1e-15)
    assert price + weighted_mid(bid, ask, ask_size, bid_size) == pytest.approx(bid + ask, rel=1e-12)


@pytest.mark.parametrize(
    ("bid_size", "ask_size", "price"), [(3, 1, 101.5), (1, 3, 100.5), (0, 4, 100), (4, 0, 102), (0, 0, 101)]
)
def test_weighted_mid_by_hand(bid_size, ask_size, price):
    assert weighted_mid(100.0, 102.0, bid_size, ask_size) == price


@pytest.mark.parametrize(
    ("after", "event"),
    [
        (Quote(100, 102, 9, 5), 2),  # two lots more to buy
        (Quote(100, 102, 7, 8), -3),  # three lots more to sell
        (Quote(101, 102, 4, 5), 4),  # a new best bid of four
        (Quote(99, 102, 6, 5), -7),  # the best bid, seven lots, is gone
        (Quote(100, 101, 7, 2), -2),  # a new best ask of two
        (Quote(100, 103, 7, 9), 5),  # the best ask, five lots, is gone
        (Quote(101, 103, 4, 9), 9),  # both rise
        (Quote(99, 101, 6, 2), -9),  # both fall
        (BEFORE, 0),
    ],
)
def test_flow_event_by_hand(after, event):
    assert flow_event(BEFORE, after) == event
    assert flow_events(*zip(BEFORE, after, strict=True)).tolist() == [event]


@given(quotes, quotes)
@settings(max_examples=50)
def test_flow_event_changes_sign_when_bid_and_ask_are_exchanged(before, after):
    mirrored = [Quote(-quote.ask, -quote.bid, quote.ask_size, quote.bid_size) for quote in (before, after)]
    assert flow_event(*mirrored) == -flow_event(before, after)


@given(histories, st.integers(1, 12))
@settings(max_examples=50)
def test_online_batch_and_plain_sums_agree(history, quarters):
    times = [quarter / 4 for quarter in sorted(quarter for quarter, _ in history)]
    rows = [quote for _, quote in history]
    window = quarters / 4
    flow = OrderFlowImbalance(window)
    online = [flow.update(quote, time) for quote, time in zip(rows, times, strict=True)]
    events = flow_events(*zip(*rows, strict=True))
    assert order_flow_imbalance(events, times, window).tolist() == online
    plain = [
        sum(flow_event(rows[i - 1], rows[i]) for i in range(1, now + 1) if times[i] > times[now] - window)
        for now in range(len(rows))
    ]
    assert online == plain


def test_window_slides_without_updates_and_reset_forgets():
    flow = OrderFlowImbalance(10.0)
    flow.update(BEFORE, 0.0)
    assert flow.update(Quote(100, 102, 9, 5), 1.0) == 2
    assert flow.update(Quote(100, 102, 12, 5), 4.0) == 5
    assert [flow.at(time) for time in (10.9, 11.0, 13.9, 14.0)] == [5, 3, 3, 0]
    flow.reset()
    assert flow.update(Quote(100, 102, 50, 5), 15.0) == 0


def test_impact_is_least_squares_with_whites_error():
    rng = np.random.default_rng(3)
    flow = rng.integers(-100, 100, 200)
    change = 0.5 + 0.02 * flow + np.abs(flow) / 50 * rng.standard_normal(200)
    design = np.column_stack([np.ones(200), flow])
    (intercept, slope), residues, _, _ = np.linalg.lstsq(design, change)
    bread = np.linalg.inv(design.T @ design)
    error = change - design @ [intercept, slope]
    sandwich = 200 / 198 * bread @ (design.T * error**2) @ design @ bread
    fit = fit_flow_impact(change, flow)
    assert (fit.per_lot, fit.intercept) == pytest.approx((slope, intercept), rel=1e-12)
    assert fit.standard_error == pytest.approx(math.sqrt(sandwich[1, 1]), rel=1e-12)
    assert fit.r_squared == pytest.approx(1 - residues[0] / np.sum((change - change.mean()) ** 2), rel=1e-12)
    assert fit.windows == 200


def test_standard_error_is_that_of_repeated_samples():
    rng = np.random.default_rng(4)
    fits = []
    for _ in range(400):
        flow = rng.normal(0, 100, 150)
        fits.append(fit_flow_impact(0.02 * flow + np.abs(flow) / 50 * rng.standard_normal(150), flow))
    slopes, errors = (np.array(column) for column in ([f.per_lot for f in fits], [f.standard_error for f in fits]))
    assert slopes.mean() == pytest.approx(0.02, abs=4 * slopes.std() / 20)
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(slopes.std(), rel=0.15)


def test_a_price_that_never_moves_is_not_explained():
    assert fit_flow_impact([0, 0, 0], [1, 2, 4])[:4] == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("flow", "limit", "price"), [(30, 1.0, 100.6), (-30, 1.0, 99.4), (90, 1.0, 101.0), (-90, 0.0, 100.0)]
)
def test_flow_adjusted_mid(flow, limit, price):
    assert flow_adjusted_mid(100.0, flow, 0.02, limit) == pytest.approx(price, rel=1e-15)


@pytest.mark.parametrize(
    ("function", "arguments", "problem"),
    [
        (OrderFlowImbalance, (0.0,), "window_secs"),
        (flow_events, ([1, 1], [2, 2], [1, 1], [1]), "one length"),
        (order_flow_imbalance, (np.array([1]), [0.0, 1.0], 0.0), "window_secs"),
        (order_flow_imbalance, (np.array([1]), [0.0], 1.0), "1 times"),
        (order_flow_imbalance, (np.array([1]), [1.0, 0.0], 1.0), "not in order"),
        (fit_flow_impact, ([1, 2], [1, 2]), "2 windows"),
        (fit_flow_impact, ([1, 2, 3], [1, 2]), "one length"),
        (fit_flow_impact, ([1, 2, 3], [5, 5, 5]), "the same"),
        (flow_adjusted_mid, (100.0, 1, 0.1, -1.0), "max_shift"),
    ],
)
def test_bad_input_is_refused(function, arguments, problem):
    with pytest.raises(ValueError, match=problem):
        function(*arguments)

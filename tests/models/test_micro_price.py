import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.market_making.micro_price import MicroPrice, fit_micro_price, imbalance_bucket

sizes = st.integers(0, 1000)


def columns(rows):
    """Quotes from (bid, spread, bucket) of `buckets` equal intervals; the imbalance is the middle of its bucket."""
    return lambda buckets: (
        [bid for bid, _, _ in rows],
        [bid + spread for bid, spread, _ in rows],
        [2 * bucket + 1 for _, _, bucket in rows],
        [2 * (buckets - bucket) - 1 for _, _, bucket in rows],
    )


@pytest.fixture(scope="module")
def market():
    """4,000 quotes with spreads of 1 to 5 ticks that lean the way the larger size points."""
    rng = np.random.default_rng(7)
    bid, spread, bid_size = 1000, 1, 50
    rows = []
    for _ in range(4000):
        rows.append((bid, bid + spread, bid_size, 100 - bid_size))
        if rng.random() < 0.3:
            up = rng.random() < bid_size / 100
            if rng.random() < 0.5:
                bid += 1 if up else -1
            else:
                wider = min(max(spread + (1 if rng.random() < 0.5 else -1), 1), 5)
                bid += 0 if up else spread - wider
                spread = wider
            bid_size = int(rng.integers(5, 96))
        else:
            bid_size = min(max(bid_size + int(rng.integers(-15, 16)), 0), 100)
    return np.array(rows).T


def series_of_the_paper(market, buckets, max_spread):
    """G* by the paper's own steps: Q, T and R K counted row by row, G1, B, and the sum of B^n G1."""
    bid, ask, bid_size, ask_size = market
    states = buckets * max_spread
    stay, leave, moved = np.zeros((states, states)), np.zeros((states, states)), np.zeros(states)
    for sign in (1, -1):
        where = []
        for b, a, qb, qa in zip(bid, ask, bid_size, ask_size, strict=True):
            bucket = min(int(buckets * (qb / (qb + qa)) + 1e-9), buckets - 1)
            if qb > qa:
                bucket = buckets - 1 - min(int(buckets * (qa / (qb + qa)) + 1e-9), buckets - 1)
            bucket = bucket if sign == 1 else buckets - 1 - bucket
            where.append((min(a - b, max_spread) - 1) * buckets + bucket)
        mids = sign * (bid + ask) / 2
        for i in range(len(mids) - 1):
            move = mids[i + 1] - mids[i]
            (stay if move == 0 else leave)[where[i], where[i + 1]] += 1
            moved[where[i]] += move
    counts = stay.sum(axis=1) + leave.sum(axis=1)
    inverse = np.linalg.inv(np.eye(states) - stay / counts[:, None])
    first = inverse @ (moved / counts)
    onward = inverse @ (leave / counts[:, None])
    total, term = np.zeros(states), first
    for _ in range(3000):
        total, term = total + term, onward @ term
    return total.reshape(max_spread, buckets)


@pytest.mark.parametrize(("buckets", "max_spread"), [(3, 1), (5, 3), (9, 2)])
def test_table_is_the_series_of_the_paper(market, buckets, max_spread):
    table = fit_micro_price(*market, buckets, max_spread, 1)
    expected = series_of_the_paper(market, buckets, max_spread)
    assert np.array(table.adjustments) == pytest.approx(expected, abs=1e-9)
    assert np.abs(expected).max() > 0.1


def test_micro_price_is_expected_to_stay_where_it_is(market):
    table = fit_micro_price(*market, 5, 3, 1)
    bid, ask, bid_size, ask_size = market
    drift, seen = {}, {}
    mirrored = (-ask, -bid, ask_size, bid_size)
    for b, a, qb, qa in ((bid, ask, bid_size, ask_size), mirrored):
        prices = [table.price(*row) for row in zip(b, a, qb, qa, strict=True)]
        for i in range(len(prices) - 1):
            state = (min(a[i] - b[i], 3), imbalance_bucket(int(qb[i]), int(qa[i]), 5))
            drift[state] = drift.get(state, 0.0) + prices[i + 1] - prices[i]
            seen[state] = seen.get(state, 0) + 1
    assert {state: drift[state] / seen[state] for state in drift} == pytest.approx(dict.fromkeys(drift, 0.0), abs=1e-9)
    for (spread, bucket), count in seen.items():
        assert table.observations[spread - 1][bucket] == count


def test_gamblers_ruin():
    # The imbalance walks by one bucket at a time, up as often as down; past the last bucket the price moves a tick and
    # the walk starts in the middle. From bucket b the next move is up with probability (b + 1)/(n + 1).
    buckets, bid, bucket = 9, 500, 4
    rows, turn = [], [True] * buckets
    for _ in range(30_000):
        rows.append((bid, 1, bucket))
        turn[bucket] = not turn[bucket]
        bucket += 1 if turn[bucket] else -1
        if not 0 <= bucket < buckets:
            bid += 1 if bucket > 0 else -1
            bucket = 4
    table = fit_micro_price(*columns(rows)(buckets), buckets, 1)
    assert table.adjustments[0] == pytest.approx([2 * (b + 1) / 10 - 1 for b in range(9)], abs=1e-3)


def test_by_hand():
    # A wide book (2 ticks) with a large bid always closes upwards, one with a large ask downwards, by half a tick; then
    # the book is balanced and one tick wide, from where it opens to either side in turn.
    rows = [(100, 1, 1), (100, 2, 2), (101, 1, 1), (100, 2, 0), (100, 1, 1)] * 10
    table = fit_micro_price(*columns(rows)(3), 3, 2, 1)
    assert table.adjustments[1] == pytest.approx((-0.5, 0.0, 0.5))
    assert table.price(100, 102, 5, 1) == pytest.approx(101.5)
    assert table.price(100, 103, 1, 5) == pytest.approx(101.0)
    assert table.price(100, 101, 5, 1) == 100.5


def test_updates_that_leave_the_state_do_not_matter(market):
    repeated = np.repeat(market, 3, axis=1)
    once, thrice = fit_micro_price(*market, 5, 3, 1), fit_micro_price(*repeated, 5, 3, 1)
    assert np.array(thrice.adjustments) == pytest.approx(np.array(once.adjustments), abs=1e-9)


def test_table_mirrors_and_rises_with_the_bid(market):
    table = np.array(fit_micro_price(*market, 5, 2).adjustments)
    assert table == pytest.approx(-table[:, ::-1], abs=0)
    assert np.all(np.diff(table, axis=1) > 0)


@given(sizes, sizes, st.integers(0, 20))
@settings(max_examples=50)
def test_bucket_holds_its_imbalance_and_mirrors(bid_size, ask_size, half):
    assume(bid_size + ask_size > 0)
    buckets = 2 * half + 1
    bucket = imbalance_bucket(bid_size, ask_size, buckets)
    assert bucket * (bid_size + ask_size) <= buckets * bid_size <= (bucket + 1) * (bid_size + ask_size)
    assert imbalance_bucket(ask_size, bid_size, buckets) == buckets - 1 - bucket


@given(st.integers(1, 10_000), st.integers(1, 6), sizes, sizes)
@settings(max_examples=50)
def test_price_mirrors(market, bid, spread, bid_size, ask_size):
    table = fit_micro_price(*market[:, :500], 5, 3)
    mid = bid + spread / 2
    up = table.price(bid, bid + spread, bid_size, ask_size) - mid
    assert table.price(bid, bid + spread, ask_size, bid_size) - mid == pytest.approx(-up, abs=1e-9)


def test_states_seen_too_rarely_give_the_mid(market):
    table = fit_micro_price(*market, 5, 5, 10_000)
    assert all(adjustment == 0 for row in table.adjustments for adjustment in row)
    assert table.price(100, 101, 30, 10) == 100.5


@pytest.mark.parametrize("book", [(100, 100, 5, 5), (101, 100, 5, 5), (100, 101, 0, 0)])
def test_a_book_without_sense_gives_the_mid(book):
    assert MicroPrice(((-1.0, 0.0, 1.0),), ((9, 9, 9),)).price(*book) == (book[0] + book[1]) / 2


def test_a_price_that_only_rises_is_refused():
    rows = [(100 + i, 1, 2) for i in range(100)]
    with pytest.raises(ValueError, match="never came back"):
        fit_micro_price(*columns(rows)(3), 3, 1, 1)


@pytest.mark.parametrize(
    ("data", "settings", "problem"),
    [
        (([1, 1], [2, 2], [1, 1], [1, 1]), (4, 1, 1), "odd"),
        (([1, 1], [2, 2], [1, 1], [1, 1]), (3, 0, 1), "max_spread"),
        (([1], [2], [1], [1]), (3, 1, 1), "1 quotes"),
        (([1, 1], [2, 2], [1, 1], [1]), (3, 1, 1), "one length"),
        (([1, 2], [2, 2], [1, 1], [1, 1]), (3, 1, 1), "locked or crossed"),
        (([1, 1], [2, 2], [0, 1], [0, 1]), (3, 1, 1), "no size"),
        (([1, 1], [2, 2], [-1, 1], [2, 1]), (3, 1, 1), "no size"),
    ],
)
def test_bad_input_is_refused(data, settings, problem):
    with pytest.raises(ValueError, match=problem):
        fit_micro_price(*data, *settings)

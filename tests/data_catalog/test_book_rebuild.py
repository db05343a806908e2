from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder, OrderBookDelta
from nautilus_trader.model.enums import BookAction, BookType, OrderSide
from nautilus_trader.model.objects import Price, Quantity

from data_catalog.checks.book_agreement import BookAgreement, BookTouch
from data_catalog.columns import Deltas, Quotes
from data_catalog.counts import Grid
from data_catalog.instruments import find_instrument
from data_catalog.recordings.book_chain import (
    ADD,
    ASK,
    BID,
    CLEAR,
    DELETE,
    F_LAST,
    F_SNAPSHOT,
    NO_SIDE,
    UPDATE,
    BookChain,
    Depth,
    deltas_of,
)

SPOT = find_instrument("NEXOUSDT.BINANCE")
GRID = Grid.of(SPOT)
PLACE = (Path("recorded.gz"), 1)
MS = 1_000_000


def snapshot(last_id: int, ts: int = 0, bids=(("1.214", "5"),), asks=(("1.216", "7"),)) -> Depth:
    return Depth(PLACE, ts, last_id, last_id, None, list(bids), list(asks), clears=True)


def diff(first: int, last: int, previous: int | None = None, ts: int = 0, bids=(), asks=()) -> Depth:
    return Depth(PLACE, ts, first, last, previous, list(bids), list(asks))


def feed(chain: BookChain, depths: list[Depth]) -> list[Depth]:
    return [change for depth in depths for change in (chain.snapshot if depth.clears else chain.diff)(depth)]


def ids(changes: list[Depth]) -> list[tuple[int, int]]:
    return [(change.first_id, change.last_id) for change in changes]


@pytest.mark.parametrize(
    ("diffs", "applied", "outdated"),
    [
        ([diff(8, 9), diff(10, 12), diff(13, 13)], [(10, 10), (10, 12), (13, 13)], 1),
        ([diff(9, 10), diff(11, 12)], [(10, 10), (11, 12)], 1),
        ([diff(5, 14)], [(10, 10), (5, 14)], 0),
    ],
)
@pytest.mark.parametrize("early", [0, 1, 2, 3])
def test_spot_snapshot_is_joined_by_update_id_wherever_it_arrives(diffs, applied, outdated, early):
    chain = BookChain()
    changes = feed(chain, [*diffs[:early], snapshot(10), *diffs[early:]])
    assert ids(changes) == applied
    assert (chain.outdated, chain.gaps, chain.unusable) == (outdated, 0, 0)


@pytest.mark.parametrize(
    ("diffs", "applied", "outdated"),
    [
        ([diff(80, 90, 79), diff(95, 120, 90), diff(125, 130, 120)], [(100, 100), (95, 120), (125, 130)], 1),
        ([diff(80, 100, 79), diff(103, 120, 100)], [(100, 100), (80, 100), (103, 120)], 0),
        ([diff(80, 90, 79), diff(103, 120, 100)], [(100, 100), (103, 120)], 1),
    ],
)
@pytest.mark.parametrize("early", [0, 1, 2, 3])
def test_futures_snapshot_is_joined_by_the_previous_update_id(diffs, applied, outdated, early):
    chain = BookChain()
    changes = feed(chain, [*diffs[:early], snapshot(100), *diffs[early:]])
    assert ids(changes) == applied
    assert (chain.outdated, chain.gaps) == (outdated, 0)


def test_diffs_from_before_a_late_snapshot_are_applied_at_its_time():
    changes = feed(BookChain(), [diff(10, 12, ts=5), snapshot(10, ts=9), diff(13, 13, ts=11)])
    assert [change.ts for change in changes] == [9, 9, 11]


@pytest.mark.parametrize(
    "depths",
    [
        [snapshot(10), diff(11, 11), diff(13, 14), diff(15, 15)],
        [snapshot(100), diff(101, 110, 100), diff(121, 130, 120), diff(131, 140, 130)],
        [snapshot(10), diff(12, 14), diff(15, 15)],
    ],
)
def test_break_in_the_chain_clears_the_book_until_the_next_snapshot(depths):
    chain = BookChain()
    changes = feed(chain, depths)
    lost = changes[-1]
    assert (lost.clears, lost.bids, lost.asks) == (True, [], [])
    assert chain.gaps == 1
    again = feed(chain, [snapshot(1000)])
    assert ids(again) == [(1000, 1000)]
    assert chain.outdated == 2


def test_second_snapshot_starts_the_book_afresh_without_a_gap():
    chain = BookChain()
    changes = feed(chain, [snapshot(10), diff(11, 12), snapshot(15), diff(13, 15), diff(16, 16)])
    assert ids(changes) == [(10, 10), (11, 12), (15, 15), (16, 16)]
    assert (chain.gaps, chain.snapshots, chain.outdated) == (0, 2, 1)


def test_snapshot_older_than_the_book_is_ignored():
    chain = BookChain()
    changes = feed(chain, [snapshot(10), diff(11, 20), snapshot(15), diff(21, 21)])
    assert ids(changes) == [(10, 10), (11, 20), (21, 21)]
    assert chain.gaps == 0


def test_early_diffs_are_bounded_and_counted():
    chain = BookChain(early_limit=3)
    assert feed(chain, [diff(number, number) for number in range(1, 11)]) == []
    assert chain.unusable == 7
    chain.finish()
    assert chain.unusable == 10


def test_deltas_have_the_actions_and_flags_of_the_engine():
    changes = [
        snapshot(10, ts=1),
        diff(11, 12, ts=2, bids=[("1.213", "2"), ("1.214", "0")], asks=[("1.217", "3.5")]),
        diff(13, 13, ts=3),
        Depth(PLACE, 4, 20, 20, None, [], [], clears=True),
    ]
    deltas, rounded = deltas_of(changes, GRID)
    assert deltas.action.tolist() == [CLEAR, ADD, ADD, UPDATE, DELETE, UPDATE, CLEAR]
    assert deltas.side.tolist() == [NO_SIDE, BID, ASK, BID, BID, ASK, NO_SIDE]
    assert deltas.price.tolist() == [0, 1214, 1216, 1213, 1214, 1217, 0]
    assert deltas.size.tolist() == [0, 500, 700, 200, 0, 350, 0]
    last = F_SNAPSHOT | F_LAST
    assert deltas.flags.tolist() == [F_SNAPSHOT, F_SNAPSHOT, last, 0, 0, F_LAST, last]
    assert deltas.sequence.tolist() == [10, 10, 10, 12, 12, 12, 20]
    assert deltas.ts_init.tolist() == deltas.ts_event.tolist() == [1, 1, 1, 2, 2, 2, 4]
    assert rounded == 0


def test_lost_book_is_empty_in_the_engine_too():
    deltas, _ = deltas_of(feed(BookChain(), [snapshot(10), diff(12, 12)]), GRID)
    assert engine_touch(deltas) == (None, None)
    assert len(BookTouch().add(deltas)) == 1


def test_no_changes_give_no_deltas():
    deltas, _ = deltas_of([], GRID)
    assert len(deltas) == 0


def engine_touch(deltas: Deltas) -> tuple[int | None, int | None]:
    """Return best bid and ask of the engine's own order book, in price counts."""
    book = OrderBook(SPOT.id, BookType.L2_MBP)
    for row in range(len(deltas)):
        order = BookOrder(
            OrderSide(int(deltas.side[row])),
            Price(deltas.price[row] / 1000, 3),
            Quantity(deltas.size[row] / 100, 2),
            0,
        )
        action, sequence = BookAction(int(deltas.action[row])), int(deltas.sequence[row])
        book.apply_delta(OrderBookDelta(SPOT.id, action, order, int(deltas.flags[row]), sequence, row, row))
    best = book.best_bid_price(), book.best_ask_price()
    return tuple(None if price is None else round(float(price) * 1000) for price in best)


levels = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(levels, levels), min_size=1, max_size=12), st.data())
def test_book_from_snapshot_and_diffs_is_the_true_one(steps, data):
    """Whatever the moment of the snapshot and of its arrival, the rebuilt touch is that of a book that saw it all."""
    bids, asks = {1200: 1}, {1300: 1}
    diffs: list[Depth] = []
    books = [(dict(bids), dict(asks))]
    for number, (bid_levels, ask_levels) in enumerate(steps, 1):
        new_bids = {1200 - depth: size for depth, size in bid_levels if depth}
        new_asks = {1300 + depth: size for depth, size in ask_levels if depth}
        bids.update(new_bids)
        asks.update(new_asks)
        texts = [[(f"{price / 1000:.3f}", str(size)) for price, size in new.items()] for new in (new_bids, new_asks)]
        diffs.append(diff(number, number, bids=texts[0], asks=texts[1]))
        books.append((dict(bids), dict(asks)))
    taken = data.draw(st.integers(0, len(steps)))
    arrives = data.draw(st.integers(taken, len(steps)))
    snap = [[(f"{price / 1000:.3f}", str(size)) for price, size in side.items() if size] for side in books[taken]]
    changes = feed(BookChain(), [*diffs[:arrives], snapshot(taken, 0, *snap), *diffs[arrives:]])
    deltas, _ = deltas_of(changes, GRID)
    touch = BookTouch().add(deltas)
    expected = (max(p for p, size in bids.items() if size), min(p for p, size in asks.items() if size))
    assert (int(touch.bid_price[-1]), int(touch.ask_price[-1])) == expected
    assert engine_touch(deltas) == expected


def test_touch_of_a_book_that_churns_far_levels_stays_right():
    book = BookTouch()
    book.add(deltas_of([snapshot(1)], GRID)[0])
    for number in range(2, 4000):
        change = diff(number, number, bids=[("1.100", str(number % 2))])
        touch = book.add(deltas_of([change], GRID)[0])
    assert (touch.bid_price.tolist(), touch.ask_price.tolist()) == ([1214], [1216])
    assert len(book._bids._heap) < 1100


def quotes_at(*rows: tuple[int, int, int]) -> Quotes:
    ts, bid, ask = np.array(rows, np.int64).T
    return Quotes(bid, ask, np.full(len(rows), 500), np.full(len(rows), 700), ts * MS, ts * MS)


@pytest.mark.parametrize(
    ("quotes", "points", "agreeing"),
    [
        (quotes_at((0, 1214, 1216), (200, 1214, 1216)), 1, 1),
        (quotes_at((0, 1213, 1216), (200, 1214, 1216)), 1, 0),
        (quotes_at((85, 1214, 1216), (200, 1214, 1216)), 0, 0),
        (quotes_at((0, 1214, 1216), (115, 1214, 1216)), 0, 0),
        (quotes_at((150, 1214, 1216)), 0, 0),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_book_is_compared_with_quotes_where_they_are_quiet(quotes, points, agreeing, chunked):
    deltas, _ = deltas_of([snapshot(10, ts=100 * MS)], GRID)
    agreement = BookAgreement()
    if chunked:
        for row in range(len(quotes)):
            until = int(quotes.ts_init[row])
            due = deltas if until <= 100 * MS < (quotes.ts_init[row + 1] if row + 1 < len(quotes) else 10**18) else None
            agreement.add(quotes.slice(row, row + 1), due, until)
        if quotes.ts_init[0] > 100 * MS:
            agreement.add(None, deltas, int(quotes.ts_init[-1]))
    else:
        agreement.add(quotes, deltas, 300 * MS)
    agreement.finish()
    assert (agreement.points, agreement.agreeing) == (points, agreeing)


def test_crossed_book_is_counted():
    crossed = snapshot(10, 0, (("1.217", "1"),), (("1.216", "1"),))
    agreement = BookAgreement()
    agreement.add(None, deltas_of([crossed, snapshot(11)], GRID)[0], 0)
    assert agreement.crossed == 1
    assert agreement.share is None

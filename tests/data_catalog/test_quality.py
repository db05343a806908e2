from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_catalog.checks.in_step import in_step, times_of
from data_catalog.checks.series import SeriesChecks, Silences
from data_catalog.checks.trades_in_quotes import TradesInQuotes
from data_catalog.columns import BUYER, Bars, Columns, Deltas, FundingRates, Quotes, Trades
from data_catalog.recordings.book_chain import CLEAR, F_LAST, F_SNAPSHOT, UPDATE

MS = 10**6
MINUTE = 60 * 10**9


def ints(values) -> np.ndarray:
    return np.array(values, np.int64)


def quotes(*rows: tuple[int, int, int]) -> Quotes:
    """Return quotes of size 1 from (ms, bid, ask)."""
    ts, bid, ask = ints(rows).reshape(-1, 3).T
    size = np.ones(len(ts), np.int64)
    return Quotes(bid, ask, size, size, ts * MS, ts * MS)


def trades(*rows: tuple[int, int, int]) -> Trades:
    """Return trades from (ms, id, price)."""
    ts, trade_id, price = ints(rows).reshape(-1, 3).T
    ones = np.ones(len(ts), np.int64)
    return Trades(price, ones, np.full(len(ts), BUYER, np.uint8), trade_id, ts * MS, ts * MS)


def bars(*minutes: int) -> Bars:
    ts, ones = ints(minutes) * MINUTE, np.ones(len(minutes), np.int64)
    return Bars(ones, ones, ones, ones, ones, ts, ts)


def deltas(*rows: tuple[int, int, int]) -> Deltas:
    """Return deltas from (action, flags, sequence)."""
    action, flags, sequence = ints(rows).T
    zeros = np.zeros(len(rows), np.int64)
    ts = np.arange(len(rows)) * MS
    return Deltas(
        action.astype(np.uint8), zeros.astype(np.uint8), zeros, zeros, flags.astype(np.uint8), sequence, ts, ts
    )


def pieces(columns: Columns, size: int) -> Iterator[Columns]:
    return (columns.slice(start, start + size) for start in range(0, len(columns), size))


def check(columns: Columns, size: int, bar_ns: int | None = None) -> SeriesChecks:
    checks = SeriesChecks(bar_ns)
    for piece in pieces(columns, size):
        checks.add(piece)
    return checks


@pytest.fixture(params=[1, 2, 100], ids=lambda size: f"chunks of {size}")
def size(request) -> int:
    return request.param


def test_crossed_and_locked_quotes_are_counted(size):
    checks = check(quotes((0, 100, 101), (1, 102, 101), (2, 101, 101), (3, 100, 101)), size)
    assert (checks.crossed, checks.locked) == (1, 1)


def test_repeated_quote_is_a_duplicate_only_at_the_same_time(size):
    checks = check(quotes((0, 100, 101), (0, 100, 101), (1, 100, 101), (1, 99, 101)), size)
    assert checks.duplicates == 1


def test_missing_repeated_and_disordered_trade_ids_are_told_apart(size):
    checks = check(trades((0, 1, 100), (1, 2, 100), (2, 2, 100), (3, 6, 100), (4, 5, 100), (5, 6, 100)), size)
    assert (checks.gaps, checks.missing) == (1, 3)
    assert (checks.duplicates, checks.disorder) == (1, 1)


def test_ids_that_are_no_numbers_are_not_judged(size):
    checks = check(trades((0, -1, 100), (1, -1, 100), (1, -1, 100)), size)
    assert (checks.gaps, checks.duplicates, checks.disorder) == (None, 1, 0)


def test_rows_that_go_back_in_time_are_disorder(size):
    assert check(quotes((0, 100, 101), (5, 100, 102), (4, 100, 101)), size).disorder == 1


def test_missing_bars_are_gaps(size):
    checks = check(bars(0, 1, 2, 5, 6, 6, 8), size, MINUTE)
    assert (checks.gaps, checks.missing, checks.duplicates) == (2, 3, 1)


def test_book_that_was_lost_is_a_sequence_break_and_a_snapshot_is_none(size):
    checks = check(
        deltas(
            (CLEAR, F_SNAPSHOT, 10),
            (UPDATE, F_SNAPSHOT | F_LAST, 10),
            (UPDATE, F_LAST, 11),
            (CLEAR, F_SNAPSHOT | F_LAST, 20),
            (CLEAR, F_SNAPSHOT, 30),
            (UPDATE, F_SNAPSHOT | F_LAST, 29),
        ),
        size,
    )
    assert (checks.sequence_breaks, checks.snapshots, checks.disorder) == (1, 2, 1)


def test_funding_rates_are_checked_for_order_alone():
    ts = ints([0, 1, 1]) * MINUTE
    checks = check(FundingRates(ints([1, 2, 2]), ts, ts), 2)
    assert (checks.rows, checks.duplicates, checks.disorder, checks.gaps) == (3, 1, 0, None)


def test_first_and_last_time_and_rows(size):
    checks = check(quotes((3, 100, 101), (5, 100, 101), (9, 100, 101)), size)
    assert (checks.rows, checks.first_ns, checks.last_ns) == (3, 3 * MS, 9 * MS)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30), st.integers(1, 30))
def test_longest_silences_are_those_of_all_times_together(steps, size):
    times = np.cumsum(ints(steps))
    silences = Silences()
    for start in range(0, len(times), size):
        silences.add(times[start : start + size])
    lengths = sorted((step for step in steps[1:] if step), reverse=True)[:3]
    assert [length for length, _ in silences.longest] == lengths
    assert all(start in times and start + length in times for length, start in silences.longest)


def compare(quotes_: Quotes, trades_: Trades, size: int, window_ms: int = 10) -> TradesInQuotes:
    found = TradesInQuotes(window_ms * MS)
    series = {"quotes": pieces(quotes_, size), "trades": pieces(trades_, size)}
    for until, ready in in_step(series):
        found.add(ready.get("quotes"), ready.get("trades"), until)
    found.finish()
    return found


@pytest.mark.parametrize(
    ("trade", "outside"),
    [
        ((50, 1, 100), 0),
        ((50, 1, 103), 0),
        ((50, 1, 104), 1),
        ((50, 1, 97), 1),
        ((91, 1, 110), 0),
        ((89, 1, 110), 1),
        ((109, 1, 97), 1),
        ((109, 1, 100), 0),
        ((110, 1, 100), 1),
        ((300, 1, 112), 0),
    ],
)
def test_trade_is_outside_where_it_is_beyond_every_quote_around_it(size, trade, outside):
    book = quotes((0, 98, 103), (40, 100, 103), (100, 108, 112), (200, 109, 112))
    found = compare(book, trades(trade), size)
    assert (found.compared, found.outside) == (1, outside)


def test_worst_trade_is_named(size):
    found = compare(quotes((0, 100, 101)), trades((5, 1, 100), (6, 2, 90), (7, 3, 140), (8, 4, 99)), size)
    assert (found.outside, found.furthest_ns) == (3, 7 * MS)
    assert found.furthest_bps == pytest.approx(39 / 140 * 1e4)


def test_trades_before_any_quote_are_not_compared(size):
    found = compare(quotes((100, 100, 101)), trades((5, 1, 90), (89, 2, 90), (95, 3, 90)), size)
    assert (found.compared, found.outside) == (1, 1)


def test_no_quotes_compare_nothing(size):
    assert compare(quotes(), trades((5, 1, 90)), size).compared == 0


times = st.lists(st.integers(0, 20), max_size=20).map(sorted)


@given(times, times, st.integers(1, 7), st.integers(1, 7))
def test_steps_hold_all_rows_once_and_never_run_ahead(left, right, left_size, right_size):
    series = {"left": quotes(*((t, 1, 2) for t in left)), "right": trades(*((t, n, 1) for n, t in enumerate(right)))}
    chunks = {"left": pieces(series["left"], left_size), "right": pieces(series["right"], right_size)}
    seen: dict[str, list[int]] = {"left": [], "right": []}
    before = -1
    for until, ready in in_step(chunks):
        assert until >= before
        for name, columns in ready.items():
            moments = times_of(columns).tolist()
            assert all(before <= moment <= until for moment in moments)
            seen[name] += moments
        before = until
    assert seen == {name: times_of(columns).tolist() for name, columns in series.items()}


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_quote_that_stands_alone_is_a_spike_and_a_move_is_none(size: int) -> None:
    mids = [1000, 1001, 1030, 1000, 1000, 1050, 1051, 900, 1050, 1080]  # 1030 and 900 stand alone, 1050 stays
    checks = check(quotes(*((n, mid - 1, mid + 1) for n, mid in enumerate(mids))), size)

    assert checks.spikes.count == 2
    assert checks.spikes.furthest_ns == 7 * MS
    assert checks.spikes.furthest_bps == pytest.approx(151 / 1051 * 1e4)


def test_a_single_price_far_away_at_the_end_is_not_yet_a_spike() -> None:
    assert check(quotes((0, 99, 101), (1, 99, 101), (2, 199, 201)), 10).spikes.count == 0


@pytest.mark.parametrize("size", [1, 2, 100])
def test_times_that_go_back_and_prices_that_are_none_are_counted(size: int) -> None:
    checks = check(quotes((0, 9, 11), (5, 0, 11), (3, 9, 11), (4, -1, 1)), size)

    assert (checks.backwards, checks.nonpositive) == (1, 2)
    assert check(trades((0, 1, 10), (2, 2, 0), (1, 3, 10)), size).nonpositive == 1

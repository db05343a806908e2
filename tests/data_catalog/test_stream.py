import resource
import sys
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.data import Bar, OrderBookDelta, QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType, BookType, OmsType
from nautilus_trader.model.identifiers import Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.persistence.catalog import ParquetDataCatalog
from nautilus_trader.trading.strategy import Strategy

from bad_input import BadInput
from data_catalog.columns import Bars, Deltas, FundingRates, Quotes, Trades
from data_catalog.instruments import currency, synthetic_perpetual
from data_catalog.store.origin import Origin
from data_catalog.store.stream import DataRequest, merge, stream
from data_catalog.store.write import CatalogWriter

A, B = synthetic_perpetual("SYNAUSDT"), synthetic_perpetual("SYNBUSDT")
A_ID, B_ID = str(A.id), str(B.id)
BAR_TYPE = f"{A_ID}-1-MINUTE-LAST-EXTERNAL"
START = 1_700_000_000_000_000_000
ROWS = 300
LAST = 128
REQUESTS = [
    DataRequest(A_ID, "quotes"),
    DataRequest(B_ID, "quotes"),
    DataRequest(A_ID, "bars", BAR_TYPE),
    DataRequest(B_ID, "trades"),
    DataRequest(A_ID, "trades"),
    DataRequest(A_ID, "funding_rates"),
]


def times(seed: int, rows: int = ROWS, start: int = START) -> np.ndarray:
    return start + np.cumsum(np.random.default_rng(seed).integers(1, 3, rows))  # series share many times


def quotes(seed: int, start: int = START) -> Quotes:
    n, ts = 1 + np.arange(ROWS), times(seed, start=start)
    return Quotes(100 + n, 101 + n, n, n, ts, ts)


def trades(seed: int, start: int = START) -> Trades:
    n, ts = 1 + np.arange(ROWS), times(seed, start=start)
    return Trades(100 + n, n, np.ones(ROWS, np.uint8), n, ts, ts)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalog")
    ts = START + np.arange(5, dtype=np.int64) * 40
    ones = np.ones(5, dtype=np.int64)
    origin = Origin("synthetic")
    for start in (START, START + 10_000):
        with CatalogWriter(folder) as writer:
            writer.quotes(A, quotes(1, start), origin)
            writer.trades(A, trades(2, start), origin)
            writer.quotes(B, quotes(3, start), origin)
            writer.trades(B, trades(4, start), origin)
    with CatalogWriter(folder) as writer:
        writer.bars(BAR_TYPE, A, Bars(ones, ones, ones, ones, ones, ts, ts), origin)
        writer.funding_rates(A, FundingRates(np.arange(5) * 10**11, ts, ts), origin)
    return folder


def read(catalog, requests=REQUESTS, start=START, end=START + 20_000, chunk_rows=1_000) -> list:
    return [row for chunk in stream(catalog, requests, start, end, chunk_rows) for row in chunk]


def key(row) -> tuple:
    return type(row).__name__, str(type(row).to_dict(row))


@dataclass
class Row:
    ts_init: int
    series: int
    number: int


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 12)), st.lists(st.integers(1, 4), min_size=1)
        ),  # gaps of a series, its chunks
        max_size=5,
    ),
    st.integers(1, 3),
)
def test_merging_keeps_the_order_of_time_then_of_series_then_of_rows(data, stretch):
    def chunks(rows, sizes):
        while rows:
            for size in sizes:
                if rows[:size]:
                    yield rows[:size]
                rows = rows[size:]

    series = [
        [Row(int(ts) // stretch, n, i) for i, ts in enumerate(np.cumsum(gaps))] for n, (gaps, _) in enumerate(data)
    ]
    merged = list(merge([chunks(rows, sizes) for rows, (_, sizes) in zip(series, data, strict=True)]))
    expected = sorted((row for rows in series for row in rows), key=lambda row: (row.ts_init, row.series, row.number))
    assert [row for chunk in merged for row in chunk] == expected
    assert all(merged)


@pytest.mark.parametrize("chunk_rows", [1, 7, 100, 20_000])
def test_rows_are_those_of_the_engines_catalog_in_the_stated_order(catalog, chunk_rows):
    engine = ParquetDataCatalog(str(catalog))
    series = [
        engine.query(TradeTick, [A_ID]),
        engine.query(TradeTick, [B_ID]),
        engine.query(QuoteTick, [A_ID]),
        engine.query(QuoteTick, [B_ID]),
        engine.query(Bar, [BAR_TYPE]),
    ]
    expected = sorted((row for rows in series for row in rows), key=lambda row: row.ts_init)
    found = read(catalog, REQUESTS[:-1], chunk_rows=chunk_rows)
    assert len(found) == 4 * 2 * ROWS + 5
    assert list(map(key, found)) == list(map(key, expected))


def test_the_order_of_the_requests_and_the_size_of_chunks_do_not_matter(catalog):
    expected = [key(row) for row in read(catalog)]
    assert [key(row) for row in read(catalog, REQUESTS[::-1], chunk_rows=3)] == expected
    assert [key(row) for row in read(catalog, REQUESTS * 2)] == expected


def test_start_and_end_are_inclusive(catalog):
    request = [DataRequest(A_ID, "quotes")]
    ts = [int(time) for time in times(1)]
    found = [row.ts_init for row in read(catalog, request, ts[50], ts[99])]
    assert found == [time for time in ts if ts[50] <= time <= ts[99]]
    whole = [key(row) for row in read(catalog)]
    parts = [key(row) for start in (START, START + 150) for row in read(catalog, REQUESTS, start, start + 149)]
    assert parts == whole[: len(parts)]


def test_files_outside_the_times_are_not_opened(catalog, tmp_path):
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(A, quotes(1), Origin("synthetic"))
    folder = tmp_path / "data" / "quote_tick" / A_ID
    for year in (2021, 2029):
        (folder / f"{year}-01-01T00-00-00-000000000Z_{year}-01-02T00-00-00-000000000Z.parquet").write_bytes(b"damaged")
    assert len(read(tmp_path, REQUESTS[:1])) == ROWS


def test_a_gap_in_the_data_is_passed_over(catalog):
    assert read(catalog, REQUESTS[:1], START + 5_000, START + 10_050)[0].ts_init >= START + 10_000


def test_funding_rates_are_decimals(catalog):
    rates = [row.rate for row in read(catalog, REQUESTS[-1:], START + 40, START + 120)]
    assert rates == [Decimal("0.00001"), Decimal("0.00002"), Decimal("0.00003")]
    assert all(isinstance(rate, Decimal) for rate in rates)


@pytest.mark.parametrize(
    ("request_", "start", "end", "message"),
    [
        (DataRequest("SYNCUSDT-PERP.BINANCE", "quotes"), START, START + 9, "no quotes of SYNCUSDT-PERP.BINANCE"),
        (DataRequest(A_ID, "deltas"), START, START + 9, "no deltas of SYNAUSDT-PERP.BINANCE"),
        (DataRequest(A_ID, "bars", f"{A_ID}-5-MINUTE-LAST-EXTERNAL"), START, START + 9, "no bars of .*-5-MINUTE"),
        (DataRequest(A_ID, "quotes"), START - 9, START - 1, "it has 2023-11-14T22:13:20"),
        (DataRequest(A_ID, "quotes"), START + 9, START, "the start 2023-.* is after the end 2023-"),
    ],
)
def test_what_is_not_there_is_bad_input_before_anything_is_read(catalog, request_, start, end, message):
    with pytest.raises(BadInput, match=message):
        stream(catalog, [request_], start, end)


def book_updates() -> Deltas:
    """A snapshot and then updates that move both sides by three ticks at once, upwards first bids, downwards too."""
    rows = [(4, 0, 0, 0, 0, START)]
    rows += [(1, side, price, 5, 32, START) for side, price in ((1, 100), (1, 80), (2, 101), (2, 130))]
    rows[-1] = (*rows[-1][:4], 32 | LAST, START)
    bid, time = 100, START
    for step in (3, 3, -3, 3, -3, -3):
        time += 1_000
        old, bid = bid, bid + step
        rows += [(1, 1, bid, 5, 0, time), (3, 1, old, 0, 0, time), (1, 2, bid + 1, 5, 0, time)]
        rows += [(3, 2, old + 1, 0, LAST, time)]
    columns = np.array(rows, dtype=np.int64).T
    codes = [columns[n].astype(np.uint8) for n in (0, 1, 4)]
    ts = columns[5].copy()
    return Deltas(codes[0], codes[1], columns[2].copy(), columns[3].copy(), codes[2], np.arange(len(ts)), ts, ts)


@pytest.fixture
def book_catalog(tmp_path):
    with CatalogWriter(tmp_path) as writer:
        writer.deltas(A, book_updates(), Origin("synthetic"))
    return tmp_path


@pytest.mark.parametrize("chunk_rows", [1, 3, 1_000])
def test_changes_of_a_book_come_as_whole_updates(book_catalog, chunk_rows):
    updates = read(book_catalog, [DataRequest(A_ID, "deltas")], chunk_rows=chunk_rows)
    assert [len(update.deltas) for update in updates] == [5, 4, 4, 4, 4, 4, 4]
    stored = ParquetDataCatalog(str(book_catalog)).query(OrderBookDelta)
    assert [key(delta) for update in updates for delta in update.deltas] == [key(delta) for delta in stored]


def test_updates_without_their_last_flag_end_with_their_time(tmp_path):
    columns = book_updates()
    columns.flags[:] = 0
    with CatalogWriter(tmp_path) as writer:
        writer.deltas(A, columns, Origin("synthetic"))
    updates = read(tmp_path, [DataRequest(A_ID, "deltas")], chunk_rows=2)
    assert [len(update.deltas) for update in updates] == [5, 4, 4, 4, 4, 4, 4]


class Watcher(Strategy):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list = []
        self.spreads: list = []

    def on_start(self) -> None:
        self.subscribe_order_book_deltas(A.id, BookType.L2_MBP)
        for instrument in (A, B):
            self.subscribe_quote_ticks(instrument.id)
            self.subscribe_trade_ticks(instrument.id)

    def on_order_book_deltas(self, deltas) -> None:
        book = self.cache.order_book(A.id)
        self.spreads.append(book.best_ask_price() - book.best_bid_price())

    def on_quote_tick(self, tick) -> None:
        self.seen.append(key(tick))

    def on_trade_tick(self, tick) -> None:
        self.seen.append(key(tick))


def run(rows, book_type: BookType) -> Watcher:
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    usdt = currency("USDT")
    engine.add_venue(Venue("BINANCE"), OmsType.NETTING, AccountType.MARGIN, [Money(1_000, usdt)], book_type=book_type)
    for instrument in (A, B):
        engine.add_instrument(instrument)
    watcher = Watcher()
    engine.add_strategy(watcher)
    engine.add_data_iterator("catalog", rows)
    engine.run(start=pd.Timestamp(START - 10, tz="UTC"), end=pd.Timestamp(START + 20_000, tz="UTC"))
    engine.dispose()
    return watcher


def test_the_engine_shows_strategies_a_book_that_is_never_crossed(book_catalog):
    watcher = run(stream(book_catalog, [DataRequest(A_ID, "deltas")], START, START + 20_000), BookType.L2_MBP)
    assert watcher.spreads == [Decimal("0.01")] * 7


def test_the_engine_gets_every_row_once_and_in_order(catalog):
    requests = [request for request in REQUESTS if request.data_type in ("quotes", "trades")]
    watcher = run(stream(catalog, requests, START, START + 20_000, 64), BookType.L1_MBP)
    assert watcher.seen == [key(row) for row in read(catalog, requests)]


def test_every_book_update_stays_whole_where_the_reader_parts_rows_of_one_time(tmp_path):
    """Rows that share a time come back in another order where they straddle the reader's batches of 8,192."""
    updates, levels = 4_000, 7
    n = np.arange(updates * levels)
    level = n % levels
    ts = START + n // levels * 1_000
    clear = (level == 0) & (n // levels % 50 == 0)
    columns = Deltas(
        action=np.where(clear, 4, 1).astype(np.uint8),
        side=np.where(clear, 0, 1).astype(np.uint8),
        price=np.where(clear, 0, 100 + level),
        size=np.where(clear, 0, 1 + n),
        flags=np.where(level == levels - 1, LAST, 0).astype(np.uint8),
        sequence=n // levels,
        ts_event=ts,
        ts_init=ts,
    )
    with CatalogWriter(tmp_path) as writer:
        writer.deltas(A, columns, Origin("recorded"))

    found = read(tmp_path, [DataRequest(A_ID, "deltas")], START, START + updates * 1_000)

    assert [len(update.deltas) for update in found] == [levels] * updates
    assert [update.sequence for update in found] == list(range(updates))
    cleared = [update.deltas[0].is_clear for update in found]
    assert cleared == [number % 50 == 0 for number in range(updates)]


def peak_mb() -> float:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def test_what_was_read_is_given_back(tmp_path):
    rows = 250_000
    n = np.arange(1, rows + 1)
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(A, Quotes(n, n + 1, n, n, n, n), Origin("synthetic"))
    peaks = []
    for _ in range(4):
        assert sum(map(len, stream(tmp_path, REQUESTS[:1], 0, rows))) == rows
        peaks.append(peak_mb())
    assert peaks[-1] - peaks[0] < 40  # a pass that leaks leaves 65 MB behind

import gzip
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bad_input import BadInput
from data_catalog.archive import blocks as archive_blocks
from data_catalog.archive.csv_tables import CsvFormat, Field, read_tables
from data_catalog.archive.files import archive_kind, bar_type, parse_archive_file
from data_catalog.archive.index import ArchiveKind
from data_catalog.archive.order import put_in_order
from data_catalog.columns import Bars, FundingRates, Quotes, Trades
from data_catalog.instruments import find_instrument
from data_catalog.recordings.parser import RecordingParser

PERP = find_instrument("BTCUSDT-PERP.BINANCE")
SPOT = find_instrument("BTCUSDT.BINANCE")
MS = 10**6

AGG_TRADES = "BTCUSDT-aggTrades-2024-08-08.csv"
AGG_TRADES_HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
KLINES_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,"
    "count,taker_buy_volume,taker_buy_quote_volume,ignore\n"
)
BOOK_TICKER_HEADER = "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time\n"


def write(folder: Path, name: str, text: str) -> Path:
    """Write a CSV file; zipped, under its own name, if `name` says so."""
    path = folder / name
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name.replace(".zip", ".csv"), text)
    else:
        path.write_text(text)
    return path


def parse(path: Path, instrument=PERP, notes=None):
    """Return the data type and all rows of a file."""
    chunks = list(parse_archive_file(path, instrument, notes))
    kinds = {kind for kind, _ in chunks}
    assert len(kinds) == 1
    return kinds.pop(), type(chunks[0][1]).concat([columns for _, columns in chunks])


def agg_trade(trade_id: int, price="60000.10", size="0.002", time=1723075200000, maker="true") -> str:
    return f"{trade_id},{price},{size},{trade_id},{trade_id},{time},{maker}\n"


def assert_columns(columns, expected) -> None:
    assert type(columns) is type(expected)
    for name in expected.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(columns, name), getattr(expected, name), err_msg=name)
        assert getattr(columns, name).dtype == getattr(expected, name).dtype


@pytest.mark.parametrize("suffix", ["csv", "zip"])
@pytest.mark.parametrize("header", ["", AGG_TRADES_HEADER])
def test_agg_trades_of_futures(tmp_path, suffix, header):
    rows = agg_trade(11, "60000.1", "0.002", 1723075200000, "true") + agg_trade(
        12, "60000.20", "1.000", 1723075200050, "false"
    )
    kind, trades = parse(write(tmp_path, f"BTCUSDT-aggTrades-2024-08-08.{suffix}", header + rows))
    ts = np.array([1723075200000 * MS, 1723075200050 * MS])
    expected = Trades(
        price=np.array([600001, 600002]),
        size=np.array([2, 1000]),
        aggressor=np.array([2, 1], np.uint8),
        trade_id=np.array([11, 12]),
        ts_event=ts,
        ts_init=ts,
    )
    assert kind == "trades"
    assert_columns(trades, expected)


@pytest.mark.parametrize(("true", "false"), [("True", "False"), ("true", "false"), ("TRUE", "FALSE")])
def test_agg_trades_of_spot_have_an_eighth_column(tmp_path, true, false):
    rows = f"0,64000.01000000,0.00002000,0,0,1723075200000,{true},True\n"
    rows += f"1,64000.02000000,0.50000000,1,3,1723075200001,{false},True\n"
    _, trades = parse(write(tmp_path, AGG_TRADES, rows), SPOT)
    assert trades.price.tolist() == [6400001, 6400002]
    assert trades.size.tolist() == [2, 50000]
    assert trades.aggressor.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("instrument", "text"),
    [
        (SPOT, "7,64000.01,0.5,32000.005,1723075200000,False,True\n"),
        (PERP, "id,price,qty,quote_qty,time,is_buyer_maker\n7,64000.1,0.5,32000.05,1723075200000,false\n"),
    ],
)
def test_trades_of_both_markets(tmp_path, instrument, text):
    kind, trades = parse(write(tmp_path, "BTCUSDT-trades-2024-08-08.zip", text), instrument)
    assert kind == "trades"
    assert trades.trade_id.tolist() == [7]
    assert trades.ts_init.tolist() == [1723075200000 * MS]
    assert trades.aggressor.tolist() == [1]


def test_book_ticker_carries_the_transaction_time(tmp_path):
    rows = "100,60000.00000000,1.50000000,60000.10000000,2.00000000,1711756800000,1711756800005\n"
    kind, quotes = parse(write(tmp_path, "BTCUSDT-bookTicker-2024-03-30.zip", BOOK_TICKER_HEADER + rows))
    ts = np.array([1711756800000 * MS])
    expected = Quotes(np.array([600000]), np.array([600001]), np.array([1500]), np.array([2000]), ts, ts)
    assert kind == "quotes"
    assert_columns(quotes, expected)


def test_quotes_with_an_empty_side_are_dropped_and_counted(tmp_path):
    rows = "1,0,0,60000.1,2,1711756800000,1711756800005\n2,60000.0,1,60000.1,2,1711756800001,1711756800005\n"
    notes = Counter()
    _, quotes = parse(write(tmp_path, "BTCUSDT-bookTicker-2024-03-30.csv", rows), notes=notes)
    assert quotes.bid_price.tolist() == [600000]
    assert notes == {"one_sided_quotes": 1}


@pytest.mark.parametrize("header", ["", KLINES_HEADER])
def test_klines_are_stamped_with_their_close(tmp_path, header):
    rows = "1722470400000,64000.0,64100.5,63900.1,64050.0,12.345,1722470699999,1,1,1,1,0\n"
    path = write(tmp_path, "BTCUSDT-5m-2024-08.zip", header + rows)
    kind, bars = parse(path)
    ts = np.array([1722470400000 * MS + 300 * 10**9])
    one = [np.array([value]) for value in (640000, 641005, 639001, 640500, 12345)]
    assert kind == "bars"
    assert_columns(bars, Bars(*one, ts, ts))
    assert bar_type(path, PERP) == "BTCUSDT-PERP.BINANCE-5-MINUTE-LAST-EXTERNAL"


@pytest.mark.parametrize(
    ("interval", "opened", "closed"),
    [
        ("1s", "2024-08-01T00:00:59", "2024-08-01T00:01:00"),
        ("1m", "2024-08-01T23:59:00", "2024-08-02T00:00:00"),
        ("12h", "2024-08-01T12:00:00", "2024-08-02T00:00:00"),
        ("1d", "2024-02-28T00:00:00", "2024-02-29T00:00:00"),
        ("3d", "2024-08-01T00:00:00", "2024-08-04T00:00:00"),
        ("1w", "2024-07-29T00:00:00", "2024-08-05T00:00:00"),
        ("1mo", "2024-02-01T00:00:00", "2024-03-01T00:00:00"),
        ("1mo", "2024-12-01T00:00:00", "2025-01-01T00:00:00"),
    ],
)
def test_close_of_every_kind_of_interval(tmp_path, interval, opened, closed):
    open_ms = int(datetime.fromisoformat(opened).replace(tzinfo=UTC).timestamp()) * 1000
    row = f"{open_ms},64000.01,64000.01,64000.01,64000.01,0.00000000,{open_ms},0,0,0,0,0\n"
    _, bars = parse(write(tmp_path, f"BTCUSDT-{interval}-2024-08.csv", row), SPOT)
    close_ns = int(datetime.fromisoformat(closed).replace(tzinfo=UTC).timestamp()) * 10**9
    assert bars.ts_init.tolist() == [close_ns]
    assert bars.volume.tolist() == [0]


def test_funding_rates_are_exact_in_every_notation(tmp_path):
    text = "calc_time,funding_interval_hours,last_funding_rate\n"
    text += "1722470400000,8,0.00010000\n1722499200001,8,-4.7E-7\n1722528000000,8,0.00000000\n"
    kind, rates = parse(write(tmp_path, "BTCUSDT-fundingRate-2024-08.zip", text))
    ts = np.array([1722470400000, 1722499200001, 1722528000000]) * MS
    assert kind == "funding_rates"
    assert_columns(rates, FundingRates(np.array([10**12, -4_700_000_000, 0]), ts, ts))


@pytest.mark.parametrize(
    ("time", "expected_ns"),
    [
        (1735689599999, 1735689599999 * 10**6),
        (1735689600000000, 1735689600000000 * 10**3),
        (1735689600000123, 1735689600000123 * 10**3),
    ],
)
def test_the_unit_of_times_is_told_by_their_magnitude(tmp_path, time, expected_ns):
    _, trades = parse(write(tmp_path, AGG_TRADES, agg_trade(1, time=time)))
    assert trades.ts_init.tolist() == [expected_ns]


def test_a_file_around_the_switch_to_microseconds_is_seamless(tmp_path):
    rows = agg_trade(1, time=1735689599999) + agg_trade(2, time=1735689600000001) + agg_trade(3, time=1735689600000900)
    _, trades = parse(write(tmp_path, AGG_TRADES, rows))
    assert np.diff(trades.ts_init).tolist() == [1_001_000, 899_000]


def test_45_000_random_decimals_come_through_exactly(tmp_path):
    random = np.random.default_rng(7)
    prices = random.integers(1, 10**13, 45_000).tolist()
    sizes = random.integers(1, 10**15, 45_000).tolist()
    # Written with and without an exponent, and with needless zeros, as the archive has all of them.
    price_texts = [str(Decimal(price).scaleb(-2)) for price in prices]
    size_texts = [f"{Decimal(size).scaleb(-5):f}000" for size in sizes]
    small = [str(Decimal(size % 100).scaleb(-5)) for size in sizes]
    texts = zip(price_texts, size_texts, strict=True)
    rows = [agg_trade(row, *pair, maker=str(row % 2 == 0)) for row, pair in enumerate(texts)]
    rows += [agg_trade(45_000 + row, size=text) for row, text in enumerate(small) if sizes[row] % 100]
    _, trades = parse(write(tmp_path, AGG_TRADES, "".join(rows)), SPOT)
    assert trades.price[:45_000].tolist() == prices
    assert trades.size.tolist() == sizes + [size % 100 for size in sizes if size % 100]


@given(st.lists(st.decimals(min_value=0, max_value=10**9, places=8), min_size=1, max_size=50))
def test_any_decimal_is_read_as_python_reads_it(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("decimals") / "values.csv"
    path.write_text("".join(f"{value}\n" for value in values))
    layout = CsvFormat("values", (1,), (Field("value", 0, ("value",), 8),))
    read = [count for table in read_tables(path, layout) for count in table.column("value").to_pylist()]
    assert read == [int(value.scaleb(8)) for value in values]


def test_header_columns_are_found_by_name_in_any_order(tmp_path):
    text = "price,quantity,transact_time,agg_trade_id,is_buyer_maker\n60000.1,0.002,1723075200000,5,true\n"
    _, trades = parse(write(tmp_path, AGG_TRADES, text))
    assert (trades.trade_id.tolist(), trades.price.tolist(), trades.size.tolist()) == ([5], [600001], [2])


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("3,60000.1,0.002,3,3,1723075200000\n", 'row had 6 columns, expected 7: "3,60000.1,0.002,3,3,1723075200000"'),
        ("\n", 'row had 1 columns, expected 7: ""'),
        (agg_trade(3, price="sixty"), 'price was "sixty", expected a number with at most 1 decimals'),
        (agg_trade(3, price=""), 'price was "", expected a number with at most 1 decimals'),
        (agg_trade(3, price="60000.15"), 'price was "60000.15", expected a number with at most 1 decimals; tick and'),
        (agg_trade(3, price="-60000.1"), "price -60000.1 is not positive"),
        (agg_trade(3, price="1e30"), "price 1000000000000000000000000000000.0 is out of range"),
        (agg_trade(3, size="-0.002"), "size -0.002 is negative"),
        (agg_trade(3, size="0"), "size 0.000 is no size; some files of the archive are faulty"),
        (agg_trade(3, size="2.7755575615628914e-17"), 'size was "2.7755575615628914e-17", expected a number with at'),
        (agg_trade(3, maker="maybe"), 'buyer_is_maker was "maybe", expected true or false'),
        (agg_trade(3, time="17.5"), 'time was "17.5", expected a whole number'),
        (agg_trade(3, time="17"), "time 17 is not a time in milliseconds or microseconds"),
        (agg_trade(3, time=2**62), f"time {2**62} is not a time in milliseconds or microseconds"),
        (agg_trade(3, time=1723075200000 - 61_000), "time 1723075139000 is 61.000 s before that of an earlier row"),
    ],
)
@pytest.mark.parametrize("block_bytes", [archive_blocks.BLOCK_BYTES, 60])
@pytest.mark.parametrize("header", ["", AGG_TRADES_HEADER])
def test_a_bad_row_is_named_with_its_line(tmp_path, monkeypatch, header, block_bytes, row, problem):
    monkeypatch.setattr(archive_blocks, "BLOCK_BYTES", max(block_bytes, len(header)))
    path = write(
        tmp_path, "BTCUSDT-aggTrades-2024-08-08.zip", header + agg_trade(1) + agg_trade(2) + row + agg_trade(4)
    )
    with pytest.raises(BadInput) as refused:
        parse(path)
    assert str(refused.value).startswith(f"{path}:{4 if header else 3}: {problem}")


def test_a_price_off_the_tick_is_refused(tmp_path):
    filters = [{"filterType": "PRICE_FILTER", "tickSize": "0.50"}, {"filterType": "LOT_SIZE", "stepSize": "0.001"}]
    symbol = {"symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT", "filters": filters}
    info = tmp_path / "info.json"
    info.write_text(json.dumps({"symbols": [symbol | {"contractType": "PERPETUAL"}]}))
    rows = agg_trade(1, price="60000.5") + agg_trade(2, price="60000.3")
    path = write(tmp_path, AGG_TRADES, rows)
    with pytest.raises(BadInput, match=r"csv:2: price 60000\.3 is not a multiple of the tick 0\.5; give the rules"):
        parse(path, find_instrument("BTCUSDT-PERP.BINANCE", info))


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ("64000.0,63999.0,63900.0,63950.0,1", "open 64000.0 is above the high"),
        ("64000.0,64100.0,63900.0,63899.9,1", "close 63899.9 is below the low"),
        ("64000.0,64100.0,63900.0,64000.0,-1", "volume -1.000 is negative"),
        ("0,64100.0,0,64000.0,1", "open 0.0 is not positive"),
    ],
)
def test_a_bar_that_contradicts_itself_is_refused(tmp_path, values, problem):
    path = write(tmp_path, "BTCUSDT-1m-2024-08.csv", f"1722470400000,{values},1722470459999,0,0,0,0,0\n")
    with pytest.raises(BadInput) as refused:
        parse(path)
    assert str(refused.value).startswith(f"{path}:1: {problem}")


def test_two_different_bars_of_one_time_are_refused(tmp_path):
    row = "1722470400000,64000.0,64000.0,64000.0,64000.0,{},1722470459999,0,0,0,0,0\n"
    path = write(tmp_path, "BTCUSDT-1m-2024-08.csv", row.format(1) + row.format(1) + row.format(2))
    with pytest.raises(BadInput, match=r"csv:3: another row of the same time says something else"):
        parse(path)


def test_repeated_rows_count_once_and_equal_ids_of_different_trades_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_blocks, "BLOCK_BYTES", 60)
    rows = agg_trade(1) + agg_trade(1) + agg_trade(2) + agg_trade(2, size="5") + agg_trade(3) * 3
    notes = Counter()
    _, trades = parse(write(tmp_path, AGG_TRADES, rows), notes=notes)
    assert trades.trade_id.tolist() == [1, 2, 2, 3]
    assert notes == {"duplicate_rows": 3}


def test_times_a_little_late_are_raised_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_blocks, "BLOCK_BYTES", 60)
    times = [1723075200000, 1723075201000, 1723075200100, 1723075200999, 1723075201001]
    rows = "".join(agg_trade(number, time=time) for number, time in enumerate(times))
    notes = Counter()
    _, trades = parse(write(tmp_path, AGG_TRADES, rows), notes=notes)
    assert (trades.ts_init // MS - 1723075200000).tolist() == [0, 1000, 1000, 1000, 1001]
    assert notes == {"late_rows": 2}


@pytest.mark.parametrize(("rows", "maker"), [(1_000, "true"), (2_000, "false")])
def test_a_file_that_does_not_know_the_side_of_its_trades_is_refused(tmp_path, rows, maker):
    text = "".join(agg_trade(number, maker=maker) for number in range(rows))
    with pytest.raises(BadInput, match=rf"is_buyer_maker is {maker} in all {rows:,} rows; some files of the archive"):
        parse(write(tmp_path, AGG_TRADES, text))


def test_a_quiet_day_may_have_one_side_only(tmp_path):
    text = "".join(agg_trade(number) for number in range(999))
    assert len(parse(write(tmp_path, AGG_TRADES, text))[1]) == 999


def shuffled_trades(rows: int) -> list[str]:
    """Return the rows of a file whose second half is shuffled into its first, as the archive has them."""
    half = rows // 2
    ids = [number for low in range(half) for number in (low, low + half)]
    return [
        agg_trade(number, f"{60000 + number % 7}.5", "0.002", 1723075200000 + 900 * number, str(number % 3 == 0))
        for number in ids
    ]


def test_a_shuffled_file_comes_out_in_the_order_of_its_ids(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_blocks, "BLOCK_BYTES", 20_000)
    rows = 4_000
    path = write(tmp_path, "BTCUSDT-aggTrades-2024-08-08.zip", AGG_TRADES_HEADER + "".join(shuffled_trades(rows)))
    notes = Counter()
    _, trades = parse(path, notes=notes)
    assert trades.trade_id.tolist() == list(range(rows))
    assert trades.ts_init.tolist() == [(1723075200000 + 900 * number) * MS for number in range(rows)]
    assert (trades.price % 70 == (600005 + np.arange(rows) % 7 * 10) % 70).all()
    assert notes == {"disordered_files": 1}


def test_a_bad_row_of_a_shuffled_file_is_named_with_its_line(tmp_path):
    rows = shuffled_trades(100)
    rows[42] = rows[42].replace(",0.002,", ",-0.002,")
    path = write(tmp_path, AGG_TRADES, "".join(rows))
    with pytest.raises(BadInput, match=r"csv:43: size -0\.002 is negative"):
        parse(path)


def test_disorder_only_at_the_end_of_a_file_is_put_right_too(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_blocks, "BLOCK_BYTES", 60)
    rows = "".join(agg_trade(number) for number in (1, 2, 3, 4, 6, 5))
    _, trades = parse(write(tmp_path, AGG_TRADES, rows))
    assert trades.trade_id.tolist() == [1, 2, 3, 4, 5, 6]


@given(
    keys=st.lists(st.lists(st.integers(-5, 5), min_size=1, max_size=600), max_size=5),
    chunk_rows=st.sampled_from([1, 256, 512, 10_000]),
)
def test_ordering_keeps_every_row_and_is_stable(keys, chunk_rows):
    flat = [(key, number) for number, key in enumerate(key for run in keys for key in run)]
    tables, start = [], 0
    for run in keys:
        tables.append(pa.table({"key": pa.array(run, pa.int64()), "row": list(range(start, start + len(run)))}))
        start += len(run)
    ordered = [
        pair
        for table in put_in_order(tables, "key", chunk_rows)
        for pair in zip(table.column("key").to_pylist(), table.column("row").to_pylist(), strict=True)
    ]
    assert ordered == sorted(flat)


def break_zip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (break_zip, "is a broken zip file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-30]), "is a broken zip file"),
        (lambda path: path.write_text("<html>"), "is a broken zip file"),
        (lambda path: path.unlink(), "cannot be read (No such file or directory)"),
        (lambda path: zipfile.ZipFile(path, "w").close(), "holds nothing, expected one CSV file"),
    ],
)
def test_a_broken_zip_file_gives_no_row(tmp_path, damage, problem):
    path = write(tmp_path, "BTCUSDT-aggTrades-2024-08-08.zip", "".join(agg_trade(number) for number in range(5_000)))
    damage(path)
    with pytest.raises(BadInput) as refused:
        next(parse_archive_file(path, PERP))
    assert str(refused.value).startswith(f"{path}: {problem}")


def test_a_zip_file_with_two_members_is_refused(tmp_path):
    path = tmp_path / "BTCUSDT-aggTrades-2024-08-08.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", agg_trade(1))
        archive.writestr("b.csv", agg_trade(1))
    with pytest.raises(BadInput, match=r"holds a\.csv, b\.csv, expected one CSV file"):
        parse(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("1,2\n", ":1: aggTrades row had 2 columns, expected 7 or 8"),
        ("time,value\n", ':1: aggTrades header was "time,value", without a column "agg_trade_id"'),
    ],
)
def test_a_file_with_other_columns_is_refused(tmp_path, text, problem):
    path = write(tmp_path, AGG_TRADES, text)
    with pytest.raises(BadInput) as refused:
        parse(path)
    assert problem in str(refused.value)


def test_a_file_without_line_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_blocks, "BLOCK_BYTES", 100)
    with pytest.raises(BadInput, match="is not a CSV file"):
        parse(write(tmp_path, AGG_TRADES, "1" * 1000))


def test_a_header_and_nothing_else_is_no_data(tmp_path):
    assert list(parse_archive_file(write(tmp_path, AGG_TRADES, AGG_TRADES_HEADER), PERP)) == []


def test_windows_line_ends_and_a_missing_last_line_end_do_not_matter(tmp_path):
    rows = (agg_trade(1) + agg_trade(2)).replace("\n", "\r\n")
    path = tmp_path / AGG_TRADES
    path.write_bytes(rows.removesuffix("\r\n").encode())
    assert parse(path)[1].trade_id.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("name", "instrument", "problem"),
    [
        ("trades.csv", PERP, "is not named as a file of the archive"),
        ("ETHUSDT-aggTrades-2024-08-08.zip", PERP, "holds ETHUSDT, not BTCUSDT-PERP.BINANCE"),
        ("BTCUSDT-fundingRate-2024-08.zip", SPOT, "there is no fundingRate of spot"),
        ("BTCUSDT-bookTicker-2024-03-30.zip", SPOT, "there is no bookTicker of spot"),
    ],
)
def test_a_file_that_cannot_be_of_the_instrument_is_refused_at_once(tmp_path, name, instrument, problem):
    with pytest.raises(BadInput, match=problem):
        parse_archive_file(tmp_path / name, instrument)


def test_the_kind_is_told_by_the_name():
    assert archive_kind(Path("x/BTCUSDT-1m-2024-08.zip")) is ArchiveKind.KLINES
    assert archive_kind(Path("BTCUSDT-trades-2024-08-08.csv")) is ArchiveKind.TRADES
    assert archive_kind(Path("nexousdt_20240723.gz")) is None


def test_bar_type_of_something_else_is_refused():
    with pytest.raises(BadInput, match="holds aggTrades, expected klines"):
        bar_type(Path(AGG_TRADES), PERP)


def recorded(path: Path, event: str) -> Iterator[dict]:
    """Yield the messages of one kind that a recorder wrote, as `<receive time> <json>`."""
    with gzip.open(path, "rt") as lines:
        for line in lines:
            message = json.loads(line.split(" ", 1)[1])
            data = message.get("data", {})
            if data.get("e", "bookTicker" if "b" in data and "B" in data else None) == event:
                yield data


@pytest.mark.real_data
@pytest.mark.parametrize(("market", "instrument"), [("spot", SPOT), ("usdm", PERP)])
def test_recorded_trades_say_the_same_as_an_archive_file(shared_data, tmp_path, market, instrument):
    source = shared_data / "ticks_hftbacktest_202408" / f"{market}_btcusdt_20240808.gz"
    trades = [trade for trade in recorded(source, "trade") if trade.get("X", "MARKET") == "MARKET"]
    rows = [f"{t['t']},{t['p']},{t['q']},0,{t['T']},{t['m']}" + ",True" * (market == "spot") for t in trades]
    _, columns = parse(write(tmp_path, "BTCUSDT-trades-2024-08-08.zip", "\n".join(rows)), instrument)
    parsed = [piece for piece in RecordingParser([source], instrument).batches() if isinstance(piece, Trades)]
    expected = Trades.concat(parsed)
    for name in ("price", "size", "aggressor", "trade_id"):
        np.testing.assert_array_equal(getattr(columns, name), getattr(expected, name), err_msg=name)
    assert columns.ts_init.tolist() == [trade["T"] * MS for trade in trades]


@pytest.mark.real_data
def test_recorded_quotes_say_the_same_as_an_archive_file(shared_data, tmp_path):
    source = shared_data / "ticks_hftbacktest_202408" / "usdm_btcusdt_20240808.gz"
    quotes = list(recorded(source, "bookTicker"))
    rows = [f"{q['u']},{q['b']},{q['B']},{q['a']},{q['A']},{q['T']},{q['E']}" for q in quotes]
    _, columns = parse(write(tmp_path, "BTCUSDT-bookTicker-2024-08-08.zip", "\n".join(rows)))
    parsed = [piece for piece in RecordingParser([source], PERP).batches() if isinstance(piece, Quotes)]
    expected = Quotes.concat(parsed)
    for name in ("bid_price", "ask_price", "bid_size", "ask_size"):
        np.testing.assert_array_equal(getattr(columns, name), getattr(expected, name), err_msg=name)

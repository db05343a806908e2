from datetime import date

import pytest

from data_catalog.archive.index import (
    INTERVALS,
    KINDS,
    ArchiveFile,
    ArchiveKind,
    Market,
    Period,
    market_of,
    monthly_only,
    parse_file_name,
)
from data_catalog.instruments import find_instrument

DAY = Period(date(2024, 8, 8), monthly=False)
MONTH = Period(date(2024, 8, 1), monthly=True)


@pytest.mark.parametrize(
    ("market", "kind", "interval", "period", "path"),
    [
        (Market.SPOT, "aggTrades", None, DAY, "spot/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2024-08-08.zip"),
        (Market.SPOT, "trades", None, MONTH, "spot/monthly/trades/BTCUSDT/BTCUSDT-trades-2024-08.zip"),
        (Market.SPOT, "klines", "1m", DAY, "spot/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-08-08.zip"),
        (Market.USDM, "klines", "1mo", MONTH, "futures/um/monthly/klines/BTCUSDT/1mo/BTCUSDT-1mo-2024-08.zip"),
        (Market.USDM, "bookTicker", None, DAY, "futures/um/daily/bookTicker/BTCUSDT/BTCUSDT-bookTicker-2024-08-08.zip"),
        (
            Market.USDM,
            "fundingRate",
            None,
            MONTH,
            "futures/um/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2024-08.zip",
        ),
    ],
)
def test_paths_are_those_of_the_archive_and_names_are_read_back(market, kind, interval, period, path):
    file = ArchiveFile("BTCUSDT", ArchiveKind(kind), interval, period)
    assert file.path(market) == f"data/{path}"
    assert parse_file_name(file.name) == file
    assert parse_file_name(file.name.replace(".zip", ".csv")) == file


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_interval_is_read_from_its_file_name(interval):
    file = parse_file_name(f"1000PEPEUSDT-{interval}-2023-05.zip")
    assert file == ArchiveFile("1000PEPEUSDT", ArchiveKind.KLINES, interval, Period(date(2023, 5, 1), monthly=True))


@pytest.mark.parametrize(
    "name",
    [
        "notes.csv",
        "BTCUSDT-aggTrades-2024-08-08.zip.part",
        "BTCUSDT-aggTrades-2024-08-08.zip.CHECKSUM",
        "BTCUSDT-aggTrades-2024-13.zip",
        "BTCUSDT-aggTrades-2024-02-30.zip",
        "BTCUSDT-klines-2024-08-08.zip",
        "BTCUSDT-7m-2024-08-08.zip",
        "BTCUSDT-metrics-2024-08-08.zip",
        "nexousdt_20240723.gz",
        "-aggTrades-2024-08-08.zip",
    ],
)
def test_other_names_are_not_those_of_archive_files(name):
    assert parse_file_name(name) is None


def test_a_month_knows_its_days():
    february = Period(date(2024, 2, 1), monthly=True)
    days = list(february.days())
    assert len(days) == 29
    assert (str(days[0]), str(days[-1])) == ("2024-02-01", "2024-02-29")
    assert february.last == date(2024, 2, 29)
    assert all(february.contains(day) for day in days)
    assert not february.contains(Period(date(2024, 3, 1), monthly=False))
    assert Period.month_of(date(2024, 2, 17)) == february


def test_a_day_is_one_day():
    assert list(DAY.days()) == [DAY]
    assert DAY.last == DAY.first
    assert MONTH.contains(DAY)
    assert not DAY.contains(MONTH)


@pytest.mark.parametrize(
    ("instrument_id", "market"), [("NEXOUSDT.BINANCE", Market.SPOT), ("BTCUSDT-PERP.BINANCE", Market.USDM)]
)
def test_the_market_of_an_instrument(instrument_id, market):
    assert market_of(find_instrument(instrument_id)) is market


def test_spot_has_neither_quotes_nor_funding():
    assert set(KINDS[Market.USDM]) - set(KINDS[Market.SPOT]) == {ArchiveKind.BOOK_TICKER, ArchiveKind.FUNDING_RATE}


@pytest.mark.parametrize(
    ("kind", "interval", "expected"),
    [("fundingRate", None, True), ("klines", "1w", True), ("klines", "1d", False), ("aggTrades", None, False)],
)
def test_what_comes_in_monthly_files_only(kind, interval, expected):
    assert monthly_only(ArchiveKind(kind), interval) is expected

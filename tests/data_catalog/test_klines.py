import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bad_input import BadInput
from data_catalog.instruments import find_instrument
from data_catalog.klines import parse_klines

AVAX = find_instrument("AVAXUSDT.BINANCE")
PERPETUAL = find_instrument("BTCUSDT-PERP.BINANCE")
START_MS = 1_659_312_000_000
FIVE_MINUTES_MS = 300_000
ROW = (23.72, 23.77, 23.61, 23.7, 12652.85)


def rows(count: int = 3, step_ms: int = FIVE_MINUTES_MS) -> list[list[float]]:
    return [[START_MS + number * step_ms, *ROW] for number in range(count)]


def write_json(folder: Path, content: object, name: str = "AVAX_USDT-5m.json") -> Path:
    path = folder / name
    text = json.dumps(content).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return path


def write_feather(
    folder: Path, content: list[list[float]], name: str = "AVAX_USDT-5m.feather", unit: str = "ns"
) -> Path:
    table = pd.DataFrame(content, columns=["date", "open", "high", "low", "close", "volume"])
    table["date"] = pd.to_datetime(table["date"], unit="ms", utc=True).dt.as_unit(unit)
    path = folder / name
    table.to_feather(path)
    return path


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_feather_becomes_bars_stamped_with_their_close(tmp_path, unit):
    klines = parse_klines(write_feather(tmp_path, rows(), unit=unit), AVAX)
    assert klines.bar_type == "AVAXUSDT.BINANCE-5-MINUTE-LAST-EXTERNAL"
    assert klines.bars.ts_init.tolist() == [(START_MS + n * FIVE_MINUTES_MS) * 10**6 for n in (1, 2, 3)]
    first = [int(getattr(klines.bars, name)[0]) for name in ("open", "high", "low", "close", "volume")]
    assert first == [2372, 2377, 2361, 2370, 1265285]
    assert klines.rounded.total() == 0


@pytest.mark.parametrize("name", ["AVAX_USDT-5m.json", "AVAX_USDT-5m.json.gz", "AVAX_USDT-5m-spot.json"])
def test_json_gives_the_same_bars_as_feather(tmp_path, name):
    from_json = parse_klines(write_json(tmp_path, rows(), name), AVAX)
    from_feather = parse_klines(write_feather(tmp_path, rows()), AVAX)
    for column in from_json.bars.__slots__:
        np.testing.assert_array_equal(getattr(from_json.bars, column), getattr(from_feather.bars, column))


@pytest.mark.parametrize(
    ("interval", "minutes", "name"),
    [
        ("1m", 1, "1-MINUTE"),
        ("1h", 60, "1-HOUR"),
        ("4h", 240, "4-HOUR"),
        ("1d", 1440, "1-DAY"),
        ("1w", 10080, "1-WEEK"),
    ],
)
def test_interval_comes_from_the_name_or_from_the_option(tmp_path, interval, minutes, name):
    content = rows(step_ms=minutes * 60_000)
    named = parse_klines(write_json(tmp_path, content, f"AVAX_USDT-{interval}.json"), AVAX)
    told = parse_klines(write_json(tmp_path, content, "candles.json"), AVAX, interval)
    assert named.bar_type == told.bar_type == f"AVAXUSDT.BINANCE-{name}-LAST-EXTERNAL"
    assert told.bars.ts_init[0] == (START_MS + minutes * 60_000) * 10**6


def test_futures_name_fits_a_perpetual(tmp_path):
    path = write_json(tmp_path, rows(), "BTC_USDT_USDT-5m-futures.json")
    assert parse_klines(path, PERPETUAL).bar_type == "BTCUSDT-PERP.BINANCE-5-MINUTE-LAST-EXTERNAL"


@pytest.mark.parametrize(("volume", "count"), [(38237435.8999999985, 3823743590), (0.1 + 0.2, 30), (0.0, 0)])
def test_float_noise_is_no_rounding(tmp_path, volume, count):
    klines = parse_klines(write_json(tmp_path, [[START_MS, *ROW[:4], volume]]), AVAX)
    assert klines.bars.volume.tolist() == [count]
    assert klines.rounded.total() == 0


def test_values_off_the_grid_are_rounded_and_counted(tmp_path):
    klines = parse_klines(write_json(tmp_path, [[START_MS, 23.724, 23.776, 23.61, 23.7, 24976.683]]), AVAX)
    assert (klines.bars.open[0], klines.bars.high[0], klines.bars.volume[0]) == (2372, 2378, 2497668)
    assert klines.rounded == {"prices rounded to the tick": 2, "volumes rounded to the step": 1}


def test_repeated_row_is_dropped_and_counted(tmp_path):
    content = rows()
    klines = parse_klines(write_json(tmp_path, [content[0], *content]), AVAX)
    assert len(klines.bars) == 3
    assert klines.dropped == {"repeated": 1}


def test_missing_bars_are_no_error(tmp_path):
    content = rows(5)
    assert len(parse_klines(write_json(tmp_path, [*content[:2], *content[4:]]), AVAX).bars) == 3


def changed(row: int, column: int, value: object) -> list[list[object]]:
    content = rows()
    content[row][column] = value
    return content


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ([], "holds no rows"),
        (changed(1, 2, 23.0), "row 2: open is above the high"),
        (changed(2, 3, 23.71), "row 3: close is below the low"),
        (changed(0, 5, -1.0), "row 1: volume is negative"),
        (changed(1, 1, 0.0), "row 2: open is not positive"),
        (changed(1, 1, "23.7"), "row 2: expected [ms, open, high, low, close, volume]"),
        (changed(1, 0, START_MS), "row 2: another row of the same time says something else"),
        (changed(2, 0, START_MS + 1), "row 3: is earlier than the row before"),
        ([*rows(), [START_MS + 4 * FIVE_MINUTES_MS - 1, *ROW]], "row 4: does not start a whole number of intervals"),
        (rows(step_ms=600_000), "rows are 600 s apart, but the interval 5m has 300 s"),
        (rows(step_ms=60_000), "row 2: does not start a whole number of intervals of 5m"),
        ([[START_MS, *ROW, 1.0]], "row 1: expected"),
    ],
)
def test_rows_that_make_no_sense_are_refused(tmp_path, content, problem):
    if content and content[1:2] and content[1][0] == START_MS:
        content[1][4] = 23.65
    path = write_json(tmp_path, content)
    with pytest.raises(BadInput) as caught:
        parse_klines(path, AVAX)
    assert problem in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "interval", "problem"),
    [
        ("ADA_USDT-5m.json", None, 'the name says "ADAUSDT", but the instrument is "AVAXUSDT"'),
        ("AVAX_USDT_USDT-5m-futures.json", None, "the name says futures, but the instrument is AVAXUSDT.BINANCE"),
        ("candles.json", None, "does not tell the interval"),
        ("candles.json", "7m", 'interval "7m" was expected to be one of'),
        ("AVAX_USDT-1M.json", None, 'interval "1M" was expected to be one of'),
    ],
)
def test_name_or_interval_that_does_not_fit_is_refused(tmp_path, name, interval, problem):
    with pytest.raises(BadInput) as caught:
        parse_klines(write_json(tmp_path, rows(), name), AVAX, interval)
    assert problem in str(caught.value)


def test_text_that_is_not_json_is_refused(tmp_path):
    path = tmp_path / "AVAX_USDT-5m.json"
    path.write_text("[[1659312000000, 23.")
    with pytest.raises(BadInput, match="not JSON"):
        parse_klines(path, AVAX)


def test_feather_without_a_column_is_refused(tmp_path):
    path = tmp_path / "AVAX_USDT-5m.feather"
    pd.DataFrame({"date": pd.to_datetime([0], utc=True), "open": [1.0]}).to_feather(path)
    with pytest.raises(BadInput, match='has no column "high"'):
        parse_klines(path, AVAX)


def test_feather_whose_dates_are_numbers_is_refused(tmp_path):
    path = tmp_path / "AVAX_USDT-5m.feather"
    pd.DataFrame(rows(), columns=["date", "open", "high", "low", "close", "volume"]).to_feather(path)
    with pytest.raises(BadInput, match='column "date" was expected to hold times'):
        parse_klines(path, AVAX)


def test_damaged_feather_is_refused(tmp_path):
    path = write_feather(tmp_path, rows())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BadInput, match="is a broken feather file"):
        parse_klines(path, AVAX)

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from bad_input import BadInput
from data_catalog.archive.index import ArchiveFile, ArchiveKind, Market, Period
from data_catalog.commands.download import command
from data_catalog.importer import import_series

PERP = "BTCUSDT-PERP.BINANCE"
BARS = f"{PERP}-1-MINUTE-LAST-EXTERNAL"
WEEK = [date(2024, 8, 1) + timedelta(days=number) for number in range(7)]
MINUTES = 1440


def file_of(kind: str, day: date, interval: str | None = None) -> ArchiveFile:
    return ArchiveFile("BTCUSDT", ArchiveKind(kind), interval, Period(day, monthly=False))


def midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def klines(day: date) -> str:
    rows = []
    for minute in range(MINUTES):
        open_ms = midnight_ms(day) + minute * 60_000
        price = f"{60000 + minute / 10:.1f}"
        rows.append(f"{open_ms},{price},{price},{price},{price},{minute}.500,{open_ms + 59_999},0,0,0,0,0\n")
    return "open_time,open,high,low,close,volume,close_time,quote_volume,count,tb_volume,tbq_volume,ignore\n" + "".join(
        rows
    )


def agg_trades(day: date, rows: int = 20_000) -> str:
    prices = [f"{60000 + row % 50}.{row % 10},0.{row % 9 + 1:03d}" for row in range(rows)]
    ends = [f"{midnight_ms(day) + 4 * row},{row % 3 == 0}" for row in range(rows)]
    return "".join(f"{row},{prices[row]},{row},{row},{ends[row]}\n" for row in range(rows))


@pytest.fixture
def archive(archive_server):
    """Return the local archive with a week of one-minute klines and a day of aggTrades."""
    archive_server.paths = [
        archive_server.add(file_of("klines", day, "1m"), Market.USDM, klines(day)) for day in WEEK
    ] + [archive_server.add(file_of("aggTrades", WEEK[0]), Market.USDM, agg_trades(WEEK[0]))]
    return archive_server


@pytest.fixture
def run(archive, tmp_path, monkeypatch):
    """Return a function that runs the command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str, instrument: str = PERP) -> Result:
        result = CliRunner().invoke(command, [instrument, *arguments, "--base-url", archive.url])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


KLINES = ("--kind", "klines", "--interval", "1m", "--from", "2024-08-01", "--to", "2024-08-07")
TRADES = ("--kind", "aggTrades", "--from", "2024-08-01")


def times(catalog: Path, data_type: str) -> np.ndarray:
    """Return the times of all rows of a data type, in the order of the files."""
    files = sorted(catalog.glob(f"data/{data_type}/*/*.parquet"))
    return np.concatenate([pq.read_table(file, columns=["ts_init"])["ts_init"].to_numpy() for file in files])


def week_of_closes() -> np.ndarray:
    return (midnight_ms(WEEK[0]) + 60_000 * np.arange(1, 7 * MINUTES + 1)) * 10**6


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_quotes_at_the_closes_of_klines_go_with_them_and_are_not_downloaded_again(run, archive, tmp_path):
    options = (*KLINES, "--quotes-from-closes", "--spread-bps", "10")
    first = run(*options)

    assert first.exit_code == 0
    assert np.array_equal(times(tmp_path / "catalog", "quote_tick"), times(tmp_path / "catalog", "bar"))
    asked = sum(archive.times_asked(path) for path in archive.paths)
    assert "7 in the catalog already" in run(*options).output
    assert sum(archive.times_asked(path) for path in archive.paths) == asked


def test_a_week_of_klines_goes_into_the_catalog(run, tmp_path):
    result = run(*KLINES)
    assert result.exit_code == 0
    assert "files: 7 downloaded" in result.stdout
    assert "bars: 10,080, 2024-08-01 00:01:00 to 2024-08-08 00:00:00 UTC, in catalog" in result.stdout
    assert (times(tmp_path / "catalog", "bar") == week_of_closes()).all()
    bars = ParquetDataCatalog(tmp_path / "catalog").bars([BARS])
    assert len(bars) == 7 * MINUTES
    assert str(bars[-1]) == f"{BARS},60143.9,60143.9,60143.9,60143.9,1439.500,{week_of_closes()[-1]}"
    assert files_in(tmp_path / "downloads") == []


def test_a_day_of_trades_goes_into_the_catalog(run, tmp_path):
    assert run(*TRADES).exit_code == 0
    trades = ParquetDataCatalog(tmp_path / "catalog").trade_ticks([PERP])
    assert len(trades) == 20_000
    assert str(trades[1]) == f"{PERP},60001.1,0.002,BUYER,1,{(midnight_ms(WEEK[0]) + 4) * 10**6}"


def test_what_the_catalog_has_is_not_downloaded_again(run, archive, tmp_path):
    run(*KLINES, "--to", "2024-08-03")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "catalog").rglob("*.parquet")}
    result = run(*KLINES)
    assert "files: 4 downloaded, 3 in the catalog already" in result.stdout
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert (times(tmp_path / "catalog", "bar") == week_of_closes()).all()
    assert all(archive.times_asked(path) == 1 for path in archive.paths[:7])


def test_a_month_stands_for_its_days(run, archive, tmp_path):
    month = ArchiveFile("BTCUSDT", ArchiveKind.KLINES, "1m", Period(date(2024, 6, 1), monthly=True))
    archive.add(month, Market.USDM, "".join(klines(day.first).split("\n", 1)[1] for day in month.period.days()))
    june = ("--kind", "klines", "--interval", "1m", "--from")
    assert "files: 1 downloaded" in run(*june, "2024-06-01", "--to", "2024-06-30").stdout
    assert "files: 1 in the catalog already" in run(*june, "2024-06-01", "--to", "2024-06-30").stdout
    result = run(*june, "2024-06-29", "--to", "2024-06-30")
    assert (result.exit_code, "files: 2 in the catalog already" in result.stdout) == (0, True)


def test_days_stand_in_for_a_month_that_is_missing(run, archive, tmp_path):
    july = [day.first for day in Period(date(2024, 7, 1), monthly=True).days()]
    for day in july[20:]:
        archive.add(file_of("klines", day, "1m"), Market.USDM, klines(day))
    result = run("--kind", "klines", "--interval", "1m", "--from", "2024-07-01", "--to", "2024-08-07")
    assert result.exit_code == 1
    assert "files: 18 downloaded, 20 not in the archive" in result.stdout
    assert result.stderr == (
        "missing: BTCUSDT-1m-2024-07-01.zip to 2024-07-20 (20 files): not in the archive; "
        "BTCUSDT was probably not listed yet\n"
    )
    assert len(times(tmp_path / "catalog", "bar")) == 18 * MINUTES


@pytest.mark.parametrize(("option", "status"), [((), 1), (("--allow-missing",), 0)])
def test_a_missing_day_is_named_and_the_others_are_imported(run, archive, tmp_path, option, status):
    del archive.files[archive.paths[4]], archive.files[f"{archive.paths[4]}.CHECKSUM"]
    result = run(*KLINES, *option)
    assert result.exit_code == status
    assert "files: 6 downloaded, 1 not in the archive" in result.stdout
    assert result.stderr == "missing: BTCUSDT-1m-2024-08-05.zip: not in the archive; a gap in the archive\n"
    assert len(times(tmp_path / "catalog", "bar")) == 6 * MINUTES


def test_a_file_whose_checksum_is_always_wrong_is_named_and_the_others_are_imported(run, archive, tmp_path):
    archive.files[f"{archive.paths[2]}.CHECKSUM"] = f"{'0' * 64}  {archive.paths[2].rsplit('/', 1)[1]}\n".encode()
    result = run(*KLINES)
    assert result.exit_code == 1
    assert "files: 6 downloaded, 1 failed" in result.stdout
    assert "error: BTCUSDT-1m-2024-08-03.zip: the checksum was wrong in 3 downloads; thrown away\n" in result.stderr
    assert len(times(tmp_path / "catalog", "bar")) == 6 * MINUTES
    assert files_in(tmp_path / "downloads") == []


def test_a_bad_row_stops_the_import_and_keeps_what_was_imported(run, archive, tmp_path):
    archive.add(file_of("klines", WEEK[2], "1m"), Market.USDM, klines(WEEK[2]).replace("60000.5", "60000.55", 1))
    result = run(*KLINES)
    assert result.exit_code == 1
    assert (
        'BTCUSDT-1m-2024-08-03.zip:7: open was "60000.55", expected a number with at most 1 decimals' in result.stderr
    )
    assert len(times(tmp_path / "catalog", "bar")) == 2 * MINUTES
    assert not (tmp_path / "catalog" / ".staging").exists()


def test_nobody_there_is_told_in_one_line(tmp_path, monkeypatch, archive):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("data_catalog.archive.client.Patience.delay_secs", lambda *_: 0.0)
    archive.stop()
    result = CliRunner().invoke(command, [PERP, *KLINES, "--base-url", archive.url])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"error: no connection to {archive.url} (Connection refused), given up after 6 attempts",
        "Run the same command again to go on from there.",
    ]
    assert not (tmp_path / "catalog").exists()


def test_the_keyboard_stops_it_and_what_was_done_stays(run, archive, tmp_path, monkeypatch):
    def interrupted(series, instrument, catalog, *arguments, **options):
        if "08-03" in series[0].paths[0].name:
            raise KeyboardInterrupt
        return import_series(series, instrument, catalog, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr("data_catalog.archive.job.import_series", interrupted)
        result = run(*KLINES)
    assert result.exit_code == 1
    assert result.stderr == "error: stopped by the keyboard\nRun the same command again to go on from there.\n"
    assert "files: 5 downloaded, 2 in the catalog already" in run(*KLINES).stdout
    assert all(archive.times_asked(path) == 1 for path in archive.paths[:7])


def test_no_import_downloads_only(run, archive, tmp_path):
    result = run(*TRADES, "--no-import", "--downloads", "here")
    assert result.exit_code == 0
    assert "downloaded files are in here" in result.stdout
    assert (tmp_path / "here" / archive.paths[-1]).read_bytes() == archive.files[archive.paths[-1]]
    assert not (tmp_path / "catalog").exists()


def test_kept_files_serve_the_next_catalog(run, archive, tmp_path):
    run(*TRADES, "--keep")
    assert files_in(tmp_path / "downloads") == ["BTCUSDT-aggTrades-2024-08-01.zip"]
    assert run(*TRADES, "--catalog", "other").exit_code == 0
    assert archive.times_asked(archive.paths[-1]) == 1
    assert files_in(tmp_path / "downloads") == []


def test_a_file_published_anew_is_refused_unless_it_may_replace_the_old_one(run, archive, tmp_path):
    run(*TRADES)
    archive.add(file_of("aggTrades", WEEK[0]), Market.USDM, agg_trades(WEEK[0], rows=15_000))
    refused = run(*TRADES)
    assert refused.exit_code == 1
    assert "--replace replaces the stored file" in refused.stderr
    assert len(times(tmp_path / "catalog", "trade_tick")) == 20_000
    assert run(*TRADES, "--replace").exit_code == 0
    assert len(times(tmp_path / "catalog", "trade_tick")) == 15_000


def test_trades_over_agg_trades_are_refused_before_anything_is_downloaded(run, archive, tmp_path):
    run(*TRADES)
    asked = len(archive.asked)
    with pytest.raises(BadInput, match=r"from BTCUSDT-aggTrades-2024-08-01\.zip, which BTCUSDT-trades-2024-08-01\.zip"):
        run("--kind", "trades", "--from", "2024-08-01")
    assert len(archive.asked) == asked


def test_quotes_can_be_rebuilt_later(run, archive, tmp_path):
    run(*TRADES)
    assert "files: 1 downloaded" in run(*TRADES, "--quotes-from-trades").stdout
    assert "files: 1 in the catalog already" in run(*TRADES, "--quotes-from-trades").stdout
    assert len(times(tmp_path / "catalog", "quote_tick")) > 0
    assert len(times(tmp_path / "catalog", "trade_tick")) == 20_000


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--kind", "agTrades", "--from", "2024-08-01"), 'did you mean "aggTrades"'),
        (("--kind", "klines", "--from", "2024-08-01"), "klines need an interval"),
        (("--kind", "trades", "--from", "2024-08-02", "--to", "2024-08-01"), "2024-08-01 is before 2024-08-02"),
        (("--kind", "trades", "--from", "2024-08-02", "--to", "9999-01-01"), "9999-01-01 is in the future"),
        (("--kind", "trades", "--from", "yesterday"), '--from: "yesterday" is not a day'),
        (("--kind", "fundingRate", "--from", "2024-08-02", "--files", "daily"), "comes in monthly files only"),
        (("--kind", "bookTicker", "--from", "2024-01-02", "--quotes-from-trades"), "bookTicker are not trades"),
    ],
)
def test_bad_input_starts_nothing(run, archive, tmp_path, arguments, problem):
    with pytest.raises(BadInput, match=problem):
        run(*arguments)
    assert archive.asked == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["ftp://data.binance.vision", "data.binance.vision", "https://", "http://[x"])
def test_an_address_that_is_none_is_refused(tmp_path, monkeypatch, url):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(command, [PERP, *TRADES, "--base-url", url])
    assert isinstance(result.exception, BadInput)
    assert "--base-url" in str(result.exception)


def test_an_unknown_instrument_is_refused(run):
    with pytest.raises(BadInput, match=r'did you mean "BTCUSDT-PERP\.BINANCE"'):
        run(*TRADES, instrument="BTCUST-PERP.BINANCE")


def wait_for_size(path: Path, size: int) -> None:
    """Wait until a file has so many bytes."""
    tick = threading.Event()
    for _ in range(1_000):
        if path.exists() and path.stat().st_size == size:
            return
        tick.wait(0.01)
    raise AssertionError(f"{path} has not reached {size} bytes")


def child(project: Path, folder: Path, url: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "data_catalog", "download", PERP, *arguments, "--base-url", url],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(project)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_half_way_and_run_again_it_is_complete(project, archive, tmp_path):
    """Each download is killed in the middle of a file; the second run gets what is missing, and no row twice."""
    for arguments, path, sent in ((KLINES, archive.paths[3], 40_000), (TRADES, archive.paths[-1], 500_000)):
        archive.stalled.clear()
        archive.stall_after(path, sent)
        with child(project, tmp_path, archive.url, *arguments, "--parallel", "1") as first:
            assert archive.stalled.wait(60)
            wait_for_size(tmp_path / "downloads" / f"{path}.part", sent)
            first.kill()
        assert first.returncode == -signal.SIGKILL
        with child(project, tmp_path, archive.url, *arguments) as second:
            stdout, stderr = second.communicate()
        assert (second.returncode, stderr) == (0, "")
        assert [asked.range for asked in archive.asked if asked.path == path] == [None, f"bytes={sent}-"]
    assert all(archive.sent[path] == len(archive.files[path]) for path in archive.paths)
    assert "trades: 20,000" in stdout
    assert (times(tmp_path / "catalog", "bar") == week_of_closes()).all()
    assert (times(tmp_path / "catalog", "trade_tick") == (midnight_ms(WEEK[0]) + 4 * np.arange(20_000)) * 10**6).all()
    assert files_in(tmp_path / "downloads") == []

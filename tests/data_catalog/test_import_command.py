import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from bad_input import BadInput
from data_catalog.commands.import_files import command
from data_catalog.store.contents import Entry, contents, load_instruments
from data_catalog.store.data_types import DATA_TYPES, data_folder, files_in
from data_catalog.store.origin import record_of

START_US = 1_721_749_182_000_000
NEXO = "NEXOUSDT.BINANCE"


def recorded(second: int, first_id: int, *, with_snapshot: bool = False, extra: str = "") -> bytes:
    at = START_US + second * 1_000_000
    lines = []
    if with_snapshot:
        book = {"lastUpdateId": first_id - 1, "bids": [["1.214", "5"]], "asks": [["1.216", "7"]]}
        lines.append((at, book))
    diff = {"e": "depthUpdate", "E": at // 1000, "s": "NEXOUSDT", "U": first_id, "u": first_id, "a": []}
    lines.append((at + 1, diff | {"b": [["1.213", "2"]]}))
    lines.append((at + 2, {"u": first_id, "s": "NEXOUSDT", "b": "1.214", "B": "5", "a": "1.216", "A": "7"}))
    trade = {"e": "trade", "E": at // 1000, "s": "NEXOUSDT", "t": first_id, "p": "1.216", "q": "1", "T": 1, "m": False}
    lines.append((at + 3, trade))
    return ("".join(f"{time} {json.dumps(message)}\n" for time, message in lines) + extra).encode()


@pytest.fixture
def day_one(tmp_path: Path) -> Path:
    path = tmp_path / "nexo_1.dat.gz"
    path.write_bytes(gzip.compress(recorded(0, 11, with_snapshot=True)))
    return path


@pytest.fixture
def day_two(tmp_path: Path) -> Path:
    path = tmp_path / "nexo_2.dat"
    path.write_bytes(recorded(86_400, 12))
    return path


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return tmp_path / "catalog"


def run(catalog: Path, *arguments: object, instrument: str = NEXO) -> Result:
    words = [*(str(word) for word in arguments), "--instrument", instrument, "--catalog", str(catalog)]
    return CliRunner().invoke(command, words)


def done(catalog: Path, *arguments: object, instrument: str = NEXO) -> str:
    result = run(catalog, *arguments, instrument=instrument)
    assert result.exception is None, result.exception
    return result.stdout


def refused(catalog: Path, *arguments: object, instrument: str = NEXO) -> str:
    result = run(catalog, *arguments, instrument=instrument)
    assert isinstance(result.exception, BadInput), result.output
    return str(result.exception)


def rows(catalog: Path) -> dict[str, int]:
    return {entry.data_type: entry.rows for entry in contents(catalog)}


def entry(catalog: Path, data_type: str) -> Entry:
    return next(entry for entry in contents(catalog) if entry.data_type == data_type)


def agg_trades(folder: Path, day: int = 23, first_id: int = 1, start_ms: int = START_US // 1000) -> Path:
    """Write four trades, a second apart, at the bid and the ask in turns."""
    lines = [
        f"{first_id + n},{price},1.0,1,1,{start_ms + n * 1000},{buyer_is_maker},true"
        for n, (price, buyer_is_maker) in enumerate([("1.214", "true"), ("1.216", "false")] * 2)
    ]
    path = folder / f"NEXOUSDT-aggTrades-2024-07-{day}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(path.with_suffix(".csv").name, "\n".join(lines) + "\n")
    return path


def candles(folder: Path, name: str = "NEXO_USDT-1h.json") -> Path:
    path = folder / name
    path.write_text(json.dumps([[1_721_746_800_000 + n * 3_600_000, 1.2, 1.3, 1.1, 1.25, 10.5] for n in range(3)]))
    return path


def test_recorded_files_in_any_order_become_one_series(catalog, day_one, day_two):
    text = done(catalog, day_two, day_one)
    assert rows(catalog) == {"trades": 2, "quotes": 2, "deltas": 5}
    assert {entry.files for entry in contents(catalog)} == {1}
    assert "0 sequence gaps" in text


def test_engine_reads_what_was_imported(catalog, day_one):
    done(catalog, day_one)
    library = ParquetDataCatalog(str(catalog))
    quote, trade, deltas = library.quote_ticks()[0], library.trade_ticks()[0], library.order_book_deltas()
    assert (str(quote.bid_price), str(quote.ask_size)) == ("1.214", "7.00")
    assert (str(trade.price), str(trade.size), trade.aggressor_side.name, str(trade.trade_id)) == (
        "1.216",
        "1.00",
        "BUYER",
        "11",
    )
    assert [delta.action.name for delta in deltas] == ["CLEAR", "ADD", "ADD", "UPDATE"]
    assert trade.ts_init == (START_US + 3) * 1000


def test_origin_names_the_files_and_what_was_left_out(catalog, tmp_path):
    odd = {"e": "trade", "s": "NEXOUSDT", "t": 99, "p": "1.3", "q": "1", "m": True, "X": "INSURANCE_FUND"}
    path = tmp_path / "nexo.dat"
    path.write_bytes(recorded(0, 11, with_snapshot=True, extra=f"{START_US + 9} {json.dumps(odd)}\n"))
    text = done(catalog, path)
    assert "Left out of trades: 1 INSURANCE_FUND." in text
    stored = next(files_in(data_folder(catalog, DATA_TYPES["trades"], NEXO)))
    origin = record_of(catalog, stored.path).origin
    assert (origin.kind, [source.name for source in origin.sources]) == ("recorded", ["nexo.dat"])
    assert (origin.notes["dropped: INSURANCE_FUND"], origin.notes["sequence_gaps"]) == (1, 0)


def test_import_again_changes_nothing_and_says_so(catalog, day_one):
    done(catalog, day_one)
    before = {path: path.stat().st_mtime_ns for path in catalog.rglob("*.parquet")}
    text = done(catalog, day_one)
    assert "held all of it already" in text
    assert {path: path.stat().st_mtime_ns for path in catalog.rglob("*.parquet")} == before


def test_overlap_with_other_files_is_refused_unless_it_replaces(catalog, day_one, day_two):
    done(catalog, day_one)
    assert "overlap with stored" in refused(catalog, day_one, day_two)
    text = done(catalog, day_one, day_two, "--replace")
    assert "replaced: " in text
    assert rows(catalog) == {"trades": 2, "quotes": 2, "deltas": 5}


def test_series_of_another_time_is_added(catalog, day_one, day_two):
    done(catalog, day_one)
    text = done(catalog, day_two)
    assert "Left out of deltas: 1 outside a known book." in text
    assert rows(catalog) == {"trades": 2, "quotes": 2, "deltas": 4}


@pytest.mark.parametrize("zipped", [True, False])
def test_archive_trades_give_rebuilt_quotes_that_are_marked(catalog, tmp_path, zipped):
    path = agg_trades(tmp_path)
    if not zipped:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path)
        path = path.with_suffix(".csv")
    text = done(catalog, path, "--quotes-from-trades")
    assert "rebuilt from trades" in text
    assert (entry(catalog, "quotes").reconstructed, entry(catalog, "trades").reconstructed) == (True, False)
    assert rows(catalog) == {"trades": 4, "quotes": 3}


def test_archive_files_of_several_days_are_read_in_their_order(catalog, tmp_path):
    late = agg_trades(tmp_path, 24, first_id=5, start_ms=START_US // 1000 + 86_400_000)
    done(catalog, late, agg_trades(tmp_path))
    stored = next(files_in(data_folder(catalog, DATA_TYPES["trades"], NEXO)))
    assert pq.read_table(stored.path).column("trade_id").to_pylist() == [str(n) for n in range(1, 9)]


def test_archive_files_that_overlap_are_refused(catalog, tmp_path):
    first, second = agg_trades(tmp_path), agg_trades(tmp_path, 24)
    assert f"{second}: starts before {first} ends" in refused(catalog, first, second)


def test_candles_of_two_intervals_become_two_series(catalog, tmp_path):
    minutes = tmp_path / "NEXO_USDT-1m.json"
    minutes.write_text(json.dumps([[1_721_746_800_000 + n * 60_000, 1.2, 1.3, 1.1, 1.25, 10.5] for n in range(3)]))
    done(catalog, minutes, candles(tmp_path))
    names = sorted(entry.bar_type for entry in contents(catalog))
    assert names == [f"NEXOUSDT.BINANCE-1-{unit}-LAST-EXTERNAL" for unit in ("HOUR", "MINUTE")]


def test_same_candles_twice_are_refused(catalog, tmp_path):
    problem = refused(catalog, candles(tmp_path), candles(tmp_path, "NEXO_USDT-1h-spot.json"))
    assert "starts before" in problem


def test_interval_option_names_the_bars(catalog, tmp_path):
    done(catalog, candles(tmp_path, "candles.json"), "--interval", "1h")
    assert entry(catalog, "bars").rows == 3


def test_candles_and_recording_go_in_together(catalog, tmp_path, day_one):
    done(catalog, day_one, candles(tmp_path))
    assert rows(catalog) == {"trades": 1, "quotes": 1, "deltas": 4, "bars": 3}


def test_two_sources_of_trades_are_refused(catalog, tmp_path, day_one):
    problem = refused(catalog, day_one, agg_trades(tmp_path))
    assert "holds trades, and so does nexo_1.dat.gz" in problem


def test_definition_comes_from_an_exchange_info_file(catalog, tmp_path, project):
    info = json.loads((project / "data_catalog" / "definitions" / "spot.json").read_text())
    symbol = next(symbol for symbol in info["symbols"] if symbol["symbol"] == "NEXOUSDT")
    symbol |= {"symbol": "FOOUSDT", "baseAsset": "FOO"}
    path = tmp_path / "info.json"
    path.write_text(json.dumps({"symbols": [symbol]}))
    hours = candles(tmp_path, "FOO_USDT-1h.json")
    done(catalog, hours, "--exchange-info", path, instrument="FOOUSDT.BINANCE")
    assert entry(catalog, "bars").instrument_id == "FOOUSDT.BINANCE"


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        (recorded(0, 11)[:-5], "cut.dat", "cut.dat:3: not JSON"),
        (gzip.compress(recorded(0, 11))[:-9], "cut.gz", "cut.gz:"),
        (b"hello world\n", "note.txt", "is of no known format"),
        (b"", "nothing.dat", "is empty"),
        (b"[]", "NEXO_USDT-1h.json", "is of no known format"),
        (b"PK\x03\x04....", "data.zip", "is packed with zip"),
    ],
)
def test_file_that_cannot_be_used_is_refused_and_leaves_no_catalog(catalog, tmp_path, content, name, problem):
    path = tmp_path / name
    path.write_bytes(content)
    assert problem in refused(catalog, path)
    assert not catalog.exists()


def folder_of_candles(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(json.dumps([[1_700_000_000_000 // 300_000 * 300_000, 2, 3, 1, 2, 9]]))
    return folder


def without_instrument(catalog: Path, *arguments: object) -> Result:
    return CliRunner().invoke(command, [*(str(word) for word in arguments), "--catalog", str(catalog)])


def test_a_folder_of_candles_becomes_the_instruments_that_their_names_tell(catalog, tmp_path):
    folder = folder_of_candles(
        tmp_path / "in", "AVAX_USDT-5m.json", "DOT_USDT-5m.json", "BTC_USDT_USDT-5m-futures.json"
    )
    (folder / "README.md").write_text("not a candle")
    result = without_instrument(catalog, folder)
    assert result.exception is None, result.exception
    ids = ["AVAXUSDT.BINANCE", "BTCUSDT-PERP.BINANCE", "DOTUSDT.BINANCE"]
    assert [entry.instrument_id for entry in contents(catalog)] == ids
    assert [str(one.id) for one in load_instruments(catalog, ids)] == ids
    again = without_instrument(catalog, folder)
    assert "nothing was written" in again.stdout


def test_of_a_folder_and_an_instrument_only_its_own_candles_are_imported(catalog, tmp_path):
    folder = folder_of_candles(tmp_path / "in", "AVAX_USDT-5m.json", "DOT_USDT-5m.json")
    done(catalog, folder, instrument="DOTUSDT.BINANCE")
    assert [entry.instrument_id for entry in contents(catalog)] == ["DOTUSDT.BINANCE"]


@pytest.mark.parametrize(
    ("names", "arguments", "problem"),
    [
        (["AVAX_USDT-5m.json"], ["in", "nexo_1.dat.gz"], "nexo_1.dat.gz: the name does not tell the instrument"),
        (["AVAX_USDT-5m.json", "FOO_USDT-5m.json"], ["in"], 'no definition of instrument "FOOUSDT.BINANCE"'),
        (["BAR_USDT-5m.json", "FOO_USDT-5m.json"], ["in"], "no definition of 2 of 2 instruments, such as"),
        (["AVAX_USDT-5m.json"], ["in", "in"], "is given twice"),
        ([], ["in"], "in: no candle file in this folder"),
    ],
)
def test_many_instruments_are_imported_whole_or_not_at_all(catalog, tmp_path, day_one, names, arguments, problem):
    folder_of_candles(tmp_path / "in", *names)
    result = without_instrument(catalog, *(tmp_path / word for word in arguments))
    assert isinstance(result.exception, BadInput)
    assert problem in str(result.exception)
    assert not catalog.exists()


def test_one_bad_file_of_many_leaves_no_catalog(catalog, tmp_path):
    folder = folder_of_candles(tmp_path / "in", "AVAX_USDT-5m.json", "DOT_USDT-5m.json")
    (folder / "DOT_USDT-5m.json").write_text("[[1, 2]]")
    assert isinstance(without_instrument(catalog, folder).exception, BadInput)
    assert not catalog.exists()


def test_bad_line_late_in_a_series_leaves_the_catalog_as_it_was(catalog, tmp_path, day_one):
    done(catalog, day_one)
    before = sorted(catalog.rglob("*"))
    bad = tmp_path / "bad.dat"
    bad.write_bytes(recorded(90_000, 50) + b"oops\n")
    assert "bad.dat:4: expected" in refused(catalog, bad)
    assert sorted(catalog.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nexo_1.dat.gz", "--quotes-from-trades"], "--quotes-from-trades: recorded websocket lines hold quotes"),
        (["NEXO_USDT-1h.json", "--quotes-from-trades"], "--quotes-from-trades: there are no trades"),
        (["nexo_1.dat.gz", "--interval", "5m"], "--interval: no candle file"),
        (["nexo_1.dat.gz", "nexo_1.dat.gz"], "is given twice"),
        (["nexo_l.dat.gz"], 'no such file; did you mean "nexo_1.dat.gz"?'),
        (["empty"], "empty: no candle file of NEXOUSDT.BINANCE in this folder"),
        (["nexo_1.dat.gz", "--exchange-info", "nowhere.json"], "nowhere.json: cannot be read"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(monkeypatch, catalog, tmp_path, day_one, arguments, problem):
    candles(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    assert problem in refused(catalog, *arguments)
    assert not catalog.exists()


def test_unknown_instrument_is_refused_with_the_nearest_name(catalog, day_one):
    assert 'did you mean "NEXOUSDT.BINANCE"?' in refused(catalog, day_one, instrument="NEXOUSD.BINANCE")


def test_command_line_ends_with_one_line_and_status_2(project, catalog, day_one):
    words = ["-m", "data_catalog", "import", str(day_one), "--instrument", "BTCUSDT.BINANCE", "--catalog", str(catalog)]
    result = subprocess.run([sys.executable, *words], cwd=project, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f'error: {day_one}:2: the symbol is "NEXOUSDT", but the instrument "BTCUSDT"; give another --instrument'
    ]

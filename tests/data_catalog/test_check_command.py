import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from bad_input import BadInput
from data_catalog.columns import BUYER, Bars, Deltas, FundingRates, Quotes, Trades
from data_catalog.commands.check import command
from data_catalog.counts import Grid
from data_catalog.instruments import find_instrument
from data_catalog.recordings.book_chain import BookChain, Depth, deltas_of
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter

NEXO = find_instrument("NEXOUSDT.BINANCE")
START_NS = 1_721_749_182_000_000_000
SECOND = 10**9
RECORDED = Origin("recorded")
HOURS = "NEXOUSDT.BINANCE-1-HOUR-LAST-EXTERNAL"


def times(*seconds: float) -> np.ndarray:
    return START_NS + (np.array(seconds) * SECOND).astype(np.int64)


def quotes(*rows: tuple[float, int, int]) -> Quotes:
    seconds, bid, ask = zip(*rows, strict=True)
    ts, size = times(*seconds), np.full(len(rows), 500)
    return Quotes(np.array(bid), np.array(ask), size, size, ts, ts)


def trades(*rows: tuple[float, int, int]) -> Trades:
    seconds, ids, price = zip(*rows, strict=True)
    ts, ones = times(*seconds), np.ones(len(rows), np.int64)
    return Trades(np.array(price), ones, np.full(len(rows), BUYER, np.uint8), np.array(ids), ts, ts)


def bars(*hours: int) -> Bars:
    ts, ones = times(*(hour * 3600 for hour in hours)), np.ones(len(hours), np.int64)
    return Bars(ones, ones, ones, ones, ones, ts, ts)


def book(*changes: tuple[float, int, int, str]) -> Deltas:
    """Return a book of one bid and one ask, and then diffs of the bid's size: (second, first id, last id, size)."""
    place = (Path("recorded"), 1)
    start = Depth(place, START_NS, 10, 10, None, [("1.214", "5")], [("1.216", "5")], clears=True)
    chain = BookChain()
    applied = chain.snapshot(start)
    for second, first, last, size in changes:
        applied += chain.diff(Depth(place, int(times(second)[0]), first, last, None, [("1.214", size)], []))
    return deltas_of(applied, Grid.of(NEXO))[0]


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return tmp_path / "catalog"


@pytest.fixture
def flawed(catalog: Path) -> Path:
    """Return a catalog with one of everything that is wrong."""
    with CatalogWriter(catalog) as writer:
        writer.quotes(NEXO, quotes((0, 1214, 1216), (1, 1217, 1216), (1, 1217, 1216), (9, 1216, 1216)), RECORDED)
        writer.trades(NEXO, trades((0.5, 1, 1216), (8, 4, 1300), (8, 4, 1216), (9, 3, 1216)), RECORDED)
        writer.deltas(NEXO, book((0.5, 11, 11, "5"), (3, 12, 12, "6"), (5, 14, 14, "7")), RECORDED)
        writer.bars(HOURS, NEXO, bars(1, 2, 5), RECORDED)
    return catalog


def run(catalog: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["--catalog", str(catalog), *arguments])


def series(result: Result) -> dict[str, dict]:
    document = json.loads(result.stdout)
    return {one["data_type"]: one for instrument in document["instruments"] for one in instrument["series"]}


def test_everything_wrong_is_found(flawed):
    result = run(flawed, "--json")
    found = series(result)
    names = ("rows", "gaps", "missing", "duplicates", "disorder", "crossed", "locked", "sequence_breaks")
    figures = {kind: [one[name] for name in names] for kind, one in found.items()}
    assert figures == {
        "quotes": [4, None, None, 1, 0, 2, 1, None],
        "trades": [4, 1, 2, 1, 1, None, None, None],
        "deltas": [6, None, None, 0, 0, None, None, 1],
        "bars": [3, 1, 2, 0, 0, None, None, None],
    }
    (instrument,) = json.loads(result.stdout)["instruments"]
    assert instrument["trades_in_quotes"]["compared"] == 4
    assert instrument["trades_in_quotes"]["outside"] == 1
    assert instrument["book_against_quotes"] == {"points": 2, "agreeing": 1, "agreement_pct": 50.0, "crossed": 0}
    assert [silence["secs"] for silence in instrument["silences"]] == pytest.approx([3.0, 2.0, 2.0])
    assert result.exit_code == 0


def test_table_names_what_was_found(flawed):
    text = run(flawed).stdout
    assert "1 (2)" in text
    assert "Longest silences of all streams: 3.0 s from 2024-07-23 15:39:47" in text
    assert "Trades outside the quotes within ±1000 ms: 1 of 4 (25.000 %)" in text
    assert "Book and quotes agree at 50.000 % of 2 quiet moments" in text


@pytest.mark.parametrize(
    ("option", "passes", "holds"),
    [
        ("--max-gaps", "0", "1"),
        ("--max-duplicates", "0", "1"),
        ("--max-disorder", "0", "1"),
        ("--max-crossed", "1", "2"),
        ("--max-sequence-breaks", "0", "1"),
        ("--max-silence-secs", "2.9", "3"),
        ("--max-outside-pct", "24", "25"),
        ("--min-agreement-pct", "51", "50"),
    ],
)
def test_status_is_1_only_where_a_stated_threshold_is_passed(flawed, option, passes, holds):
    over = run(flawed, option, passes)
    assert (over.exit_code, len(over.stderr.splitlines()) > 0) == (1, True)
    within = run(flawed, option, holds)
    assert (within.exit_code, within.stderr) == (0, "")


def test_json_on_stdout_is_whole_even_where_a_threshold_is_passed(flawed):
    result = run(flawed, "--json", "--max-crossed", "0", "--max-gaps", "0")
    assert json.loads(result.stdout)["thresholds_passed"] == result.stderr.splitlines()
    assert len(result.stderr.splitlines()) == 3


def test_rebuilt_quotes_are_not_held_against_their_own_trades(catalog):
    with CatalogWriter(catalog) as writer:
        writer.quotes(NEXO, quotes((0, 1214, 1216)), Origin("archive", reconstructed=True))
        writer.trades(NEXO, trades((0, 1, 1300)), Origin("archive"))
    result = run(catalog)
    assert "outside" not in result.stdout
    assert "(rebuilt)" in result.stdout


def test_series_of_several_files_is_checked_across_them(catalog):
    for part in (trades((0, 1, 1216), (1, 2, 1216)), trades((100, 5, 1216), (101, 6, 1216))):
        with CatalogWriter(catalog) as writer:
            writer.trades(NEXO, part, Origin("recorded", notes={"first": int(part.trade_id[0])}))
    found = series(run(catalog, "--json"))["trades"]
    assert (found["rows"], found["gaps"], found["missing"]) == (4, 1, 2)
    assert found["silences"][0]["secs"] == 99


def test_funding_rates_are_checked(catalog):
    instrument = find_instrument("BTCUSDT-PERP.BINANCE")
    ts = times(0, 28_800)
    with CatalogWriter(catalog) as writer:
        writer.funding_rates(instrument, FundingRates(np.array([10**12, -(10**12)]), ts, ts), RECORDED)
    found = series(run(catalog, "--json"))["funding_rates"]
    assert (found["rows"], found["duplicates"], found["silences"][0]["secs"]) == (2, 0, 28_800)


def test_only_the_instrument_asked_for_is_checked(flawed):
    other = find_instrument("BTCUSDT.BINANCE")
    with CatalogWriter(flawed) as writer:
        writer.trades(other, trades((0, 1, 100)), RECORDED)
    document = json.loads(run(flawed, "--json", "--instrument", "BTCUSDT.BINANCE").stdout)
    assert [one["instrument_id"] for one in document["instruments"]] == ["BTCUSDT.BINANCE"]


def test_unknown_instrument_is_refused_with_what_there_is(flawed):
    problem = run(flawed, "--instrument", "NEXOUSD.BINANCE").exception
    assert isinstance(problem, BadInput)
    assert 'there is data of NEXOUSDT.BINANCE; did you mean "NEXOUSDT.BINANCE"?' in str(problem)


def test_missing_catalog_is_refused(catalog):
    assert isinstance(run(catalog).exception, BadInput)


def test_damaged_file_is_refused(flawed):
    path = next(flawed.rglob("trade_tick/**/*.parquet"))
    data = bytearray(path.read_bytes())
    data[4:60] = b"\xff" * 56
    path.write_bytes(data)
    problem = run(flawed).exception
    assert isinstance(problem, BadInput)
    assert str(path) in str(problem)

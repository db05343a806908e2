"""What importing and checking the recorded Binance data gives; the figures of docs/data.md are held here."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from data_catalog.checks.book_agreement import BookTouch
from data_catalog.columns import Deltas, FundingRates, Quotes, Trades
from data_catalog.commands.check import command as check
from data_catalog.commands.import_files import command as import_files
from data_catalog.counts import Grid
from data_catalog.instruments import find_instrument
from data_catalog.klines import parse_klines
from data_catalog.rebuilt_quotes.from_trades import TouchRebuilder, touch_error
from data_catalog.recordings.lines import read_batches
from data_catalog.recordings.parser import RecordingParser

pytestmark = pytest.mark.real_data

NEXO = ("NEXOUSDT.BINANCE", ["ticks_nexousdt_spot_202407/nexousdt_2024072[34].dat.gz"])
BTC_SPOT = ("BTCUSDT.BINANCE", ["ticks_hftbacktest_202408/spot_btcusdt_2024080[89].gz"])
ETH_SPOT = ("ETHUSDT.BINANCE", ["ticks_hftbacktest_202408/spot_ethusdt_2024080[89].gz"])
BTC_PERP = ("BTCUSDT-PERP.BINANCE", ["ticks_hftbacktest_202408/usdm_btcusdt_20240808.gz"])
ETH_PERP = ("ETHUSDT-PERP.BINANCE", ["ticks_hftbacktest_202408/usdm_ethusdt_20240808.gz"])
BTC_PERP_2023 = ("BTCUSDT-PERP.BINANCE", ["ticks_hftbacktest_202304/usdm_btcusdt_2023040[45].dat.gz"])


def files(folder: Path, patterns: list[str]) -> list[Path]:
    return sorted(path for pattern in patterns for path in folder.glob(pattern))


@pytest.fixture(scope="module")
def parsed(shared_data):
    """Return a function that parses a recording once: its parser and its columns by kind."""
    known: dict[str, tuple[RecordingParser, dict]] = {}

    def parse(instrument_id: str, patterns: list[str]) -> tuple[RecordingParser, dict]:
        key = patterns[0]
        if key not in known:
            parser = RecordingParser(files(shared_data, patterns), find_instrument(instrument_id))
            parts: dict[type, list] = {}
            for columns in parser.batches():
                parts.setdefault(type(columns), []).append(columns)
            known[key] = parser, {kind: kind.concat(some) for kind, some in parts.items()}
        return known[key]

    return parse


@pytest.fixture(scope="module")
def nexo_report(shared_data, tmp_path_factory) -> dict:
    """Return what `check --json` says after importing the two NEXOUSDT files."""
    catalog = str(tmp_path_factory.mktemp("nexo") / "catalog")
    paths = [str(path) for path in files(shared_data, NEXO[1])]
    imported = CliRunner().invoke(import_files, [*reversed(paths), "--instrument", NEXO[0], "--catalog", catalog])
    assert imported.exception is None, imported.exception
    limits = ["--max-crossed", "0", "--max-sequence-breaks", "0", "--max-gaps", "0", "--min-agreement-pct", "99.9"]
    checked = CliRunner().invoke(check, ["--catalog", catalog, "--json", *limits, "--max-silence-secs", "43.6"])
    assert (checked.exit_code, checked.stderr) == (0, "")
    (instrument,) = json.loads(checked.stdout)["instruments"]
    return instrument


def test_nexo_has_exactly_these_quotes_and_trades_and_no_flaw(nexo_report):
    series = {one["data_type"]: one for one in nexo_report["series"]}
    assert (series["quotes"]["rows"], series["trades"]["rows"]) == (33_437, 12_458)
    assert (series["quotes"]["crossed"], series["quotes"]["locked"]) == (0, 0)
    assert (series["deltas"]["sequence_breaks"], series["deltas"]["snapshots"]) == (0, 1)
    assert series["trades"]["missing"] == 0
    assert all(one["duplicates"] == one["disorder"] == 0 for one in series.values())
    assert nexo_report["trades_in_quotes"] == {
        "compared": 12_458,
        "outside": 0,
        "outside_pct": 0.0,
        "furthest_bps": 0.0,
    }


def test_nexo_is_silent_for_43_seconds(nexo_report):
    assert nexo_report["silences"][0]["secs"] == pytest.approx(43.5, abs=0.05)
    assert nexo_report["silences"][0]["from"].startswith("2024-07-24T11:56:02")


def test_nexo_book_agrees_with_its_quotes(nexo_report):
    book = nexo_report["book_against_quotes"]
    assert book["points"] > 50_000
    assert book["agreement_pct"] >= 99.9
    assert book["crossed"] == 0


def update_ids(parser: RecordingParser) -> np.ndarray:
    """Return the update id of each bookTicker message."""
    batches = (batch for path in parser.paths for batch in read_batches(path))
    return np.array([p.u for batch in batches for p in batch.payloads if p and p.u and isinstance(p.b, str)])


@pytest.mark.parametrize("recording", [NEXO, BTC_SPOT, ETH_SPOT, BTC_PERP, ETH_PERP, BTC_PERP_2023])
def test_book_equals_the_quote_of_the_same_update_id(parsed, recording):
    """Each depth message holds all updates up to its id, so the last bookTicker up to that id must show its touch."""
    parser, columns = parsed(*recording)
    quotes, deltas = columns[Quotes], columns[Deltas]
    ends = deltas.sequence[(deltas.flags & 128) != 0]
    touch = BookTouch().add(deltas)
    assert len(touch) == len(ends)
    at = np.searchsorted(update_ids(parser), ends, side="right") - 1
    touch, quote = touch.take(at >= 0), quotes.take(at[at >= 0])
    same = (touch.bid_price == quote.bid_price) & (touch.ask_price == quote.ask_price)
    assert same.mean() >= 0.999
    assert not np.any(touch.bid_price >= touch.ask_price)


@pytest.mark.parametrize(
    ("recording", "quotes", "trades"),
    [
        (NEXO, 33_437, 12_458),
        (BTC_SPOT, 73_174, 19_904),
        (BTC_PERP, 66_089, 21_313),
        (ETH_PERP, 53_992, 14_076),
        (BTC_PERP_2023, 44_205, 12_934),
    ],
)
def test_recordings_are_whole_and_seamless(parsed, recording, quotes, trades):
    parser, columns = parsed(*recording)
    assert (len(columns[Quotes]), len(columns[Trades])) == (quotes, trades)
    assert (parser.depth.chain.gaps, parser.depth.chain.snapshots, parser.depth.chain.unusable) == (0, 1, 0)
    assert all(np.all(np.diff(columns[kind].ts_init) >= 0) for kind in (Quotes, Trades, Deltas))


def test_insurance_fund_trade_is_dropped_and_counted(parsed):
    parser, columns = parsed(*BTC_PERP_2023)
    assert parser.dropped["trades"] == {"INSURANCE_FUND": 1}
    assert columns[Trades].price.min() > 0.99 * np.median(columns[Trades].price)


def test_settled_funding_rate_is_found(parsed):
    _, columns = parsed(*BTC_PERP_2023)
    rates = columns[FundingRates]
    assert (rates.rate.tolist(), rates.ts_init.tolist()) == ([276_000_000_000], [1_680_652_800_000_000_000])


@pytest.mark.parametrize(
    ("recording", "least_ms", "median_ms"),
    [(NEXO, -193.0, -37.8), (BTC_PERP, -1272.5, -1269.5), (BTC_SPOT, -1276.7, -1273.2)],
)
def test_recorder_clock_is_behind_the_exchange(parsed, recording, least_ms, median_ms):
    parser, _ = parsed(*recording)
    clock = parser.stats.clock
    assert clock.least_ns / 1e6 == pytest.approx(least_ms, abs=0.1)
    assert clock.median_ns() / 1e6 == pytest.approx(median_ms, abs=0.1)


def test_sizes_from_before_the_step_was_made_coarser_are_rounded_and_counted(parsed):
    parser, _ = parsed(*BTC_SPOT)
    assert parser.rounded == {"quotes": 0, "trades": 0, "deltas": 7, "funding_rates": 0}


@pytest.mark.parametrize(
    ("recording", "mid_bps", "same_touch", "spread_bias"),
    [
        (NEXO, 2.15, 0.655, -0.07),
        (BTC_SPOT, 0.0143, 0.932, -0.98),
        (BTC_PERP, 0.0174, 0.934, 0.00),
        (BTC_PERP_2023, 0.0031, 0.975, -0.01),
    ],
)
def test_rebuilt_quotes_are_as_far_off_as_documented(parsed, recording, mid_bps, same_touch, spread_bias):
    _, columns = parsed(*recording)
    tick = Grid.of(find_instrument(recording[0])).tick
    rebuilder = TouchRebuilder(tick)
    rebuilt = Quotes.concat([rebuilder.add(columns[Trades]), rebuilder.finish()])
    error = touch_error(columns[Quotes], rebuilt, tick)
    assert error.mid_error_bps == pytest.approx(mid_bps, rel=0.02)
    assert error.same_touch_share == pytest.approx(same_touch, abs=0.002)
    assert error.spread_bias_ticks == pytest.approx(spread_bias, abs=0.01)
    assert error.size_ratio < 0.6


def test_feather_candles_have_their_known_gap(shared_data):
    path = shared_data / "klines_e0v1e_5m_202208" / "AVAX_USDT-5m.feather"
    klines = parse_klines(path, find_instrument("AVAXUSDT.BINANCE"))
    steps = np.diff(klines.bars.ts_init) // (300 * 10**9) - 1
    assert (len(klines.bars), steps[steps > 0].tolist()) == (121_739, [16])
    assert klines.rounded == {"volumes rounded to the step": 4}


def test_json_candles_of_a_tiny_tick_are_exact(shared_data, tmp_path):
    with tarfile.open(shared_data / "iota_klines" / "iota_agustin.tar.xz") as archive:
        archive.extract("IOTA_BTC-1m.json", tmp_path, filter="data")
    klines = parse_klines(tmp_path / "IOTA_BTC-1m.json", find_instrument("IOTABTC.BINANCE"))
    assert klines.bar_type == "IOTABTC.BINANCE-1-MINUTE-LAST-EXTERNAL"
    assert (len(klines.bars), klines.rounded.total()) == (43_199, 0)
    assert (int(klines.bars.low.min()) > 1_000, int(klines.bars.high.max()) < 10_000) == (True, True)

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bad_input import BadInput
from data_catalog.columns import BUYER, SELLER, Deltas, FundingRates, Quotes, Trades
from data_catalog.instruments import find_instrument
from data_catalog.recordings.parser import RecordingParser

START_US = 1_721_749_182_000_000
SPOT = find_instrument("NEXOUSDT.BINANCE")
PERPETUAL = find_instrument("BTCUSDT-PERP.BINANCE")

Line = tuple[int, object]
Write = Callable[..., Path]


def ticker(at: int, bid="1.21400000", ask="1.21600000", u=1, **more) -> Line:
    data = {"u": u, "s": "NEXOUSDT", "b": bid, "B": "63.38000000", "a": ask, "A": "62.53000000"} | more
    return at, {"stream": "nexousdt@bookTicker", "data": data}


def trade(at: int, trade_id=1, price="1.21600000", size="10.82000000", buyer_is_maker=False, **more) -> Line:
    data = {"e": "trade", "E": at // 1000, "s": "NEXOUSDT", "t": trade_id, "p": price, "q": size}
    return at, {"stream": "nexousdt@trade", "data": data | {"T": at // 1000, "m": buyer_is_maker, "M": True} | more}


def diff(at: int, first: int, last: int, bids=(), asks=(), **more) -> Line:
    data = {"e": "depthUpdate", "E": at // 1000, "s": "NEXOUSDT", "U": first, "u": last, "b": bids, "a": asks}
    return at, {"stream": "nexousdt@depth@100ms", "data": data | more}


def snapshot(at: int, last_id: int) -> Line:
    return at, {"lastUpdateId": last_id, "bids": [["1.21400000", "5.00000000"]], "asks": [["1.21600000", "7.00000000"]]}


def mark_price(at: int, rate: str, settles_ms: int) -> Line:
    data = {"e": "markPriceUpdate", "E": at // 1000, "s": "BTCUSDT", "p": "1.0", "r": rate, "T": settles_ms}
    return at, {"stream": "btcusdt@markPrice@1s", "data": data}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_lines(*lines: Line, name: str = "recorded.dat.gz") -> Path:
        text = "".join(f"{at} {json.dumps(message)}\n" for at, message in lines).encode()
        path = tmp_path / name
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return path

    return write_lines


def parse(*paths: Path, instrument=SPOT, batch_lines=1000) -> tuple[RecordingParser, dict[type, object]]:
    parser = RecordingParser(paths, instrument, batch_lines)
    parts: dict[type, list] = {}
    for columns in parser.batches():
        parts.setdefault(type(columns), []).append(columns)
    return parser, {kind: kind.concat(some) for kind, some in parts.items()}


@pytest.mark.parametrize("nanos_per_unit", [1, 1_000, 1_000_000])
@pytest.mark.parametrize("name", ["recorded.gz", "recorded.dat"])
def test_receive_time_is_told_apart_by_its_magnitude(write, nanos_per_unit, name):
    at = START_US * 1_000 // nanos_per_unit
    _, found = parse(write((at, ticker(at)[1]), name=name))
    assert found[Quotes].ts_init.tolist() == [at * nanos_per_unit]


def test_quote_holds_exact_counts(write):
    _, found = parse(write(ticker(START_US)))
    quotes = found[Quotes]
    row = [column[0] for column in (quotes.bid_price, quotes.ask_price, quotes.bid_size, quotes.ask_size)]
    assert row == [1214, 1216, 6338, 6253]


def test_message_without_an_envelope_is_read_too(write):
    _, found = parse(write((START_US, ticker(START_US)[1]["data"])))
    assert len(found[Quotes]) == 1


def test_aggressor_is_the_side_that_was_not_the_maker(write):
    _, found = parse(write(trade(START_US, 1, buyer_is_maker=False), trade(START_US + 1, 2, buyer_is_maker=True)))
    assert found[Trades].aggressor.tolist() == [BUYER, SELLER]
    assert found[Trades].trade_id.tolist() == [1, 2]


def test_trade_that_is_no_market_trade_is_dropped_and_counted(write):
    parser, found = parse(
        write(trade(START_US, 1, X="MARKET"), trade(START_US, 2, X="INSURANCE_FUND"), trade(START_US, 3, X="MARKET"))
    )
    assert found[Trades].trade_id.tolist() == [1, 3]
    assert parser.dropped["trades"] == Counter({"INSURANCE_FUND": 1})


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (trade(START_US, 7), "repeated id"),
        (trade(START_US, 6), "repeated id"),
        (trade(START_US, 8, size="0.00000000"), "size 0"),
        (
            (START_US, {"e": "aggTrade", "s": "NEXOUSDT", "a": 3, "p": "1.2", "q": "1", "m": True}),
            "aggTrade beside trade",
        ),
    ],
)
def test_trade_that_cannot_count_is_dropped_with_its_reason(write, second, reason):
    parser, found = parse(write(trade(START_US, 7), second))
    assert len(found[Trades]) == 1
    assert parser.dropped["trades"] == Counter({reason: 1})


def test_agg_trades_alone_are_trades(write):
    message = {"e": "aggTrade", "E": 1, "s": "NEXOUSDT", "a": 3, "p": "1.216", "q": "1", "T": 1, "m": True}
    _, found = parse(write((START_US, message)))
    assert found[Trades].trade_id.tolist() == [3]


def test_quote_with_an_empty_side_is_dropped_and_counted(write):
    parser, found = parse(write(ticker(START_US, bid="0.00000000"), ticker(START_US + 1)))
    assert len(found[Quotes]) == 1
    assert parser.dropped["quotes"] == Counter({"one side empty": 1})


def test_jitter_of_the_recorder_never_takes_time_back_across_streams(write):
    _, found = parse(write(ticker(START_US), trade(START_US - 700), ticker(START_US - 300), ticker(START_US + 5)))
    assert (found[Quotes].ts_init // 1000 - START_US).tolist() == [0, 0, 5]
    assert (found[Trades].ts_init // 1000 - START_US).tolist() == [0]


def test_both_times_are_the_receive_time_even_where_it_is_behind_the_exchange(write):
    behind_us = 1_270_000
    at, message = trade(START_US)
    _, found = parse(write((at - behind_us, message)))
    assert found[Trades].ts_event.tolist() == found[Trades].ts_init.tolist() == [(START_US - behind_us) * 1000]


def test_clock_offset_is_receive_time_minus_event_time(write):
    lines = [(START_US + late, trade(START_US, number)[1]) for number, late in enumerate([-3000, 1000, 9000], 1)]
    parser, _ = parse(write(*lines, ticker(START_US + 10_000)))
    clock = parser.stats.clock
    assert (clock.least_ns, clock.median_ns(), clock.greatest_ns) == (-3_000_000, 1_000_000, 9_000_000)


def test_files_in_any_order_become_one_seamless_series(write):
    first = write(snapshot(START_US, 10), diff(START_US + 1, 11, 12, [["1.213", "1"]]), name="b.gz")
    second = write(diff(START_US + 2, 13, 13, [["1.213", "0"]]), ticker(START_US + 3), name="a.gz")
    parser, found = parse(second, first)
    assert parser.paths == [first, second]
    assert parser.depth.chain.gaps == 0
    assert found[Deltas].sequence.tolist() == [10, 10, 10, 12, 13]


def test_files_that_overlap_in_time_are_refused(write):
    first = write(ticker(START_US), ticker(START_US + 100), name="a.gz")
    second = write(ticker(START_US + 50), name="b.gz")
    with pytest.raises(BadInput, match=r"b\.gz:1: starts before the file before it ends"):
        parse(first, second)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"result": None, "id": 1}, "unknown"),
        ({"e": "forceOrder", "E": 1, "o": {"s": "BTCUSDT"}}, "forceOrder"),
        ({"stream": "!markPrice@arr", "data": [{"e": "markPriceUpdate"}]}, "unknown"),
        ({"e": "24hrMiniTicker", "E": 1, "s": "NEXOUSDT", "c": "1.2"}, "24hrMiniTicker"),
        ({"stream": "x@depth20@100ms", "data": {"lastUpdateId": 5, "bids": [], "asks": []}}, "partial depth"),
    ],
)
def test_event_that_is_not_imported_is_counted_and_not_fatal(write, message, kind):
    parser, found = parse(write(ticker(START_US), (START_US, message)))
    assert parser.stats.ignored == Counter({kind: 1})
    assert set(found) == {Quotes}


def test_depth_without_any_snapshot_gives_no_deltas_and_is_counted(write):
    parser, found = parse(write(diff(START_US, 1, 2), diff(START_US + 1, 3, 3)))
    assert Deltas not in found
    assert parser.dropped["deltas"] == Counter({"outside a known book": 2})


def test_funding_rate_is_the_last_one_announced_before_the_settlement(write):
    settles = START_US // 1000 + 5_000
    path = write(
        mark_price(START_US, "0.00010000", settles),
        mark_price(START_US + 1_000_000, "0.00012300", settles),
        mark_price(START_US + 6_000_000, "-0.00005000", settles + 28_800_000),
    )
    _, found = parse(path, instrument=PERPETUAL)
    assert found[FundingRates].rate.tolist() == [1_230_000_000_000]
    assert found[FundingRates].ts_init.tolist() == [settles * 1_000_000]


def test_size_finer_than_the_step_is_rounded_counted_and_never_zero(write):
    levels = [["1.21300000", "25.42618900"], ["1.21200000", "0.00100000"], ["1.21100000", "0.00000000"]]
    parser, found = parse(write(snapshot(START_US, 10), diff(START_US, 11, 11, levels)))
    assert found[Deltas].size[-3:].tolist() == [2543, 1, 0]
    assert parser.rounded["deltas"] == 2


@pytest.mark.parametrize("batch_lines", [1, 2, 3])
def test_the_size_of_batches_changes_nothing(write, batch_lines):
    lines = [diff(START_US, 9, 11, [["1.213", "1"]]), snapshot(START_US + 1, 10), diff(START_US + 2, 12, 12)]
    path = write(*lines, ticker(START_US + 3), trade(START_US + 2, 1), ticker(START_US + 4))
    _, whole = parse(path)
    _, split = parse(path, batch_lines=batch_lines)
    assert whole.keys() == split.keys()
    for kind in whole:
        for column in kind.__slots__:
            np.testing.assert_array_equal(getattr(whole[kind], column), getattr(split[kind], column))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (f"{START_US} {{not json", "not JSON"),
        (f'{START_US} {{"u": 1, "b": "1.2", "a": 5}} trailing', "not JSON"),
        (f"{START_US} \xff\xfe", "not JSON"),
        ("12345 {}", 'expected "<receive time> <json>"'),
        ("hello", 'expected "<receive time> <json>"'),
        (f'{START_US} {{"e": "trade", "E": "soon"}}', "another form than Binance's"),
        (f"{START_US} {json.dumps(ticker(START_US, bid='1.21450000')[1])}", 'price "1.21450000" is not a multiple'),
        (f"{START_US} {json.dumps(ticker(START_US, bid='cheap')[1])}", 'price "cheap" is not a number'),
        (f"{START_US} {json.dumps(ticker(START_US, bid='-1.2')[1])}", 'price "-1.2" is out of range'),
        (f"{START_US} {json.dumps(ticker(START_US, s='BTCUSDT')[1])}", '"BTCUSDT", but the instrument "NEXOUSDT"'),
        (f"{START_US} {json.dumps(ticker(START_US, T=5)[1])}", "a futures message, but a spot instrument"),
        (f"{START_US} {json.dumps(diff(START_US, 1, 1, pu=0)[1])}", "a futures message, but a spot instrument"),
        (f"{START_US} {json.dumps(trade(START_US, None)[1])}", "a trade without an id"),
        (f"{START_US} {json.dumps(diff(START_US, None, 1)[1])}", "a depthUpdate without U"),
    ],
)
def test_bad_line_is_refused_with_file_and_line(write, tmp_path, line, problem):
    good = f"{START_US} {json.dumps(ticker(START_US)[1])}\n"
    path = tmp_path / "bad.dat"
    path.write_bytes((good + "\n" + line + "\n").encode("latin-1"))
    with pytest.raises(BadInput) as caught:
        parse(path)
    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"{path}:3: ")


def test_level_off_the_tick_is_refused_with_the_line_of_its_diff(write):
    path = write(diff(START_US, 9, 11, [["1.2135", "1"]]), snapshot(START_US, 10))
    with pytest.raises(BadInput, match=r'recorded\.dat\.gz:1: price "1\.2135" is not a multiple of 0\.001'):
        parse(path)


def test_spot_recording_for_a_perpetual_is_refused(write):
    with pytest.raises(BadInput, match="a spot message, but a futures instrument"):
        parse(write(ticker(START_US, s="BTCUSDT")), instrument=PERPETUAL)


def test_truncated_gzip_file_is_refused_with_the_line_where_it_ends(write, tmp_path):
    whole = write(*(ticker(START_US + number, u=number) for number in range(5000)))
    cut = tmp_path / "cut.gz"
    cut.write_bytes(whole.read_bytes()[:-2000])
    with pytest.raises(BadInput, match=r"cut\.gz:\d+: the compressed file is cut off here"):
        parse(cut)


def test_gzip_file_with_a_wrong_checksum_is_refused(write, tmp_path):
    data = bytearray(write(*(ticker(START_US + number, u=number) for number in range(5000))).read_bytes())
    data[-6] ^= 0xFF
    path = tmp_path / "damaged.gz"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=r"damaged\.gz:5001: the compressed file is damaged here"):
        parse(path)


def test_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.dat"
    path.write_bytes(b"\n")
    with pytest.raises(BadInput, match="is empty"):
        RecordingParser([path], SPOT)


def test_progress_adds_up_to_the_bytes_on_disk(write):
    path = write(*(ticker(START_US + number, u=number) for number in range(5000)))
    seen: list[int] = []
    for _ in RecordingParser([path], SPOT, batch_lines=500).batches(seen.append):
        pass
    assert sum(seen) == path.stat().st_size
    assert min(seen) >= 0

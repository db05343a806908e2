"""What the exchange played is what the catalog holds, whatever happens in between."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bad_input import BadInput
from binance_double.orders import Side
from command_line import Failed
from data_catalog.live_recording.imports import import_pending
from data_catalog.live_recording.link import Link
from data_catalog.live_recording.recorder import Recorder, Recording
from data_catalog.live_recording.routes import Addresses
from data_catalog.live_recording.status import StatusLine, summary
from tests.data_catalog.live_recording.recording_kit import (
    HOUR_NS,
    PERPETUAL,
    QUICK,
    SPOT,
    MovableClock,
    Played,
    checked,
    entry_of,
    recording,
    stored,
    stored_quotes,
    stored_trades,
    until,
)


def received(recorder: Recorder, instrument_id: str, rows: int) -> Any:
    tape = recorder.tapes[instrument_id]
    return lambda: tape.rows["trades"] >= rows and tape.rows["quotes"] >= rows


def test_what_was_played_is_in_the_catalog_row_for_row(double, tmp_path: Path) -> None:
    markets = [Played(double, SPOT), Played(double, PERPETUAL)]

    async def scenario() -> Recorder:
        async with recording(double, tmp_path, SPOT, PERPETUAL) as recorder:
            for market, id_ in zip(markets, (SPOT, PERPETUAL), strict=True):
                await asyncio.to_thread(market.go_on, 40)
                await until(received(recorder, id_, 40))
            rows = sum(tape.rows.total() for tape in recorder.tapes.values())
            assert f"{rows} rows" in StatusLine(recorder, recorder.recording.now_ns).text().split(" | ")
        return recorder

    recorder = asyncio.run(scenario())
    for market, id_ in zip(markets, (SPOT, PERPETUAL), strict=True):
        assert stored_quotes(tmp_path, id_) == market.quotes
        assert stored_trades(tmp_path, id_) == market.trades
        assert entry_of(tmp_path, id_, "trades").gaps == ()
    table = summary(recorder.imports)
    assert list(table.columns[2].cells) == ["40", "40", "40", "40"]


def test_a_connection_that_breaks_leaves_a_marked_gap_and_nothing_twice(double, tmp_path: Path) -> None:
    market = Played(double, SPOT)

    async def scenario() -> Recorder:
        async with recording(double, tmp_path, SPOT) as recorder:
            await asyncio.to_thread(market.go_on, 10)
            await until(received(recorder, SPOT, 10))
            await asyncio.to_thread(double.vanish)
            await asyncio.to_thread(market.miss, 3)
            await until(lambda: not recorder.feeds[0].connected)
            await asyncio.to_thread(double.resume)
            await until(lambda: recorder.feeds[0].connected)
            await asyncio.to_thread(market.go_on, 10)
            await until(received(recorder, SPOT, 20))
        return recorder

    recorder = asyncio.run(scenario())
    assert (stored_quotes(tmp_path, SPOT), stored_trades(tmp_path, SPOT)) == (market.quotes, market.trades)
    times = stored(tmp_path, SPOT, "trades").ts_init
    for data_type in ("quotes", "trades"):
        (gap,) = entry_of(tmp_path, SPOT, data_type).gaps
        assert times[9] - 10**6 <= gap.start_ns <= gap.end_ns <= times[10]
        assert "connection ended" in gap.reason
    found = checked(tmp_path, SPOT).series
    assert [(c.gaps, c.missing, c.duplicates) for entry, c in found if entry.data_type == "trades"] == [(1, 3, 0)]
    assert recorder.feeds[0].reconnects == 1


def test_a_connection_is_renewed_without_a_gap_and_nothing_twice(double, tmp_path: Path) -> None:
    market = Played(double, SPOT)

    async def scenario() -> Recorder:
        async with recording(double, tmp_path, SPOT) as recorder:
            await asyncio.to_thread(market.go_on, 5)
            await until(received(recorder, SPOT, 5))
            await asyncio.to_thread(double.send_market_text, '{"e":"serverShutdown","E":1}')
            await until(lambda: double.call(lambda: len(double.spot.market.connections)) == 2)
            await asyncio.to_thread(market.go_on, 10)
            await until(lambda: double.call(lambda: len(double.spot.market.connections)) == 1)
            await asyncio.to_thread(market.go_on, 5)
            await until(received(recorder, SPOT, 20))
        return recorder

    recorder = asyncio.run(scenario())
    assert (stored_quotes(tmp_path, SPOT), stored_trades(tmp_path, SPOT)) == (market.quotes, market.trades)
    assert recorder.tapes[SPOT].repeated == 20
    assert (recorder.feeds[0].renewals, recorder.feeds[0].reconnects) == (1, 0)
    assert entry_of(tmp_path, SPOT, "quotes").gaps == ()


def test_a_renewal_that_fails_leaves_the_old_connection(double, tmp_path: Path, monkeypatch) -> None:
    market, refused = Played(double, SPOT), []

    async def refuse(*arguments: Any) -> Link:
        refused.append(arguments)
        raise ConnectionRefusedError

    async def scenario() -> Recorder:
        async with recording(double, tmp_path, SPOT) as recorder:
            monkeypatch.setattr(Link, "open", refuse)
            await asyncio.to_thread(double.send_market_text, '{"e":"serverShutdown","E":1}')
            await until(lambda: len(refused) == 2)  # it is tried again
            await asyncio.to_thread(market.go_on, 3)
            await until(received(recorder, SPOT, 3))
        return recorder

    recorder = asyncio.run(scenario())
    assert (recorder.feeds[0].renewals, recorder.feeds[0].reconnects, recorder.tapes[SPOT].gaps) == (0, 0, [])
    assert stored_trades(tmp_path, SPOT) == market.trades


def test_a_connection_that_ends_before_its_successor_is_open_leaves_a_gap(double, tmp_path: Path, monkeypatch) -> None:
    market = Played(double, SPOT)

    async def scenario() -> Recorder:
        async with recording(double, tmp_path, SPOT) as recorder:
            feed, open_link = recorder.feeds[0], Link.open
            await asyncio.to_thread(market.go_on, 3)
            await until(received(recorder, SPOT, 3))
            (old,) = feed._links

            async def open_late(*arguments: Any) -> Link:
                await asyncio.to_thread(double.disconnect_market, abort=True)
                await until(lambda: old.ended)
                return await open_link(*arguments)

            monkeypatch.setattr(Link, "open", open_late)
            await asyncio.to_thread(double.send_market_text, '{"e":"serverShutdown","E":1}')
            await until(lambda: feed.renewals == 1 and feed._links != [old])
            await asyncio.to_thread(market.go_on, 3)
            await until(received(recorder, SPOT, 6))
        return recorder

    recorder = asyncio.run(scenario())
    assert stored_trades(tmp_path, SPOT) == market.trades
    (gap,) = entry_of(tmp_path, SPOT, "trades").gaps
    times = stored(tmp_path, SPOT, "trades").ts_init
    assert times[2] <= gap.end_ns <= times[3]
    assert recorder.feeds[0].reconnects == 0


def test_an_old_connection_is_renewed_in_time(double, tmp_path: Path) -> None:
    async def scenario() -> int:
        timing = replace(QUICK, renew_secs=0.05, overlap_secs=0.01)
        async with recording(double, tmp_path, SPOT, timing=timing) as recorder:
            await until(lambda: recorder.feeds[0].renewals >= 2)
            return recorder.feeds[0].reconnects

    assert asyncio.run(scenario()) == 0


def test_a_silent_stream_is_connected_again_and_marked(double, tmp_path: Path) -> None:
    market = Played(double, SPOT)

    async def scenario() -> None:
        async with recording(double, tmp_path, SPOT, timing=replace(QUICK, silence_secs=1.0)) as recorder:
            await asyncio.to_thread(market.go_on, 2)
            await until(received(recorder, SPOT, 2))
            double.faults.market_silent = True
            await asyncio.to_thread(market.miss, 4)
            await until(lambda: recorder.feeds[0].reconnects and recorder.feeds[0].connected)
            double.faults.market_silent = False
            await asyncio.to_thread(market.go_on, 2)
            await until(received(recorder, SPOT, 4))

    asyncio.run(scenario())
    assert stored_trades(tmp_path, SPOT) == market.trades
    gaps = entry_of(tmp_path, SPOT, "trades").gaps
    assert {gap.reason for gap in gaps} == {"nothing heard for 1 s"}
    times = stored(tmp_path, SPOT, "trades").ts_init
    assert any(times[1] <= gap.start_ns + 10**6 and gap.end_ns <= times[2] for gap in gaps)


MALFORMED = [
    "not json",
    "[1, 2]",
    '{"stream":"nexousdt@trade","data":{"e":"trade","s":"NEXOUSDT","t":"1"}}',
    '{"stream":"nexousdt@trade","data":{"e":"trade","E":1,"s":"NEXOUSDT","t":7,"p":"x","q":"1","m":true}}',
    '{"stream":"nexousdt@bookTicker","data":{"u":9,"s":"NEXOUSDT","b":"1.2","B":"1","a":null,"A":"1"}}',
    '{"stream":"nexousdt@bookTicker","data":{"u":9,"s":"NEXOUSDT","b":"1","B":"1","a":"2","A":"1","T":1}}',
    '{"stream":"x@bookTicker","data":{"u":9,"s":"OTHER","b":"1","B":"1","a":"2","A":"1"}}',
    '{"stream":"nexousdt@depth","data":{"e":"depthUpdate","E":1,"s":"NEXOUSDT","U":1,"u":1,"b":[["1",""]],"a":[]}}',
    '{"stream":"nexousdt@depth","data":{"e":"depthUpdate","E":1,"s":"NEXOUSDT","U":1,"u":1,"b":"1","a":[]}}',
    '{"stream":"nexousdt@kline_1m","data":{"e":"kline","E":1,"s":"NEXOUSDT"}}',
]


def test_messages_that_cannot_be_used_are_left_out_and_counted(double, tmp_path: Path) -> None:
    market = Played(double, SPOT)

    async def scenario() -> Recorder:
        async with recording(double, tmp_path, SPOT) as recorder:
            await asyncio.to_thread(market.go_on, 1)
            for text in (*MALFORMED, '{"result":null,"id":1}'):
                await asyncio.to_thread(double.send_market_text, text)
            await asyncio.to_thread(market.go_on, 1)
            await until(received(recorder, SPOT, 2))
        return recorder

    recorder = asyncio.run(scenario())
    assert recorder.skipped.total() == len(MALFORMED)
    assert stored_quotes(tmp_path, SPOT) == market.quotes


def test_files_rotate_with_the_hour_and_join_without_a_seam(double, tmp_path: Path) -> None:
    market, clock = Played(double, PERPETUAL), MovableClock()

    async def scenario() -> None:
        async with recording(double, tmp_path, PERPETUAL, clock=clock, period_ns=HOUR_NS) as recorder:
            for hour in range(3):
                await asyncio.to_thread(market.go_on, 4)
                await until(received(recorder, PERPETUAL, 4 * (hour + 1)))
                clock.ahead_ns += HOUR_NS
            # The file of an hour that is over is imported while the next one is being recorded.
            await until(lambda: len(recorder.imports[PERPETUAL].imported) == 3)

    asyncio.run(scenario())
    assert (stored_quotes(tmp_path, PERPETUAL), stored_trades(tmp_path, PERPETUAL)) == (market.quotes, market.trades)
    entry = entry_of(tmp_path, PERPETUAL, "quotes")
    assert (entry.files, entry.gaps) == (3, ())
    assert len(list((tmp_path / "recordings" / PERPETUAL).glob("*.gz"))) == 3


def levels(sizes: dict[tuple[Side, int], int]) -> list[tuple[Side, Decimal, Decimal]]:
    return [(side, Decimal(price).scaleb(-3), Decimal(size)) for (side, price), size in sizes.items()]


def test_the_book_is_whole_after_a_break_and_in_each_file(double, tmp_path: Path) -> None:
    clock = MovableClock()
    book = {(Side.BUY, 1190 + n): n + 1 for n in range(5)} | {(Side.SELL, 1200 + n): n + 1 for n in range(5)}

    def change(size: int) -> None:
        book[Side.BUY, 1191] = size
        double.call(double.spot.venue.on_depth, "NEXOUSDT", levels({(Side.BUY, 1191): size}))

    async def scenario() -> None:
        double.call(double.spot.venue.on_depth, "NEXOUSDT", levels(book), True)
        double.faults.answer("depth", 503)
        double.faults.answer("depth", 200, message="no book", code=0)
        async with recording(double, tmp_path, SPOT, clock=clock, period_ns=HOUR_NS, depth=True) as recorder:
            tape = recorder.tapes[SPOT]

            async def grow(size: int, rows: int) -> None:
                await asyncio.to_thread(change, size)
                await until(lambda: tape.rows["deltas"] >= rows and not tape.wants_book)

            await grow(11, 2)
            await asyncio.to_thread(double.disconnect_market, abort=True)
            await until(lambda: recorder.feeds[0].reconnects == 1 and recorder.feeds[0].connected)
            await grow(12, 4)
            clock.ahead_ns += HOUR_NS
            await grow(13, 6)

    asyncio.run(scenario())
    deltas = stored(tmp_path, SPOT, "deltas")
    assert entry_of(tmp_path, SPOT, "deltas").files == 2
    rebuilt: dict[tuple[int, int], int] = {}
    for action, side, price, size in zip(deltas.action, deltas.side, deltas.price, deltas.size, strict=True):
        if action == 4:
            rebuilt.clear()
        else:
            rebuilt[int(side), int(price)] = int(size)
    assert rebuilt == {(1 if side is Side.BUY else 2, price): size * 100 for (side, price), size in book.items()}
    found = next(c for entry, c in checked(tmp_path, SPOT).series if entry.data_type == "deltas")
    assert found.snapshots == 3


def test_funding_at_the_change_of_files_is_not_lost(double, tmp_path: Path) -> None:
    clock = MovableClock()

    def mark(settles_ms: int, rate: str) -> str:
        data = {"e": "markPriceUpdate", "E": settles_ms - 1, "s": "BTCUSDT", "p": "1", "r": rate, "T": settles_ms}
        return json.dumps({"stream": "btcusdt@markPrice", "data": data})

    async def scenario() -> None:
        market = Played(double, PERPETUAL)
        async with recording(double, tmp_path, PERPETUAL, clock=clock, period_ns=HOUR_NS) as recorder:
            tape = recorder.tapes[PERPETUAL]
            await asyncio.to_thread(market.go_on, 1)
            trades = next(feed for feed in recorder.feeds if "funding_rates" in feed.route.data_types)
            trades._take(trades._links[-1], clock(), mark(1_800_000_000_000, "0.0001"))
            await until(received(recorder, PERPETUAL, 1))
            clock.ahead_ns += HOUR_NS
            await asyncio.to_thread(market.go_on, 1)
            trades._take(trades._links[-1], clock(), mark(1_800_028_800_000, "-0.0002"))
            await until(received(recorder, PERPETUAL, 2))
            assert tape.rows["funding_rates"] >= 2

    asyncio.run(scenario())
    rates = stored(tmp_path, PERPETUAL, "funding_rates")
    assert 1_800_000_000_000 * 10**6 in rates.ts_init.tolist()


def test_no_room_on_the_disk_ends_the_recording(double, tmp_path: Path) -> None:
    market = Played(double, SPOT)

    async def scenario() -> None:
        # The name of the file is known where the clock stands still; the file of that name has no room.
        async with recording(double, tmp_path, SPOT, clock=lambda: 1_893_456_000 * 10**9) as recorder:
            tape = recorder.tapes[SPOT]
            (tape.folder / f"{SPOT}-20300101T000000.000Z.open").symlink_to("/dev/full")
            await asyncio.to_thread(market.go_on, 5)
            await until(lambda: tape._lock is None)

    with pytest.raises(Failed, match="No space left"):
        asyncio.run(scenario())


def test_no_connection_to_begin_with_is_a_failure(tmp_path: Path) -> None:
    recorder = Recorder(
        Recording(tmp_path, [SPOT], addresses=Addresses.local("http://127.0.0.1:9"), timing=QUICK), None, lambda _: None
    )
    with pytest.raises(Failed, match=r"no connection to ws://127\.0\.0\.1:9"):
        asyncio.run(recorder.run(asyncio.Event()))


def test_two_recorders_of_one_instrument_are_one_too_many(tmp_path: Path) -> None:
    first = Recorder(Recording(tmp_path, [SPOT]), None, lambda _: None)
    with pytest.raises(BadInput, match="another recorder"):
        Recorder(Recording(tmp_path, [PERPETUAL, SPOT]), None, lambda _: None)
    for tape in first.tapes.values():
        tape.abandon()
    again = Recorder(Recording(tmp_path, [PERPETUAL, SPOT]), None, lambda _: None)
    for tape in again.tapes.values():
        tape.close()
    assert np.all([import_pending(tmp_path, id_).imported == [] for id_ in (SPOT, PERPETUAL)])

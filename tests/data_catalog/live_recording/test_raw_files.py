"""Raw files outlive the process that writes them."""

import gzip
import os
from pathlib import Path

import pytest

from bad_input import BadInput
from data_catalog.live_recording.left_behind import read_until, salvage
from data_catalog.live_recording.raw_file import RawFile, whole_lines
from data_catalog.live_recording.tape import Tape

AT_NS = 1_800_000_000_000_000_000
TRADE = '{"stream":"nexousdt@trade","data":{"e":"trade","E":1,"s":"NEXOUSDT","t":%d,"p":"1.2","q":"1","T":1,"m":true}}'


def line(number: int) -> bytes:
    return f"{AT_NS + number} {TRADE % number}\n".encode()


def test_a_file_cut_anywhere_gives_the_lines_before_the_cut(tmp_path: Path) -> None:
    file = RawFile(tmp_path, "cut")
    flushed = {}
    for number in range(40):
        file.write(line(number))
        if number % 7 == 6:
            file.flush()
            flushed[file.bytes_on_disk] = number + 1
    whole = file.finish().read_bytes()
    expected = [line(number).rstrip(b"\n") for number in range(40)]
    assert gzip.decompress(whole).splitlines() == expected
    path = tmp_path / "part"
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        lines = list(whole_lines(path))
        assert lines == expected[: len(lines)]
        assert len(lines) >= max((rows for end, rows in flushed.items() if end <= size), default=0)


def test_a_damaged_end_is_left_out(tmp_path: Path) -> None:
    file = RawFile(tmp_path, "damaged")
    file.write(line(1))
    file.flush()
    file.abandon()
    with file.path.open("ab") as tail:
        tail.write(b"\xff" * 100)
    assert list(whole_lines(file.path)) == [line(1).rstrip(b"\n")]


@pytest.mark.parametrize("rows", [0, 3])
def test_what_a_killed_recorder_left_is_completed(tmp_path: Path, rows: int) -> None:
    file = RawFile(tmp_path, "left")
    for number in range(rows):
        file.write(line(number))
    file.write(b'%d {"e":"recordingGap","since_ns":1,"of":["trades"],"reason":"x"}\n' % (AT_NS + 100))
    file.flush()
    file.abandon()
    completed = salvage(tmp_path)
    assert not file.path.exists()
    if rows:
        assert len(gzip.decompress(completed[0].read_bytes()).splitlines()) == rows + 1
        assert read_until(tmp_path) == {"trades": AT_NS + rows - 1}
    else:
        assert (completed, list(tmp_path.glob("left*"))) == ([], [])
    assert salvage(tmp_path) == []


def test_dying_between_completing_and_removing_does_no_harm(tmp_path: Path) -> None:
    file = RawFile(tmp_path, "left")
    file.write(line(1))
    file.flush()
    saved = file.path.read_bytes()
    complete = file.finish()
    before = complete.read_bytes()
    file.path.write_bytes(saved)
    assert salvage(tmp_path) == []
    assert (complete.read_bytes(), file.path.exists()) == (before, False)


def test_a_gap_without_rows_after_it_is_kept_for_the_next_file(tmp_path: Path) -> None:
    tape = Tape(tmp_path, "NEXOUSDT.BINANCE", 10**9, lambda: AT_NS, depth=False)
    tape.mark_gap(AT_NS - 500, AT_NS, ("quotes", "trades"), "connection ended")
    tape.mark_gap(AT_NS + 10**9, AT_NS + 2 * 10**9, ("trades",), "connection ended")
    (left,) = tmp_path.glob("*.open")
    tape.close()
    assert not left.exists()
    assert read_until(tmp_path) == {"quotes": AT_NS - 500, "trades": AT_NS + 10**9}


def test_a_clock_behind_the_last_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "recorded_until.json").write_text(f'{{"quotes": {AT_NS + 3600 * 10**9}}}')
    with pytest.raises(BadInput, match="clock has not reached"):
        Tape(tmp_path, "NEXOUSDT.BINANCE", 10**9, lambda: AT_NS, depth=False)
    Tape(tmp_path, "NEXOUSDT.BINANCE", 10**9, lambda: AT_NS + 3600 * 10**9, depth=False).close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_bad_input(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BadInput, match="cannot be written to"):
        Tape(tmp_path / "x", "NEXOUSDT.BINANCE", 10**9, lambda: AT_NS, depth=False)

import asyncio
import hashlib
import socket
from pathlib import Path

import pytest

from data_catalog.archive.client import (
    ArchiveClient,
    ArchiveError,
    NotInArchiveError,
    Patience,
    UnreachableError,
)

PATH = "data/spot/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2024-08-08.zip"
CONTENT = bytes(range(256)) * 1200
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Downloads:
    """Runs one download after another, and keeps the pauses that would have been made."""

    def __init__(self, base_url: str, folder: Path, patience: Patience | None = None) -> None:
        self.folder = folder
        self.pauses = []
        self.progress = []
        self.during_pause = lambda: None
        self._base_url = base_url
        self._patience = patience or Patience(attempts=3)

    def run(self, path: str = PATH) -> Path:
        """Ask for the checksum and the file."""
        return asyncio.run(self._run(path))

    async def _run(self, path: str) -> Path:
        async with ArchiveClient(self._base_url, self.folder, self._patience, self._pause) as client:
            sha256 = await client.checksum(path)
            return await client.download(path, sha256, lambda done, total: self.progress.append((done, total)))

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.during_pause()


@pytest.fixture
def downloads(archive_server, tmp_path) -> Downloads:
    archive_server.add_bytes(PATH, CONTENT)
    return Downloads(archive_server.url, tmp_path / "downloads")


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_arrives_under_its_path_and_nothing_else_is_left(downloads):
    path = downloads.run()
    assert path == downloads.folder / PATH
    assert path.read_bytes() == CONTENT
    assert files_of(downloads.folder) == [path.name]
    assert downloads.progress[-1] == (len(CONTENT), len(CONTENT))
    assert downloads.pauses == []


def test_a_file_that_is_there_with_its_checksum_is_not_asked_for_again(downloads, archive_server):
    downloads.run()
    downloads.run()
    assert archive_server.times_asked(PATH) == 1


def test_a_file_that_is_there_with_another_checksum_is_replaced(downloads):
    downloads.run().write_bytes(b"damaged")
    assert downloads.run().read_bytes() == CONTENT


def test_a_connection_that_breaks_off_is_taken_up_where_it_broke(downloads, archive_server):
    archive_server.cut_after(PATH, 100_000)
    archive_server.cut_after(PATH, 50_000)
    assert downloads.run().read_bytes() == CONTENT
    assert [asked.range for asked in archive_server.asked if asked.path == PATH] == [
        None,
        "bytes=100000-",
        "bytes=150000-",
    ]
    assert archive_server.sent[PATH] == len(CONTENT)


def test_progress_starts_the_patience_anew(downloads, archive_server):
    for _ in range(10):
        archive_server.cut_after(PATH, 10_000)
    assert downloads.run().read_bytes() == CONTENT
    assert downloads.pauses == [1.0] * 10


def test_a_server_that_always_breaks_off_at_the_same_place_is_given_up(downloads, archive_server):
    archive_server.cut_after(PATH, 5_000)
    for _ in range(3):
        archive_server.cut_after(PATH, 0)
    with pytest.raises(
        ArchiveError, match=r"BTCUSDT-aggTrades-2024-08-08\.zip: the connection broke off .*, given up after 3 attempts"
    ):
        downloads.run()
    assert downloads.pauses == [1.0, 2.0]
    assert files_of(downloads.folder) == [f"{Path(PATH).name}.part", f"{Path(PATH).name}.part.json"]


def test_the_next_run_asks_for_what_is_missing_only(downloads, archive_server):
    archive_server.cut_after(PATH, 200_000)
    for _ in range(3):
        archive_server.answer(PATH, 503)
    with pytest.raises(ArchiveError):
        downloads.run()
    assert downloads.run().read_bytes() == CONTENT
    assert archive_server.sent[PATH] == len(CONTENT)


def test_a_server_that_knows_no_ranges_sends_all_again(downloads, archive_server):
    archive_server.cut_after(PATH, 100_000)
    archive_server.ignore_range(PATH)
    assert downloads.run().read_bytes() == CONTENT
    assert archive_server.sent[PATH] == 100_000 + len(CONTENT)


def test_a_file_that_changed_in_between_is_started_over(downloads, archive_server):
    archive_server.cut_after(PATH, 100_000)
    for _ in range(3):
        archive_server.answer(PATH, 503)
    with pytest.raises(ArchiveError):
        downloads.run()
    changed = CONTENT[::-1]
    archive_server.add_bytes(PATH, changed)
    assert downloads.run().read_bytes() == changed
    assert archive_server.asked[-1].range is None


def test_a_file_that_changes_while_it_is_fetched_is_started_over(downloads, archive_server):
    changed = CONTENT[::-1]
    archive_server.cut_after(PATH, 100_000)
    downloads.during_pause = lambda: archive_server.add_bytes(PATH, changed)
    assert downloads.run().read_bytes() == changed
    requests = [asked for asked in archive_server.asked if asked.path == PATH]
    assert [asked.range for asked in requests] == [None, "bytes=100000-", None]
    assert requests[1].if_range == f'"{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"'


def test_a_part_that_is_complete_already_is_taken(downloads, archive_server):
    archive_server.cut_after(PATH, len(CONTENT))
    archive_server.cut_after(PATH, 0)
    assert downloads.run().read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(downloads, archive_server):
    archive_server.cut_after(PATH, 100_000)
    for _ in range(3):
        archive_server.answer(PATH, 503)
    with pytest.raises(ArchiveError):
        downloads.run()
    part = downloads.folder / f"{PATH}.part"
    part.write_bytes(CONTENT + b"more")
    assert downloads.run().read_bytes() == CONTENT
    assert not part.exists()


def test_a_damaged_part_is_thrown_away(downloads, archive_server):
    archive_server.cut_after(PATH, 100_000)
    for _ in range(3):
        archive_server.answer(PATH, 503)
    with pytest.raises(ArchiveError):
        downloads.run()
    (downloads.folder / f"{PATH}.part").write_bytes(b"x" * 100_000)
    assert downloads.run().read_bytes() == CONTENT


def test_a_lie_about_the_checksum_costs_one_download(downloads, archive_server):
    archive_server.say(f"{PATH}.CHECKSUM", f"{'0' * 64}  {Path(PATH).name}\n".encode())
    assert downloads.run().read_bytes() == CONTENT
    assert archive_server.times_asked(PATH) == 2


def test_wrong_bytes_are_thrown_away_and_asked_for_again(downloads, archive_server):
    archive_server.say(PATH, b"something else")
    assert downloads.run().read_bytes() == CONTENT


def test_a_checksum_that_is_always_wrong_fails_by_name_and_leaves_nothing(downloads, archive_server):
    archive_server.files[f"{PATH}.CHECKSUM"] = f"{'0' * 64}  {Path(PATH).name}\n".encode()
    with pytest.raises(ArchiveError, match=r"BTCUSDT-aggTrades-2024-08-08\.zip: the checksum was wrong in 3 downloads"):
        downloads.run()
    assert files_of(downloads.folder) == []


@pytest.mark.parametrize("text", [b"", b"<html>sorry</html>", b"0" * 64 + b"  another.zip\n", b"0" * 63])
def test_a_checksum_file_that_is_none_is_asked_for_again(downloads, archive_server, text):
    archive_server.say(f"{PATH}.CHECKSUM", text)
    assert downloads.run().read_bytes() == CONTENT
    assert downloads.pauses == [1.0]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
@pytest.mark.parametrize("suffix", ["", ".CHECKSUM"])
def test_a_busy_server_is_asked_again(downloads, archive_server, suffix, status):
    archive_server.answer(PATH + suffix, status)
    archive_server.answer(PATH + suffix, status)
    assert downloads.run().read_bytes() == CONTENT
    assert downloads.pauses == [1.0, 2.0]


def test_a_server_that_names_a_time_is_given_it(downloads, archive_server):
    archive_server.answer(PATH, 429, {"Retry-After": "17"})
    archive_server.answer(PATH, 503, {"Retry-After": "86400"})
    assert downloads.run().read_bytes() == CONTENT
    assert downloads.pauses == [17.0, 600.0]


def test_pauses_grow_up_to_the_longest():
    patience = Patience(first_delay_secs=1.0, longest_delay_secs=10.0)
    assert [patience.delay_secs(failures, None) for failures in range(1, 7)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_server_that_stays_busy_is_given_up(downloads, archive_server):
    for _ in range(3):
        archive_server.answer(PATH, 503)
    with pytest.raises(ArchiveError, match="the server answered 503, given up after 3 attempts"):
        downloads.run()


@pytest.mark.parametrize("suffix", ["", ".CHECKSUM"])
def test_a_file_that_does_not_exist_is_not_asked_for_twice(downloads, archive_server, suffix):
    archive_server.answer(PATH + suffix, 404)
    with pytest.raises(NotInArchiveError, match=r"BTCUSDT-aggTrades-2024-08-08\.zip is not in the archive"):
        downloads.run()
    assert archive_server.times_asked(PATH + suffix) == 1
    assert files_of(downloads.folder) == []


def test_a_refusal_is_not_retried(downloads, archive_server):
    archive_server.answer(PATH, 403)
    with pytest.raises(ArchiveError, match="the server answered 403 Forbidden"):
        downloads.run()
    assert archive_server.times_asked(PATH) == 1


def test_a_range_other_than_asked_for_is_not_taken(downloads, archive_server):
    archive_server.cut_after(PATH, 100_000)
    archive_server.answer(PATH, 206, {"Content-Range": "bytes 5-9/10"})
    assert downloads.run().read_bytes() == CONTENT


def test_a_silent_server_is_given_up_and_the_part_kept(archive_server, tmp_path):
    archive_server.add_bytes(PATH, CONTENT)
    archive_server.stall_after(PATH, 100_000)
    downloads = Downloads(archive_server.url, tmp_path, Patience(attempts=2, silence_secs=0.3))
    assert downloads.run().read_bytes() == CONTENT
    assert archive_server.sent[PATH] == len(CONTENT)


def test_no_server_at_all_is_told_apart(tmp_path):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound but not listening: nobody else gets the port
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(UnreachableError, match=rf"no connection to {url} \(Connection refused\)"):
            Downloads(url, tmp_path).run()

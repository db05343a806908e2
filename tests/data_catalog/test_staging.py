import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from nautilus_trader.persistence.catalog import ParquetDataCatalog

import data_catalog.store.staging as staging
from bad_input import BadInput
from data_catalog.columns import Quotes
from data_catalog.instruments import find_instrument
from data_catalog.store.contents import contents
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter

NEXO = find_instrument("NEXOUSDT.BINANCE")
BTC = find_instrument("BTCUSDT.BINANCE")

# Writes to copies of a catalog, killed in the first copy at the first change of the disk, in the second at the
# second, and so on, until a copy is completed. Forking saves importing the engine for each.
KILLED_WRITERS = """
import itertools, os, pathlib, shutil, signal, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import pyarrow.parquet
from data_catalog.columns import Quotes
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter

def die_at(call):
    left = [call]
    def wrap(owner, name):
        original = getattr(owner, name)
        def wrapped(*args, **kwargs):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)
        setattr(owner, name, wrapped)
    for owner, name in ((os, "fsync"), (os, "rmdir"), (os, "unlink"), (os, "open"),
                        (pathlib.Path, "replace"), (pathlib.Path, "unlink"), (pathlib.Path, "mkdir"),
                        (pathlib.Path, "rmdir"), (pyarrow.parquet, "ParquetWriter")):
        wrap(owner, name)

def write(catalog):
    n = np.arange(1, 11)
    with CatalogWriter(catalog, replace=True) as writer:
        for name in ("NEXOUSDT.BINANCE", "BTCUSDT.BINANCE"):
            for start in (0, 5):
                quotes = Quotes(n, n + 1, n + 7, n, n, n).slice(start, start + 5)
                writer.quotes(find_instrument(name), quotes, Origin("recorded"))

before, folder = map(pathlib.Path, sys.argv[2:])
for call in itertools.count(1):
    catalog = folder / f"{call:03}"
    shutil.copytree(before, catalog)
    child = os.fork()
    if child == 0:
        die_at(call)
        write(catalog)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
"""

WAITING_WRITER = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
from data_catalog.store.write import CatalogWriter
with CatalogWriter(pathlib.Path(sys.argv[2])):
    print("writing", flush=True)
    sys.stdin.read()
"""


def quotes(first: int, rows: int = 10) -> Quotes:
    n = np.arange(first, first + rows)
    return Quotes(n, n + 1, n, n, n, n)


def write(catalog: Path, first: int = 1) -> None:
    with CatalogWriter(catalog) as writer:
        writer.quotes(NEXO, quotes(first), Origin("recorded"))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def killed(tmp_path_factory, project) -> tuple[Path, list[Path]]:
    """A catalog, and copies of it whose writers were killed at every step; the last one was not killed."""
    before = tmp_path_factory.mktemp("before")
    write(before, 3)  # one file that the writers replace
    write(before, 50)  # and one that they leave alone
    folder = tmp_path_factory.mktemp("killed")
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED_WRITERS, str(project), str(before), str(folder)], check=True
    )
    return before, sorted(folder.iterdir())


def reader(catalog: Path) -> None:
    contents(catalog)


def next_writer(catalog: Path) -> None:
    with CatalogWriter(catalog) as writer:
        writer.instrument(NEXO)


@pytest.mark.parametrize("open_again", [reader, next_writer])
def test_a_killed_writer_leaves_all_or_nothing_once_the_catalog_is_opened_again(killed, tmp_path, open_again):
    before, copies = killed
    untouched, complete = tree(before), tree(copies[-1])
    assert untouched != complete
    outcomes = []
    for copy in copies:
        catalog = tmp_path / copy.name
        shutil.copytree(copy, catalog)
        open_again(catalog)
        found = tree(catalog)
        assert found in (untouched, complete)
        assert not (catalog / ".staging").exists()
        outcomes.append(found == complete)
    assert outcomes == sorted(outcomes)  # untouched until the journal is written, complete from then on
    assert outcomes.count(False) > 5
    assert outcomes.count(True) > 5


def test_some_writers_were_killed_with_half_of_their_files_in_place(killed):
    _, copies = killed
    data = [{name for name in tree(copy) if name.startswith("data")} for copy in copies]
    assert any(names not in (data[0], data[-1]) for names in data)


def test_a_complete_catalog_reads_as_the_engine_expects(killed):
    _, copies = killed
    ticks = ParquetDataCatalog(str(copies[-1])).quote_ticks()
    found = sorted((str(tick.instrument_id), tick.ts_init) for tick in ticks)
    nexo = [("NEXOUSDT.BINANCE", time) for time in (*range(1, 11), *range(50, 60))]
    assert found == [("BTCUSDT.BINANCE", time) for time in range(1, 11)] + nexo


def test_an_error_in_the_block_leaves_nothing(tmp_path):
    catalog = tmp_path / "catalog"

    class StoppedError(Exception):
        pass

    def fail() -> None:
        with CatalogWriter(catalog) as writer:
            writer.quotes(NEXO, quotes(1), Origin("recorded"))
            raise StoppedError

    with pytest.raises(StoppedError):
        fail()
    assert not catalog.exists()
    write(catalog)
    before = tree(catalog)
    with pytest.raises(StoppedError):
        fail()
    assert tree(catalog) == before
    assert not (catalog / ".staging").exists()


def test_a_second_writer_is_refused_while_one_is_at_work(tmp_path):
    with CatalogWriter(tmp_path) as writer:
        with pytest.raises(BadInput, match="another process is writing"):
            write(tmp_path)
        writer.quotes(NEXO, quotes(1), Origin("recorded"))
    write(tmp_path, 100)
    assert contents(tmp_path)[0].rows == 20


def test_readers_leave_a_live_writer_alone(tmp_path):
    write(tmp_path)
    with CatalogWriter(tmp_path) as writer:
        writer.quotes(NEXO, quotes(100), Origin("recorded"))
        assert contents(tmp_path)[0].rows == 10
    assert contents(tmp_path)[0].rows == 20


def test_a_writer_of_another_process_keeps_the_catalog_until_it_dies(tmp_path, project):
    command = [sys.executable, "-W", "ignore", "-c", WAITING_WRITER, str(project), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        with pytest.raises(BadInput, match="another process is writing"):
            write(tmp_path)
        process.send_signal(signal.SIGKILL)
    write(tmp_path)
    assert contents(tmp_path)[0].rows == 10


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / ".staging").write_text("")

    with pytest.raises(FileExistsError):
        staging._lock(tmp_path, wait=True)


@pytest.mark.parametrize("attempt", range(20))
def test_whoever_waits_for_the_lock_gets_the_one_that_counts(tmp_path, attempt):
    first = staging._lock(tmp_path, wait=False)
    waiting: list[int] = []
    thread = threading.Thread(target=lambda: waiting.append(staging._lock(tmp_path, wait=True)))
    thread.start()
    staging._unlock(tmp_path, first)  # removes the file that the thread may be waiting for
    thread.join()
    assert staging._lock(tmp_path, wait=False) is None
    assert os.path.samestat(os.fstat(waiting[0]), (tmp_path / ".staging" / "lock").stat())
    staging._unlock(tmp_path, waiting[0])
    assert list(tmp_path.iterdir()) == []


def leftover(catalog: Path, *, journal: bool) -> None:
    write(catalog)
    folder = catalog / ".staging" / "dead"
    folder.mkdir(parents=True)
    (folder / "0.parquet").write_bytes(b"half a file")
    if journal:
        (folder / "journal.json").write_text(json.dumps({"moves": [], "removals": []}))


def test_a_catalog_that_cannot_be_written_to_is_read_past_what_was_not_committed(tmp_path, monkeypatch):
    def refuse(catalog, *, wait):
        raise PermissionError

    leftover(tmp_path / "staged", journal=False)
    leftover(tmp_path / "half", journal=True)
    monkeypatch.setattr(staging, "_lock", refuse)
    assert contents(tmp_path / "staged")[0].rows == 10
    with pytest.raises(BadInput, match="an interrupted import cannot be finished"):
        contents(tmp_path / "half")


def test_a_failure_while_moving_is_finished_by_the_next_one(tmp_path, monkeypatch):
    original = Path.replace
    calls = []

    def full_disk(self, target):
        calls.append(self)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return original(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full_disk)
        with pytest.raises(OSError, match="No space left"):
            write(tmp_path)
    assert contents(tmp_path)[0].rows == 10


def test_a_failure_before_the_journal_leaves_nothing(tmp_path, monkeypatch):
    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "catalog")
    assert not (tmp_path / "catalog").exists()


def test_a_file_in_the_place_of_the_catalog_is_bad_input(tmp_path):
    path = tmp_path / "catalog"
    path.write_text("a file")
    with pytest.raises(BadInput, match="cannot be written to"):
        write(path)

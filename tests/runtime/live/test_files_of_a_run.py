"""What a run writes is bounded where it may be lost, and complete where it may not."""

import subprocess
import sys
from pathlib import Path

import pytest

from runtime.live.rotating import RotatingLines, all_files

LINES = [f"line {number:03d}" for number in range(100)]
ENGINE = """
import sys
from pathlib import Path
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.component import Logger
from runtime.live.node import log_files

engine = BacktestEngine(BacktestEngineConfig(logging=log_files(Path(sys.argv[1]), max_bytes=4_000)))
logger = Logger("test")
for number in range(2_000):
    logger.info(f"a line of some length, with the number {number}")
engine.dispose()
"""


@pytest.mark.parametrize("max_bytes", [1, 50, 10_000])
def test_no_line_is_lost_where_all_files_are_kept(tmp_path: Path, max_bytes: int) -> None:
    lines = RotatingLines(tmp_path / "fills.jsonl", max_bytes)
    for line in LINES:
        lines.write(line)
    lines.close()

    files = all_files(tmp_path / "fills.jsonl")

    assert [line for file in files for line in file.read_text().splitlines()] == LINES
    assert all(file.stat().st_size < max_bytes + len(LINES[0]) + 1 for file in files)


def test_the_last_files_are_kept_where_the_number_is_bounded(tmp_path: Path) -> None:
    lines = RotatingLines(tmp_path / "events.log", 50, kept=2)
    for line in LINES:
        lines.write(line)
    lines.close()

    files = all_files(tmp_path / "events.log")

    assert len(files) == len(list(tmp_path.iterdir())) == 3
    kept = [line for file in files for line in file.read_text().splitlines()]
    assert kept == LINES[-len(kept) :]


def test_the_engines_log_is_bounded(project: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", ENGINE, str(tmp_path)], cwd=project, check=True, capture_output=True, timeout=60
    )

    sizes = [file.stat().st_size for file in tmp_path.iterdir()]

    assert len(sizes) == 21  # twenty full ones and the one that is written
    assert max(sizes) < 5_000

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bad_input import BadInput
from reports.results_folder import Results, read_results
from tests.reports.results_writer import Shape, write_results


def test_fills_keep_exact_decimals_and_times(short: Path) -> None:
    rows = pq.read_table(short / "fills.parquet").to_pylist()
    fills = read_results(short).fills
    newest = fills.last(3)
    assert newest == rows[:-4:-1]
    assert isinstance(newest[0]["price"], Decimal)
    assert fills.ts_ns.tolist() == [row["ts_ns"] for row in rows]
    assert fills.sign.tolist() == [1 if row["side"] == "BUY" else -1 for row in rows]


def test_nulls_become_nan(short: Path) -> None:
    rows = pq.read_table(short / "fills.parquet").to_pylist()
    later = read_results(short).fills.markout_mid["300s"]
    missing = [row["markout_mid_300s"] is None for row in rows]
    assert any(missing)
    assert np.isnan(later).tolist() == missing


def test_fills_are_sorted_by_time_and_keep_the_order_of_ties(short: Path) -> None:
    table = pq.read_table(short / "fills.parquet")
    later = table.slice(30)
    pq.write_table(pa.concat_tables([later, table.slice(0, 30)]), short / "fills.parquet", row_group_size=7)
    fills = read_results(short).fills
    assert fills.table["trade_id"].to_pylist() == table["trade_id"].to_pylist()
    assert (np.diff(fills.ts_ns) >= 0).all()


def test_positions_are_split_by_instrument(tmp_path: Path) -> None:
    names = ("AAAUSDT.BINANCE", "BBBUSDT-PERP.BINANCE")
    results = read_results(write_results(tmp_path, Shape(points=50, fills=10, instruments=names)))
    assert [positions.instrument for positions in results.positions] == list(names)
    first, second = results.positions
    assert first.ts_ns.tolist() == second.ts_ns.tolist() == results.equity.ts_ns.tolist()
    assert np.isnan(first.fair_value[:30]).all()
    assert not np.isnan(first.fair_value[30:]).any()


def test_every_shape_is_read(any_results: Results) -> None:
    equity = any_results.equity
    parts = sum(values for values in equity.parts.values())
    np.testing.assert_allclose(equity.equity - equity.equity[0], parts - parts[0], atol=1e-9)
    assert any_results.summary.number("fills") == len(any_results.fills)


def test_an_object_that_is_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere: is not a results folder"):
        read_results(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["summary.json", "manifest.json", "fills.parquet", "equity.parquet", "positions.csv"])
def test_a_missing_file_is_named(short: Path, name: str) -> None:
    (short / name).unlink()
    with pytest.raises(BadInput, match=f"{name}: cannot be read"):
        read_results(short)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("summary.json", b"[1, 2]", "is not a JSON object"),
        ("summary.json", b'{"pnl": ', "is not a JSON object"),
        ("fills.parquet", b"PAR1 no more", "cannot be read as Parquet"),
        ("positions.csv", b"time,instrument\n", "has no column bid, ask, mid"),
        ("positions.csv", b"", "cannot be read as CSV"),
    ],
)
def test_a_broken_file_is_named(short: Path, name: str, content: bytes, problem: str) -> None:
    (short / name).write_bytes(content)
    with pytest.raises(BadInput, match=f"{name}: {problem}") as caught:
        read_results(short)
    assert "\n" not in str(caught.value)


def test_a_bad_number_in_positions_is_named(short: Path) -> None:
    lines = (short / "positions.csv").read_text().splitlines()
    lines[5] = lines[5].replace("1.", "one.", 1)
    (short / "positions.csv").write_text("\n".join(lines))
    with pytest.raises(BadInput, match=r"positions.csv: cannot be read as CSV: .*one"):
        read_results(short)


def test_a_missing_column_is_named(short: Path) -> None:
    table = pq.read_table(short / "equity.parquet")
    pq.write_table(table.drop_columns(["funding"]), short / "equity.parquet")
    with pytest.raises(BadInput, match=r"equity.parquet: has no column funding"):
        read_results(short)


@pytest.mark.parametrize("value", [None, True, "12", float("nan"), float("inf"), [], {}])
def test_what_is_no_finite_number_is_no_figure(short: Path, value: object) -> None:
    summary = json.loads((short / "summary.json").read_text())
    results = read_results(short)
    changed = type(results.summary)(summary | {"pnl": value})
    assert changed.number("pnl") is None
    assert changed.number("pnl.deeper") is None

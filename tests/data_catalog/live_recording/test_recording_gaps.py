"""Gaps of a recording, from the line that marks them to the warning of a backtest."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from bad_input import BadInput
from data_catalog.commands.check import command as check
from data_catalog.commands.import_files import command as import_files
from data_catalog.recordings.gaps import add_gap, gap_text
from data_catalog.store.contents import contents
from data_catalog.store.origin import Gap, unrecorded_ns
from runtime.market_data import find_market_data
from runtime.setup.load import load_setup

START_NS = 1_800_000_000_000_000_000
SECOND = 10**9
SETUP = """\
name: example
instruments: [NEXOUSDT.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: NEXOUSDT.BINANCE, order_qty: 10, max_position: 50, half_spread_bps: 3}
backtest:
  catalog: catalog
  starting_balances: [10_000 USDT]
"""


def trade(second: float, trade_id: int) -> bytes:
    data = {"e": "trade", "E": 1, "s": "NEXOUSDT", "t": trade_id, "p": "1.2", "q": "1", "T": 1, "m": True}
    return b"%d %b" % (START_NS + int(second * SECOND), msgspec.json.encode({"stream": "x@trade", "data": data}))


def quote(second: float, update_id: int) -> bytes:
    data = {"u": update_id, "s": "NEXOUSDT", "b": "1.2", "B": "1", "a": "1.21", "A": "1"}
    return b"%d %b" % (START_NS + int(second * SECOND), msgspec.json.encode({"stream": "x@bookTicker", "data": data}))


def mark(since: float, until: float, *data_types: str) -> bytes:
    text = gap_text(START_NS + int(since * SECOND), data_types, "connection ended")
    return b"%d %b" % (START_NS + int(until * SECOND), text)


def imported(folder: Path, *lines: bytes) -> dict[str, list[tuple[float, float, str]]]:
    """Import lines, and return the gaps that the catalog then knows of, in seconds."""
    (folder / "recorded.dat").write_bytes(b"\n".join(lines) + b"\n")
    arguments = [str(folder / "recorded.dat"), "--instrument", "NEXOUSDT.BINANCE", "--catalog", str(folder / "catalog")]
    result = CliRunner().invoke(import_files, arguments)
    if result.exception is not None:
        raise result.exception
    return {
        entry.data_type: [
            ((gap.start_ns - START_NS) / SECOND, (gap.end_ns - START_NS) / SECOND, gap.reason) for gap in entry.gaps
        ]
        for entry in contents(folder / "catalog")
    }


def test_a_marked_gap_belongs_to_the_data_that_it_names(tmp_path: Path) -> None:
    found = imported(tmp_path, quote(0, 1), trade(1, 1), mark(2, 5, "quotes"), quote(5, 2), trade(6, 2))
    assert found == {"quotes": [(2, 5, "connection ended")], "trades": []}


@pytest.mark.parametrize(
    ("lines", "gaps"),
    [
        ((trade(0, 1), trade(1, 2), trade(2, 3)), []),
        ((trade(0, 1), trade(1, 2), trade(4, 5)), [(1, 4, "trade ids missing")]),
        ((trade(0, 1), trade(1, 3), trade(2, 5), trade(3, 6)), [(0, 2, "trade ids missing")]),
        ((trade(0, 1), mark(1, 2, "trades"), trade(3, 5)), [(1, 2, "connection ended")]),
        ((trade(0, 1), mark(1, 2, "quotes"), trade(3, 5)), [(0, 3, "trade ids missing")]),
    ],
)
def test_missing_trade_ids_are_a_gap_unless_a_mark_explains_them(tmp_path: Path, lines, gaps) -> None:
    assert imported(tmp_path, *lines)["trades"] == gaps


def test_a_mark_of_unknown_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"recorded\.dat:2.*mark of a gap"):
        imported(tmp_path, trade(0, 1), mark(1, 2, "weather"))


def test_check_and_a_backtest_tell_of_gaps(tmp_path: Path) -> None:
    imported(tmp_path, quote(0, 1), trade(0, 1), mark(10, 70, "quotes", "trades"), quote(70, 2), trade(100, 2))
    arguments = ["--catalog", str(tmp_path / "catalog"), "--json", "--max-unrecorded-secs"]
    assert CliRunner().invoke(check, [*arguments, "60"]).exit_code == 0
    result = CliRunner().invoke(check, [*arguments, "59.9"])
    assert result.exit_code == 1
    series = msgspec.json.decode(result.stdout)["instruments"][0]["series"]
    assert [len(one["not_recorded"]) for one in series] == [1, 1]
    assert "60.0 s in 1 gap," in CliRunner().invoke(check, arguments[:2]).stdout
    (tmp_path / "setup.yaml").write_text(SETUP)

    def warnings(*overrides: str) -> list[str]:
        return list(find_market_data(load_setup(tmp_path / "setup.yaml", overrides), tmp_path).warnings)

    assert ["missed 60.0 s" in warning for warning in warnings()] == [True, True]
    assert ["missed 30.0 s" in w for w in warnings("backtest.start=2027-01-15T08:00:40Z")] == [True, True]
    assert warnings("backtest.start=2027-01-15T08:01:10Z") == []


def test_time_that_several_gaps_miss_counts_once() -> None:
    assert unrecorded_ns([Gap(5, 9, "a"), Gap(0, 6, "b"), Gap(1, 2, "c"), Gap(20, 21, "d")]) == 10


def test_gaps_that_touch_become_one() -> None:
    gaps: list[Gap] = []
    for start, end, reason in [(0, 1, "a"), (1, 2, "a"), (2, 3, "b"), (4, 5, "b")]:
        add_gap(gaps, Gap(start, end, reason))
    assert gaps == [Gap(0, 2, "a"), Gap(2, 3, "b"), Gap(4, 5, "b")]

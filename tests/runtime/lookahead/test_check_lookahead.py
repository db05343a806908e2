"""Strategies that look ahead are caught, honest ones are not, and no shipped setup looks ahead."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bad_input import BadInput
from data_catalog.columns import Quotes
from data_catalog.store.column_reader import read_columns
from data_catalog.store.contents import contents
from data_catalog.store.copy_part import copy_part
from data_catalog.synth import SyntheticMarket, write_synthetic_market
from run_backtest import command
from runtime.lookahead.check import LookaheadCheck, check_lookahead, cut_times
from runtime.lookahead.document import as_document
from runtime.lookahead.trace import Trace
from runtime.setup.load import load_setup
from runtime.setup.tree import read_setup_tree
from tests.test_configs import CONFIGS, QUICKER, write_market

SYN = "SYNUSDT-PERP.BINANCE"
SLOW_TO_ACT = ("portfolio_majors", "seed_001_threshold_rebalance")
SOONER = {"nexousdt_spot_avellaneda_stoikov": ["strategies[0].config.volatility_window_secs=60"]}
SETUP = """\
name: peeking
instruments: [SYNUSDT-PERP.BINANCE]
strategies:
  - path: tests.runtime.lookahead.peeking:{kind}
    config: {{instrument_id: SYNUSDT-PERP.BINANCE, source: "{source}"}}
backtest:
  starting_balances: [10_000 USDT]
"""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: Any) -> Path:
    """Return a folder with a catalog of three minutes and a table of all of its mids."""
    folder = Path(tmp_path_factory.mktemp("lookahead"))
    write_synthetic_market(folder / "catalog", SyntheticMarket(hours=0.05))
    (file,) = (folder / "catalog").glob(f"data/quote_tick/{SYN}/*.parquet")
    with (folder / "mids.csv").open("w") as table:
        for columns in read_columns(file, "quotes"):
            assert isinstance(columns, Quotes)
            mids = (columns.bid_price + columns.ask_price).tolist()
            table.writelines(f"{ts},{mid}\n" for ts, mid in zip(columns.ts_event.tolist(), mids, strict=True))
    return folder


@pytest.fixture(autouse=True)
def _in_the_workplace(workplace: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(workplace)


def check(workplace: Path, kind: str, source: str = "") -> LookaheadCheck:
    setup = workplace / f"{kind}.yaml"
    setup.write_text(SETUP.format(kind=kind, source=source))
    return check_lookahead(read_setup_tree(setup), workplace, cuts=2, workers=1)


def differing(found: LookaheadCheck) -> set[str]:
    return {comparison.kind for comparison in found.comparisons if not comparison.same}


def test_an_honest_strategy_passes(workplace: Path) -> None:
    found = check(workplace, "MovesWithThePrice")

    assert found.passed
    assert found.decisions > 20
    assert [comparison.kind for comparison in found.comparisons] == ["hidden future", "hidden future", "another week"]
    assert found.comparisons[1].decisions == found.decisions  # the last cut comes after the last decision


def test_a_strategy_that_reads_its_catalog_is_caught(workplace: Path) -> None:
    found = check(workplace, "ReadsTheCatalog", "catalog")

    assert not found.passed
    assert differing(found) == {"hidden future", "another week"}
    cut = found.comparisons[0]
    assert cut.difference is not None
    assert cut.difference.ts_ns >= cut.until_ns - 5 * 10**9 - 1  # it looks five seconds ahead, and no further
    assert "LOOKS AHEAD" in as_document(found)["verdict"]


def test_a_strategy_that_reads_a_column_of_the_future_is_caught_by_the_date(workplace: Path) -> None:
    found = check(workplace, "ReadsAColumn", str(workplace / "mids.csv"))

    assert not found.passed
    assert differing(found) == {"another week"}
    assert "DEPENDS ON THE DATE" in as_document(found)["verdict"]


def test_a_strategy_without_decisions_does_not_pass(workplace: Path) -> None:
    (workplace / "empty.csv").write_text("")
    found = check(workplace, "ReadsAColumn", str(workplace / "empty.csv"))

    assert not found.passed
    assert all(comparison.same for comparison in found.comparisons)
    assert "nothing could be checked" in as_document(found)["verdict"]


def test_a_strategy_that_breaks_off_without_the_future_is_caught(workplace: Path) -> None:
    (workplace / "catalog" / "mids.csv").write_bytes((workplace / "mids.csv").read_bytes())
    found = check(workplace, "ReadsAColumn", "catalog/mids.csv")  # relative to the working folder, and not copied

    assert differing(found) == {"hidden future", "another week"}
    assert "FileNotFoundError" in found.comparisons[0].error


def load_tree(config: Path, catalog: Path) -> Any:
    quicker = [*QUICKER.get(config.stem, []), *SOONER.get(config.stem, [])]
    overrides = [f"backtest.catalog={catalog}", "backtest.synthetic={}", *quicker]
    return load_setup(config, overrides).tree


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_no_shipped_setup_looks_ahead(config: Path, tmp_path: Path) -> None:
    for instrument_id in load_setup(config).setup.instruments:
        write_market(tmp_path / "catalog", instrument_id, minutes=10 if config.stem in SLOW_TO_ACT else 4)
    found = check_lookahead(load_tree(config, tmp_path / "catalog"), tmp_path, cuts=1, workers=1)

    assert found.passed, as_document(found)["verdict"]


def test_cuts_come_right_after_decisions_the_last_one_included() -> None:
    run = Trace([(10 * n, "buy") for n in range(1, 11)] + [(1_000, "cancel at the end")])

    assert cut_times(run, 1_000, 2) == [51, 101]
    assert cut_times(run, 1_000, 3) == [31, 71, 101]
    assert cut_times(run, 1_000, 100) == [10 * n + 1 for n in range(1, 11)]
    assert cut_times(Trace(), 1_000, 3) == []


def test_a_copy_of_a_part_is_that_part_and_no_more(workplace: Path, tmp_path: Path) -> None:
    source = workplace / "catalog"
    entries = contents(source)
    middle = (entries[0].first_ns + entries[0].last_ns) // 2
    copy_part(source, tmp_path / "part", entries, last_ns=middle)
    copy_part(source, tmp_path / "later", entries, shift_ns=7)

    for entry, part, later in zip(entries, contents(tmp_path / "part"), contents(tmp_path / "later"), strict=True):
        assert part.first_ns == entry.first_ns
        assert part.last_ns <= middle < entry.last_ns
        assert (later.rows, later.first_ns, later.last_ns) == (entry.rows, entry.first_ns + 7, entry.last_ns + 7)
        assert part.synthetic


def test_the_command_prints_what_it_found_and_writes_nothing(workplace: Path) -> None:
    (workplace / "honest.yaml").write_text(SETUP.format(kind="MovesWithThePrice", source=""))
    before = sorted(workplace.rglob("*"))

    def run(*options: str) -> Any:
        arguments = ["honest.yaml", "--check-lookahead", *options]
        return CliRunner().invoke(command, arguments, standalone_mode=False, catch_exceptions=False)

    done = run("--json")
    document = json.loads(done.stdout)
    assert done.return_value == 0
    assert document["passed"]
    assert len(document["reruns"]) == 6
    assert document["warm_up"]["decisions_same_after_secs"] is not None
    with pytest.raises(BadInput):
        run("--inject", "crash")
    for refused in (["--set", "sweep={}"], ["--resume"], ["--fill-ladder"]):
        with pytest.raises(BadInput):
            run(*refused)
    assert sorted(workplace.rglob("*")) == before

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from bad_input import BadInput
from data_catalog.__main__ import data_catalog
from data_catalog.store.data_types import DATA_TYPES, data_folder, files_in
from data_catalog.store.origin import record_of
from data_catalog.synth import SyntheticMarket, checked_market, market_model, write_synthetic_market
from models.synthetic_market import generate

SYN = "SYNUSDT-PERP.BINANCE"
SYNB = "SYNBUSDT-PERP.BINANCE"


def run(*arguments, catalog):
    return CliRunner().invoke(data_catalog, ["synth", "--catalog", str(catalog), *arguments])


def files_of(catalog: Path) -> dict[str, bytes]:
    return {str(path.relative_to(catalog)): path.read_bytes() for path in catalog.rglob("*.parquet")}


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return SyntheticMarket(hours=0.05)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory, market) -> Path:
    folder = tmp_path_factory.mktemp("synth") / "catalog"
    write_synthetic_market(folder, market)
    return folder


def test_the_engine_reads_back_what_the_model_made(catalog, market):
    [[block]] = generate(market_model(market), market.hours * 3600, market.seed)
    stored = ParquetDataCatalog(str(catalog))
    quotes, trades = stored.quote_ticks([SYN]), stored.trade_ticks([SYN])
    start = int(market.start.timestamp()) * 10**9
    assert [round(float(quote.bid_price) * 100) for quote in quotes] == block.bid_ticks.tolist()
    assert [round(float(quote.ask_price) * 100) for quote in quotes] == block.ask_ticks.tolist()
    assert [quote.ts_init - start for quote in quotes] == block.quote_time_ns.tolist()
    assert [round(float(trade.price) * 100) for trade in trades] == block.trade_ticks.tolist()
    assert [trade.aggressor_side.value == 1 for trade in trades] == block.buyer.tolist()
    assert [trade.trade_id.value for trade in trades] == [str(i + 1) for i in range(len(trades))]
    assert np.allclose([float(trade.size) for trade in trades], np.maximum(block.trade_qty, 0.001), atol=0.0005001)
    assert [str(instrument.id) for instrument in stored.instruments()] == [SYN]


def test_every_file_says_that_it_is_synthetic_and_how_it_was_made(catalog, market):
    for name in ("quotes", "trades"):
        [file] = files_in(data_folder(catalog, DATA_TYPES[name], SYN))
        origin = record_of(catalog, file.path).origin
        assert origin.kind == "synthetic"
        assert origin.notes["seed"] == market.seed
        assert origin.notes["instruments"] == SYN
        assert set(origin.notes) == set(SyntheticMarket.__struct_fields__)


def test_the_command_makes_the_same_market_as_the_function(catalog, tmp_path):
    result = run("--hours", "0.05", catalog=tmp_path / "again")
    assert result.exit_code == 0
    assert files_of(tmp_path / "again") == files_of(catalog)
    assert SYN in result.stdout
    assert "Synthetic, seed 1." in result.stdout


def test_trade_numbers_go_on_over_the_hours(tmp_path):
    arguments = ["--hours", "1.5", "--quotes-per-s", "0.1", "--market-orders-per-s", "0.05"]
    assert run(*arguments, catalog=tmp_path).exit_code == 0
    trades = ParquetDataCatalog(str(tmp_path)).trade_ticks([SYN])
    assert [trade.trade_id.value for trade in trades] == [str(i + 1) for i in range(len(trades))]
    assert trades[-1].ts_init - trades[0].ts_init > 3600 * 10**9


def test_two_instruments_and_a_date(tmp_path):
    arguments = ["--instruments", f"{SYN}, {SYNB}", "--hours", "0.01", "--start", "2024-02-29"]
    assert run(*arguments, catalog=tmp_path).exit_code == 0
    quotes = ParquetDataCatalog(str(tmp_path)).quote_ticks([SYNB])
    assert quotes[0].ts_init // 10**9 == 1_709_164_800


def test_the_same_market_again_changes_nothing(catalog):
    before = files_of(catalog)
    result = run("--hours", "0.05", catalog=catalog)
    assert result.exit_code == 0
    assert "Already in" in result.stdout
    assert files_of(catalog) == before


def test_another_market_over_the_same_time_needs_replace(tmp_path):
    assert run("--hours", "0.01", catalog=tmp_path).exit_code == 0
    before = files_of(tmp_path)
    refused = run("--hours", "0.01", "--seed", "2", catalog=tmp_path)
    assert isinstance(refused.exception, BadInput)
    assert "--replace" in str(refused.exception)
    assert files_of(tmp_path) == before
    replaced = run("--hours", "0.01", "--seed", "2", "--replace", catalog=tmp_path)
    assert "Replaced in" in replaced.stdout
    assert files_of(tmp_path) != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hours", "0"], r"hours: Expected `float` > 0"),
        (["--seed", "-1"], r"seed: Expected `int` >= 0"),
        (["--informed-pct", "101"], r"informed_pct: Expected `float` <= 100"),
        (["--spread-ticks", "0"], r"spread_ticks: Expected `int` >= 1"),
        (["--depth-decay-per-bps", "nan"], r"depth_decay_per_bps"),
        (["--start", "2026-02-30"], r"start: "),
        (["--start", "2026-02-03T04:05:06"], r"start: "),
        (["--instruments", "SYNUDT-PERP.BINANCE"], rf'no definition .* did you mean "{SYN}"'),
        (["--instruments", f"{SYN},{SYN}"], rf"instruments: {SYN} was given more than once"),
        (["--sigma-bps-per-sqrt-s", "100", "--start-price", "0.03"], r"below one tick"),
    ],
)
def test_bad_parameters_write_nothing(tmp_path, arguments, message):
    result = run(*arguments, catalog=tmp_path / "catalog")
    assert isinstance(result.exception, BadInput)
    assert re.search(message, str(result.exception))
    assert "\n" not in str(result.exception)
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_struct_built_by_hand_is_checked_too(tmp_path):
    with pytest.raises(BadInput, match="spread_ticks"):
        write_synthetic_market(tmp_path, SyntheticMarket(spread_ticks=0))


def test_an_unknown_parameter_is_named():
    with pytest.raises(BadInput, match="sigma"):
        checked_market({"sigma": 1.0})


def test_every_parameter_has_an_option_with_its_default():
    shown = CliRunner().invoke(data_catalog, ["synth", "--help"], terminal_width=400).stdout
    for field in msgspec.structs.fields(SyntheticMarket):
        assert f"--{field.name.replace('_', '-')} " in shown
    assert "Example" in shown

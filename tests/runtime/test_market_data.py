"""The setup's wishes held against what the catalog has."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from bad_input import BadInput
from data_catalog.synth import SyntheticMarket, write_synthetic_market
from runtime.market_data import find_market_data
from runtime.setup.load import LoadedSetup, load_setup

SETUP = """\
name: example
instruments: [SYNUSDT-PERP.BINANCE]
strategies:
  - path: strategies.fixed_spread:FixedSpread
    config: {instrument_id: SYNUSDT-PERP.BINANCE, order_qty: 1, max_position: 5, half_spread_bps: 3}
backtest:
  catalog: catalog
  starting_balances: [10_000 USDT]
"""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: Any) -> Path:
    """Return a folder with a catalog of six minutes, 2026-01-01 00:00 to 00:06."""
    folder = tmp_path_factory.mktemp("workplace")
    write_synthetic_market(folder / "catalog", SyntheticMarket(hours=0.1))
    (folder / "setup.yaml").write_text(SETUP)
    return Path(folder)


def loaded(workplace: Path, *overrides: str) -> LoadedSetup:
    return load_setup(workplace / "setup.yaml", overrides)


def test_everything_there_is_is_replayed_unless_told_otherwise(workplace: Path) -> None:
    data = find_market_data(loaded(workplace), workplace)

    assert [(entry.instrument_id, entry.data_type) for entry in data.entries] == [
        ("SYNUSDT-PERP.BINANCE", "quotes"),
        ("SYNUSDT-PERP.BINANCE", "trades"),
    ]
    assert data.start_ns == min(entry.first_ns for entry in data.entries)
    assert data.end_ns == max(entry.last_ns for entry in data.entries)
    assert (data.synthetic, data.reconstructed, data.warnings) == (True, False, ())


def test_fees_of_the_setup_stand_in_the_instrument(workplace: Path) -> None:
    (instrument,) = find_market_data(loaded(workplace, "backtest.fees={maker_bps: -0.5}"), workplace).instruments

    assert [str(instrument.maker_fee), str(instrument.taker_fee)] == ["-0.00005", "0.0005"]


def test_a_period_is_cut_to_the_data_with_a_warning(workplace: Path) -> None:
    overrides = ("backtest.start=2025-12-31T00:00:00Z", "backtest.end=2026-01-01T00:03:00+00:00")

    data = find_market_data(loaded(workplace, *overrides), workplace)

    assert data.start_ns == min(entry.first_ns for entry in data.entries)
    assert data.end_ns == 1_767_225_780_000_000_000
    (warning,) = data.warnings
    assert "begins at 2025-12-31T00:00:00Z" in warning


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("backtest.start=2027-01-01", "is after the data: the data reach from 2026-01-01T00:00:00Z"),
        ("backtest.end=2020-01-01", "is before the data"),
        ("backtest.start=yesterday-ish", 'was "yesterday-ish", expected a UTC time'),
        ("backtest.data=[trades]", "has no quotes"),
        ("backtest.data=[quotes, candles]", "expected one of: quotes, trades"),
        ("instruments=[SYNUSD-PERP.BINANCE]", 'did you mean "SYNUSDT-PERP.BINANCE"?'),
        ("backtest.catalog=elsewhere", "elsewhere"),
    ],
)
def test_what_the_catalog_does_not_have_is_said(workplace: Path, override: str, words: str) -> None:
    with pytest.raises(BadInput) as error:
        find_market_data(loaded(workplace, override), workplace)

    assert words in str(error.value)


def test_what_was_listened_to_and_never_came_may_be_missing(tmp_path: Path) -> None:
    market = SyntheticMarket(hours=0.02, instruments=("SYNUSDT-PERP.BINANCE", "BTCUSDT-PERP.BINANCE"))
    write_synthetic_market(tmp_path / "catalog", market)
    names = "[SYNUSDT-PERP.BINANCE, BTCUSDT-PERP.BINANCE]"
    (tmp_path / "setup.yaml").write_text(SETUP.replace("[SYNUSDT-PERP.BINANCE]", names))
    for trades in list((tmp_path / "catalog").glob("**/trade_tick/BTCUSDT-PERP.BINANCE")):
        shutil.rmtree(trades)
    silent = ("BTCUSDT-PERP.BINANCE", "trades")

    data = find_market_data(loaded(tmp_path), tmp_path, silent={silent})

    found = {(entry.instrument_id, entry.data_type) for entry in data.entries}
    assert found == {(name, kind) for name in market.instruments for kind in ("quotes", "trades")} - {silent}
    with pytest.raises(BadInput, match="no trades of BTCUSDT-PERP"):
        find_market_data(loaded(tmp_path), tmp_path)


def test_a_start_after_the_end_is_refused(workplace: Path) -> None:
    overrides = ("backtest.start=2026-01-01T00:04:00Z", "backtest.end=2026-01-01T00:02:00Z")

    with pytest.raises(BadInput, match="is not before the end"):
        find_market_data(loaded(workplace, *overrides), workplace)


def test_the_embedded_market_is_made_once(tmp_path: Path, workplace: Path) -> None:
    setup = loaded(workplace, "backtest.catalog=synthetic")

    first = find_market_data(setup, tmp_path)
    written = {path: path.stat().st_mtime_ns for path in first.catalog.rglob("*.parquet")}
    second = find_market_data(setup, tmp_path)

    assert second == first
    assert {path: path.stat().st_mtime_ns for path in second.catalog.rglob("*.parquet")} == written

"""The same fills at other fees, held against runs with those fees."""

from pathlib import Path
from typing import Any

import pytest

from data_catalog.synth import SyntheticMarket, write_synthetic_market
from runtime.backtest import run_backtest
from runtime.prepare import prepare_backtest
from runtime.results import summary_of
from runtime.setup.load import load_setup

SETUP = """\
name: example
instruments: [{instrument}]
strategies:
  - path: strategies.{maker}
    config: {{instrument_id: {instrument}, order_qty: {qty}, max_position: {most}, {more}}}
backtest:
  starting_balances: [{balances}]
"""
PERP = {"instrument": "SYNUSDT-PERP.BINANCE", "qty": 1, "most": 100, "balances": "10_000 USDT"}
SPOT = {"instrument": "NEXOUSDT.BINANCE", "qty": 50, "most": 500, "balances": "5_000 USDT, 4_000 NEXO"}
FIXED = {"maker": "fixed_spread:FixedSpread", "more": "half_spread_bps: 1"}
FAIR = {"maker": "fair_value_maker:FairValueMaker", "more": "half_spread_bps: 1"}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: Any) -> Path:
    """Return a folder with a catalog of five minutes of a perpetual and of spot."""
    folder = Path(tmp_path_factory.mktemp("fees"))
    for values in (PERP, SPOT):
        market = SyntheticMarket(hours=0.08, instruments=(str(values["instrument"]),))
        write_synthetic_market(folder / str(values["instrument"]), market)
    return folder


def run(workplace: Path, values: dict[str, Any], *overrides: str) -> dict[str, Any]:
    setup = workplace / "setup.yaml"
    setup.write_text(SETUP.format(**values))
    catalog = f"backtest.catalog={workplace / values['instrument']}"
    prepared = prepare_backtest(load_setup(setup, [catalog, *overrides]), workplace)
    return summary_of(run_backtest(prepared), "")


def fees(maker_bps: float, taker_bps: float, paid_in: str = "received") -> str:
    return f"backtest.fees={{maker_bps: {maker_bps}, taker_bps: {taker_bps}, paid_in: {paid_in}}}"


@pytest.fixture(scope="module")
def on_futures(workplace: Path) -> dict[str, Any]:
    return run(workplace, PERP | FIXED)


def test_the_tier_of_the_run_earns_what_the_run_earned(on_futures: dict[str, Any]) -> None:
    ordinary = on_futures["fee_tiers"]["tiers"][0]

    assert on_futures["fills"] > 20
    assert ordinary["name"] == "VIP 0"
    assert ordinary["pnl_trading"] == pytest.approx(on_futures["pnl_trading"], abs=1e-8 * on_futures["fills"])
    assert ordinary["fees"] == pytest.approx(on_futures["pnl_parts"]["fees"], abs=1e-8 * on_futures["fills"])


@pytest.mark.parametrize("name", ["VIP 9", "VIP 3, in BNB", "maker rebate 0.5 bps"])
def test_a_run_with_another_tiers_fees_earns_what_repricing_says(
    workplace: Path, on_futures: dict[str, Any], name: str
) -> None:
    rows = [*on_futures["fee_tiers"]["tiers"], *on_futures["fee_tiers"]["rebates"]]
    row = next(row for row in rows if row["name"] == name)

    again = run(workplace, PERP | FIXED, fees(row["maker_bps"], row["taker_bps"]))

    assert again["fills"] == on_futures["fills"]
    assert again["pnl_trading"] == pytest.approx(row["pnl_trading"], abs=1e-8 * again["fills"])


def test_the_break_even_fee_is_where_repriced_fills_earn_nothing(workplace: Path, on_futures: dict[str, Any]) -> None:
    again = run(workplace, PERP | FIXED, fees(on_futures["break_even_maker_fee_bps"], 5))

    assert again["pnl_trading"] == pytest.approx(0, abs=1e-8 * again["fills"])


def test_fees_from_the_received_asset_count_at_the_last_mid(workplace: Path) -> None:
    received = run(workplace, SPOT | FIXED)
    quote = run(workplace, SPOT | FIXED, fees(10, 10, "quote"))

    assert received["fills"] == quote["fills"] > 10
    for summary in (received, quote):
        ordinary = summary["fee_tiers"]["tiers"][0]
        assert ordinary["pnl_trading"] == pytest.approx(summary["pnl_trading"], abs=1e-7 * summary["fills"])
    assert received["fee_tiers"]["pnl_before_fees"] == pytest.approx(quote["fee_tiers"]["pnl_before_fees"], abs=1e-6)
    assert len(received["fee_tiers"]["notes"]) == len(quote["fee_tiers"]["notes"]) + 1


def test_a_strategy_that_decides_by_its_fee_is_named(workplace: Path, on_futures: dict[str, Any]) -> None:
    decides = run(workplace, PERP | FAIR)["fee_tiers"]["notes"]

    assert "FairValueMaker" in decides[1]
    assert len(on_futures["fee_tiers"]["notes"]) == 1

"""What every setup in configs/ must do: load, fit its instruments, run, and keep exact books."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actors.ledger import Ledger
from data_catalog.columns import BUYER, SELLER, FundingRates, Quotes, Trades
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter
from models.attribution import EXACT
from reports.attribution import attribution, exact_sum
from runtime.backtest import run_backtest
from runtime.prepare import prepare_backtest
from runtime.setup.load import LoadedSetup, load_setup

PROJECT = Path(__file__).parents[1]
CONFIGS = sorted((PROJECT / "configs").glob("*.yaml"))
PRICES = {
    "NEXOUSDT.BINANCE": 1.2,
    "IOTABTC.BINANCE": 0.000034,
    "BTCUSDT.BINANCE": 61_000.0,
    "BTCUSDT-PERP.BINANCE": 61_000.0,
    "ETHUSDT.BINANCE": 3_000.0,
    "SOLUSDT.BINANCE": 150.0,
    "AVAXUSDT.BINANCE": 40.0,
    "DOTUSDT.BINANCE": 9.0,
    "ATOMUSDT.BINANCE": 11.0,
    "FILUSDT.BINANCE": 60.0,
    "SYNUSDT-PERP.BINANCE": 100.0,
    "SYNBUSDT-PERP.BINANCE": 100.0,
}
EVERY_MINUTE = [
    "strategies[0].config.check_interval_secs=60",
    "strategies[0].config.lookback=5",
    "strategies[0].config.reweight_interval_secs=60",
]
QUICKER = {
    "portfolio_majors": EVERY_MINUTE,
    "seed_001_threshold_rebalance": EVERY_MINUTE,
    "seed_000_rebalancing_maker": [
        "strategies[0].config.volatility_spread_factor=0",
        "strategies[0].config.requote_threshold_bps=40",
    ],
    "seed_000_rebalancing_maker_nexo": ["strategies[0].config.volatility_spread_factor=0"],
    "seed_003_stat_arb_maker": [
        "strategies[0].config.volatility_window_secs=60",
        "strategies[0].config.kappa_per_bps=1",
    ],
    "pairs_avax_dot": [
        "strategies[0].config.pair.sample_interval_secs=5",
        "strategies[0].config.pair.lookback=20",
        "strategies[0].config.pair.retest_every_secs=0",
        "strategies[0].config.min_edge_bps=-1000",
        "strategies[0].config.trade_after=null",
        "backtest.start=null",
    ],
    "nexousdt_spot_fair_value": ["strategies[0].config.volatility_spread_factor=0"],
    "nexousdt_spot_glft": [
        "strategies[0].config.volatility_window_secs=60",
        "strategies[0].config.intensity_window_secs=60",
    ],
}
"""What a setup made for days needs to act within minutes."""

LIMITS_OF_EVERY_SETUP = (
    "max_position_qty",
    "max_order_notional_quote",
    "price_collar_bps",
    "max_orders_per_10s",
    "order_reserve",
    "max_data_age_secs",
    "max_clock_skew_secs",
    "max_price_move_bps",
    "max_drawdown_pct",
    "max_fills_per_window",
    "max_rejections_per_window",
)

FUNDED = "BTCUSDT-PERP.BINANCE"
"""The market with a funding time, at a third of it."""

MAKERS = [config for config in CONFIGS if "max_position:" in config.read_text()]

every_config = pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)


def write_market(catalog: Path, instrument_id: str, minutes: int = 15) -> None:
    """Write a random walk of the touch, with trades at it and through it, two quotes a second."""
    instrument = find_instrument(instrument_id)
    rng = np.random.default_rng(7)
    rows = minutes * 120
    tick = float(instrument.price_increment)
    middle = round(PRICES[instrument_id] / tick)
    step = max(1, round(middle * 1e-4))  # a basis point, or a tick
    mid = middle + np.cumsum(rng.integers(-step, step + 1, rows))
    half = rng.integers(1, 2 + step // 2, rows)
    ts = 1_767_225_600_000_000_000 + np.arange(rows) * 500_000_000
    size = rng.integers(1, 20, rows) * round(300 / PRICES[instrument_id] / float(instrument.size_increment))
    buys = rng.random(rows) < 0.5
    reach = half + rng.integers(0, 4 * step, rows)
    price = np.where(buys, mid + reach, mid - reach)
    aggressor = np.where(buys, BUYER, SELLER).astype(np.uint8)
    later = ts + 200_000_000
    with CatalogWriter(catalog) as writer:
        writer.quotes(instrument, Quotes(mid - half, mid + half, size, size, ts, ts), Origin("synthetic"))
        trades = Trades(price, size, aggressor, np.arange(rows), later, later).take(rng.random(rows) < 0.3)
        writer.trades(instrument, trades, Origin("synthetic"))
        if instrument_id == FUNDED:
            settled = ts[rows // 3 : rows // 3 + 1]
            writer.funding_rates(
                instrument, FundingRates(np.array([3 * 10**12]), settled, settled), Origin("synthetic")
            )


def load_on(config: Path, catalog: Path) -> LoadedSetup:
    """Load a setup to run on `catalog` instead of its own."""
    overrides = [f"backtest.catalog={catalog}", "backtest.synthetic={}", "ledger.interval_secs=10"]
    return load_setup(config, overrides + QUICKER.get(config.stem, []))


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: Any) -> Path:
    """Return a catalog with a market of every instrument in configs/."""
    folder = Path(tmp_path_factory.mktemp("configs")) / "catalog"
    for instrument_id in {name for config in CONFIGS for name in load_setup(config).setup.instruments}:
        write_market(folder, instrument_id)
    return folder


@every_config
def test_carries_limits_that_its_venue_and_its_positions_ask_for(config: Path) -> None:
    setup = load_setup(config).setup

    assert setup.risk is not None
    assert not [key for key in LIMITS_OF_EVERY_SETUP if not getattr(setup.risk, key)]
    assert set(setup.risk.max_position_qty) == set(setup.instruments)
    futures = setup.instruments[0].endswith("-PERP.BINANCE")
    assert setup.risk.max_orders_per_10s < (300 if futures else 100)
    assert (setup.risk.max_leverage is not None) == futures
    holds_coins = any(word in config.stem for word in ("rebalanc", "portfolio", "pairs"))
    assert setup.risk.max_drawdown_pct <= (50 if holds_coins else 4)


@every_config
def test_a_setup_is_named_as_its_file_and_says_what_it_is(config: Path) -> None:
    setup = load_setup(config).setup

    assert setup.name == config.stem
    assert setup.description
    assert config.read_text().startswith("# ")


@every_config
def test_a_setup_runs_trades_within_its_limits_and_keeps_exact_books(config: Path, catalog: Path) -> None:
    prepared = prepare_backtest(load_on(config, catalog), catalog.parent)

    run = run_backtest(prepared)

    curve = run.ledger.equity_curve
    assert len(run.ledger.fills) > 0
    assert run.orders.denied == 0
    assert all(EXACT.subtract(point.equity, curve[0].equity) == point.parts.total for point in curve)
    assert all(fill.fee > 0 for fill in run.ledger.fills)
    assert bool(run.ledger.funding) == (FUNDED in prepared.loaded.setup.instruments)
    _check_identities(run.ledger)
    if config in MAKERS:
        _check_inventory(prepared.loaded, run.ledger)


def _check_identities(ledger: Ledger) -> None:
    """Hold both identities of the attribution, exactly, at every horizon, for all and for each part of the setup."""
    whole = attribution(ledger)
    assert whole.parts.total == ledger.equity_curve[-1].parts.total
    assert whole.parts.total == EXACT.subtract(ledger.equity(), ledger.equity_start)
    scopes = [whole]
    for by in (0, 1):
        names = {key[by] for key in ledger.books}
        split = [attribution(ledger, **{("strategy", "instrument")[by]: name}) for name in names]
        assert exact_sum(*(each.parts.total for each in split)) == whole.parts.total
        scopes += split
    for scope in scopes:
        assert EXACT.add(scope.spread, scope.taking) == scope.parts.spread
        for horizon, at in scope.horizons.items():
            assert EXACT.add(at.total, scope.initial) == scope.parts.inventory
            assert scope.total(horizon) == scope.parts.total


def _check_inventory(loaded: LoadedSetup, ledger: Ledger) -> None:
    """Hold every position against its limit; a fee in the base asset leaves fractions of a lot that no order trades."""
    limits = {str(part.config.instrument_id): part.config.max_position for part in loaded.strategies}
    for fill in ledger.fills:
        step = find_instrument(fill.instrument).size_increment.as_decimal()
        assert abs(fill.position_after) < Decimal(repr(limits[fill.instrument])) + step

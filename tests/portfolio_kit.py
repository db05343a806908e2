"""Spot assets with one quote an hour: as ticks for the engine, and as a catalog with a setup that rebalances them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from nautilus_trader.model.identifiers import InstrumentId
from ruamel.yaml import YAML

from data_catalog.columns import Quotes
from data_catalog.instruments import find_instrument
from data_catalog.store.origin import Origin
from data_catalog.store.write import CatalogWriter
from strategies.rebalance import Rebalance
from strategies.rebalance_config import RebalanceConfig
from tests.engine_kit import START_NS, Market

HOUR_NS = 3_600_000_000_000
FULL_HOUR_S = 2_800
"""From the start of the kit's time to the next full hour, in seconds."""
ASSETS = ("BTCUSDT.BINANCE", "ETHUSDT.BINANCE", "SOLUSDT.BINANCE", "AVAXUSDT.BINANCE")
FIRST_PRICES = (30_000.0, 1_200.0, 20.0, 12.0)
HALF_SPREAD = 2e-4


def walk(seed: int, hours: int, assets: int = len(ASSETS), volatility: float = 0.02) -> np.ndarray:
    """Return prices of shape (hours, assets) that wander with a common part."""
    rng = np.random.default_rng(seed)
    moves = volatility * (rng.normal(size=(hours, assets)) + 0.7 * rng.normal(size=(hours, 1)))
    return np.array(FIRST_PRICES[:assets]) * np.exp(np.cumsum(moves, axis=0))


def markets_of(prices: np.ndarray, names: Sequence[str] = ASSETS, worth: float = 1e6) -> list[Market]:
    """Return a quote around each price at each full hour, both sides so much worth."""
    markets = [Market(find_instrument(name)) for name in names]
    for market, column in zip(markets, prices.T, strict=True):
        tick = float(market.instrument.price_increment)
        for hour, price in enumerate(column):
            bid, ask = price * (1 - HALF_SPREAD) // tick * tick, price * (1 + HALF_SPREAD) // tick * tick + tick
            market.quote(FULL_HOUR_S + 3600 * hour, bid, ask, worth / price, worth / price)
    return markets


def rebalancer(names: Sequence[str] = ASSETS, **config: Any) -> Rebalance:
    """Return a rebalancer of these assets."""
    return Rebalance(RebalanceConfig(instrument_ids=tuple(InstrumentId.from_str(name) for name in names), **config))


def write_prices(catalog: Path, prices: np.ndarray, names: Sequence[str] = ASSETS, first_hour: int = 0) -> None:
    """Write a catalog of the same quotes."""
    with CatalogWriter(catalog) as writer:
        for name, column in zip(names, prices.T, strict=True):
            instrument = find_instrument(name)
            units = 10**instrument.price_precision
            tick = round(float(instrument.price_increment) * units)
            bid = np.floor(column * (1 - HALF_SPREAD) * units / tick).astype(np.int64) * tick
            ask = np.floor(column * (1 + HALF_SPREAD) * units / tick).astype(np.int64) * tick + tick
            size = np.round(1e6 / column).astype(np.int64) * 10**instrument.size_precision
            ts = START_NS + FULL_HOUR_S * 10**9 + (first_hour + np.arange(len(column))) * HOUR_NS
            writer.quotes(instrument, Quotes(bid, ask, size, size, ts, ts), Origin("synthetic"))


def write_setup(folder: Path, config: Mapping[str, Any], names: Sequence[str] = ASSETS) -> Path:
    """Write a setup that rebalances `names`, with the catalog beside it; return the file."""
    setup = {
        "name": "portfolio",
        "instruments": list(dict.fromkeys(names)),
        "strategies": [{"path": "strategies.rebalance:Rebalance", "config": {"instrument_ids": list(names), **config}}],
        "ledger": {"interval_secs": 3600},
        "backtest": {"catalog": "catalog", "data": ["quotes"], "starting_balances": ["100_000 USDT"]},
    }
    file = folder / "setup.yaml"
    with file.open("w") as stream:
        YAML().dump(setup, stream)
    return file

"""A pair of perpetuals whose gap is known, as ticks for the engine, and what their fills left unhedged."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from nautilus_trader.model.identifiers import InstrumentId

from actors.watched_pair import PairSettings
from data_catalog.instruments import synthetic_perpetual
from strategies.pairs import Pairs
from strategies.pairs_config import PairsConfig
from tests.engine_kit import START_NS, Market

Y = "YYYUSDT-PERP.BINANCE"
X = "XXXUSDT-PERP.BINANCE"
BETA = 0.8
INTERCEPT = 1.0
MINUTE = 60


def perpetuals() -> tuple[Any, Any]:
    """Return the two legs: ticks of 0.0001, lots of 0.01 and 0.1."""
    return synthetic_perpetual("YYYUSDT", 4, 2), synthetic_perpetual("XXXUSDT", 4, 1)


def reverting(seed: int, samples: int, theta: float, sd: float) -> np.ndarray:
    """Return a gap that reverts, sampled exactly: theta per sample, long-run standard deviation sd."""
    rng = np.random.default_rng(seed)
    keep, gap = math.exp(-theta), np.zeros(samples)
    noise = rng.normal(0.0, sd * math.sqrt(1.0 - keep * keep), samples)
    for i in range(1, samples):
        gap[i] = keep * gap[i - 1] + noise[i]
    return gap


def prices_of(gap: Sequence[float], x: Sequence[float]) -> np.ndarray:
    """Return the price of y, with the relation of this module."""
    return np.exp(INTERCEPT + BETA * np.log(x) + np.asarray(gap))


def markets_of(
    instruments: tuple[Any, Any], gap: Sequence[float], x: Sequence[float], size: float = 1e5, every_s: int = MINUTE
) -> tuple[Market, Market]:
    """Return a quote of each leg just before every full minute from the start on."""
    markets = Market(instruments[0]), Market(instruments[1])
    offset = MINUTE - START_NS // 10**9 % MINUTE - 0.5
    for market, prices in zip(markets, (prices_of(gap, x), x), strict=True):
        tick = float(market.instrument.price_increment)
        for i, price in enumerate(prices):
            bid = math.floor(price / tick) * tick
            market.quote(offset + i * every_s, bid, bid + tick, size, size)
            if every_s == MINUTE:
                market.quote(offset + i * every_s + 1, bid, bid + tick, size, size)
    return markets


def pairs(legs: tuple[str, str] = (Y, X), watched: dict[str, Any] | None = None, **config: Any) -> Pairs:
    """Return the strategy on the known relation."""
    pair: dict[str, Any] = {
        "leg_y": InstrumentId.from_str(legs[0]),
        "leg_x": InstrumentId.from_str(legs[1]),
        "sample_interval_secs": MINUTE,
        "hedge_ratio": "fixed",
        "fixed_ratio": BETA,
        "fixed_intercept": INTERCEPT,
        "fixed_sd": 0.01,
        "lookback": 100,
    }
    wanted: dict[str, Any] = {"notional_quote": 1_000.0, "entry_z": 2.0, "min_edge_bps": -1_000.0}
    return Pairs(PairsConfig(pair=PairSettings(**(pair | (watched or {}))), **(wanted | config)))

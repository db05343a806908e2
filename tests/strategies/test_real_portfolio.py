"""Twenty assets over recorded hourly candles: what docs/rebalancing.md promises, on a shorter period."""

import json
import tarfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nautilus_trader.model.identifiers import InstrumentId

from data_catalog.exchange_info import Filter, SymbolInfo
from data_catalog.instruments import build_instrument
from reports.rebalancing import rebalance_summary
from strategies.rebalance import Rebalance
from strategies.rebalance_config import RebalanceConfig
from tests.engine_kit import Market
from tests.portfolio_kit import FULL_HOUR_S

pytestmark = pytest.mark.real_data

COINS = (
    *("BTC", "ETH", "XRP", "LTC", "BCH", "LINK", "ADA", "XLM", "DOT", "YFI"),
    *("EOS", "TRX", "UNI", "VET", "THETA", "AAVE", "FIL", "ETC", "XMR", "ATOM"),
)
HOURS = slice(800, 1_000)
"""Eight days of January 2021."""


@pytest.fixture(scope="module")
def candles(shared_data: Path) -> dict[str, list[list[float]]]:
    """Return the candles of each coin: opening time in ms, open, high, low, close, volume."""
    found = {}
    with tarfile.open(shared_data / "klines_nfi_1h_202012" / "nfi_1h_json.tar.xz", "r|xz") as archive:
        for member in archive:  # read once from front to back: the archive is compressed as a whole
            coin = Path(member.name).name.partition("_")[0]
            file = archive.extractfile(member)
            if coin in COINS and file is not None:
                found[coin] = json.load(file)[HOURS]
            if len(found) == len(COINS):
                break
    return {coin: found[coin] for coin in COINS}


def market_of(coin: str, rows: list[list[float]]) -> Market:
    """Return a quote 5 bps wide around each close, with a tick and a step fine enough for the price."""
    tick = 10.0 ** (int(np.floor(np.log10(rows[0][4]))) - 4)
    rules = [
        Filter("PRICE_FILTER", tickSize=f"{tick:.8f}"),
        Filter("LOT_SIZE", stepSize=f"{10.0 ** int(np.floor(np.log10(1 / rows[0][4]))):.8f}", minQty="0"),
        Filter("NOTIONAL", minNotional="10"),
    ]
    market = Market(build_instrument(SymbolInfo(f"{coin}USDT", coin, "USDT", rules)))
    for hour, row in enumerate(rows):
        close, size = row[4], row[5] / 8
        market.quote(FULL_HOUR_S + 3600 * hour, close * (1 - 2.5e-4), close * (1 + 2.5e-4) + tick, size, size)
    return market


def test_bands_hold_books_balance_and_the_edge_is_cheaper(candles: Any, replay: Any) -> None:
    markets = [market_of(coin, rows) for coin, rows in candles.items()]
    balances = ["0 USDT", *(f"{5_000 / rows[0][4]:.4f} {coin}" for coin, rows in candles.items())]
    ids = tuple(InstrumentId.from_str(f"{coin}USDT.BINANCE") for coin in COINS)
    fees = {}
    for to in ("edge", "target"):
        config = RebalanceConfig(
            instrument_ids=ids, weights="equal", rebalance_threshold_pct=1.0, rebalance_to=to, min_trade_quote=20
        )
        run = replay(markets, [Rebalance(config)], fills="queue_latency", balances=balances, grid_secs=3600)

        ((_, figures),) = rebalance_summary(run.ledger).items()
        fees[to] = sum((fill.fee for fill in run.ledger.fills), Decimal(0))
        assert len(run.ledger.rebalances) > 3
        assert figures["fees_paid"] == float(fees[to])
        assert figures["outside_after"] == 0
        for done in run.ledger.rebalances:
            weights = [asset.value_after / done.equity_after for asset in done.assets]
            assert len(weights) == 20
            assert sum(weights) + done.cash_after / done.equity_after == pytest.approx(Decimal(1), abs=Decimal("1e-9"))
    assert 0 < fees["edge"] < fees["target"] / 2

"""
One path of the experiment of Avellaneda and Stoikov (2008) through the engine: one maker, one market, one account.

Each step is a quote and two trades: the quote moves the mid, the trades are the market orders of the step, one per side
and one lot each, printed at the furthest price that they reach. The market's own bid and ask stand so far from the mid
that no quote of the maker ever meets them. Fills are those of the `optimistic` assumption: the maker is alone in its
queue, and its orders arrive before the next event, also a bid that has had to wait for the ask to make room. Prices are
rounded to 1e-9, which is what keeps the profit of a path from being exactly that of
`models.market_making.paper_paths.simulate`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType
from nautilus_trader.model.identifiers import TradeId
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import FIXED_PRECISION, Money, Price, Quantity
from nautilus_trader.risk.config import RiskEngineConfig

from actors.ledger import Ledger, LedgerConfig
from command_line import Failed
from data_catalog.instruments import currency, synthetic_perpetual
from models.market_making.paper_moments import Strategy
from models.market_making.paper_paths import Paths
from runtime.audit import check_books
from runtime.experiment.setup import ExperimentSettings
from runtime.setup.sections import Fees, Latency
from runtime.venue.fees import fee_model, with_fees
from runtime.venue.fills import FILL_ASSUMPTIONS
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig
from strategies.paper_maker import PaperMaker, PaperMakerConfig
from strategies.quoting import QuotingStrategy

FILLS = FILL_ASSUMPTIONS["optimistic"]
NO_FEES = Fees(maker_bps=Decimal(0), taker_bps=Decimal(0))

_PRICE_DECIMALS = 9
_TICKS_PER_PRICE = 10**_PRICE_DECIMALS
_RAW_PER_TICK = 10 ** (FIXED_PRECISION - _PRICE_DECIMALS)
_START_NS = 1_767_225_600_000_000_000  # 2026-01-01
_SECOND_NS = 1_000_000_000
_ONE_DAY_SECS = 86_400
_UNLIMITED_RATE = "1000000/00:00:01"


@dataclass(frozen=True, slots=True)
class PathResult:
    """
    What the maker made of one path, from the ledger.

    Parameters
    ----------
    profit : Decimal
        The change of equity, valued at the mid.
    inventory : int
        What is held at the end, in lots.
    fills : int
        How many quotes were filled.

    """

    profit: Decimal
    inventory: int
    fills: int


def run_path(settings: ExperimentSettings, gamma: float, strategy: Strategy, paths: Paths, row: int) -> PathResult:
    """
    Run one path in an engine of its own.

    Parameters
    ----------
    settings : ExperimentSettings
        The market.
    gamma : float
        The maker's risk aversion, per unit of price.
    strategy : Strategy
        Which maker.
    paths : Paths
        Drawn from `settings.market`.
    row : int
        Which of them.

    Raises
    ------
    Failed
        If the engine stopped early, or its account and the ledger disagree.

    """
    instrument = with_fees(synthetic_perpetual("SYNUSDT", _PRICE_DECIMALS, 0, Decimal(0)), NO_FEES)
    ticks = list(_ticks(instrument, settings, settings.touch_distance(gamma), paths, row))
    engine, ledger = _engine(instrument, settings.start_price)
    try:
        engine.add_strategy(_maker(instrument, settings, gamma, strategy))
        engine.add_data_iterator("market", iter([ticks]))
        start, end = (pd.Timestamp(tick.ts_init, tz="UTC") for tick in (ticks[0], ticks[-1]))
        engine.run(start=start, end=end)
        if engine.kernel.clock.timestamp_ns() < ticks[-1].ts_init or not ledger.is_open:
            raise Failed(f"the engine stopped before the end of a path (gamma {gamma:g}, {strategy.value})")
        check_books(engine, ledger)
        profit = ledger.equity() - ledger.equity_start
        return PathResult(profit, int(ledger.position(instrument.id.value)), len(ledger.fills))
    finally:
        engine.dispose()


def _maker(
    instrument: CryptoPerpetual, settings: ExperimentSettings, gamma: float, strategy: Strategy
) -> QuotingStrategy:
    market = settings.market
    sizes: dict[str, Any] = {
        "instrument_id": instrument.id,
        "order_qty": 1.0,
        "max_position": market.steps + 1.0,  # one lot a step is the most that can come: there is no limit
    }
    if strategy is Strategy.SYMMETRIC:
        return FixedSpread(FixedSpreadConfig(**sizes, half_spread_quote=0.5 * market.average_spread(gamma)))
    return PaperMaker(
        PaperMakerConfig(
            **sizes,
            risk_aversion_per_quote=gamma,
            kappa_per_quote=market.kappa,
            sigma_quote_per_sqrt_sec=market.sigma,
            horizon_secs=market.horizon,
        )
    )


def _engine(instrument: CryptoPerpetual, start_price: float) -> tuple[BacktestEngine, Ledger]:
    """Return an engine whose account is too rich to matter, and its ledger."""
    rates = RiskEngineConfig(max_order_submit_rate=_UNLIMITED_RATE, max_order_modify_rate=_UNLIMITED_RATE)
    engine = BacktestEngine(
        BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False, risk_engine=rates)
    )
    quoted = instrument.quote_currency
    FILLS.add_venue(
        engine,
        Latency(),
        seed=1,
        venue=instrument.id.venue,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        starting_balances=[Money(round(1e6 * (1.0 + start_price)), quoted)],
        base_currency=currency(quoted.code),
        fee_model=fee_model(NO_FEES, spot=False),
        bar_execution=False,
    )
    engine.add_instrument(instrument)
    ledger = Ledger(LedgerConfig(instrument_ids=(instrument.id,), currency=quoted.code, interval_secs=_ONE_DAY_SECS))
    engine.add_actor(ledger)
    return engine, ledger


def _ticks(
    instrument: CryptoPerpetual, settings: ExperimentSettings, touch_distance: float, paths: Paths, row: int
) -> Iterator[QuoteTick | TradeTick]:
    """Yield each step's quote, its sale and its purchase, and the quote of the end."""
    mids = settings.start_price + paths.mids[row]
    mid_ticks = _in_ticks(mids)
    sale_ticks = _in_ticks(mids[:-1] - paths.sell_reaches[row])
    purchase_ticks = _in_ticks(mids[:-1] + paths.buy_reaches[row])
    half = round(touch_distance * _TICKS_PER_PRICE)
    step_ns = settings.market.dt * _SECOND_NS
    lot = Quantity.from_int(1)

    def quote(step: int) -> QuoteTick:
        ts, mid = _START_NS + round(step * step_ns), mid_ticks[step]
        return QuoteTick(instrument.id, _price(mid - half), _price(mid + half), lot, lot, ts, ts)

    def trade(step: int, part: float, ticks: int, aggressor: AggressorSide) -> TradeTick:
        ts = _START_NS + round((step + part) * step_ns)
        return TradeTick(instrument.id, _price(ticks), lot, aggressor, TradeId(f"{step}-{aggressor}"), ts, ts)

    for step in range(settings.steps):
        yield quote(step)
        yield trade(step, 0.5, sale_ticks[step], AggressorSide.SELLER)
        yield trade(step, 0.75, purchase_ticks[step], AggressorSide.BUYER)
    yield quote(settings.steps)


def _in_ticks(prices: np.ndarray[Any, np.dtype[np.float64]]) -> list[int]:
    """Return prices as whole ticks; an order that reaches beyond a price of 0 is printed at the lowest price."""
    ticks: list[int] = np.maximum(np.rint(prices * _TICKS_PER_PRICE), 1).astype(np.int64).tolist()
    return ticks


def _price(ticks: int) -> Price:
    return Price.from_raw(ticks * _RAW_PER_TICK, _PRICE_DECIMALS)

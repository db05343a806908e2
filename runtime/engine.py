"""A prepared backtest becomes a Nautilus engine, ready to run."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.enums import AccountType, BookType, OmsType
from nautilus_trader.model.identifiers import TraderId, Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.portfolio.config import PortfolioConfig
from nautilus_trader.risk.config import RiskEngineConfig

from actors.ledger import Ledger
from data_catalog.instruments import currency
from runtime.prepare import PreparedBacktest
from runtime.risk.controls import RiskControls
from runtime.setup.components import QUIET
from runtime.setup.sections import BacktestSettings
from runtime.system import SystemContext, SystemParts, add_parts
from runtime.venue.fees import fee_model
from runtime.venue.fills import FILL_ASSUMPTIONS
from runtime.venue.funding import FundingSettlement
from runtime.venue.margin import VenueMargin
from runtime.venue.matching import SimulatedVenue

_UNLIMITED_RATE = "1000000/00:00:01"
_NEVER_AGAIN_MS = 10**12


@dataclass(frozen=True)
class BuiltSystem:
    """
    An engine that can run, with the parts of it that the results are made of.

    `risk` is there where the setup has limits, `margin` on futures.
    """

    engine: BacktestEngine
    ledger: Ledger
    risk: RiskControls | None
    margin: VenueMargin | None


def build_engine(
    prepared: PreparedBacktest, log_level: str | None = None, log_folder: Path | None = None
) -> BuiltSystem:
    """Return an engine with venue, instruments, strategies, actors and ledger, but without data."""
    settings = prepared.loaded.setup.backtest
    instruments = prepared.data.instruments
    engine = BacktestEngine(engine_config(log_level, log_folder))
    venue = FILL_ASSUMPTIONS[settings.fills].add_venue(
        engine,
        settings.latency,
        settings.seed,
        venue=Venue(instruments[0].id.venue.value),
        oms_type=OmsType[settings.oms_type],
        account_type=AccountType.CASH if prepared.spot else AccountType.MARGIN,
        starting_balances=list(prepared.balances),
        base_currency=None if prepared.spot else currency(prepared.currency),
        default_leverage=None if prepared.spot else Decimal(settings.leverage),
        fee_model=fee_model(settings.fees, prepared.spot),
        book_type=BookType.L1_MBP,
        bar_execution=False,
    )
    for instrument in instruments:
        engine.add_instrument(instrument)
    margin = None if prepared.spot else add_margin(engine, venue, settings, prepared.balances[0])
    if settlements := prepared.data.funding.settlements:
        engine.add_actor(FundingSettlement(venue.exchange, settlements))
    parts = _add_parts(engine, prepared, quiet=log_level is None)
    return BuiltSystem(engine, parts.ledger, parts.risk, margin)


def add_margin(
    engine: BacktestEngine, venue: SimulatedVenue, settings: BacktestSettings, balance: Money
) -> VenueMargin:
    """Have a futures venue ask for margin and liquidate; strategies stop when it has."""
    margin = VenueMargin(venue, settings.margin, settings.leverage, balance)
    margin.listen(engine.kernel.msgbus)
    venue.margin = margin

    def stop_strategies(_: TimeEvent) -> None:
        for strategy in engine.trader.strategies():
            if strategy.is_running:
                strategy.stop()

    def on_liquidated(ts_ns: int) -> None:
        engine.kernel.clock.set_time_alert_ns("!liquidated", ts_ns + 1, stop_strategies)

    margin.on_liquidated = on_liquidated
    return margin


def engine_config(log_level: str | None = None, log_folder: Path | None = None) -> BacktestEngineConfig:
    """
    Return the configuration of the engine; it keeps a log of `log_level` in `log_folder` where one is asked for.

    Without a log the engine would still put every account state into words, at each order event: it is told to do so
    once.

    Raises
    ------
    ValueError
        If there is a level and no folder: the engine would make one of the name "None".

    """
    if log_level is not None and log_folder is None:
        raise ValueError(f"a log of level {log_level} needs a folder")
    logging = LoggingConfig(bypass_logging=True)
    portfolio = PortfolioConfig(min_account_state_logging_interval_ms=_NEVER_AGAIN_MS)
    if log_level is not None:
        portfolio = PortfolioConfig()
        logging = LoggingConfig(
            log_level="OFF",
            log_level_file=log_level,
            log_directory=str(log_folder),
            log_file_name="engine",
            log_colors=False,
        )
    return BacktestEngineConfig(
        trader_id=TraderId("BALLAST-001"),
        logging=logging,
        run_analysis=False,
        portfolio=portfolio,
        risk_engine=RiskEngineConfig(
            # The engine's 100 orders a second is a limit of nobody's venue, and denies orders silently.
            max_order_submit_rate=_UNLIMITED_RATE,
            max_order_modify_rate=_UNLIMITED_RATE,
        ),
    )


def _add_parts(engine: BacktestEngine, prepared: PreparedBacktest, quiet: bool) -> SystemParts:
    setup = prepared.loaded.setup
    context = SystemContext(
        instrument_ids=tuple(instrument.id for instrument in prepared.data.instruments),
        currency=prepared.currency,
        leverage=Decimal(1 if prepared.spot else setup.backtest.leverage),
    )
    wiring = dict.fromkeys(range(len(prepared.loaded.strategies)), QUIET) if quiet else {}
    return add_parts(engine.kernel, prepared.loaded, context, wiring)

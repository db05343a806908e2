"""A checked setup and its data become a Nautilus backtest engine, ready to run."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.model.enums import AccountType, BookType, OmsType
from nautilus_trader.model.identifiers import TraderId, Venue
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Money
from nautilus_trader.risk.config import RiskEngineConfig

from actors.ledger import Ledger, LedgerConfig
from bad_input import nearest_name
from data_catalog.instruments import currency
from runtime.fees import fee_model, is_spot
from runtime.fills import FILL_ASSUMPTIONS
from runtime.load_setup import LoadedSetup
from runtime.market_data import MarketData

_UNLIMITED_RATE = "1000000/00:00:01"


def build_engine(
    loaded: LoadedSetup,
    data: MarketData,
    log_level: str | None = None,
    log_folder: Path | None = None,
) -> tuple[BacktestEngine, Ledger]:
    """
    Return an engine with venue, instruments, strategies, actors and ledger, but without data.

    Raises
    ------
    BadInput
        If the instruments cannot trade on one account, a balance cannot be valued or a component's configuration does
        not fit its instrument.

    """
    instruments = data.instruments
    _check_components(loaded, instruments)
    spot = _one_kind(loaded, instruments)
    ledger_currency = _ledger_currency(loaded, instruments)
    balances = _balances(loaded, instruments, ledger_currency)
    engine = BacktestEngine(_engine_config(log_level, log_folder))
    settings = loaded.setup.backtest
    engine.add_venue(
        venue=Venue(instruments[0].id.venue.value),
        oms_type=OmsType[settings.oms_type],
        account_type=AccountType.CASH if spot else AccountType.MARGIN,
        starting_balances=balances,
        base_currency=None if spot else currency(ledger_currency),
        default_leverage=None if spot else Decimal(settings.leverage),
        fee_model=fee_model(settings.fees, spot),
        book_type=BookType.L2_MBP if "deltas" in settings.data else BookType.L1_MBP,
        bar_execution=False,
        **FILL_ASSUMPTIONS[settings.fills].venue_options(settings.latency, settings.seed),
    )
    for instrument in instruments:
        engine.add_instrument(instrument)
    ledger = _add_components(engine, loaded, instruments, ledger_currency)
    return engine, ledger


def _engine_config(log_level: str | None, log_folder: Path | None) -> BacktestEngineConfig:
    logging = LoggingConfig(bypass_logging=True)
    if log_level is not None:
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
        risk_engine=RiskEngineConfig(
            # The engine's 100 orders a second is a limit of nobody's venue, and denies orders silently.
            max_order_submit_rate=_UNLIMITED_RATE,
            max_order_modify_rate=_UNLIMITED_RATE,
        ),
    )


def _add_components(
    engine: BacktestEngine, loaded: LoadedSetup, instruments: Sequence[Instrument], ledger_currency: str
) -> Ledger:
    ledger = Ledger(
        LedgerConfig(
            instrument_ids=tuple(instrument.id for instrument in instruments),
            currency=ledger_currency,
            interval_secs=loaded.setup.ledger.interval_secs,
        )
    )
    engine.add_actor(ledger)
    for actor in loaded.actors:
        engine.add_actor(actor.build())
    for strategy in loaded.strategies:
        engine.add_strategy(strategy.build())
    return ledger


def _check_components(loaded: LoadedSetup, instruments: Sequence[Instrument]) -> None:
    """Hold every configuration against the instruments: a strategy says what does not fit as `key: problem`."""
    by_id = {instrument.id: instrument for instrument in instruments}
    for component in (*loaded.strategies, *loaded.actors):
        traded = getattr(component.config, "instrument_id", None)
        if traded is not None and traded not in by_id:
            problem = f"{traded} is not among the setup's instruments"
            hint = nearest_name(str(traded), [str(known) for known in by_id])
            raise loaded.tree.complaint(problem, (*component.path, "config", "instrument_id"), hint)
        check = getattr(component.kind, "check_config", None)
        if check is not None:
            try:
                check(component.config, by_id)
            except ValueError as error:
                key, _, problem = str(error).partition(": ")
                raise loaded.tree.complaint(problem, (*component.path, "config", key)) from None


def _one_kind(loaded: LoadedSetup, instruments: Sequence[Instrument]) -> bool:
    kinds = {is_spot(instrument) for instrument in instruments}
    if len(kinds) > 1:
        raise loaded.tree.complaint("mixes spot and futures, which no single account trades", ("instruments",))
    return kinds.pop()


def _ledger_currency(loaded: LoadedSetup, instruments: Sequence[Instrument]) -> str:
    code = loaded.setup.ledger.currency or instruments[0].quote_currency.code
    for i, instrument in enumerate(instruments):
        if instrument.quote_currency.code != code:
            problem = f"{instrument.id} is quoted in {instrument.quote_currency.code}, the ledger values in {code}"
            raise loaded.tree.complaint(problem, ("instruments", i))
    return str(code)


def _balances(loaded: LoadedSetup, instruments: Sequence[Instrument], ledger_currency: str) -> list[Money]:
    valued = {ledger_currency, *(i.base_currency.code for i in instruments if is_spot(i))}
    balances = []
    for i, text in enumerate(loaded.setup.backtest.starting_balances):
        path = ("backtest", "starting_balances", i)
        try:
            amount, code = text.replace("_", "").split()
            value = Decimal(amount)
        except (ValueError, ArithmeticError):
            raise loaded.tree.complaint(f'was "{text}", expected an amount such as "10_000 USDT"', path) from None
        if code not in valued:
            problem = f"{code} cannot be valued: the setup's instruments trade {', '.join(sorted(valued))}"
            raise loaded.tree.complaint(problem, path)
        if not value.is_finite() or value < 0:
            raise loaded.tree.complaint(f'was "{text}", expected an amount of at least 0', path)
        balances.append(Money(value, currency(code)))
    if ledger_currency not in {balance.currency.code for balance in balances}:
        raise loaded.tree.complaint(f"has no {ledger_currency}, the currency of the ledger", path[:2])
    return balances


def feed(engine: BacktestEngine, chunks: Iterator[list[Any]]) -> None:
    """Give the engine its data, chunk by chunk as it consumes them."""
    engine.add_data_iterator("market", chunks)

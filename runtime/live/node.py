"""A prepared setup becomes a trading node: the same strategies, actors and limits as in a backtest."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from nautilus_trader.adapters.binance.common.enums import BinanceAccountType, BinanceEnvironment
from nautilus_trader.adapters.binance.config import (
    BinanceDataClientConfig,
    BinanceExecClientConfig,
    BinanceInstrumentProviderConfig,
)
from nautilus_trader.adapters.binance.factories import BinanceLiveDataClientFactory
from nautilus_trader.cache.config import CacheConfig
from nautilus_trader.common.config import DatabaseConfig, LoggingConfig
from nautilus_trader.live.config import (
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.identifiers import InstrumentId, TraderId, Venue
from nautilus_trader.model.objects import Money

from actors.ledger import Ledger
from runtime.live.adapter import CarefulExecClientFactory
from runtime.live.environment import Environment
from runtime.live.loop_clock import clocks_on
from runtime.live.paper import PaperAccount, PaperClient, add_paper_venue
from runtime.live.prepare import PreparedLive, require_credentials
from runtime.live.recording import RunRecording
from runtime.live.warm_up import Histories
from runtime.risk.controls import RiskControls
from runtime.system import SystemContext, add_parts, announce_balances

CLIENT: Final = "BINANCE"

ADAPTER_ENVIRONMENTS: Final = {
    Environment.REAL: BinanceEnvironment.LIVE,
    Environment.TESTNET: BinanceEnvironment.TESTNET,
    Environment.DEMO: BinanceEnvironment.DEMO,
    Environment.LOCAL: BinanceEnvironment.LIVE,
}
"""What the engine's adapter calls them."""

_UNLIMITED_RATE: Final = "1000000/00:00:01"
_FOR_EVER: Final = 1_000_000_000
_LOG_FILE_BYTES: Final = 50_000_000
_LOG_FILES: Final = 20
_REDIS_PATIENCE_SECS: Final = 2


@dataclass(frozen=True)
class LiveSystem:
    """A node that can run, with the parts of it that are watched and that the results are made of."""

    node: TradingNode
    ledger: Ledger
    risk: RiskControls | None
    instrument_ids: tuple[InstrumentId, ...]
    paper: PaperClient | None = None
    """The venue on paper, where there is one."""

    @property
    def exec_client(self) -> Any:
        """The client that orders leave by."""
        [client] = self.node.kernel.exec_engine.registered_clients
        return self.node.kernel.exec_engine._clients[client]


@dataclass(frozen=True)
class NodeOptions:
    """
    What a node needs to know besides the setup.

    Parameters
    ----------
    currency : str
        The currency that everything is valued in.
    balances : tuple of Money
        On paper: what the account starts with.
    redis_password : str, optional
        For the Redis of `live.redis`.
    histories : mapping
        Prices from before the start, for whoever looks back.

    """

    currency: str
    balances: tuple[Money, ...] = ()
    redis_password: str | None = field(default=None, repr=False)
    histories: Histories = field(default_factory=dict, repr=False)


def build_node(
    prepared: PreparedLive,
    options: NodeOptions,
    loop: asyncio.AbstractEventLoop,
    log_folder: Path,
    recording: RunRecording | None = None,
) -> LiveSystem:
    """
    Return a node with its clients, strategies, actors, limits and ledger.

    Parameters
    ----------
    prepared : PreparedLive
        What is traded where.
    options : NodeOptions
        What else it needs to know.
    loop : AbstractEventLoop
        The loop that it will run on.
    log_folder : Path
        Where the engine's log goes.
    recording : RunRecording, optional
        Writes the run down.

    """
    instrument_ids = tuple(InstrumentId.from_str(name) for name in prepared.loaded.setup.instruments)
    with clocks_on(loop, None if recording is None else recording.note_timer, prepared.pace):
        node = TradingNode(_node_config(prepared, options, log_folder), loop)
        node.add_data_client_factory(CLIENT, BinanceLiveDataClientFactory)
        node.add_exec_client_factory(CLIENT, CarefulExecClientFactory)
        node.build()
        paper = None
        if prepared.paper:
            paper = add_paper_venue(node.kernel, _paper_account(prepared, options, instrument_ids), loop)
        latch = prepared.latch if recording is None else recording.latch
        context = SystemContext(instrument_ids, options.currency, prepared.margin, latch)
        parts = add_parts(node.kernel, prepared.loaded, context, _wiring(prepared))
        if recording is not None:
            recording.attach(node.kernel, context)
    announce_balances(node.kernel)
    return LiveSystem(node, parts.ledger, parts.risk, instrument_ids, paper)


def _wiring(prepared: PreparedLive) -> dict[int, dict[str, Any]]:
    """Say how positions are kept, as the simulated venue of a backtest does; and who adopts what is found."""
    wiring: dict[int, dict[str, Any]] = {}
    claimed: set[InstrumentId] = set()
    for i, strategy in enumerate(prepared.loaded.strategies):
        wiring[i] = {"oms_type": prepared.loaded.setup.backtest.oms_type}
        traded = getattr(strategy.config, "instrument_id", None)
        if prepared.settings.positions_at_start == "adopt" and traded is not None and traded not in claimed:
            claimed.add(traded)
            wiring[i]["external_order_claims"] = [traded]
    return wiring


def _paper_account(
    prepared: PreparedLive, options: NodeOptions, instrument_ids: tuple[InstrumentId, ...]
) -> PaperAccount:
    return PaperAccount(
        settings=prepared.loaded.setup.backtest,
        spot=prepared.venue.spot,
        currency=options.currency,
        leverage=prepared.leverage,
        balances=options.balances,
        instrument_ids=instrument_ids,
    )


def _node_config(prepared: PreparedLive, options: NodeOptions, log_folder: Path) -> TradingNodeConfig:
    settings = prepared.settings
    data, execution = _client_configs(prepared)
    speed = prepared.pace.speed  # the engine measures its patience with the machine on its own clock
    return TradingNodeConfig(
        trader_id=TraderId(prepared.owner.trader_id),
        logging=log_files(log_folder),
        cache=CacheConfig(database=None if prepared.paper else _database(settings.redis, options.redis_password)),
        data_engine=LiveDataEngineConfig(graceful_shutdown_on_exception=True),
        risk_engine=LiveRiskEngineConfig(
            # The guard has the limits of the setup; the engine's 100 orders a second denies silently.
            max_order_submit_rate=_UNLIMITED_RATE,
            max_order_modify_rate=_UNLIMITED_RATE,
            graceful_shutdown_on_exception=True,
        ),
        exec_engine=_exec_engine(prepared),
        data_clients={CLIENT: data},
        exec_clients={} if execution is None else {CLIENT: execution},
        timeout_connection=30.0 * speed,
        timeout_reconciliation=15.0 * speed,
        timeout_portfolio=10.0 * speed,
        timeout_disconnection=5.0 * speed,
        timeout_post_stop=1.0,
    )


def _exec_engine(prepared: PreparedLive) -> LiveExecEngineConfig:
    if prepared.paper:
        return LiveExecEngineConfig(
            reconciliation=False, inflight_check_interval_ms=0, graceful_shutdown_on_exception=True
        )
    return LiveExecEngineConfig(
        # On spot the engine would trade the difference between a balance and its position with itself.
        generate_missing_orders=not prepared.venue.spot,
        filter_unclaimed_external_orders=True,
        # After five looks without an answer the engine would call an order rejected that may be live.
        inflight_check_retries=_FOR_EVER,
        open_check_missing_retries=_FOR_EVER,
        open_check_interval_secs=prepared.settings.reconcile_secs,
        open_check_open_only=False,  # only then a lost fill is found
        reconciliation_startup_delay_secs=2.0,
        graceful_shutdown_on_exception=True,
    )


def _client_configs(prepared: PreparedLive) -> tuple[BinanceDataClientConfig, BinanceExecClientConfig | None]:
    venue = prepared.venue
    keys = None if prepared.paper else require_credentials(prepared)
    ids = frozenset(InstrumentId.from_str(name) for name in prepared.loaded.setup.instruments)
    # With the same keys and provider both clients share one connection, and instruments know the account's fees.
    common: dict[str, Any] = {
        "venue": Venue(CLIENT),
        "api_key": None if keys is None else keys.key,
        "api_secret": None if keys is None else keys.secret,
        "account_type": BinanceAccountType.SPOT if venue.spot else BinanceAccountType.USDT_FUTURES,
        "environment": ADAPTER_ENVIRONMENTS[venue.environment],
        "base_url_http": venue.http,
        "instrument_provider": BinanceInstrumentProviderConfig(load_ids=ids),
    }
    data = BinanceDataClientConfig(base_url_ws=venue.market_ws, **common)
    if prepared.paper:
        return data, None
    execution = BinanceExecClientConfig(
        base_url_ws=venue.api_ws,
        base_url_ws_stream=venue.user_ws,
        use_position_ids=False,
        recv_window_ms=prepared.recv_window_ms,
        log_rejected_due_post_only_as_warning=False,
        **common,
    )
    return data, execution


def log_files(folder: Path, max_bytes: int = _LOG_FILE_BYTES) -> LoggingConfig:
    """Return where the engine writes: files of at most so many bytes, of which the last ones are kept."""
    return LoggingConfig(
        log_level="OFF",
        log_level_file="INFO",
        log_directory=str(folder),
        log_file_name="engine",
        log_file_max_size=max_bytes,
        log_file_max_backup_count=_LOG_FILES,
        log_colors=False,
    )


def _database(redis: str | None, password: str | None) -> DatabaseConfig | None:
    if redis is None:
        return None
    host, _, port = redis.rpartition(":")
    return DatabaseConfig(
        host=host,
        port=int(port),
        password=password,
        # The engine's own patience is 100 retries, silently.
        connection_timeout=_REDIS_PATIENCE_SECS,
        response_timeout=_REDIS_PATIENCE_SECS,
        number_of_retries=1,
        max_delay=1,
    )

"""A setup is the same system live as in a backtest; only what the engine must know of the venue is different."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

PROJECT = Path(__file__).parents[3]
CONFIGS = sorted((PROJECT / "configs").glob("*.yaml"))
WIRING = ("oms_type", "external_order_claims")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


def _parts(trader: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return class and configuration of every strategy and actor, without the wiring."""
    parts = []
    for part in [*trader.actors(), *trader.strategies()]:
        values = msgspec.structs.asdict(part.config)
        parts.append((type(part).__qualname__, {key: value for key, value in values.items() if key not in WIRING}))
    return parts


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_setup_is_built_from_the_same_parts(config: Path, tmp_path: Path, loop: Any) -> None:
    from nautilus_trader.backtest.config import BacktestEngineConfig
    from nautilus_trader.backtest.engine import BacktestEngine
    from nautilus_trader.common.config import LoggingConfig
    from nautilus_trader.model.identifiers import InstrumentId

    from runtime.live.environment import Credentials, Environment
    from runtime.live.node import NodeOptions, build_node
    from runtime.live.prepare import prepare_live
    from runtime.setup.load import load_setup
    from runtime.system import SystemContext, add_parts

    loaded = load_setup(config)
    prepared = prepare_live(loaded, Environment.TESTNET, tmp_path, Credentials("key", "secret"))
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    ids = tuple(InstrumentId.from_str(name) for name in loaded.setup.instruments)
    currency = loaded.setup.ledger.currency or "USDT"
    add_parts(engine.kernel, loaded, SystemContext(ids, currency, Decimal(prepared.leverage)))

    live = build_node(prepared, NodeOptions(currency), loop, tmp_path)

    try:
        assert _parts(live.node.trader) == _parts(engine.kernel.trader)
    finally:
        engine.dispose()
        live.node.kernel.dispose()


def test_addresses_are_those_of_the_adapter() -> None:
    from nautilus_trader.adapters.binance.common.enums import BinanceAccountType
    from nautilus_trader.adapters.binance.common.urls import get_http_base_url

    from runtime.live.environment import REST_ADDRESSES
    from runtime.live.node import ADAPTER_ENVIRONMENTS

    for (environment, spot), address in REST_ADDRESSES.items():
        kind = BinanceAccountType.SPOT if spot else BinanceAccountType.USDT_FUTURES
        assert get_http_base_url(kind, ADAPTER_ENVIRONMENTS[environment], False) == address


@pytest.mark.parametrize("on_loop", [False, True])
def test_the_engines_timers_fire_on_another_thread_and_ours_on_the_loop(on_loop: bool, loop: Any) -> None:
    import threading

    from nautilus_trader.system import kernel

    from runtime.live.loop_clock import clocks_on

    if on_loop:
        with clocks_on(loop):
            clock = kernel.LiveClock()
    else:
        clock = kernel.LiveClock()
    threads: list[int] = []
    fired = asyncio.Event()

    def note(event: Any) -> None:
        threads.append(threading.get_ident())
        loop.call_soon_threadsafe(fired.set)

    clock.set_time_alert_ns("alert", clock.timestamp_ns() + 1_000_000, note)
    loop.run_until_complete(asyncio.wait_for(fired.wait(), 5))
    fired.clear()
    clock.set_timer_ns("timer", 10_000_000, 0, 0, note)
    loop.run_until_complete(asyncio.wait_for(fired.wait(), 5))
    clock.cancel_timers()

    assert [thread == threading.get_ident() for thread in threads[:2]] == [on_loop, on_loop]

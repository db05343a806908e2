"""The parts that a trading system is made of, the same in backtest and live."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.system.kernel import NautilusKernel

from actors.kill_switch import Latch
from actors.ledger import Ledger, LedgerConfig
from messages.ledger import BALANCES_TOPIC
from runtime.risk.controls import RiskContext, RiskControls, add_risk_controls
from runtime.setup.load import LoadedSetup


@dataclass(frozen=True)
class SystemParts:
    """The parts that the results are made of; `risk` where the setup has limits."""

    ledger: Ledger
    risk: RiskControls | None


@dataclass(frozen=True)
class SystemContext:
    """
    What the parts need to know of where they run.

    Parameters
    ----------
    instrument_ids : tuple of InstrumentId
        What is traded.
    currency : str
        The currency that everything is valued in.
    leverage : Decimal
        The account's; 1 on spot.
    latch : Latch, optional
        Keeps halts over restarts; a backtest has none.

    """

    instrument_ids: tuple[InstrumentId, ...]
    currency: str
    leverage: Decimal
    latch: Latch | None = None


def add_parts(
    kernel: NautilusKernel,
    loaded: LoadedSetup,
    context: SystemContext,
    wiring: Mapping[int, Mapping[str, Any]] = MappingProxyType({}),
) -> SystemParts:
    """
    Add ledger, risk controls, actors and strategies of a setup to a system that is not started yet.

    Parameters
    ----------
    kernel : NautilusKernel
        The system.
    loaded : LoadedSetup
        The setup.
    context : SystemContext
        Where it runs.
    wiring : mapping
        By index of a strategy: values of the engine's own part of its configuration, which say nothing of its trading.

    """
    setup = loaded.setup
    interval_secs = setup.ledger.interval_secs
    ledger = Ledger(
        LedgerConfig(instrument_ids=context.instrument_ids, currency=context.currency, interval_secs=interval_secs)
    )
    kernel.trader.add_actor(ledger)
    risk = None
    if setup.risk is not None:
        risk_context = RiskContext(context.instrument_ids, context.leverage, interval_secs, context.latch)
        risk = add_risk_controls(kernel, setup.risk, risk_context)
    for actor in loaded.actors:
        kernel.trader.add_actor(actor.build())
    for i, strategy in enumerate(loaded.strategies):
        kernel.trader.add_strategy(strategy.build(**wiring.get(i, {})))
    return SystemParts(ledger, risk)


def announce_balances(kernel: NautilusKernel) -> None:
    """Tell whoever counts balances when a venue has told of them, where they do not change with the fill."""
    msgbus = kernel.msgbus
    msgbus.subscribe("events.account.*", lambda event: msgbus.publish(BALANCES_TOPIC, event.ts_init))

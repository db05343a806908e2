"""
The run's own inputs, given once more to the same strategies, to see whether they decide the same.

Nothing is simulated here. Quotes, trades, timers, the venue's answers, balances, alarms and a person's commands come in
the order and at the times of the recording; what strategies send goes nowhere, since the venue has answered already.
What differs, then, differs in the code, in the machine, or in something that is not recorded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import msgspec
from nautilus_trader.accounting.accounts.cash import CashAccount
from nautilus_trader.accounting.accounts.margin import MarginAccount
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.execution.messages import TradingCommand
from nautilus_trader.model import events
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide
from nautilus_trader.model.events import AccountState
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, StrategyId, TradeId
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.system.kernel import NautilusKernel

from actors.recorder import COMMANDS_ENDPOINT
from data_catalog.run_recordings.importing import instruments_of
from data_catalog.run_recordings.rows import (
    BalancesTold,
    ChargeTold,
    Decided,
    FundingRateSeen,
    FundingTold,
    OrderAnswer,
    OutsideAlarm,
    PersonSaid,
    QuoteSeen,
    RiskState,
    Run,
    Sent,
    TimerFired,
    TradeSeen,
)
from messages.ledger import CHARGE_TOPIC, FUNDING_TOPIC, AccountCharged, FundingPaid
from messages.risk import ALARM_TOPIC, RiskAlarm
from models.risk_state import Trip
from runtime.compare.log import Input, Output, Placed, RunLog
from runtime.compare.replay_clock import ReplayClock, replay_clocks
from runtime.engine import engine_config
from runtime.recording.taps import add_recorder
from runtime.setup.components import QUIET
from runtime.setup.load import LoadedSetup
from runtime.system import SystemContext, add_parts, announce_balances
from runtime.venue.margin import CLOSES, closing_order

_PROCESS_ENDPOINT: Final = "ExecEngine.process"


@dataclass
class Driven:
    """
    What came of it.

    Attributes
    ----------
    outputs : list
        What the strategies did.
    timers_missing : list of str
        Timers that fired in the run and were not set here: component and name.

    """

    outputs: list[Placed[Output]] = field(default_factory=list)
    timers_missing: list[str] = field(default_factory=list)


class ReplayLatch:
    """A person's commands as they were recorded."""

    def __init__(self) -> None:
        self.said: list[PersonSaid] = []
        """What is to be answered when the kill switch looks next."""

    def load(self) -> dict[str, list[Trip]]:
        """Return nothing: a run that was halted does not start."""
        return {}

    def save(self, trips: dict[str, list[Trip]]) -> None:
        """Keep nothing."""

    def resumed(self) -> list[str]:
        """Return what a person resumed then."""
        return [said.scope for said in self._take(resumed=True)]

    def halts_wanted(self) -> dict[str, str]:
        """Return why a person wanted a halt then, by scope."""
        return {said.scope: said.halt for said in self._take(resumed=False) if said.halt is not None}

    def _take(self, *, resumed: bool) -> list[PersonSaid]:
        """Return what was said of one kind, once."""
        taken = [said for said in self.said if said.resumed is resumed]
        self.said = [said for said in self.said if said.resumed is not resumed]
        return taken


def replay_driven(run: Run, log: RunLog, loaded: LoadedSetup) -> Driven:
    """
    Return what the strategies of a setup do when what happened to the run happens to them.

    Parameters
    ----------
    run : Run
        The run's beginning.
    log : RunLog
        What happened to it.
    loaded : LoadedSetup
        The same setup.

    """
    with replay_clocks():
        engine = BacktestEngine(msgspec.structs.replace(engine_config(), trader_id=run.trader_id))
        try:
            return _Replay(engine, run, log, loaded).play()
        finally:
            engine.dispose()


class _Replay:
    def __init__(self, engine: BacktestEngine, run: Run, log: RunLog, loaded: LoadedSetup) -> None:
        self._kernel: NautilusKernel = engine.kernel
        self._run = run
        self._log = log
        self._latch = ReplayLatch()
        self._after = 0
        self._done = Driven()
        self._orders = _OrderNames(log.outputs)
        instruments = instruments_of(run)
        for instrument in instruments:
            self._kernel.cache.add_instrument(instrument)
        ids = tuple(instrument.id for instrument in instruments)
        context = SystemContext(ids, run.currency, Decimal(run.leverage), self._latch)
        wiring = {"oms_type": loaded.setup.backtest.oms_type, **QUIET}
        add_parts(self._kernel, loaded, context, dict.fromkeys(range(len(loaded.strategies)), wiring))
        self._isolate()
        announce_balances(self._kernel)
        add_recorder(self._kernel, run, ids, self._take, commands=_nowhere)
        self._parts = [*self._kernel.trader.actors(), *self._kernel.trader.strategies()]
        self._clocks: dict[str, ReplayClock] = {part.id.value: part.clock for part in self._parts}
        self._feeds: dict[type[Any], Callable[[Any], None]] = {
            QuoteSeen: self._quote,
            TradeSeen: self._trade,
            TimerFired: self._timer,
            OrderAnswer: self._answer,
            BalancesTold: self._balances,
            OutsideAlarm: self._alarm,
            FundingTold: self._funding,
            ChargeTold: self._charge,
            FundingRateSeen: lambda row: None,  # for the free replay: what was paid stands behind it
            PersonSaid: lambda row: None,  # asked for by the timer before it
        }

    def _isolate(self) -> None:
        """Let no command reach an engine, and no event that the engine makes by itself: those are recorded, too."""
        kernel = self._kernel
        kernel.msgbus.deregister(COMMANDS_ENDPOINT, kernel.exec_engine.execute)
        kernel.msgbus.register(COMMANDS_ENDPOINT, _nowhere)
        kernel.msgbus.deregister(_PROCESS_ENDPOINT, kernel.exec_engine.process)
        kernel.msgbus.register(_PROCESS_ENDPOINT, _nowhere)

    def play(self) -> Driven:
        self._set_time(self._run.at)
        for state in self._run.accounts:
            self._open_account(AccountState.from_dict({**state, "info": {}}))
        for part in self._parts:
            if kept := self._run.kept.get(part.id.value):
                part.load({key: value.encode() for key, value in kept.items()})
        self._kernel.start()
        inputs = self._log.inputs
        for number, row in enumerate(inputs):
            self._set_time(row.at)
            if isinstance(row, TimerFired):
                self._latch.said = _said_then(inputs, number)
            self._feeds[type(row)](row)
        return self._done

    def _set_time(self, now_ns: int) -> None:
        self._kernel.clock.set_time(now_ns)
        for clock in self._clocks.values():
            clock.set_time(now_ns)

    def _open_account(self, state: AccountState) -> None:
        """Add an account that computes balances if the run's did; the engine's factory remembers what others do."""
        kind = CashAccount if state.account_type == AccountType.CASH else MarginAccount
        self._kernel.cache.add_account(kind(state, self._run.computes_balances))

    def _take(self, item: Any) -> None:
        if isinstance(item, Decided | Sent | RiskState):
            self._done.outputs.append(Placed(self._after, item))
            if isinstance(item, Sent):
                self._orders.take(item)

    # -- What happens -------------------------------------------------------------------------------------------------

    def _quote(self, row: QuoteSeen) -> None:
        self._after += 1
        prices = (Price.from_str(row.bid), Price.from_str(row.ask))
        sizes = (Quantity.from_str(row.bid_size), Quantity.from_str(row.ask_size))
        instrument_id = InstrumentId.from_str(row.instrument)
        self._kernel.data_engine.process(QuoteTick(instrument_id, *prices, *sizes, row.ts_event, row.ts_init))

    def _trade(self, row: TradeSeen) -> None:
        self._after += 1
        side = AggressorSide.BUYER if row.aggressor == 1 else AggressorSide.SELLER
        values = (Price.from_str(row.price), Quantity.from_str(row.size), side, TradeId(row.trade_id))
        instrument_id = InstrumentId.from_str(row.instrument)
        self._kernel.data_engine.process(TradeTick(instrument_id, *values, row.ts_event, row.ts_init))

    def _timer(self, row: TimerFired) -> None:
        clock = self._clocks.get(row.component)
        if clock is None or not clock.fire(row.name, row.due, row.at):
            self._done.timers_missing.append(f"{row.component} {row.name}")

    def _answer(self, row: OrderAnswer) -> None:
        if row.kind == "OrderSubmitted" and row.event["client_order_id"].startswith(CLOSES):
            self._close(row)
        content = {**row.event, "info": {}, "client_order_id": self._orders.here(row.event["client_order_id"])}
        self._kernel.exec_engine._handle_event(getattr(events, row.kind).from_dict(content))

    def _close(self, row: OrderAnswer) -> None:
        """Add the order by which the venue on paper liquidates a position: no strategy sends it."""
        instrument_id, strategy_id = (row.event[name] for name in ("instrument_id", "strategy_id"))
        held = {"instrument_id": InstrumentId.from_str(instrument_id), "strategy_id": StrategyId(strategy_id)}
        for position in self._kernel.cache.positions_open(**held):
            order = closing_order(position, ClientOrderId(row.event["client_order_id"]), row.at)
            self._kernel.cache.add_order(order, position_id=position.id)

    def _charge(self, row: ChargeTold) -> None:
        self._kernel.msgbus.publish(CHARGE_TOPIC, msgspec.convert(row.charged, AccountCharged))

    def _balances(self, row: BalancesTold) -> None:
        self._kernel.portfolio.update_account(AccountState.from_dict({**row.state, "info": {}}))

    def _alarm(self, row: OutsideAlarm) -> None:
        self._kernel.msgbus.publish(ALARM_TOPIC, msgspec.convert(row.alarm, RiskAlarm))

    def _funding(self, row: FundingTold) -> None:
        self._kernel.msgbus.publish(FUNDING_TOPIC, msgspec.convert(row.paid, FundingPaid))


class _OrderNames:
    """Which order here stands for which of the run: the first for the first of its strategy, and so on."""

    def __init__(self, outputs: Sequence[Placed[Output]]) -> None:
        self._places: dict[str, tuple[str, int]] = {}
        self._here: dict[str, list[str]] = {}
        counts: dict[str, int] = {}
        for placed in outputs:
            row = placed.row
            if isinstance(row, Sent) and row.kind == "submit" and row.order_id is not None:
                counts[row.strategy] = counts.get(row.strategy, 0) + 1
                self._places[row.order_id] = row.strategy, counts[row.strategy] - 1

    def take(self, sent: Sent) -> None:
        if sent.kind == "submit" and sent.order_id is not None:
            self._here.setdefault(sent.strategy, []).append(sent.order_id)

    def here(self, order_id: str) -> str:
        strategy, place = self._places.get(order_id, ("", 0))
        mine = self._here.get(strategy, [])
        return mine[place] if place < len(mine) else order_id


def _said_then(inputs: Sequence[Input], number: int) -> list[PersonSaid]:
    """Return what a person said when a timer's answer asked: it stands right behind the timer."""
    said: list[PersonSaid] = []
    for row in inputs[number + 1 :]:
        if not isinstance(row, PersonSaid):
            break
        said.append(row)
    return said


def _nowhere(message: TradingCommand) -> None:
    """Take a message and do nothing."""

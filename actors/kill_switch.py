"""The kill switch: alarms come in, the state of trading goes out, and a halt stays until a person ends it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal, Protocol

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.identifiers import InstrumentId, StrategyId
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.position import Position

from messages import ACCOUNT, ALARM_TOPIC, RISK_STATE_TOPIC, RiskAlarm, RiskStateChanged
from models.risk_limits import Breach
from models.risk_state import ActionName, RiskMachine, State, Trip

type TradingStateName = Literal["ACTIVE", "REDUCING", "HALTED"]

_CHECK: Final = "kill-switch-check"


class Latch(Protocol):
    """Keeps latched trips over restarts."""

    def load(self) -> dict[str, list[Trip]]:
        """Return the trips that hold, by scope; a file that cannot be read is a trip itself."""

    def save(self, trips: dict[str, list[Trip]]) -> None:
        """Keep the trips that hold, by scope."""


class KillSwitchConfig(ActorConfig, frozen=True, kw_only=True):
    """
    What the kill switch does.

    Parameters
    ----------
    instrument_ids : tuple of InstrumentId
        What is traded.
    actions : dict
        What is done, by rule.
    check_interval_secs : Decimal
        How often it looks whether what it asked for is done, and asks again.
    kill_file : str, optional
        A file whose appearance halts the account.

    """

    instrument_ids: tuple[InstrumentId, ...]
    actions: dict[str, ActionName]
    check_interval_secs: Decimal = Decimal(1)
    kill_file: str | None = None


@dataclass(slots=True)
class Halt:
    """
    A trip and what came of it.

    Parameters
    ----------
    scope : str
        The account or the strategy that it concerns.
    trip : Trip
        The control that fired.
    mids : dict
        The mid of each instrument when it fired; what closing costs is counted from there.
    halted_ns : int, optional
        When all that it asked for was done, UNIX ns; None if that did not come.

    """

    scope: str
    trip: Trip
    mids: dict[str, Decimal]
    halted_ns: int | None = None


class KillSwitch(Actor):
    """
    Leads the account and each strategy from RUNNING over REDUCING to HALTED, as `models.risk_state` has it.

    The order that works with the engine: trading state REDUCING, strategies cancel their own orders and close their
    positions, trading state HALTED once all is flat and no order is open. While that takes, the state is published
    again at each check, and strategies do what is left to do.

    Parameters
    ----------
    config : KillSwitchConfig
        What to do.
    set_trading_state : callable
        Sets the trading state of the engine.
    latch : Latch, optional
        Keeps halts over restarts.

    """

    def __init__(
        self,
        config: KillSwitchConfig,
        set_trading_state: Callable[[TradingStateName], None],
        latch: Latch | None = None,
    ) -> None:
        super().__init__(config)
        self._set_trading_state = set_trading_state
        self._latch = latch
        self._forget()

    def _forget(self) -> None:
        self.machines: dict[str, RiskMachine] = {ACCOUNT: RiskMachine()}
        self.halts: list[Halt] = []

    # -- Life cycle ---------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Take over what held before the restart, and listen to alarms."""
        self.msgbus.subscribe(ALARM_TOPIC, self._on_alarm)
        if self.config.kill_file is not None:
            self._look_again()
        kept = self._latch.load() if self._latch is not None else {}
        for scope, trips in kept.items():
            for trip in trips:
                self._trip(scope, trip)

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    # -- Alarms -------------------------------------------------------------------------------------------------------

    def trip_by_hand(self, reason_code: str = "manual") -> None:
        """Halt the account because a person says so."""
        self._trip(ACCOUNT, self._as_trip(Breach(reason_code, Decimal(1), Decimal(0)), latched=True))

    def resume(self) -> None:
        """End every halt, by the command of a person."""
        for scope, machine in self.machines.items():
            machine.resume()
            self._publish(scope)
        self._save()

    def _on_alarm(self, alarm: RiskAlarm) -> None:
        if alarm.over:
            machine = self.machines.get(alarm.scope)
            if machine is not None and machine.clear(alarm.breach.rule):
                self._publish(alarm.scope)
            return
        self._trip(alarm.scope, self._as_trip(alarm.breach, alarm.latched))

    def _as_trip(self, breach: Breach, latched: bool) -> Trip:
        action = self.config.actions[breach.rule]
        return Trip(self.clock.timestamp_ns(), breach.rule, breach.value, breach.limit, action, latched)

    def _trip(self, scope: str, trip: Trip) -> None:
        machine = self.machines.setdefault(scope, RiskMachine())
        if not machine.trip(trip):
            return
        self.log.error(f"{scope}: {trip.rule} was {trip.value}, the limit is {trip.limit}: {trip.action}")
        self.halts.append(Halt(scope, trip, self._mids()))
        self._save()
        if trip.action != "warn":
            self._publish(scope)
            self._settle(scope, machine)
            if machine.state is State.REDUCING:
                self._look_again()

    def _mids(self) -> dict[str, Decimal]:
        quotes = {name.value: self.cache.quote_tick(name) for name in self.config.instrument_ids}
        return {
            name: (quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2
            for name, quote in quotes.items()
            if quote is not None
        }

    # -- On the way to a halt -----------------------------------------------------------------------------------------

    def _look_again(self) -> None:
        """Keep a timer while there is something to wait for: every timer costs, whatever it does."""
        if _CHECK not in self.clock.timer_names:
            interval = timedelta(seconds=float(self.config.check_interval_secs))
            self.clock.set_timer(_CHECK, interval, callback=self._on_check)

    def _on_check(self, event: TimeEvent) -> None:
        kill_file = self.config.kill_file
        if kill_file is not None and Path(kill_file).exists():
            self.trip_by_hand()
        waiting = False
        for scope, machine in self.machines.items():
            if machine.state is State.REDUCING and machine.action != "stop_quoting":
                self._settle(scope, machine)
                if machine.state is State.REDUCING:
                    waiting = True
                    self._publish(scope)
        if not waiting and kill_file is None and _CHECK in self.clock.timer_names:
            self.clock.cancel_timer(_CHECK)

    def _settle(self, scope: str, machine: RiskMachine) -> None:
        strategy_id = None if scope == ACCOUNT else StrategyId(scope)
        open_orders = self.cache.orders_open_count(strategy_id=strategy_id)
        in_flight = self.cache.orders_inflight_count(strategy_id=strategy_id)
        flat = all(self._is_dust(position) for position in self.cache.positions_open(strategy_id=strategy_id))
        if machine.settle(flat, orders_open=bool(open_orders + in_flight)):
            for halt in self.halts:
                if halt.scope == scope and halt.halted_ns is None and halt.trip.action != "warn":
                    halt.halted_ns = self.clock.timestamp_ns()
            self._publish(scope)

    def _is_dust(self, position: Position) -> bool:
        """Return whether a position is too small for any order; only spot leaves such, as fees in the base asset."""
        instrument = self.cache.instrument(position.instrument_id)
        held = abs(position.signed_decimal_qty())
        if held < instrument.size_increment.as_decimal():
            return True
        if not isinstance(instrument, CurrencyPair) or instrument.min_notional is None:
            return False
        quote = self.cache.quote_tick(position.instrument_id)
        return quote is not None and held * quote.bid_price.as_decimal() < instrument.min_notional.as_decimal()

    def _publish(self, scope: str) -> None:
        machine = self.machines[scope]
        if scope == ACCOUNT:
            self._set_trading_state(_TRADING_STATES[machine.state])
        cause = machine.cause
        change = RiskStateChanged(
            ts_ns=self.clock.timestamp_ns(),
            scope=scope,
            state=machine.state.value,
            action=machine.action,
            cause=None if cause is None else Breach(cause.rule, cause.value, cause.limit),
        )
        self.msgbus.publish(RISK_STATE_TOPIC, change)

    def _save(self) -> None:
        if self._latch is not None:
            self._latch.save({scope: list(machine.latched) for scope, machine in self.machines.items()})


_TRADING_STATES: Final[dict[State, TradingStateName]] = {
    State.RUNNING: "ACTIVE",
    State.REDUCING: "REDUCING",
    State.HALTED: "HALTED",
}

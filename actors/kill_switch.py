"""The kill switch: alarms come in, the state of trading goes out, and a halt stays until a person ends it."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, Literal, Protocol

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.model.identifiers import InstrumentId, StrategyId

from messages.risk import ACCOUNT, ALARM_TOPIC, RESUMED_TOPIC, RISK_STATE_TOPIC, RiskAlarm, RiskStateChanged
from models.risk_limits import Breach
from models.risk_state import ActionName, RiskMachine, State, Trip

type TradingStateName = Literal["ACTIVE", "REDUCING", "HALTED"]

_CHECK: Final = "kill-switch-check"
_NOW: Final = "kill-switch-now"


class Latch(Protocol):
    """Keeps trips over restarts, and brings what a person commands."""

    def load(self) -> dict[str, list[Trip]]:
        """Return the trips that hold, by scope; a file that cannot be read is a trip itself."""

    def save(self, trips: dict[str, list[Trip]]) -> None:
        """Keep the trips that hold, by scope."""

    def resumed(self) -> list[str]:
        """Return what a person has resumed since this was asked last: `ACCOUNT` for everything, or a strategy."""

    def halts_wanted(self) -> dict[str, str]:
        """Return why a person wants trading halted, by scope: the account, or a strategy."""


class Engine(Protocol):
    """What the kill switch does to the engine."""

    def set_trading_state(self, name: TradingStateName) -> None:
        """Set the trading state."""

    def knows(self, strategy: str) -> bool:
        """Return whether there is such a strategy."""

    def is_flat(self, strategy: str | None) -> bool:
        """Return whether a strategy, or all of them, hold nothing that can be closed."""

    def enforce(self, strategy: str, action: ActionName) -> None:
        """Do for a strategy what it has not done of itself: cancel its orders, close its positions."""


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
        How often it looks whether what it asked for is done, and whether a person commands something.

    """

    instrument_ids: tuple[InstrumentId, ...]
    actions: dict[str, ActionName]
    check_interval_secs: Decimal = Decimal(1)


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
    ended_ns : int, optional
        When it ended, UNIX ns; None while it holds.

    """

    scope: str
    trip: Trip
    mids: dict[str, Decimal]
    halted_ns: int | None = None
    ended_ns: int | None = None


class KillSwitch(Actor):
    """
    Leads the account and each strategy from RUNNING over REDUCING to HALTED, as `models.risk_state` has it.

    The order that works with the engine: trading state REDUCING, own orders cancelled, positions closed, trading state
    HALTED once all is flat and no order is open. Strategies hear the state first and do it their way; at each check,
    what they have left undone is done for them, so that a strategy that knows nothing of risk ends the same.

    Parameters
    ----------
    config : KillSwitchConfig
        What to do.
    engine : Engine
        Carries it out.
    latch : Latch, optional
        Keeps halts over restarts, and brings a person's commands.

    """

    def __init__(self, config: KillSwitchConfig, engine: Engine, latch: Latch | None = None) -> None:
        super().__init__(config)
        self._engine = engine
        self._latch = latch
        self._forget()

    def _forget(self) -> None:
        self.machines: dict[str, RiskMachine] = {ACCOUNT: RiskMachine()}
        self.halts: list[Halt] = []

    # -- Life cycle ---------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Take over what held before the restart, and listen to alarms and to a person."""
        self.msgbus.subscribe(ALARM_TOPIC, self._on_alarm)
        if self._latch is None:
            return
        now_ns = self.clock.timestamp_ns()
        for scope, trips in self._latch.load().items():
            for trip in trips:
                if trip.until_ns is None or trip.until_ns > now_ns:
                    self._trip(scope, trip)
        self._obey_a_person(self._latch)
        self._look_again()

    def on_reset(self) -> None:
        """Forget everything, so that the next run starts like the first."""
        self._forget()

    # -- A person -----------------------------------------------------------------------------------------------------

    def trip_by_hand(self, reason: str, scope: str = ACCOUNT) -> None:
        """Halt the account or a strategy because a person says so; a strategy that is not known halts everything."""
        if scope != ACCOUNT and not self._engine.knows(scope):
            reason = f'"{scope}" is no strategy of this system, so all of it halts: {reason}'
            scope = ACCOUNT
        action = self.config.actions["manual"]
        self._trip(scope, Trip(self.clock.timestamp_ns(), "manual", Decimal(1), Decimal(0), action, reason=reason))

    def resume(self, scope: str = ACCOUNT) -> None:
        """
        End every halt that is kept, or those of one strategy, by the command of a person.

        Where all are ended, watches arm their limits anew. Where one strategy's are, nothing changes for the account:
        the strategy's stops begin with its next position, and its breakers with empty windows.
        """
        for name, machine in self.machines.items():
            ended = machine.resume() if scope in (ACCOUNT, name) else ()
            if ended:
                self.log.warning(f"{name}: resumed by a person")
                self._end(name, {trip.rule for trip in ended})
                self._publish(name)
        self._save()
        self.msgbus.publish(RESUMED_TOPIC, scope)

    def _obey_a_person(self, latch: Latch) -> None:
        for scope in latch.resumed():
            self.resume(scope)
        for scope, reason in latch.halts_wanted().items():
            self.trip_by_hand(reason, scope)

    # -- Alarms -------------------------------------------------------------------------------------------------------

    def _on_alarm(self, alarm: RiskAlarm) -> None:
        rule = alarm.breach.rule
        if alarm.over:
            self._clear(alarm.scope, rule)
            return
        value, limit, action = alarm.breach.value, alarm.breach.limit, self.config.actions[rule]
        trip = Trip(self.clock.timestamp_ns(), rule, value, limit, action, alarm.latched, alarm.until_ns)
        self._trip(alarm.scope, trip)

    def _clear(self, scope: str, rule: str) -> None:
        machine = self.machines.get(scope)
        if machine is not None and machine.clear(rule):
            self._end(scope, {rule})
            self._publish(scope)
            self._save()

    def _end(self, scope: str, rules: set[str]) -> None:
        for halt in self.halts:
            if halt.scope == scope and halt.trip.rule in rules and halt.ended_ns is None:
                halt.ended_ns = self.clock.timestamp_ns()

    def _trip(self, scope: str, trip: Trip) -> None:
        machine = self.machines.setdefault(scope, RiskMachine())
        if not machine.trip(trip):
            return
        found = Breach(trip.rule, trip.value, trip.limit)
        self.log.error(f"{scope}: {found}: {trip.action} {trip.reason}")
        self.halts.append(Halt(scope, trip, self._mids()))
        if machine.state is State.HALTED:
            self.halts[-1].halted_ns = trip.ts_ns
        if trip.action != "warn":
            self._publish(scope)
            self._look_now()
        if trip.until_ns is not None:
            self._end_by_itself(scope, trip.rule, trip.until_ns)
        self._save()

    def _end_by_itself(self, scope: str, rule: str, until_ns: int) -> None:
        name = f"kill-switch-until-{scope}-{rule}-{until_ns}"
        if name not in self.clock.timer_names:
            self.clock.set_time_alert_ns(name, until_ns, lambda _: self._clear(scope, rule))

    def _mids(self) -> dict[str, Decimal]:
        quotes = {name.value: self.cache.quote_tick(name) for name in self.config.instrument_ids}
        return {
            name: (quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2
            for name, quote in quotes.items()
            if quote is not None
        }

    # -- On the way to a halt -----------------------------------------------------------------------------------------

    def _look_now(self) -> None:
        """Look once the event that tripped is done with: until then, the engine's positions may not count its fill."""
        if _NOW not in self.clock.timer_names:
            self.clock.set_time_alert_ns(_NOW, self.clock.timestamp_ns(), self._on_check)
        self._look_again()

    def _look_again(self) -> None:
        """Keep a timer while there is something to wait for: every timer costs, whatever it does."""
        if _CHECK not in self.clock.timer_names:
            interval = timedelta(seconds=float(self.config.check_interval_secs))
            self.clock.set_timer(_CHECK, interval, callback=self._on_check)

    def _on_check(self, event: TimeEvent) -> None:
        if self._latch is not None:
            self._obey_a_person(self._latch)
        for scope, machine in list(self.machines.items()):
            if machine.state is State.REDUCING:
                self._lead_on(scope, machine)
        waiting = any(machine.state is State.REDUCING for machine in self.machines.values())
        if not waiting and self._latch is None and _CHECK in self.clock.timer_names:
            self.clock.cancel_timer(_CHECK)

    def _lead_on(self, scope: str, machine: RiskMachine) -> None:
        if self._settle(scope, machine):
            return
        if machine.action != "stop_quoting":
            self._publish(scope)
        strategies = [scope] if scope != ACCOUNT else sorted(known.value for known in self.cache.strategy_ids())
        for strategy in strategies:
            self._engine.enforce(strategy, machine.action)

    def _settle(self, scope: str, machine: RiskMachine) -> bool:
        strategy = None if scope == ACCOUNT else scope
        if not machine.settle(self._engine.is_flat(strategy), orders_open=self._has_orders(strategy)):
            return False
        for halt in self.halts:
            if halt.scope == scope and halt.halted_ns is None and halt.trip.action != "warn":
                halt.halted_ns = self.clock.timestamp_ns()
        self._publish(scope)
        return True

    def _has_orders(self, strategy: str | None) -> bool:
        cache, strategy_id = self.cache, None if strategy is None else StrategyId(strategy)
        counts = (cache.orders_open_count, cache.orders_inflight_count, cache.orders_emulated_count)
        return any(count(strategy_id=strategy_id) for count in counts)

    # -- What others get to know --------------------------------------------------------------------------------------

    def _publish(self, scope: str) -> None:
        machine = self.machines[scope]
        self._engine.set_trading_state(self._trading_state())
        cause = machine.cause
        change = RiskStateChanged(
            ts_ns=self.clock.timestamp_ns(),
            scope=scope,
            state=machine.state.value,
            action=machine.action,
            cause=None if cause is None else Breach(cause.rule, cause.value, cause.limit),
        )
        self.msgbus.publish(RISK_STATE_TOPIC, change)

    def _trading_state(self) -> TradingStateName:
        """Return the engine's state: the account's, but that a halted account lets a strategy's position be closed."""
        state = self.machines[ACCOUNT].state
        closing = any(
            machine.state is State.REDUCING and machine.action in ("flatten", "flatten_passively")
            for machine in self.machines.values()
        )
        return "REDUCING" if state is State.HALTED and closing else _TRADING_STATES[state]

    def _save(self) -> None:
        """Keep the halts; where that fails, what is halted stays halted until the process ends."""
        if self._latch is None:
            return
        try:
            self._latch.save({scope: list(machine.kept) for scope, machine in self.machines.items()})
        except OSError as error:
            self.log.error(f"the halts could not be kept over a restart: {error}")


_TRADING_STATES: Final[dict[State, TradingStateName]] = {
    State.RUNNING: "ACTIVE",
    State.REDUCING: "REDUCING",
    State.HALTED: "HALTED",
}

"""One look at a running system: made on the thread that trades, of what its parts already know."""

import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from messages.views import View
from models.risk_state import RiskMachine, State
from runtime.live.node import LiveSystem
from runtime.live.stopping import Ending
from runtime.live.user_stream import hears_events
from runtime.live.web import quotes, reasons, views
from runtime.live.web.equity_trail import EquityTrail
from runtime.live.web.event_tail import EventTail
from runtime.live.web.limits import Look, limit_rows
from runtime.live.web.money import money_of
from runtime.live.web.state import (
    PAPER,
    Controls,
    Limit,
    Market,
    Reason,
    Recording,
    Refusal,
    RiskScope,
    Run,
    Status,
)
from runtime.live.web.state import State as Snapshot
from runtime.risk.settings import RiskSettings

_MS_NS: Final = 1_000_000


def no_recording() -> Recording | None:
    """Return nothing: the run does not record."""
    return None


class Observer:
    """
    Looks at one run.

    Parameters
    ----------
    run : Run
        What is traded where.
    settings : RiskSettings, optional
        The limits.
    controls : Controls
        What the page may do.
    told : callable
        Returns what the user was told last: when, in UNIX ms, and what.
    recording : callable
        Returns what is recorded; None for nothing.

    """

    def __init__(
        self,
        run: Run,
        settings: RiskSettings | None,
        controls: Controls,
        told: Callable[[], Iterable[tuple[int, str]]],
        recording: Callable[[], Recording | None] = no_recording,
    ) -> None:
        self._run = run
        self._settings = settings
        self._controls = controls
        self._told = told
        self._recording = recording
        self._trail = EquityTrail()
        self._parts: tuple[LiveSystem, Ending, EventTail] | None = None

    def attach(self, system: LiveSystem, ending: Ending) -> None:
        """Begin to listen to a system; call it before the system starts."""
        self._parts = system, ending, EventTail(system.node.kernel.msgbus)

    def look(self) -> Snapshot:
        """Return everything at this moment."""
        started = time.perf_counter()
        if self._parts is None:
            return self._bare("STARTING", Reason(reason="starting", text="connecting"), started)
        system, ending, _ = self._parts
        if ending.started is not None:
            return self._whole("STOPPING", [Reason(reason="stopping", text=f"stopping: {ending.reason}")], started)
        if not system.node.trader.is_running:
            return self._bare("STARTING", Reason(reason="starting", text="connecting and comparing books"), started)
        return self._whole(None, [], started)

    def _bare(self, status: Status, reason: Reason, started: float) -> Snapshot:
        events = [] if self._parts is None else self._parts[2].last(self._told())
        return Snapshot(
            time_ms=time.time_ns() // _MS_NS,
            run=self._run,
            status=status,
            why_not=[reason],
            events=events,
            controls=self._controls,
            made_in_us=_microseconds_since(started),
        )

    def _whole(self, status: Status | None, why_not: list[Reason], started: float) -> Snapshot:
        assert self._parts is not None
        system, _, tail = self._parts
        cache, now_ns = system.node.cache, system.node.kernel.clock.timestamp_ns()
        markets = {
            instrument_id.value: quotes.market_of(cache, instrument_id, system.ledger, now_ns)
            for instrument_id in system.instrument_ids
        }
        orders = [quotes.open_order(order, now_ns) for order in quotes.orders_of(cache)]
        strategies, actors = system.node.trader.strategies(), system.node.trader.actors()
        said, signals = views.views_of(strategies), views.views_of(actors)
        money = money_of(system.ledger, _mids(markets))
        connections = _connections(system, on_paper=self._run.label == PAPER)
        self._trail.follow(system.ledger.equity_curve)
        kill_switch = None if system.risk is None else system.risk.kill_switch
        account = reasons.account_state(kill_switch)
        return Snapshot(
            time_ms=now_ns // _MS_NS,
            run=self._run,
            status=status or reasons.status_of(account, [said.get(each.id.value) for each in strategies]),
            why_not=why_not or self._why_not(system, [*said.values(), *signals.values()], markets, connections, now_ns),
            money=money,
            equity=list(self._trail.stretches),
            strategies=[
                views.strategy_of(each, said.get(each.id.value), orders, markets, system.ledger) for each in strategies
            ],
            signals=[
                views.strategy_of(each, signals[each.id.value], orders, markets, system.ledger)
                for each in actors
                if each.id.value in signals
            ],
            markets=list(markets.values()),
            orders=orders[: quotes.MOST_ORDERS],
            orders_left_out=max(0, len(orders) - quotes.MOST_ORDERS),
            limits=self._limits(system, markets, None if money is None else money.equity),
            risk=[] if kill_switch is None else [_scope(*item) for item in kill_switch.machines.items()],
            refusals=_refusals(system),
            events=tail.last(self._told()),
            connections=connections,
            recording=self._recording(),
            controls=self._controls,
            made_in_us=_microseconds_since(started),
        )

    def _why_not(
        self,
        system: LiveSystem,
        said: list[View],
        markets: dict[str, Market],
        connections: dict[str, bool],
        now_ns: int,
    ) -> list[Reason]:
        by_risk = [] if system.risk is None else reasons.risk_reasons(system.risk.kill_switch)
        rules = [reason.reason for reason in by_risk]
        max_age = None if self._settings is None else self._settings.max_data_age_secs
        ages = {name: market.age_secs for name, market in markets.items()}
        found = [*by_risk, *reasons.connection_reasons(connections, rules)]
        found += reasons.market_reasons(ages, None if max_age is None else float(max_age))
        refusals = {} if system.risk is None else system.risk.guard.refusals
        own = [reasons.own_reasons(view, refusals, now_ns, found) for view in said]
        return [*found, *(reason for each in own for reason in each)]

    def _limits(self, system: LiveSystem, markets: dict[str, Market], equity: Decimal | None) -> list[Limit]:
        if system.risk is None or self._settings is None:
            return []
        ages = {name: market.age_secs for name, market in markets.items() if market.age_secs is not None}
        look = Look(system.risk.guard, _mids(markets), ages, equity, list(system.node.trader.actors()))
        return limit_rows(self._settings, look)


def _microseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1e6, 1)


def _mids(markets: dict[str, Market]) -> dict[str, Decimal]:
    return {name: market.mid for name, market in markets.items() if market.mid is not None}


def _connections(system: LiveSystem, *, on_paper: bool) -> dict[str, bool]:
    stand = {"market data": bool(system.node.kernel.data_engine.check_connected())}
    if not on_paper:
        stand["account events"] = hears_events(system.exec_client)
    return stand


def _scope(scope: str, machine: RiskMachine) -> RiskScope:
    cause = machine.cause if machine.state is not State.RUNNING else None
    return RiskScope(
        scope=scope,
        state=machine.state.value,
        action=machine.action,
        rule=None if cause is None else cause.rule,
        value=None if cause is None else cause.value,
        limit=None if cause is None else cause.limit,
        reason="" if cause is None else cause.reason,
        since_ms=None if cause is None else cause.ts_ns // _MS_NS,
        until_ms=None if cause is None or cause.until_ns is None else cause.until_ns // _MS_NS,
        latched=cause is not None and cause.latched,
    )


def _refusals(system: LiveSystem) -> list[Refusal]:
    if system.risk is None:
        return []
    return [
        Refusal(
            rule=rule,
            strategy=strategy,
            count=known.count,
            last_ms=known.last_ns // _MS_NS,
            value=known.value,
            limit=known.limit,
        )
        for (rule, strategy), known in sorted(system.risk.guard.refusals.items())
    ]

"""What the risk actors did, for summary.json and the exit status."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from actors.kill_switch import Halt
from actors.ledger import Ledger
from messages.risk import ACCOUNT
from models.risk_state import State
from runtime.risk.controls import RiskControls


def risk_state(controls: RiskControls) -> State:
    """
    Return the state at the end: that of the account.

    While the account goes on, a strategy that was reduced or halted counts as REDUCING.
    """
    states = {scope: machine.state for scope, machine in controls.kill_switch.machines.items()}
    if states[ACCOUNT] is not State.RUNNING:
        return states[ACCOUNT]
    return State.RUNNING if set(states.values()) == {State.RUNNING} else State.REDUCING


def stopped_by_risk(controls: RiskControls) -> bool:
    """Return whether a control that holds over a restart has stopped the account or a strategy."""
    machines = controls.kill_switch.machines.values()
    return any(trip.action != "stop_quoting" for machine in machines for trip in machine.kept)


def risk_summary(controls: RiskControls, ledger: Ledger) -> dict[str, Any]:
    """Return the `risk` part of the summary: state, halts, and refusals by rule and strategy with the first of each."""
    return {
        "state": risk_state(controls).value,
        "halts": [_halt(halt, ledger) for halt in controls.kill_switch.halts],
        "refusals": [
            {
                "rule": rule,
                "strategy": strategy,
                "instrument": refusal.instrument,
                "count": refusal.count,
                "first": precise_time(refusal.ts_ns),
                "last": precise_time(refusal.last_ns),
                "value": float(refusal.value),
                "limit": float(refusal.limit),
            }
            for (rule, strategy), refusal in sorted(controls.guard.refusals.items())
        ],
    }


def _halt(halt: Halt, ledger: Ledger) -> dict[str, Any]:
    trip = halt.trip
    row: dict[str, Any] = {
        "time": precise_time(trip.ts_ns),
        "scope": halt.scope,
        "rule": trip.rule,
        "value": float(trip.value),
        "limit": float(trip.limit),
        "action": trip.action,
        "latched": trip.latched,
        "halted_after_s": None if halt.halted_ns is None else (halt.halted_ns - trip.ts_ns) / 1e9,
        "cost": float(_cost(halt, ledger)),
    }
    if trip.reason:
        row["reason"] = trip.reason
    if halt.halted_ns is None:
        row["halted_after_s_why"] = "it only warned" if trip.action == "warn" else "it did not come to a halt"
    return row


def _cost(halt: Halt, ledger: Ledger) -> Decimal:
    """Return what closing at the market cost against the mid at the trip: half the spread, slippage and fees."""
    if halt.trip.action != "flatten":
        return Decimal(0)
    last_ns = ledger.equity_curve[-1].ts_ns if halt.halted_ns is None else halt.halted_ns
    closing = [
        fill
        for fill in ledger.fills
        if fill.liquidity == "TAKER"
        and halt.trip.ts_ns <= fill.ts_ns <= last_ns
        and halt.scope in (ACCOUNT, fill.strategy)
    ]
    return sum(
        (fill.fee + fill.sign * fill.quantity * (fill.price - halt.mids[fill.instrument]) for fill in closing),
        Decimal(0),
    )


def precise_time(time_ns: int) -> str:
    """Return a UNIX time in ns as ISO 8601 with microseconds."""
    seconds, nanos = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos // 1000:06d}Z"

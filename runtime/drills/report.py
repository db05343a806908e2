"""What came of a drill, for summary.json and everything that is made of it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from actors.kill_switch import Halt
from actors.ledger_records import FillRecord
from messages.risk import ACCOUNT
from models.risk_limits import Breach
from runtime.backtest import BacktestRun
from runtime.drills.drill import Drill
from runtime.drills.faults import LOSS_RULES, Fault
from runtime.risk.report import precise_time

_CLOSING = ("flatten", "flatten_passively")


def drill_summary(run: BacktestRun, drill: Drill) -> dict[str, Any]:
    """Return the `drill` part of the summary: the fault, each control that answered and when, and what it cost."""
    fault = drill.fault
    controls = [*_halted(run, drill), *_refused(drill)]
    controls.sort(key=lambda row: (row["after_s"], row["rule"]))
    should = [rule for rule in fault.kind.answers if _is_set(run, rule)]
    answered = [row["rule"] for row in controls if row["rule"] in should]
    false_alarms = sorted({row["rule"] for row in controls if row["rule"] in LOSS_RULES})
    if fault.kind.name != "price-spike":
        false_alarms = []
    summary: dict[str, Any] = {
        **fault_summary(fault),
        "sentence": fault.sentence,
        "chosen": list(drill.chosen),
        "answered": bool(answered),
        "verdict": _verdict(run, drill, should, answered, false_alarms),
        "should_answer": should,
        "false_alarms": false_alarms,
        "controls": controls,
    }
    return summary | _flatten(run, drill) | _equity(run, drill)


def fault_summary(fault: Fault) -> dict[str, Any]:
    """Return the fault with everything that was chosen: what it takes to bring it about again."""
    at = {"fault": fault.kind.name, "at": precise_time(fault.at_ns), "instruments": sorted(fault.instruments)}
    return at | fault.settings


def _is_set(run: BacktestRun, rule: str) -> bool:
    risk = run.prepared.loaded.setup.risk
    return risk is not None and (rule == "equity_unknown" or getattr(risk, rule, None) is not None)


def _halts(run: BacktestRun, drill: Drill) -> list[Halt]:
    halts = [] if run.risk is None else run.risk.kill_switch.halts
    return [halt for halt in halts if drill.fault.at_ns <= halt.trip.ts_ns <= drill.watched_until_ns]


def _halted(run: BacktestRun, drill: Drill) -> Iterable[dict[str, Any]]:
    first: dict[tuple[str, str], Halt] = {}
    for halt in _halts(run, drill):
        first.setdefault((halt.trip.rule, halt.scope), halt)
    for halt in first.values():
        trip = halt.trip
        row = _fired(drill, trip.ts_ns, halt.scope, Breach(trip.rule, trip.value, trip.limit))
        resumed = (ns for ns, scope in drill.recorder.resumed if scope == halt.scope and ns > trip.ts_ns)
        yield row | {
            "action": trip.action,
            "latched": trip.latched,
            "halted_after_s": _since(drill, halt.halted_ns),
            "resumed_after_s": _since(drill, next(resumed, None)),
        }


def _refused(drill: Drill) -> Iterable[dict[str, Any]]:
    for first in drill.recorder.refused.values():
        row = _fired(drill, first.ts_ns, first.strategy, first.breach)
        yield row | {"action": "refuse", "refusals": first.count}


def _since(drill: Drill, ts_ns: int | None) -> float | None:
    return None if ts_ns is None else (ts_ns - drill.fault.at_ns) / 1e9


def _fired(drill: Drill, ts_ns: int, scope: str, breach: Breach) -> dict[str, Any]:
    return {
        "rule": breach.rule,
        "scope": scope,
        "fired_at": precise_time(ts_ns),
        "after_s": _since(drill, ts_ns),
        "after_events": drill.market.events_until(ts_ns),
        "value": float(breach.value),
        "limit": float(breach.limit),
    }


def _verdict(run: BacktestRun, drill: Drill, should: list[str], answered: list[str], false_alarms: list[str]) -> str:
    if false_alarms:
        return f"False alarm: {', '.join(false_alarms)} fired on one bad price; ask for drawdown_confirmations."
    if answered:
        return f"{answered[0]} answered first."
    before = [] if run.risk is None else [h for h in run.risk.kill_switch.halts if h.trip.ts_ns < drill.fault.at_ns]
    if any(halt.trip.latched and halt.trip.action != "warn" for halt in before):
        why = f"{before[0].trip.rule} had halted trading before the fault"
    elif run.prepared.loaded.setup.risk is None:
        why = "the setup has no risk controls"
    elif not should:
        why = f"the setup sets none of {', '.join(drill.fault.kind.answers)}"
    elif drill.fault.kind.name == "price-spike":
        return "No control had to answer: no order was sent beyond the price collar, and nothing halted."
    elif drill.fault.kind.name == "reject-storm":
        why = f"the venue refused {drill.recorder.refused_by_venue} orders, and that is within {should[0]}"
    else:
        why = f"the fault stayed within {', '.join(should)}"
    return f"No control answered: {why}."


# -- Closing ----------------------------------------------------------------------------------------------------------


def _flatten(run: BacktestRun, drill: Drill) -> dict[str, Any]:
    """Return when what was traded was closed, and what that cost against the mid when the control fired."""
    closing = [halt for halt in _halts(run, drill) if halt.trip.action in _CLOSING]
    if not closing:
        why = "no control asked for closing"
        return {"flat_at": None, "flat_at_why": why, "flat_after_s": None, "flatten_cost": None}
    last_ns = run.ledger.equity_curve[-1].ts_ns
    cost, flat_ns = Decimal(0), closing[0].trip.ts_ns
    for fill in run.ledger.fills:
        halt = next((halt for halt in closing if _closes(halt, fill, last_ns)), None)
        if halt is not None:
            flat_ns = max(flat_ns, fill.ts_ns)
            if fill.liquidity == "TAKER":
                cost += fill.fee + fill.sign * fill.quantity * (fill.price - halt.mids[fill.instrument])
    if all(halt.halted_ns is None for halt in closing):
        why = "not all was closed before the end of the data"
        return {"flat_at": None, "flat_at_why": why, "flat_after_s": None, "flatten_cost": float(cost)}
    return {"flat_at": precise_time(flat_ns), "flat_after_s": _since(drill, flat_ns), "flatten_cost": float(cost)}


def _closes(halt: Halt, fill: FillRecord, last_ns: int) -> bool:
    until_ns = last_ns if halt.halted_ns is None else halt.halted_ns
    return halt.trip.ts_ns <= fill.ts_ns <= until_ns and halt.scope in (ACCOUNT, fill.strategy)


def _equity(run: BacktestRun, drill: Drill) -> dict[str, Any]:
    """Return the equity before the fault and its lowest after, and what strategies had traded and held."""
    at_ns, ledger = drill.fault.at_ns, run.ledger
    before = [point.equity for point in ledger.equity_curve if point.ts_ns < at_ns]
    after = [point.equity for point in ledger.equity_curve if at_ns <= point.ts_ns <= drill.watched_until_ns]
    held: dict[str, Decimal] = {}
    for fill in ledger.fills:
        if fill.ts_ns < at_ns:
            held[fill.instrument] = held.get(fill.instrument, Decimal(0)) + fill.sign * fill.quantity
    return {
        "traded_at_fault": {name: float(quantity) for name, quantity in held.items()},
        "equity_at_fault": float(before[-1]) if before else None,
        "lowest_equity": float(min(after)) if after else None,
    }

"""What a lookahead check found, as JSON."""

from typing import Any

from nautilus_trader.core.datetime import unix_nanos_to_iso8601

from models.decision_traces import Difference
from reports.lookahead import verdict, warm_up_lines
from runtime.lookahead.check import Comparison, LookaheadCheck, WarmUp

_NS = 1e9


def as_document(check: LookaheadCheck) -> dict[str, Any]:
    """Return what was found as JSON types; times are ISO 8601."""
    kinds = {comparison.kind for comparison in check.comparisons if not comparison.same}
    return {
        "setup": check.setup,
        "start": _iso(check.start_ns),
        "end": _iso(check.end_ns),
        "passed": check.passed,
        "verdict": verdict(check.passed, check.decisions, set(kinds)),
        "decisions": check.decisions,
        "reruns": [_comparison(comparison) for comparison in check.comparisons],
        "warm_up": _warm_up(check.warm_up),
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "kind": comparison.kind,
        "until": _iso(comparison.until_ns),
        "decisions": comparison.decisions,
        "outputs": comparison.outputs,
        "first_decision_difference": _difference(comparison.difference),
        "first_output_difference": _difference(comparison.output_difference),
        "error": comparison.error,
    }


def _difference(found: Difference | None) -> dict[str, str] | None:
    return None if found is None else {"time": _iso(found.ts_ns), "run": found.ours, "rerun": found.theirs}


def _warm_up(found: WarmUp) -> dict[str, Any]:
    outputs = None
    if found.outputs_after_ns is not None and found.outputs_after_events is not None:
        outputs = (found.outputs_after_ns / _NS, found.outputs_after_events)
    decisions = None if found.decisions_after_ns is None else found.decisions_after_ns / _NS
    start = _iso(found.start_ns)
    return {
        "start": start,
        "outputs_same_after_secs": None if outputs is None else outputs[0],
        "outputs_same_after_events": None if outputs is None else outputs[1],
        "decisions_same_after_secs": decisions,
        "error": found.error,
        "told": [f"Warm-up: no run from a later start: {found.error}"]
        if found.error
        else warm_up_lines(start, found.has_outputs, outputs, decisions),
    }


def _iso(time_ns: int) -> str:
    return str(unix_nanos_to_iso8601(time_ns))

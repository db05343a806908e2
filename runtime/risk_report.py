"""What the risk actors did, for summary.json."""

from datetime import UTC, datetime
from typing import Any

from runtime.risk import RiskControls


def risk_summary(controls: RiskControls) -> dict[str, Any]:
    """Return the `risk` part of the summary: refusals by rule, each with its first example."""
    return {
        "refusals": {
            rule: {
                "count": refusal.count,
                "first": {
                    "time": precise_time(refusal.ts_ns),
                    "strategy": refusal.strategy,
                    "instrument": refusal.instrument,
                    "rule": rule,
                    "value": float(refusal.value),
                    "limit": float(refusal.limit),
                },
            }
            for rule, refusal in sorted(controls.guard.refusals.items())
        },
    }


def precise_time(time_ns: int) -> str:
    """Return a UNIX time in ns as ISO 8601 with microseconds."""
    seconds, nanos = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos // 1000:06d}Z"

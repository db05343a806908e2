"""How a live run ends: what is written, and the exit status."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nautilus_trader.model.instruments import CryptoPerpetual, Instrument

from reports.figures import Summary
from reports.liquidation import liquidation_line
from reports.summary import RunFacts
from runtime.live.node import LiveSystem
from runtime.live.pace import Pace
from runtime.live.prepare import PreparedLive
from runtime.live.run_folder import RunFolder
from runtime.live.sweep import Swept
from runtime.market_data import iso_time
from runtime.results import liquidation_facts, versions, write_books
from runtime.risk.report import risk_summary, stopped_by_risk
from runtime.venue.fills import FILL_ASSUMPTIONS
from runtime.venue.funding import FundingPlan, funding_sources
from runtime.venue.margin import Liquidation, refused_for_margin

_SECOND_NS = 1_000_000_000
DONE = 0
FAILED = 1
STOPPED_BY_RISK = 3
LEFT_ON_VENUE = 4


@dataclass(frozen=True)
class RunTimes:
    """When a run began, UNIX ns and on the monotonic clock."""

    start_ns: int
    monotonic: float

    @classmethod
    def now(cls, pace: Pace) -> "RunTimes":
        """Return the present."""
        return cls(pace.now_ns(), time.monotonic())


def exit_status(swept: Swept, system: LiveSystem | None, failure: str | None) -> int:
    """Return the exit status: what is left on the venue counts most, then a risk control, then a failure."""
    if not swept.is_clean:
        return LEFT_ON_VENUE
    if system is not None and (liquidation_of(system) is not None or _stopped_by_risk(system)):
        return STOPPED_BY_RISK
    return FAILED if failure is not None else DONE


def _stopped_by_risk(system: LiveSystem) -> bool:
    return system.risk is not None and stopped_by_risk(system.risk)


def liquidation_of(system: LiveSystem) -> Liquidation | None:
    """Return what the venue on paper has liquidated; None where it has not."""
    margin = None if system.paper is None else system.paper.margin
    return None if margin is None else margin.liquidation


def liquidation_said(system: LiveSystem, currency: str) -> str:
    """Return a liquidation in words."""
    found = liquidation_of(system)
    assert found is not None
    return f"LIQUIDATED: {liquidation_line(Summary({'liquidation': liquidation_facts(found), 'currency': currency}))}"


def write_outcome(
    prepared: PreparedLive, system: LiveSystem, folder: RunFolder, times: RunTimes, ending: dict[str, Any]
) -> dict[str, Any] | None:
    """Write the results that a backtest would write; return the summary, None where nothing was ever valued."""
    if not system.ledger.is_open:
        folder.say("no summary: the market was never heard of, so nothing could be valued")
        return None
    facts = _facts(prepared, system, folder, times, ending)
    manifest = {
        "run_id": folder.run_id,
        "setup": prepared.loaded.setup.as_dict(),
        "setup_sha256": prepared.loaded.setup.sha256(),
        "environment": prepared.venue.environment.value,
        "start": facts.start,
        "end": facts.end,
        "ending": ending,
        "versions": versions(),
        "command": ["run_live.py", *sys.argv[1:]],
    }
    return write_books(system.ledger, facts, manifest, folder.path)


def _facts(
    prepared: PreparedLive, system: LiveSystem, folder: RunFolder, times: RunTimes, ending: dict[str, Any]
) -> RunFacts:
    setup, cache = prepared.loaded.setup, system.node.cache
    statuses = [order.status_string() for order in cache.orders()]
    denied = statuses.count("DENIED")
    instruments = [cache.instrument(instrument_id) for instrument_id in system.instrument_ids]
    assumption = FILL_ASSUMPTIONS[setup.backtest.fills]
    latency = setup.backtest.latency
    warnings = [] if ending["failure"] is None else [f"The run ended because {ending['failure']}."]
    if ending["unasked"] is not None:
        warnings.append(f"What was filled during the stop may be missing: {ending['unasked']}.")
    if not ending["recording"]["complete"]:
        warnings.append("The recording is incomplete from {incomplete_from}: {reason}.".format(**ending["recording"]))
    if system.paper is not None and system.paper.margin is not None and system.paper.margin.refused:
        warnings.append(refused_for_margin(system.paper.margin.refused))
    plan = _funding_on_paper(system, instruments)
    warnings += () if plan is None else plan.warnings
    liquidation = liquidation_of(system)
    begun = iso_time(min(times.start_ns, system.ledger.equity_curve[0].ts_ns))
    if system.ledger.earlier is not None:
        warnings.append(
            f"The books of {begun} went on after a run that did not end in order: fills and profit are counted from "
            "there; orders, requotes and markouts from the last start."
        )
    return RunFacts(
        setup=setup.name,
        description=setup.description,
        run_id=folder.run_id,
        start=begun,
        end=iso_time(prepared.pace.now_ns() // _SECOND_NS * _SECOND_NS),
        elapsed_s=time.monotonic() - times.monotonic,
        events=system.node.kernel.data_engine.data_count,
        orders=len(statuses) - denied,
        denied=denied,
        fees={
            instrument.id.value: {
                "maker_bps": float(instrument.maker_fee * 10_000),
                "taker_bps": float(instrument.taker_fee * 10_000),
            }
            for instrument in instruments
        },
        fills_assumption=assumption.name if prepared.paper else "live",
        fills_description=assumption.description
        if prepared.paper
        else f"The venue's own fills ({prepared.venue.environment}).",
        latency_ms={"insert": latency.insert_ms, "modify": latency.modify_ms, "cancel": latency.cancel_ms}
        if prepared.paper and assumption.latency
        else None,
        synthetic=False,
        reconstructed_quotes=False,
        warnings=tuple(warnings),
        risk=None if system.risk is None else risk_summary(system.risk, system.ledger),
        funding=_paid_by_venue(instruments) if plan is None else funding_sources(plan),
        liquidation=None if liquidation is None else liquidation_facts(liquidation),
    )


def _funding_on_paper(system: LiveSystem, instruments: Sequence[Instrument]) -> FundingPlan | None:
    funding = None if system.paper is None else system.paper.funding
    return None if funding is None else funding.plan(instruments)


def _paid_by_venue(instruments: Sequence[Instrument]) -> dict[str, dict[str, Any]] | None:
    perpetuals = [instrument.id.value for instrument in instruments if isinstance(instrument, CryptoPerpetual)]
    return {name: {"source": "the venue's own payments"} for name in perpetuals} or None

"""The figures of summary.json, from the ledger's records; what cannot be computed is null and says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from actors.ledger import Ledger
from actors.ledger_records import MARKOUT_HORIZONS_SECS, FillRecord, PositionPoint
from messages.trading import QuotingSample
from models.attribution import EXACT, Fill, Parts
from models.statistics import (
    Figure,
    max_drawdown_pct,
    profit_factor,
    realised_pnl,
    sharpe,
    turnover,
    win_rate,
)
from reports.attribution import attribution, attribution_summary
from reports.costs import FeeFacts, costs_summary
from reports.funding import funding_summary
from reports.markout_groups import markouts_by
from reports.pair_trades import pairs_summary
from reports.quote_quality import (
    NO_MAKER,
    instrument_quality,
    put_queue_time,
    put_traffic,
    put_uptime,
    strategy_quality,
)
from reports.rebalancing import rebalance_summary
from reports.signals import alpha_summary

_BPS = Decimal(10_000)


@dataclass(frozen=True)
class RunFacts:
    """
    What the summary says of a run that the ledger does not know.

    Parameters
    ----------
    setup, description, run_id : str
        The setup's name and sentence, and the folder of this run.
    start, end : str
        The period that was replayed, ISO 8601.
    elapsed_s : float
        Wall-clock seconds of the replay.
    events : int
        Market events.
    orders, denied : int
        Orders sent to the venue, and orders stopped before they reached it.
    fees : dict
        maker_bps and taker_bps of each instrument.
    fills_assumption, fills_description : str
        The preset's name and its sentence.
    latency_ms : dict, optional
        Milliseconds by command; None where the preset has no latency.
    synthetic, reconstructed_quotes : bool
        What kind of data it was.
    warnings : tuple of str
        What a reader should know.
    risk : dict, optional
        State, halts and refusals of the risk actors; None where the setup has none.
    drill : dict, optional
        The fault that was injected and what came of it; None in a backtest.
    compare : dict, optional
        A recorded run beside this replay of it; None in a backtest.
    fee_facts : FeeFacts, optional
        How the venue charges, for other fees on the same fills; None live, where the venue itself tells its fees.
    funding : dict, optional
        Of each perpetual, where its funding rates come from; None where nothing that is traded has funding.
    liquidation : dict, optional
        What was liquidated; None where nothing was.
    data_quality : dict, optional
        What the gate found in the data; None live, where there is nothing to find out before.

    """

    setup: str
    description: str
    run_id: str
    start: str
    end: str
    elapsed_s: float
    events: int
    orders: int
    denied: int
    fees: dict[str, dict[str, float]]
    fills_assumption: str
    fills_description: str
    latency_ms: dict[str, int] | None
    synthetic: bool
    reconstructed_quotes: bool
    warnings: tuple[str, ...]
    risk: dict[str, Any] | None = None
    drill: dict[str, Any] | None = None
    compare: dict[str, Any] | None = None
    fee_facts: FeeFacts | None = None
    funding: dict[str, dict[str, Any]] | None = None
    liquidation: dict[str, Any] | None = None
    data_quality: dict[str, Any] | None = None


def summarise(ledger: Ledger, facts: RunFacts) -> dict[str, Any]:
    """
    Return summary.json of a run whose books are open.

    Parameters
    ----------
    ledger : Ledger
        The books at the end of the run.
    facts : RunFacts
        The rest.

    Returns
    -------
    dict
        JSON types; keys in the order of reading. A figure that cannot be computed is None beside `<name>_why`.

    """
    summary = _what_ran(ledger, facts)
    if facts.drill is not None:
        summary["drill"] = facts.drill
    if facts.compare is not None:
        summary["compare"] = facts.compare
    _put_profit(summary, ledger)
    _put_trading(summary, ledger, facts)
    summary["fills_assumption"] = facts.fills_assumption
    summary["fills_description"] = facts.fills_description
    summary["latency_ms"] = facts.latency_ms
    summary["fees"] = next(iter(facts.fees.values())) if len(facts.fees) == 1 else facts.fees
    if facts.fee_facts is not None:
        summary["fee_tiers"] = costs_summary(ledger, facts.fee_facts, _traded(ledger))
    summary["risk"] = facts.risk
    if facts.risk is None:
        summary["risk_why"] = "the setup has no risk actor"
    summary["funding"] = funding_summary(ledger, facts.funding)
    if summary["funding"] is None:
        summary["funding_why"] = "nothing that is traded has funding"
    summary["liquidation"] = facts.liquidation
    if facts.liquidation is None:
        summary["liquidation_why"] = "no position was liquidated"
    summary["attribution"] = attribution_summary(attribution(ledger))
    summary["markouts_by"] = markouts_by(ledger.fills)
    if ledger.rebalances:
        summary["rebalance"] = rebalance_summary(ledger)
    if ledger.pair_trades:
        summary["pairs"] = pairs_summary(ledger)
    if any(fill.alpha_bps is not None for fill in ledger.fills):
        summary["alpha"] = alpha_summary(ledger.fills)
    summary["by_strategy"] = _breakdown(ledger, "strategy")
    summary["by_instrument"] = _breakdown(ledger, "instrument")
    return summary


def _what_ran(ledger: Ledger, facts: RunFacts) -> dict[str, Any]:
    return {
        "setup": facts.setup,
        "description": facts.description,
        "run_id": facts.run_id,
        "synthetic": facts.synthetic,
        "reconstructed_quotes": facts.reconstructed_quotes,
        "warnings": list(facts.warnings),
        "start": facts.start,
        "end": facts.end,
        "elapsed_s": round(facts.elapsed_s, 3),
        "events": facts.events,
        "events_per_s": round(facts.events / facts.elapsed_s) if facts.elapsed_s > 0 else None,
        "instruments": [instrument_id.value for instrument_id in ledger.config.instrument_ids],
        "currency": ledger.config.currency,
        **({} if facts.data_quality is None else {"data_quality": facts.data_quality}),
    }


def _put_profit(summary: dict[str, Any], ledger: Ledger) -> None:
    curve = ledger.equity_curve
    start, last = curve[0].equity, curve[-1]
    summary["equity_start"] = float(start)
    summary["equity_end"] = float(last.equity)
    summary["pnl"] = float(last.parts.total)
    _put(summary, "pnl_pct", _ratio(last.parts.total * 100, start, "the run began without equity"))
    summary["pnl_parts"] = parts_as_dict(last.parts)
    summary["pnl_holdings"] = float(last.holdings)
    summary["pnl_trading"] = float(_traded(ledger))
    _put_markouts(summary, ledger.fills)
    equity = [float(point.equity) for point in curve]
    without_holdings = [float(EXACT.subtract(point.equity, point.holdings)) for point in curve]
    _put(summary, "max_drawdown_pct", max_drawdown_pct(equity))
    _put(summary, "sharpe", sharpe(equity, ledger.config.interval_secs))
    _put(summary, "sharpe_trading", sharpe(without_holdings, ledger.config.interval_secs))


def _put_trading(summary: dict[str, Any], ledger: Ledger, facts: RunFacts) -> None:
    fills = ledger.fills
    realised = _realised(fills)
    summary["fills"] = len(fills)
    summary["orders"] = facts.orders
    summary["orders_denied"] = facts.denied
    _put(summary, "maker_share", _maker_share(fills))
    _put(summary, "turnover", _turnover(fills, summary["equity_start"]))
    _put(summary, "win_rate", win_rate(realised))
    _put(summary, "profit_factor", profit_factor(realised))
    summary["quotes"] = _quote_figures(list(ledger.samples.values()), ledger.position_points, len(fills))
    put_queue_time(summary["quotes"], fills)
    put_traffic(summary["quotes"], ledger, spot=facts.funding is None)
    _put(summary, "break_even_maker_fee_bps", _break_even_maker_fee(fills, _traded(ledger)))


def _traded(ledger: Ledger) -> Decimal:
    """Return the profit without the price change of what was held at the start."""
    last = ledger.equity_curve[-1]
    return EXACT.subtract(last.parts.total, last.holdings)


def parts_as_dict(parts: Parts) -> dict[str, float]:
    """Return the parts as JSON numbers."""
    return {name: float(value) for name, value in parts._asdict().items()}


def _put(target: dict[str, Any], name: str, figure: Figure) -> None:
    target[name] = figure.value
    if figure.value is None:
        target[f"{name}_why"] = figure.why


def _ratio(numerator: Decimal, denominator: Decimal, why: str) -> Figure:
    return Figure(float(numerator) / float(denominator), None) if denominator else Figure(None, why)


def _notional(fills: Sequence[FillRecord]) -> Decimal:
    return sum((fill.price * fill.quantity for fill in fills), Decimal(0))


def _put_markouts(summary: dict[str, Any], fills: Sequence[FillRecord]) -> None:
    markouts: dict[str, float | str | None] = {}
    for horizon in MARKOUT_HORIZONS_SECS:
        reached = [fill for fill in fills if horizon in fill.markout_mids]
        gained = sum(
            (fill.sign * fill.quantity * (fill.markout_mids[horizon] - fill.price) for fill in reached), Decimal(0)
        )
        why = f"no fill has {horizon} s of market after it"
        _put(markouts, f"{horizon}s", _ratio(gained * _BPS, _notional(reached), why))
    summary["markouts_bps"] = markouts


def _maker_share(fills: Sequence[FillRecord]) -> Figure:
    made = _notional([fill for fill in fills if fill.liquidity == "MAKER"])
    return _ratio(made, _notional(fills), "there was no fill")


def _turnover(fills: Sequence[FillRecord], equity_start: float) -> Figure:
    return turnover(float(_notional(fills)), equity_start)


def _realised(fills: Sequence[FillRecord]) -> list[Decimal]:
    """Return the profit of every closing fill, each strategy and instrument counted on its own."""
    by_book: dict[tuple[str, str], list[Fill]] = {}
    for fill in fills:
        # `fee` has the base part valued already; the position is counted as if all fees were paid in the currency.
        booked = Fill(fill.ts_ns, fill.sign * fill.quantity, fill.price, fill.fee)
        by_book.setdefault((fill.strategy, fill.instrument), []).append(booked)
    return [pnl for book in by_book.values() for pnl in realised_pnl(book)]


def _quote_figures(samples: list[QuotingSample], points: Sequence[PositionPoint], fills: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    put_uptime(figures, points, quotes=bool(samples))
    if not samples:
        for name in ("requotes", "requotes_per_fill", "post_only_rejections"):
            _put(figures, name, Figure(None, NO_MAKER))
        return figures
    figures["requotes"] = sum(sample.requotes for sample in samples)
    _put(figures, "requotes_per_fill", _ratio(Decimal(figures["requotes"]), Decimal(fills), "there was no fill"))
    figures["post_only_rejections"] = sum(sample.post_only_rejections for sample in samples)
    return figures


def _break_even_maker_fee(fills: Sequence[FillRecord], traded_pnl: Decimal) -> Figure:
    """Return the maker fee at which what the strategies earned is nothing; below 0 they need a rebate."""
    made = [fill for fill in fills if fill.liquidity == "MAKER"]
    before_maker_fees = traded_pnl + sum((fill.fee for fill in made), Decimal(0))
    return _ratio(before_maker_fees * _BPS, _notional(made), "there was no maker fill")


def _breakdown(ledger: Ledger, by: str) -> dict[str, dict[str, Any]]:
    names = dict.fromkeys(key[0 if by == "strategy" else 1] for key in ledger.books)
    rows = {}
    for name in names:
        parts = ledger.parts(**{by: name})
        fills = [fill for fill in ledger.fills if getattr(fill, by) == name]
        rows[name] = {
            "pnl": float(parts.total),
            "pnl_parts": parts_as_dict(parts),
            "fills": len(fills),
            "notional": float(_notional(fills)),
            "attribution": attribution_summary(attribution(ledger, **{by: name})),
            "markouts_by": markouts_by(fills),
        }
        of_strategy = by == "strategy"
        quality = strategy_quality(ledger, name, fills) if of_strategy else instrument_quality(ledger, name)
        rows[name]["quotes"] = quality
    return rows

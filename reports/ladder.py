"""What a fill ladder and its curve of latencies say, from the summaries of their runs: ladder.json."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from reports import format as fmt

FEW_FILLS = 30
"""With fewer fills the sign of a profit says little."""

SAME_VALUE = 1e-3
"""Values traded that differ by no more than this share count as the same."""

SHARED = (
    "setup",
    "description",
    "synthetic",
    "reconstructed_quotes",
    "start",
    "end",
    "events",
    "instruments",
    "currency",
    "fees",
)
COMPARED = (
    "fills_assumption",
    "fills_description",
    "latency_ms",
    "pnl",
    "pnl_trading",
    "pnl_parts",
    "pnl_holdings",
    "fills",
    "markouts_bps",
    "quotes",
    "orders",
    "maker_share",
    "max_drawdown_pct",
    "break_even_maker_fee_bps",
    "break_even_maker_fee_bps_why",
    "warnings",
    "risk",
)


def ladder_summary(
    run_id: str, rungs: Mapping[str, Mapping[str, Any]], curve_fills: str, curve: Mapping[int, Mapping[str, Any]]
) -> dict[str, Any]:
    """
    Return ladder.json.

    Parameters
    ----------
    run_id : str
        The folder of the ladder.
    rungs : mapping
        The summary of the run under each fill assumption, from kind to cruel.
    curve_fills : str
        The fill assumption of the curve.
    curve : mapping
        The summary of the run at each latency in ms, rising.

    """
    first = next(iter(rungs.values()))
    rows = [_row(name, summary) | {"fee_tiers": summary.get("fee_tiers")} for name, summary in rungs.items()]
    points = [{"latency_ms_each": latency} | _row(str(latency), summary) for latency, summary in curve.items()]
    return {
        **{key: first.get(key) for key in SHARED},
        "run_id": run_id,
        "verdict": verdict(rows),
        "lives_only_in_the_first_row": lives_only_in_the_first_row(rows),
        "rungs": rows,
        "fills_fall": not any(_trades_more(before, after) for before, after in pairwise(rows)),
        "why_not_falling": list(why_not_falling(rows)),
        "latency_curve": {
            "fills_assumption": curve_fills,
            "gone_at_ms": gone_at(points),
            "sentence": edge_sentence(points),
            "points": points,
        },
    }


def _row(name: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    traded = sum(row["notional"] for row in summary["by_instrument"].values())
    kept = {key: summary[key] for key in COMPARED if key in summary}
    return {"name": name, "run_id": summary["run_id"], "traded": traded} | kept


def lives_only_in_the_first_row(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the kindest assumption alone earns."""
    first, *rest = (row["pnl_trading"] for row in rows)
    return first > 0 and all(pnl <= 0 for pnl in rest)


def verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return in words what the trading P&L of the rows, from kind to cruel, says of the strategy."""
    earning = [row["name"] for row in rows if row["pnl_trading"] > 0]
    losing = [row["name"] for row in rows if row["pnl_trading"] <= 0]
    fewest = min(row["fills"] for row in rows)
    few = f" The row with the fewest has {fewest} fills: too few to tell skill from luck." if fewest < FEW_FILLS else ""
    if stopped := [row["name"] for row in rows if _stopped(row)]:
        few += f" A risk control stopped {_listed(stopped)}: that row is of less time than it seems."
    if all(row["fills"] == 0 for row in rows):
        return "Nothing was filled under any assumption: there is nothing to judge."
    if lives_only_in_the_first_row(rows):
        return (
            f"It lives only in the first row: it earns under {earning[0]}, where whatever touches a quote fills it, "
            f"and under none of {_listed(losing)}. What it earns is the assumption's, not the market's.{few}"
        )
    if not earning:
        return f"It earns under no fill assumption, not even where whatever touches a quote fills it.{few}"
    if not losing:
        return f"It earns under every fill assumption.{few}"
    return (
        f"It earns under {_listed(earning)} and not under {_listed(losing)}: whether it lives depends on how its "
        f"orders are filled.{few}"
    )


def _stopped(row: Mapping[str, Any]) -> bool:
    return bool((row.get("risk") or {}).get("halts"))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def why_not_falling(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield, for each row that traded or filled more than the kinder one above it, what of the two runs explains it."""
    for kind, cruel in pairwise(rows):
        more_fills, more_traded = cruel["fills"] > kind["fills"], _trades_more(kind, cruel)
        if not (more_fills or more_traded):
            continue
        told = f"{cruel['name']} has {fmt.count(cruel['fills'])} fills and traded {fmt.number(cruel['traded'], 0)}, "
        told += f"{kind['name']} {fmt.count(kind['fills'])} and {fmt.number(kind['traded'], 0)}"
        reasons = list(_reasons(kind, cruel, more_traded))
        yield f"{told}: {'; '.join(reasons)}." if reasons else f"{told}."


def _trades_more(kind: Mapping[str, Any], cruel: Mapping[str, Any]) -> bool:
    """Whether a crueller row trades more than a kinder one; the same orders at other prices are not more."""
    return bool(cruel["traded"] > kind["traded"] * (1 + SAME_VALUE))


def _reasons(kind: Mapping[str, Any], cruel: Mapping[str, Any], more_traded: bool) -> Iterator[str]:
    """Yield what the figures of two rows show; nothing is said that they do not."""
    if not more_traded:
        yield f"{cruel['name']} fills orders in more pieces, the value traded is not larger"
        return
    if _stopped(kind):
        yield f"a risk control stopped {kind['name']}"
    uptimes = [row["quotes"].get("two_sided_uptime_pct") for row in (kind, cruel)]
    if None not in uptimes and uptimes[0] < uptimes[1] - 1:
        yield (
            f"{kind['name']} quoted both sides for {fmt.percent(uptimes[0])} of the time, {cruel['name']} for "
            f"{fmt.percent(uptimes[1])}: early fills lead to the inventory limit, where one side is not quoted"
        )
    if cruel["latency_ms"] and not kind["latency_ms"]:
        yield "orders that take time to move still stand where the market comes to them"
    requotes = [row["quotes"].get("requotes") for row in (kind, cruel)]
    if None not in requotes and requotes[0] > requotes[1] * 1.05:
        yield (
            f"{kind['name']} moved its quotes {fmt.count(requotes[0])} times, {cruel['name']} "
            f"{fmt.count(requotes[1])}: each move costs the place in the queue"
        )


def gone_at(points: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the least latency, in ms, from which on nothing is earned at any point; None where there is no such."""
    gone = None
    for point in points:
        if point["pnl_trading"] > 0:
            gone = None
        elif gone is None:
            gone = point["latency_ms_each"]
    return gone


def edge_sentence(points: Sequence[Mapping[str, Any]]) -> str:
    """Return in words at which latency the edge is gone."""
    earning = [point["latency_ms_each"] for point in points if point["pnl_trading"] > 0]
    last, gone = points[-1]["latency_ms_each"], gone_at(points)
    if not earning:
        return "There is no edge that latency could take: it loses even where orders arrive at once."
    if gone is None:
        losing = [str(point["latency_ms_each"]) for point in points if point["pnl_trading"] <= 0]
        if losing:
            return (
                f"It earns at {last} ms, the longest latency, yet loses at {_listed(losing)} ms: chance is larger than "
                "what latency costs."
            )
        return f"The edge is still there at {last} ms, the longest latency."
    before = max(latency for latency in earning if latency < gone)
    some = " In between it also loses at a shorter one: chance has a part." if _mixed(points, gone) else ""
    return f"The edge is gone between {before} and {gone} ms.{some}"


def _mixed(points: Sequence[Mapping[str, Any]], gone: float) -> bool:
    return any(point["pnl_trading"] <= 0 for point in points if point["latency_ms_each"] < gone)

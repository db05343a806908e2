"""What rebalancing did and cost, for the summary and as a table of every action."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from actors.ledger import Ledger
from messages.trading import AssetWeight, Rebalanced

CASH: Final = "cash"
COLUMNS: Final = (
    "time",
    "strategy",
    "reason",
    "instrument",
    "target",
    "lower",
    "upper",
    "weight_before",
    "weight_after",
    "value_before",
    "value_after",
)


def rebalance_summary(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """
    Return the figures of each rebalancer, by strategy.

    Costs are the ledger's, in its currency: the fees that were paid, and the distance of the fills from the mid.
    """
    names = dict.fromkeys(done.strategy_id for done in ledger.rebalances)
    return {name: _figures(ledger, name) for name in names}


def _figures(ledger: Ledger, strategy: str) -> dict[str, Any]:
    actions = [done for done in ledger.rebalances if done.strategy_id == strategy]
    parts = ledger.parts(strategy=strategy)
    traded = sum((fill.price * fill.quantity for fill in ledger.fills if fill.strategy == strategy), Decimal(0))
    cost = -(parts.fees + parts.spread)
    return {
        "actions": len(actions),
        "by_reason": dict(Counter(done.reason for done in actions)),
        "orders": sum(done.orders for done in actions),
        "traded": float(traded),
        "turnover": float(traded / ledger.equity_start) if ledger.equity_start else None,
        "fees_paid": float(-parts.fees),
        "spread_paid": float(-parts.spread),
        "cost": float(cost),
        "cost_bps_of_traded": float(cost / traded * 10_000) if traded else None,
        "outside_after": sum(_outside(done, asset) > 0 for done in actions for asset in done.assets),
        "furthest_outside_after_pct": 100 * max(_outside(done, asset) for done in actions for asset in done.assets),
    }


def _outside(done: Rebalanced, asset: AssetWeight) -> float:
    """Return by how much a weight is outside its band after an action; 0 where it is inside."""
    weight = float(asset.value_after / done.equity_after)
    return max(asset.lower - weight, weight - asset.upper, 0.0)


def rebalance_rows(actions: Sequence[Rebalanced]) -> Iterator[tuple[int, *tuple[str, ...]]]:
    """Yield a row for each asset of each action, and one for the cash; the weights of an action are 1 in sum."""
    for done in actions:
        before, after = done.equity_before, done.equity_after
        for asset in done.assets:
            yield (
                done.ts_ns,
                done.strategy_id,
                done.reason,
                asset.instrument_id,
                f"{asset.target:.10g}",
                f"{asset.lower:.10g}",
                f"{asset.upper:.10g}",
                f"{asset.value_before / before:.12f}",
                f"{asset.value_after / after:.12f}",
                f"{asset.value_before:f}",
                f"{asset.value_after:f}",
            )
        cash_target = 1.0 - sum(asset.target for asset in done.assets)
        yield (
            done.ts_ns,
            done.strategy_id,
            done.reason,
            CASH,
            f"{cash_target:.10g}",
            "",
            "",
            f"{done.cash_before / before:.12f}",
            f"{done.cash_after / after:.12f}",
            f"{done.cash_before:f}",
            f"{done.cash_after:f}",
        )

"""What trading pairs did and earned, for the summary and as a table of every entry and exit."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from actors.ledger import Ledger
from messages.trading import PairTraded

EXITS: Final = ("exit", "stop", "time", "broken", "risk")
"""The reasons of exits that were carried out in full, up to what is too small to trade."""

COLUMNS: Final = ("time", "strategy", "reason", "z", "beta", "edge_bps", "held_y", "held_x", "unhedged_quote")


def pairs_summary(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """Return the figures of each pair, by strategy."""
    names = dict.fromkeys(trade.strategy_id for trade in ledger.pair_trades)
    return {name: _figures(ledger, name) for name in names}


def _figures(ledger: Ledger, strategy: str) -> dict[str, Any]:
    trades = [trade for trade in ledger.pair_trades if trade.strategy_id == strategy]
    parts = ledger.parts(strategy=strategy)
    exits = [trade for trade in trades if trade.reason in EXITS]
    return {
        "by_reason": dict(Counter(trade.reason for trade in trades)),
        "round_trips": len(exits),
        "pnl": float(parts.total),
        "pnl_per_round_trip": float(parts.total / len(exits)) if exits else None,
        "fees_paid": float(-parts.fees),
        "spread_paid": float(-parts.spread),
        "largest_unhedged_after_quote": float(max(abs(trade.unhedged_quote) for trade in trades)),
    }


def rows(trades: Sequence[PairTraded]) -> Iterator[tuple[int, *tuple[str, ...]]]:
    """Yield a row for each entry, exit and entry that was not made."""
    for trade in trades:
        yield (
            trade.ts_ns,
            trade.strategy_id,
            trade.reason,
            f"{trade.z:.4f}",
            f"{trade.beta:.6f}",
            f"{trade.edge_bps:.2f}",
            f"{trade.held_y:f}",
            f"{trade.held_x:f}",
            f"{trade.unhedged_quote:.8f}",
        )

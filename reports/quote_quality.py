"""How well a maker quotes: how long at the touch, how long its orders wait, and how many messages it sends."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final

from actors.ledger import Ledger
from actors.ledger_records import FillRecord, PositionPoint
from actors.order_trace import WINDOW_SECS

ORDERS_PER_WINDOW: Final = {"spot": 100, "usdm": 300}
"""New and changed orders that Binance takes in a window of ten seconds, of an account without a higher limit."""

NO_MAKER: Final = "no strategy of the setup quotes"


def put_uptime(figures: dict[str, Any], points: Sequence[PositionPoint], *, quotes: bool) -> None:
    """Put the shares of the points of the grid with own quotes on both sides, and at the touch or better."""
    # The first point comes before any quote could stand, the last after all were withdrawn.
    times = sorted({point.ts_ns for point in points})[1:-1]
    counted = [point for point in points if times and times[0] <= point.ts_ns <= times[-1]]
    shares = {
        "two_sided_uptime_pct": [point.quote_bid is not None and point.quote_ask is not None for point in counted],
        "bid_at_touch_pct": [point.quote_bid is not None and point.quote_bid >= point.bid for point in counted],
        "ask_at_touch_pct": [point.quote_ask is not None and point.quote_ask <= point.ask for point in counted],
    }
    for name, yes in shares.items():
        figures[name] = 100 * sum(yes) / len(yes) if yes and quotes else None
        if figures[name] is None:
            figures[f"{name}_why"] = "the run is too short for a point on the grid" if quotes else NO_MAKER


def instrument_quality(ledger: Ledger, instrument: str) -> Mapping[str, Any]:
    """Return the figures of one instrument that can be told apart."""
    figures: dict[str, Any] = {}
    points = [point for point in ledger.position_points if point.instrument == instrument]
    put_uptime(figures, points, quotes=any(traded == instrument for _, traded in ledger.samples))
    return figures


def put_queue_time(figures: dict[str, Any], fills: Sequence[FillRecord]) -> None:
    """Put how long filled orders had rested at their price, in seconds: the middle one, and the longest."""
    rested = [fill.rested_secs for fill in fills if fill.liquidity == "MAKER" and fill.rested_secs is not None]
    figures["queue_secs_median"] = median(rested) if rested else None
    figures["queue_secs_longest"] = max(rested) if rested else None
    if not rested:
        figures["queue_secs_median_why"] = figures["queue_secs_longest_why"] = "no resting order was filled"


def put_traffic(figures: dict[str, Any], ledger: Ledger, spot: bool) -> None:
    """Put the messages per fill, and the busiest window against what the venue takes."""
    messages, fills = ledger.messages.by_strategy.total(), len(ledger.fills)
    figures["messages"] = messages
    figures["messages_per_fill"] = messages / fills if fills else None
    if not fills:
        figures["messages_per_fill_why"] = "there was no fill"
    limit = ORDERS_PER_WINDOW["spot" if spot else "usdm"]
    figures[f"orders_in_busiest_{WINDOW_SECS}s"] = max(ledger.messages.by_window.values(), default=0)
    figures["venue_order_limit"] = limit
    figures["windows_over_limit"] = sum(count > limit for count in ledger.messages.by_window.values())


def strategy_quality(ledger: Ledger, strategy: str, fills: Sequence[FillRecord]) -> Mapping[str, Any]:
    """Return the figures of one strategy that can be told apart."""
    figures: dict[str, Any] = {"messages": ledger.messages.by_strategy[strategy]}
    figures["messages_per_fill"] = figures["messages"] / len(fills) if fills else None
    if not fills:
        figures["messages_per_fill_why"] = "there was no fill"
    put_queue_time(figures, fills)
    return figures

"""
What each figure of a run means.

The terminal table, the page and docs/report.md all take labels and definitions from here.
"""

from collections.abc import Mapping
from typing import Any

from reports import format as fmt
from reports.figures import Figure, Kind, Summary, show

MARKOUTS = ("1s", "5s", "30s", "60s", "300s")
PARTS = ("spread", "inventory", "fees", "funding")

PNL = Figure(
    "pnl",
    "P&L",
    Kind.SIGNED_MONEY,
    "Equity at the end less equity at the start: every balance and position marked to the mid, after fees.",
)

FEES = Figure(
    "pnl_parts.fees",
    "Fees",
    Kind.SIGNED_MONEY,
    "Commissions, and what a liquidation cost, as a part of P&L: negative was paid, positive was earned as a rebate.",
)

TRADING_PNL = Figure(
    "pnl_trading",
    "Trading P&L",
    Kind.SIGNED_MONEY,
    "P&L without the price change of what was held before the first trade: what the strategies earned.",
)

FILLS = Figure("fills", "Fills", Kind.COUNT, "Executions of own orders; an order filled in two pieces counts twice.")

HEADLINE = (
    TRADING_PNL,
    FEES,
    Figure(
        "break_even_maker_fee_bps",
        "Break-even maker fee",
        Kind.BPS,
        "The maker fee at which the trading would have earned nothing, with the same fills and without the gain or "
        "loss of what was held before. Where it is below the fee that is paid, the strategy loses; below zero it "
        "needs a rebate.",
    ),
    Figure(
        "sharpe_trading",
        "Sharpe ratio of trading",
        Kind.RATIO,
        "The Sharpe ratio of equity without the price change of what was held before the first trade.",
    ),
    Figure(
        "max_drawdown_pct",
        "Max drawdown",
        Kind.PERCENT,
        "The deepest fall of equity below its highest value so far, as a percentage of that value.",
    ),
    PNL,
    Figure(
        "sharpe",
        "Sharpe ratio",
        Kind.RATIO,
        "Mean over standard deviation of the changes of marked-to-market equity from one point of the grid to the "
        "next, scaled to a year of 365 days. It has the sign of the P&L: a losing run never shows a positive one.",
    ),
    FILLS,
    Figure(
        "maker_share",
        "Maker share",
        Kind.SHARE,
        "The share of the traded value for which the own order rested in the book.",
    ),
    Figure(
        "quotes.two_sided_uptime_pct",
        "Two-sided uptime",
        Kind.PERCENT,
        "The share of the points of the grid at which own orders worked on both sides of the market.",
    ),
)

MORE = (
    Figure("pnl_pct", "P&L %", Kind.SIGNED_PERCENT, "P&L as a percentage of the equity at the start."),
    Figure(
        "turnover",
        "Turnover",
        Kind.MULTIPLE,
        "The value of all fills, bought and sold together, as a multiple of the equity at the start.",
    ),
    Figure("equity_start", "Equity at the start", Kind.MONEY, "All balances and positions, marked to the first mid."),
    Figure("equity_end", "Equity at the end", Kind.MONEY, "All balances and positions, marked to the last mid."),
    Figure(
        "pnl_holdings",
        "P&L of holdings",
        Kind.SIGNED_MONEY,
        "The price change of what was held before the first trade; it would be there without any trade. A part of the "
        "inventory part.",
    ),
    Figure("orders", "Orders", Kind.COUNT, "Orders that were sent to the venue."),
    Figure("orders_denied", "Orders denied", Kind.COUNT, "Orders that were stopped before they reached the venue."),
    Figure(
        "win_rate",
        "Win rate",
        Kind.SHARE,
        "The share of the closing fills that realised a profit against the average cost of the position, after fees. "
        "It says nothing of how large the losses are.",
    ),
    Figure(
        "profit_factor",
        "Profit factor",
        Kind.RATIO,
        "The profits that closing fills realised, divided by the losses that others realised, after fees.",
    ),
    Figure(
        "quotes.requotes",
        "Requotes",
        Kind.COUNT,
        "Changes of working orders: modifications, and cancellations to move or withdraw a quote.",
    ),
    Figure(
        "quotes.requotes_per_fill",
        "Requotes per fill",
        Kind.RATIO,
        "Requotes divided by fills: the order traffic that one fill costs.",
    ),
    Figure(
        "quotes.post_only_rejections",
        "Post-only rejections",
        Kind.COUNT,
        "Quotes the venue refused because they would have taken liquidity at once.",
    ),
)

PART_FIGURES = (
    Figure(
        "pnl_parts.spread",
        "Spread",
        Kind.SIGNED_MONEY,
        "The edge earned at each fill against the mid of that moment: quantity × (mid − price) for a buy, "
        "quantity × (price − mid) for a sell.",
    ),
    Figure(
        "pnl_parts.inventory",
        "Inventory",
        Kind.SIGNED_MONEY,
        "The gain or loss of what was held while the mid moved: position × change of the mid, with what was held from "
        "the start. Adverse selection shows up here.",
    ),
    FEES,
    Figure(
        "pnl_parts.funding",
        "Funding",
        Kind.SIGNED_MONEY,
        "Funding of perpetual futures: positive was received, negative was paid. Zero on spot.",
    ),
)

ATTRIBUTION = (
    Figure(
        "spread",
        "Spread of makers",
        Kind.SIGNED_MONEY,
        "What fills of orders that rested earned against the mid of that moment.",
    ),
    Figure(
        "taking",
        "Spread of takers",
        Kind.SIGNED_MONEY,
        "What fills of orders that took liquidity earned against it: what hedging and closing cost.",
    ),
    Figure(
        "adverse",
        "Adverse selection",
        Kind.SIGNED_MONEY,
        "What the mid did to each fill within the horizon, where no signal spoke: negative when the flow was informed.",
    ),
    Figure(
        "alpha",
        "Signal",
        Kind.SIGNED_MONEY,
        "What the mid did within the horizon to each fill that was made while a signal spoke for or against it.",
    ),
    Figure(
        "carry",
        "Carry",
        Kind.SIGNED_MONEY,
        "What the mid did to each fill after the horizon, to the end of the run: the inventory that is left of it.",
    ),
    Figure(
        "initial",
        "Held from the start",
        Kind.SIGNED_MONEY,
        "What the mid did to the position that was there before the first trade.",
    ),
    Figure("fees", "Fees", Kind.SIGNED_MONEY, FEES.definition),
    Figure(
        "funding",
        "Funding",
        Kind.SIGNED_MONEY,
        "Funding of perpetual futures: positive was received, negative was paid.",
    ),
    Figure("pnl", "P&L", Kind.SIGNED_MONEY, "The sum of the row, exactly."),
)

TAKER_SLIPPAGE = Figure(
    "taker_slippage",
    "Taker slippage",
    Kind.SIGNED_MONEY,
    "Fills of orders that took liquidity against the mid of the moment in which they were sent: the spread, and what "
    "the mid did on their way. Beside the sum: only the spread of takers is a part of it.",
)

QUOTE_QUALITY = (
    Figure(
        "quotes.bid_at_touch_pct",
        "Bid at the touch",
        Kind.PERCENT,
        "The share of the points of the grid at which the best own bid was the market's best bid, or better.",
    ),
    Figure(
        "quotes.ask_at_touch_pct",
        "Ask at the touch",
        Kind.PERCENT,
        "The share of the points of the grid at which the best own ask was the market's best ask, or better.",
    ),
    Figure(
        "quotes.queue_secs_median",
        "Queue time, middle",
        Kind.SECONDS,
        "How long a filled order had rested at its price: half of the fills waited longer.",
    ),
    Figure("quotes.queue_secs_longest", "Queue time, longest", Kind.SECONDS, "The longest such wait."),
    Figure(
        "quotes.messages",
        "Order messages",
        Kind.COUNT,
        "New, changed and cancelled orders, of all strategies.",
    ),
    Figure(
        "quotes.messages_per_fill",
        "Order-to-trade ratio",
        Kind.RATIO,
        "Order messages divided by fills.",
    ),
    Figure(
        "quotes.orders_in_busiest_10s",
        "Most orders in 10 s",
        Kind.COUNT,
        "New and changed orders in the busiest ten seconds of the clock, which is how venues count them.",
    ),
    Figure(
        "quotes.venue_order_limit",
        "Venue's limit per 10 s",
        Kind.COUNT,
        "What Binance takes of an account without a higher limit: 100 on spot, 300 on USD-M futures.",
    ),
    Figure(
        "quotes.windows_over_limit",
        "Windows over the limit",
        Kind.COUNT,
        "Ten-second windows with more orders than that: live, the venue would have refused the rest.",
    ),
)

FEE_RATES = (
    Figure("fees.maker_bps", "Maker fee", Kind.BPS, "What a resting order pays on the value of a fill."),
    Figure("fees.taker_bps", "Taker fee", Kind.BPS, "What an order that takes liquidity pays on the value of a fill."),
)

NOTIONAL = Figure("notional", "Traded", Kind.MONEY, "The value of all fills, bought and sold together.")

MARKOUT_DEFINITION = (
    "The gain of a fill against the mid some time later, before fees, weighted by value and given in basis points of "
    "the value traded: spread earned plus what the market did next. Falling with time means that the flow was "
    "informed; a fill pays only while it stays above the fee."
)

MARKOUT_FIGURES = {
    horizon: Figure(f"markouts_bps.{horizon}", f"Markout {horizon[:-1]} s", Kind.BPS, MARKOUT_DEFINITION)
    for horizon in MARKOUTS
}

MARKOUT_GROUPS = {
    "side": "By side",
    "depth": "By distance from the mid when the order took its place",
    "hour": "By hour of the day (UTC)",
}
"""The groups of `markouts_by`, by the key in summary.json."""


def fee_texts(summary: Summary) -> list[str]:
    """Return "maker 10.00 bps, taker 10.00 bps", or one such text per instrument where they differ."""
    told = {name: _fees(Summary({"fees": rates})) for name, rates in fee_rates(summary).items()}
    if len(set(told.values())) < 2:
        return [*told.values()][:1] or [fmt.MISSING]
    return [f"{name}: {fees}" for name, fees in told.items()]


def fee_rates(summary: Summary) -> dict[str, dict[str, Any]]:
    """Return the fee rates by instrument; one row, under no name, where the summary has the same for all."""
    rates = summary.table("fees")
    if any(not isinstance(each, Mapping) for each in rates.values()):
        return {"": rates}
    return {name: dict(each) for name, each in rates.items()}


def _fees(summary: Summary) -> str:
    maker, taker = (show(fee, summary).text for fee in FEE_RATES)
    return f"maker {maker}, taker {taker}"

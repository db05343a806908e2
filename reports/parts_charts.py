"""The charts of what the P&L is made of: in total, and over time."""

from html import escape

import numpy as np

from reports import format as fmt
from reports.definitions import PART_FIGURES, PARTS
from reports.downsample import rows_to_keep
from reports.figures import Summary
from reports.plotting import Chart, axis, layout, line, packed, time_axis, times
from reports.results_folder import Equity, Floats

ON_DEMAND = ("Holdings", "Whole P&L")
COLORS = {
    "Spread": "part-spread",
    "Inventory": "part-inventory",
    "Fees": "part-fees",
    "Funding": "part-funding",
    "P&L": "equity",
    "Trading P&L": "equity",
    "Holdings": "part-holdings",
    "Whole P&L": "muted",
}
OVER_TIME = "Each part summed up from the start; the thick line is their sum, the P&L."
TRADING_OVER_TIME = (
    "Each part summed up from the start, without the price change of what was held before the first trade; the thick "
    "line is their sum. That price change and the whole P&L can be switched on in the legend."
)


def parts_chart(summary: Summary) -> Chart:
    """
    Return the waterfall spread + inventory + fees + funding = P&L.

    What was held before the first trade is taken out of the inventory and stands behind what trading earned: it may be
    larger than everything else, and is no merit of trading.
    """
    values = {figure.label: summary.number(figure.path) for figure in PART_FIGURES}
    total, held = summary.number("pnl"), summary.number("pnl_holdings") or 0.0
    title = "What the P&L is made of"
    definition = "Spread earned + inventory + fees + funding = P&L: the parts sum to it exactly."
    known = {label: value for label, value in values.items() if value is not None}
    if total is None or len(known) < len(values):
        return Chart("parts", title, definition, None, "The parts are not known.", wide=False)
    if not known["Funding"]:
        del known["Funding"]
    bars = known | {"P&L": total}
    if held:
        definition = (
            "Spread earned + inventory + fees + funding = trading P&L; with the price change of what was held before "
            "the first trade it is the P&L. The parts sum to it exactly."
        )
        known["Inventory"] -= held
        bars = known | {"Trading P&L": total - held, "Holdings": held, "P&L": total}
    decimals = fmt.decimals_for(*bars.values())
    steps = np.concatenate([[0.0], np.cumsum(list(known.values())), [total]])
    room = (steps.max() - steps.min()) * 0.14 or 1.0
    trace = {
        "type": "waterfall",
        "x": [label.replace("Trading ", "Trading<br>") for label in bars],
        "y": list(bars.values()),
        "measure": ["total" if label.endswith("P&L") else "relative" for label in bars],
        "text": [fmt.number(value, decimals, signed=True) for value in bars.values()],
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "skip",
        "increasing": {"marker": {"color": "@gain"}},
        "decreasing": {"marker": {"color": "@loss"}},
        "totals": {"marker": {"color": "@muted", "line": {"color": "@text", "width": 2}}},
        "connector": {"line": {"color": "@axis", "width": 1, "dash": "dot"}},
    }
    vertical = axis(
        summary.text("currency"), range=[float(steps.min() - room), float(steps.max() + room)], zeroline=True
    )
    shape = layout(360, xaxis=axis(fixedrange=True, showgrid=False, tickangle=0), yaxis=vertical, showlegend=False)
    return Chart("parts", title, definition, {"data": [trace], "layout": shape}, wide=False)


def parts_over_time_chart(equity: Equity, currency: str) -> Chart:
    """
    Return the cumulative parts of the P&L and their sum over time.

    What was held before the first trade can move by far more than any trade earns. So where there is such a thing, its
    part of the inventory is drawn on its own, and only on demand.
    """
    holds = bool(equity.holdings.any())
    title = "Trading P&L and its parts over time" if holds else "P&L and its parts over time"
    definition = TRADING_OVER_TIME if holds else OVER_TIME
    if not len(equity.ts_ns):
        return Chart("parts-over-time", title, definition, None, "There is no point of equity.")
    columns = _columns(equity, holds)
    shown = {label: column for label, column in columns.items() if label not in ON_DEMAND}
    rows = rows_to_keep(list(columns.values()))
    at = times(equity.ts_ns[rows])
    decimals = fmt.decimals_for(*(float(np.abs(column).max()) for column in shown.values()))
    hover = f"%{{y:+,.{decimals}f}} {escape(currency)}"
    traces = [
        line(
            label,
            at,
            packed(column[rows]),
            COLORS[label],
            hovertemplate=hover,
            line={"width": 2.6 if COLORS[label] == "equity" else 1.6},
            visible=True if label in shown else "legendonly",
        )
        for label, column in columns.items()
    ]
    shape = layout(380, xaxis=time_axis(equity.ts_ns), yaxis=axis(currency, zeroline=True))
    return Chart("parts-over-time", title, definition, {"data": traces, "layout": shape})


def _columns(equity: Equity, holds: bool) -> dict[str, Floats]:
    """Return what is drawn over time, by label; the total comes last."""
    pnl = equity.equity - equity.equity[0]
    columns = {figure.label: equity.parts[part] for figure, part in zip(PART_FIGURES, PARTS, strict=True)}
    if not equity.parts["funding"].any():
        del columns["Funding"]
    if not holds:
        return columns | {"P&L": pnl}
    columns["Inventory"] = equity.parts["inventory"] - equity.holdings
    return columns | {"Trading P&L": pnl - equity.holdings, "Holdings": equity.holdings, "Whole P&L": pnl}

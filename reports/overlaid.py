"""The trading P&L of several runs in one picture."""

from collections.abc import Mapping
from html import escape

import numpy as np

from reports.downsample import rows_to_keep
from reports.plotting import Chart, axis, layout, line, packed, time_axis, times
from reports.results_folder import Equity

COLORS = ("buy", "gain", "inventory", "sell", "part-funding", "part-holdings", "part-fees", "muted")
EQUITY = (
    "Equity without the price change of what was held before the first trade, from the start of each run: what trading "
    "earned."
)


def overlaid(equities: Mapping[str, Equity], currency: str) -> Chart:
    """Return the trading P&L of several runs over time, in one picture."""
    title = "Trading P&L over time"
    known = {name: equity for name, equity in equities.items() if len(equity.ts_ns)}
    if not known:
        return Chart("overlaid", title, EQUITY, None, "There is no point of equity.")
    traces = []
    for number, (name, equity) in enumerate(known.items()):
        earned = equity.equity - equity.equity[0] - equity.holdings
        color = COLORS[number % len(COLORS)]
        hover = f"%{{y:+,.2f}} {escape(currency)}"
        rows = rows_to_keep([earned])
        traces.append(line(name, times(equity.ts_ns[rows]), packed(earned[rows]), color, hovertemplate=hover))
    ends = [(int(equity.ts_ns[0]), int(equity.ts_ns[-1])) for equity in known.values()]
    whole = np.array([min(first for first, _ in ends), max(last for _, last in ends)])
    shape = layout(380, xaxis=time_axis(whole), yaxis=axis(currency, zeroline=True))
    return Chart("overlaid", title, EQUITY, {"data": traces, "layout": shape})

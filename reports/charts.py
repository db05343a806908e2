"""The charts of a report, in the order of the page."""

from html import escape
from typing import Any

import numpy as np

from reports import format as fmt
from reports.definitions import MARKOUTS, fee_rates
from reports.downsample import rows_to_keep
from reports.figures import Summary
from reports.market_chart import in_use, market_chart
from reports.parts_charts import parts_chart, parts_over_time_chart
from reports.plotting import Chart, Trace, axis, layout, line, packed, time_axis, times
from reports.results_folder import Equity, Fills, Floats, Positions, Results

MOST_MARKETS = 12
HORIZONS = ["fill", *(f"{name[:-1]} s" for name in MARKOUTS)]
MARKOUT_CAPTION = (
    "The gain of a fill against the mid some time later, in basis points of its value, before fees: it pays only while "
    "it stays above the fee."
)


def charts(results: Results) -> list[Chart]:
    """Return every chart of the page, with those of the first `MOST_MARKETS` instruments that something was done in."""
    summary, currency = results.summary, results.summary.text("currency")
    return [
        parts_chart(summary),
        markouts_chart(summary, results.fills),
        equity_chart(results.equity, currency),
        parts_over_time_chart(results.equity, currency),
        *(market_chart(n, positions, results.fills) for n, positions in enumerate(_drawn_markets(results))),
    ]


def _drawn_markets(results: Results) -> list[Positions]:
    used = [positions for positions in results.positions if in_use(positions, results.fills)]
    return (used or results.positions)[:MOST_MARKETS]


def undrawn_markets(results: Results) -> list[str]:
    """Return the instruments without a chart: nothing was quoted or held in them, or there are too many."""
    drawn = {positions.instrument for positions in _drawn_markets(results)}
    return [positions.instrument for positions in results.positions if positions.instrument not in drawn]


def equity_chart(equity: Equity, currency: str) -> Chart:
    """Return equity with the drawdown below it."""
    title = "Equity and drawdown"
    definition = (
        "Equity: all balances and positions marked to the mid. Drawdown: how far equity is below its highest value so "
        "far, in percent of that value."
    )
    if not len(equity.ts_ns):
        return Chart("equity", title, definition, None, "There is no point of equity.")
    drawdown = drawdown_pct(equity.equity)
    rows = rows_to_keep([equity.equity, drawdown])
    at = times(equity.ts_ns[rows])
    decimals = fmt.decimals_for(equity.equity[-1], significant=7)
    deepest = float(drawdown.min()) * 1.06 or -1.0
    hover = f"%{{y:,.{decimals}f}} {escape(currency)}"
    traces = [
        line("Equity", at, packed(equity.equity[rows]), "equity", hovertemplate=hover),
        line(
            "Drawdown",
            at,
            packed(drawdown[rows]),
            "loss",
            yaxis="y2",
            fill="tozeroy",
            fillcolor="@loss-soft",
            line={"width": 1},
            hovertemplate="%{y:.3f} %",
        ),
    ]
    shape = layout(
        420,
        hoversubplots="axis",
        showlegend=False,
        xaxis=time_axis(equity.ts_ns, anchor="y2"),
        yaxis=axis(currency, domain=[0.34, 1]),
        yaxis2=axis("drawdown, %", domain=[0, 0.26], anchor="x", nticks=4, range=[deepest, 0]),
    )
    return Chart("equity", title, definition, {"data": traces, "layout": shape})


def drawdown_pct(equity: Floats) -> Floats:
    """Return equity below its running peak, in percent of the peak, zero or negative."""
    peak = np.maximum.accumulate(equity)
    below: Floats = np.divide(equity - peak, peak, out=np.zeros_like(equity), where=peak > 0) * 100
    return below


def markouts_chart(summary: Summary, fills: Fills) -> Chart:
    """Return the markouts by horizon: all fills from the summary, buys and sells from the fills."""
    title = "Markouts: what the market did after the fills"
    if not len(fills):
        return Chart("markouts", title, MARKOUT_CAPTION, None, "There are no fills.", wide=False)
    everyone = np.ones(len(fills), bool)
    overall = [mean_markout_bps(fills, everyone, "fill")] + [summary.number(f"markouts_bps.{h}") for h in MARKOUTS]
    traces = [_markout_line("All fills", overall, _counts(fills, everyone), "equity", width=2.6)]
    for name, sign, color in (("Buys", 1, "buy"), ("Sells", -1, "sell")):
        chosen = fills.sign == sign
        means = [mean_markout_bps(fills, chosen, horizon) for horizon in ("fill", *MARKOUTS)]
        traces.append(_markout_line(name, means, _counts(fills, chosen), color))
    made = summary.number("maker_share")
    liquidity = "taker" if made is not None and made < 0.5 else "maker"
    fees = {rates.get(f"{liquidity}_bps") for rates in fee_rates(summary).values()}
    if len(fees) == 1 and (fee := fees.pop()) is not None:
        style = {"dash": "dash", "width": 1.2}
        name, told = f"{liquidity.capitalize()} fee", "%{y:+.2f} bps"
        traces.append(line(name, HORIZONS, [fee] * len(HORIZONS), "muted", line=style, hovertemplate=told))
    vertical = axis("bps", zeroline=True, rangemode="tozero")
    shape = layout(360, xaxis=axis(fixedrange=True, type="category"), yaxis=vertical)
    return Chart("markouts", title, MARKOUT_CAPTION, {"data": traces, "layout": shape}, wide=False)


def _counts(fills: Fills, chosen: Any) -> list[int]:
    """Return how many of the chosen fills there are, and how many have each horizon."""
    return [int(chosen.sum()), *(int((chosen & ~np.isnan(fills.markout_mid[name])).sum()) for name in MARKOUTS)]


def _markout_line(name: str, means: list[float | None], counts: list[int], color: str, width: float = 1.6) -> Trace:
    told = "%{y:+.2f} bps, fills: %{customdata:,}"
    style = {"mode": "lines+markers", "line": {"width": width}}
    return line(name, HORIZONS, means, color, customdata=counts, hovertemplate=told, **style)


def mean_markout_bps(fills: Fills, chosen: Any, horizon: str) -> float | None:
    """
    Return the value-weighted gain of the chosen fills against the mid, in basis points of the value traded.

    Parameters
    ----------
    fills : Fills
        All fills.
    chosen : array of bool, shape (fills,)
        Which of them.
    horizon : str
        "fill" for the mid at the fill, or one of `MARKOUTS`; fills whose horizon lies beyond the data do not count.

    Returns
    -------
    float or None
        None where no chosen fill has that horizon.

    """
    value = fills.price * fills.quantity
    if horizon == "fill":
        gain = fills.spread
    else:
        gain = fills.sign * fills.quantity * (fills.markout_mid[horizon] - fills.price)
    counted = chosen & ~np.isnan(gain)
    if not counted.any():
        return None
    return float(gain[counted].sum() / value[counted].sum() * 1e4)

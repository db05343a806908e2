"""The chart of one instrument: mid, own quotes, fills and, below, the position."""

import numpy as np
from numpy.typing import NDArray

from reports.downsample import rows_to_keep
from reports.format import count
from reports.plotting import Chart, Packed, Trace, axis, decimals_of, layout, line, packed, time_axis, times
from reports.results_folder import Fills, Floats, Int64, Positions

DEFINITION = (
    "Mid of the market, the band between the own best bid and the own best ask (nothing where one side was missing), "
    "and every fill at its price. Below: all that is held of it, with what was there from the start. Drag to zoom; all "
    "charts follow."
)


def in_use(positions: Positions, fills: Fills) -> bool:
    """Return whether anything was quoted, held or filled in an instrument."""
    quoted = ~np.isnan(positions.quote_bid) | ~np.isnan(positions.quote_ask)
    filled = fills.instrument == positions.instrument
    return bool(quoted.any() or np.nan_to_num(positions.position).any() or filled.any())


def market_chart(number: int, positions: Positions, fills: Fills) -> Chart:
    """Return the chart of the instrument of `positions`, the `number`-th on the page, with its fills out of `fills`."""
    rows = rows_to_keep([positions.mid, positions.quote_bid, positions.quote_ask, positions.position])
    decimals = max(decimals_of(positions.quote_bid), decimals_of(positions.mid))
    at = times(positions.ts_ns[rows])
    own = np.flatnonzero(fills.instrument == positions.instrument)
    buys, sells = (own[fills.sign[own] == sign] for sign in (1, -1))
    kept = [_kept(fills, side) for side in (buys, sells)]
    traces = [
        _quote_line("Own bid", at, positions.quote_bid[rows], "buy-line"),
        _quote_line("Own ask", at, positions.quote_ask[rows], "sell-line"),
        _band(0, 1),
        line("Fair value", at, packed(positions.fair_value[rows]), "fair", visible="legendonly", line={"width": 1.2}),
        _markers("Buys", len(buys), fills, kept[0], "buy"),
        _markers("Sells", len(sells), fills, kept[1], "sell"),
        line(
            "Mid",
            at,
            packed(positions.mid[rows]),
            "mid",
            line={"width": 1.4},
            hovertemplate="mid %{y}<br>%{x}<extra></extra>",
        ),
        _position(at, positions.position[rows]),
    ]
    missing = len(own) - sum(len(side) for side in kept)
    return Chart(
        key=f"market-{number}",
        title=f"{positions.instrument}: price, own quotes, fills and position",
        definition=DEFINITION,
        figure={"data": traces, "layout": _layout(positions.ts_ns, decimals)},
        note=f"{count(missing)} of {count(len(own))} fills are left out of the picture." if missing else "",
    )


def _layout(ts_ns: Int64, decimals: int) -> dict[str, object]:
    return layout(
        620,
        hovermode="closest",
        xaxis=time_axis(ts_ns, anchor="y2"),
        yaxis=axis("price", domain=[0.32, 1], hoverformat=f",.{decimals}f"),
        yaxis2=axis("position", domain=[0, 0.24], anchor="x", nticks=5),
    )


def _quote_line(name: str, at: Packed, values: Floats, color: str) -> Trace:
    return line(
        name,
        at,
        packed(values),
        color,
        line={"width": 0.8, "shape": "hv"},
        hoverinfo="skip",
        legendgroup="quotes",
        showlegend=False,
    )


def _band(low: int, high: int) -> Trace:
    """Return the area between two traces, given by their places: the page outlines it from what it draws of them."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "Own quotes",
        "meta": {"between": [low, high]},
        "fill": "toself",
        "fillcolor": "@band",
        "line": {"width": 0, "color": "@band"},
        "hoverinfo": "skip",
        "legendgroup": "quotes",
    }


def _kept(fills: Fills, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return rows[rows_to_keep([fills.price[rows]])] if len(rows) else rows


def _markers(name: str, total: int, fills: Fills, rows: NDArray[np.intp], color: str) -> Trace:
    value = fills.price[rows] * fills.quantity[rows]
    details = np.column_stack([fills.quantity[rows], fills.spread[rows] / value * 1e4])
    verb, symbol = ("Bought", "triangle-up") if color == "buy" else ("Sold", "triangle-down")
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{name} ({count(total)})",
        "x": times(fills.ts_ns[rows]),
        "y": packed(fills.price[rows]),
        "customdata": packed(details),
        "marker": {"symbol": symbol, "color": f"@{color}", "size": 6, "line": {"width": 0.5, "color": "@card"}},
        "hovertemplate": f"{verb} %{{customdata[0]:,}} @ %{{y}}<br>edge %{{customdata[1]:+.2f}} bps<br>%{{x}}"
        "<extra></extra>",
    }


def _position(at: Packed, held: Floats) -> Trace:
    crosses = bool((held >= 0).any() and (held <= 0).any())
    return line(
        "Position",
        at,
        packed(held),
        "inventory",
        yaxis="y2",
        line={"width": 1.2, "shape": "hv"},
        fill="tozeroy" if crosses else "none",
        fillcolor="@inventory-soft",
        showlegend=False,
        hovertemplate="position %{y:,}<br>%{x}<extra></extra>",
    )

"""A calibration as one page that opens anywhere without a network: figures, what they mean, and the fit."""

import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from data_catalog.calibration.estimates import Calibration
from data_catalog.calibration.flow import FlowCalibration
from data_catalog.calibration.market_window import duration, utc_text
from data_catalog.calibration.svg_chart import Axis, Point, Series, chart
from data_catalog.calibration.text import FactTable, fact_tables
from models.market_statistics import Interval

_MOST_POINTS = 150
_FAR_BEYOND = 3.0
_LINE_POINTS = 60

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #667085; --paper: #fff; --line: #e3e7ee;
  --c1: #1f6feb; --c2: #d9730d; --c3: #5b8c3a; --c4: #9aa4b2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa4b2; --paper: #14181f; --line: #2b323d;
  --c1: #6ca4ff; --c2: #f0a04b; --c3: #8fc46a; --c4: #6d7684; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 780px; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .4rem; }
p, li { max-width: 46rem; } .soft { color: var(--soft); }
.warn { border-left: 3px solid var(--c2); padding-left: 1.6rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0; }
th, td { padding: .2rem 1.2rem .2rem 0; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; color: var(--soft); }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--line); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }
.c4 { --c: var(--c4); }
.line, .dashed, .bar { stroke: var(--c); fill: none; stroke-width: 1.8; } .dashed { stroke-dasharray: 5 4; }
.band { fill: var(--c); opacity: .15; } .points { fill: var(--c); } .hollow { fill: var(--paper); stroke: var(--c); }
"""


def report_page(found: Calibration) -> str:
    """Return the page as HTML."""
    window = found.window
    name = escape(str(window.instrument.id))
    label = " · synthetic market" if window.synthetic else ""
    period = f"{utc_text(window.start_ns)} to {utc_text(window.end_ns)}, {duration(window.seconds)}{label}"
    warnings = "".join(f"<li>{escape(text)}</li>" for text in found.warnings)
    tables = {table.title: table for table in fact_tables(found)}
    body = [
        f"<h1>Calibration of {name}</h1>",
        f'<p class="soft">{escape(period)}</p>',
        f'<ul class="warn">{warnings}</ul>' if warnings else "",
        _section("How often quotes are reached", _flow_text(found.flow), _flow_chart(found.flow)),
        *(_table(tables[title]) for title in ("Order flow", "Market")),
        _section("Volatility", _VOLATILITY, _volatility_chart(found)),
        _table(tables["Volatility"]),
        _section("What the market orders knew", _adverse_text(found), _adverse_chart(found)),
        *(_table(tables[title]) for title in ("After the trade",) if title in tables),
        *_depth_section(found, tables),
    ]
    title = f"Calibration of {name}"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head>\n<body>\n'
        + "\n".join(body)
        + ("\n</body></html>\n")
    )


_VOLATILITY = (
    "Each dot is one estimate with its 95 % interval. <em>Every move</em> is what a maker sees that follows the mid "
    "from tick to tick; flickering adds to it. Two-scale takes that out, bipower leaves out jumps. Where they agree, "
    "any will do; where they do not, the mid flickers, jumps or runs on."
)


def _section(title: str, text: str, figure: str) -> str:
    return f"<h2>{title}</h2>\n<p>{text}</p>\n{figure}"


def _flow_text(flow: FlowCalibration) -> str:
    fit = flow.best
    how = "chosen by hand" if flow.chosen else "from which on the flow is close to exponential"
    if not flow.exponential:
        how = "chosen by hand" if flow.chosen else "from which on the flow comes nearest to exponential"
    return (
        "Each dot: how many market orders per second and side reach a quote at this distance from the mid. The line is "
        f"λ(δ) = A·exp(−k·δ) with A = {fit.intensity_a:.3g} per second and k = {fit.kappa:.3g} per basis point: the "
        f"flow thins out to 1/e every {1 / fit.kappa:.3g} bps. It was fitted from {flow.from_bps:.3g} bps on, {how} "
        f"(filled dots, {flow.orders:,} market orders); the shade is its 95 % interval. Do not use it left of where it "
        "begins, where small orders stop, nor right of where it ends, where 99 % of those orders have stopped."
    )


def _flow_chart(flow: FlowCalibration) -> str:
    rates = flow.counts / flow.exposure_secs
    errors = np.sqrt(flow.counts) / flow.exposure_secs
    kept = _thinned(flow)
    points = [
        Point(
            float(flow.levels_bps[i]),
            float(rates[i]),
            float(max(rates[i] - 1.96 * errors[i], rates[i] / 10)),
            float(rates[i] + 1.96 * errors[i]),
            f"{flow.levels_bps[i]:.3g} bps: {flow.counts[i]:,} market orders",
        )
        for i in kept
    ]
    inside = [p for p in points if flow.from_bps * (1 - 1e-9) <= p.x <= flow.to_bps * (1 + 1e-9)]
    outside = [p for p in points if p not in inside]
    series = [
        Series(_line(flow, "mle", flow.from_bps, flow.to_bps), "band", "c1"),
        Series(outside, "hollow", "c4", "not fitted"),
        Series(inside, "points", "c1", "orders that reach it"),
        Series(_line(flow, "mle", flow.from_bps, flow.to_bps), "line", "c1", "likelihood"),
    ]
    if "wls" in flow.fits:
        series.append(Series(_line(flow, "wls", flow.from_bps, flow.to_bps), "dashed", "c2", "regression, weighted"))
    axes = Axis("distance of the quote from the mid, bps"), Axis("market orders per second and side", log=True)
    return chart("Intensity of market orders by depth, with the fit", *axes, series)


def _thinned(flow: FlowCalibration) -> list[int]:
    """Return the levels to draw: reached by two or more, not far beyond the fit, no more than can be told apart."""
    known = np.flatnonzero((flow.counts >= 2) & (flow.levels_bps <= _FAR_BEYOND * flow.to_bps))
    if len(known) <= _MOST_POINTS:
        return [int(i) for i in known]
    wanted = np.linspace(flow.levels_bps[known[0]], flow.levels_bps[known[-1]], _MOST_POINTS)
    return [int(i) for i in np.unique(known[np.searchsorted(flow.levels_bps[known], wanted)])]


def _line(flow: FlowCalibration, name: str, start: float, stop: float) -> list[Point]:
    fit = flow.fits[name]
    points = []
    for depth in np.linspace(start, max(stop, start * 1.001), _LINE_POINTS).tolist():
        rate, error = fit.rate(depth), 1.96 * fit.log_rate_error(depth)
        points.append(Point(depth, rate, rate * math.exp(-error), rate * math.exp(error)))
    return points


def _volatility_chart(found: Calibration) -> str:
    sigmas = found.volatility.sigmas
    points = [_dot(i, s.bps_per_sqrt_s, f"{s.label}: {s.bps_per_sqrt_s.value:.3g}") for i, s in enumerate(sigmas)]
    names = [sigma.name.replace("_", " ") for sigma in sigmas]
    return chart("Volatility by estimator", Axis("", names=names), Axis("bps per √second"), [Series(points)])


def _adverse_text(found: Calibration) -> str:
    text = (
        "How far the mid has moved in the direction of a market order, on average, so long after it: what the maker on "
        "the other side loses of what he charged. "
    )
    cost = found.cost
    if cost is not None and cost.informed_share is not None:
        share = 100 * cost.informed_share.value
        text += f"After {cost.horizon_secs:g} s it is {share:.0f} % of what takers paid (the dashed line)."
    return text


def _adverse_chart(found: Calibration) -> str:
    if not found.adverse:
        return '<p class="soft">The window is too short to tell.</p>'
    points = [_dot(i, one.impact_bps, f"{one.orders:,} market orders") for i, one in enumerate(found.adverse)]
    paid = found.adverse[0].impact_bps.value + found.adverse[0].realised_half_spread_bps.value
    line = [Point(-0.5, paid), Point(len(points) - 0.5, paid)]
    names = [f"{one.horizon_secs:g}\N{NO-BREAK SPACE}s" for one in found.adverse]
    series = [Series(points, label="move after the trade"), Series(line, "dashed", "c2", "paid: effective half-spread")]
    return chart("Mean move of the mid after a market order", Axis("", names=names), Axis("bps"), series)


def _depth_section(found: Calibration, tables: dict[str, FactTable]) -> Iterable[str]:
    if not found.by_depth:
        return
    points = [
        Point(d.depth_bps, d.earned_bps.value, d.earned_bps.low, d.earned_bps.high, f"{d.orders:,} market orders")
        for d in found.by_depth
    ]
    zero = [Point(points[0].x, 0.0), Point(points[-1].x, 0.0)]
    axes = Axis("distance of the quote from the mid, bps"), Axis("bps per fill")
    figure = chart("Earned per fill by depth", *axes, [Series(zero, "dashed", "c2"), Series(points)])
    text = (
        f"Depth less the move against it after {found.cost_horizon_secs:g} s less the maker fee of "
        f"{found.maker_fee_bps:.3g} bps, for a quote that always stands at this depth, first in the queue and without "
        "delay. Orders that go deep know more, so standing further away does not always earn more."
    )
    yield _section("What a fill earns at each depth", text, figure)
    yield _table(tables["By depth"])


def _dot(place: int, interval: Interval, text: str) -> Point:
    return Point(float(place), interval.value, interval.low, interval.high, text)


def _table(table: FactTable) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
    rows = "".join(f"<tr>{_cells(row)}</tr>" for row in table.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(row: Sequence[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in row)

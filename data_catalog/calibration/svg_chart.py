"""Small charts as SVG text: points with error bars and lines, on linear or logarithmic axes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

WIDTH, HEIGHT = 720, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 16, 34, 54
_LETTER = 6.6  # the width of a letter, about
_TICKS = 6


@dataclass(frozen=True)
class Point:
    """A point with the ends of its error bar (NaN for none) and a text that shows under the pointer."""

    x: float
    y: float
    low: float = math.nan
    high: float = math.nan
    text: str = ""


@dataclass(frozen=True)
class Series:
    """
    Points or a line.

    Parameters
    ----------
    points : sequence of Point
        In order of x for a line.
    kind : {"points", "hollow", "line", "dashed", "band"}
        A band fills between the error bars' ends.
    colour : str
        A class of the page's style sheet.
    label : str
        For the legend; none where empty.

    """

    points: Sequence[Point]
    kind: Literal["points", "hollow", "line", "dashed", "band"] = "points"
    colour: str = "c1"
    label: str = ""


@dataclass(frozen=True)
class Axis:
    """An axis: its title, and whether it is logarithmic. `names` put words in place of the numbers 0, 1, 2, …."""

    title: str
    log: bool = False
    names: Sequence[str] = field(default=())


def chart(title: str, x: Axis, y: Axis, series: Sequence[Series]) -> str:
    """
    Return a chart as an SVG element.

    Parameters
    ----------
    title : str
        Read out to those who cannot see it.
    x, y : Axis
        What the axes show.
    series : sequence of Series
        Drawn in this order; points that a logarithmic axis cannot show are left out.

    """
    points = [point for one in series for point in one.points if _shown(point, x, y)]
    xs = [point.x for point in points]
    ys = [v for p in points for v in (p.y, p.low, p.high) if math.isfinite(v) and not (y.log and v <= 0)]
    across, x_ticks = _scale(x, xs, _LEFT, WIDTH - _RIGHT)
    down, y_ticks = _scale(y, ys, HEIGHT - _BOTTOM, _TOP)
    parts = [*_grid(x, y, [(across(v), t) for v, t in x_ticks], [(down(v), t) for v, t in y_ticks])]
    for one in series:
        shown = [point for point in one.points if _shown(point, x, y)]
        parts += _draw(one, shown, across, down)
    body = "\n".join([*parts, *_legend(series)])
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">\n{body}\n</svg>'


def _shown(point: Point, x: Axis, y: Axis) -> bool:
    finite = math.isfinite(point.x) and math.isfinite(point.y)
    return finite and not (x.log and point.x <= 0) and not (y.log and point.y <= 0)


def _scale(
    axis: Axis, values: Sequence[float], start: float, stop: float
) -> tuple[Callable[[float], float], list[tuple[float, str]]]:
    """Return the function from values to pixels, and the ticks with their texts."""
    if axis.names:
        low, high = -0.5, len(axis.names) - 0.5
        ticks = [(float(i), name) for i, name in enumerate(axis.names)]
    elif axis.log:
        low, high = math.log10(min(values)), math.log10(max(values))
        low, high = (low - 0.05, high + 0.05) if high - low > 0.2 else (low - 0.2, high + 0.2)
        ticks = _log_ticks(low, high)
    else:
        low, high = min(values), max(values)
        margin = 0.04 * (high - low) or abs(high) or 1.0
        low, high = low if low == 0 else low - margin, high + margin
        ticks = _linear_ticks(low, high)

    def pixels(value: float) -> float:
        place = math.log10(value) if axis.log else value
        return start + (min(max(place, low), high) - low) / (high - low) * (stop - start)

    return pixels, ticks


def _linear_ticks(low: float, high: float) -> list[tuple[float, str]]:
    step = 10.0 ** math.floor(math.log10((high - low) / _TICKS))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= _TICKS)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [(i * step, f"{i * step:.10g}") for i in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[tuple[float, str]]:
    factors = (1,) if high - low > 3 else (1, 2, 5)
    decades = range(math.floor(low), math.ceil(high) + 1)
    values = [factor * 10.0**decade for decade in decades for factor in factors]
    return [(value, f"{value:g}") for value in values if low <= math.log10(value) <= high]


def _grid(x: Axis, y: Axis, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]]) -> list[str]:
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    parts = []
    for place, text in y_ticks:
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{place:.1f}" y2="{place:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{place + 4:.1f}" text-anchor="end">{escape(text)}</text>')
    for place, text in x_ticks:
        parts.append(f'<line class="grid" x1="{place:.1f}" x2="{place:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        # A name of several words has a line for each, so that neighbours do not run into each other.
        words = text.split(" ") if x.names else [text]
        spans = (f'<tspan x="{place:.1f}" dy="{14 if i else 0}">{escape(w)}</tspan>' for i, w in enumerate(words))
        parts.append(f'<text x="{place:.1f}" y="{bottom + 16}" text-anchor="middle">{"".join(spans)}</text>')
    middle = (_LEFT + right) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x.title)}</text>')
    parts.append(
        f'<text transform="translate(14 {(_TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y.title)}</text>"
    )
    return parts


def _draw(
    one: Series, points: Sequence[Point], across: Callable[[float], float], down: Callable[[float], float]
) -> list[str]:
    if one.kind == "band":
        upper = [f"{across(p.x):.1f},{down(p.high):.1f}" for p in points]
        lower = [f"{across(p.x):.1f},{down(p.low):.1f}" for p in reversed(points)]
        return [f'<polygon class="band {one.colour}" points="{" ".join(upper + lower)}"/>']
    if one.kind in {"line", "dashed"}:
        path = " ".join(f"{across(p.x):.1f},{down(p.y):.1f}" for p in points)
        return [f'<polyline class="{one.kind} {one.colour}" points="{path}"/>']
    parts = []
    for point in points:
        place, height = across(point.x), down(point.y)
        if math.isfinite(point.low) and math.isfinite(point.high):
            ends = f'y1="{down(point.low):.1f}" y2="{down(point.high):.1f}"'
            parts.append(f'<line class="bar {one.colour}" x1="{place:.1f}" x2="{place:.1f}" {ends}/>')
        title = f"<title>{escape(point.text)}</title>" if point.text else ""
        parts.append(
            f'<circle class="{one.kind} {one.colour}" cx="{place:.1f}" cy="{height:.1f}" r="3.6">{title}</circle>'
        )
    return parts


def _legend(series: Sequence[Series]) -> list[str]:
    """Return the names of the series in one row above the plot."""
    parts = []
    place = float(_LEFT)
    for one in series:
        if not one.label:
            continue
        if one.kind in {"points", "hollow"}:
            parts.append(f'<circle class="{one.kind} {one.colour}" cx="{place + 12:.0f}" cy="14" r="3.6"/>')
        else:
            ends = f'x1="{place:.0f}" x2="{place + 24:.0f}" y1="14" y2="14"'
            parts.append(f'<line class="{one.kind} {one.colour}" {ends}/>')
        parts.append(f'<text x="{place + 30:.0f}" y="18">{escape(one.label)}</text>')
        place += 52 + _LETTER * len(one.label)
    return parts

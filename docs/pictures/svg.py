"""Pictures for a page: panels of lines side by side, as one SVG on a white card that reads on light and dark pages."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal, NamedTuple

BLUE, RED, GREEN, ORANGE, GREY, BLACK = "#1f5fbf", "#c0392b", "#1e8449", "#b9770e", "#8a8f98", "#22262b"

WIDTH = 800
_LEFT, _RIGHT, _TITLE, _LEGEND, _BOTTOM, _GAP = 66, 18, 34, 22, 50, 78
_LETTER = 7.2  # the width of a letter, about

type Kind = Literal["line", "dashed", "dots", "hollow", "bar"]


@dataclass(frozen=True)
class Line:
    """
    Points that belong together; one whose y is not finite interrupts the line.

    Parameters
    ----------
    xs, ys : sequence of float
        The points.
    colour : str
        One of the colours of this module.
    label : str
        For the legend; none where empty.
    kind : {"line", "dashed", "dots", "hollow", "bar"}
        A bar reaches from x = 0 to the point, along its y.

    """

    xs: Sequence[float]
    ys: Sequence[float]
    colour: str = BLUE
    label: str = ""
    kind: Kind = "line"


class Note(NamedTuple):
    """A few words at a point of the plot; `anchor` says which end of them stands there."""

    x: float
    y: float
    text: str
    colour: str = BLACK
    anchor: Literal["start", "middle", "end"] = "start"


@dataclass(frozen=True)
class Panel:
    """
    One plot.

    Parameters
    ----------
    title : str
        What it shows, in a few words.
    x_title, y_title : str
        What the axes count, and in which unit.
    lines : sequence of Line
        Drawn in this order.
    notes : sequence of Note
        Words in the plot.
    x_range, y_range : tuple of float, optional
        The ends of the axes; those of the data, with a margin, where left out.

    """

    title: str
    x_title: str
    y_title: str
    lines: Sequence[Line]
    notes: Sequence[Note] = field(default=())
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None


class _Frame(NamedTuple):
    """Where a panel's plot lies, and how values become pixels."""

    left: float
    right: float
    top: float
    bottom: float
    across: Callable[[float], float]
    down: Callable[[float], float]


def steps(xs: Sequence[float], ys: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the corners of a line that holds each y until the next x."""
    corners = [(xs[0], ys[0])]
    for i in range(1, len(xs)):
        corners += [(xs[i], ys[i - 1]), (xs[i], ys[i])]
    return [x for x, _ in corners], [y for _, y in corners]


def picture(description: str, panels: Sequence[Panel], height: int = 330) -> str:
    """
    Return panels side by side as an SVG file.

    Parameters
    ----------
    description : str
        Read out to those who cannot see it.
    panels : sequence of Panel
        One to three, from left to right.
    height : int
        In pixels; the width is 800.

    """
    width = (WIDTH - _LEFT - _RIGHT - _GAP * (len(panels) - 1)) / len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(description)}" font-family="Helvetica, Arial, sans-serif" font-size="13" '
        f'fill="{BLACK}">',
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6" fill="#ffffff" stroke="#d0d4da"/>',
    ]
    for i, panel in enumerate(panels):
        parts += _panel(panel, _LEFT + i * (width + _GAP), width, height)
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, left: float, width: float, height: int) -> list[str]:
    legend, rows = _legend(panel.lines, left, width)
    top, bottom = _TITLE + _LEGEND * rows + 8.0, height - float(_BOTTOM)
    x_low, x_high = panel.x_range or _ends([x for line in panel.lines for x in line.xs], 0.0)
    y_low, y_high = panel.y_range or _ends([y for line in panel.lines for y in line.ys], 0.06)
    frame = _Frame(
        left,
        left + width,
        top,
        bottom,
        across=lambda x: left + (x - x_low) / (x_high - x_low) * width,
        down=lambda y: bottom - (y - y_low) / (y_high - y_low) * (bottom - top),
    )
    parts = [
        f'<text x="{_number(left)}" y="24" font-size="14" font-weight="bold">{escape(panel.title)}</text>',
        *legend,
    ]
    parts += _axes(panel, frame, _ticks(x_low, x_high, width / 62), _ticks(y_low, y_high, (bottom - top) / 34))
    clip = f"clip{_number(left)}"
    box = f'x="{_number(left)}" y="{_number(top - 5)}" width="{_number(width)}" height="{_number(bottom - top + 10)}"'
    parts.append(f'<clipPath id="{clip}"><rect {box}/></clipPath><g clip-path="url(#{clip})">')
    for line in panel.lines:
        parts += _draw(line, frame)
    parts.append("</g>")
    for note in panel.notes:
        place = f'x="{_number(frame.across(note.x))}" y="{_number(frame.down(note.y))}"'
        parts.append(f'<text {place} text-anchor="{note.anchor}" fill="{note.colour}">{escape(note.text)}</text>')
    return parts


def _ends(values: Sequence[float], margin: float) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite), max(finite)
    room = margin * (high - low) or (1.0 if high == low else 0.0)
    return (low if low == 0 else low - room), high + room


def _ticks(low: float, high: float, most: float) -> list[tuple[float, str]]:
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(i * step, f"{i * step:,.10g}".replace("-", "−")) for i in range(first, last + 1)]


def _legend(lines: Sequence[Line], left: float, width: float) -> tuple[list[str], int]:
    """Return the names of the lines in as many rows as they need, and the number of rows."""
    parts = []
    place, row = left, 0
    for line in lines:
        if not line.label:
            continue
        needed = 34 + _LETTER * len(line.label)
        if place > left and place + needed > left + width + 20:
            place, row = left, row + 1
        y = _TITLE + 10.0 + _LEGEND * row
        if line.kind in {"dots", "hollow"}:
            parts.append(_dot(place + 11, y - 4, line))
        else:
            ends = f'x1="{_number(place)}" x2="{_number(place + 22)}" y1="{_number(y - 4)}" y2="{_number(y - 4)}"'
            parts.append(f'<line {ends} stroke="{line.colour}" {_stroke(line)}/>')
        parts.append(f'<text x="{_number(place + 28)}" y="{_number(y)}">{escape(line.label)}</text>')
        place += needed + 8
    return parts, row + 1 if parts else 0


def _axes(
    panel: Panel, frame: _Frame, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]]
) -> list[str]:
    left, right, top, bottom = (_number(v) for v in (frame.left, frame.right, frame.top, frame.bottom))
    parts = []
    for value, text in y_ticks:
        y, colour = frame.down(value), "#9aa0a8" if value == 0 else "#e6e8eb"
        parts.append(f'<path d="M{left} {_number(y)}H{right}" stroke="{colour}"/>')
        parts.append(f'<text x="{_number(frame.left - 7)}" y="{_number(y + 4.5)}" text-anchor="end">{text}</text>')
    for value, text in x_ticks:
        x, colour = frame.across(value), "#9aa0a8" if value == 0 else "#e6e8eb"
        parts.append(f'<path d="M{_number(x)} {top}V{bottom}" stroke="{colour}"/>')
        parts.append(f'<text x="{_number(x)}" y="{_number(frame.bottom + 18)}" text-anchor="middle">{text}</text>')
    middle = _number((frame.left + frame.right) / 2)
    parts.append(
        f'<text x="{middle}" y="{_number(frame.bottom + 39)}" text-anchor="middle">{escape(panel.x_title)}</text>'
    )
    turned = f"translate({_number(frame.left - 48)} {_number((frame.top + frame.bottom) / 2)}) rotate(-90)"
    parts.append(f'<text transform="{turned}" text-anchor="middle">{escape(panel.y_title)}</text>')
    return parts


def _draw(line: Line, frame: _Frame) -> list[str]:
    if line.kind == "bar":
        zero = _number(frame.across(0.0))
        ends = [(_number(frame.across(x)), _number(frame.down(y))) for x, y in zip(line.xs, line.ys, strict=True)]
        return [f'<path d="M{zero} {y}H{x}" stroke="{line.colour}" stroke-width="11"/>' for x, y in ends]
    if line.kind in {"dots", "hollow"}:
        points = zip(line.xs, line.ys, strict=True)
        return [_dot(frame.across(x), frame.down(y), line) for x, y in points if math.isfinite(y)]
    strokes: list[list[tuple[str, str]]] = [[]]
    for x, y in zip(line.xs, line.ys, strict=True):
        if not math.isfinite(y):
            strokes.append([])
            continue
        stroke, point = strokes[-1], (_number(frame.across(x)), _number(frame.down(y)))
        if len(stroke) > 1 and any(stroke[-2][i] == stroke[-1][i] == point[i] for i in (0, 1)):
            stroke.pop()  # straight on along an axis
        stroke.append(point)
    path = "".join("M" + "L".join(f"{x} {y}" for x, y in stroke) for stroke in strokes if stroke)
    return [f'<path d="{path}" fill="none" stroke="{line.colour}" {_stroke(line)}/>']


def _stroke(line: Line) -> str:
    if line.kind == "bar":
        return 'stroke-width="11"'
    dashes = ' stroke-dasharray="6 4"' if line.kind == "dashed" else ""
    return f'stroke-width="{1.5 if line.colour == GREY else 2.2}" stroke-linejoin="round"{dashes}'


def _dot(x: float, y: float, line: Line) -> str:
    fill = "#ffffff" if line.kind == "hollow" else line.colour
    return f'<circle cx="{_number(x)}" cy="{_number(y)}" r="4" fill="{fill}" stroke="{line.colour}" stroke-width="2"/>'


def _number(value: float) -> str:
    """Return a coordinate with one decimal: the noise of floats shall not show in the file."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text

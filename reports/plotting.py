"""
What all charts share: columns in plotly's binary form, axes and layout.

A figure is plotly's own JSON as a dict: building it that way needs no plotly import. Colours are names such as "@buy"
that the page replaces by those of style.css, so that one figure serves the light and the dark page.
"""

import base64
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.format import decimals_used

type Trace = dict[str, Any]
type PlotlyFigure = dict[str, Any]
type Packed = dict[str, str]

TIME_HOVER = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Chart:
    """
    A chart of the page.

    Parameters
    ----------
    key : str
        Its id in the page.
    title : str
        Its heading.
    definition : str
        What it shows, in a sentence or two.
    figure : dict or None
        The plotly figure; None where there is nothing to draw.
    note : str
        A remark under the chart, or what is said in its place.
    wide : bool
        Whether it takes the whole width of the page.

    """

    key: str
    title: str
    definition: str
    figure: PlotlyFigure | None
    note: str = ""
    wide: bool = True


def packed(values: NDArray[Any]) -> Packed:
    """Return an array as plotly's typed array: base64 of little-endian float64; two-dimensional ones with a shape."""
    data = np.ascontiguousarray(values, dtype="<f8")
    form = {"dtype": "f8", "bdata": base64.b64encode(data.tobytes()).decode("ascii")}
    return form if data.ndim == 1 else form | {"shape": ",".join(str(size) for size in data.shape)}


def times(ts_ns: NDArray[np.int64]) -> Packed:
    """Return UNIX nanoseconds as plotly's dates: milliseconds, shown as UTC."""
    return packed(ts_ns / 1e6)


def line(name: str, x: Any, y: Any, color: str, **more: Any) -> Trace:
    """Return a line trace; `more` overrides and adds."""
    style = {"color": f"@{color}", "width": 1.6} | more.pop("line", {})
    return {"type": "scatter", "mode": "lines", "name": escape(name), "x": x, "y": y, "line": style} | more


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """Return an axis in the page's colours."""
    style: dict[str, Any] = {
        "gridcolor": "@grid",
        "zerolinecolor": "@axis",
        "linecolor": "@axis",
        "tickfont": {"color": "@muted"},
        "automargin": True,
        "separatethousands": True,
        "exponentformat": "none",
    }
    if title:
        style["title"] = {"text": escape(title), "font": {"color": "@muted", "size": 12}, "standoff": 8}
    return style | more


def time_axis(ts_ns: NDArray[np.int64], **more: Any) -> dict[str, Any]:
    """Return the time axis of a chart over `ts_ns`; the page zooms all of them together."""
    form = axis(type="date", hoverformat=TIME_HOVER, showgrid=False, showline=True, **more)
    if len(ts_ns) > 1:
        form["range"] = [float(ts_ns[0] / 1e6), float(ts_ns[-1] / 1e6)]
    return form


def layout(height: int, **more: Any) -> dict[str, Any]:
    """Return a layout of `height` pixels."""
    return {
        "height": height,
        "margin": {"l": 80, "r": 12, "t": 36, "b": 36},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "@text", "size": 12},
        "hoverlabel": {"bgcolor": "@card", "bordercolor": "@axis", "font": {"color": "@text"}},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "@axis", "activecolor": "@accent"},
        "hovermode": "x unified",
        "dragmode": "zoom",
    } | more


def decimals_of(values: NDArray[np.float64], most: int = 500) -> int:
    """Return the decimals that show the first `most` known values as they were written."""
    known = values[~np.isnan(values)][:most]
    return decimals_used(Decimal(repr(float(value))) for value in known)
